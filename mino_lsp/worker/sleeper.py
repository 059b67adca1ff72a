"""Checkpoints: a process that keeps a document's state as it was after a form, and sleeps.

A session that reaches such a place becomes the checkpoint itself, and a fork of it goes on. When the document is edited
below, the warden wakes the checkpoint: it forks again, and the child goes on from there with the new text. The first
one, from which all others come, sleeps before anything of the document was run.

What the checkpoint tells the warden, as lines of JSON on a socket of its own: `["slept", pid, prefix, files, whole]`,
that the text up to `prefix` is done, which files were read, and whether all was evaluated as a run would;
`["born", pid]`, who goes on; `["ended", pid, status, cpu]`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import select
import signal
import socket
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass

from mino_lsp.types import EvalRequest, Facts, FrameReader, PreviewRequest
from mino_lsp.worker import linux, stopping
from mino_lsp.worker.pipe import Pipe
from mino_lsp.worker.reading import FilesRead
from mino_lsp.worker.spare import Spare

Woken = PreviewRequest | EvalRequest
"""What a checkpoint is woken for."""

WAKE, BURY = b"w", b"b"
"""What the warden asks: go on in a fork (four descriptors come along), and wait for what has ended."""

MOST_SCRATCH = 16 * 1024 * 1024
"""Bytes of scratch files that a checkpoint keeps beside it; with more of them there is none."""

MOST_TOLD = 100_000
"""Bytes that a checkpoint says of itself: what a socket holds without anyone reading."""


@dataclass(slots=True)
class Sleeper:
    """This process, as one that can become a checkpoint. `warm_up` touches the memory that every evaluation needs;
    `sound` is what the process looked like before user code ran."""

    pipe: Pipe
    scratch: str
    compiled: str
    warm_up: Callable[[], None]
    forks: bool = True
    _sound: tuple[object, ...] = ()
    _read: FilesRead | None = None
    _soft: int = resource.RLIM_INFINITY
    _spent: float = 0.0

    def begin_life(self) -> None:
        """Give the evaluation its CPU time. Remember what a process that can be forked looks like, and from now on
        which files it reads."""
        self._spent = -stopping.begin(self._soft)
        self._read = FilesRead(os.path.dirname(self.scratch))
        self._sound = _look()

    def fit(self) -> bool:
        """Whether a fork of this process would go on as it would itself: one thread, no children, no open files, no
        timers or signal handlers, no memory that is shared."""
        return bool(self._sound) and _look() == self._sound and _size(self.scratch) <= MOST_SCRATCH

    def checkpoint(self, prefix: int, whole: bool) -> Woken | None:
        """Make this moment one that can be gone back to. Returns in the process that goes on, None where that is the
        same evaluation, and the new request where the checkpoint was woken."""
        try:
            kept = _contents(self.scratch)
        except OSError:
            return None
        parent = os.getpid()
        assert self._read is not None
        told = _line(["slept", parent, prefix, self._read.so_far(), whole])
        if len(told) > MOST_TOLD:
            return None
        ours, theirs = socket.socketpair()
        ours.sendall(told)
        self.pipe.hand_over(Facts(self.pipe.job, ()), theirs.fileno())
        theirs.close()
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = self._spent + used.ru_utime + used.ru_stime
        child = _fork()
        if child == 0:
            ours.close()
            self._spent = spent
            _begin_life(parent, self._soft, spent)
            return None
        _tell(ours, ["born", child])
        self.pipe.silence()
        request = self.sleep(ours, child)
        _restore(kept)
        return request

    def sleep(self, control: socket.socket, child: int = 0) -> Woken:
        """Be a checkpoint, until the warden closes its end. Returns in each process that it is woken to."""
        handler = signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        linux.die_with_parent(os.getppid(), 0)
        if child:  # what it leaves behind goes to the first of this document's processes, which has no child yet
            linux.adopt_orphans(False)
        else:
            random.setstate(_RANDOM)
        me = os.getpid()
        # What has run nothing of the document yet has no spare fork: all that it leaves behind is swept up.
        spare = Spare(_fork, self.warm_up) if child else None
        woken = False
        left: list[int] = []
        while True:
            watched = select.poll()
            watched.register(control, select.POLLIN)
            if child:
                process = os.pidfd_open(child)
                watched.register(process, select.POLLIN)
            ready = {descriptor for descriptor, _ in watched.poll(spare.patience() if spare is not None else None)}
            if child:
                os.close(process)
                if process in ready:
                    _bury(control, child)
                    child = 0
                    if spare is not None and woken:
                        spare.wish()
            given = spare.attend(control) if spare is not None and not child else None
            if given is not None:
                descriptors = given
                break
            left = [pid for pid in left if os.waitpid(pid, os.WNOHANG)[0] == 0]
            if control.fileno() not in ready:
                continue
            command, descriptors, _, _ = socket.recv_fds(control, 1, 4)
            if not command:
                os._exit(0)
            if command == BURY:
                _bury_strays(child, left)
            elif len(descriptors) == 4:
                if child:  # a checkpoint itself, which the warden has ended or will
                    left.append(child)
                child = (spare.take(descriptors) if spare is not None else 0) or _fork()
                if child == 0:
                    if spare is not None:
                        spare.leave()
                    break
                woken = True
                _tell(control, ["born", child])
                for descriptor in descriptors:
                    os.close(descriptor)
        control.close()
        request = self._take(descriptors)
        self._spent = 0.0
        self._soft = request.limits.cpu
        signal.signal(signal.SIGXCPU, handler)
        # One that has run nothing yet gets its time when it does.
        _begin_life(me, self._soft + (0 if self._sound else stopping.STARTING_SECONDS), 0.0)
        os.makedirs(self.scratch, exist_ok=True)
        return request

    def _take(self, descriptors: list[int]) -> Woken:
        asked, messages, out, err = descriptors
        with os.fdopen(asked, "rb") as file:
            file.seek(0)
            (request,) = FrameReader().feed(file.read())
        for source, target in ((out, 1), (err, 2), (messages, self.pipe.descriptor)):
            if target < 0:
                self.pipe.descriptor = source
            else:
                os.dup2(source, target, inheritable=target <= 2)
                os.close(source)
        assert isinstance(request, Woken)
        self.pipe.job = request.job
        return request


_RANDOM = random.getstate()
"""What every document's process begins with: the module seeds itself in each fork."""


def _fork() -> int:
    """Fork with the state of Python's random numbers as it is."""
    state = random.getstate()
    child = os.fork()
    if child == 0:
        random.setstate(state)
    return child


def _begin_life(parent: int, cpu: int, spent: float) -> None:
    """What an evaluator does first: a session of its own, its end with its parent's, its own CPU time."""
    os.setsid()
    linux.die_with_parent(parent, signal.SIGKILL)
    linux.adopt_orphans()
    linux.signal_none_above()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = cpu + 1 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_CPU, (min(max(1, round(cpu - spent)), most), most))


def _line(what: list[object]) -> bytes:
    return json.dumps(what).encode() + b"\n"


def _tell(control: socket.socket, what: list[object]) -> None:
    control.sendall(_line(what))


def _bury(control: socket.socket, child: int) -> None:
    """End what is left of a child's group and tell how the child ended."""
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    _tell(control, ["ended", child, status, used.ru_utime + used.ru_stime])


def _bury_strays(child: int, left: list[int]) -> None:
    """Wait for what has ended and was left to this process by others."""
    for pid in linux.children(os.getpid()):
        if pid != child and pid not in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _look() -> tuple[object, ...]:
    """All of this process that a fork would not carry over, or would share."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        shared = sum(line.split(None, 2)[1].endswith("s") for line in maps)
    handlers = tuple(signal.getsignal(number) for number in signal.valid_signals())
    timers = tuple(signal.getitimer(which)[0] for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL))
    return (
        len(os.listdir("/proc/self/task")) == 1,
        linux.children(os.getpid()),
        sorted(os.listdir("/proc/self/fd")),
        os.getcwd(),
        shared,
        handlers,
        timers,
        signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        sys.gettrace(),
        # What is called while it sleeps: who replaces one of these is not gone back to.
        (os.fork, os.dup2, os.waitid, os.wait4, socket.socket, select.poll, json.dumps, open),
    )


def _size(folder: str) -> int:
    return sum(os.lstat(os.path.join(where, name)).st_size for where, _, names in os.walk(folder) for name in names)


def _contents(folder: str) -> list[tuple[str, bytes | None]]:
    """The folders below a folder, and the files with what is in them. Raises `OSError` where there is anything else."""
    found: list[tuple[str, bytes | None]] = []
    for where, folders, names in os.walk(folder):
        found += [(os.path.join(where, name), None) for name in folders]
        for name in names:
            if not stat.S_ISREG(os.lstat(os.path.join(where, name)).st_mode):
                raise OSError(f"{name} is no file that can be copied")
            with open(os.path.join(where, name), "rb") as file:
                found.append((os.path.join(where, name), file.read()))
    return found


def _restore(contents: list[tuple[str, bytes | None]]) -> None:
    for path, data in contents:
        if data is None:
            os.makedirs(path, exist_ok=True)
        else:
            with open(path, "wb") as file:
                file.write(data)
