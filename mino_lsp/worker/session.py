"""A live session: evaluates one document, form by form, as `__main__`, and tells what passed where.

It runs in a process of its own that is thrown away afterwards. Whatever the user's code does here, the warden outlives.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import os
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import hy
import torch
from hy.compiler import hy_compile
from hy.models import Expression, Symbol
from hy.reader import HyReader

from mino.unbound import UNBOUND
from mino_lsp.types import EvalRequest, FrameReader, Limits, PreviewRequest, PreviewResult, Problem, Span
from mino_lsp.worker import blame, examples, imports, modes, stopping, unfinished
from mino_lsp.worker.alarms import Alarms
from mino_lsp.worker.compiled import Compiled, Kept
from mino_lsp.worker.instrument import Instrument
from mino_lsp.worker.pipe import Pipe
from mino_lsp.worker.probe import Recorder
from mino_lsp.worker.source import Source, Sources
from mino_lsp.worker.steps import Step
from mino_lsp.worker.stopping import Stopped
from mino_lsp.worker.surroundings import keep_output
from mino_lsp.worker.told import Told


class Life(Protocol):
    """What an evaluation may ask of the process that it is in. Where that does not fork there are no checkpoints, and
    examples are evaluated when all else is, not in a fork beside it. `compiled` is the folder in which the code of
    forms is kept for later evaluations, empty where there is none."""

    pipe: Pipe
    forks: bool
    compiled: str

    def begin_life(self) -> None: ...

    def fit(self) -> bool: ...

    def checkpoint(self, prefix: int, whole: bool) -> PreviewRequest | EvalRequest | None: ...


CHECKPOINT_SECONDS = 0.08
"""After forms that took so long together there is a checkpoint, that they need not be evaluated again."""

WORTH = 4
"""How many times what the last checkpoint cost the next must save: the more memory, the longer a fork takes."""

NEAR_SECONDS = 0.01
"""The same just above the form that was edited: it will be edited again."""

LONG_SECONDS = 0.5
"""The same at the end, where nothing may ever follow."""


_SAMPLE = '(defmu M [x w] (-> x (@ w) (+ 1) (.sum :dim 0)))\n(setv [a b] [(f x 1) (if y {:k (get z 0)} f"{q}")])'


def warm_up() -> None:
    """Touch the memory that reading and compiling a form writes to, with nothing of the user's."""
    from mino import mu, thread

    module = types.ModuleType("warm")
    module.__dict__["_hy_macros"] = {**vars(thread)["_hy_macros"], **vars(mu)["_hy_macros"]}
    source = Source(_SAMPLE, "")
    for form in read_forms(source, reader := HyReader()):
        compiling = Expression([Symbol("do"), form]).replace(form)
        with HyReader.using_reader(reader, create=False):
            tree = hy_compile(compiling, module, filename="", source=_SAMPLE)
        source.correct(Instrument(source, {}).visit(tree))
        compile(ast.fix_missing_locations(tree), "", "exec")


class Asked(Exception):
    """What goes on from a checkpoint is no preview: forms are to be evaluated by themselves in what it has made."""

    def __init__(self, request: EvalRequest, session: Session) -> None:
        super().__init__()
        self.request, self.session = request, session


def preview(request: PreviewRequest, life: Life) -> PreviewResult:
    """Evaluate the document of `request`, publishing what is learnt on the way. Returns where evaluation ended.

    Raises `Asked` in a process that goes on from a checkpoint with such a request.
    """
    torch.set_num_threads(1)
    stopping.prepare()
    session = Session(request, life)
    leave = session.enter()
    life.begin_life()
    result = session.evaluate()
    leave()
    return result


class Session:
    """The evaluation of a document up to some place, and how it goes on, also with another text below that place."""

    def __init__(self, request: PreviewRequest, life: Life) -> None:
        self._started = time.perf_counter()
        self._life = life
        self._request = request
        self._source = Source(request.text, request.path)
        self.sources = Sources(self._source)
        self._told = Told(life.pipe, self.sources)
        self.recorder = Recorder(torch, UNBOUND, self._told.facts)
        self._finder = imports.Finder(request.root, dict(request.texts), self.sources, self.recorder)
        sys.meta_path.insert(0, self._finder)
        self._alarms = Alarms(self._source, self.recorder, request.limits)
        self._alarms.listen()
        self.module, self.reader = main_module(request.path, request.main), HyReader()
        self.kept = keep_output()
        self._compiled = Kept(life.compiled) if life.compiled else None
        self.evaluated = 0
        self._cost = self._checkpoint_cost = 0.0
        self._failed = False
        self._unfinished = unfinished.Unfinished(self.module.__dict__)
        self._examples: list[tuple[Span, Callable[[], Sequence[Problem]]]] = []

    def enter(self) -> Callable[[], None]:
        """Take on the way that is asked for. Returns what ends that."""
        return modes.enter(self._request, self.recorder)

    def evaluate(self) -> PreviewResult:
        """Evaluate what is not evaluated yet."""
        stopped, limit = "", ""
        try:
            for form in self._forms():
                span = self._source.span(form)
                self._told.began(span)
                began = time.perf_counter()
                self.recorder.begin()
                found = self._form(form, span)
                self._cost += time.perf_counter() - began
                found = self._not_following(form, found)
                # The first error hides what follows from it; the forms below may still show their shapes.
                if found and not self._failed:
                    self._told.problems(found)
                    self._failed = any(problem.severity == "error" for problem in found)
                if any(problem.code == "preview-limit" for problem in found):
                    stopped, limit = found[0].message, blame.limit_of(found[0])
                    break
                self.evaluated = span.end
            else:
                for kind, span in examples.uncalled(self.module, self._source, self.recorder.reached):
                    self._aside(span, functools.partial(self._example, kind, span))
        except blame.Unreadable as error:
            self._told.problems((error.problem,))
            stopped = error.problem.message
        for span, work in () if limit else self._examples:
            self._told.began(span)
            self._told.problems(tuple(work()))
            self.recorder.flush()
        seconds = time.perf_counter() - self._started
        return PreviewResult(seconds, self.evaluated, stopped, tuple(self._finder.imported), limit)

    @property
    def wrong(self) -> tuple[Problem, ...]:
        """The errors so far, of the document itself."""
        return self._told.errors()

    # ---- checkpoints

    def _forms(self) -> Iterator[Any]:
        """The forms from here on, with a checkpoint where going on from it will pay."""
        while True:
            for form in read_forms(self._source, self.reader, self.evaluated):
                if self._due(self._source.span(form)) and self._checkpoint():
                    break
                yield form
            else:
                if self._cost < LONG_SECONDS or not self._checkpoint():
                    return

    def _due(self, span: Span) -> bool:
        near = span.start <= self._request.edited <= span.end
        return self._cost >= (NEAR_SECONDS if near else max(CHECKPOINT_SECONDS, WORTH * self._checkpoint_cost))

    def _checkpoint(self) -> bool:
        """Make this place one to go on from. True in a process that goes on from it with another text."""
        # What ends in a name or a number could be longer in another text.
        if self._source.text[self.evaluated - 1] not in ")]}" or not self._life.fit():
            return False
        self._cost = 0.0
        began = time.perf_counter()
        request = self._life.checkpoint(self.evaluated, not self.recorder.left)
        if request is None:
            self._checkpoint_cost = time.perf_counter() - began
            return False
        if isinstance(request, EvalRequest):
            raise Asked(request, self)
        self._started = time.perf_counter()
        self._request = request
        self._source = Source(request.text, request.path)
        self.sources.edit(self._source)
        self._alarms.source = self._source
        self._told.again()
        return True

    # ---- forms

    def _form(self, form: Any, span: Span) -> tuple[Problem, ...]:
        inputs = examples.live(form, self.module)
        if inputs is not None:
            return self._aside(span, functools.partial(self._live, inputs))
        found = self._run(form, span)
        self.recorder.flush()
        return found

    def _not_following(self, form: Any, found: tuple[Problem, ...]) -> tuple[Problem, ...]:
        """The problems of a form, without errors that follow from there being no end of one above."""
        if self._unfinished.concerns(form):
            return tuple(problem for problem in found if problem.severity != "error")
        if any(problem.code in unfinished.CODES for problem in found):
            self._unfinished.add(form)
        return found

    def _run(self, form: Any, span: Span) -> tuple[Problem, ...]:
        return self._guarded(span, lambda: exec(self._code(form, span), self.module.__dict__))

    def _code(self, form: Any, span: Span) -> types.CodeType:
        """The code of a form, which may have been compiled before."""
        key = ""
        if self._compiled is not None:
            text = self._source.text[span.start : span.end]
            key = self._compiled.key(form, text, self.module, future_of(self.module))
            known = self._compiled.find(key, span.start, form.start_line) if key else None
            if known is not None:
                self.recorder.learn(known.steps)
                return known.code
        steps: dict[Span, Step] = {}
        began = time.perf_counter()
        code = compile_form(form, self.module, self._source, self.reader, self.recorder, steps)
        edited = span.start <= self._request.edited <= span.end  # as it will be again
        if self._compiled is None or not key or edited:
            return code
        if self._compiled.keep(key, Compiled(code, steps), span.start, form.start_line):
            self._cost -= time.perf_counter() - began  # it will not be compiled again
        return code

    def _live(self, inputs: Sequence[Any]) -> list[Problem]:
        return [problem for one in inputs for problem in self._run(one, self._source.span(one))]

    def _example(self, kind: Any, span: Span) -> list[Problem]:
        made: dict[str, Any] = {}
        if self._guarded(span, lambda: made.update(examples.components(kind))):
            return []
        return [blame.of_example(problem) for problem in self._guarded(span, lambda: kind()(**made))]

    def _aside(self, span: Span, work: Callable[[], Sequence[Problem]]) -> tuple[Problem, ...]:
        """Have an example evaluated apart, and tell what it found there; only a crash is found here."""
        if self._failed:  # what it lacks was to be made above

            def work(evaluate: Callable[[], object] = work) -> tuple[()]:
                evaluate()
                return ()

        if not self._life.forks:
            self._examples.append((span, work))
            return ()

        def tell(descriptor: int) -> None:
            self._told.speak_to(descriptor)
            problems = tuple(work())
            self.recorder.flush()
            self._told.problems(problems)

        frames = FrameReader()

        def hear(data: bytes) -> None:
            for message in frames.feed(data):
                self._told.tell(message)

        try:
            status = examples.apart(tell, hear)
        except ValueError:  # what the user's code wrote there
            return ()
        except Stopped as stop:
            return (blame.limit(str(stop), span, self._request.limits),)
        return (blame.crash(span, status),) if status else ()

    def _guarded(self, span: Span, work: Callable[[], object]) -> tuple[Problem, ...]:
        left = self.recorder.left
        found = _guarded(work, span, self._source, self.recorder, self._request.limits, self._elsewhere)
        warned = self._alarms.take()
        if left or self.recorder.left:
            return tuple(problem for problem in found if problem.severity != "error")
        failed = [problem.span for problem in found if problem.severity == "error"]
        return (*found, *(one for one in warned if one.span not in failed))  # the first cause, not what led to it

    def _elsewhere(self, error: BaseException, found: Sequence[Problem]) -> None:
        """Tell of the place in another file of the workspace that an exception comes from."""
        there = blame.elsewhere(error, self.sources) if any(one.severity == "error" for one in found) else None
        if there is not None:
            self._told.problems(there[1:], there[0])


def main_module(path: str, main: bool = True) -> types.ModuleType:
    """A new `__main__`, as `hy FILE` would make it; else a module with the name that an import would give it."""
    module = types.ModuleType("__main__" if main else hy.mangle(Path(path).stem))
    module.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    sys.modules.setdefault(module.__name__, module)
    # Hy asks Python for it, which looks at each module there is: a fork's memory is copied where it looks.
    inspect.modulesbyfile[os.path.normcase(os.path.abspath(path))] = module.__name__
    return module


def read_forms(source: Source, reader: HyReader, start: int = 0) -> Iterator[Any]:
    """The document's top-level forms from an offset on, read by Hy one at a time: a form may define how the next is
    read.

    Raises `blame.Unreadable` where Hy's reader gives up.
    """
    text = source.blanked(start)
    forms = iter(hy.read_many(text, filename=source.path, reader=reader, skip_shebang=start == 0))
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
    form: Any,
    module: types.ModuleType,
    source: Source,
    reader: HyReader,
    recorder: Recorder | None = None,
    steps: dict[Span, Step] | None = None,
) -> types.CodeType:
    """Python code for one form, with probes if there is a recorder, and places that CPython's tracebacks understand.
    `steps` fills with what its expressions do."""
    # In a `do`, or `hy_compile` would take a string that stands alone for a docstring and drop its place.
    whole = Expression([Symbol("do"), form]).replace(form)
    with HyReader.using_reader(reader, create=False):
        tree = hy_compile(whole, module, filename=source.path, source=source.text)
    if recorder is not None:
        tree = recorder.instrument(tree, source, steps)
    source.correct(tree)
    code: types.CodeType = compile(tree, source.path, "exec", future_of(module), dont_inherit=True)
    return code


def future_of(module: types.ModuleType) -> int:
    """The flags of what was imported from `__future__` above: in a file they hold for all of it."""
    flags = 0
    for name in __future__.all_feature_names:
        feature: Any = getattr(__future__, name)
        if name in module.__dict__ and module.__dict__[name] is feature:
            flags |= feature.compiler_flag
    return flags


def _guarded(
    work: Callable[[], object],
    span: Span,
    source: Source,
    recorder: Recorder,
    limits: Limits,
    tell_elsewhere: Callable[[BaseException, tuple[Problem, ...]], None],
) -> tuple[Problem, ...]:
    """Do what runs the user's code, and tell what came of it. The one place where a preview calls that."""
    found: tuple[Problem, ...] = ()
    try:
        if not stopping.reached:  # as it may be before anything of the user's was run
            work()
    except SystemExit as end:
        found = blame.arguments(end, span, source)
    except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is a value here
        if not stopping.reached:
            found = blame.problems(error, span, source, recorder, limits)
            tell_elsewhere(error, found)
    if stopping.reached:
        first = stopping.reached[0]
        found = (blame.limit(str(first), blame.stopped_at(first, span, source), limits),)
        stopping.reached.clear()
    return found
