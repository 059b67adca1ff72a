"""What a forked child of the warden's does: cut itself off, take on limits and an environment, do its one task, end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
import tempfile
from typing import NoReturn

from mino_lsp.types import (
    ConfinedRequest,
    DevicesRequest,
    Environment,
    EvalRequest,
    ExpandRequest,
    ExpansionRequest,
    Failed,
    Finished,
    InspectRequest,
    Limits,
    PreviewRequest,
    PythonRequest,
    Request,
    RunRequest,
    SurveyRequest,
)
from mino_lsp.worker import linux
from mino_lsp.worker.pipe import Pipe
from mino_lsp.worker.sleeper import Sleeper

PREVIEW_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "MPLBACKEND": "Agg",
    "WANDB_MODE": "disabled",
}

_SECRET = ("TOKEN", "KEY", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS")


class Unusable(Exception):
    """The environment that was asked for cannot be had; the text says why."""


def warm_up(pure: bool) -> None:
    """Import what the tasks use, in the warden, so that no child pays for it. Nothing of a user's is touched."""
    import hy
    import hyrule  # noqa: F401 - most programs require it
    from hy.compiler import hy_compile

    from mino_lsp.worker import expand  # noqa: F401

    if not pure:
        from mino_lsp.worker import devices, inspecting, launch, session  # noqa: F401

    # The first use of the compiler costs as much as the next hundred.
    hy_compile(hy.read_many('(defn f [x] (setv y (+ x 1)) (print f"{y}"))'), "mino")


def warm_up_further() -> None:
    """Import what torch imports by itself at the first step of an optimizer, or at the first operator on shapes alone:
    seconds that no child should pay."""
    import torch._dynamo  # noqa: F401

    from mino_lsp.worker import fake

    fake.warm_up()


def enter(
    request: Request, messages: int, out: int, err: int, parent: int, scratch: str, kept: tuple[int, ...] = ()
) -> NoReturn:
    """Do the task of `request` and end the process, whatever happens. The descriptors `kept` stay open in it. For a
    preview `messages` is the socket on which the warden wakes this process, which sleeps before anything of the
    document is run and lives on in its forks."""
    code = 1
    pipe = Pipe(messages, request.job)
    try:
        _cut_off(messages, out, err, parent, kept)
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

    sleeper = Sleeper(pipe, os.path.join(scratch, "tmp"))
    refusal = None
    try:
        if not _limit(request, sleeper.scratch, scratch):
            refusal = Unusable(_UNCONFINED)
    except Unusable as error:
        refusal = error
    request = sleeper.sleep(socket.socket(fileno=pipe.let_go()))
    if refusal is not None:
        raise refusal
    pipe(Finished(pipe.job, session.preview(request, sleeper)))
    return 0


_UNCONFINED = "Previews are off here: this system cannot keep them from writing files (see preview.unconfined)."


def _cut_off(messages: int, out: int, err: int, parent: int, kept: tuple[int, ...]) -> None:
    """A session and process group of its own, the warden's descriptors closed, nothing on standard input."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    linux.die_with_parent(parent, signal.SIGKILL)
    linux.adopt_orphans()
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (out, 1), (err, 2)):
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


def open_streams() -> None:
    """Python's streams anew on their descriptors: in UTF-8, and each line out as soon as it is printed."""
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


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
        raise Unusable(_UNCONFINED)
    resource.setrlimit(resource.RLIMIT_CPU, (request.limits.cpu, request.limits.cpu + 1))
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


def take_on(environment: Environment, path: str) -> None:
    """The environment that a preview, a run and `hy FILE` in a terminal share.

    Raises `Unusable` where the working directory cannot be entered.
    """
    os.environ.update(environment.env)
    try:
        os.chdir(environment.cwd)
    except OSError as error:
        told = f"The working directory {environment.cwd} cannot be entered: {error.strerror}. See mino.run.cwd."
        raise Unusable(told) from error
    # Only now, after torch was imported: a file of the user's named like one of torch's modules must not hide it.
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path, *environment.args]


def _limit(request: ConfinedRequest, temporary: str, scratch: str) -> bool:
    """Make this process one that may look and not touch. False where the system cannot enforce it."""
    take_on(request.environment, request.path)
    for name in list(os.environ):
        if any(part in _SECRET for part in name.upper().split("_")):
            del os.environ[name]
    os.environ.update(PREVIEW_ENVIRONMENT, TMPDIR=temporary)
    tempfile.tempdir = temporary
    sys.dont_write_bytecode = True
    os.nice(10)
    limits: Limits = request.limits
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[0])
        most = pages * resource.getpagesize() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return linux.confine(scratch) or request.unconfined
