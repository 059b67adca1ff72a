"""What a forked child of the warden's does: cut itself off, take on limits and an environment, do its one task, end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
from typing import NoReturn

from mino_lsp.types import (
    ConfinedRequest,
    DevicesRequest,
    EvalRequest,
    Evaluation,
    ExpandRequest,
    ExpansionRequest,
    Failed,
    Finished,
    InspectRequest,
    Limits,
    PreviewRequest,
    PreviewResult,
    PythonRequest,
    Request,
    RunRequest,
    SurveyRequest,
)
from mino_lsp.worker import linux, stopping
from mino_lsp.worker.pipe import Pipe
from mino_lsp.worker.sleeper import Sleeper
from mino_lsp.worker.surroundings import UNCONFINED, Unusable, look_only, open_streams


def enter(
    request: Request,
    messages: int,
    out: int,
    err: int,
    parent: int,
    scratch: str,
    kept: tuple[int, ...] = (),
    stdin: int = -1,
) -> NoReturn:
    """Do the task of `request` and end the process, whatever happens. The descriptors `kept` stay open in it. For a
    preview `messages` is the socket on which the warden wakes this process, which sleeps before anything of the
    document is run and lives on in its forks."""
    code = 1
    pipe = Pipe(messages, request.job)
    try:
        _cut_off(messages, out, err, parent, kept, stdin if isinstance(request, RunRequest) else -1)
        code = _preview(request, pipe, scratch) if isinstance(request, PreviewRequest) else _do(request, pipe, scratch)
    except Unusable as error:
        pipe(Finished(pipe.job, Failed(str(error))))
    except KeyboardInterrupt:
        code = 130  # stopped before its program began, or after that had ended
    except BaseException as error:  # noqa: BLE001 - the end of the process: a defect of ours is reported as one
        with contextlib.suppress(OSError):
            pipe(Finished(pipe.job, Failed(f"Mino's worker failed: {type(error).__name__}: {error}")))
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _preview(request: PreviewRequest, pipe: Pipe, scratch: str) -> int:
    from mino_lsp.worker import session

    sleeper = Sleeper(pipe, os.path.join(scratch, "tmp"), os.path.join(scratch, "compiled"), session.warm_up)
    refusal = None
    try:
        if not _limit(request, sleeper.scratch, scratch):
            refusal = Unusable(UNCONFINED)
    except Unusable as error:
        refusal = error
    woken = sleeper.sleep(socket.socket(fileno=pipe.let_go()))
    if refusal is not None:
        raise refusal
    assert isinstance(woken, PreviewRequest)  # evaluations are asked of checkpoints that have run something
    result: PreviewResult | Evaluation
    try:
        result = session.preview(woken, sleeper)
    except session.Asked as asked:
        from mino_lsp.worker import evaluate

        namespace = evaluate.Namespace.of_preview(asked.request, asked.session)
        result = evaluate.evaluate_in(namespace, asked.request, pipe)
    pipe(Finished(pipe.job, result))
    return 0


def _cut_off(messages: int, out: int, err: int, parent: int, kept: tuple[int, ...], stdin: int) -> None:
    """A session and process group of its own, the warden's descriptors closed, on standard input what was given or
    nothing."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    linux.die_with_parent(parent, signal.SIGKILL)
    linux.adopt_orphans()
    stdin = stdin if stdin >= 0 else os.open(os.devnull, os.O_RDONLY)
    for source, target in ((stdin, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
    first = 3
    for descriptor in sorted({messages, *kept}):
        os.closerange(first, descriptor)
        first = descriptor + 1
    for descriptor in kept:
        os.set_inheritable(descriptor, True)
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))
    open_streams()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _do(request: Request, publish: Pipe, scratch: str) -> int:
    if isinstance(request, RunRequest):
        from mino_lsp.worker import launch

        return launch.launch(request, publish, scratch)
    if isinstance(request, DevicesRequest):
        from mino_lsp.worker import devices

        publish(Finished(request.job, devices.list_devices()))
        return 0
    assert isinstance(request, EvalRequest | InspectRequest | ExpandRequest | SurveyRequest | PythonRequest)
    if not isinstance(request, EvalRequest | InspectRequest) and request.pure:
        _answer_expansions(request, publish)
    if not _limit(request, scratch, scratch):
        raise Unusable(UNCONFINED)
    starts = isinstance(request, EvalRequest | InspectRequest)
    cpu = request.limits.cpu + (stopping.STARTING_SECONDS if starts else 0)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    if isinstance(request, EvalRequest):
        from mino_lsp.worker import evaluate

        publish(Finished(request.job, evaluate.evaluate(request, publish)))
        return 0
    if isinstance(request, InspectRequest):
        from mino_lsp.worker import inspecting

        publish(Finished(request.job, inspecting.inspect(request, publish)))
        return 0
    _answer_expansions(request, publish)


def _answer_expansions(request: ExpansionRequest, publish: Pipe) -> NoReturn:
    from mino_lsp.worker import contexts, expand, macros

    contexts.serve(request, publish.descriptor, lambda: macros.Macros.above(request, publish), expand.answer)


def _limit(request: ConfinedRequest, temporary: str, scratch: str) -> bool:
    """Make this process one that may look and not touch. False where the system cannot enforce it."""
    look_only(request.environment, request.path, temporary)
    os.nice(10)
    limits: Limits = request.limits
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[0])
        most = pages * resource.getpagesize() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return linux.confine(scratch) or request.unconfined
