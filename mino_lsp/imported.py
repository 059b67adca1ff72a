"""What the previews of documents told of the files that they imported, and who imports whom.

A file of layers that is imported where they are trained shows the shapes of that training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from mino_lsp.report import Report


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A report of a file, by the preview of the document that is called `of`."""

    of: str
    report: Report


@dataclass(slots=True)
class _Document:
    files: frozenset[str] = frozenset()
    told: Mapping[str, Report] = field(default_factory=dict)


class Imported:
    """By document: the paths of what its last preview imported, and what that told of each."""

    def __init__(self) -> None:
        self._documents: dict[str, _Document] = {}
        self._borrowed: dict[str, tuple[Borrowed, ...]] = {}

    def take(self, path: str, files: Iterable[str], told: Mapping[str, Report]) -> set[str]:
        """The preview of the document at `path` has ended. Returns the files of which there is news."""
        before = self._documents.get(path, _Document())
        self._documents[path] = _Document(frozenset(files), told)
        news = {*before.told, *told}
        for file in news:
            self._borrowed[file] = tuple(
                Borrowed(PurePath(name).name, document.told[file])
                for name, document in self._documents.items()
                if file in document.told
            )
        return news

    def forget(self, path: str) -> set[str]:
        """The document is closed. Returns the files of which there is news."""
        news = self.take(path, (), {})
        del self._documents[path]
        return news

    def borrowed(self, path: str) -> tuple[Borrowed, ...]:
        """What the previews of others told of a file; the same object as long as there is no news."""
        return self._borrowed.get(path, ())

    def tells(self, path: str, file: str) -> bool:
        """Whether the last preview of the document at `path` told something of a file."""
        document = self._documents.get(path)
        return document is not None and file in document.told and bool(document.told[file].facts)

    def importers(self, path: str) -> list[str]:
        """The documents that imported a file in their last preview."""
        return [name for name, document in self._documents.items() if path in document.files]
