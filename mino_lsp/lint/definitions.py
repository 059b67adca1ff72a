"""Forms that define: functions, macros and classes, and their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mino_lsp.analysis import mangle
from mino_lsp.lint.findings import Call, Finding, at, bare, checks, is_name, shown
from mino_lsp.syntax import Form, Kind

_NAMES = (Kind.SYMBOL, Kind.KEYWORD)
_OLD = frozenset({"&rest", "&optional", "&kwargs", "&kwonly"})
_REST = (Kind.UNPACK_ITERABLE, Kind.UNPACK_MAPPING)


def _after_options(args: Sequence[Form], decorators: bool) -> list[Form]:
    """The arguments without `:async`, decorators and type parameters."""
    rest = list(args)
    if rest and rest[0].text == ":async":
        del rest[0]
    if decorators and len(rest) > 1 and rest[0].kind is Kind.VECTOR and bare(rest[1]).kind in _NAMES:
        del rest[0]
    if len(rest) > 1 and rest[0].text == ":tp":
        del rest[:2]
    return rest


@checks("hy:fn")
def lambda_(call: Call) -> Iterator[Finding]:
    rest = _after_options(call.args, decorators=False)
    yield from _parameters(call, bare(rest[0]) if rest else None, "(fn [x …] form …)")


@checks("hy:defn")
def function(call: Call) -> Iterator[Finding]:
    rest = _after_options(call.args, decorators=True)
    example = f"({call.name} name [x …] form …)"
    if not rest or not is_name(bare(rest[0])):
        found = f"`{shown(rest[0])}` is no name for a function" if rest else f"`{call.name}` needs a name"
        yield at(rest[0] if rest else call.head, "definition-name", f"{found}: write {example}.")
        return
    yield from _parameters(call, rest[1] if len(rest) > 1 else None, example)


@checks("hy:defmacro")
def macro(call: Call) -> Iterator[Finding]:
    example = "(defmacro name [x … #* body] form …)"
    if not call.args or not is_name(call.args[0]):
        found = f"`{shown(call.args[0])}` is no name for a macro" if call.args else "`defmacro` needs a name"
        yield at(call.args[0] if call.args else call.head, "definition-name", f"{found}: write {example}.")
        return
    parameters = call.args[1] if len(call.args) > 1 else None
    yield from _parameters(call, parameters, example)
    for form in parameters.forms if parameters is not None and parameters.kind is Kind.VECTOR else ():
        if form.kind is Kind.UNPACK_MAPPING or form.text == "*":
            yield at(form, "parameter", f"A macro takes no keyword arguments: `{shown(form)}` cannot stand here.")


@checks("hy:defclass")
def class_(call: Call) -> Iterator[Finding]:
    rest = _after_options(call.args, decorators=True)
    if not rest or not is_name(rest[0]):
        found = f"`{shown(rest[0])}` is no name for a class" if rest else "`defclass` needs a name"
        example = "(defclass Name [Base …] form …)"
        yield at(rest[0] if rest else call.head, "definition-name", f"{found}: write {example}.")
    elif len(rest) > 1 and rest[1].kind is not Kind.VECTOR:
        message = "The bases of a class come right after its name, in brackets: write (defclass Name [] form …)."
        yield at(rest[1], "class-bases", message)


@checks("hyrule:defmain")
def main(call: Call) -> Iterator[Finding]:
    first = call.args[0] if call.args else None
    # A dotted name is an expression to Hy, and an expression may be a macro's call.
    dotted = first is not None and first.kind is Kind.SYMBOL and "." in first.text
    if first is None or (first.kind in (Kind.SYMBOL, Kind.STRING, Kind.NUMBER) and not dotted):
        message = "`defmain` needs a list of parameters: write (defmain [#* arguments] form …)."
        yield at(call.args[0] if call.args else call.head, "parameters", message)


def _parameters(call: Call, form: Form | None, example: str) -> Iterator[Finding]:
    if form is None or form.kind is not Kind.VECTOR:
        message = f"`{call.name}` needs its parameters in brackets here: write {example}."
        yield at(call.head if form is None else form, "parameters", message)
        return
    seen: set[str] = set()
    optional = keywords = False
    rest: Kind | None = None
    for one in form.forms:
        inner = bare(one)
        name = _name(inner)
        if inner.text in ("/", "*") and inner.kind is Kind.SYMBOL:
            optional = optional and inner.text == "/"
            keywords = keywords or inner.text == "*"
            continue
        if name is None:
            yield at(one, "parameter", _no_parameter(one))
            continue
        if name.text in _OLD:
            message = f"`{name.text}` is of an older Hy, and a name here: write #* args, #** kwargs or [name default]."
            yield Finding(name.start, name.end, "old-parameter", message, "warning")
        if mangle(name.text) in seen:
            yield at(name, "duplicate-parameter", f"The parameter `{name.text}` is there twice.")
        seen.add(mangle(name.text))
        if rest is Kind.UNPACK_MAPPING:
            yield at(one, "parameter", f"Nothing may follow the #** parameter: `{shown(one)}` has to come before it.")
        keywords = keywords or inner.kind is Kind.UNPACK_ITERABLE
        rest = inner.kind if inner.kind in _REST else rest
        if inner.kind is Kind.VECTOR:
            optional = True
        elif inner.kind is Kind.SYMBOL and optional and not keywords:
            message = f"`{name.text}` has no default but follows a parameter that has one: move it to the front."
            yield at(one, "parameter", message)


def _name(form: Form) -> Form | None:
    """The name of a parameter: of `x`, of `[x default]`, of `#* xs`; None where it is none."""
    parts = form.forms
    if (form.kind is Kind.VECTOR and len(parts) == 2) or (form.kind in _REST and len(parts) == 1):
        form = parts[0]
    return form if is_name(form) else None


def _no_parameter(form: Form) -> str:
    if form.kind is Kind.VECTOR:
        return f"`{shown(form)}` is no parameter: one with a default is written [name default]."
    return f"`{shown(form)}` is no parameter: a parameter is a name, [name default], #* name or #** name."
