"""The warden's side of previews: for each document one process that has run nothing, the checkpoints that came from it,
and at most one evaluation under way.

A request wakes the last checkpoint above the first change. What is doubtful ends the whole, and begins again from
nothing: a checkpoint that does not answer, an evaluation from a checkpoint that crashed or hung, files that changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mino_lsp.types import Answer, EvalRequest, Evaluation, PreviewRequest, frame
from mino_lsp.worker import child, linux
from mino_lsp.worker.forked import Forked
from mino_lsp.worker.job import NEVER
from mino_lsp.worker.reading import state_of
from mino_lsp.worker.sleeper import BURY, WAKE

MOST_CHECKPOINTS = 4
SWEEPING_SECONDS = 2.0
WAKING_SECONDS = 5.0
"""How long a checkpoint may take to fork, and to tell of the end of what it forked."""


@dataclass(eq=False, slots=True)
class Checkpoint:
    """A process that sleeps, the text that it has evaluated, the files that were read on the way, and whether all was
    evaluated as a run would: no loop was left early."""

    pid: int
    control: socket.socket
    prefix: str = ""
    files: dict[str, Any] = field(default_factory=dict)
    whole: bool = True
    used: float = 0.0
    unread: bytes = b""

    def hear(self) -> list[Any] | None:
        """What it has said since; None when it is gone, or says what no checkpoint would."""
        try:
            while data := self.control.recv(1 << 16):
                self.unread += data
        except BlockingIOError:
            *lines, self.unread = self.unread.split(b"\n")
            with contextlib.suppress(ValueError, RecursionError):
                return [json.loads(line) for line in lines]
        except OSError:
            pass
        return None

    def stale(self) -> bool:
        """Whether a file that was read is another now."""
        return any(state_of(path) != seen for path, seen in self.files.items())

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.control.close()


class PreviewJob(Forked):
    """A preview, or an evaluation in what one has made: its process is a checkpoint's child, and no child of the
    warden's."""

    request: PreviewRequest | EvalRequest

    def __init__(self, request: PreviewRequest | EvalRequest, answer: Callable[[Answer], None], resumed: bool) -> None:
        super().__init__(request, answer)
        self.received: list[int] = []
        self._resumed = resumed
        self._gave_way = False
        self._process = -1
        self._reaped = False
        self._killed_at = NEVER

    def wake(self, checkpoint: Checkpoint) -> bool:
        """Have a checkpoint go on with this request. False where it cannot be reached."""
        ours, theirs = socket.socketpair()
        out, err = os.pipe(), os.pipe()
        asked = os.memfd_create("request")
        with os.fdopen(os.dup(asked), "wb") as file:
            file.write(frame(self.request))
        given = [asked, theirs.detach(), out[1], err[1]]
        try:
            socket.send_fds(checkpoint.control, [WAKE], given)
        except OSError:
            return False
        finally:
            for descriptor in given:
                os.close(descriptor)
            self.listen(ours.detach(), out[0], err[0])
        return True

    def abandon(self) -> None:
        """Close what was made for a checkpoint that could not be reached."""
        for descriptor in self.descriptors():
            self.close(descriptor)

    def born(self, pid: int) -> None:
        """Its process is known now."""
        self.forget()
        self.pid = pid
        with contextlib.suppress(ProcessLookupError):
            self._process = os.pidfd_open(pid)
        if self._killed_at != NEVER:
            self.kill()

    def died(self, status: int, cpu: float) -> None:
        self.ended, self._code, self._used = True, os.waitstatus_to_exitcode(status), cpu

    def forget(self) -> None:
        if self._process >= 0:
            os.close(self._process)
            self._process = -1

    def _receive(self, descriptor: int) -> bytes:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 4)
        self.received += descriptors
        return data

    def _signal(self, number: int, group: bool) -> None:
        if number == signal.SIGKILL and self._killed_at == NEVER:
            self._killed_at = time.monotonic()
        if self._process >= 0 and not self.ended:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, number)

    def overdue(self) -> bool:
        """Whether nobody has told of its birth, or of its end after it was killed, for too long."""
        return not self.ended and time.monotonic() > self._due()

    def next_deadline(self) -> float:
        return NEVER if self.ended else min(super().next_deadline(), self._due())

    def _due(self) -> float:
        return min(self._killed_at, NEVER if self.pid else self._started) + WAKING_SECONDS

    def reap(self) -> bool:
        if not self.ended or self._reaped:
            return False
        self._reaped = True
        self.forget()
        return True

    def _has_exited(self) -> bool:
        return self.ended

    def give_way(self) -> None:
        """End, because the document is needed: an evaluation begins anew elsewhere."""
        self._gave_way = not self._stopped
        self.stop(0.0)

    def doubtful(self) -> bool:
        """Whether it ended in a way that what the checkpoint held could be the reason of. An evaluation has other
        limits than a preview, and may have given way."""
        limited = isinstance(self._result, Evaluation) and any(
            problem.code == "preview-limit" for problem in self._result.problems
        )
        if isinstance(self.request, EvalRequest) and self._gave_way and self._result is None:
            return True
        return self._resumed and (self._result is None or limited) and not self._stopped

    def wait(self) -> None:
        """Nothing: its end is waited for by the checkpoint, and that of all by the document."""


class Document:
    """The processes of one document. `forgotten` where they should end with the evaluation that is under way."""

    def __init__(self, request: PreviewRequest, selector: selectors.BaseSelector) -> None:
        self.key = key_of(request)
        self.job: PreviewJob | None = None
        self.used = time.monotonic()
        self.alive = True
        self.forgotten = False
        self._selector = selector
        self._scratch = tempfile.mkdtemp(prefix="mino-")
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            out, err = os.open(os.devnull, os.O_WRONLY), os.open(os.devnull, os.O_WRONLY)
            child.enter(request, theirs.detach(), out, err, parent, self._scratch)
        theirs.close()
        self._root = Checkpoint(pid, ours, "")
        self._checkpoints: list[Checkpoint] = []
        self._add(self._root)

    @property
    def pid(self) -> int:
        """The process that all others come from, which is the warden's child."""
        return self._root.pid

    def evaluate(self, request: PreviewRequest, answer: Callable[[Answer], None]) -> PreviewJob:
        """Wake the last checkpoint above the first change; those below it are of no use any more."""
        self.used = time.monotonic()
        shutil.rmtree(os.path.join(self._scratch, "tmp"), ignore_errors=True)
        for checkpoint in self._checkpoints[1:]:
            if not request.text.startswith(checkpoint.prefix) or checkpoint.stale():
                self._drop(checkpoint)
        for checkpoint in sorted(self._checkpoints, key=lambda known: -len(known.prefix)):
            job = self.job = PreviewJob(request, answer, resumed=checkpoint is not self._root)
            if job.wake(checkpoint):
                checkpoint.used = time.monotonic()
                break
            job.abandon()
            self._drop(checkpoint)
        assert self.job is not None
        return self.job

    def go_on(self, request: EvalRequest, answer: Callable[[Answer], None]) -> PreviewJob | None:
        """Wake the last checkpoint above what is asked for, without one being ended by it; None where there is none, or
        where the document is busy or was previewed in another way."""
        same = all(getattr(self.key, name) == getattr(request, name) for name in _WAY)
        if self.job is not None or not (self.alive and same):
            return None
        above = [
            known
            for known in self._checkpoints[1:]
            if known.whole
            and len(known.prefix) <= request.targets[0].start
            and request.text.startswith(known.prefix)
            and not known.stale()
        ]
        if not above:
            return None
        checkpoint = max(above, key=lambda known: len(known.prefix))
        job = PreviewJob(request, answer, resumed=True)
        if not job.wake(checkpoint):
            job.abandon()
            self._drop(checkpoint)
            return None
        self.job = job
        self.used = checkpoint.used = time.monotonic()
        return job

    def attend(self) -> None:
        """Take in the checkpoints that the evaluation has handed over; end all where nobody answers."""
        job = self.job
        if job is not None and job.overdue():
            self.collapse()
        while job is not None and job.received:
            control = socket.socket(fileno=job.received.pop(0))
            checkpoint = Checkpoint(0, control)
            if len(self._checkpoints) > 2 * MOST_CHECKPOINTS or not self._introduced(checkpoint, job):
                control.close()
                continue
            self._add(checkpoint)
            others = self._checkpoints[1:-1]
            if len(others) >= MOST_CHECKPOINTS:
                self._drop(min(others, key=lambda known: known.used))

    def _introduced(self, checkpoint: Checkpoint, job: PreviewJob) -> bool:
        """Read what a new checkpoint says of itself, which it wrote before it was handed over."""
        checkpoint.control.setblocking(False)
        for told in checkpoint.hear() or ():
            match told:
                case ["slept", int(pid), int(prefix), dict(files), bool(whole)]:
                    known = {other.pid for other in self._checkpoints}
                    if pid == job.pid or linux.parent_of(pid) in known:
                        checkpoint.pid, checkpoint.prefix = pid, job.request.text[:prefix]
                        checkpoint.files, checkpoint.whole = files, whole
                case _ if checkpoint.pid:
                    self._told(checkpoint, told)
        return checkpoint.pid != 0

    def _add(self, checkpoint: Checkpoint) -> None:
        checkpoint.control.setblocking(False)
        checkpoint.used = time.monotonic()
        self._checkpoints.append(checkpoint)
        self._selector.register(checkpoint.control, selectors.EVENT_READ, lambda: self._hear(checkpoint))

    def _drop(self, checkpoint: Checkpoint) -> None:
        self._selector.unregister(checkpoint.control)
        self._checkpoints.remove(checkpoint)
        checkpoint.end()
        if checkpoint is self._root:
            self.alive = False

    def _hear(self, checkpoint: Checkpoint) -> None:
        told = checkpoint.hear()
        for one in told or ():
            self._told(checkpoint, one)
        if told is None and checkpoint in self._checkpoints:
            self._drop(checkpoint)
            if checkpoint is self._root:
                self.collapse()

    def _told(self, checkpoint: Checkpoint, told: Any) -> None:
        job = self.job
        if job is None or job.ended:
            return
        match told:
            case ["born", int(pid)] if linux.parent_of(pid) in (checkpoint.pid, 0):
                job.born(pid)
            case ["ended", int(pid), int(status), float(cpu)] if pid == job.pid:
                job.died(status, cpu)

    def collapse(self) -> None:
        """What cannot be relied on ends as a whole."""
        self.end()
        if self.job is not None:
            self.job.died(signal.SIGKILL, 0.0)

    def sweep(self) -> None:
        """Kill what an evaluation that has ended left behind: its orphans came to the first process."""
        give_up = time.monotonic() + SWEEPING_SECONDS
        while self.alive and time.monotonic() < give_up:
            known = {checkpoint.pid for checkpoint in self._checkpoints}
            strays = [pid for pid in linux.children(self.pid) if pid not in known]
            if not strays:
                break
            for pid in strays:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                self._root.control.send(BURY)
            time.sleep(0.001)
        shutil.rmtree(os.path.join(self._scratch, "tmp"), ignore_errors=True)

    def end(self) -> None:
        """End all of its processes, and remove its files."""
        if self.job is not None:
            self.job.kill()
        for checkpoint in list(self._checkpoints):
            self._drop(checkpoint)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        shutil.rmtree(self._scratch, ignore_errors=True)
        self.alive = False


_WAY = ("environment", "unconfined", "root", "texts", "device", "as_written", "way", "main")
"""What an evaluation shares with the preview that it goes on from."""


def key_of(request: PreviewRequest) -> PreviewRequest:
    """What two requests must share if one may go on from where the other came. (Whether a text names mps decides how
    the whole of it is evaluated.)"""
    return replace(request, job=0, text='"mps' if '"mps' in request.text else "", edited=0)
