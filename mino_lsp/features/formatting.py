"""Formatting: of the document, of the lines of a range, and of the line that a line break begins."""

from __future__ import annotations

from mino_lsp import format as formatter
from mino_lsp.format import Edit
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Span


def format_document(snapshot: Snapshot) -> tuple[Edit, ...]:
    return formatter.document(snapshot.tree, _bodies(snapshot))


def format_range(snapshot: Snapshot, within: Span) -> tuple[Edit, ...]:
    """The edits of the lines that a range touches; a range that ends where a line begins does not touch that line."""
    text = snapshot.text
    first = text.position(within.start, "utf-32")[0]
    last, column = text.position(within.end, "utf-32")
    if last > first and column == 0:
        last -= 1
    return formatter.lines(snapshot.tree, text.line_span(first)[0], text.line_span(last)[1], _bodies(snapshot))


def format_on_type(snapshot: Snapshot, offset: int) -> tuple[Edit, ...]:
    """The edits after a line break was typed, with the cursor at ``offset`` on the new line."""
    return formatter.newline(snapshot.tree, offset, _bodies(snapshot))


def _bodies(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(snapshot.settings.bodies)
