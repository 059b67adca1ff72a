"""A run: the file as saved, as `hy FILE` would run it, on a torch device, in a process of its own, without probes."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hy.reader import HyReader

from mino.unbound import UNBOUND
from mino_lsp.types import Facts, Failed, Finished, FormStarted, Problem, RunRequest, RunResult, Span
from mino_lsp.worker import blame, devices, failures
from mino_lsp.worker.models import Models
from mino_lsp.worker.observe import Observer
from mino_lsp.worker.session import compile_form, main_module, read_forms
from mino_lsp.worker.source import Source
from mino_lsp.worker.surroundings import Unusable, take_on


def run(request: RunRequest, publish: Callable[[Any], None], rank: int | None = None) -> int:
    """Run the program of `request` here; what it prints goes to the process' own streams. Returns its exit code."""
    try:
        device = devices.resolve(request.device, request.nproc, rank or 0)
        with open(request.path, "rb") as file:
            text = file.read().decode("utf-8")
        take_on(request.environment, request.path)
        devices.claim(device)
    except (ValueError, OSError, Unusable) as error:
        refusal = Failed(_told(error, request.path))
        publish(Finished(request.job, refusal))
        return 2
    result = RunResult(device, 0, 0.0, 0, False)
    # Said now, so that it is known even if the process is killed; said again with what went wrong.
    publish(Finished(request.job, result))
    which = "" if rank is None else f", process {os.environ['RANK']} of {os.environ['WORLD_SIZE']}"
    print(f"Running {os.path.basename(request.path)} on {_said(device)}{which}", flush=True)
    source = Source(text, request.path)
    watched = Models(source)
    observer = Observer(UNBOUND, lambda facts: publish(Facts(request.job, facts))) if request.observe else None
    code, problems = _evaluate(source, watched, observer, lambda span: publish(FormStarted(request.job, span)))
    if problems:
        # At once: the other processes of a run fail in turn, and who was first is the cause.
        publish(Finished(request.job, replace(result, problems=problems, at=time.monotonic())))
    ended = _wind_up()
    peak = devices.peak(device)
    models, facts, warnings = watched.told()
    if problems:
        warnings = ()  # what failed was not over
    if observer is not None:
        observer.finish()
        warnings = (observer.first_nan, *warnings) if observer.first_nan is not None else warnings
    publish(Facts(request.job, facts))
    problems = (*problems, *warnings)
    publish(
        Finished(
            request.job,
            replace(result, exit_code=code, problems=problems, device_peak=peak, models=models, at=ended),
        )
    )
    return code


def _told(error: Exception, path: str) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"{path} is not UTF-8: byte {error.start} cannot be read. Save it as UTF-8."
    return f"{path} cannot be read: {error.strerror}." if isinstance(error, OSError) else str(error)


def _said(device: str) -> str:
    return "the device that it names" if device == "asWritten" else device


def _evaluate(
    source: Source, watched: Models, observer: Observer | None, began: Callable[[Span], None]
) -> tuple[int, tuple[Problem, ...]]:
    """Run the forms in order, the way a program runs: the first exception ends it, with its traceback on stderr."""
    module, reader = main_module(source.path), HyReader()
    span = Span(0, 0)
    try:
        for form in read_forms(source, reader):
            span = source.span(form)
            began(span)
            watched.read(form)
            exec(compile_form(form, module, source, reader, observer), module.__dict__)
    except SystemExit as stop:
        return _exit_code(stop), ()
    except blame.Unreadable as error:
        print(f"{source.path}:{source.line(error.problem.span.start)}: {error.problem.message}", file=sys.stderr)
        return 1, (error.problem,)
    except BaseException as error:  # noqa: BLE001 - the user's program failed: that is what is reported
        _print_traceback(error, source)
        if blame.behind(error, KeyboardInterrupt) is not None:
            return 130, ()
        return 1, failures.problems(error, span, source, observer)
    return 0, ()


def _wind_up() -> float:
    """What the end of an interpreter does and that of a forked process does not: loggers and trackers rely on it.

    Returns when the last thread had ended.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # waits for the threads that are no daemons
    ended = time.monotonic()
    atexit._run_exitfuncs()  # swallows what is raised, an interrupt among it
    return ended


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    print(stop.code, file=sys.stderr)
    return 1


def _print_traceback(error: BaseException, source: Source) -> None:
    """The traceback from the user's first frame on: what stands above it is ours. So is all of one that came between
    the forms, as an interrupt may."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != source.path:
        trace = trace.tb_next
    if not isinstance(error, KeyboardInterrupt):
        trace = trace or error.__traceback__
    traceback.print_exception(type(error), error, trace)
