"""Evaluation of a form in the namespace that the forms above it make, and its value as text that is safe to show.

As a preview does it, in a process that is thrown away, with nothing of what is above reported: from a checkpoint of the
document's preview where there is one above the place, else from the first form on.
"""

from __future__ import annotations

import ast
import builtins
import functools
import math
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from hy.compiler import hy_compile
from hy.reader import HyReader

from mino.unbound import UNBOUND
from mino_lsp.types import EvalRequest, Evaluation, FormStarted, InspectRequest, Problem, Span
from mino_lsp.worker import blame, examples, imports, modes, stopping
from mino_lsp.worker.probe import Recorder
from mino_lsp.worker.session import Session, compile_form, future_of, main_module, read_forms
from mino_lsp.worker.shown import shown
from mino_lsp.worker.source import Source, Sources
from mino_lsp.worker.stopping import Stopped
from mino_lsp.worker.surroundings import Kept, keep_output

_VALUE = "__mino_value__"
"""What the value is handed to: a builtin of this process, so that no namespace of the user's shows it."""


@dataclass(slots=True)
class Namespace:
    """What the forms above a place make, and where it comes from: of the first `evaluated` characters it is there, with
    what went `wrong` in them. `kept` is what standard output goes to."""

    request: EvalRequest | InspectRequest
    source: Source
    recorder: Recorder
    kept: Kept
    module: types.ModuleType
    reader: HyReader
    evaluated: int = 0
    wrong: tuple[Problem, ...] = ()

    @classmethod
    def empty(cls, request: EvalRequest | InspectRequest, read: tuple[Span, ...]) -> Namespace:
        """Take on the way of a preview, in silence. Nothing but what is at `read` will be read of the text."""
        torch.set_num_threads(1)
        warnings.simplefilter("ignore")
        stopping.prepare()
        kept = keep_output()
        source = Source(_only(request.text, read), request.path)
        sources = Sources(source)
        recorder = Recorder(torch, UNBOUND, lambda facts: None)
        sys.meta_path.insert(0, imports.Finder(request.root, dict(request.texts), sources, recorder))
        module, reader = main_module(request.path, request.main), HyReader()
        modes.enter(request, recorder)
        stopping.begin(request.limits.cpu)
        return cls(request, source, recorder, kept, module, reader)

    @classmethod
    def of_preview(cls, request: EvalRequest, session: Session) -> Namespace:
        """Go on from where a preview was, in silence."""
        warnings.simplefilter("ignore")
        session.recorder.silence()
        source = Source(_only(request.text, (*request.above, *request.targets)), request.path)
        session.sources.edit(source)
        there = session.recorder, session.kept, session.module, session.reader
        return cls(request, source, *there, session.evaluated, session.wrong)

    def forms(self) -> Iterator[Any]:
        """The forms that are read. Raises `blame.Unreadable`."""
        return read_forms(self.source, self.reader, self.evaluated)

    def run(self, form: Any) -> None:
        """Evaluate a form."""
        exec(compile_form(form, self.module, self.source, self.reader, self.recorder), self.module.__dict__)

    def problems_of(self, work: Callable[[], object], span: Span) -> tuple[Problem, ...]:
        """Do what calls the user's code, and tell what came of it."""
        try:
            if stopping.reached:
                raise stopping.reached[0]
            work()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            told = f"The form ended the program, with exit code {code}."
            return (Problem("exit", "information", told, span),)
        except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is a value here
            stop = blame.behind(error, Stopped)
            if stop is not None:
                stopping.reached.clear()
                return (blame.limit(str(stop), blame.stopped_at(stop, span, self.source), self.request.limits),)
            return blame.problems(error, span, self.source, self.recorder, self.request.limits)
        return ()


def evaluate(request: EvalRequest, publish: Callable[[Any], None]) -> Evaluation:
    """Evaluate what is above in silence, then the targets. Publishes nothing but at which form it is."""
    return evaluate_in(Namespace.empty(request, (*request.above, *request.targets)), request, publish)


def evaluate_in(namespace: Namespace, request: EvalRequest, publish: Callable[[Any], None]) -> Evaluation:
    """The same from where a namespace is."""
    kept = namespace.kept
    namespace.recorder.loops_until = math.inf  # a value is asked for: no loop is left before its end
    values: list[Any] = []
    builtins.__dict__[_VALUE] = values.append
    earlier = namespace.wrong
    found: tuple[Problem, ...] = ()
    try:
        for form in namespace.forms():
            span = namespace.source.span(form)
            publish(FormStarted(request.job, span))
            asked = span.start >= request.targets[0].start
            if asked and not kept.keeping:
                sys.stdout.flush()
                kept.keeping = True
            work = functools.partial(_value_of, form, namespace) if asked else functools.partial(namespace.run, form)
            found = namespace.problems_of(work, span)
            if asked and found:
                break
            if not asked:
                earlier = earlier or found
            if any(problem.code == "preview-limit" for problem in found):
                return Evaluation("", "", None, "", told(found))
    except blame.Unreadable as error:
        found = (error.problem,)
    if found:
        values.clear()
    texts: list[tuple[str, str, tuple[int, ...] | None]] = []
    if values:
        found = namespace.problems_of(lambda: texts.append(shown(values[-1])), request.targets[-1])
    sys.stdout.flush()
    text, kind, shape = texts[0] if texts else ("", type(values[-1]).__name__ if values else "", None)
    # What went wrong above is of interest only where it explains something.
    problems = (*earlier, *found) if found else ()
    return Evaluation(text, kind, shape, kept.kept.decode("utf-8", "replace"), told(problems))


def _only(text: str, spans: tuple[Span, ...]) -> str:
    """The text with nothing but what is at `spans`, which are in order, in the same places."""
    parts, at = [], 0
    for span in spans:
        parts += [_blank(text[at : span.start]), text[span.start : span.end]]
        at = span.end
    return "".join([*parts, _blank(text[at:])])


def _blank(text: str) -> str:
    return "".join("\n" if character == "\n" else " " for character in text)


def _value_of(form: Any, namespace: Namespace) -> None:
    """Evaluate a form and hand its value on; of a `(mino/live …)` that of its last argument."""
    module, source = namespace.module, namespace.source
    for one in examples.live(form, module) or (form,):
        with HyReader.using_reader(namespace.reader, create=False):
            body, value = hy_compile(one, module, get_expr=True, filename=source.path, source=source.text)
        last = ast.Expr(value.body, lineno=one.start_line, col_offset=one.start_column)
        last.end_lineno, last.end_col_offset = one.end_line, one.end_column
        body.body.append(ast.fix_missing_locations(last))
        tree = namespace.recorder.instrument(body, source)
        last.value = ast.copy_location(ast.Call(ast.Name(_VALUE, ast.Load()), [last.value], []), last)
        ast.fix_missing_locations(last)
        source.correct(tree)
        exec(compile(tree, source.path, "exec", future_of(module), dont_inherit=True), module.__dict__)


def told(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems in the words of an evaluation."""
    return tuple(map(blame.of_evaluation, problems))
