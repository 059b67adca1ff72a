"""The life of the worker processes, as the server sees it: started when first needed, restarted after a death.

A job always ends: with its result, or with a sentence that says why there is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mino_lsp.types import (
    PROTOCOL,
    Answer,
    Failed,
    Finished,
    FrameReader,
    Ready,
    Refused,
    Request,
    Result,
    StopRequest,
    frame,
)

MAIN = Path(__file__).parent / "worker" / "__main__.py"

GREETING_SECONDS = 60.0

log = logging.getLogger("mino")


class Unavailable(Exception):
    """There is no worker to be had: the text says why, and what mends it."""


@dataclass(slots=True)
class Job:
    """A request under way. `result` never raises."""

    id: int
    worker: Worker
    result: asyncio.Future[Result]
    on_answer: Callable[[Answer], None] | None

    def stop(self, grace: float = 0.0) -> None:
        """Ask for the end; the result still comes, when every process of the job is gone."""
        if not self.result.done():
            self.worker.send(StopRequest(self.id, grace))


class Worker:
    """One worker process, and the jobs in it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._frames = FrameReader()
        self._jobs: dict[int, Job] = {}
        self.greeting: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, python: str, pure: bool, stdin: int | None) -> Worker:
        """Start a worker under an interpreter. Raises `Unavailable` where it cannot be one."""
        arguments = [str(MAIN), *(["--pure"] if pure else []), *(["--stdin", str(stdin)] if stdin is not None else [])]
        # An option would stop an interpreter that is too old before it can say so.
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        try:
            process = await asyncio.create_subprocess_exec(
                python,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=True,
                pass_fds=() if stdin is None else (stdin,),
            )
        except OSError as error:
            told = f"The interpreter {python} cannot be started: {error.strerror}. Set mino.python to one that can."
            raise Unavailable(told) from error
        worker = cls(process)
        try:
            await asyncio.wait_for(asyncio.shield(worker.greeting), GREETING_SECONDS)
        except TimeoutError as error:
            await worker.close()
            raise Unavailable(f"{python} did not come up within {GREETING_SECONDS:.0f} s.") from error
        except Unavailable:
            await worker.close()
            raise
        return worker

    @property
    def alive(self) -> bool:
        return not self._reading.done()

    def submit(self, request: Request, on_answer: Callable[[Answer], None] | None = None) -> Job:
        """Send a request; `on_answer` hears of all that comes before its end."""
        job = Job(request.job, self, asyncio.get_running_loop().create_future(), on_answer)
        if self.alive:
            self._jobs[job.id] = job
            self.send(request)
        else:
            job.result.set_result(Failed(_DIED))
        return job

    def send(self, request: Request) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(frame(request))

    async def close(self) -> None:
        """End the worker and all below it: it ends by itself when its input closes."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 3.0)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while data := await self._process.stdout.read(1 << 16):
                for message in self._frames.feed(data):
                    self._hear(message)
        except ValueError as error:
            log.error("The worker broke the protocol: %s", error)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if not self.greeting.done():
            self.greeting.set_exception(Unavailable("The worker ended before it could say what is wrong."))
        for job in self._jobs.values():
            if not job.result.done():
                job.result.set_result(Failed(_DIED))
        self._jobs.clear()

    def _hear(self, message: Answer) -> None:
        if isinstance(message, Ready):
            if message.protocol == PROTOCOL:
                self.greeting.set_result(message)
            else:
                self.greeting.set_exception(Unavailable("The worker speaks another version of the protocol."))
        elif isinstance(message, Refused):
            mend = f" This mends it: {message.command}" if message.command else ""
            self.greeting.set_exception(Unavailable(message.message + mend))
        elif isinstance(message, Finished):
            job = self._jobs.pop(message.job, None)
            if job is not None and not job.result.done():
                job.result.set_result(message.result)
        else:
            job = self._jobs.get(message.job)
            if job is not None and job.on_answer is not None:
                job.on_answer(message)


_DIED = "The worker ended unexpectedly. The next request starts a new one."


class Supervisor:
    """The workers: one for each workspace and interpreter, and a pure one that runs no user's code."""

    def __init__(self) -> None:
        self.stdin: int | None = None
        """What runs on several processes read as their standard input, where that is anything."""
        self._workers: dict[tuple[str, str], asyncio.Task[Worker]] = {}
        self._ids = itertools.count(1)

    def new_job(self) -> int:
        return next(self._ids)

    async def worker(self, root: Path, python: str) -> Worker:
        """The worker of a trusted folder. Raises `Unavailable`."""
        return await self._get(str(root), python, pure=False)

    async def pure_worker(self) -> Worker:
        """The worker that expands what is known to be pure, under the server's interpreter. Raises `Unavailable`."""
        return await self._get("", sys.executable, pure=True)

    async def _get(self, root: str, python: str, pure: bool) -> Worker:
        key = (root, python)
        starting = self._workers.get(key)
        failed = starting is not None and starting.done() and (starting.cancelled() or starting.exception() is not None)
        if starting is None or failed or (starting.done() and not starting.result().alive):
            starting = self._workers[key] = asyncio.create_task(Worker.start(python, pure, self.stdin))
        return await asyncio.shield(starting)

    async def restart(self) -> None:
        """End every worker; the next request starts anew."""
        await self.close()

    async def close(self) -> None:
        starting = list(self._workers.values())
        self._workers.clear()
        for task in starting:
            with contextlib.suppress(Unavailable):
                await (await task).close()


def interpreter_of(root: Path) -> str:
    """The interpreter of a trusted folder: its own virtual environment's, else the server's."""
    folder = "Scripts" if os.name == "nt" else "bin"
    own = root / ".venv" / folder / ("python.exe" if os.name == "nt" else "python")
    return str(own) if own.exists() else sys.executable
