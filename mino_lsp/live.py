"""Previews of the open documents: when one starts, what it told so far, and when it is out of date.

A newer edit stops an older preview at once. The pause before one adapts to what the last one cost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from mino_lsp.imported import Imported
from mino_lsp.report import Report
from mino_lsp.snapshot import Snapshot
from mino_lsp.supervisor import Job, Supervisor, Worker
from mino_lsp.types import (
    Answer,
    CloseRequest,
    Fact,
    Facts,
    Failed,
    FormStarted,
    PreviewRequest,
    PreviewResult,
    Problem,
    Result,
    Span,
    Way,
)
from mino_lsp.uris import path_of, uri_of

SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
PUBLISH_SECONDS = 0.15
"""How often what a running preview has found is shown before it ends."""

CHEAP_SECONDS = 0.1
"""What a preview on shapes alone takes at most when one with real tensors may be tried again."""

GetWorker = Callable[[Snapshot], Awaitable[Worker | None]]


@dataclass(slots=True)
class _Document:
    """What is known of one open document's previews."""

    report: Report | None = None
    cost: float = 0.0
    way: Way = "light"
    task: asyncio.Task[None] | None = None
    job: Job | None = None
    worker: Worker | None = None
    submitted: str = ""


class Previews:
    """The previews of all open documents. `others` gives the documents that a preview may import, `changed` is called
    with a URI when there is news of it."""

    def __init__(
        self,
        supervisor: Supervisor,
        get_worker: GetWorker,
        others: Callable[[Snapshot], Sequence[Snapshot]],
        changed: Callable[[str], None],
        status: Callable[[str, str | None, int | None], None],
    ) -> None:
        self._supervisor = supervisor
        self._get_worker = get_worker
        self._others = others
        self.imported = Imported()
        self._changed = changed
        self._status = status
        self._documents: dict[str, _Document] = {}

    def report(self, uri: str) -> Report | None:
        document = self._documents.get(uri)
        return document.report if document is not None else None

    def schedule(self, snapshot: Snapshot, at_once: bool = False) -> None:
        """Preview this version, after a pause; whatever is under way for an older one is stopped now."""
        document = self._documents.setdefault(snapshot.uri, _Document())
        self._stop(document)
        if snapshot.tree.problems:
            # Half-typed text: the forms that did not change keep what is known of them.
            self._status("idle", snapshot.uri, None)
            return
        pause = snapshot.settings.debounce
        if pause is None:
            pause = min(max(SHORTEST_PAUSE, 2 * document.cost), LONGEST_PAUSE)
        document.task = asyncio.create_task(self._preview(snapshot, document, 0.0 if at_once else pause))

    def close(self, uri: str) -> None:
        document = self._documents.pop(uri, None)
        if document is not None:
            self._stop(document)
            if document.worker is not None:
                document.worker.send(CloseRequest(path_of(uri)))
            self._news(self.imported.forget(path_of(uri)))

    def _news(self, paths: set[str]) -> None:
        for path in paths:
            self._changed(uri_of(path))

    def close_all(self) -> None:
        for uri in list(self._documents):
            self.close(uri)

    async def finished(self, uri: str) -> Report | None:
        """The report of the preview that is under way, when it has ended."""
        document = self._documents.get(uri)
        if document is None or document.task is None:
            return self.report(uri)
        await asyncio.wait([document.task])
        return self.report(uri)

    def _stop(self, document: _Document) -> None:
        if document.task is not None:
            document.task.cancel()
            document.task = None
        if document.job is not None:
            document.job.stop()
            document.job = None

    async def _preview(self, snapshot: Snapshot, document: _Document, pause: float) -> None:
        await asyncio.sleep(pause)
        # A preview that is over at once is not worth a word; the start of a worker is.
        told = asyncio.get_running_loop().call_later(PUBLISH_SECONDS, self._status, "previewing", snapshot.uri, None)
        try:
            await self._evaluate(snapshot, document)
        finally:
            told.cancel()

    async def _evaluate(self, snapshot: Snapshot, document: _Document) -> None:
        worker = await self._get_worker(snapshot)
        if worker is None:
            return
        started = time.monotonic()
        others = {other.path: other for other in self._others(snapshot)}
        gathering = _Gathering(snapshot, document.report, others)
        published = started

        def hear(answer: Answer) -> None:
            nonlocal published
            gathering.hear(answer)
            now = time.monotonic()
            if now - published > PUBLISH_SECONDS:
                published = now
                document.report = gathering.report(finished=False)
                self._status("previewing", snapshot.uri, snapshot.text.position(gathering.at, "utf-32")[0] + 1)
                self._changed(snapshot.uri)

        async def evaluate(way: Way) -> Result:
            source = snapshot.text.source
            edited = _first_difference(document.submitted, source)
            document.submitted, document.worker = source, worker
            request = replace(self._request(snapshot, way, others.values()), edited=edited)
            job = document.job = worker.submit(request, hear)
            result = await asyncio.shield(job.result)
            document.job, document.way = None, way
            return result

        result = await evaluate(document.way)
        if document.way == "light" and isinstance(result, PreviewResult) and result.limit in ("cpu", "memory"):
            # What was seen is true; that more was too much is no news: it is seen in the other way.
            gathering.forget_problems()
            result = await evaluate("heavy")
        elif document.way == "heavy" and isinstance(result, PreviewResult) and result.seconds < CHEAP_SECONDS:
            document.way = "light"
        document.cost = time.monotonic() - started
        if isinstance(result, PreviewResult):
            document.report = gathering.report(True, result.evaluated, result.stopped)
            self._news(self.imported.take(snapshot.path, result.imported, gathering.elsewhere(result.imported)))
        else:
            message = result.message if isinstance(result, Failed) else "The preview has no result."
            document.report = gathering.report(True, stopped=message)
        self._status("idle", snapshot.uri, None)
        self._changed(snapshot.uri)

    def request(self, snapshot: Snapshot) -> PreviewRequest:
        """What would be asked for to preview this document, in the way that did last time."""
        document = self._documents.get(snapshot.uri)
        return self._request(snapshot, document.way if document is not None else "light", self._others(snapshot))

    def _request(self, snapshot: Snapshot, way: Way, others: Iterable[Snapshot]) -> PreviewRequest:
        settings = snapshot.settings
        limits, as_written = settings.limits, settings.device == "asWritten"
        if way == "light":
            limits = replace(limits, cpu=max(1, limits.cpu // 5), memory=limits.memory // 2)
        return PreviewRequest(
            self._supervisor.new_job(),
            snapshot.path,
            snapshot.text.source,
            snapshot.environment,
            limits,
            settings.unconfined,
            str(snapshot.root),
            tuple((other.path, other.text.source) for other in others),
            device="cpu" if as_written or not snapshot.device else snapshot.device,
            as_written=as_written,
            way=way,
        )


def _first_difference(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


class _Gathering:
    """A report in the making. Until it is finished, what the one before knew of unchanged forms stays."""

    def __init__(self, snapshot: Snapshot, before: Report | None, others: Mapping[str, Snapshot]) -> None:
        self._snapshot = snapshot
        self._others = others
        self._elsewhere: dict[str, tuple[dict[Span, Fact], list[Problem]]] = {}
        self._before = snapshot.with_report(before).live if before is not None else None
        self._facts: dict[Span, Fact] = {}
        self._problems: list[Problem] = []
        self.at = 0

    def hear(self, answer: Answer) -> None:
        if isinstance(answer, Facts):
            here = self._facts, self._problems
            facts, problems = self._elsewhere.setdefault(answer.path, ({}, [])) if answer.path else here
            facts.update((fact.span, fact) for fact in answer.facts)
            problems += answer.problems
        elif isinstance(answer, FormStarted):
            self.at = answer.span.start

    def forget_problems(self) -> None:
        self._problems.clear()

    def report(self, finished: bool, evaluated: int | None = None, stopped: str = "") -> Report:
        facts, problems = self._facts, tuple(self._problems)
        if not finished and self._before is not None:
            facts = {**self._before.facts, **facts}
            problems = problems or self._before.problems
        return Report(
            self._snapshot.version,
            self._snapshot.forms,
            MappingProxyType(dict(facts)),
            problems,
            self.at if evaluated is None else evaluated,
            finished,
            stopped,
        )

    def elsewhere(self, imported: Sequence[str]) -> dict[str, Report]:
        """What was told of the imported files, by path; of one that is not open, its problems."""
        found = {}
        for path in imported:
            facts, problems = self._elsewhere.get(path, ({}, []))
            other = self._others.get(path)
            if other is not None or problems:
                version, forms = (other.version, other.forms) if other is not None else (0, ())
                found[path] = Report(version, forms, MappingProxyType(facts), tuple(problems), 0, True)
        return found
