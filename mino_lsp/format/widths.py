"""Columns as an editor shows them: wide characters take two, combining ones none, a tab goes to the next eighth."""

from __future__ import annotations

import unicodedata

_TAB = 8
_NO_WIDTH = frozenset({"Mn", "Me", "Cf"})


def advance(column: int, text: str) -> int:
    """The column after ``text``, which has no line break, if it begins at ``column``."""
    if text.isascii() and "\t" not in text:
        return column + len(text)
    for character in text:
        column += _TAB - column % _TAB if character == "\t" else _width(character)
    return column


def _width(character: str) -> int:
    if character < "\x80":
        return 1
    if unicodedata.category(character) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
