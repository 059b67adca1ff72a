"""A job in a fork of the warden's: how that is started, reached and waited for."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from typing import Self

from mino_lsp.types import Answer, Request, RunRequest
from mino_lsp.worker import child
from mino_lsp.worker.job import Job


class Forked(Job):
    """A forked process, its pipes, and how it ends."""

    def __init__(self, request: Request, answer: Callable[[Answer], None]) -> None:
        super().__init__(request, answer)
        self.pid = 0

    @classmethod
    def start(cls, request: Request, answer: Callable[[Answer], None], stdin: int = -1) -> Self:
        """Do `request` in a fork of this process; a run reads `stdin` where there is one."""
        job = cls(request, answer)
        if job._limits:
            job._scratch = tempfile.mkdtemp(prefix="mino-")
        messages, out, err = cls.channel(), os.pipe(), os.pipe()
        writing = job._open_ranks(request.nproc) if job._ranks and isinstance(request, RunRequest) else ()
        parent = os.getpid()
        # An interrupt waits until the child is one: before that it would take the warden's course.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        job.pid = os.fork()
        if job.pid == 0:
            child.enter(request, messages[1], out[1], err[1], parent, job._scratch, writing, stdin)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for descriptor in (*writing, messages[1], out[1], err[1]):
            os.close(descriptor)
        job.listen(messages[0], out[0], err[0])
        return job

    @classmethod
    def channel(cls) -> tuple[int, int]:
        """What the job's messages come through: its end and the process's."""
        return os.pipe()

    def read(self, descriptor: int) -> bool:
        """Take what a pipe holds. False at its end."""
        try:
            data = self._receive(descriptor) if self._streams[descriptor] is None else os.read(descriptor, 1 << 16)
        except ConnectionResetError:
            return False  # its process ended before it had read all that it was told
        return self.take(descriptor, data)

    def _receive(self, descriptor: int) -> bytes:
        """A piece of the messages."""
        return os.read(descriptor, 1 << 16)

    def kill(self) -> None:
        self._signal(signal.SIGKILL, group=True)
        self._signal(signal.SIGKILL, group=False)

    def _signal(self, number: int, group: bool) -> None:
        if self.ended:
            return
        # It may have just ended, or not yet made its group.
        with contextlib.suppress(ProcessLookupError):
            if group:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, number)
                    return
            os.kill(self.pid, number)

    def wait(self) -> None:
        """Block until the process has ended: only after it was killed."""
        if not self.ended:
            _, status, usage = os.wait4(self.pid, 0)
            self._code = os.waitstatus_to_exitcode(status)
            self._used, self._peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
            self.ended = True
        shutil.rmtree(self._scratch, ignore_errors=True)

    def reap(self) -> bool:
        """True when the process was found to have ended just now. What is left of its group ends first."""
        if self.ended or not self._has_exited():
            return False
        self._signal(signal.SIGKILL, group=True)
        self.wait()
        return True

    def _has_exited(self) -> bool:
        # Left unburied, so that its number, which is its group's too, belongs to nobody else yet.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
