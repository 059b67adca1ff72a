"""A document's text and Hy's places in it.

Hy's reader counts lines at "\\n" only, and lines and columns from 1, in characters, the last column inclusive. The wire
wants offsets; CPython wants columns from 0, in UTF-8 bytes, the last exclusive.
"""

from __future__ import annotations

import ast
import itertools
import types
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from mino_lsp.types import Span


class Source:
    """One text, and the conversions between its offsets, Hy's positions and CPython's.

    Spans are offsets in the text, counted from `base`: so those of the several files of one evaluation never meet.
    """

    def __init__(self, text: str, path: str, base: int = 0) -> None:
        self.text = text
        self.path = path
        self.base = base
        self._starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
        self._ascii = text.isascii()

    def offset(self, line: int, column: int) -> int:
        """The offset of Hy's `line` and `column`, both from 1."""
        line = min(max(line, 1), len(self._starts))
        return min(self._starts[line - 1] + max(column, 1) - 1, len(self.text))

    def span(self, model: Any) -> Span:
        """Where the reader found `model`."""
        return self.between(model.start_line, model.start_column, model.end_line, model.end_column + 1)

    def between(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """The span between two of Hy's positions, the end exclusive."""
        return Span(self.offset(line, column), self.offset(end_line, end_column)).shift(self.base)

    def holds(self, span: Span) -> bool:
        """Whether a span is one of this text."""
        return self.base <= span.start <= span.end <= self.base + len(self.text)

    def blanked(self, start: int) -> str:
        """The text with nothing before `start`, in the same places."""
        line = self.line(start)
        return "\n" * (line - 1) + " " * (start - self._starts[line - 1]) + self.text[start:]

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect_right(self._starts, offset)

    def _bytes(self, line: int, characters: int) -> int:
        start = self._starts[line - 1]
        text = self.text[start : start + characters]
        return characters if self._ascii else len(text.encode("utf-8", "surrogatepass"))

    def node_span(self, node: ast.expr | ast.stmt | ast.arg) -> Span:
        """The span of a node as Hy's compiler left it; an empty one for a node without a place."""
        end_line = node.end_lineno or node.lineno
        end_column = node.end_col_offset if node.end_col_offset is not None else node.col_offset
        if node.lineno == node.col_offset == end_line == end_column == 1:
            return Span(0, 0)  # what Hy says of a form that was built without positions
        return self.between(node.lineno, node.col_offset, end_line, end_column + 1)

    def correct(self, tree: ast.AST) -> None:
        """Turn the positions that Hy wrote into those that CPython prints carets from, in place."""
        lines = len(self._starts)
        for node in ast.walk(tree):
            if not isinstance(node, (ast.expr, ast.stmt, ast.arg, ast.keyword, ast.excepthandler, ast.alias)):
                continue
            if 1 <= node.lineno <= lines:
                node.col_offset = self._bytes(node.lineno, max(node.col_offset - 1, 0))
            if node.end_lineno is not None and node.end_col_offset is not None and 1 <= node.end_lineno <= lines:
                node.end_col_offset = self._bytes(node.end_lineno, node.end_col_offset)

    def code_span(self, line: int, end_line: int, column: int, end_column: int) -> Span:
        """The span of a code position of CPython's, which counts bytes."""

        def characters(number: int, count: int) -> int:
            start = self._starts[min(number, len(self._starts)) - 1]
            if self._ascii:
                return start + count
            end = self.text.find("\n", start)
            whole = self.text[start : end if end >= 0 else None].encode("utf-8", "surrogatepass")
            # Bytes that continue a character begin with 10; a lone surrogate has three bytes and is no text to decode.
            return start + sum(byte & 0xC0 != 0x80 for byte in whole[:count])

        return Span(characters(line, column), characters(end_line, end_column)).shift(self.base)

    def frame_span(self, frame: types.FrameType, instruction: int | None = None) -> Span | None:
        """Where a frame of this text is, or was at an instruction."""
        wanted = (frame.f_lasti if instruction is None else instruction) // 2
        position = next(itertools.islice(frame.f_code.co_positions(), wanted, None), (None,) * 4)
        line, end_line, column, end_column = position
        if line is None or end_line is None or column is None or end_column is None:
            return None
        return self.code_span(line, end_line, column, end_column)


@dataclass(frozen=True, slots=True)
class Trace:
    """The frames of a traceback, or of a warning: the innermost that is the document's, and those below it."""

    frame: types.FrameType | None
    below: tuple[types.FrameType, ...]


class Sources:
    """The texts of one evaluation: the document, and what it imported from its workspace."""

    _APART = 1 << 32
    """No text is longer."""

    def __init__(self, document: Source) -> None:
        self._all = [document]

    def add(self, text: str, path: str) -> Source:
        """A file that is being imported."""
        self._all.append(Source(text, path, len(self._all) * self._APART))
        return self._all[-1]

    def edit(self, document: Source) -> None:
        """The document has another text, below what was evaluated."""
        self._all[0] = document

    def of_path(self, path: str) -> Source | None:
        """The text that was evaluated last under a path."""
        return next((source for source in reversed(self._all) if source.path == path), None)

    def of_span(self, span: Span) -> Source:
        """The text that a span lies in."""
        return self._all[span.start // self._APART]
