"""The server's state, without a word of LSP: open documents, settings, trust, workers, previews and runs.

The language server shows it to an editor and `mino` shows it to a terminal; both are a `Client`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, Protocol

from mino_lsp import project, trust
from mino_lsp.analysis import Document as File
from mino_lsp.analysis import Index
from mino_lsp.analysis.python_names import PythonNames, View, paths_of
from mino_lsp.callers import Callers
from mino_lsp.expansions import Expansions
from mino_lsp.live import Previews
from mino_lsp.notebooks import Notebooks
from mino_lsp.report import Report
from mino_lsp.settings import Settings, merge
from mino_lsp.snapshot import Snapshot, path_of
from mino_lsp.submitted import difference
from mino_lsp.supervisor import Supervisor, Unavailable, Worker, interpreter_of
from mino_lsp.surveys import Surveys
from mino_lsp.syntax import Text, Tree, read
from mino_lsp.types import DeviceList, DevicesRequest, Problem, Ready, Severity, Span, Stream

Edit = tuple[int, int, str]
"""Replace the text from one offset to another."""


INDEXING_SECONDS = 0.005
"""How long indexing goes on without a pause, and how long it then pauses."""


class Progress(Protocol):
    """Something that takes longer than a second, as the user sees it."""

    def report(self, message: str, percentage: int | None) -> None: ...
    def end(self, message: str) -> None: ...


class Client(Protocol):
    """Who looks on: an editor or a terminal."""

    def changed(self, uri: str) -> None:
        """There is news of a document: diagnostics, hints and lenses should be asked for again."""

    def status(self, state: str, uri: str | None, line: int | None) -> None: ...
    def tell(self, severity: Severity, message: str) -> None: ...
    def output(self, run: int, stream: Stream, text: str, rank: int | None) -> None: ...
    async def drained(self) -> None:
        """Returns when more output may be sent."""

    async def ask(self, question: str, answers: list[str]) -> str | None: ...
    async def progress(self, title: str, cancel: Callable[[], None], measured: bool) -> Progress:
        """A progress with a way to cancel it; one that is measured has percentages."""


@dataclass(slots=True)
class _Folder:
    """What is known of one root."""

    answered: bool | None = None
    asking: bool = False
    devices: DeviceList | None = None
    worker: Worker | None = None
    unavailable: str = ""
    complaints: list[str] = field(default_factory=list)


class Workspace:
    """See the module. `launched_trusted` is the command line's word that everything opened may be run."""

    def __init__(self, client: Client, launched_trusted: bool = False) -> None:
        self.client = client
        self.settings = self._told_at_start = Settings()
        self._chosen: dict[str, Any] = {}
        self.last_status: tuple[str, str | None, int | None] = ("idle", None, None)
        self.supervisor = Supervisor()
        self.index = Index()
        self.python_names = PythonNames()
        self.previews = Previews(self.supervisor, self._preview_worker, self.importable, self._told, self.status)
        self.callers = Callers(self.index, self.previews, self._as_open)
        self.expansions = Expansions(self.supervisor, self._expanding_worker, self._stamp, self.importable)
        self.surveys = Surveys(self.expansions.survey)
        self.notebooks = Notebooks(self)
        self._changes: Counter[str] = Counter()
        self.running: dict[int, str] = {}
        self.paused = False
        self.roots: list[Path] = []
        self._launched_trusted = launched_trusted
        self._complaints: list[str] = []
        self._documents: dict[str, Snapshot] = {}
        self._run_reports: dict[str, Report] = {}
        self._folders: dict[Path, _Folder] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._indexing: asyncio.Task[None] | None = None

    def status(self, state: str, uri: str | None, line: int | None = None) -> None:
        """Tell the client what goes on; a run is not hidden by a preview that ends beside it."""
        if uri is not None and uri in self.callers:
            return
        if self.running and state in ("idle", "previewing"):
            state, line = "running", None
        elif self.paused and state == "idle":
            state = "paused"
        if uri is not None and line is not None:
            uri, line = self._in_cell(uri, line)
        self.last_status = (state, uri, line)
        self.client.status(state, uri, line)

    def _in_cell(self, uri: str, line: int) -> tuple[str, int]:
        """A line of a notebook's program as one of a cell; any other as it is."""
        document = self._documents.get(uri)
        at = document.text.offset(line - 1, 0) if document is not None else 0
        found = self.notebooks.locate(uri, Span(at, at))
        return (found[0].uri, found[0].position(at)[0] + 1) if found is not None else (uri, line)

    # ---- settings and trust

    def configure(self, told: object, at_start: bool = False) -> None:
        """Take the client's settings in the place of those that it told before; what it does not name is as it was told
        at the start, or the default. What cannot be used is said."""
        before = self.settings
        self.settings, complaints = merge(self._told_at_start, told)
        if at_start:
            self._told_at_start = self.settings
        self._complaints = self._complain(complaints, self._complaints)
        if before != self.settings:
            self._settings_changed()

    def choose(self, **settings: Any) -> None:
        """Take these settings, whatever the client and the folders say, until the server ends."""
        before, self._chosen = self._chosen, {**self._chosen, **settings}
        if before != self._chosen:
            self._settings_changed()

    def settings_of(self, root: Path) -> Settings:
        """What holds in a folder: what was chosen, over what its `pyproject.toml` sets, over what the client told."""
        return self._settings_of(root, self.trusted(root))

    def _settings_of(self, root: Path, trusted: bool) -> Settings:
        settings, _ = project.applied(self.settings, root, trusted)
        return replace(settings, **self._chosen) if self._chosen else settings

    def _python(self, root: Path) -> str:
        """The interpreter of a trusted folder. A relative path, which a folder's own settings may hold, is the
        folder's; a name alone is looked up where programs are."""
        python = self.settings_of(root).python
        if not python:
            return interpreter_of(root)
        path = Path(python).expanduser()
        return str(root / path) if len(path.parts) > 1 else python

    def _complain(self, complaints: list[str], before: list[str]) -> list[str]:
        """Say what cannot be used, once."""
        for complaint in complaints:
            if complaint not in before:
                self.client.tell("warning", complaint)
        return complaints

    def _complain_of_project(self, root: Path) -> None:
        folder = self._folder(root)
        folder.complaints = self._complain(
            project.applied(self.settings, root, self.trusted(root))[1], folder.complaints
        )

    def _settings_changed(self) -> None:
        self.callers.clear()
        for folder in self._folders.values():
            folder.unavailable = ""
        for uri in list(self._documents):
            self._refresh(uri)

    def trusted(self, root: Path) -> bool:
        if self._launched_trusted or self.settings.trust == "full":
            return True
        if self.settings.trust == "none":
            return False
        answered = self._folder(root).answered
        return trust.is_trusted(root) if answered is None else answered

    def set_trust(self, root: Path, trusted: bool) -> None:
        """Act on the user's word for a folder at once, and remember it. Raises `OSError` if it cannot be written."""
        self._folder(root).answered = trusted
        self.callers.clear()
        for uri, document in self._documents.items():
            if document.root == root:
                if not trusted:
                    self.previews.close(uri)
                self.surveys.close(uri)
                self._refresh(uri)
        self._complain_of_project(root)
        trust.remember(root, trusted)

    def _folder(self, root: Path) -> _Folder:
        return self._folders.setdefault(root, _Folder())

    async def _ask(self, root: Path) -> None:
        folder = self._folder(root)
        folder.asking = True
        answer = await self.client.ask(trust.QUESTION.format(folder=root), [trust.TRUST, trust.NOT_NOW])
        if answer == trust.TRUST:
            try:
                self.set_trust(root, True)
            except OSError as error:
                self.client.tell("warning", f"The trust in {root} could not be remembered: {error}.")

    # ---- documents

    def root_of(self, uri: str) -> Path:
        """The folder of the workspace that holds a document; else the folder it lies in."""
        path = Path(path_of(uri))
        above = [root for root in self.roots if path.is_relative_to(root)]
        if above:
            return max(above, key=lambda root: len(root.parts))
        if path.is_absolute():
            return path.parent
        return self.roots[0] if self.roots else Path.cwd()

    def change_roots(self, removed: list[Path], added: list[Path]) -> None:
        """Take folders out of the workspace, and others in; a document that lies in another one now is opened there."""
        self.roots = [*(root for root in self.roots if root not in removed), *added]
        self.reindex()
        self.callers.clear()
        for uri, document in list(self._documents.items()):
            root = self.root_of(uri)
            if root != document.root:
                self.previews.close(uri)
                self.surveys.close(uri)
                self._open(replace(document, root=root, report=None))

    def open(self, uri: str, version: int, source: str) -> None:
        self._open(Snapshot(uri, version, Text(source), read(source), self.root_of(uri), self.settings))

    def _open(self, document: Snapshot) -> None:
        uri, root = document.uri, document.root
        self._documents[uri] = replace(document, index=self.index)
        self.index.opened(uri, document.text, document.tree, document.cells)
        self.callers.opened(uri)
        folder = self._folder(root)
        asks = self.settings.trust == "ask" and folder.answered is None and not folder.asking
        if asks and not self.trusted(root) and not document.is_nowhere:
            self._spawn(self._ask(root))
        if not self._may_run(document):
            self.status("untrusted", uri)
        if self._is_outside(document):
            self.reindex()
        self._complain_of_project(root)
        self._refresh(uri)

    def _is_outside(self, document: Snapshot) -> bool:
        return document.root not in self.roots and document.uri.startswith("file:")

    def _may_run(self, document: Snapshot) -> bool:
        """A notebook that was never saved lies in no folder that could be trusted."""
        if document.is_nowhere:
            return self._launched_trusted or self.settings.trust == "full"
        return self.trusted(document.root)

    def change(self, uri: str, version: int, edits: Iterable[Callable[[Text], Edit]]) -> None:
        """Apply edits in order; each is told the text that those before it left."""
        document = self._documents.get(uri)
        if document is None:
            return
        text, tree = document.text, document.tree
        for edit in edits:
            start, end, new = edit(text)
            self.expansions.edited(uri, start, end, new)
            text, tree = text.edit(start, end, new), tree.edit(start, end, new)
        self._edited(Snapshot(uri, version, text, tree, document.root, self.settings, index=self.index))

    def show(self, uri: str, version: int, tree: Tree, cells: Sequence[tuple[int, int]]) -> None:
        """Take the program of a notebook as it is now, and where its cells of Hy stand."""
        before = self._documents.get(uri)
        if before is None:
            root = self.root_of(uri)
            self._open(Snapshot(uri, version, Text(tree.source), tree, root, self.settings, cells=tuple(cells)))
            return
        edit = difference(before.text.source, tree.source)
        self.expansions.edited(uri, *edit)
        text = before.text.edit(*edit)
        self._edited(
            Snapshot(uri, version, text, tree, before.root, self.settings, index=self.index, cells=tuple(cells))
        )

    def _edited(self, document: Snapshot) -> None:
        uri, tree = document.uri, document.tree
        before, self._documents[uri] = self._documents[uri], document
        if document.previews_off and not before.previews_off:
            self.previews.close(uri)
        self.index.opened(uri, document.text, tree, document.cells)
        self._refresh(uri, edited=True)
        if not tree.problems:
            self._refresh_importers(self._documents[uri].path)

    def importable(self, snapshot: Snapshot) -> list[Snapshot]:
        """The documents of the same root that this one, or one of these, may import: their names stand in its text.
        Half-typed ones are taken as they were saved. (Others are left out: a preview goes on from where the last one
        was only if nothing that it could read has changed.)"""
        there = [
            (PurePath(other.path), other)
            for uri, other in self._documents.items()
            if uri != snapshot.uri and other.root == snapshot.root and not other.tree.problems
        ]
        found: list[Snapshot] = []
        waiting = [snapshot]
        while waiting:
            text = waiting.pop().text.source
            for path, other in there:
                name = path.parent.name if path.stem == "__init__" else path.stem
                if other not in found and (name in text or name.replace("_", "-") in text):
                    found.append(other)
                    waiting.append(other)
        return found

    def _refresh_importers(self, path: str) -> None:
        """A file has changed: the documents that import it show something else."""
        importers = self.previews.imported.importers(path)
        for uri, document in list(self._documents.items()):
            if document.path in importers:
                self.surveys.outdate(uri)
                self._refresh(uri)
        self.callers.again(importers)

    def _told(self, uri: str) -> None:
        """There is news of a document, or of a file that is previewed for one."""
        if uri not in self.callers:
            self.client.changed(uri)
        for one in self.callers.of(uri) or [uri]:
            self._seek_callers(one)

    def _seek_callers(self, uri: str) -> None:
        snapshot = self.snapshot(uri)
        if snapshot is not None and snapshot.settings.preview != "off" and not self.paused:
            self.callers.seek(snapshot, self._documents.__contains__)

    async def find_callers(self, uri: str) -> None:
        """Preview what calls a document's mus, whatever the settings say, and return when that has ended."""
        self.index.prune(self.roots)
        for _ in self.index.scan():
            pass
        while (snapshot := self.snapshot(uri)) is not None:
            self.callers.seek(snapshot, self._documents.__contains__)
            waiting = self.callers.under_way(uri)
            if not waiting:
                return
            for one in waiting:
                await self.previews.finished(one)

    def _as_open(self, file: File) -> Snapshot:
        """A file that is not open as the document that it would be."""
        root = self.root_of(file.uri)
        return self._now(Snapshot(file.uri, 0, file.text, file.tree, root, self.settings, index=self.index))

    def problems_elsewhere(self, uri: str) -> tuple[Text, list[Problem]]:
        """What previews of other documents found in a file that is not open, and its text on disk."""
        path = path_of(uri)
        problems = [problem for one in self.previews.imported.borrowed(path) for problem in one.report.problems]
        try:
            return Text(Path(path).read_bytes().decode("utf-8", "replace")) if problems else Text(), problems
        except OSError:
            return Text(), []

    def save(self, uri: str) -> None:
        self._file_written(path_of(uri))
        document = self._documents.get(uri)
        if document is not None and document.settings.preview == "onSave":
            self._refresh(uri, at_once=True)

    def close(self, uri: str) -> None:
        self._documents.pop(uri, None)
        self._run_reports.pop(uri, None)
        self.index.closed(uri)
        self.previews.close(uri)
        self.callers.closed(uri)
        self.expansions.close(uri)
        self.surveys.close(uri)
        self.client.changed(uri)

    def snapshot(self, uri: str) -> Snapshot | None:
        """The document now, with all that is known of it; None where it is not open. The same object as long as nothing
        of it changes, so that what it has worked out is not worked out again."""
        document = self._documents.get(uri)
        if document is None:
            return None
        now = replace(
            self._now(document),
            runs=tuple(run for run, path in self.running.items() if path == document.path),
            report=self.previews.report(uri),
            borrowed=self.previews.imported.borrowed(document.path),
            run_report=self._run_reports.get(uri),
            calls=self.surveys.calls(uri),
        )
        if now == document:
            return document
        self._documents[uri] = now
        return now

    def _now(self, document: Snapshot) -> Snapshot:
        """A document with what holds in its folder."""
        folder, trusted = self._folder(document.root), self._may_run(document)
        settings = self._settings_of(document.root, trusted)
        return replace(
            document,
            settings=settings,
            trusted=trusted,
            device=_device(settings, folder),
            unavailable=folder.unavailable,
            paused=self.paused,
        )

    def run_began(self, run: int, uri: str) -> None:
        self.running[run] = path_of(uri)
        self.status("running", uri)
        self.client.changed(uri)

    def run_ended(self, run: int, uri: str) -> None:
        del self.running[run]
        self.status("idle", uri)
        self.client.changed(uri)

    def keep_run(self, uri: str, report: Report) -> None:
        """Show what a run told, for as long as the document stays as it was run."""
        if uri in self._documents:
            self._run_reports[uri] = report
            self.client.changed(uri)

    def python(self, root: Path) -> View:
        """What is known of the Python packages of a folder: those of its interpreter once it is trusted, else the
        server's own."""
        paths = paths_of(self._python(root)) if self.trusted(root) else None
        return self.python_names.view(paths)

    def reindex(self) -> None:
        """Look for Hy files under the roots, and beside the documents that lie under none of them, between whatever
        else there is to do."""
        if self._indexing is not None:
            self._indexing.cancel()
        self.index.prune(self.roots, {one.root for one in self._documents.values() if self._is_outside(one)})
        self._indexing = asyncio.create_task(self._index())

    async def _index(self) -> None:
        began = time.monotonic()
        for _ in self.index.scan():
            if time.monotonic() - began > INDEXING_SECONDS:
                await asyncio.sleep(INDEXING_SECONDS)
                began = time.monotonic()
        for uri in self.uris():
            self._told(uri)

    def file_changed(self, path: str) -> None:
        """A file of Hy or Python, or a project's settings, was made, changed or deleted on disk."""
        if PurePath(path).name == project.NAME:
            self._complain_of_project(Path(path).parent)
            self._settings_changed()
            return
        self._file_written(path)
        if all(document.path != path for document in self._documents.values()):
            self._refresh_importers(path)
        if not path.endswith(".hy"):
            return
        before = self.index.generation
        self.index.update(path)
        self.callers.file_changed(path)
        for uri in self.uris():
            if self.index.generation != before:
                self.client.changed(uri)
            self._seek_callers(uri)

    def uris(self) -> list[str]:
        return list(self._documents)

    def pause(self, on: bool) -> None:
        """Stop previews, and begin none until they go on; what is known stays."""
        self.paused = on
        if on:
            self.previews.stop_all()
        else:
            self.callers.clear()
        self.status("idle", None)
        for uri in self.uris():
            self._refresh(uri)

    def _refresh(self, uri: str, at_once: bool = False, edited: bool = False) -> None:
        """Show what is known at once, and preview where that is wished and allowed."""
        snapshot = self.snapshot(uri)
        assert snapshot is not None
        self.client.changed(uri)
        mode = snapshot.settings.preview
        wished = not snapshot.previews_off and (mode == "onType" or (mode == "onSave" and at_once))
        if wished and not self.paused and not (snapshot.trusted and snapshot.unavailable):
            if snapshot.trusted:
                self.previews.schedule(snapshot, edited=edited)
            self.surveys.schedule(snapshot)

    def _file_written(self, path: str) -> None:
        """Documents that require macros from a file are to load it anew."""
        self._changes[path] += 1
        self.surveys.forget(except_for=path)

    def _stamp(self, snapshot: Snapshot) -> int:
        """A number that another one follows when a file other than the document itself has changed on disk."""
        return self._changes.total() - self._changes[snapshot.path]

    # ---- workers

    async def worker(self, root: Path) -> Worker:
        """The worker of a folder. Raises `Unavailable`, also where the folder is not trusted."""
        if not self.trusted(root):
            raise Unavailable(f"The folder {root} is not trusted to run (command mino.trust).")
        folder = self._folder(root)
        try:
            worker = await self.supervisor.worker(root, self._python(root))
        except Unavailable as error:
            if folder.unavailable != str(error):
                folder.unavailable = str(error)
                self.client.tell("error", str(error))
            raise
        folder.unavailable = ""
        if folder.worker is not worker:
            folder.worker = worker
            for note in worker.greeting.result().notes:
                self.client.tell("information", note)
            self._spawn(self._look_for_devices(worker, folder))
        return worker

    def greeting(self, root: Path) -> Ready | None:
        """What the worker of a folder said of itself; None where none is alive."""
        worker = self._folder(root).worker
        return worker.greeting.result() if worker is not None and worker.alive else None

    async def devices(self, root: Path) -> DeviceList:
        """The torch devices of the worker's machine. Raises `Unavailable`."""
        return await self._devices(await self.worker(root))

    async def _devices(self, worker: Worker) -> DeviceList:
        result = await worker.submit(DevicesRequest(self.supervisor.new_job())).result
        if not isinstance(result, DeviceList):
            raise Unavailable(getattr(result, "message", "The devices could not be listed."))
        return result

    async def _look_for_devices(self, worker: Worker, folder: _Folder) -> None:
        try:
            folder.devices = await self._devices(worker)
        except Unavailable:
            return
        for uri in self.uris():
            self.client.changed(uri)

    async def _preview_worker(self, snapshot: Snapshot) -> Worker | None:
        try:
            return await self.worker(snapshot.root)
        except Unavailable:
            self.status("crashed", snapshot.uri)
            self.client.changed(snapshot.uri)
            return None

    async def _expanding_worker(self, snapshot: Snapshot) -> Worker:
        """Whoever may expand macros of a document: without trust one that runs no code of anybody's."""
        return await (self.worker(snapshot.root) if snapshot.trusted else self.supervisor.pure_worker())

    async def restart(self) -> None:
        """End all workers and begin anew."""
        self.callers.clear()
        self.previews.close_all()
        await self.supervisor.close()
        for folder in self._folders.values():
            folder.unavailable = ""
            folder.devices = None
        for uri in self.uris():
            self._refresh(uri)

    async def shut_down(self) -> None:
        self.callers.stop()
        self.previews.close_all()
        self.surveys.close_all()
        for task in self._background:
            task.cancel()
        if self._indexing is not None:
            self._indexing.cancel()
        await self.python_names.close()
        await self.supervisor.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _device(settings: Settings, folder: _Folder) -> str:
    """What a run would be on, in words; empty while that is not known."""
    if settings.device == "auto":
        return folder.devices.default if folder.devices is not None else ""
    return "the device it names" if settings.device == "asWritten" else settings.device
