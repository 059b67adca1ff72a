"""The tolerant tree of a Hy document: reading never fails, and an edit reads again only the top-level text it
touches."""

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from mino_lsp.syntax.form import Form
from mino_lsp.syntax.kinds import CODES, Kind, SyntaxProblem
from mino_lsp.syntax.nodes import Columns, Piece
from mino_lsp.syntax.reader import Block, mend, read_blocks, spans


class Tree:
    """An immutable tree. Make one with ``read`` and its successors with ``edit``."""

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        self._pieces = _pieces(blocks)
        self._starts = list(accumulate((len(piece.text) for piece in self._pieces), initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    @cached_property
    def source(self) -> str:
        """The text that was read: printing is the inverse of reading."""
        return "".join([piece.text for piece in self._pieces])

    @property
    def forms(self) -> Iterator[Form]:
        """The top-level forms in order: no comments, discards or white space."""
        return (form for form in self._roots() if form.is_form)

    @property
    def nodes(self) -> Iterator[Form]:
        """Everything at the top level, comments and white space included, without a gap."""
        end = 0
        for form in self._roots():
            if form.start > end:
                yield self._space(end, form.start)
            yield form
            end = form.end
        if end < len(self):
            yield self._space(end, len(self))

    def _roots(self) -> Iterator[Form]:
        for piece, base in zip(self._pieces, self._starts, strict=False):
            for index in piece.nodes.children(-1):
                yield Form(piece, base, index)

    def _space(self, start: int, end: int) -> Form:
        nodes = Columns.empty()
        nodes.add(CODES[Kind.WHITESPACE], 0, end - start, -1)
        return Form(Piece(self.text(start, end), nodes, ()), start, 0)

    @cached_property
    def problems(self) -> tuple[SyntaxProblem, ...]:
        """What Hy's reader would refuse, in the order of the text."""
        return tuple(
            problem.shifted(base)
            for piece, base in zip(self._pieces, self._starts, strict=False)
            for problem in piece.problems
        )

    def walk(self) -> Iterator[tuple[int, int, Form]]:
        """``(start, end, form)`` of every node but white space, in the order of the text."""
        for piece, base in zip(self._pieces, self._starts, strict=False):
            nodes = piece.nodes
            for index, (start, end) in enumerate(zip(nodes.start, nodes.end, strict=True)):
                yield base + start, base + end, Form(piece, base, index)

    def text(self, start: int | Form, end: int | None = None) -> str:
        """The text of a form, or from one offset to another."""
        if isinstance(start, Form):
            return start.text
        return self.source[start:end]

    def path_at(self, offset: int) -> tuple[Form, ...]:
        """The nodes around an offset, outermost first; empty between top-level forms. Where one node ends and another
        starts, the one that starts."""
        offset = min(max(offset, 0), len(self))
        for at in dict.fromkeys((bisect_right(self._starts, offset) - 1, bisect_right(self._starts, offset - 1) - 1)):
            if 0 <= at < len(self._pieces):
                path = _path(self._pieces[at], self._starts[at], offset)
                if path:
                    return path
        return ()

    def form_at(self, offset: int) -> Form | None:
        """The innermost node at an offset, as ``path_at`` finds it."""
        path = self.path_at(offset)
        return path[-1] if path else None

    def edit(self, start: int, end: int, new: str) -> "Tree":
        """The tree of the text with ``start`` to ``end`` replaced by ``new``."""
        start = min(max(start, 0), len(self))
        end = min(max(end, start), len(self))
        return read(self.source[:start] + new + self.source[end:])


def read(source: str) -> Tree:
    """The tree of any text at all."""
    return Tree(list(read_blocks(source)))


def _pieces(blocks: list[Block]) -> list[Piece]:
    pieces: list[Piece] = []
    done = 0
    joined = dict(spans(blocks))
    for index, block in enumerate(blocks):
        if index < done:
            continue
        last = joined.get(index, index)
        if last == index and block.whole:
            pieces.append(block.piece)
        else:
            pieces.append(mend("".join([part.piece.text for part in blocks[index : last + 1]])))
        done = last + 1
    return pieces


def _path(piece: Piece, base: int, offset: int) -> tuple[Form, ...]:
    """The path in one piece: the last node that starts at or before the offset, or what of its parents still holds
    it."""
    nodes, at = piece.nodes, offset - base
    index = bisect_right(nodes.start, at) - 1
    while index >= 0 and nodes.end[index] < at:
        index = nodes.parent[index]
    path = []
    while index >= 0:
        path.append(Form(piece, base, index))
        index = nodes.parent[index]
    return tuple(reversed(path))

