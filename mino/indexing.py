"""`geta`: several axes of an array indexed at once, as a macro's expansion and as a function for Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hy.models import Expression, Keyword, List, Object, Symbol, Tuple

from mino.forms import form_error, place, text

COLON = Keyword("")


def geta(array: Any, *axes: Any) -> Any:
    """`array` at an index for each axis: `[i]` is an index, `[start, stop]` and `[start, stop, step]` are slices.

    Anything else passes through: `...`, `None`, a slice, a mask. Raises `ValueError` for another list.
    """
    return array[tuple(_at(axis) for axis in axes)]


def _at(axis: Any) -> Any:
    if not isinstance(axis, list):
        return axis
    if len(axis) == 1:
        return axis[0]
    if 2 <= len(axis) <= 3:
        return slice(*axis)
    raise ValueError(f"{axis} is no slice: write [i], [start, stop] or [start, stop, step]")


def expansion(compiler: Any, forms: Sequence[Any]) -> Expression:
    """The expansion of `(geta x index…)`, `(get x #(index…))`."""
    if len(forms) < 2:
        form_error(compiler, compiler.this, "`geta` needs a value and an index for each axis: write (geta x [:] [1])")
    array, *axes = forms
    return Expression([Symbol("get"), array, Tuple([_index(compiler, axis) for axis in axes])])


def _index(compiler: Any, axis: Object) -> Object:
    """`[:]`, `[i]`, `[a :]`, `[: b]`, `[a : b : c]`, `[a b]` and `[a b c]` as Python means them; others pass."""
    if axis == COLON:
        form_error(compiler, axis, "`:` alone is no index: write [:] for all of an axis")
    if not isinstance(axis, List):
        return axis
    for form in axis:
        if form != COLON and isinstance(form, Keyword | Symbol) and ":" in str(form):
            written = " ".join(text(form).replace(":", " : ").split())
            form_error(compiler, form, f"Hy reads `{text(form)}` as one name: write [{written}]")
    if len(axis) == 1 and axis[0] != COLON:
        index: Object = axis[0]
        return index
    bounds = _bounds(compiler, axis)
    return place(Expression([Symbol("slice"), *bounds]), axis)


def _bounds(compiler: Any, axis: List) -> list[Object]:
    """The two or three arguments of the slice that `axis` writes."""
    if COLON not in axis and 2 <= len(axis) <= 3:
        return list(axis)
    parts: list[list[Object]] = [[]]
    for form in axis:
        if form == COLON:
            parts.append([])
        else:
            parts[-1].append(form)
    if not 2 <= len(parts) <= 3 or any(len(part) > 1 for part in parts):
        form_error(
            compiler,
            axis,
            f"`{text(axis)}` is no slice: write [:], [i], [start :], [: stop], [start stop] or [start stop step]",
        )
    return [part[0] if part else place(Symbol("None"), axis) for part in parts]
