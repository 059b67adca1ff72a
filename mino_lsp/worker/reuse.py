"""The warden of a system without fork, as Windows: processes that are used again and again, and one that waits so that
the next job need not wait for torch. It never runs user code, and does not even import torch.

One loop over a queue that threads fill, and nothing in it that only some systems have.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable
from typing import get_args

from mino_lsp.types import (
    Answer,
    CloseRequest,
    Credit,
    ExpansionRequest,
    Failed,
    Finished,
    FrameReader,
    PreviewRequest,
    Ready,
    Refused,
    Request,
    RunRequest,
    StopRequest,
)
from mino_lsp.worker import linux
from mino_lsp.worker.anew import Anew, CannotRun
from mino_lsp.worker.lent import Lent, Reusable
from mino_lsp.worker.pipe import send
from mino_lsp.worker.spawned import Reader

IDLE_SECONDS = 600.0
MOST = 3
"""Processes for previews, evaluations and expansions: each has a torch of its own."""


class ReusingWarden:
    """The loop over the server's requests, the processes' pipes and their ends. `stdin` is what runs read as their
    standard input, -1 for nothing."""

    def __init__(self, requests: int, answers: int, pure: bool, stdin: int) -> None:
        self._pure, self._stdin = pure, stdin
        self._requests, self._answers = requests, answers
        self._frames = FrameReader()
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._processes: list[Reusable] = []
        self._waiting: deque[Request] = deque()
        self._jobs: dict[int, Lent | Anew] = {}
        self._greeting: Ready | Refused | None = None
        self._again: set[int] = set()
        self._broken = ""
        self._open = True

    def serve(self) -> int:
        """Serve until the server goes. Returns 0, or 3 where the interpreter cannot serve."""
        linux.adopt_orphans()
        idle_since = time.monotonic()
        try:
            self._start()
            self._reader = Reader(self._requests, self._read, self._events.put)
            while self._open:
                now = time.monotonic()
                idle_since = now if self._jobs or self._waiting else idle_since
                if now >= idle_since + IDLE_SECONDS:
                    break
                wakes = [idle_since + IDLE_SECONDS, *(job.next_deadline() for job in self._jobs.values())]
                self._wait(max(0.0, min(wakes) - now))
                for job in list(self._jobs.values()):
                    self._attend(job)
                self._provide()
        except BrokenPipeError:
            pass  # the server is gone
        finally:
            for process in self._processes:
                process.end()
            for job in self._jobs.values():
                if isinstance(job, Anew):
                    job.kill()
                    job.wait()
            linux.end_strays(set())
        return 3 if isinstance(self._greeting, Refused) else 0

    def _wait(self, seconds: float) -> None:
        """Do what is to be done by now, or what is first to be done in so many seconds."""
        for _ in range(max(1, self._events.qsize())):
            try:
                event = self._events.get(timeout=seconds)
            except queue.Empty:
                return
            event()

    def _read(self, data: bytes) -> None:
        if not data:
            self._open = False
            return
        for message in self._frames.feed(data):
            self._take(message)
        self._reader.go_on()

    def _answer(self, answer: Answer) -> None:
        send(self._answers, answer)

    def _fail(self, job: int, message: str) -> None:
        self._answer(Finished(job, Failed(message)))

    # ---- requests

    def _take(self, message: Request) -> None:
        job = self._jobs.get(message.job)
        if isinstance(message, StopRequest):
            if job is not None:
                job.stop(message.grace)
            self._give_up(lambda request: request.job == message.job)
        elif isinstance(message, CloseRequest):
            self._stop(message.path, (PreviewRequest, *get_args(ExpansionRequest)))
        elif isinstance(message, Credit):
            if job is not None:
                job.credit(message.amount)
        elif self._pure and not (isinstance(message, get_args(ExpansionRequest)) and message.pure):
            self._fail(message.job, "This worker runs no code of a document.")
        elif isinstance(message, RunRequest):
            self._run(message)
        else:
            if isinstance(message, PreviewRequest):
                # A newer text makes an older preview pointless. It need not be over before the next one begins.
                self._stop(message.path, (PreviewRequest,))
            self._waiting.append(message)

    def _give_up(self, chosen: Callable[[Request], bool], why: str = "It was stopped.") -> None:
        for request in [request for request in self._waiting if chosen(request)]:
            self._waiting.remove(request)
            self._fail(request.job, why)

    def _stop(self, path: str, kinds: tuple[type, ...]) -> None:
        """What was asked about a document in these ways is not wanted any more."""
        self._give_up(lambda request: isinstance(request, kinds) and getattr(request, "path", "") == path)
        for job in self._jobs.values():
            if isinstance(job.request, kinds) and getattr(job.request, "path", "") == path:
                job.stop(0.0)

    def _run(self, request: RunRequest) -> None:
        try:
            self._jobs[request.job] = Anew(request, self._answer, self._events.put, self._stdin)
        except CannotRun as error:
            self._fail(request.job, str(error))

    # ---- jobs

    def _attend(self, job: Lent | Anew) -> None:
        """Enforce a job's deadlines, and tell its end once all that it wrote was read."""
        job.enforce()
        if isinstance(job, Anew):
            if job.reap():
                self._end_strays()
            over = job.ended and not job.descriptors()
        else:
            process = job.process
            if process.gone and not job.over:
                job.died(process.code or 0)
            over = job.over or job.ended
        if over:
            del self._jobs[job.id]
            if isinstance(job, Lent) and job.lost() and job.id not in self._again:
                self._again.add(job.id)
                self._waiting.appendleft(job.request)
            else:
                self._again.discard(job.id)
                job.finish()

    def _end_strays(self) -> None:
        runs = {job.process.pid for job in self._jobs.values() if isinstance(job, Anew) and not job.ended}
        linux.end_strays(runs | {process.pid for process in self._processes if not process.exited})

    # ---- processes

    def _start(self) -> None:
        self._processes.append(Reusable(self._pure, self._events.put, self._greeted, self._end_strays))

    def _greeted(self, greeting: Ready | Refused) -> None:
        """The first process speaks for all."""
        self._broken = greeting.message if isinstance(greeting, Refused) else ""
        if self._greeting is None:
            self._greeting = greeting
            self._answer(greeting)
            self._open = isinstance(greeting, Ready)

    def _provide(self) -> None:
        """Give what waits to processes that are ready, and have one more in time."""
        for process in [process for process in self._processes if process.gone]:
            self._processes.remove(process)
            if not process.greeted:
                self._despair()
        for request in list(self._waiting):
            ready = [process for process in self._processes if process.ready and process.suits(request)]
            if ready:
                self._waiting.remove(request)
                # One that was used before goes first: the other is for what needs one that was not.
                process = min(ready, key=lambda process: process.fresh)
                self._jobs[request.job] = process.lend(request, self._answer)
        staying = [process for process in self._processes if not process.leaving]
        free = [process for process in staying if process.job is None]
        unserved = any(not any(process.suits(request) for process in free) for request in self._waiting)
        spare = not free and not self._pure and not self._broken
        if (unserved or spare) and len(staying) < MOST:
            self._start()
        elif unserved and free:
            free[0].kill()

    def _despair(self) -> None:
        """A process ended before it was ready: something is broken, and another would fare no better."""
        self._broken = self._broken or "it ended before it was ready."
        if self._greeting is None:
            self._open = False
        self._give_up(lambda request: True, f"Another process cannot be started: {self._broken}")
