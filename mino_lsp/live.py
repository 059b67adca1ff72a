"""Previews of the open documents: when one starts, what it told so far, and when it is out of date.

A newer edit stops an older preview at once, so that one that stands alone need not wait: there is a pause before a
preview only while edits follow each other closely, and it grows only while they keep interrupting previews. An edit in
white space and comments evaluates nothing.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from mino_lsp.imported import Imported
from mino_lsp.report import Report, carry_over
from mino_lsp.snapshot import Snapshot
from mino_lsp.submitted import PUBLISH_SECONDS, Rate, Submitted, first_difference, same_forms
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

ALONE_PAUSE, SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.035, 1.0
"""Seconds. An edit that stands alone waits only for what the editor asks at once; one that comes less than the shortest
pause after another waits that long, which is just above the time between two letters of a key that is held down, 33 ms.
"""
CHEAP_SECONDS = 0.1
"""What a preview on shapes alone takes at most when one with real tensors may be tried again."""

TOO_MUCH = 2
"""How often in a row real tensors must have taken too much CPU time before they are not tried first any more: a machine
that is at work, or an import of the first time, can be the reason of one."""

GetWorker = Callable[[Snapshot], Awaitable[Worker | None]]


@dataclass(slots=True)
class _Document:
    """What is known of one open document's previews. `interrupted` says that an edit came while the last one went on,
    `scheduled` when the last edit came; `asked` is the request whose preview ended last, without its text; `exceeded`
    counts how often in a row real tensors took too much CPU time."""

    report: Report | None = None
    cost: float = 0.0
    way: Way = "light"
    exceeded: int = 0
    task: asyncio.Task[None] | None = None
    job: Job | None = None
    worker: Worker | None = None
    interrupted: bool = False
    scheduled: float = -math.inf
    submitted: Submitted | None = None
    asked: PreviewRequest | None = None
    gathering: _Gathering | None = None


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

    def schedule(self, snapshot: Snapshot, at_once: bool = False, edited: bool = False) -> None:
        """Preview this version, after a pause; whatever is under way for an older one is stopped now. `edited`: nothing
        but the text has changed."""
        document = self._documents.setdefault(snapshot.uri, _Document())
        if edited and self._goes_on(snapshot, document):
            return
        now = time.monotonic()
        since, document.scheduled = now - document.scheduled, now
        document.interrupted = document.interrupted or document.job is not None
        self._stop(document)
        if edited and self._is_the_same(snapshot, document):
            return
        if snapshot.tree.problems:
            # Half-typed text: the forms that did not change keep what is known of them.
            self._status("idle", snapshot.uri, None)
            return
        pause = snapshot.settings.debounce
        if pause is None:
            pause = _pause(document, since)
        document.task = asyncio.create_task(self._preview(snapshot, document, 0.0 if at_once else pause))

    def _is_the_same(self, snapshot: Snapshot, document: _Document) -> bool:
        """Whether the forms read as those that the last preview evaluated: then what it told moves with the text."""
        report = document.report
        if report is None or not report.finished:
            return False
        if not same_forms(report.forms, snapshot.forms) or snapshot.tree.problems:
            return False
        if not self._asks_for(document.asked, snapshot):
            return False
        document.report = replace(report, version=snapshot.version)
        self._changed(snapshot.uri)
        return True

    def _goes_on(self, snapshot: Snapshot, document: _Document) -> bool:
        """Whether the forms read as those that are being evaluated: then that goes on, and speaks of this version."""
        gathering = document.gathering
        if document.job is None or gathering is None or snapshot.tree.problems:
            return False
        if not same_forms(gathering.snapshot.forms, snapshot.forms) or not self._asks_for(gathering.asked, snapshot):
            return False
        gathering.snapshot = snapshot
        return True

    def _asks_for(self, asked: PreviewRequest | None, snapshot: Snapshot) -> bool:
        """Whether a request, apart from its text, is that for a document."""
        return asked is not None and asked == _without_text(self._request(snapshot, asked.way, self._others(snapshot)))

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

    def stop_all(self) -> None:
        """Stop what is under way; what was told stays."""
        for document in self._documents.values():
            self._stop(document)

    def close_all(self) -> None:
        for uri in list(self._documents):
            self.close(uri)

    def under_way(self, uri: str) -> bool:
        """Whether a preview is about to tell something of a document that has not been told to its end before."""
        document = self._documents.get(uri)
        if document is None or document.task is None or document.task.done():
            return False
        return document.report is None or not document.report.finished

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
        before, document.submitted = document.submitted, Submitted.of(snapshot, document.submitted)
        submitted = document.submitted
        edited = first_difference(before.source, submitted.source) if before is not None else 0
        gathering = document.gathering = _Gathering(snapshot, submitted, document.report, others)

        def tell_line() -> None:
            self._status("previewing", snapshot.uri, gathering.line())

        def publish() -> None:
            document.report = gathering.report(finished=False)
            if time.monotonic() - started > PUBLISH_SECONDS:
                tell_line()
            self._changed(snapshot.uri)

        showing = Rate(publish)
        dwelling: asyncio.TimerHandle | None = None

        def hear(answer: Answer) -> None:
            nonlocal dwelling
            gathering.hear(answer)
            if isinstance(answer, Facts):
                showing.wish()
            elif isinstance(answer, FormStarted):
                # A form that takes long, and of which nothing is learnt meanwhile.
                if dwelling is not None:
                    dwelling.cancel()
                dwelling = asyncio.get_running_loop().call_later(PUBLISH_SECONDS, tell_line)

        async def evaluate(way: Way) -> Result:
            asked = self._request(snapshot, way, others.values())
            document.worker, gathering.asked = worker, _without_text(asked)
            job = document.job = worker.submit(replace(asked, text=submitted.source, edited=edited), hear)
            result = await asyncio.shield(job.result)
            document.job, document.way, document.asked = None, way, gathering.asked
            return result

        try:
            result = await evaluate(document.way)
            if document.way == "light" and isinstance(result, PreviewResult):
                limit = result.limit
                document.exceeded = document.exceeded + 1 if limit == "cpu" else 0
                if limit in ("cpu", "memory"):
                    # That more was too much is no news: it is seen in the other way.
                    gathering.keep_up_to(result.evaluated)
                    result = await evaluate("heavy")
                    if limit == "cpu" and document.exceeded < TOO_MUCH:
                        document.way = "light"
            elif document.way == "heavy" and isinstance(result, PreviewResult) and result.seconds < CHEAP_SECONDS:
                document.way = "light"
        finally:
            showing.end()
            if dwelling is not None:
                dwelling.cancel()
        document.cost, document.interrupted = time.monotonic() - started, False
        if isinstance(result, PreviewResult):
            document.report = gathering.report(True, result.evaluated, result.stopped)
            self._news(self.imported.take(snapshot.path, result.imported, gathering.elsewhere(result.imported)))
        else:
            message = result.message if isinstance(result, Failed) else "The preview has no result."
            document.report = gathering.report(True, stopped=message)
            document.asked = None
        self._tell_the_end(gathering, result)
        self._changed(snapshot.uri)

    def _tell_the_end(self, gathering: _Gathering, result: Result) -> None:
        """Say how a preview ended, and where it stopped if it did not come to the end."""
        snapshot = gathering.snapshot
        if not isinstance(result, PreviewResult):
            self._status("crashed", snapshot.uri, None)
        elif result.stopped:
            self._status("stopped", snapshot.uri, gathering.line(result.evaluated))
        else:
            self._status("idle", snapshot.uri, None)

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
            main=settings.main,
        )


def _pause(document: _Document, since: float) -> float:
    """How long to wait for another edit, `since` seconds after the last one."""
    if document.interrupted:
        return min(max(SHORTEST_PAUSE, 2 * document.cost), LONGEST_PAUSE)
    return SHORTEST_PAUSE if since < SHORTEST_PAUSE else ALONE_PAUSE


def _without_text(request: PreviewRequest) -> PreviewRequest:
    return replace(request, job=0, text="")


class _Gathering:
    """A report in the making. Until it is finished, what the one before knew of unchanged forms stays.

    `snapshot` is the latest whose forms read as those that are evaluated, and `asked` the request, without its text.
    Facts are kept by file, the document's own under no name, and problems with their file and the beginning of the form
    whose evaluation came upon them."""

    def __init__(
        self, snapshot: Snapshot, submitted: Submitted, before: Report | None, others: Mapping[str, Snapshot]
    ) -> None:
        self.snapshot = snapshot
        self.asked: PreviewRequest | None = None
        self._submitted = submitted
        self._others = others
        self._facts: dict[str, dict[Span, Fact]] = {"": {}}
        self._problems: list[tuple[int, str, Problem]] = []
        self._certain = 0
        self._before = carry_over(before, snapshot.version, submitted.forms) if before is not None else None
        self._at = 0

    def line(self, offset: int | None = None) -> int:
        """The line of the document, from 1, of an offset in the text that is evaluated; else of the form that is."""
        place = self._submitted.place(self._at if offset is None else offset, self.snapshot)
        return self.snapshot.text.position(place, "utf-32")[0] + 1

    def hear(self, answer: Answer) -> None:
        if isinstance(answer, Facts):
            if self._at < self._certain:
                return
            facts = self._facts.setdefault(answer.path, {})
            facts.update((fact.span, fact) for fact in answer.facts)
            self._problems += [(self._at, answer.path, problem) for problem in answer.problems]
        elif isinstance(answer, FormStarted):
            self._at = answer.span.start

    def keep_up_to(self, evaluated: int) -> None:
        """The forms up to an offset were seen as a run has them: what another way tells of them is no news."""
        self._certain = evaluated
        self._at = 0
        self._problems = [one for one in self._problems if one[0] < evaluated]

    def _problems_of(self, path: str) -> tuple[Problem, ...]:
        """Each of a file's once: what a program and an example run into is one."""
        return tuple(dict.fromkeys(problem for _, where, problem in self._problems if where == path))

    def report(self, finished: bool, evaluated: int | None = None, stopped: str = "") -> Report:
        facts, problems = self._facts[""], self._problems_of("")
        if not finished and self._before is not None:
            facts = {**self._before.facts, **facts}
            problems = problems or self._before.problems
        return Report(
            self.snapshot.version,
            self._submitted.forms,
            MappingProxyType(dict(facts)),
            problems,
            self._at if evaluated is None else evaluated,
            finished,
            stopped,
        )

    def elsewhere(self, imported: Sequence[str]) -> dict[str, Report]:
        """What was told of the imported files, by path; of one that is not open, its problems."""
        found = {}
        for path in imported:
            facts, problems = self._facts.get(path, {}), self._problems_of(path)
            other = self._others.get(path)
            if other is not None or problems:
                version, forms = (other.version, other.forms) if other is not None else (0, ())
                found[path] = Report(version, forms, MappingProxyType(facts), problems, 0, True)
        return found
