"""Which texts of a form read alike, and where what stands in one of them stands in the other.

Two texts read alike where they differ in white space and comments only. What a reader macro reads is its own affair, so
a text with one in it is like no other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

from mino_lsp.format.tokens import Role, tokens
from mino_lsp.syntax import read
from mino_lsp.types import Span


@dataclass(frozen=True, slots=True)
class _Code:
    """The tokens of a text: what they are, and where each starts and ends. Strings of any kind are one token."""

    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


@lru_cache(256)
def _code(text: str) -> _Code:
    tree = read(text)
    found = [
        (token.role, base + token.start, base + token.end)
        for base, piece in tree.pieces()
        for token in tokens(piece)
        if token.role not in (Role.COMMENT, Role.END)
    ]
    if tree.problems or not tree.is_read or any(role is Role.OPAQUE for role, _, _ in found):
        return _Code((text,), (0,), (len(text),))
    _, starts, ends = zip(*found, strict=True)
    return _Code(tuple(text[start:end] for start, end in zip(starts, ends, strict=True)), starts, ends)


def alike(one: str, other: str) -> bool:
    """Whether two texts of a form read alike."""
    return one == other or _code(one).words == _code(other).words


def relocated(span: Span, one: str, other: str) -> Span:
    """Where what stands at a span of one text stands in another that reads alike. The start of a span lies in a token,
    and so does its last character."""
    if one == other:
        return span
    old, new = _code(one), _code(other)
    first = max(bisect_right(old.starts, span.start) - 1, 0)
    last = max(bisect_left(old.starts, span.end) - 1, first)

    def place(index: int, offset: int) -> int:
        return new.starts[index] + min(offset, old.ends[index]) - old.starts[index]

    return Span(place(first, span.start), place(last, span.end))


class Form:
    """The text of a form, equal to those that read alike."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and alike(self.text, other.text)

    def __hash__(self) -> int:
        return hash(_code(self.text).words)
