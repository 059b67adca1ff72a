"""How the `spec/…` macros capture forms: what was written, where it stands, and the pairs and options of a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hy.models import Expression, Integer, Keyword, Object, String, Symbol, Tuple

from mino.forms import dotted, form_error, generated, place, text
from mino.specs.names import meant

Form = Any


def captured(compiler: Any, form: Form) -> Form:
    """The form that makes a spec of `form` and remembers how and where it was written."""
    if isinstance(form, Keyword):
        return call(compiler, "spec", keyword(form), Symbol("None"), location(compiler, form))
    written, shown = text(form), text(short(form))
    extra = [String(shown)] if shown != written else []
    return call(compiler, "spec", form, String(written), location(compiler, form), *extra)


def meant_spec(compiler: Any, form: Form) -> Form:
    """A spec as the argument of a function that looks keywords up itself."""
    return keyword(form) if isinstance(form, Keyword) else captured(compiler, form)


def short(form: Form) -> Form:
    """The form by which a predicate is known: of a function of one form, that form."""
    if isinstance(form, Expression) and len(form) == 3 and form[0] == Symbol("fn"):
        return form[2]
    return form


def call(compiler: Any, function: str, /, *arguments: Form, **options: Form) -> Expression:
    """The call of a function of `mino.check`."""
    given = [part for name, value in options.items() for part in (Keyword(name.replace("_", "-")), value)]
    return Expression([attribute(compiler, function), *arguments, *given])


def keyword(form: Keyword) -> String:
    """The text of a keyword, which as an argument would be read as the name of one."""
    return place(String(str(form)), form)


def location(compiler: Any, form: Form) -> Form:
    """The arguments of the `Place` of a form, as one tuple."""
    if not hasattr(form, "_start_line"):
        return generated(Symbol("None"), compiler.this)
    file = String(compiler.filename) if compiler.filename else Symbol("None")
    numbers = (form.start_line, form.start_column, form.end_line, form.end_column)
    return generated(Tuple([file, *map(Integer, numbers)]), compiler.this)


def attribute(compiler: Any, name: str) -> Form:
    """`mino.check.name`, by the name that it has among the builtins: `hy.I` costs 7 µs each time."""
    return generated(dotted(f"_mino_check.{name}"), compiler.this)


def optional(compiler: Any, head: str, known: Sequence[str], forms: Sequence[Form]) -> dict[str, Form]:
    """The options of a form by name; an error at one that is none of `known`."""
    names = [f":{name}" for name in known]
    for name in forms[::2]:
        if not isinstance(name, Keyword) or name.name.replace("_", "-") not in known:
            near = meant(text(name), names) or f": they are {' '.join(names)}"
            form_error(compiler, name, f"`{text(name)}` is no option of `{head}`{near}")
    if len(forms) % 2:
        form_error(compiler, forms[-1], f"`{text(forms[-1])}` of `{head}` has no value: write one after it")
    return {name.name.replace("-", "_"): value for name, value in zip(forms[::2], forms[1::2], strict=True)}


def paired(
    compiler: Any, head: str, forms: Sequence[Form], kinds: tuple[type[Object], ...], what: str, example: str
) -> list[tuple[Form, Form]]:
    """The forms in pairs of a name and a spec; an error at a name of another kind, and at one without a spec."""
    for name in forms[::2]:
        if not isinstance(name, kinds):
            form_error(compiler, name, f"`{text(name)}` of `{head}` is not {what}: write ({head} {example} spec …)")
    if len(forms) % 2:
        form_error(compiler, forms[-1], f"`{text(forms[-1])}` of `{head}` has no spec: write ({head} {example} spec …)")
    return list(zip(forms[::2], forms[1::2], strict=True))


def counted(compiler: Any, forms: Sequence[Form], least: int, most: int | None) -> None:
    """An error at the whole form, if it has fewer specs than `least` or more than `most`."""
    if len(forms) < least or (most is not None and len(forms) > most):
        wanted = "one spec" if most == 1 else f"at least {least} specs" if least > 1 else "a spec"
        form_error(compiler, compiler.this, f"`{head_of(compiler)}` needs {wanted}; it was given {len(forms)}")


def head_of(compiler: Any) -> str:
    """The head of the form that is expanded, as it is written."""
    return text(compiler.this[0])


def here(compiler: Any) -> dict[str, Form]:
    """The option by which a spec knows the place of the form that made it."""
    return {"where": location(compiler, compiler.this)}
