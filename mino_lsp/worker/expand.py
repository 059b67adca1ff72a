"""Expands a macro call: one step, until the head is no macro, or everything within."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import hy
from hy.compiler import HyASTCompiler
from hy.macros import macroexpand
from hy.models import Expression, FComponent, FString, Object, Sequence, Symbol
from hy.reader import HyReader

from mino_lsp.types import ExpandRequest, Expansion, ExpansionStep, Failed, Problem, Span
from mino_lsp.worker import blame
from mino_lsp.worker.source import Source

CONTEXT = {"require", "defmacro", "defreader", "eval-and-compile", "eval-when-compile", "do-mac", "import", "pragma"}
"""Heads of the top-level forms that decide what a macro call means, and are evaluated before it is expanded."""

MOST_STEPS = 1000

Step = Callable[[Any], Any]


def expand(request: ExpandRequest) -> Expansion | Failed:
    """The expansion of the innermost macro call around the request's offset."""
    reader = HyReader()
    forms = [(span, Source(request.text[span.start : span.end], request.path)) for span in request.forms]
    at = next((i for i, (span, _) in enumerate(forms) if span.start <= request.offset <= span.end), None)
    if at is None:
        return Failed("There is no complete form here.")
    step = _pure_step() if request.pure else _trusted_step(forms[:at], request.path, reader)
    span, source = forms[at]
    try:
        form = hy.read(source.text, filename=request.path, reader=reader)
    except SyntaxError as error:
        return Failed(blame.unreadable(error, source).message)
    found: tuple[Problem, ...] = ()
    for call in _calls_around(form, request.offset - span.start, source):
        try:
            expanded = step(call)
        except BaseException as error:  # noqa: BLE001 - a macro of the user's
            found = tuple(_shifted(p, span.start) for p in blame.problems(error, source.span(call), source, None))
            return Expansion(_text(call[0]), source.span(call).shift(span.start), _text(call), (), found)
        if expanded is not call:
            return _expansion(call, expanded, request.depth, step, source.span(call).shift(span.start))
    if request.pure:
        return Failed("Without trust only Mino's threading macros are expanded here, and this is none of them.")
    return Failed("There is no macro call here.")


def _shifted(problem: Problem, by: int) -> Problem:
    return Problem(problem.code, problem.severity, problem.message, problem.span.shift(by))


def _trusted_step(before: list[tuple[Span, Source]], path: str, reader: HyReader) -> Step:
    """One step of Hy's own expander, in a module where what comes before has been required and defined."""
    from mino_lsp.worker.session import compile_form, main_module

    module: ModuleType = main_module(path)
    compiler = HyASTCompiler(module, filename=path)
    for _, source in before:
        try:
            with HyReader.using_reader(reader, create=False):
                form = hy.read(source.text, filename=path, reader=reader)
            if isinstance(form, Expression) and form and str(form[0]) in CONTEXT:
                exec(compile_form(form, module, source, reader), module.__dict__)
        except Exception:  # noqa: BLE001 - the user's form; without it the call may still be expanded
            continue

    def step(form: Any) -> Any:
        if _is_core(form, module):
            return form
        with compiler.scope:
            return macroexpand(form, module, compiler, once=True, result_ok=False)

    return step


def _is_core(form: Any, module: ModuleType) -> bool:
    """Whether the head is a form that the compiler itself knows: calling those would compile what is within."""
    if not form or not isinstance(form[0], Symbol):
        return False
    name = hy.mangle(form[0])
    core = vars(builtins)["_hy_macros"].get(name)
    return name not in vars(module).get("_hy_macros", {}) and core is not None and core.__module__ == "hy.macros"


def _pure_step() -> Step:
    """One step of the macros that are known to be pure functions of their arguments: no code of a document's runs."""
    macros = vars(importlib.import_module("mino.thread"))["_hy_macros"]
    compiler = HyASTCompiler(ModuleType("pure"))

    def step(form: Any) -> Any:
        macro = macros.get(hy.mangle(form[0])) if form and isinstance(form[0], Symbol) else None
        # The macros of threads take the compiler for their errors' places, and nothing else.
        return form if macro is None else hy.as_model(macro(compiler, *form[1:])).replace(form)

    return step


def _calls_around(form: Any, offset: int, source: Source) -> Iterator[Expression]:
    """The expressions around an offset, innermost first; what is quoted is data."""
    path: list[Expression] = []
    while isinstance(form, Sequence):
        if isinstance(form, Expression) and form:
            if form[0] in (Symbol("quote"), Symbol("quasiquote")):
                break
            path.append(form)
        form = next((part for part in form if _covers(source.span(part), offset)), None)
    yield from reversed(path)


def _covers(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end


def _expansion(call: Any, expanded: Any, depth: str, step: Step, span: Span) -> Expansion:
    steps = [ExpansionStep(_text(call[0]), _text(expanded))]
    while depth != "step" and len(steps) < MOST_STEPS and isinstance(expanded, Expression) and expanded:
        again = step(expanded)
        if again is expanded:
            break
        steps.append(ExpansionStep(_text(expanded[0]), _text(again)))
        expanded = again
    if depth == "all":
        expanded = _within(expanded, step)
    return Expansion(_text(call[0]), span, _text(expanded), tuple(steps))


def _within(form: Any, step: Step) -> Any:
    """The form with every macro call within it expanded; what is quoted is left."""
    if isinstance(form, Expression) and form:
        if form[0] in (Symbol("quote"), Symbol("quasiquote")):
            return form
        for _ in range(MOST_STEPS):
            again = step(form)
            if again is form or not isinstance(again, Expression) or not again:
                form = again
                break
            form = again
    if isinstance(form, Sequence) and not isinstance(form, (FString, FComponent)):
        return type(form)(_within(part, step) for part in form).replace(form)
    return form


def _text(form: Object) -> str:
    """A form as source: what `hy.repr` gives for a model is that with a quote before it."""
    return str(hy.repr(form)).removeprefix("'")
