"""What is silenced by a comment: `; mino: ignore[code]`, or `; mino: ignore` for everything; `;; mino: preview off`.

The first covers, at the end of a line, what begins on that line; on a line of its own, the whole form after it. The
second stands between forms, and no preview of its file begins by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mino_lsp.syntax import Form, Kind, Text, Tree

_MARK = "mino: ignore"
_PREVIEW_OFF = "mino: preview off"
_NEAR = 100  # nodes, such as comments, that may stand between it and its form
_COMMENT = re.compile(r";+\s*mino: ignore(?:\[([^\]]*)\])?\s*(?:$|[\s.:;—-])")


@dataclass(frozen=True, slots=True)
class Silence:
    """From `start` to `end` the codes are not reported; none named: no code is."""

    start: int
    end: int
    codes: frozenset[str]

    def covers(self, offset: int, code: str) -> bool:
        return self.start <= offset <= self.end and (not self.codes or code in self.codes)


def silences(tree: Tree, text: Text) -> list[Silence]:
    found = []
    for comment in _comments(tree, text.source, _MARK):
        told = _COMMENT.match(comment.text)
        if told is not None:
            codes = frozenset(code.strip() for code in (told.group(1) or "").split(",") if code.strip())
            found.append(Silence(*_covered(tree, text, comment), codes))
    return found


def previews_off(tree: Tree, text: Text) -> bool:
    """Whether a file says of itself that it is not to be previewed."""
    return any(
        comment.parent is None and comment.text.strip("; \t") == _PREVIEW_OFF
        for comment in _comments(tree, text.source, _PREVIEW_OFF)
    )


def _comments(tree: Tree, source: str, mark: str) -> Iterator[Form]:
    """The comments that hold a mark."""
    at = source.find(mark)
    while at >= 0:
        path = tree.path_at(at)
        if path and path[-1].kind is Kind.COMMENT:
            yield path[-1]
        at = source.find(mark, at + 1)


def _covered(tree: Tree, text: Text, comment: Form) -> tuple[int, int]:
    line = text.line_span(text.position(comment.start, "utf-32")[0])
    if text.slice(line[0], comment.start).strip():
        return line
    following = next((form for form in islice(_after(tree, comment), _NEAR) if form.is_form), None)
    return (following.start, following.end) if following is not None else line


def _after(tree: Tree, comment: Form) -> Iterator[Form]:
    """The nodes after a comment; at the top level, also the first of the next piece."""
    yield from comment.following
    if comment.parent is None:
        start, piece = tree.piece_at(comment.start)
        start, piece = tree.piece_at(start + len(piece.text))
        if start > comment.start and piece.nodes.kind:
            yield Form(piece, start, 0)
