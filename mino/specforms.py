"""The expansions of the `spec/…` macros: they capture each spec's form and place, and call `mino.check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hy.models import Expression, Integer, Keyword, List, Object, String, Symbol, Tuple

from mino.forms import dotted, form_error, generated, place, text

Form = Any


def define(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/def :keyword spec …)`."""
    pairs = _pairs(compiler, "spec/def", forms, Keyword, "a keyword", ":name")
    return Expression(
        [Symbol("do"), *(_call(compiler, "define", _keyword(name), captured(compiler, one)) for name, one in pairs)]
    )


def define_generator(compiler: Any, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/defgen :keyword [argument…] body…)`."""
    if len(forms) < 3 or not isinstance(forms[0], Keyword) or not isinstance(forms[1], List):
        form_error(
            compiler,
            compiler.this,
            "`spec/defgen` needs a keyword, a list of arguments and a body: "
            "write (spec/defgen :name [argument …] body…)",
        )
    keyword, *rest = forms
    return _call(compiler, "define-generator", _keyword(keyword), Expression([Symbol("fn"), *rest]))


def combination(compiler: Any, function: str, forms: Sequence[Form]) -> Form:
    """The call of a combinator of `mino.check` with each of `forms` captured."""
    return _call(compiler, function, *(captured(compiler, form) for form in forms))


def held(compiler: Any, kind: str, forms: Sequence[Form]) -> Form:
    """The expansion of `(spec/parameters name spec …)` and `(spec/modules name spec …)`."""
    pairs = _pairs(compiler, f"spec/{kind}", forms, Symbol, "a component's name", "name")
    entries = [Tuple([String(str(name)), captured(compiler, one), _place(compiler, name)]) for name, one in pairs]
    return _call(compiler, kind, *entries)


def use(compiler: Any, function: str, forms: Sequence[Form]) -> Form:
    """The call of a function of `mino.check` whose first argument is a spec: a keyword stays one."""
    if not forms:
        form_error(compiler, compiler.this, f"`{text(compiler.this[0])}` needs a spec, such as a keyword")
    definition, *rest = forms
    first = _keyword(definition) if isinstance(definition, Keyword) else captured(compiler, definition)
    return _call(compiler, function, first, *rest)


def captured(compiler: Any, form: Form) -> Form:
    """The form that makes a spec of `form` and remembers how and where it was written."""
    if isinstance(form, Keyword):
        return _call(compiler, "spec", _keyword(form))
    return _call(compiler, "spec", form, String(text(shown(form))), _place(compiler, form))


def shown(form: Form) -> Form:
    """The form by which a predicate is known: of a function of one form, that form."""
    if isinstance(form, Expression) and len(form) == 3 and form[0] == Symbol("fn"):
        return form[2]
    return form


def _pairs(
    compiler: Any, head: str, forms: Sequence[Form], kind: type[Object], what: str, example: str
) -> list[tuple[Form, Form]]:
    if len(forms) % 2:
        form_error(compiler, forms[-1], f"`{text(forms[-1])}` of `{head}` has no spec: write ({head} {example} spec …)")
    for name in forms[::2]:
        if not isinstance(name, kind):
            form_error(compiler, name, f"`{text(name)}` of `{head}` is not {what}: write ({head} {example} spec …)")
    return list(zip(forms[::2], forms[1::2], strict=True))


def _keyword(keyword: Keyword) -> String:
    """The text of a keyword, which as an argument would be read as the name of one."""
    return place(String(str(keyword)), keyword)


def _call(compiler: Any, function: str, *arguments: Form) -> Expression:
    return Expression([generated(dotted(f"hy.I.mino/check.{function}"), compiler.this), *arguments])


def _place(compiler: Any, form: Form) -> Form:
    if not hasattr(form, "_start_line"):
        return generated(Symbol("None"), compiler.this)
    file = String(compiler.filename) if compiler.filename else Symbol("None")
    numbers = (form.start_line, form.start_column, form.end_line, form.end_column)
    return generated(Tuple([file, *map(Integer, numbers)]), compiler.this)
