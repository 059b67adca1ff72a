"""The tolerant tree of a Hy document: reading never fails, and an edit reads again only the top-level text it
touches."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter, itemgetter

from mino_lsp.syntax.blocks import Blocks
from mino_lsp.syntax.form import Form
from mino_lsp.syntax.kinds import CODES, LONGEST, Kind, SyntaxProblem
from mino_lsp.syntax.nodes import Columns, Piece, Run
from mino_lsp.syntax.reader import Block, alone, mend, spans


class Tree:
    """An immutable tree. Make one with ``read`` and its successors with ``edit``."""

    def __init__(self, blocks: Blocks, before: "Tree | None" = None) -> None:
        self._exact = blocks
        self._blocks: Blocks = blocks.mended(before._blocks if before is not None else None)
        self._mended: dict[_Key, _Mended] = _mend(self._blocks, before._mended if before is not None else {})
        self._by_start = {mended.start: mended for mended in self._mended.values()}
        # Runs with text that was mended: those of before until `runs` makes its own.
        self._odd_runs: dict[tuple[Piece, ...], Run] = before._odd_runs if before is not None else {}

    def __len__(self) -> int:
        return self._blocks.length

    @property
    def is_read(self) -> bool:
        """Whether it was read; a text that is too long is one piece with nothing in it."""
        return len(self) <= LONGEST

    @cached_property
    def source(self) -> str:
        """The text that was read: printing is the inverse of reading."""
        return "".join([block.piece.text for _, block in self._blocks])

    def pieces(self) -> Iterator[tuple[int, Piece]]:
        """The top-level text in pieces, each after its offset. A piece that an edit leaves alone is the same object in
        the tree after it, so what was computed from a piece can be kept beside it."""
        for base, run in self.runs:
            for start, piece in zip(run.starts, run.pieces, strict=True):
                yield base + start, piece

    @cached_property
    def runs(self) -> list[tuple[int, Run]]:
        """The pieces by the dozen: after an edit, all runs but one or two are those of before, so that what was found
        out of a whole document is put together in a few steps."""
        known, self._odd_runs = self._odd_runs, {}
        mended = sorted(self._mended.values(), key=attrgetter("start"))
        found: list[tuple[int, Run]] = []
        done = 0
        for base, group in self._blocks.groups():
            first = bisect_right(mended, base, key=attrgetter("end"))
            end = base + group.length
            if first == len(mended) or mended[first].start >= end:
                found.append((base, group.run))
                continue
            begin, pieces = max(base, done), []
            for start, block in zip(group.starts, group.blocks, strict=True):
                if base + start >= done:
                    odd = self._by_start.get(base + start)
                    piece = odd.piece if odd is not None else block.piece
                    pieces.append(piece)
                    done = base + start + len(piece.text)
            if pieces:
                key = tuple(pieces)
                run = self._odd_runs[key] = known.get(key) or Run.of(key)
                found.append((begin, run))
        return found

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
        for base, piece in self.pieces():
            for index in piece.nodes.children(-1):
                yield Form(piece, base, index)

    def _space(self, start: int, end: int) -> Form:
        nodes = Columns.empty()
        nodes.add(CODES[Kind.WHITESPACE], 0, end - start, -1)
        return Form(Piece(self.text(start, end), nodes, ()), start, 0)

    @cached_property
    def problems(self) -> tuple[SyntaxProblem, ...]:
        """What Hy's reader would refuse, in the order of the text."""
        places = [(start, block.piece) for start, block in self._blocks.troubled()]
        places = [(start, piece) for start, piece in places if self._mended_at(start) is None]
        places += [(mended.start, mended.piece) for mended in self._mended.values() if mended.piece.problems]
        places.sort(key=itemgetter(0))
        return tuple(problem.shifted(start) for start, piece in places for problem in piece.problems)

    def walk(self) -> Iterator[tuple[int, int, Form]]:
        """``(start, end, form)`` of every node but white space, in the order of the text."""
        for base, piece in self.pieces():
            nodes = piece.nodes
            for index, (start, end) in enumerate(zip(nodes.start, nodes.end, strict=True)):
                yield base + start, base + end, Form(piece, base, index)

    def text(self, start: int | Form, end: int | None = None) -> str:
        """The text of a form, or from one offset to another."""
        if isinstance(start, Form):
            return start.text
        return self._blocks.slice(start, len(self) if end is None else end)

    def path_at(self, offset: int) -> tuple[Form, ...]:
        """The nodes around an offset, outermost first; empty between top-level forms. Where one node ends and another
        starts, the one that starts."""
        offset = min(max(offset, 0), len(self))
        start, piece = self.piece_at(min(offset, len(self) - 1))
        return _path(piece, start, offset)

    def piece_at(self, offset: int) -> tuple[int, Piece]:
        """The piece that holds the character at an offset, after its own."""
        mended = self._mended_at(offset)
        if mended is not None:
            return mended.start, mended.piece
        for start, block in self._blocks.since(offset):
            return start, block.piece
        return 0, _NOTHING

    def _mended_at(self, offset: int) -> "_Mended | None":
        if not self._mended:
            return None
        at = bisect_right(self._mended_starts, offset) - 1
        found = self._by_start[self._mended_starts[at]] if at >= 0 else None
        return found if found is not None and offset < found.end else None

    @cached_property
    def _mended_starts(self) -> list[int]:
        return sorted(self._by_start)

    def form_at(self, offset: int) -> Form | None:
        """The innermost node at an offset, as ``path_at`` finds it."""
        path = self.path_at(offset)
        return path[-1] if path else None

    def edit(self, start: int, end: int, new: str) -> "Tree":
        """The tree of the text with ``start`` to ``end`` replaced by ``new``."""
        start = min(max(start, 0), len(self))
        end = min(max(end, start), len(self))
        return Tree(self._exact.edit(start, end, new, self._blocks), self)

    @cached_property
    def sealed(self) -> Blocks:
        """The pieces as blocks that nothing around them can change."""
        return Blocks.of([alone(piece) for _, piece in self.pieces()])

    def same(self, other: "Tree") -> bool:
        """Whether two trees are equal in every node, offset and problem."""
        mine, others = list(self.pieces()), list(other.pieces())
        return len(mine) == len(others) and all(
            base == start and (piece is twin or piece.same(twin))
            for (base, piece), (start, twin) in zip(mine, others, strict=True)
        )


def read(source: str) -> Tree:
    """The tree of any text at all; of one that is too long, a tree with nothing in it."""
    return Tree(Blocks.read(source))


def joined(trees: Iterable[Tree]) -> Tree:
    """The tree of several texts, one after the other, each read by itself: what is wrong in one reaches into no other.
    A tree may stand there once."""
    return Tree(Blocks.joined(tree.sealed for tree in trees))


_NOTHING = Piece("", Columns.empty(), ())


@dataclass(frozen=True, slots=True)
class _Mended:
    """Blocks that can't stand alone, read together."""

    start: int
    end: int
    piece: Piece


_Key = tuple[bool, tuple[Block, ...]]


def _mend(blocks: Blocks, known: dict[_Key, _Mended]) -> dict[_Key, _Mended]:
    """Read together what can't stand alone, by which blocks and whether they begin the document; ``known`` is kept."""
    odd = list(blocks.odd())
    joined = dict(spans([block for _, block in odd]))
    found: dict[_Key, _Mended] = {}
    index = 0
    while index < len(odd):
        start, last = odd[index][0], joined.get(index, index)
        end = odd[last][0] + len(odd[last][1].piece.text)
        index = last + 1
        together = tuple(blocks.between(start, end))
        key = (start == 0, together)
        old = known.get(key)
        piece = mend("".join([block.piece.text for block in together]), start == 0) if old is None else old.piece
        found[key] = _Mended(start, end, piece)
    return found


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
