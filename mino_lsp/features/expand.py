"""Hover on a macro's head: what its call expands to, until the head is no macro; as far as it is known by now."""

from __future__ import annotations

from mino_lsp.analysis.describe import described_at
from mino_lsp.format.breaks import laid_out
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Kind
from mino_lsp.types import Span

MOST_LINES = 12

UNTRUSTED = (
    "*Not expanded: expanding this macro runs code, and this folder is not trusted to run (command `mino.trust`).*"
)


def expansion_at(snapshot: Snapshot, offset: int) -> str:
    """The expansion of the call whose head is at `offset`, as Markdown, cut where it is long; or that trust is needed
    for it; empty where none is known."""
    path = snapshot.tree.path_at(offset)
    if len(path) < 2 or path[-2].kind is not Kind.LIST or path[-2].head != path[-1]:
        return ""
    text = snapshot.expansion_of(Span(path[-2].start, path[-2].end))
    if text == "" and not snapshot.trusted and _is_macro(snapshot, offset):
        return UNTRUSTED
    if not text:
        return ""
    lines = laid_out(text).split("\n")
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [f"; … {len(lines) - MOST_LINES + 1} more lines (command mino.expand)"]
    return "Expands to\n```hy\n{}\n```".format("\n".join(lines))


def _is_macro(snapshot: Snapshot, offset: int) -> bool:
    """Whether a name is that of a macro, of the document's, of another's or of a known package's."""
    told = described_at(snapshot.document, offset, snapshot.index)
    return told is not None and told.kind in ("macro", "imported")
