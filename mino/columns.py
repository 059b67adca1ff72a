"""Source columns of compiled Hy, corrected where they matter most: in the procedures of mus.

Hy writes the columns of its models into Python's syntax tree as they are: characters counted from 1. CPython takes
them for UTF-8 bytes counted from 0, so the caret of a traceback comes one column late, and wanders further after
text that is not ASCII. The models themselves must keep their columns: editors and macros read them. So the table of
positions in the code object of a mu's procedure is written anew when its class is made, wherever it was compiled, in
a file, a notebook or by `hy.eval`: `code.replace` is public, and the format of the table is documented (CPython,
Objects/locations.md, since 3.11). Whether it is needed is seen from a name that the macro put at column 1: it
compiles to column 1 where columns are Hy's, and to 0 where they have been corrected before, by `mino.importing`, by
a tool that compiles documents itself, or by a Hy of the future.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import types
from collections.abc import Iterable, Iterator

Position = tuple[int | None, int | None, int | None, int | None]

_NO_COLUMNS, _LONG, _NONE = 13, 14, 15
_UNITS_OF_AN_ENTRY = 8


def corrected(code: types.CodeType, canary: types.CodeType) -> types.CodeType:
    """`code` with CPython's columns; `canary` returns a name that stands at column 1 of the source."""
    *_, (_, _, column, _) = canary.co_positions()
    return _converted(code, code.co_filename, code.co_linetable) if column == 1 else code


# Code compares equal whatever its file and its positions are, so both are part of the key.
@functools.lru_cache(maxsize=1024)
def _converted(code: types.CodeType, filename: str, linetable: bytes) -> types.CodeType:
    positions = (_in_bytes(filename, position) for position in code.co_positions())
    constants = tuple(
        _converted(each, filename, each.co_linetable) if isinstance(each, types.CodeType) else each
        for each in code.co_consts
    )
    return code.replace(co_linetable=table(positions, code.co_firstlineno), co_consts=constants)


def _in_bytes(filename: str, position: Position) -> Position:
    line, end_line, column, end_column = position
    if line is None or end_line is None or not column or end_column is None:
        return position
    start = leading_bytes(linecache.getline(filename, line), column - 1)
    return line, end_line, start, leading_bytes(linecache.getline(filename, end_line), end_column)


def leading_bytes(text: str, characters: int) -> int:
    """How many bytes the first `characters` of a line have; beyond its end, as where it is not to be had, one each."""
    return characters if text.isascii() else len(text[:characters].encode()) + max(0, characters - len(text))


def table(positions: Iterable[Position], first_line: int) -> bytes:
    """The location table of a code object, from the positions of its code units, in entries of the long form."""
    entries = bytearray()
    previous = first_line
    for position, units in itertools.groupby(positions):
        length = sum(1 for _ in units)
        while length:
            size = min(length, _UNITS_OF_AN_ENTRY)
            length -= size
            line, end_line, column, end_column = position
            if line is None:
                kind, numbers = _NONE, []
            elif column is None or end_column is None or end_line is None:
                kind, numbers = _NO_COLUMNS, [_signed(line - previous)]
            else:
                kind, numbers = _LONG, [_signed(line - previous), end_line - line, column + 1, end_column + 1]
            entries.append(0x80 | kind << 3 | size - 1)
            entries.extend(itertools.chain.from_iterable(map(_varint, numbers)))
            previous = previous if line is None else line
    return bytes(entries)


def _signed(number: int) -> int:
    return -number << 1 | 1 if number < 0 else number << 1


def _varint(number: int) -> Iterator[int]:
    """Six bits a byte, the lowest first; bit 6 says that more follow."""
    while number >= 64:
        yield 0x40 | number & 0x3F
        number >>= 6
    yield number
