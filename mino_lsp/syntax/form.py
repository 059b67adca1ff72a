"""A form at its place in the document: what features look at."""

from collections.abc import Iterator

from mino_lsp.syntax.kinds import KINDS, PREFIXES, SEQUENCES, TRIVIA, Kind
from mino_lsp.syntax.nodes import Piece


class Form:
    """A node of the tree with absolute offsets. A light view, made when asked for; equal where piece, place and node
    are.

    ``start`` and ``end`` are code-point offsets into the document. ``children`` are all nodes right below, comments and
    discards included; ``forms`` only those that Hy would see there.
    """

    __slots__ = ("_base", "_index", "_piece")

    def __init__(self, piece: Piece, base: int, index: int) -> None:
        self._piece, self._base, self._index = piece, base, index

    @property
    def kind(self) -> Kind:
        return KINDS[self._piece.nodes.kind[self._index]]

    @property
    def start(self) -> int:
        return self._base + self._piece.nodes.start[self._index]

    @property
    def end(self) -> int:
        return self._base + self._piece.nodes.end[self._index]

    @property
    def text(self) -> str:
        nodes = self._piece.nodes
        return self._piece.text[nodes.start[self._index] : nodes.end[self._index]]

    @property
    def parent(self) -> "Form | None":
        above = self._piece.nodes.parent[self._index]
        return None if above < 0 else Form(self._piece, self._base, above)

    @property
    def ancestors(self) -> Iterator["Form"]:
        """The forms around this one, innermost first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def following(self) -> Iterator["Form"]:
        """The nodes after this one that have the same parent; of one at the top level, those of its piece."""
        nodes = self._piece.nodes
        above, at = nodes.parent[self._index], nodes.stop[self._index]
        stop = nodes.stop[above] if above >= 0 else len(nodes.stop)
        while at < stop:
            yield Form(self._piece, self._base, at)
            at = nodes.stop[at]

    @property
    def children(self) -> tuple["Form", ...]:
        return tuple(Form(self._piece, self._base, child) for child in self._piece.nodes.children(self._index))

    @property
    def forms(self) -> tuple["Form", ...]:
        return tuple(child for child in self.children if child.kind not in TRIVIA)

    @property
    def head(self) -> "Form | None":
        """The first form in a list; None for anything else."""
        if self.kind is Kind.LIST:
            for child in self._piece.nodes.children(self._index):
                form = Form(self._piece, self._base, child)
                if form.kind not in TRIVIA:
                    return form
        return None

    @property
    def head_name(self) -> str:
        """The text of the head where it is a symbol, else ``""``: ``(-> x f)`` has ``"->"``."""
        head = self.head
        return head.text if head is not None and head.kind is Kind.SYMBOL else ""

    @property
    def is_sequence(self) -> bool:
        return self.kind in SEQUENCES

    @property
    def is_prefix(self) -> bool:
        return self.kind in PREFIXES

    @property
    def is_form(self) -> bool:
        """Whether Hy sees a form here: not for comments, discards and errors."""
        return self.kind not in TRIVIA

    def walk(self) -> Iterator["Form"]:
        """This form and everything in it, in the order of the text."""
        for index in self.extent:
            yield Form(self._piece, self._base, index)

    @property
    def extent(self) -> range:
        """The numbers in its piece of this form and everything in it."""
        return range(self._index, self._piece.nodes.stop[self._index])

    def contains(self, offset: int) -> bool:
        return self.start <= offset <= self.end

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Form):
            return NotImplemented
        return self._piece is other._piece and self._base == other._base and self._index == other._index

    def __hash__(self) -> int:
        return hash((id(self._piece), self._base, self._index))

    def __repr__(self) -> str:
        text = self.text
        return f"<{self.kind.name} {self.start}..{self.end} {text if len(text) < 40 else text[:37] + '...'!r}>"
