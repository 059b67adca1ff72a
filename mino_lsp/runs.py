"""Runs of whole programs: started, streamed, stopped. A run outlives edits and ends with the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from mino_lsp.drawn import Drawn
from mino_lsp.report import Report
from mino_lsp.snapshot import Snapshot
from mino_lsp.supervisor import Job
from mino_lsp.types import (
    Answer,
    Credit,
    Fact,
    Facts,
    Failed,
    Output,
    Problem,
    RunRequest,
    RunResult,
    Span,
)
from mino_lsp.workspace import Progress, Workspace

REPORT_SECONDS = 0.2
"""How often a progress may change while a program prints; while it does not, its time is shown every second."""

STOP, LEAVE = "Stop it and run again", "Leave it running"


class RunRefused(Exception):
    """Nothing was run: the text says why."""


@dataclass(slots=True)
class _Run:
    path: str
    job: Job


class Runs:
    """The runs under way."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._runs: dict[int, _Run] = {}

    async def run(self, snapshot: Snapshot, request: RunRequest) -> RunResult:
        """Run a file as saved, which `snapshot` is, to its end; what it told is kept for the document.

        Cancelling this coroutine stops the run, and waits until all its processes are gone. Raises `RunRefused` where
        nothing was run, `Unavailable` without a worker.
        """
        workspace, uri = self._workspace, snapshot.uri
        await self._make_way(request.path, snapshot.settings.again)
        worker = await workspace.worker(snapshot.root)
        shown = _Shown(workspace, request.job)
        began = datetime.now()
        job = shown.job = worker.submit(request, shown.hear)
        self._runs[request.job] = _Run(request.path, job)
        workspace.run_began(request.job, uri)
        try:
            shown.begin(f"Running {Path(request.path).name}")
            result = await asyncio.shield(job.result)
        except asyncio.CancelledError:
            job.stop(2.0)
            await job.result
            raise
        finally:
            del self._runs[request.job]
            ended = job.result.result() if job.result.done() else None
            shown.end(_summary(ended) if isinstance(ended, RunResult) else "not run")
            workspace.run_ended(request.job, uri)
        if isinstance(result, Failed):
            raise RunRefused(result.message)
        assert isinstance(result, RunResult)
        workspace.keep_run(uri, _report(snapshot, shown, result, began))
        return result

    async def _make_way(self, path: str, configured: str) -> None:
        """One file runs once at a time: stop the run that there is, or refuse, as configured or as the user says."""
        while (running := self._running(path)) is not None:
            how = configured
            if how == "ask":
                question = f"{Path(path).name} is running already."
                answer = await self._workspace.client.ask(question, [STOP, LEAVE])
                how = "replace" if answer == STOP else "refuse"
                if answer == LEAVE:
                    raise RunRefused(f"{path} was left running.")
            if how == "refuse":
                told = f"{path} is running already. Stop it first (command mino.stop)."
                raise RunRefused(f'{told} With the setting mino.run.again at "replace", a new run stops the old one.')
            await self.stop(running)

    def _running(self, path: str) -> int | None:
        return next((key for key, run in self._runs.items() if run.path == path), None)

    async def stop(self, run: int | None) -> list[int]:
        """Stop one run, or all. Returns which, when every process of theirs is gone."""
        chosen = [key for key in self._runs if run is None or key == run]
        jobs = [self._runs[key].job for key in chosen]
        for job in jobs:
            job.stop(2.0)
        await asyncio.gather(*(job.result for job in jobs))
        return chosen


def _summary(result: RunResult) -> str:
    how = "stopped" if result.stopped else f"exit code {result.exit_code}"
    return f"{how}, {result.seconds:.1f} s"


def _report(snapshot: Snapshot, shown: _Shown, result: RunResult, began: datetime) -> Report:
    return Report(
        snapshot.version,
        snapshot.forms,
        MappingProxyType(shown.facts),
        (*result.problems, *shown.problems),
        len(snapshot.text),
        True,
        source=f"the run at {began:%H:%M}",
    )


class _Shown:
    """What the user sees of a run while it goes on, and what it tells of its values."""

    def __init__(self, workspace: Workspace, run: int) -> None:
        self._workspace = workspace
        self._run = run
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = self._reported = time.monotonic()
        self._title = ""
        self._drawn = Drawn()
        self._measured = False
        self._ended = ""
        self._progress: Progress | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self.job: Job | None = None
        self.facts: dict[Span, Fact] = {}
        self.problems: list[Problem] = []

    def begin(self, title: str) -> None:
        self._title = title
        self._spawn(self._show(measured=False))
        self._tick()

    def end(self, summary: str) -> None:
        self._ended = summary
        if self._ticking is not None:
            self._ticking.cancel()
        if self._progress is not None:
            self._progress.end(summary)

    def hear(self, answer: Answer) -> None:
        if isinstance(answer, Facts) and not answer.path:
            self.facts.update((fact.span, fact) for fact in answer.facts)
            self.problems += answer.problems
        if not isinstance(answer, Output):
            return
        self._workspace.client.output(self._run, answer.stream, answer.text, answer.rank)
        if not answer.rank:
            self._drawn.add(answer.text)
            if time.monotonic() - self._reported > REPORT_SECONDS:
                self._report()
        self._spawn(self._give_credit(len(answer.text)))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_credit(self, amount: int) -> None:
        """The worker may read on when the client has taken this."""
        await self._workspace.client.drained()
        if self.job is not None:
            self.job.worker.send(Credit(self._run, amount))

    # ---- progress

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(1.0, self._tick)
        if time.monotonic() - self._reported > 0.9:
            self._report()

    def _report(self) -> None:
        if self._progress is None:
            return
        self._reported = time.monotonic()
        line, percentage = self._drawn.look()
        if percentage is not None and not self._measured:
            self._measured = True
            self._spawn(self._show(measured=True))
        share = f"{percentage} %" if percentage is not None else ""
        told = " · ".join(part for part in (_elapsed(self._reported - self._began), share, line[:120]) if part)
        self._progress.report(told, percentage)

    async def _show(self, measured: bool) -> None:
        """Show a progress; a measured one takes the place of the first: a client wants to know at its beginning whether
        it has percentages, and of a program that is known only once it has told one."""
        job = self.job
        assert job is not None
        progress = await self._workspace.client.progress(self._title, lambda: job.stop(2.0), measured)
        if self._ended:
            progress.end(self._ended)
            return
        if self._progress is not None:
            self._progress.end("")
        self._progress = progress
        if measured:
            self._report()


def _elapsed(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02} min"
