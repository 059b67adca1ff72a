"""Code lenses: Run, above a program's `defmain`."""

from __future__ import annotations

from dataclasses import dataclass

from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Kind
from mino_lsp.types import Span


@dataclass(frozen=True, slots=True)
class Lens:
    span: Span
    title: str
    command: str
    arguments: tuple[dict[str, object], ...]


def code_lenses(snapshot: Snapshot) -> list[Lens]:
    source = snapshot.text.source
    title = f"▶ Run on {snapshot.device}" if snapshot.device else "▶ Run"
    lenses = []
    for form in snapshot.tree.forms:
        parts = form.forms
        if form.kind == Kind.LIST and parts and source[parts[0].start : parts[0].end] == "defmain":
            lenses.append(Lens(Span(form.start, parts[0].end), title, "mino.run", ({"uri": snapshot.uri},)))
    return lenses
