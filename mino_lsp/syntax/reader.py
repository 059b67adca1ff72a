"""From text to pieces: each some top-level text with its nodes, so that an edit need only read the pieces it touches.

Text is cut before each ``(`` in column 0, whatever brackets are open there: a *block*. A block whose brackets match is
a piece. Where a block leaves brackets open that later ones close, as Hy allows, they are one piece together. Only
brackets that stay open or do not match are then taken by indentation, so nothing that Hy reads is ever called wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mino_lsp.syntax.nodes import Columns, Piece
from mino_lsp.syntax.scan import BRACKET_CODES, Policy, Scan

_CUT = Policy(cut=True)
_CUT_SHORT = Policy(cut=True, short=True)
_PLAIN = Policy()
# In the order of preference. The last two only make a difference where a wrong closer was met.
_LONGEST_REPAIRED = 200_000  # characters that are read more than once: an editor waits for it at each keystroke
_REPAIRS = (Policy(indent=True), Policy(indent=True, typo=True), Policy(typo=True))


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Text from one ``(`` in column 0 up to the next. ``closes`` are closers that belong to blocks before it, ``opens``
    the closers that later blocks owe it; in a ``broken`` one brackets don't even match among themselves. One that
    ``spills`` has a ``(`` in column 0 within a string, as happens when a quote before it is missing."""

    piece: Piece
    closes: tuple[str, ...]
    opens: tuple[str, ...]
    broken: bool
    unterminated: bool
    spills: bool

    @property
    def whole(self) -> bool:
        return not (self.closes or self.opens or self.broken)


def read_block(text: str, base: int, first: bool, short: bool = False) -> Block:
    """The block that starts at ``base``; its end is there plus the length of its text. Only the first of a document may
    begin with a shebang."""
    scan = Scan(text, base, _CUT_SHORT if short else _CUT, shebang=first)
    end = scan.run()
    return Block(
        _piece(scan, text[base:end]),
        tuple(scan.strays),
        tuple(scan.left_open),
        scan.broken,
        scan.unterminated,
        scan.spills,
    )


def unread(text: str) -> Block:
    """Text that is kept as it is, with nothing in it."""
    return Block(Piece(text, Columns.empty(), ()), (), (), broken=False, unterminated=False, spills=False)


def _piece(scan: Scan, text: str) -> Piece:
    return Piece(text, scan.nodes, tuple(scan.problems))


def alone(piece: Piece) -> Block:
    """A piece as a block that owes nothing to others, nor they to it, whatever is wrong in it."""
    return Block(piece, (), (), False, False, False)


def mend(text: str, first: bool) -> Piece:
    """Read text whose brackets may not match, in the way that leaves the fewest of them to complain about."""
    plain, fewest = _attempt(text, _PLAIN, first)
    if not fewest or len(text) > _LONGEST_REPAIRED:
        return _piece(plain, text)
    best = plain
    for policy in _REPAIRS if plain.broken else _REPAIRS[:1]:
        scan, count = _attempt(text, policy, first)
        if count < fewest or (count == fewest and policy.indent and best is plain):
            best, fewest = scan, count
    return _piece(best, text)


def _attempt(text: str, policy: Policy, first: bool) -> tuple[Scan, int]:
    scan = Scan(text, 0, policy, shebang=first)
    scan.run()
    return scan, sum(problem.code in BRACKET_CODES for problem in scan.problems)


def spans(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    """Of blocks that can't stand alone, in order: which, ``(first, last)``, must be read as one with all between them,
    because a bracket of the first is closed in the last."""
    owed: list[tuple[str, int, bool]] = []
    found: list[tuple[int, int]] = []
    for index, block in enumerate(blocks):
        if block.broken:
            owed.clear()
            continue
        for closer in block.closes:
            if not owed:
                break
            wanted, opened, outermost = owed.pop()
            if wanted != closer:
                owed.clear()
                break
            if outermost:
                while found and found[-1][0] >= opened:
                    found.pop()
                first = found.pop()[0] if found and found[-1][1] >= opened else opened
                found.append((first, index))
        owed.extend((closer, index, depth == 0) for depth, closer in enumerate(block.opens))
    return found
