"""The text of a document with its line index, as an immutable value.

Offsets are code points of the Python ``str``. A line ends at ``\\n``, ``\\r\\n`` or ``\\r``, as LSP says, and at
nothing else: a form feed or U+2028 is a character like any other. The text is kept in chunks of whole lines, so that
an edit costs the chunk that it touches and a sum over the chunks, however long the document is.
"""

import re
from bisect import bisect_right
from itertools import accumulate

from mino_lsp.syntax.columns import Encoding, code_points, units

_LINE_END = re.compile(r"\r\n|\n|\r")
_CHUNK = 4096
_MARK = 512


class _Chunk:
    """Whole lines: their text, where each starts in it, and how many of the line ends are a lone ``\\r``. In a
    ``plain`` one a column is a difference of offsets, whatever is counted; in the others, marks tell how many units
    there are up to each of some places, so that a place far into a long line costs no more than another."""

    __slots__ = ("_marks", "lines", "lone_returns", "plain", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = [0, *(match.end() for match in _LINE_END.finditer(text))]
        if text and text[-1] in "\r\n":
            self.lines.pop()
        self.lone_returns = text.count("\r") - text.count("\r\n")
        self.plain = text.isascii() and "\r" not in text
        self._marks: dict[Encoding, list[int]] = {}

    def _marked(self, encoding: Encoding) -> list[int]:
        marks = self._marks.get(encoding)
        if marks is None:
            parts = (units(self.text[at : at + _MARK], encoding) for at in range(0, len(self.text), _MARK))
            marks = self._marks[encoding] = list(accumulate(parts, initial=0))
        return marks

    def units(self, end: int, encoding: Encoding) -> int:
        """How many code units the text up to ``end`` takes."""
        at = end // _MARK
        return self._marked(encoding)[at] + units(self.text[at * _MARK : end], encoding)

    def code_points(self, count: int, encoding: Encoding) -> int:
        """How many whole characters of the text fit in its first ``count`` code units."""
        marks = self._marked(encoding)
        at = bisect_right(marks, count) - 1
        part = self.text[at * _MARK : (at + 1) * _MARK]
        return min(at * _MARK, len(self.text)) + code_points(part, count - marks[at], encoding)


def _chunks(text: str) -> list[_Chunk]:
    """Cut ``text`` after line ends into pieces of about ``_CHUNK`` characters; never within ``\\r\\n``."""
    pieces = []
    start = 0
    while len(text) - start > 2 * _CHUNK:
        match = _LINE_END.search(text, start + _CHUNK)
        if match is None:
            break
        pieces.append(_Chunk(text[start : match.end()]))
        start = match.end()
    if start < len(text):
        pieces.append(_Chunk(text[start:]))
    return pieces


class Text:
    """A document's text. ``Text(source)``; every method clamps what is out of range and none raises."""

    __slots__ = ("_chunks", "_length", "_lines", "_newlines", "_source", "_starts", "line_count")

    def __init__(self, source: str = "") -> None:
        self._set(_chunks(source), source)

    def _set(self, chunks: list[_Chunk], source: str | None) -> None:
        self._chunks = chunks
        self._source = source
        self._starts = list(accumulate((len(chunk.text) for chunk in chunks), initial=0))
        self._lines = list(accumulate((len(chunk.lines) for chunk in chunks), initial=0))
        self._length = self._starts[-1]
        self._newlines: list[int] | None = None
        ends_open = not chunks or chunks[-1].text[-1] in "\r\n"
        self.line_count = self._lines[-1] + (1 if ends_open else 0)

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"<Text of {self._length} characters, {self.line_count} lines>"

    @property
    def source(self) -> str:
        """The whole text; joined on first use."""
        if self._source is None:
            self._source = "".join([chunk.text for chunk in self._chunks])
        return self._source

    def slice(self, start: int, end: int) -> str:
        """The characters from ``start`` to ``end``, without joining the rest."""
        start, end = max(start, 0), min(end, self._length)
        if start >= end:
            return ""
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1) - 1
        joined = "".join([chunk.text for chunk in self._chunks[first : last + 1]])
        base = self._starts[first]
        return joined[start - base : end - base]

    # Lines

    def _line_start(self, line: int) -> int:
        """Where a line starts; the end of the text for the lines past the last one."""
        if line >= self._lines[-1]:
            return self._length
        index = bisect_right(self._lines, line) - 1
        return self._starts[index] + self._chunks[index].lines[line - self._lines[index]]

    def _line_at(self, offset: int) -> int:
        if offset >= self._length:
            return self.line_count - 1
        index = bisect_right(self._starts, offset) - 1
        return self._lines[index] + bisect_right(self._chunks[index].lines, offset - self._starts[index]) - 1

    def line_span(self, line: int) -> tuple[int, int]:
        """Where a line starts and where it ends before its line ending."""
        start, end = self._line_start(max(line, 0)), self._line_start(max(line, 0) + 1)
        ending = self.slice(max(start, end - 2), end)
        if ending.endswith("\r\n"):
            return start, end - 2
        return start, end - 1 if ending.endswith(("\n", "\r")) else end

    # Positions of LSP

    def position(self, offset: int, encoding: Encoding = "utf-16") -> tuple[int, int]:
        """The line and character of an offset; one within a ``\\r\\n`` counts as before it."""
        offset = min(max(offset, 0), self._length)
        if offset == self._length and self._lines[-1] < self.line_count:
            return self._lines[-1], 0
        index = bisect_right(self._starts, min(offset, self._length - 1)) - 1
        chunk, at = self._chunks[index], offset - self._starts[index]
        line = bisect_right(chunk.lines, at) - 1
        start = chunk.lines[line]
        if chunk.plain:
            return self._lines[index] + line, at - start
        at -= chunk.text[at - 1 : at + 1] == "\r\n"
        return self._lines[index] + line, chunk.units(at, encoding) - chunk.units(start, encoding)

    def offset(self, line: int, character: int, encoding: Encoding = "utf-16") -> int:
        """The offset of a position. Too long a column is the end of its line, a line past the end the end of the
        document, and a place within a character the start of that character."""
        if line < 0:
            return 0
        if line >= self.line_count:
            return self._length
        start, end = self.line_span(line)
        if encoding == "utf-32" or start == end:
            return min(start + max(character, 0), end)
        index = bisect_right(self._starts, start) - 1
        chunk, base = self._chunks[index], self._starts[index]
        before = chunk.units(start - base, encoding)
        return min(base + chunk.code_points(before + max(character, 0), encoding), end)

    # Positions of Hy: 1-based, in code points, and only "\n" ends a line

    def hy_offset(self, line: int, column: int) -> int:
        """The offset of a position of Hy's reader (the start of that character)."""
        starts = self._hy_lines()
        if line < 1:
            return 0
        if starts is None:
            start, beyond = (self._line_start(line - 1), self._line_start(line))
        elif line > len(starts):
            return self._length
        else:
            start, beyond = starts[line - 1], starts[line] if line < len(starts) else self._length
        return min(max(start + column - 1, start), beyond)

    def hy_position(self, offset: int) -> tuple[int, int]:
        """The line and column that Hy's reader gives to the character at an offset."""
        offset = min(max(offset, 0), self._length)
        starts = self._hy_lines()
        if starts is None:
            line = self._line_at(offset)
            return line + 1, offset - self._line_start(line) + 1
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def _hy_lines(self) -> list[int] | None:
        """The line starts as Hy counts them, or None where they are the same as ours (no lone ``\\r``)."""
        if self._newlines is None:
            if not any(chunk.lone_returns for chunk in self._chunks):
                return None
            self._newlines = [0, *(match.end() for match in re.finditer("\n", self.source))]
        return self._newlines

    # Change

    def edit(self, start: int, end: int, new: str) -> "Text":
        """The text with ``start`` to ``end`` replaced by ``new``."""
        start = min(max(start, 0), self._length)
        end = min(max(end, start), self._length)
        if not self._chunks:
            return Text(new)
        # Together with the chunk before, whose last line ending may change, and up to the end of the one it ends in.
        first = max(bisect_right(self._starts, start) - 2, 0)
        last = max(bisect_right(self._starts, end) - 1, first)
        base = self._starts[first]
        local = "".join([chunk.text for chunk in self._chunks[first : last + 1]])
        local = local[: start - base] + new + local[end - base :]
        changed = Text.__new__(Text)
        changed._set([*self._chunks[:first], *_chunks(local), *self._chunks[last + 1 :]], None)
        return changed
