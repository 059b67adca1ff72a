"""A macro call replaced by what it expands to, as far as that is known by now."""

from __future__ import annotations

from mino_lsp.format.breaks import WIDTH, laid_out
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Kind, read
from mino_lsp.types import Change, Fix, Span

LONGEST = 3000
"""Characters of an expansion. Longer ones may be known in part only."""


def inline_call(snapshot: Snapshot, offset: int) -> Fix | None:
    """The change that inlines the macro call whose head is at `offset`; None where there is none."""
    path = snapshot.tree.path_at(offset)
    if len(path) < 2 or path[-2].kind is not Kind.LIST or path[-2].head != path[-1]:
        return None
    call = Span(path[-2].start, path[-2].end)
    text = snapshot.expansion_of(call)
    if not text or len(text) > LONGEST:
        return None
    line, column = snapshot.text.position(call.start, "utf-32")
    before = snapshot.text.slice(snapshot.text.line_span(line)[0], call.start)
    new = _indented(laid_out(text, max(WIDTH - column, WIDTH // 2)), len(before))
    return Fix(f"Inline this call of `{path[-1].text}`", (Change(call, new),))


def _indented(text: str, columns: int) -> str:
    """The text with its lines after the first further in, but for those that begin within a string."""
    literals = [(start, end) for start, end, form in read(text).walk() if not form.is_sequence and "\n" in form.text]
    lines, start = [], 0
    for line in text.split("\n"):
        inside = start == 0 or any(first < start < last for first, last in literals)
        lines.append(line if inside else " " * columns + line)
        start += len(line) + 1
    return "\n".join(lines)
