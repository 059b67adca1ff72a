"""Notebooks that are open: their cells in order are one program, which the workspace holds like any other document.

Here is which cell stands where in it; what a cell gives to the program is `mino_lsp.cells`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mino_lsp.cells import Part, part
from mino_lsp.syntax import Encoding, Text, Tree, joined, read
from mino_lsp.types import Span

PRELUDE = "(defn display [#* objects #** options])\n"
"""What the kernel of a notebook gives to every program."""


class Positions(Protocol):
    """The positions that a client counts in one of its documents, and the offsets that they are."""

    def position(self, offset: int, encoding: Encoding = "utf-16") -> tuple[int, int]: ...
    def offset(self, line: int, character: int, encoding: Encoding = "utf-16") -> int: ...


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of code that stands in the program, at `span`."""

    uri: str
    language: str
    version: int
    part: Part
    span: Span

    def position(self, offset: int, encoding: Encoding = "utf-16") -> tuple[int, int]:
        return self.part.text.position(offset - self.span.start, encoding)

    def offset(self, line: int, character: int, encoding: Encoding = "utf-16") -> int:
        return self.span.start + self.part.text.offset(line, character, encoding)

    @property
    def is_hy(self) -> bool:
        return self.part.speech == "hy"

    @property
    def first(self) -> int:
        """Where its first form stands, so that what is put there comes after a magic; else where it ends."""
        form = next(self.part.tree.forms, None)
        return self.span.start + form.start if form is not None else self.span.end


@dataclass(slots=True)
class _Document:
    """The text of a cell, and what that was for the program when it was last asked."""

    language: str
    version: int
    text: Text
    part: Part | None = None

    def read(self) -> Part:
        if self.part is None or self.part.source != self.text.source:
            self.part = part(self.language, self.text.source, self.part)
        return self.part


class Notebook:
    """One notebook. It is told of changes, and `compose` makes its program; that does not depend on how it came to be
    what it is."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.version = 0
        self.order: list[tuple[str, bool]] = []
        """The URIs of the cells, and whether each is code."""
        self.documents: dict[str, _Document] = {}
        self.cells: tuple[Cell, ...] = ()
        self.tree = read("")
        self._prelude = read(PRELUDE)

    def put(self, uri: str, language: str, version: int, source: str) -> None:
        """The text of a cell is known from now on."""
        self.documents[uri] = _Document(language, version, Text(source))

    def edit(self, uri: str, version: int, edits: Iterable[Callable[[Text], tuple[int, int, str]]]) -> None:
        document = self.documents.get(uri)
        if document is not None:
            document.version = version
            for edit in edits:
                document.text = document.text.edit(*edit(document.text))

    def splice(self, start: int, deleted: int, cells: Sequence[tuple[str, bool]]) -> None:
        """Replace some cells, each told by its URI and whether it is code."""
        self.order[start : start + deleted] = cells

    def turn(self, uri: str, code: bool) -> None:
        """A cell is code or is none from now on."""
        self.order = [(one, code if one == uri else was) for one, was in self.order]

    @property
    def has_hy(self) -> bool:
        return any(cell.is_hy for cell in self.cells)

    def compose(self) -> None:
        trees, cells, at = [self._prelude], [], len(PRELUDE)
        for uri, code in dict(self.order).items():
            document = self.documents.get(uri)
            if document is None or not code:
                continue
            read_ = document.read()
            if not read_.trees:
                continue
            begin = at + read_.lead
            cells.append(Cell(uri, document.language, document.version, read_, Span(begin, begin + len(read_.text))))
            trees += read_.trees
            at += sum(map(len, read_.trees))
        self.cells = tuple(cells)
        self.tree = joined(trees)


def cell_at(cells: Sequence[Cell], span: Span) -> tuple[Cell, Span] | None:
    """The cell of a program that a span begins in, and what of the span lies there. Of what stands in no cell of Hy,
    the first form of the next one; None where there is none."""
    index = bisect_right(cells, span.start, key=lambda cell: cell.span.start) - 1
    cell = cells[index] if index >= 0 else None
    if cell is not None and cell.is_hy and span.start <= cell.span.end:
        return cell, Span(span.start, max(span.start, min(span.end, cell.span.end)))
    following = next((one for one in cells[index + 1 :] if one.is_hy), None)
    return (following, Span(following.first, following.first)) if following is not None else None


class Workspace(Protocol):
    """What holds the programs of notebooks."""

    def show(self, uri: str, version: int, tree: Tree, cells: Sequence[tuple[int, int]]) -> None: ...
    def close(self, uri: str) -> None: ...


class Notebooks:
    """All that are open. A notebook without Hy is no program: nothing is done with it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._open: dict[str, Notebook] = {}
        self._of_cell: dict[str, Notebook] = {}

    def open(self, uri: str, version: int) -> Notebook:
        """A notebook that `changed` is to be told of once its cells are known."""
        self.close(uri)
        notebook = self._open[uri] = Notebook(uri)
        notebook.version = version
        return notebook

    def get(self, uri: str) -> Notebook | None:
        return self._open.get(uri)

    def changed(self, notebook: Notebook) -> None:
        """Make its program anew, and have it shown."""
        had_hy = notebook.has_hy
        notebook.compose()
        self._forget(notebook)
        self._of_cell.update(dict.fromkeys((uri for uri, _ in notebook.order), notebook))
        if notebook.has_hy:
            cells = [(cell.span.start, cell.span.end) for cell in notebook.cells if cell.is_hy]
            self._workspace.show(notebook.uri, notebook.version, notebook.tree, cells)
        elif had_hy:
            self._workspace.close(notebook.uri)

    def close(self, uri: str) -> None:
        notebook = self._open.pop(uri, None)
        if notebook is not None:
            self._forget(notebook)
            if notebook.has_hy:
                self._workspace.close(uri)

    def _forget(self, notebook: Notebook) -> None:
        self._of_cell = {uri: one for uri, one in self._of_cell.items() if one is not notebook}

    def of_cell(self, uri: str) -> Notebook | None:
        """The notebook that a cell belongs to."""
        return self._of_cell.get(uri)

    def cell(self, uri: str) -> Cell | None:
        """A cell of Hy; None where it is something else."""
        notebook = self._of_cell.get(uri)
        cells = notebook.cells if notebook is not None else ()
        return next((cell for cell in cells if cell.uri == uri and cell.is_hy), None)

    def locate(self, uri: str, span: Span) -> tuple[Cell, Span] | None:
        """Where a span of a document stands for the client, if that is a notebook with Hy: see `cell_at`."""
        notebook = self._open.get(uri)
        return cell_at(notebook.cells, span) if notebook is not None else None
