"""A piece of text as a row of tokens: what a formatter moves about. Strings of any kind are one token each."""

from __future__ import annotations

from collections.abc import Iterator, Set
from enum import IntEnum
from typing import NamedTuple

from mino_lsp.syntax.kinds import CODES, KINDS, PREFIXES, SEQUENCES, Kind
from mino_lsp.syntax.nodes import Piece


class Role(IntEnum):
    ATOM = 0
    OPEN = 1
    CLOSE = 2
    MARK = 3  # a prefix, such as a quote
    END = 4  # of a prefix: no text
    COMMENT = 5
    OPAQUE = 6  # a reader macro: what follows is its own affair


class Token(NamedTuple):
    """``start`` and ``end`` are relative to the piece."""

    role: Role
    start: int
    end: int
    kind: Kind


_SEQUENCES = frozenset(CODES[kind] for kind in SEQUENCES)
_PREFIXES = frozenset(CODES[kind] for kind in PREFIXES)
_FSTRING = CODES[Kind.FSTRING]
_ROLES = {Kind.COMMENT: Role.COMMENT, Kind.READER_MACRO: Role.OPAQUE}


def tokens(piece: Piece, unclosed: Set[int] = frozenset()) -> Iterator[Token]:
    """The tokens in order. ``unclosed`` are the starts of the brackets that have no closer."""
    nodes = piece.nodes
    kinds, starts, ends, stops = nodes.kind, nodes.start, nodes.end, nodes.stop
    open_: list[int] = []
    index, count = 0, len(kinds)
    while index < count or open_:
        if open_ and (index >= stops[open_[-1]]):
            last = open_.pop()
            kind = KINDS[kinds[last]]
            if kinds[last] in _PREFIXES:
                yield Token(Role.END, ends[last], ends[last], kind)
            else:
                closer = 0 if starts[last] in unclosed else 1
                yield Token(Role.CLOSE, ends[last] - closer, ends[last], kind)
            continue
        code, start = kinds[index], starts[index]
        kind = KINDS[code]
        if code in _SEQUENCES or code in _PREFIXES:
            yield Token(Role.OPEN if code in _SEQUENCES else Role.MARK, start, start + len(kind.value), kind)
            open_.append(index)
            index += 1
        else:
            yield Token(_ROLES.get(kind, Role.ATOM), start, ends[index], kind)
            index = stops[index] if code == _FSTRING else index + 1
