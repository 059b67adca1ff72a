"""A live session: evaluates one document, form by form, as `__main__`, and tells what passed where.

It runs in a process of its own that is thrown away afterwards. Whatever the user's code does here, the warden outlives.
"""

from __future__ import annotations

import functools
import itertools
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import hy
import torch
from hy.compiler import hy_compile
from hy.models import Expression, Symbol
from hy.reader import HyReader

from mino.unbound import UNBOUND
from mino_lsp.types import Fact, Facts, FormStarted, Limits, PreviewRequest, PreviewResult, Problem, Span
from mino_lsp.worker import blame, examples, imports, modes
from mino_lsp.worker.probe import Recorder
from mino_lsp.worker.source import Source, Sources

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
    sources = Sources(source)
    recorder = Recorder(torch, UNBOUND, functools.partial(_publish_facts, request.job, sources, publish))
    finder = imports.Finder(request.root, dict(request.texts), sources, recorder)
    sys.meta_path.insert(0, finder)
    for limit in blame.LIMIT_SIGNALS.values():
        signal.signal(limit, _stop)
    module, reader = main_module(request.path), HyReader()
    leave = modes.enter(request, recorder)
    evaluated, stopped, reached, failed = 0, "", "", False

    def guarded(span: Span, work: Callable[[], object]) -> tuple[Problem, ...]:
        return _guarded(work, span, source, recorder, request.limits, tell_elsewhere)

    def tell_elsewhere(error: BaseException) -> None:
        if (found := blame.elsewhere(error, sources)) is not None:
            publish(Facts(request.job, (), found[1:], found[0]))

    def evaluate(form: Any, span: Span) -> tuple[Problem, ...]:
        return guarded(span, lambda: exec(compile_form(form, module, source, reader, recorder), module.__dict__))

    def live(inputs: Sequence[Any]) -> list[Problem]:
        return [problem for one in inputs for problem in evaluate(one, source.span(one))]

    def example(kind: Any, span: Span) -> list[Problem]:
        made: dict[str, Any] = {}
        if guarded(span, lambda: made.update(examples.components(kind))):
            return []
        return [blame.of_example(problem) for problem in guarded(span, lambda: kind()(**made))]

    def aside(span: Span, work: Callable[[], Sequence[Problem]]) -> tuple[Problem, ...]:
        """Have an example evaluated apart, which says itself what it found; only a crash is found here."""

        def tell() -> None:
            problems = tuple(work())
            recorder.flush()
            publish(Facts(request.job, (), problems))

        try:
            status = examples.apart(tell)
        except Stopped as stop:
            return (blame.limit(str(stop), span, request.limits),)
        return (blame.crash(span, status),) if status else ()

    try:
        for form in read_forms(source, reader):
            span = source.span(form)
            publish(FormStarted(request.job, span))
            inputs = examples.live(form, module)
            if inputs is None:
                found = evaluate(form, span)
                recorder.flush()
            else:
                found = aside(span, functools.partial(live, inputs))
            # The first error hides what follows from it; the forms below may still show their shapes.
            if found and not failed:
                publish(Facts(request.job, (), found))
                failed = any(problem.severity == "error" for problem in found)
            if any(problem.code == "preview-limit" for problem in found):
                stopped, reached = found[0].message, blame.limit_of(found[0])
                break
            evaluated = span.end
        else:
            for kind, span in examples.uncalled(module, source, recorder.reached):
                aside(span, functools.partial(example, kind, span))
    except blame.Unreadable as error:
        publish(Facts(request.job, (), (error.problem,)))
        stopped = error.problem.message
    leave()
    return PreviewResult(time.perf_counter() - started, evaluated, stopped, tuple(finder.imported), reached)


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


def _guarded(
    work: Callable[[], object],
    span: Span,
    source: Source,
    recorder: Recorder,
    limits: Limits,
    tell_elsewhere: Callable[[BaseException], None],
) -> tuple[Problem, ...]:
    """Do what runs the user's code, and tell what came of it. The one place where a preview calls that."""
    try:
        work()
    except SystemExit:
        return ()
    except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is a value here
        stop = blame.behind(error, Stopped)
        if stop is not None:
            return (blame.limit(str(stop), blame.stopped_at(stop, span, source), limits),)
        tell_elsewhere(error)
        return blame.problems(error, span, source, recorder)
    return ()


def _publish_facts(job: int, sources: Sources, publish: Publish, facts: tuple[Fact, ...]) -> None:
    """Hand facts on, those of each file by themselves."""
    for source, those in itertools.groupby(facts, key=lambda fact: sources.of_span(fact.span)):
        moved = (replace(fact, span=fact.span.shift(-source.base)) if source.base else fact for fact in those)
        publish(Facts(job, tuple(moved), (), source.path if source.base else ""))
