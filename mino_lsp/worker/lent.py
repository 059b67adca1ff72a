"""A process that does one job after the other, and a job that it was lent for.

It says that it is ready, takes a request, answers it, and looks at itself: it is ready again, or it ends because
something of the job would stay.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable

from mino_lsp.types import (
    Answer,
    DevicesRequest,
    EvalRequest,
    FormStarted,
    FrameReader,
    InspectRequest,
    PreviewRequest,
    Ready,
    Refused,
    Request,
    frame,
)
from mino_lsp.worker import linux
from mino_lsp.worker.job import NEVER, Job
from mino_lsp.worker.spawned import MAIN, Post, Process, Reader
from mino_lsp.worker.stopping import STARTING_SECONDS

_STARTS = (PreviewRequest, EvalRequest, InspectRequest)
"""What imports more of Mino before it comes to the user's code, and says when it does."""

STOPPING_SECONDS = 0.25
"""How long a job that nobody waits for may go on: one that is over by then has cost no process. It is not interrupted,
for what an interrupt leaves half done in a library would be there for the next job."""

CPU_SLACK = 2.0
"""Seconds: the system counts CPU time in whole ones, and then a session has a moment to say where it is."""


class Lent(Job):
    """A job in a process that had others before, and may have others after."""

    def __init__(self, request: Request, answer: Callable[[Answer], None], process: Reusable) -> None:
        super().__init__(request, answer)
        self.process = process
        self._used_before = linux.cpu_seconds(process.pid)
        self._look_at = self._started + self._limits.cpu + CPU_SLACK if self._limits else NEVER
        self.over = False
        self.begun = False
        """Whether the process has said anything of it."""

    def _hear(self, message: Answer, rank: int | None = None) -> None:
        self.begun = True
        if isinstance(message, Ready):
            self.over = True
        elif not isinstance(message, Refused):  # it says why it ends, which is nobody's concern
            starts = isinstance(message, FormStarted) and not self._evaluating_since
            super()._hear(message, rank)
            if starts and self._limits:
                self._used_before = linux.cpu_seconds(self.process.pid)
                self._look_at = time.monotonic() + self._limits.cpu + CPU_SLACK

    def stop(self, grace: float) -> None:
        if not self.ended and not self.over:
            self._stopped = True
            self._kill_at = min(self._kill_at, time.monotonic() + STOPPING_SECONDS)

    def next_deadline(self) -> float:
        return NEVER if self.over else min(super().next_deadline(), self._look_at)

    def enforce(self) -> None:
        if self.over or self.ended:
            return
        super().enforce()
        now = time.monotonic()
        if self._limits and now >= self._look_at:
            starting = STARTING_SECONDS if isinstance(self.request, _STARTS) and not self._evaluating_since else 0
            left = self._limits.cpu + CPU_SLACK + starting - (linux.cpu_seconds(self.process.pid) - self._used_before)
            if left <= 0:
                self._limit = self._limit or "cpu"
                self.kill()
            self._look_at = now + max(left, CPU_SLACK / 4)

    def lost(self) -> bool:
        """Whether its process ended before it had begun, as one does that the system killed while it waited."""
        return self.ended and not (self.begun or self._stopped or self._limit)

    def died(self, code: int) -> None:
        self.ended, self._code = True, code

    def kill(self) -> None:
        self.process.kill()

    def _has_exited(self) -> bool:
        return self.ended

    def _signal(self, number: int, group: bool) -> None:
        self.process.signal(number, group)


class Reusable(Process):
    """Such a process as the warden knows it. `heard` takes the first thing that it says, `buried` is called once it has
    ended."""

    def __init__(
        self, pure: bool, post: Post, heard: Callable[[Ready | Refused], None], buried: Callable[[], None]
    ) -> None:
        self.scratch = tempfile.mkdtemp(prefix="mino-")
        command = [sys.executable, "-P", str(MAIN), "--reused", self.scratch, *(["--pure"] if pure else [])]
        super().__init__(command, post, self._exit)
        self._heard, self._buried = heard, buried
        self._requests, self._messages, self._output = self.pipes()
        self._frames = FrameReader()
        self._open = 2
        self._messages_reader = Reader(self._messages, self._hear, post)
        self._output_reader = Reader(self._output, self._heed, post)
        self.ready = False
        """Whether it takes a job."""
        self.fresh = True
        """Whether it has never had one."""
        self.exited = self.leaving = self.greeted = False
        self.job: Lent | None = None

    @property
    def gone(self) -> bool:
        """Whether it has ended and all that it said was heard."""
        return self.exited and self._open == 0

    def suits(self, request: Request) -> bool:
        """Whether it can do a job. What asks drivers needs a process that writing is not yet taken from."""
        return self.fresh or not isinstance(request, DevicesRequest)

    def lend(self, request: Request, answer: Callable[[Answer], None]) -> Lent:
        """Give it a job; only when it is ready."""
        self.ready = self.fresh = False
        self.job = job = Lent(request, answer, self)
        job.listen(self._messages, self._output, self._output)
        data = frame(request)
        try:
            while data:
                data = data[os.write(self._requests, data) :]
        except OSError:
            self.leaving = True  # it has just ended: its job is told so when that is known
        return job

    def kill(self) -> None:
        self.leaving = True
        super().kill()

    def _hear(self, data: bytes) -> None:
        job = self.job
        if job is not None:
            if job.take(self._messages, data):
                if job.over:
                    self.ready, self.job = not self.leaving, None
                self._messages_reader.go_on()
            else:
                self._end_of(self._messages_reader)
        else:
            self._take_greeting(data)

    def _take_greeting(self, data: bytes) -> None:
        try:
            messages = self._frames.feed(data)
        except ValueError:
            self.kill()
            messages = []
        for message in messages:
            self.ready = self.greeted = isinstance(message, Ready)
            self._heard(message)
        if data and not self.leaving:
            self._messages_reader.go_on()
        else:
            self._end_of(self._messages_reader)

    def _heed(self, data: bytes) -> None:
        if self.job is not None:
            self.job.take(self._output, data)
        if data:
            self._output_reader.go_on()
        else:
            self._end_of(self._output_reader)

    def _end_of(self, reader: Reader) -> None:
        reader.close()
        self._open -= 1
        self.leaving, self.ready = True, False

    def _exit(self) -> None:
        self.exited = self.leaving = True
        self.ready = False
        self.bury()
        os.close(self._requests)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._buried()

    def end(self) -> None:
        """End it, and wait for that."""
        if not self.exited:
            self.kill()
            self._exit()
