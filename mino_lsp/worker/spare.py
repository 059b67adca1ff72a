"""A fork that is made beforehand, by a checkpoint that is likely to be woken again soon.

The memory that a fork shares is its own only once it is written to: the first form that a new process compiles takes it
longer than the fork itself. A spare one has done that already, and waits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable

from mino_lsp.worker import linux

SPARE_SECONDS = 60.0
"""How long a spare fork waits."""

NEVER = float("inf")


class Spare:
    """The spare fork of this process, if there is one. `fork` makes one, `warm_up` touches the memory that it will
    need."""

    def __init__(self, fork: Callable[[], int], warm_up: Callable[[], None]) -> None:
        self._fork, self._warm_up = fork, warm_up
        self._pid = 0
        self._end: socket.socket | None = None
        self._due = NEVER

    def wish(self) -> None:
        """There should be one: the pause before the next preview is time enough to make it."""
        if not self._pid:
            self._due = time.monotonic()

    def patience(self) -> float | None:
        """In how many milliseconds there is something to do; None for never."""
        return None if self._due == NEVER else max(0.0, 1000 * (self._due - time.monotonic()))

    def attend(self, control: socket.socket) -> list[int] | None:
        """Make it when it is due, and end it when it was not needed for long. In the spare fork itself, which lets go
        of `control`, this returns when it is to go on: what it was given."""
        if time.monotonic() < self._due:
            return None
        self._due = NEVER
        if self._pid:
            self._kill()
            return None
        me = os.getpid()
        ours, theirs = socket.socketpair()
        pid = self._fork()
        if pid:
            theirs.close()
            self._pid, self._end, self._due = pid, ours, time.monotonic() + SPARE_SECONDS
            return None
        ours.close()
        control.close()
        linux.die_with_parent(me, signal.SIGKILL)
        with contextlib.suppress(BaseException):  # what the user's code has replaced may be in the way
            self._warm_up()
        with theirs:
            _, descriptors, _, _ = socket.recv_fds(theirs, 1, 4)
        if len(descriptors) != 4:
            os._exit(0)
        return descriptors

    def take(self, descriptors: list[int]) -> int:
        """Have it go on, with these. Returns its number, 0 where there is none."""
        pid, self._due = self._pid, NEVER
        if not pid or self._end is None:
            return 0
        with contextlib.suppress(OSError):
            socket.send_fds(self._end, [b"."], descriptors)
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                self.leave()
                self._pid = 0
                return pid
        self._kill()
        return 0

    def leave(self) -> None:
        """Close this process' end: it is another fork that goes on, or the spare one needs nothing more."""
        if self._end is not None:
            self._end.close()
            self._end = None

    def _kill(self) -> None:
        self.leave()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self._pid = 0
