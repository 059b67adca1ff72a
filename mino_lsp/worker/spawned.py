"""Processes that are started anew, as where a system has no fork. A thread reads each pipe, another waits for the end.

What the threads find is put on one queue of calls, and is made use of by whoever empties that. Nothing here needs more
than Python has on every system; what a system has beside it is used where it is there.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mino_lsp.types import RunRequest, to_plain

MAIN = Path(__file__).with_name("__main__.py")

Post = Callable[[Callable[[], None]], None]
"""Puts a call on the queue."""


class Reader:
    """A thread that reads a pipe piece by piece, the next one when it may, and closes it at the end. `take` is called
    with each, and with nothing at the end."""

    def __init__(self, descriptor: int, take: Callable[[bytes], None], post: Post) -> None:
        self._descriptor, self._take, self._post = descriptor, take, post
        self._allowed = threading.Semaphore(1)
        self._closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def go_on(self) -> None:
        """The piece that was taken may be followed by the next."""
        self._allowed.release()

    def close(self) -> None:
        """Read no more: only between a piece and `go_on`."""
        self._closed = True
        self._allowed.release()

    def _read(self) -> None:
        data = b"."
        while data:
            self._allowed.acquire()
            if self._closed:
                break
            try:
                data = os.read(self._descriptor, 1 << 16)
            except OSError:
                data = b""
            self._post(functools.partial(self._take, data))
        os.close(self._descriptor)


class Process:
    """A process in a session of its own, where there are such, with pipes for its streams, or another standard input.
    Once it has ended and `bury` was called, `code` is its exit code, negative for a signal; CPU seconds and peak memory
    where they are known."""

    def __init__(
        self,
        command: Sequence[str],
        post: Post,
        ended: Callable[[], None],
        environment: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
        stdin: int = subprocess.PIPE,
    ) -> None:
        self._popen = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            start_new_session=True,
            **(given or {}),
        )
        self.pid = self._popen.pid
        self.code: int | None = None
        self.used, self.peak = 0.0, 0
        self._post, self._ended = post, ended
        threading.Thread(target=self._wait, daemon=True).start()

    def pipes(self) -> tuple[int, ...]:
        """Those of its streams that are pipes, which belong to the caller from now on."""
        streams = self._popen.stdin, self._popen.stdout, self._popen.stderr
        given = tuple(os.dup(stream.fileno()) for stream in streams if stream is not None)
        for stream in streams:
            if stream is not None:
                stream.close()
        return given

    def _wait(self) -> None:
        if hasattr(os, "waitid"):
            # Left unburied, so that its number, which is its group's too, belongs to nobody else yet.
            with contextlib.suppress(ChildProcessError):  # it was killed and buried meanwhile
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._popen.wait()
        self._post(self._ended)

    def signal(self, number: int, group: bool) -> None:
        """Send a signal to it or to its group; nothing where it has just ended, or the system knows no such signals."""
        if self.code is not None or not hasattr(os, "killpg"):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it, and where the system knows groups all of its own."""
        if self.code is not None:
            return
        if hasattr(signal, "SIGKILL"):
            self.signal(signal.SIGKILL, group=True)
            self.signal(signal.SIGKILL, group=False)
        else:
            self._popen.kill()

    def bury(self) -> None:
        """Learn how it ended, waiting for that: only after it has, or was killed. What is left of its group ends."""
        if self.code is not None:
            return
        if hasattr(os, "wait4") and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self.signal(signal.SIGKILL, group=True)
            _, status, usage = os.wait4(self.pid, 0)
            self.code = self._popen.returncode = os.waitstatus_to_exitcode(status)
            self.used, self.peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
        else:
            self.code = self._popen.wait()


def giving(descriptors: Sequence[int]) -> tuple[dict[str, Any], list[int]]:
    """How a process is given descriptors beside its streams: options of `Popen`, and the numbers by which it knows
    them (see `given`)."""
    if sys.platform == "win32":
        import msvcrt

        for descriptor in descriptors:
            os.set_inheritable(descriptor, True)
        handles = [msvcrt.get_osfhandle(descriptor) for descriptor in descriptors]
        return {"startupinfo": subprocess.STARTUPINFO(lpAttributeList={"handle_list": handles})}, handles
    return {"pass_fds": tuple(descriptors)}, list(descriptors)


def given(number: int) -> int:
    """The descriptor that a process was given under a number."""
    if sys.platform == "win32" and number >= 0:
        import msvcrt

        return msvcrt.open_osfhandle(number, os.O_WRONLY)
    return number


def command_of(request: RunRequest, how: str, number: int, scratch: str) -> tuple[list[str], dict[str, str]]:
    """What starts the program of a run in an interpreter of its own, and the environment for that: nothing of it is on
    the command line, which anybody could list. `number` is the descriptor that it tells through."""
    inner = replace(request, environment=replace(request.environment, env={}), prefix=())
    told = json.dumps([number, scratch, to_plain(inner)])
    return [*request.prefix, sys.executable, "-P", str(MAIN), how, told], {**os.environ, **request.environment.env}


def not_started(request: RunRequest, command: str, error: OSError) -> str:
    """Why that could not be started, as a sentence."""
    what = f"The command {command} (setting mino.run.prefix)" if request.prefix else command
    return f"{what} cannot be started: {error.strerror}."
