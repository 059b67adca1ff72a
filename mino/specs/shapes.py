"""Shape patterns: integers, names, `_` for any size and `…` for any number of axes; and how they line up with sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mino.specs.problems import Mark

if TYPE_CHECKING:
    from mino.specs.engine import Scope

Axis = int | str
ANY, REST = "_", "…"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A shape that does not match: why, marked, and how many axes do match."""

    reason: str
    mark: Mark
    score: int


def pattern(axes: Sequence[Any]) -> tuple[Axis, ...]:
    """The pattern, checked. Raises `ValueError` for what is no axis, and for a second `…`."""
    made = []
    for axis in axes:
        if isinstance(axis, bool) or not isinstance(axis, int | str) or axis == "":
            raise ValueError(f"an axis is a size, a name, _ or …; found {axis!r}")
        if isinstance(axis, int) and axis < 0:
            raise ValueError(f"an axis has a size of 0 or more; found {axis}: write _ for any size")
        made.append(REST if axis in ("...", REST) else int(axis) if isinstance(axis, int) else str(axis))
    if made.count(REST) > 1:
        raise ValueError(f"a shape has one … at most: the axes between two of them could belong to either in {made}")
    return tuple(made)


def paired(axes: tuple[Axis, ...], sizes: Sequence[int]) -> Iterator[tuple[int, Axis]]:
    """Each axis that is not `…` with the index of its size. The ranks must fit."""
    if REST not in axes:
        yield from enumerate(axes)
        return
    left = axes.index(REST)
    yield from enumerate(axes[:left])
    right = len(axes) - left - 1
    yield from ((len(sizes) - right + index, axis) for index, axis in enumerate(axes[left + 1 :]))


def fits(axes: tuple[Axis, ...], rank: int) -> bool:
    """Whether a tensor of this rank has an axis for each of the pattern."""
    return rank >= len(axes) - 1 if REST in axes else rank == len(axes)


def mismatch(axes: tuple[Axis, ...], sizes: Sequence[int], scope: Scope) -> Wrong | None:
    """Why `sizes` do not match; None if they do, with the names that they bind left in `scope`."""
    if not fits(axes, len(sizes)):
        least = "at least " if REST in axes else ""
        wanted = len(axes) - (REST in axes)
        reason = f"rank {len(sizes)}, not {least}{wanted}"
        found = f"[{' '.join(map(str, sizes))}]"
        return Wrong(reason, Mark(found, ((0, len(found)),), reason, f"[{' '.join(map(str, axes))}]"), 1)
    here: dict[str, list[tuple[str, int]]] = {}
    wrong: dict[int, str] = {}
    for index, axis in paired(axes, sizes):
        size = int(sizes[index])
        if isinstance(axis, int):
            if axis != size:
                wrong[index] = f"{size}, not {axis}"
        elif axis != ANY:
            if scope.names.setdefault(axis, size) != size:
                wrong[index] = _disagreement(axis, size, scope, here.get(axis, []))
            here.setdefault(axis, []).append((f"axis {index}", size))
    scope.used.append((axes, sizes, tuple(scope.at)))
    if not wrong:
        return None
    reason = "; ".join(dict.fromkeys(_told(index, text, len(sizes)) for index, text in wrong.items()))
    expected, found, ranges = _aligned(axes, sizes, tuple(wrong))
    note = "; ".join(dict.fromkeys(wrong.values()))
    return Wrong(reason, Mark(found, ranges, note, expected), 2 + len(sizes) - len(wrong))


def _told(index: int, text: str, rank: int) -> str:
    return text if " is " in text or rank == 1 else f"axis {index} is {text}"


def _disagreement(name: str, size: int, scope: Scope, here: list[tuple[str, int]]) -> str:
    """`d is 32 by weights, 10 by bias`: every place that gave the name a size, and this one."""
    places: dict[int, list[str]] = {}
    for axes, sizes, at in scope.used:
        for index, axis in paired(axes, sizes):
            if axis == name:
                places.setdefault(int(sizes[index]), []).append(".".join(map(str, at)) or f"axis {index}")
    for place, other in here:
        places.setdefault(other, []).append(place)
    first = scope.names[name]
    told = [f"{first} by {_listed(places.pop(first, ['an earlier tensor']))}"]
    told += [f"{other} by {_listed(where)}" for other, where in places.items() if other != size]
    return f"{name} is {', '.join(told)}, {size} by {'.'.join(map(str, scope.at)) if not here else 'another axis'}"


def _listed(places: list[str]) -> str:
    unique = list(dict.fromkeys(places))
    return " and ".join(unique) if len(unique) < 3 else f"{', '.join(unique[:-1])} and {unique[-1]}"


def _aligned(
    axes: tuple[Axis, ...], sizes: Sequence[int], wrong: tuple[int, ...]
) -> tuple[str, str, tuple[tuple[int, int], ...]]:
    """The pattern and the sizes one under the other, and the columns of the sizes that are wrong."""
    left = axes.index(REST) if REST in axes else len(axes)
    right = max(len(axes) - left - 1, 0)
    middle = [str(size) for size in sizes[left : len(sizes) - right]] if REST in axes else []
    cells = [(str(axis), str(size), index) for index, (axis, size) in enumerate(zip(axes[:left], sizes, strict=False))]
    if REST in axes:
        cells.append((REST, " ".join(middle), -1))
        start = len(sizes) - right
        cells += [(str(axis), str(sizes[start + i]), start + i) for i, axis in enumerate(axes[left + 1 :])]
    expected, found, ranges, column = [], [], [], 1
    for axis, size, index in cells:
        width = max(len(axis), len(size))
        if index in wrong:
            ranges.append((column, column + len(size)))
        expected.append(axis.ljust(width))
        found.append(size.ljust(width))
        column += width + 1
    return f"[{' '.join(expected).rstrip()}]", f"[{' '.join(found).rstrip()}]", tuple(ranges)
