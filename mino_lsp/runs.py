"""Runs of whole programs: started, streamed, stopped. A run outlives edits and ends with the server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from mino_lsp.supervisor import Job
from mino_lsp.types import Answer, Credit, Environment, Failed, Output, RunRequest, RunResult
from mino_lsp.workspace import Progress, Workspace

REPORT_SECONDS = 0.2


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

    async def run(self, uri: str, path: str, device: str, environment: Environment) -> tuple[int, RunResult]:
        """Run a file as saved, to its end. Raises `RunRefused` where nothing was run, `Unavailable` without a worker.

        Cancelling this coroutine stops the run, and waits until all its processes are gone.
        """
        if any(run.path == path for run in self._runs.values()):
            raise RunRefused(f"{path} is running already. Stop it first (command mino.stop).")
        workspace = self._workspace
        worker = await workspace.worker(workspace.root_of(uri))
        request = RunRequest(workspace.supervisor.new_job(), path, device, environment)
        shown = _Shown(workspace, request.job)
        job = shown.job = worker.submit(request, shown.hear)
        self._runs[request.job] = _Run(path, job)
        workspace.running += 1
        workspace.status("running", uri)
        try:
            title = f"Running {Path(path).name}"
            shown.progress = await workspace.client.progress(title, lambda: job.stop(2.0))
            result = await asyncio.shield(job.result)
        except asyncio.CancelledError:
            job.stop(2.0)
            await job.result
            raise
        finally:
            del self._runs[request.job]
            ended = job.result.result() if job.result.done() else None
            if shown.progress is not None:
                shown.progress.end(_summary(ended) if isinstance(ended, RunResult) else "not run")
            workspace.running -= 1
            workspace.status("idle", uri)
        if isinstance(result, Failed):
            raise RunRefused(result.message)
        assert isinstance(result, RunResult)
        return request.job, result

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


class _Shown:
    """What the user sees of a run while it goes on."""

    def __init__(self, workspace: Workspace, run: int) -> None:
        self._workspace = workspace
        self._run = run
        self._tasks: set[asyncio.Task[None]] = set()
        self._reported = time.monotonic()
        self.progress: Progress | None = None
        self.job: Job | None = None

    def hear(self, answer: Answer) -> None:
        if not isinstance(answer, Output):
            return
        self._workspace.client.output(self._run, answer.stream, answer.text)
        now = time.monotonic()
        last = answer.text.rstrip().rsplit("\n", 1)[-1].rsplit("\r", 1)[-1]
        if self.progress is not None and last and now - self._reported > REPORT_SECONDS:
            self._reported = now
            self.progress.report(last[:120])
        task = asyncio.create_task(self._give_credit(len(answer.text)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_credit(self, amount: int) -> None:
        """The worker may read on when the client has taken this."""
        await self._workspace.client.drained()
        if self.job is not None:
            self.job.worker.send(Credit(self._run, amount))
