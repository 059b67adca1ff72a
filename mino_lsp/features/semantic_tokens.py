"""Semantic tokens, as LSP counts them: five numbers a token, each relative to the token before.

What is found out of a top-level piece of text is kept as long as the piece is, so after an edit only what it touched is
painted again.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from mino_lsp.paint import paint
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Encoding
from mino_lsp.syntax.columns import units
from mino_lsp.syntax.nodes import Piece
from mino_lsp.types import Span

_LINE_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class _Painted:
    """The tokens of a piece; the first counts from the start of the piece. ``last`` is the line of the last one, and
    ``lines`` how many end in the piece."""

    numbers: array[int]
    last: int
    lines: int


@dataclass(frozen=True, slots=True)
class Delta:
    """Replace ``deleted`` numbers from ``start`` on."""

    start: int
    deleted: int
    numbers: list[int]


_known: dict[str, WeakKeyDictionary[Piece, _Painted]] = {}


def semantic_tokens(snapshot: Snapshot, encoding: Encoding, within: Span | None = None) -> list[int]:
    """The tokens of the document, or of the top-level forms that overlap a part of it."""
    if not snapshot.tree.is_read:
        return []
    known = _known.setdefault(encoding, WeakKeyDictionary())
    found = array("I")
    line = before = 0
    for start, piece in snapshot.tree.pieces():
        if within is not None and start > within.end:
            break
        painted = known.get(piece)
        if painted is None:
            painted = known[piece] = _painted(piece, encoding)
        if painted.numbers and (within is None or start + len(piece.text) >= within.start):
            place = len(found)
            found.extend(painted.numbers)
            found[place] += line - before
            before = line + painted.last
        line += painted.lines
    return found.tolist()


def delta(old: Sequence[int], new: list[int]) -> list[Delta]:
    """What turns ``old`` tokens into ``new``: one replacement between what both begin and end with."""
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    last = next((at for at in range(shorter - first) if old[-1 - at] != new[-1 - at]), shorter - first)
    if first == len(old) == len(new):
        return []
    return [Delta(first, len(old) - first - last, new[first : len(new) - last])]


def _painted(piece: Piece, encoding: Encoding) -> _Painted:
    text = piece.text
    starts = [0, *(match.end() for match in _LINE_BREAK.finditer(text))]
    plain = text.isascii() and "\r" not in text  # then each character is a unit, whatever is counted
    numbers = array("I")
    line, before_line, before_column = 0, 0, 0
    counted = column = 0  # a column is counted from the one before it: a line may be long
    for start, end, kind, modifiers in paint(piece):
        at = start
        while at < end:
            while line + 1 < len(starts) and starts[line + 1] <= at:
                line += 1
                counted, column = starts[line], 0
            stop = min(end, starts[line + 1]) if line + 1 < len(starts) else end
            if plain:
                column, length = at - starts[line], stop - at - (text[stop - 1] == "\n")
            else:
                column += units(text[counted:at], encoding)
                length = units(text[at:stop].rstrip("\r\n"), encoding)
            counted = at
            if length:
                same = line == before_line
                numbers.extend(
                    (line - before_line, column - before_column if same else column, length, kind, modifiers)
                )
                before_line, before_column = line, column
            at = stop
    return _Painted(numbers, before_line, len(starts) - 1)
