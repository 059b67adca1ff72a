"""The expansions of the `spec/…` macros: they capture each spec's form and place, and call `mino.check`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hy.models import Expression, Integer, Keyword, List, String, Symbol, Tuple

from mino.forms import form_error, generated, place, text
from mino.specs.capture import (
    attribute,
    call,
    captured,
    counted,
    head_of,
    here,
    keyword,
    location,
    meant_spec,
    optional,
    paired,
)

Form = Any

# The options of the combinators that have any.
OPTIONS = {
    "coll-of": ("kind", "count", "min-count", "max-count", "distinct"),
    "dict-of": ("kind", "count", "min-count", "max-count"),
    "tensor": ("dtype", "device", "requires-grad", "min", "max", "finite"),
}
KEY_LISTS = ("req", "opt", "req-un", "opt-un")


def define(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/def :keyword spec …)`; its value is None."""
    pairs = paired(compiler, "spec/def", forms, (Keyword,), "a keyword", ":name")
    calls = (call(compiler, "define", keyword(name), captured(compiler, one)) for name, one in pairs)
    return Expression([Symbol("do"), *calls, Symbol("None")])


def define_generator(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/defgen :keyword [argument…] body…)`."""
    if len(forms) < 3 or not isinstance(forms[0], Keyword) or not isinstance(forms[1], List):
        form_error(
            compiler,
            compiler.this,
            "`spec/defgen` needs a keyword, a list of arguments and a body: "
            "write (spec/defgen :name [argument …] body…)",
        )
    name, *rest = forms
    function = Expression([Symbol("fn"), *rest])
    return call(compiler, "define-generator", keyword(name), function, location(compiler, name))


def define_function(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/defun name [parameter…]? :args spec :ret spec :fn predicate body…)`."""
    example = "(spec/defun name :args (spec/cat :x spec …) :ret spec)"
    if not forms or not isinstance(forms[0], Symbol):
        form_error(
            compiler, forms[0] if forms else compiler.this, f"`spec/defun` needs a function's name: write {example}"
        )
    name, *rest = forms
    parameters = rest.pop(0) if rest and isinstance(rest[0], List) else None
    docstring = [rest.pop(0)] if parameters is not None and len(rest) > 1 and isinstance(rest[0], String) else []
    options: list[Form] = []
    while rest and isinstance(rest[0], Keyword):
        options += rest[:2]
        rest = rest[2:]
    given = optional(compiler, "spec/defun", ("args", "ret", "fn"), options)
    if rest and parameters is None:
        form_error(compiler, rest[0], f"`{text(rest[0])}` of `spec/defun` is no option: write {example}")
    if not given:
        form_error(compiler, compiler.this, f"`spec/defun` needs :args, :ret or :fn: write {example}")
    specs = {option: captured(compiler, form) for option, form in given.items()}
    defined = call(compiler, "define-function", Symbol("__name__"), String(str(name)), **specs, **here(compiler))
    if parameters is None:
        return Expression([Symbol("do"), defined, Symbol("None")])
    function = Expression([Symbol("defn"), name, parameters, *docstring, *rest])
    return Expression([Symbol("do"), defined, function])


def keywords(compiler: Any, function: str, forms: Sequence[Form]) -> Form:
    """The call of a function of registered keywords."""
    for form in forms:
        if not isinstance(form, Keyword):
            form_error(compiler, form, f"`{text(form)}` of `{head_of(compiler)}` is not a keyword: write :name")
    return call(compiler, function, *map(keyword, forms))


def combination(compiler: Any, function: str, forms: Sequence[Form], least: int = 1, most: int | None = None) -> Form:
    """The call of a combinator with each of `forms` captured, of which there must be so many."""
    counted(compiler, forms, least, most)
    return call(compiler, function, *(captured(compiler, form) for form in forms), **here(compiler))


def enumeration(compiler: Any, values: Sequence[Form]) -> Form:
    """The call of `enum` with values, of which keywords stay keywords."""
    if not values:
        form_error(compiler, compiler.this, '`spec/enum` needs a value: write (spec/enum "relu" "tanh")')
    quoted = (Expression([Symbol("quote"), form]) if isinstance(form, Keyword) else form for form in values)
    return call(compiler, "enum", *quoted, **here(compiler))


def tagged(compiler: Any, function: str, forms: Sequence[Form]) -> Form:
    """The call of a combinator with pairs of a tag and a spec: `(spec/cat :x spec …)`."""
    pairs = paired(compiler, head_of(compiler), forms, (Keyword,), "a keyword", ":name")
    parts = (Tuple([keyword(tag), captured(compiler, one)]) for tag, one in pairs)
    return call(compiler, function, *parts, **here(compiler))


def alternatives(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/or …)`: pairs of a tag and a spec, or plain specs.

    Four forms or more of which every other one, from the first on, is a keyword are pairs; two forms are two specs,
    since a `spec/or` of one branch would say nothing.
    """
    counted(compiler, forms, 1, None)
    if len(forms) > 2 and len(forms) % 2 == 0 and all(isinstance(form, Keyword) for form in forms[::2]):
        return tagged(compiler, "or-", forms)
    return combination(compiler, "or-", forms)


def collection(compiler: Any, name: str, count: int, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/coll-of spec …)` and `(spec/dict-of key value …)`, with their options."""
    specs, options = forms[:count], forms[count:]
    if len(specs) < count or any(isinstance(form, Keyword) and form.name in OPTIONS[name] for form in specs):
        wanted = "a spec of its items" if count == 1 else "a spec of its keys and one of its values"
        form_error(compiler, compiler.this, f"`spec/{name}` needs {wanted}")
    given = optional(compiler, f"spec/{name}", OPTIONS[name], options)
    if "kind" in given:
        given["kind"] = captured(compiler, given["kind"])
    return call(compiler, name, *(captured(compiler, form) for form in specs), **given, **here(compiler))


def keys(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/keys name spec … :req [:keyword …] …)`."""
    first = next((i for i in range(0, len(forms), 2) if isinstance(forms[i], Keyword)), len(forms))
    given = optional(compiler, "spec/keys", KEY_LISTS, forms[first:])
    for name, listed in given.items():
        if not isinstance(listed, List) or not all(isinstance(each, Keyword) for each in listed):
            form_error(compiler, listed, f"`:{name}` of `spec/keys` is a list of keywords: write :{name} [:name …]")
        given[name] = List(map(keyword, listed))
    return call(compiler, "keys", *_parts(compiler, forms[:first], "a key"), **given, **here(compiler))


def held(compiler: Any, kind: str, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/parameters name spec …)` and its kin."""
    return call(compiler, kind, *_parts(compiler, forms, "a component's name"), **here(compiler))


def module(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/module Class? :attribute spec …)`."""
    kind, options = (forms[:1], forms[1:]) if forms and not isinstance(forms[0], Keyword) else ([], forms)
    pairs = paired(compiler, "spec/module", options, (Keyword,), "an attribute's keyword", "Class :attribute")
    parts = (_part(compiler, name.name, name, one) for name, one in pairs)
    return call(compiler, "module", *(kind or [Symbol("None")]), *parts, **here(compiler))


def tensor(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/tensor [axis …] :dtype … …)`."""
    axes, options = (forms[:1], forms[1:]) if forms and not isinstance(forms[0], Keyword) else ([], forms)
    if axes and not isinstance(axes[0], List):
        form_error(compiler, axes[0], f"`{text(axes[0])}` is no shape: write (spec/tensor [n 10 _ …] …)")
    pattern = [List([_axis(compiler, axis) for axis in each]) for each in axes]
    if sum(str(axis) in ("…", "...") for each in axes for axis in each) > 1:
        form_error(compiler, axes[0], f"`{text(axes[0])}` has more than one …: which axes are whose could not be told")
    given = optional(compiler, "spec/tensor", OPTIONS["tensor"], options)
    for name, value in given.items():
        given[name] = keyword(value) if isinstance(value, Keyword) else value
    return call(compiler, "tensor", *pattern, **given, **here(compiler))


def passed(compiler: Any, function: str, forms: Sequence[Form], least: int = 0) -> Form:
    """The call of a function with the forms as they are, of which a keyword at the beginning is a spec."""
    if len(forms) < least:
        form_error(compiler, compiler.this, f"`{head_of(compiler)}` needs {least} forms; it was given {len(forms)}")
    first = [keyword(form) if isinstance(form, Keyword) else form for form in forms[:1]]
    return call(compiler, function, *first, *forms[1:])


def use(compiler: Any, function: str, forms: Sequence[Form], count: int | None = 2) -> Form:
    """The call of a function whose first argument is a spec, at little cost; `count` arguments with it, or any."""
    if not forms:
        form_error(compiler, compiler.this, f"`{head_of(compiler)}` needs a spec, such as a keyword")
    if count is not None and len(forms) != count:
        example = " ".join([head_of(compiler), "spec", *["value"] * (count - 1)])
        form_error(compiler, compiler.this, f"`{head_of(compiler)}` was given {len(forms)} forms: write ({example})")
    definition, *rest = forms
    where = [location(compiler, definition)] if count is not None else []
    return Expression([attribute(compiler, function), meant_spec(compiler, definition), *rest, *where])


def assertion(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/assert spec value)`: while assertions are off it tests one flag."""
    import hy

    if len(forms) != 2:
        form_error(compiler, compiler.this, "`spec/assert` takes a spec and a value: write (spec/assert spec value)")
    definition, value = forms
    name = hy.gensym("value")
    test = attribute(compiler, "asserting")
    arguments = meant_spec(compiler, definition), name, location(compiler, definition)
    body = [
        Expression([Symbol("setv"), name, value]),
        Expression([Symbol("when"), test, Expression([attribute(compiler, "assert-"), *arguments])]),
        name,
    ]
    return Expression([Symbol("do"), *(generated(each, compiler.this) for each in body)])


def owned(compiler: Any, name: str, components: Sequence[Form]) -> list[Form]:
    """The specs that a mu's components carry, `#^ spec name`, which Hy reads as `(annotate name spec)`; if any do."""
    carried = [
        form for form in components if isinstance(form, Expression) and len(form) == 3 and form[0] == Symbol("annotate")
    ]
    parts = (Tuple([String(str(form[1])), captured(compiler, form[2])]) for form in carried)
    return [call(compiler, "owned", String(name), *parts)] if carried else []


def _parts(compiler: Any, forms: Sequence[Form], what: str) -> Iterable[Form]:
    pairs = paired(compiler, head_of(compiler), forms, (Symbol, String, Integer), what, "name")
    return [_part(compiler, str(int(name) if isinstance(name, Integer) else name), name, one) for name, one in pairs]


def _part(compiler: Any, name: str, at: Form, one: Form) -> Form:
    literal = head_of(compiler) == "spec/module" and not isinstance(one, Expression | Keyword)
    value = one if literal else captured(compiler, one)
    return Tuple([String(name), value, location(compiler, at)])


def _axis(compiler: Any, form: Form) -> Form:
    if isinstance(form, Integer):
        return form
    if isinstance(form, Symbol):
        return place(String("…" if form in (Symbol("..."), Symbol("…")) else str(form)), form)
    if isinstance(form, Expression) and len(form) == 2 and form[0] == Symbol("unquote"):
        return form[1]
    form_error(
        compiler,
        form,
        f"`{text(form)}` is no axis: an axis is a size, a name, _, … or ~expression for a size to compute",
    )
