"""Expands macro calls: one, as far as asked; all of a document's at once; and compiles forms to Python.

What decides the macros above a place is a `Macros`; a request is answered by a process of its own that has one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import hy
from hy.models import Expression, Object, Sequence
from hy.reader import HyReader

from mino_lsp.types import (
    ExpandRequest,
    Expansion,
    ExpansionRequest,
    ExpansionStep,
    Failed,
    FormStarted,
    Problem,
    PythonCode,
    PythonRequest,
    Result,
    Span,
    Survey,
    SurveyedCall,
    SurveyRequest,
)
from mino_lsp.worker import blame, lexical
from mino_lsp.worker.deciding import deciding, for_expansion, start_of
from mino_lsp.worker.macros import Macros, given_up
from mino_lsp.worker.patience import GivenUp, Patience
from mino_lsp.worker.pure import NEEDS_TRUST
from mino_lsp.worker.source import Source
from mino_lsp.worker.written import GENSYM, Names, Originals, Writer, place_of, walk

LONGEST = 200_000
"""Characters of the steps that are told of one expansion; what is more is not."""

SURVEYED = 4000
"""Characters of one expansion that a survey tells."""

Step = Callable[[Any], Any]


def answer(request: ExpansionRequest, macros: Macros, publish: Callable[[Any], None]) -> Result:
    """What a request asks for, in a process that does nothing else afterwards."""
    try:
        if isinstance(request, SurveyRequest):
            return survey(request, macros)
        if isinstance(request, PythonRequest):
            return python(request, macros)
        return expand(request, macros, publish)
    except RecursionError:
        return Failed("The form is nested too deeply to be expanded.")
    except GivenUp as error:
        return Failed(f"The expansion was given up: {error}.")
    except SyntaxError as error:
        return Failed(blame.unreadable(error, Source(request.text, request.path)).message)


class _Form:
    """A top-level form of the document's, with its places in the whole text."""

    def __init__(self, request: ExpansionRequest, span: Span, macros: Macros) -> None:
        self.span = span
        self.source = Source(request.text, request.path)
        self.form = macros.read(request.text[span.start : span.end])
        self.form.source = request.text  # Hy looks up the lines of its errors there
        line = self.source.line(span.start)
        column = span.start - self.source.offset(line, 1)
        for part in walk(self.form):
            _move(part, line - 1, column)
        self.originals = Originals(self.form, self.source)
        self.names = Names(request.text, macros.names())

    def write(self, form: Any) -> str:
        return Writer(self.originals, self.names).write(form)


def _move(form: Any, lines: int, columns: int) -> None:
    """Where a form is that begins so many lines and columns further on."""
    if place_of(form) is not None:
        form.start_column += columns if form.start_line == 1 else 0
        form.end_column += columns if form.end_line == 1 else 0
        form.start_line += lines
        form.end_line += lines


# ---- one call


def expand(request: ExpandRequest, macros: Macros, publish: Callable[[Any], None]) -> Expansion | Failed:
    """The expansion of the innermost macro call around the request's offset."""
    span = next((span for span in request.forms if span.start <= request.offset <= span.end), None)
    if span is None:
        return Failed("There is no complete form here.")
    publish(FormStarted(request.job, span))
    there = _Form(request, span, macros)
    source = there.source
    around = lexical.candidates(there.form, request.offset, source.span, request.quoted)
    if macros.pure is not None:
        pure = macros.pure.step
        call = next((call for call in around if pure(call) is not call), None)
        if call is None:
            return Failed(NEEDS_TRUST)
        return _Expander(request, there, call).stepwise(pure, None)
    wanted = {place for form in around if (place := place_of(form)) is not None}
    begun = Span(0, 0)

    def on_call(call: Any) -> None:
        nonlocal begun
        if (span := source.span(call)) != begun:
            begun = span
            publish(FormStarted(request.job, span))

    with Patience(request.limits).limited():
        kept = macros.compile(there.form, request.text, wanted, on_call)
    problems = macros.problems(request)
    error = blame.behind(kept.error, GivenUp)
    if isinstance(error, GivenUp):
        problems += (given_up(error, begun, request.text),)

    def unreached(above: Any) -> bool:
        """Whether the compiler stopped within a form, before it came to the place that is asked for."""
        elsewhere = not begun.start <= request.offset <= begun.end
        return kept.error is not None and (above is None or (elsewhere and source.span(above).contains(begun)))

    call, reached, macros_there = _innermost(around, kept, macros.module, request.quoted, unreached)
    if call is None:
        return Failed("There is no macro call here.")
    publish(FormStarted(request.job, source.span(call)))
    step = lexical.expander(macros.module, request.path, request.text, macros_there)
    expander = _Expander(request, there, call, problems)
    return expander.stepwise(step, kept if reached is not None and request.depth == "all" else None, reached)


def _innermost(
    around: list[Any],
    kept: lexical.Compilation,
    module: ModuleType,
    quoted: bool,
    unreached: Callable[[Any], bool],
) -> tuple[Any, lexical.Reached | None, list[dict[str, Any]]]:
    """The innermost call that the compiler came to; in data, or where it did not come, the innermost that looks like
    one. And the macros of the scopes around it."""
    for index, form in enumerate(around):
        reached = kept.reached.get(place_of(form) or (0, 0, 0, 0))
        if reached is not None and reached.is_call:
            return form, reached, reached.macros
        if reached is None:
            outer = ((f, kept.reached.get(place_of(f) or (0, 0, 0, 0))) for f in around[index:])
            above, scope = next(((f, r) for f, r in outer if r is not None), (None, None))
            there = scope.macros if scope is not None else []
            if (quoted or unreached(above)) and lexical.is_macro_call(form, module, there):
                return form, None, there
    return None, None, []


class _Expander:
    """One call, and what becomes of it."""

    def __init__(self, request: ExpandRequest, there: _Form, call: Any, others: tuple[Problem, ...] = ()) -> None:
        """`others` are problems of what stands elsewhere."""
        self._request, self._there, self._call = request, there, call
        self._span = there.source.span(call)
        self._told = 0
        self._problems: tuple[Problem, ...] = ()
        self._others = others

    def stepwise(
        self, step: Step, kept: lexical.Compilation | None, reached: lexical.Reached | None = None
    ) -> Expansion | Failed:
        """Expand by steps as far as asked; `kept` knows what the compiler made of all that is within."""
        chain: list[Any] = []
        form = self._call
        while len(chain) < lexical.MOST_STEPS:
            try:
                again = step(form)
            except Exception as error:  # noqa: BLE001 - a macro of the user's
                self._blame(error)
                break
            if again is form:
                break
            chain.append((lexical.Expanded(form, again), []))
            form = again
            if self._request.depth == "step" or not isinstance(form, Expression) or not form:
                break
        else:
            self._problem(lexical.ENDLESS.format(head=form[0]))
            chain, form = chain[:1], chain[0][0].result
        if self._request.depth == "all" and chain and not self._problems:
            form, chain = self._whole(form, chain, step, kept, reached)
        return self._told_as(form, chain)

    def _whole(self, form: Any, chain: Any, step: Step, kept: Any, reached: Any) -> tuple[Any, Any]:
        if kept is None or reached is None:
            form, within = _walked(form, step)
            return form, [*chain[:-1], (chain[-1][0], within)]
        if kept.error is not None:
            self._blame(kept.error, at_call=False)
        return lexical.unfold(reached.tree, kept)

    def _told_as(self, form: Any, chain: Any) -> Expansion:
        there = self._there
        steps = tuple(self._step(one, within) for one, within in chain)
        writer = Writer(there.originals, there.names, self._call)
        text = writer.write(form)
        return Expansion(
            there.write(self._call[0]),
            self._span,
            text,
            steps,
            (*self._problems, *self._others),
            tuple(writer.tokens),
            tuple(writer.forms),
        )

    def _step(self, step: lexical.Expanded, within: list[Any]) -> ExpansionStep:
        write = self._there.write
        call, text = write(step.call), write(step.result)
        self._told += len(call) + len(text)
        inner = [self._step(*one) for one in within if self._told < LONGEST]
        return ExpansionStep(write(step.call[0]), call, text, tuple(inner))

    def _blame(self, error: BaseException, at_call: bool = True) -> None:
        """What a macro raised is reported at its call; what the compiler refuses too, if it is here."""
        if blame.behind(error, GivenUp) is not None:
            return  # reported at the call that took so long
        error = blame.behind(error, MemoryError) or blame.behind(error, OSError) or error
        for problem in blame.problems(error, self._span, self._there.source, None, self._request.limits):
            inside = self._span.contains(problem.span)
            if inside or at_call:
                self._problems += (for_expansion(replace(problem, span=self._span, related=())),)

    def _problem(self, message: str) -> None:
        self._problems += (Problem("expansion-limit", "error", message, self._span),)


def _walked(form: Any, step: Step) -> tuple[Any, list[Any]]:
    """A form with every macro call within it expanded, as far as that can be told without compiling it."""
    if isinstance(form, Expression) and form:
        if str(form[0]) in ("quote", "quasiquote"):
            return form, []
        chain: list[Any] = []
        while len(chain) < lexical.MOST_STEPS and isinstance(form, Expression) and form:
            try:
                again = step(form)
            except Exception:  # noqa: BLE001 - a macro that does not take this: it is data, or a mistake
                break
            if again is form:
                break
            chain.append((lexical.Expanded(form, again), []))
            form = again
        if chain:
            form, within = _walked_parts(form, step)
            return form, [*chain[:-1], (chain[-1][0], within)]
    return _walked_parts(form, step)


def _walked_parts(form: Any, step: Step) -> tuple[Any, list[Any]]:
    if not isinstance(form, Sequence):
        return form, []
    within: list[Any] = []
    parts = []
    for part in form:
        part, steps = _walked(part, step)
        parts.append(part)
        within += steps
    return (lexical.rebuilt(form, parts) if within else form), within


# ---- all calls


def survey(request: SurveyRequest, macros: Macros) -> Survey:
    """The calls of the wanted forms, each expanded until its head is no macro."""
    found: list[SurveyedCall] = []
    wanted = set(request.wanted)
    last = max((span.end for span in wanted), default=0)
    above = len(deciding(request.text, request.forms, start_of(request)))
    decide = deciding(request.text, request.forms, last)[above:]
    patience = Patience(request.limits)
    for span in request.forms:
        if span.start < start_of(request) or span.end > last:
            continue
        if span in wanted:
            try:
                with patience.limited():
                    for call in _surveyed(_Form(request, span, macros), request, macros):
                        found.append(call)
            except (SyntaxError, RecursionError):
                pass
            except GivenUp:
                continue  # it would not end when it is evaluated either
        if span in decide:
            macros.evaluate(request.text[span.start : span.end], patience)
    return Survey(tuple(found))


def _surveyed(there: _Form, request: SurveyRequest, macros: Macros) -> Iterator[SurveyedCall]:
    if macros.pure is not None:
        for call in lexical.unquoted(there.form):
            form = call
            while (again := macros.pure.step(form)) is not form:
                form = again
            if form is not call:
                yield SurveyedCall(there.write(call[0]), there.source.span(call), there.write(form)[:SURVEYED])
        return
    places = {place: part for part in walk(there.form) if isinstance(part, Expression) and (place := place_of(part))}
    kept = macros.compile(there.form, request.text, set(places), lambda call: None)
    for place, reached in kept.reached.items():
        form, steps = reached.tree, 0
        while (step := lexical.first_step(form, kept)) is not None and steps < lexical.MOST_STEPS:
            form, steps = step.result, steps + 1
        if reached.is_call:
            call, text = places[place], there.write(form)[:SURVEYED] if steps else ""
            yield SurveyedCall(there.write(call[0]), there.source.span(call), text)
    if isinstance(error := blame.behind(kept.error, GivenUp), GivenUp):
        raise error


# ---- Python


def python(request: PythonRequest, macros: Macros) -> PythonCode | Failed:
    """The Python that the innermost form around a span, or the top-level forms that it touches, compile to."""
    touched = [span for span in request.forms if span.start < request.span.end and span.end > request.span.start]
    touched = touched or [span for span in request.forms if span.contains(request.span)]
    if not touched:
        return Failed("There is no complete form here.")
    parts, patience = [], Patience(request.limits)
    for span in touched:
        there = _Form(request, span, macros)
        form = there.form
        if len(touched) == 1:
            # At a cursor, a name alone says nothing.
            kind = Object if request.span.end > request.span.start else Expression
            around = [p for p in walk(form) if isinstance(p, kind) and there.source.span(p).contains(request.span)]
            form = around[-1] if around else form
        try:
            parts.append(_python(form, there, request, macros))
        except Exception as error:  # noqa: BLE001 - a macro of the user's, or what the compiler says of the form
            problems = blame.problems(error, there.source.span(form), there.source, None, request.limits)
            return PythonCode("", tuple(map(for_expansion, problems)))
        if len(touched) > 1:
            macros.evaluate(request.text[span.start : span.end], patience)
    return PythonCode("\n".join(parts))


def _python(form: Any, there: _Form, request: PythonRequest, macros: Macros) -> str:
    """One form, compiled under the macros of its place."""
    states: list[dict[str, Any]] = []
    place = place_of(form)
    if form is not there.form and place is not None and isinstance(form, Expression):
        reached = macros.compile(there.form, request.text, {place}, lambda call: None).reached.get(place)
        states = reached.macros if reached is not None else []
    extra = {name: macro for macros_ in states for name, macro in macros_.items()}
    with HyReader.using_reader(macros.reader, create=False):
        whole = Expression([hy.models.Symbol("do"), form]).replace(form)
        tree = hy.compiler.hy_compile(
            whole, macros.module, filename=request.path, source=request.text, import_stdlib=False, extra_macros=extra
        )
    for node in ast.walk(tree):
        for name in ("id", "arg", "name"):
            value = getattr(node, name, None)
            if isinstance(value, str) and GENSYM.match(value):
                setattr(node, name, there.names.shown(value))
    return ast.unparse(ast.fix_missing_locations(tree))
