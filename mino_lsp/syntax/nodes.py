"""The nodes of a piece of text, in flat columns.

A node is an index; its subtree is ``index … stop[index] - 1``, in the order of the text. Flat columns are small, quick
to compare and to walk, and cannot exhaust the stack however deep the text is nested. Offsets are relative to the
piece, so a piece that an edit leaves alone is shared by the trees before and after it.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Generic, TypeVar

from mino_lsp.syntax.kinds import SyntaxProblem


@dataclass(slots=True, eq=False)
class Columns:
    """What the reader fills and nobody changes afterwards."""

    kind: "array[int]"
    start: "array[int]"
    end: "array[int]"
    parent: "array[int]"  # -1 at the top
    stop: "array[int]"

    @staticmethod
    def empty() -> "Columns":
        return Columns(array("b"), array("i"), array("i"), array("i"), array("i"))

    def add(self, kind: int, start: int, end: int, parent: int) -> int:
        index = len(self.kind)
        self.kind.append(kind)
        self.start.append(start)
        self.end.append(end)
        self.parent.append(parent)
        self.stop.append(index + 1)
        return index

    def children(self, index: int) -> list[int]:
        """The nodes right below one, or the top ones for -1."""
        found = []
        child, stop = index + 1, self.stop[index] if index >= 0 else len(self.stop)
        while child < stop:
            found.append(child)
            child = self.stop[child]
        return found

    def same(self, other: "Columns") -> bool:
        return (
            self.kind == other.kind
            and self.start == other.start
            and self.end == other.end
            and self.parent == other.parent
        )


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Piece:
    """Some text that starts at a top-level form, with its nodes and problems; everything relative to its start. What is
    found out of it may be kept beside it by a weak reference, or `Within` it."""

    text: str
    nodes: Columns
    problems: tuple[SyntaxProblem, ...]
    kept: "dict[Within[Any], Any]" = field(default_factory=dict, init=False, repr=False)

    def same(self, other: "Piece") -> bool:
        return self.text == other.text and self.nodes.same(other.nodes) and self.problems == other.problems


Value = TypeVar("Value")


class Within(Generic[Value]):
    """What is found out of pieces or runs and is kept in them: where it leads back to its piece, as a form does, a
    `WeakKeyDictionary` would hold both for ever."""

    def get(self, one: "Piece | Run") -> Value | None:
        found: Value | None = one.kept.get(self)
        return found

    def __setitem__(self, one: "Piece | Run", value: Value) -> None:
        one.kept[self] = value


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Run:
    """Pieces in a row, some dozens of them, and where each starts in the run. Where an edit leaves all of them alone,
    the trees before and after it share the run, so what is found out of it may be kept beside it as well."""

    starts: tuple[int, ...]
    pieces: tuple[Piece, ...]
    length: int
    kept: "dict[Within[Any], Any]" = field(default_factory=dict, init=False, repr=False)

    @staticmethod
    def of(pieces: Sequence[Piece]) -> "Run":
        *starts, length = accumulate((len(piece.text) for piece in pieces), initial=0)
        return Run(tuple(starts), tuple(pieces), length)
