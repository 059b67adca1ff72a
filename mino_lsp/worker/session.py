"""A live session: evaluates one document, form by form, as `__main__`, and tells what passed where.

It runs in a process of its own that is thrown away afterwards. Whatever the user's code does here, the warden outlives.
"""

from __future__ import annotations

import signal
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import hy
import torch
from hy.compiler import hy_compile
from hy.models import Expression, Symbol
from hy.reader import HyReader

from mino.unbound import UNBOUND
from mino_lsp.types import Facts, FormStarted, Limits, PreviewRequest, PreviewResult, Problem, Span
from mino_lsp.worker import blame
from mino_lsp.worker.probe import Recorder
from mino_lsp.worker.source import Source

Publish = Callable[[Any], None]


class Stopped(BaseException):
    """A limit was reached: raised by a signal's handler wherever the user's code is."""


def preview(request: PreviewRequest, publish: Publish) -> PreviewResult:
    """Evaluate the document of `request`, publishing what is learnt on the way. Returns where evaluation ended."""
    torch.set_num_threads(1)
    # The probes' calls would otherwise be reported as the place of every warning.
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    source = Source(request.text, request.path)
    recorder = Recorder(torch, UNBOUND, lambda facts: publish(Facts(request.job, facts)))
    for limit in blame.LIMIT_SIGNALS.values():
        signal.signal(limit, _stop)
    module, reader = main_module(request.path), HyReader()
    evaluated, stopped, failed = 0, "", False
    try:
        for form in read_forms(source, reader):
            span = source.span(form)
            publish(FormStarted(request.job, span))
            found = _evaluate(form, span, module, source, reader, recorder, request.limits)
            recorder.flush()
            # The first error hides what follows from it; the forms below may still show their shapes.
            if found and not failed:
                publish(Facts(request.job, (), found))
                failed = any(problem.severity == "error" for problem in found)
            if any(problem.code == "preview-limit" for problem in found):
                stopped = found[0].message
                break
            evaluated = span.end
    except blame.Unreadable as error:
        publish(Facts(request.job, (), (error.problem,)))
        stopped = error.problem.message
    return PreviewResult(time.perf_counter() - started, evaluated, stopped)


def _stop(number: int, frame: object) -> None:
    raise Stopped(next(name for name, limit in blame.LIMIT_SIGNALS.items() if limit == number))


def main_module(path: str) -> types.ModuleType:
    """A new `__main__`, as `hy FILE` would make it."""
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    return module


def read_forms(source: Source, reader: HyReader) -> Iterator[Any]:
    """The document's top-level forms, read by Hy one at a time: a form may define how the next is read.

    Raises `blame.Unreadable` where Hy's reader gives up.
    """
    forms = iter(hy.read_many(source.text, filename=source.path, reader=reader, skip_shebang=True))
    while True:
        try:
            with HyReader.using_reader(reader, create=False):
                form = next(forms, None)
        except SyntaxError as error:
            raise blame.Unreadable(blame.unreadable(error, source)) from error
        if form is None:
            return
        yield form


def compile_form(
    form: Any, module: types.ModuleType, source: Source, reader: HyReader, recorder: Recorder | None = None
) -> types.CodeType:
    """Python code for one form, with probes if there is a recorder, and places that CPython's tracebacks understand."""
    # In a `do`, or `hy_compile` would take a string that stands alone for a docstring and drop its place.
    whole = Expression([Symbol("do"), form]).replace(form)
    with HyReader.using_reader(reader, create=False):
        tree = hy_compile(whole, module, filename=source.path, source=source.text)
    if recorder is not None:
        tree = recorder.instrument(tree, source)
    source.correct(tree)
    code: types.CodeType = compile(tree, source.path, "exec")
    return code


def _evaluate(
    form: Any,
    span: Span,
    module: types.ModuleType,
    source: Source,
    reader: HyReader,
    recorder: Recorder,
    limits: Limits,
) -> tuple[Problem, ...]:
    """Run one form. The one place where a preview calls the user's code."""
    try:
        exec(compile_form(form, module, source, reader, recorder), module.__dict__)
    except SystemExit:
        return ()
    except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is a value here
        stop = blame.behind(error, Stopped)
        if stop is not None:
            return (blame.limit(str(stop), blame.stopped_at(stop, span, source), limits),)
        return blame.problems(error, span, source, recorder)
    return ()
