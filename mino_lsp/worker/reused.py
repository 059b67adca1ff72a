"""What a process does that is used again and again: a job, a look at what stays of it, and the next.

The namespaces of a job are its own, and what else it changes is put back (`footing`). What cannot be put back for sure
ends the process: the warden has another.
"""

from __future__ import annotations

import _thread
import contextlib
import contextvars
import importlib
import math
import os
import queue
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from mino_lsp.types import (
    DevicesRequest,
    EvalRequest,
    ExpansionRequest,
    Failed,
    Finished,
    InspectRequest,
    Limits,
    PreviewRequest,
    PreviewResult,
    Ready,
    Refused,
    Result,
)
from mino_lsp.worker import linux, stopping
from mino_lsp.worker.greeting import greet, warm_up_further
from mino_lsp.worker.pipe import Pipe, receive, send
from mino_lsp.worker.surroundings import UNCONFINED, Unusable, look_only, open_streams

SETTLED_SECONDS = 0.2
"""How long nothing is asked before the time is used to import what only some programs need."""


class Unforked:
    """This process as one that an evaluation may ask nothing of."""

    forks = False
    compiled = ""

    def __init__(self, pipe: Pipe, cpu: int) -> None:
        self.pipe, self._cpu = pipe, cpu

    def begin_life(self) -> None:
        """Give the job its CPU time; nobody goes on from here."""
        stopping.begin(self._cpu)

    def fit(self) -> bool:
        return False

    def checkpoint(self, prefix: int, whole: bool) -> None:
        return None


class Inbox:
    """The requests of the warden, one at a time. No thread of ours is there while a job is done."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._found: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reading = False

    def next(self, patience: float | None) -> Any:
        """The next request, None when there are no more. Raises `queue.Empty` if none comes in so many seconds."""
        if not self._reading and patience is None:
            return receive(self._descriptor)
        if not self._reading:
            self._reading = True
            _thread.start_new_thread(lambda: self._found.put(receive(self._descriptor)), ())
        found = self._found.get(timeout=patience)
        self._reading = False
        return found


class Reused:
    """This process: `scratch` is the one folder that its jobs may write to."""

    def __init__(self, requests: int, answers: int, scratch: str, pure: bool) -> None:
        self._inbox, self._answers = Inbox(requests), answers
        self._scratch, self._pure = scratch, pure
        self._confined: bool | None = None

    def serve(self) -> int:
        """Take jobs until there are no more, or one leaves something behind. Returns the exit code."""
        tempfile.tempdir = self._scratch
        linux.end_with_parent()
        linux.adopt_orphans()
        greeting = greet(self._pure)
        send(self._answers, greeting)
        if isinstance(greeting, Refused):
            return 3
        if self._pure:
            # What is known to be pure leaves nothing behind.
            while (request := self._inbox.next(None)) is not None:
                self._do(request)
                send(self._answers, greeting)
            return 0
        return self._serve(greeting)

    def _serve(self, greeting: Ready) -> int:
        from mino_lsp.worker import modes
        from mino_lsp.worker.footing import Footing

        for name in ("mino.mu", "mino.spec", "mino.thread"):
            importlib.import_module(name)  # they change how Hy's files are compiled, which is no job's doing
        _seed()
        footing = Footing()
        patience: float | None = SETTLED_SECONDS
        while True:
            try:
                request = self._inbox.next(patience)
            except queue.Empty:
                patience = None
                warm_up_further()
                footing = Footing(listening=True)
                continue
            if request is None:
                return 0
            left = contextvars.copy_context().run(self._do, request)
            while modes.entered:
                modes.entered.pop()()
            left = left or footing.regain()
            if left:
                send(self._answers, Refused(left, ""))
                return 0
            shutil.rmtree(self._temporary, ignore_errors=True)
            send(self._answers, greeting)

    @property
    def _temporary(self) -> str:
        return os.path.join(self._scratch, "tmp")

    def _do(self, request: Any) -> str:
        """Do a job, and tell what came of it. Returns why this process cannot do another, if so."""
        result: Result
        try:
            result = self._result(request)
        except Unusable as error:
            result = Failed(str(error))
        except BaseException as error:  # noqa: BLE001 - the end of the process: a defect of ours is reported as one
            send(self._answers, Finished(request.job, Failed(f"Mino's worker failed: {type(error).__name__}: {error}")))
            return "It failed."
        send(self._answers, Finished(request.job, result))
        if isinstance(request, DevicesRequest):
            return "It has asked drivers."
        if self._pure:
            return ""
        from mino_lsp.worker.patience import GivenUp
        from mino_lsp.worker.stopping import Stopped

        limited = Stopped.raised or GivenUp.raised or (isinstance(result, PreviewResult) and result.limit)
        return "A limit was reached." if limited else ""

    def _result(self, request: Any) -> Result:
        publish = Pipe(self._answers, request.job)
        if isinstance(request, DevicesRequest):
            from mino_lsp.worker import devices

            return devices.list_devices()
        if isinstance(request, ExpansionRequest) and request.pure:
            return _expansion(request, publish)
        os.makedirs(self._temporary, exist_ok=True)
        look_only(request.environment, request.path, self._temporary)
        open_streams()  # `exit` closes one of them
        if not (self._confine() or request.unconfined):
            raise Unusable(UNCONFINED)
        starts = isinstance(request, PreviewRequest | EvalRequest | InspectRequest)
        with _limited(request.limits, stopping.STARTING_SECONDS if starts else 0):
            if isinstance(request, PreviewRequest):
                from mino_lsp.worker import session

                return session.preview(request, Unforked(publish, request.limits.cpu))
            if isinstance(request, EvalRequest):
                from mino_lsp.worker import evaluate

                return evaluate.evaluate(request, publish)
            if isinstance(request, InspectRequest):
                from mino_lsp.worker import inspecting

                return inspecting.inspect(request, publish)
            return _expansion(request, publish)

    def _confine(self) -> bool:
        """Make this process one that may look and not touch, from now on. False where the system cannot enforce it."""
        if self._confined is None:
            self._confined = linux.confine(self._scratch)
            if hasattr(os, "nice"):
                os.nice(10)
        return self._confined


def _seed() -> None:
    """Begin with the random numbers that all processes of one warden begin with: which one does a job shows nowhere."""
    import numpy
    import torch

    random.seed(os.getppid())
    numpy.random.seed(os.getppid() % (1 << 32))
    torch.default_generator.manual_seed(os.getppid())


def _expansion(request: ExpansionRequest, publish: Pipe) -> Result:
    from mino_lsp.worker import expand, macros

    return expand.answer(request, macros.Macros.above(request, publish), publish)


@contextlib.contextmanager
def _limited(limits: Limits, starting: int) -> Iterator[None]:
    """What the system limits, for one job: CPU time and memory beyond what was used before. `starting` seconds are for
    what comes before the user's code, which then gets its own (`stopping.begin`)."""
    try:
        import resource
    except ImportError:
        yield
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: math.ceil(used.ru_utime + used.ru_stime) + limits.cpu + starting,
    }
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            wanted[resource.RLIMIT_AS] = int(statm.read().split()[0]) * resource.getpagesize() + limits.memory
    before = {which: resource.getrlimit(which) for which in wanted}
    for which, most in wanted.items():
        hard = before[which][1]
        resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        yield
    finally:
        for which, both in before.items():
            resource.setrlimit(which, both)
