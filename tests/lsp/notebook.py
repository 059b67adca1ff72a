"""A notebook in the editor of the tests: cells that can be asked what a document can be asked."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from .editor import Document, Editor

_numbers = itertools.count()


class CellDocument(Document):
    """A cell. `language` is what the client takes it for."""

    def __init__(self, notebook: Notebook, text: str, language: str = "hy", code: bool = True) -> None:
        path = notebook.uri.partition(":")[2]
        super().__init__(notebook.editor, f"vscode-notebook-cell:{path}#W{next(_numbers)}", 1, text)
        self.notebook, self.language, self.code = notebook, language, code

    @property
    def cell(self) -> lsp.NotebookCell:
        kind = lsp.NotebookCellKind.Code if self.code else lsp.NotebookCellKind.Markup
        return lsp.NotebookCell(kind, self.uri)

    @property
    def item(self) -> lsp.TextDocumentItem:
        return lsp.TextDocumentItem(self.uri, self.language, self.version, self.text)

    def send_change(self, *changes: Any) -> None:
        self.version += 1
        identity = lsp.VersionedTextDocumentIdentifier(self.version, self.uri)
        content = [lsp.NotebookDocumentCellContentChanges(identity, list(changes))]
        self.notebook.send(lsp.NotebookDocumentCellChanges(text_content=content))

    def turn(self, code: bool) -> None:
        self.code = code
        self.notebook.send(lsp.NotebookDocumentCellChanges(data=[self.cell]))

    async def previewed(self) -> Document:
        await self.notebook.previewed()
        return self


class Notebook:
    """An open notebook. A cell is told as its text, or as a text and a language."""

    def __init__(self, editor: Editor, uri: Path | str, *cells: str | tuple[str, str]) -> None:
        self.editor, self.version = editor, next(editor._versions)
        self.uri = uri.as_uri() if isinstance(uri, Path) else uri
        self.cells = [self.make(*([one] if isinstance(one, str) else one)) for one in cells]
        document = lsp.NotebookDocument(self.uri, "jupyter-notebook", self.version, [one.cell for one in self.cells])
        editor.notebook_document_did_open(lsp.DidOpenNotebookDocumentParams(document, [one.item for one in self.cells]))

    def make(self, text: str, language: str = "hy") -> CellDocument:
        return CellDocument(self, text, language)

    def send(self, changes: lsp.NotebookDocumentCellChanges) -> None:
        self.version = next(self.editor._versions)
        identity = lsp.VersionedNotebookDocumentIdentifier(self.version, self.uri)
        event = lsp.NotebookDocumentChangeEvent(cells=changes)
        self.editor.notebook_document_did_change(lsp.DidChangeNotebookDocumentParams(identity, event))

    def splice(self, start: int, deleted: int, *cells: CellDocument) -> None:
        """Cells for cells; those that are there already are moved."""
        before = list(self.cells)
        self.cells[start : start + deleted] = cells
        opened = [one.item for one in cells if one not in before]
        closed = [one.identity for one in before if one not in self.cells]
        array = lsp.NotebookCellArrayChange(start, deleted, [one.cell for one in cells])
        structure = lsp.NotebookDocumentCellChangeStructure(array, opened or None, closed or None)
        self.send(lsp.NotebookDocumentCellChanges(structure))

    def insert(self, at: int, text: str, language: str = "hy") -> CellDocument:
        cell = self.make(text, language)
        self.splice(at, 0, cell)
        return cell

    def remove(self, at: int) -> None:
        self.splice(at, 1)

    def move(self, at: int, to: int) -> None:
        """As VS Code tells it: all cells between the two places are new."""
        cells = list(self.cells)
        cells.insert(to, cells.pop(at))
        first, last = min(at, to), max(at, to)
        self.splice(first, last - first + 1, *cells[first : last + 1])

    def save(self) -> None:
        self.editor.notebook_document_did_save(
            lsp.DidSaveNotebookDocumentParams(lsp.NotebookDocumentIdentifier(self.uri))
        )

    def close(self) -> None:
        identity = lsp.NotebookDocumentIdentifier(self.uri)
        documents = [one.identity for one in self.cells]
        self.editor.notebook_document_did_close(lsp.DidCloseNotebookDocumentParams(identity, documents))

    async def previewed(self) -> None:
        """Wait until the preview of this version has been reported."""
        await self.editor.until(lambda: self.editor.reports.get(self.uri) == self.version)
