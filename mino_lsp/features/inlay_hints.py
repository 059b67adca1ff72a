"""Inlay hints: at the end of a line, the sizes after the thread's steps on it; where that is switched on, those of a
mu's components and of what `setv` binds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mino_lsp import values
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.types import Span

THREADS = frozenset({"->", "->>", "*->", "*->>", "|->", "|->>", "=->", "=->>", "cond->", "cond->>"})


@dataclass(frozen=True, slots=True)
class Hint:
    """`apart`: with a space before it."""

    offset: int
    label: str
    apart: bool = True


def inlay_hints(snapshot: Snapshot, within: Span) -> list[Hint]:
    """Of the steps at most one a line, that of the step that ends last there; what else is switched on right after its
    name."""
    settings = snapshot.settings
    if not settings.inlay_hints or not snapshot.live.facts:
        return []
    hints = after_steps(snapshot, within) if settings.hinted_steps else []
    names = components(snapshot, within) if settings.hinted_components else []
    names += bindings(snapshot, within) if settings.hinted_bindings else []
    hints += [Hint(name.end, f": {sizes}", apart=False) for name in names if (sizes := sizes_of(snapshot, name))]
    return sorted(hints, key=lambda hint: hint.offset)


def sizes_of(snapshot: Snapshot, name: Form) -> str:
    """The sizes of what a name stands for; empty where that is no tensor, or not known."""
    fact = snapshot.live.facts.get(Span(name.start, name.end))
    return values.shapes(fact) if fact is not None else ""


def after_steps(snapshot: Snapshot, within: Span) -> list[Hint]:
    """Of each line the sizes after the step that ends last there."""
    hints: dict[int, tuple[int, str]] = {}
    facts = snapshot.live.facts
    for step, thread in _steps(snapshot, within):
        fact = facts.get(Span(step.start, step.end))
        if fact is None and step.end == thread.forms[-1].end:
            fact = facts.get(Span(thread.start, thread.end))  # of a macro that builds its steps anew
        sizes = values.shapes(fact) if fact is not None else ""
        if sizes:
            line = snapshot.text.position(step.end, "utf-32")[0]
            if line not in hints or hints[line][0] < step.end:
                hints[line] = (step.end, sizes)
    return [Hint(snapshot.text.line_span(line)[1], f"→ {sizes}") for line, (_, sizes) in hints.items()]


def components(snapshot: Snapshot, within: Span) -> list[Form]:
    """The names in the lists of components of the mus that overlap `within`."""
    found: list[Form] = []
    for form in _forms(snapshot, within):
        if form.head_name in ("defmu", "mu"):
            listed = next((part for part in form.forms[1:3] if part.kind is Kind.VECTOR), None)
            found += [_bare(part) for part in listed.forms] if listed is not None else []
    return found


def bindings(snapshot: Snapshot, within: Span) -> list[Form]:
    """The names that `setv` binds, those of the parts of a value too."""
    found: list[Form] = []
    for form in _forms(snapshot, within):
        if form.head_name == "setv":
            targets = [_bare(part) for part in form.forms[1::2]]
            while targets:
                target = targets.pop()
                found += [target] if target.kind is Kind.SYMBOL else []
                targets += target.forms if target.kind in (Kind.VECTOR, Kind.TUPLE) else []
    return found


def _bare(form: Form) -> Form:
    """What an annotation annotates."""
    return form.forms[-1] if form.kind is Kind.ANNOTATION and form.forms else form


def _steps(snapshot: Snapshot, within: Span) -> list[tuple[Form, Form]]:
    """The steps of the threads that overlap `within`, all after the head and what is threaded; each with its thread."""
    found: list[tuple[Form, Form]] = []
    for form in _forms(snapshot, within):
        parts = form.forms
        if len(parts) > 2 and form.head_name in THREADS:
            found += ((step, form) for step in parts[2:])
    return found


def _forms(snapshot: Snapshot, within: Span) -> Iterator[Form]:
    """The lists at any depth in the top-level forms that overlap `within`."""
    waiting = [form for form in snapshot.tree.forms if form.start < within.end and form.end > within.start]
    while waiting:
        form = waiting.pop()
        if form.kind is Kind.LIST:
            yield form
        waiting += form.forms
