"""The expansions of `defmu`, `mu`, `bind` and `mino/apply`: what is captured of the forms, and the checks that need
only forms.

A mu's body becomes one ordinary function `forward` in the user's own file. Each component is a parameter of
it, and is assigned once before the body: to what the call gave, or else to what is bound. The user's symbols
keep their source ranges in both places; code that no user wrote lies at the opening bracket of the call.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from collections.abc import Sequence as Items
from typing import Any

import hy
from hy.errors import HyLanguageError
from hy.models import Dict, Expression, FComponent, FString, Keyword, List, Object, Sequence, Set, String, Symbol, Tuple

from mino import specforms
from mino.forms import call, dotted, form_error, generated, is_dotted, method, place, text
from mino.reserved import RESERVED

Form = Any

# The mu forms of a procedure are shown as they are written.
QUOTES = (Symbol("quote"), Symbol("quasiquote"))
OURS = frozenset(map(hy.mangle, ("mu", "defmu", "bind")))


def defmu(compiler: Any, forms: Items[Form]) -> Form:
    """The expansion of `(defmu Name [component…] "doc"? body…)`."""
    this = compiler.this
    if not forms or not isinstance(forms[0], Symbol):
        form_error(compiler, forms[0] if forms else this, "`defmu` needs a name: write (defmu Name [x …] body…)")
    name, *rest = forms
    return Expression([Symbol("setv"), name, _definition(compiler, str(name), "defmu Name", rest)])


def mu(compiler: Any, forms: Items[Form]) -> Form:
    """The expansion of `(mu [component…] body…)`."""
    return Expression([_definition(compiler, "μ", "mu", forms)])


def bind(compiler: Any, forms: Items[Form]) -> Form:
    """The expansion of `(bind mu :component value …)`."""
    if not forms:
        form_error(compiler, compiler.this, "`bind` needs a mu: write (bind m :component value …)")
    pairs = [form for form in forms[1:] if not _is_mapping(form)]
    for key in pairs[::2]:
        if not isinstance(key, Keyword):
            form_error(
                compiler,
                key,
                f"`bind` takes pairs of a component's keyword and a value; `{text(key)}` is no keyword: "
                f"write (bind m :component {text(key)})",
            )
    if len(pairs) % 2:
        form_error(compiler, pairs[-1], f"`{text(pairs[-1])}` of `bind` has no value: write one after it")
    return Expression([generated(dotted("hy.I.mino.bind"), compiler.this), *forms])


def apply(compiler: Any, forms: Items[Form]) -> Form:
    """The expansion of `(mino/apply items function)`."""
    if len(forms) != 2:
        found = "is 1" if len(forms) == 1 else f"are {len(forms)}"
        sentence = f"`mino/apply` takes two forms, and here {found}: write (mino/apply items function)"
        form_error(compiler, forms[2] if len(forms) > 2 else compiler.this, sentence)
    return Expression([generated(dotted("hy.I.mino.apply"), compiler.this), *forms])


def _is_mapping(form: Form) -> bool:
    return isinstance(form, Expression) and len(form) == 2 and bool(form[0] == Symbol("unpack-mapping"))


def _definition(compiler: Any, name: str, head: str, forms: Items[Form]) -> Form:
    this = compiler.this
    if not forms or not isinstance(forms[0], List):
        found = forms[0] if forms else this
        form_error(compiler, found, f"a mu needs a list of components: write ({head} [x …] body…)")
    components = [_component(compiler, form) for form in forms[0]]
    _check_components(compiler, components)
    docstring, body = _split(forms[1:])
    if not body:
        form_error(compiler, this, f"this mu has no body: write what it computes, ({head} {text(forms[0])} body…)")
    names = [str(component) for component in components]
    shown = " ".join(text(readable(expanded(compiler, form, frozenset(map(hy.mangle, names))))) for form in body)
    parts = (
        dotted("hy.I.mino/module.define"),
        _factory(this, components, body),
        String(name),
        Tuple([String(each) for each in names]),
        String(shown),
        docstring or Symbol("None"),
        *specforms.owned(compiler, name, forms[0]),
    )
    return Expression([generated(part, this) for part in parts])


def _factory(this: Object, components: list[Symbol], body: Items[Form]) -> Form:
    """`(fn [unbound resolve] (defn forward …) forward)`: its parameters are fast names inside of `forward`.

    The body may use any name that the user has; these three are ours.
    """
    unbound, resolve, name = map(Symbol, ("_mino_unbound", "_mino_resolve", "_mino_forward"))
    parameters = List([Symbol("self"), *(List([component, unbound]) for component in components)])
    forward = Expression(
        [
            Symbol("defn"),
            name,
            parameters,
            *(_assignment(this, component, components, unbound, resolve) for component in components),
            *body,
        ]
    )
    return Expression([Symbol("fn"), List([unbound, resolve]), forward, _canary(name, this)])


def _assignment(this: Object, component: Symbol, components: list[Symbol], unbound: Symbol, resolve: Symbol) -> Form:
    """`(setv c (if (is c unbound) (resolve self "c" c0 … cN) c))`, at the component's own place."""
    lookup = Expression([resolve, Symbol("self"), String(hy.mangle(component)), *components])
    test = call("is", component, unbound)
    value = Expression(
        [Symbol("if"), generated(test, this), place(generated(lookup, this), component), component],
    )
    form = Expression([Symbol("setv"), component, place(value, component)])
    return place(form, component)


def _canary(name: Symbol, this: Object) -> Symbol:
    """The `name` of the procedure at column 1, by which `define` sees how columns were written."""
    name = place(Symbol(name), this)
    name.end_line = name.start_line
    name.start_column = name.end_column = 1
    return name


def _component(compiler: Any, form: Form) -> Symbol:
    """The name of a component; `#^ spec name` is read as `(annotate name spec)`."""
    if isinstance(form, Expression) and len(form) == 3 and form[0] == Symbol("annotate"):
        form = form[1]
    if not isinstance(form, Symbol):
        form_error(
            compiler,
            form,
            f"`{text(form)}` is not a component: a component is a symbol; give it a value with (bind m :name value)",
        )
    return form


def _check_components(compiler: Any, components: list[Symbol]) -> None:
    seen: dict[str, Symbol] = {}
    for component in components:
        name = hy.mangle(component)
        if name in ("None", "True", "False"):
            form_error(compiler, component, f"`{component}` is a constant, not a name for a component: choose another")
        if keyword.iskeyword(name):
            sentence = f"`{component}` is a keyword of Python's, which cannot name a component for all of torch"
            form_error(compiler, component, f"{sentence}: choose another")
        if name in RESERVED or (name.startswith("__") and name.endswith("__")):
            owner = "the mu itself" if name == "self" else "an attribute of every torch.nn.Module"
            form_error(compiler, component, f"`{component}` is the name of {owner}: choose another for the component")
        if str(component) in ("*", "/"):
            sentence = f"`{component}` is not a component: a component is given by position or by keyword; leave it out"
            form_error(compiler, component, sentence)
        if name in seen:
            form_error(compiler, component, f"the component `{component}` is there twice: write each component once")
        seen[name] = component


def _split(forms: Items[Form]) -> tuple[Form, Items[Form]]:
    """The docstring, if there is one, and the body."""
    if len(forms) > 1 and isinstance(forms[0], String):
        return forms[0], forms[1:]
    return None, forms


def expanded(compiler: Any, form: Form, components: frozenset[str]) -> Form:
    """`form` with the macros of the module expanded in it, Hy's own and the mu forms excepted.

    This is what a mu prints and is rebuilt from; Hy's compiler expands the body again. A form that does not expand
    stays as it is, for the compiler to report. Raises an error at a form that calls a component by the name of a
    macro, which Hy would expand instead.
    """
    while isinstance(form, Expression) and form:
        if form[0] in QUOTES:
            return form
        name = _macro_name(form[0])
        if name in components and (_module_macro(compiler, name) or name in builtins.__dict__["_hy_macros"]):
            form_error(
                compiler,
                form,
                f"`{form[0]}` is a component and a macro too, and here Hy would expand the macro: "
                "rename the component, or hand its value to another name and call that",
            )
        if name in OURS or not _module_macro(compiler, name):
            break
        try:
            result = hy.macros.macroexpand(form, compiler.module, compiler, once=True, result_ok=False)
        except HyLanguageError:
            break
        if result is form:
            break
        form = result
    if not isinstance(form, Expression | List | Tuple | Set | Dict) or is_dotted(form):
        return form
    if isinstance(form, Expression) and form and form[0] == Symbol("."):
        return place(Expression(_chained(compiler, form, components)), form)
    return place(type(form)([expanded(compiler, part, components) for part in form]), form)


def _chained(compiler: Any, chain: Expression, components: frozenset[str]) -> Iterator[Form]:
    """The parts of `(. object name (method argument…) [index])`; a method is no macro, whatever its name."""
    dot, *parts = chain
    yield dot
    for index, part in enumerate(parts):
        if index and isinstance(part, Expression) and part:
            method, *arguments = part
            yield place(Expression([method, *(expanded(compiler, each, components) for each in arguments)]), part)
        else:
            yield expanded(compiler, part, components)


def readable(form: Form) -> Form:
    """`form` with the formats of f-strings that `hy.repr` cuts short, those of several parts, as calls."""
    if not isinstance(form, Sequence):
        return form
    parts = [readable(part) for part in form]
    if isinstance(form, FComponent) and len(parts) > 2:
        value = parts[0]
        if form.conversion:
            value = method("format", String(f"{{!{form.conversion}}}"), value)
        return FComponent([method("__format__", value, FString(parts[1:]))])
    if all(new is old for new, old in zip(parts, form, strict=True)):
        return form
    made = place(type(form)(parts), form)
    for name in ("brackets", "conversion", "expression", "is_tstring"):
        if hasattr(form, name):
            setattr(made, name, getattr(form, name))
    return made


def _macro_name(head: Form) -> str:
    if isinstance(head, Symbol):
        return str(hy.mangle(head))
    if is_dotted(head):
        return ".".join(map(hy.mangle, head[1:]))
    return ""


def _module_macro(compiler: Any, name: str) -> bool:
    """Whether `name` is a macro of the module or of a scope that is being compiled, not one of Hy's own."""
    scopes = [compiler.extra_macros, *(state["macros"] for state in compiler.local_state_stack)]
    return any(name in scope for scope in (*scopes, compiler.module.__dict__.get("_hy_macros", {})))
