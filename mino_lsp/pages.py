"""What a document of the client's shows: a file all of itself, a cell of a notebook its part of a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mino_lsp.notebooks import Cell, Positions
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, read
from mino_lsp.types import Problem, Span
from mino_lsp.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Page:
    """`snapshot` is what names and previews are of, and `span` what of it this document shows; `alone` is the document
    by itself, for what is a matter of its own lines."""

    uri: str
    language: str
    version: int
    snapshot: Snapshot
    text: Positions
    span: Span
    alone: Snapshot

    def shows(self, span: Span) -> bool:
        return self.span.start <= span.start <= self.span.end

    def of(self, problems: Sequence[Problem]) -> list[Problem]:
        return [problem for problem in problems if self.shows(problem.span)]


def page(workspace: Workspace, uri: str) -> Page | None:
    """What the document at a URI shows; None where it is not open. A cell that is no Hy shows nothing."""
    cell, notebook = workspace.notebooks.cell(uri), workspace.notebooks.of_cell(uri)
    if notebook is None:
        snapshot = workspace.snapshot(uri)
        return _whole(snapshot) if snapshot is not None else None
    snapshot = workspace.snapshot(notebook.uri)
    if cell is not None and snapshot is not None:
        return _of_cell(snapshot, cell)
    return _whole(Snapshot(uri, 0, Text(), read(""), workspace.root_of(notebook.uri), workspace.settings))


def pages(workspace: Workspace, uri: str) -> list[Page]:
    """All that show something of a document that has changed."""
    snapshot, notebook = workspace.snapshot(uri), workspace.notebooks.get(uri)
    if snapshot is None:
        return []
    if notebook is None:
        return [_whole(snapshot)]
    return [_of_cell(snapshot, cell) for cell in notebook.cells if cell.is_hy]


def _whole(snapshot: Snapshot) -> Page:
    return Page(snapshot.uri, "hy", snapshot.version, snapshot, snapshot.text, Span(0, len(snapshot.text)), snapshot)


def _of_cell(snapshot: Snapshot, cell: Cell) -> Page:
    text, tree = cell.part.text, cell.part.tree
    alone = Snapshot(cell.uri, cell.version, text, tree, snapshot.root, snapshot.settings)
    return Page(cell.uri, cell.language, cell.version, snapshot, cell, cell.span, alone)
