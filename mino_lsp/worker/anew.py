"""A run where the system has no fork: a new interpreter for each, which has torch to import first."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Callable

from mino_lsp.types import Answer, RunRequest
from mino_lsp.worker.job import Job
from mino_lsp.worker.spawned import Post, Process, Reader, command_of, giving, not_started


class CannotRun(Exception):
    """The program could not be started; the text says why."""


class Anew(Job):
    """A run, its interpreter's process, and the threads that read its pipes."""

    request: RunRequest

    def __init__(self, request: RunRequest, answer: Callable[[Answer], None], post: Post, stdin: int) -> None:
        """Start the program of `request`, which reads `stdin` where there is one. Raises `CannotRun`."""
        super().__init__(request, answer)
        self._exited = False
        self._readers: dict[int, Reader] = {}
        self._held: set[int] = set()
        if self._ranks is not None and not hasattr(os, "mkfifo"):
            raise CannotRun("A run on several processes needs named pipes, which this system does not have.")
        messages, told = os.pipe()
        kept = self._open_ranks(request.nproc) if self._ranks is not None else ()
        options, (number, *_) = giving([told, *kept])
        command, environment = command_of(request, "--anew", number, self._scratch)
        try:
            nothing = subprocess.DEVNULL
            self.process = Process(command, post, self._exit, environment, options, stdin if stdin >= 0 else nothing)
        except OSError as error:
            os.close(messages)
            for descriptor in self.descriptors():
                os.close(descriptor)
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise CannotRun(not_started(request, command[0], error)) from error
        finally:
            for descriptor in (told, *kept):
                os.close(descriptor)
        out, err = self.process.pipes()
        self.listen(messages, out, err)
        for descriptor in self.descriptors():
            self._readers[descriptor] = Reader(descriptor, functools.partial(self._read, descriptor), post)

    def _read(self, descriptor: int, data: bytes) -> None:
        if not self.take(descriptor, data):
            del self._streams[descriptor]
            self._readers[descriptor].close()
            return
        self._held.add(descriptor)
        self._let_read()

    def _let_read(self) -> None:
        for descriptor in self._held & self.readable():
            self._held.remove(descriptor)
            self._readers[descriptor].go_on()

    def credit(self, amount: int) -> None:
        super().credit(amount)
        self._let_read()

    def _exit(self) -> None:
        self._exited = True

    def _has_exited(self) -> bool:
        return self._exited

    def reap(self) -> bool:
        """True when the process was found to have ended just now."""
        if self.ended or not self._exited:
            return False
        self.wait()
        return True

    def wait(self) -> None:
        """Block until the process has ended: only after it has, or was killed."""
        self.process.bury()
        self._code, self._used, self._peak = self.process.code or 0, self.process.used, self.process.peak
        self.ended = True
        shutil.rmtree(self._scratch, ignore_errors=True)

    def kill(self) -> None:
        self.process.kill()

    def _signal(self, number: int, group: bool) -> None:
        self.process.signal(number, group)
