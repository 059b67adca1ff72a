"""A run: the file as saved, as `hy FILE` would run it, on a torch device, in a process of its own, without probes."""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import traceback
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from hy.reader import HyReader

from mino_lsp.types import (
    Environment,
    Failed,
    Finished,
    FormStarted,
    Problem,
    RunRequest,
    RunResult,
    Span,
    from_plain,
    to_plain,
)
from mino_lsp.worker import blame, devices
from mino_lsp.worker.child import Pipe, Unusable, open_streams, take_on
from mino_lsp.worker.session import compile_form, main_module, read_forms
from mino_lsp.worker.source import Source


def run(request: RunRequest, publish: Pipe) -> int:
    """Run the program of `request`; what it prints goes to the process' own streams. Returns its exit code."""
    if request.environment.env:
        # A fork cannot honour OMP_NUM_THREADS and its kin any more: they are read when torch is imported.
        return _become_new_interpreter(request, publish)
    try:
        device = devices.resolve(request.device)
        with open(request.path, "rb") as file:
            text = file.read().decode("utf-8")
        take_on(request.environment, request.path)
    except (ValueError, OSError, Unusable) as error:
        publish(Finished(request.job, Failed(_told(error, request.path))))
        return 2
    result = RunResult(device, 0, 0.0, 0, False)
    # Said now, so that it is known even if the process is killed; said again with what went wrong.
    publish(Finished(request.job, result))
    print(f"Running {os.path.basename(request.path)} on {_said(device)}", flush=True)
    if device not in ("cpu", "asWritten"):
        torch.set_default_device(device)
    source = Source(text, request.path)
    code, problems = _evaluate(source, lambda span: publish(FormStarted(request.job, span)))
    _wind_up()
    publish(Finished(request.job, RunResult(device, 0, 0.0, 0, False, problems)))
    return code


def _told(error: Exception, path: str) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"{path} is not UTF-8: byte {error.start} cannot be read. Save it as UTF-8."
    return f"{path} cannot be read: {error.strerror}." if isinstance(error, OSError) else str(error)


def _said(device: str) -> str:
    return "the device that it names" if device == "asWritten" else device


def _evaluate(source: Source, began: Callable[[Span], None]) -> tuple[int, tuple[Problem, ...]]:
    """Run the forms in order, the way a program runs: the first exception ends it, with its traceback on stderr."""
    module, reader = main_module(source.path), HyReader()
    span = Span(0, 0)
    try:
        for form in read_forms(source, reader):
            span = source.span(form)
            began(span)
            exec(compile_form(form, module, source, reader), module.__dict__)
    except SystemExit as stop:
        return _exit_code(stop), ()
    except blame.Unreadable as error:
        print(f"{source.path}:{source.line(error.problem.span.start)}: {error.problem.message}", file=sys.stderr)
        return 1, (error.problem,)
    except BaseException as error:  # noqa: BLE001 - the user's program failed: that is what is reported
        if blame.behind(error, KeyboardInterrupt) is not None:
            return 130, ()
        _print_traceback(error, module, source)
        return 1, blame.problems(error, span, source, None)
    return 0, ()


def _wind_up() -> None:
    """What the end of an interpreter does and that of a forked process does not: loggers and trackers rely on it."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for the threads that are no daemons
    atexit._run_exitfuncs()


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    print(stop.code, file=sys.stderr)
    return 1


def _print_traceback(error: BaseException, module: types.ModuleType, source: Source) -> None:
    """The traceback from the user's first frame on: what stands above it is ours."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != source.path:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace or error.__traceback__)


def _become_new_interpreter(request: RunRequest, publish: Pipe) -> int:
    os.set_inheritable(publish.descriptor, True)
    main = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    told = json.dumps([publish.descriptor, to_plain(request)])
    environment = {**os.environ, **request.environment.env}
    os.execve(sys.executable, [sys.executable, "-P", main, "--run", told], environment)


def in_new_interpreter(told: str) -> int:
    """The other side of a run with an environment of its own."""
    descriptor, plain = cast("tuple[int, Any]", json.loads(told))
    request = from_plain(plain)
    open_streams()
    environment = Environment(request.environment.cwd, request.environment.args)
    return run(replace(request, environment=environment), Pipe(descriptor))
