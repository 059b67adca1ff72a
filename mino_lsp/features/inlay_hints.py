"""Inlay hints: at the end of a line, the sizes after the thread's steps on it."""

from __future__ import annotations

from dataclasses import dataclass

from mino_lsp import values
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.types import Span

THREADS = frozenset({"->", "->>", "*->", "*->>", "|->", "|->>", "=->", "=->>", "cond->", "cond->>"})


@dataclass(frozen=True, slots=True)
class Hint:
    offset: int
    label: str


def inlay_hints(snapshot: Snapshot, within: Span) -> list[Hint]:
    """At most one hint a line: that of the step that ends last there."""
    if not snapshot.settings.inlay_hints:
        return []
    hints: dict[int, tuple[int, str]] = {}
    facts = snapshot.live.facts
    if not facts:
        return []
    for step, thread in _steps(snapshot, within):
        fact = facts.get(Span(step.start, step.end))
        if fact is None and step.end == thread.forms[-1].end:
            fact = facts.get(Span(thread.start, thread.end))  # of another library, which keeps no place for its steps
        sizes = values.shapes(fact) if fact is not None else ""
        if sizes:
            line = snapshot.text.position(step.end, "utf-32")[0]
            if line not in hints or hints[line][0] < step.end:
                hints[line] = (step.end, sizes)
    return [Hint(snapshot.text.line_span(line)[1], f"→ {sizes}") for line, (_, sizes) in sorted(hints.items())]


def _steps(snapshot: Snapshot, within: Span) -> list[tuple[Form, Form]]:
    """The steps of the threads that overlap `within`, all after the head and what is threaded; each with its thread."""
    source = snapshot.text.source
    found: list[tuple[Form, Form]] = []
    waiting = [form for form in snapshot.tree.forms if form.start < within.end and form.end > within.start]
    while waiting:
        form = waiting.pop()
        parts = form.forms
        if form.kind == Kind.LIST and len(parts) > 2 and source[parts[0].start : parts[0].end] in THREADS:
            found += ((step, form) for step in parts[2:])
        waiting += parts
    return found
