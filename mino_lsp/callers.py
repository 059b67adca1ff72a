"""Files that nobody has opened and that call what an open one defines: their previews show shapes there.

A file of models that only another one trains has none of its own. That other one is previewed as it was saved, for as
long as the first is open.
"""

from __future__ import annotations

from collections.abc import Callable

from mino_lsp.analysis import Definition, DefinitionKind, Index, Indexed
from mino_lsp.analysis import Document as File
from mino_lsp.live import Previews
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Span
from mino_lsp.uris import path_of, uri_of

MOST_CALLERS = 3
"""How many files are tried for one that is open, one after the other."""


class Callers:
    """The files that are previewed for open ones. `as_open` gives a file as the document that it would be now."""

    def __init__(self, index: Index, previews: Previews, as_open: Callable[[File], Snapshot]) -> None:
        self._index = index
        self._previews = previews
        self._as_open = as_open
        self._of: dict[str, dict[str, frozenset[str]]] = {}
        """By open document the files that were tried, and the names that were looked for in each."""
        self._previewed: dict[str, Snapshot] = {}
        self._seeking = True

    def __contains__(self, uri: str) -> bool:
        return uri in self._previewed

    def seek(self, snapshot: Snapshot, is_open: Callable[[str], bool]) -> None:
        """There is news of a document: preview the next file that may call what no preview has called."""
        if not self._seeking or snapshot.report is None or not snapshot.report.finished:
            return
        tried = self._of.get(snapshot.uri, {})
        for uri in list(tried):
            if not self._under_way(uri) and not self._previews.imported.tells(path_of(uri), snapshot.path):
                self._release(uri, snapshot.uri)
        if self.under_way(snapshot.uri):
            return
        wanted = uncalled(snapshot)
        importers = self._importers(snapshot.uri, wanted) if wanted else []
        reports = [self._previews.report(one.uri) for one in importers if is_open(one.uri)]
        if any(report is not None and not report.finished for report in reports):
            return  # that one may call them yet
        for one in importers:
            names = wanted & one.words
            known = tried.get(one.uri)
            if is_open(one.uri) or (len(tried) >= MOST_CALLERS if known is None else names <= known):
                continue
            tried = self._of.setdefault(snapshot.uri, {})
            tried[one.uri] = names | (known or frozenset())
            if self._preview(one.uri):
                return

    def under_way(self, uri: str) -> list[str]:
        """The files that are being previewed for a document."""
        return [one for one in self._of.get(uri, ()) if self._under_way(one)]

    def of(self, uri: str) -> list[str]:
        """The open documents that a file is previewed for."""
        return [document for document, tried in self._of.items() if uri in tried]

    def again(self, paths: list[str]) -> None:
        """What these files import has changed, or they themselves have."""
        for uri in [uri for uri, one in self._previewed.items() if one.path in paths]:
            self._preview(uri)

    def file_changed(self, path: str) -> None:
        """A file was changed or deleted on disk, which the index knows already."""
        uri = uri_of(path)
        if not (uri in self._previewed and self._preview(uri)):
            self._forget(uri)
            self._drop(uri)

    def opened(self, uri: str) -> None:
        """A file has become a document, which has a preview of its own."""
        self._forget(uri)
        self._previewed.pop(uri, None)

    def closed(self, uri: str) -> None:
        """A document is open no more."""
        for one in self._of.pop(uri, ()):
            self._release(one, uri)

    def clear(self) -> None:
        """Begin anew: settings or trust may be others."""
        self.stop()
        self._seeking = True

    def stop(self) -> None:
        """Preview none any more. What they told is gone with them, which is no reason to look for others."""
        self._seeking = False
        self._of.clear()
        for uri in list(self._previewed):
            self._drop(uri)

    def _under_way(self, uri: str) -> bool:
        return uri in self._previewed and self._previews.under_way(uri)

    def _forget(self, uri: str) -> None:
        """It may be tried again."""
        for tried in self._of.values():
            tried.pop(uri, None)

    def _release(self, uri: str, document: str) -> None:
        """A document does not need a file any more."""
        if not any(uri in tried for other, tried in self._of.items() if other != document):
            self._drop(uri)

    def _drop(self, uri: str) -> None:
        if self._previewed.pop(uri, None) is not None:
            self._previews.close(uri)

    def _preview(self, uri: str) -> bool:
        """Preview a file as it is now. False where that may not or cannot be, or it is there no more."""
        file = self._index.document(uri)
        snapshot = self._as_open(file) if file is not None else None
        if snapshot is None or not snapshot.trusted or snapshot.previews_off or snapshot.tree.problems:
            return False
        self._previewed[uri] = snapshot
        self._previews.schedule(snapshot)
        return True

    def _importers(self, uri: str, names: frozenset[str]) -> list[Indexed]:
        """The files that import one and hold some of these names, those with most of them first."""
        found = [
            file
            for file in self._index.files()
            if names & file.words
            and file.uri != uri
            and any(self._index.resolve(module, file.uri) == uri for module in file.exports.imports)
        ]
        return sorted(found, key=lambda file: (-len(names & file.words), file.uri))


def uncalled(snapshot: Snapshot) -> frozenset[str]:
    """The mangled names of the mus of which no preview knows anything within."""
    mus = [one for one in snapshot.names.definitions if one.kind is DefinitionKind.MU and one.scope == 0]
    return frozenset(
        one.mangled for one in mus if one.source is None and not snapshot.live.within(_body(snapshot, one))
    )


def _body(snapshot: Snapshot, mu: Definition) -> Span:
    """What stands after the components of a `defmu`."""
    parts = [part for form in snapshot.tree.path_at(mu.start) if form.start == mu.form_start for part in form.forms]
    components = next((part.end for part in parts if part.start >= mu.end), mu.end)
    return Span(components, mu.form_end)
