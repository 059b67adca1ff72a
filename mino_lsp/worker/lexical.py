"""Macro calls as Hy's own compiler comes to them: which of the user's it reaches, under which macros, and with what
result. Nothing of Hy's rules is repeated here: a form is compiled, and what the compiler expands is kept.

This changes Hy's modules in place, so it is for processes that do nothing else afterwards.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import hy
import hy.compiler
from hy.compiler import HyASTCompiler
from hy.errors import HyLanguageError
from hy.macros import macroexpand
from hy.models import Expression, FComponent, FString, Object, Sequence, Symbol

from mino_lsp.types import Span
from mino_lsp.worker.patience import GivenUp
from mino_lsp.worker.written import Place, place_of

MOST_STEPS = 1000
"""Of the steps of one call: a macro that expands to a call of itself ends somewhere."""

ENDLESS = f"`{{head}}` is a macro call still after {MOST_STEPS:,} steps: it expands to a call of itself."

_TAG = "_mino_tag"
_QUOTES = ("quote", "quasiquote")
_UNQUOTES = ("unquote", "unquote-splice")


class Done(HyLanguageError):  # type: ignore[misc]  # hy has no types
    """The compiler has come as far as it was wanted. Of Hy's own errors, because Hy would wrap any other."""


@dataclass(slots=True)
class Reached:
    """A form of the user's that the compiler reached; `macros` are those of the scopes around it, innermost last.

    Of a macro call, `tree` is that form with tags by which what was expanded within it is found."""

    tree: Any
    macros: list[dict[str, Any]]
    is_call: bool
    number: int


@dataclass(slots=True)
class Expanded:
    """One step: a call and its result."""

    call: Any
    result: Any


@dataclass(slots=True)
class Compilation:
    """What happened while a form was compiled: forms of the user's by their place, and expansions by their tag."""

    reached: dict[Place, Reached] = field(default_factory=dict)
    expanded: dict[int, Expanded] = field(default_factory=dict)
    error: BaseException | None = None


def candidates(form: Any, offset: int, span: Callable[[Any], Span], quoted: bool) -> list[Expression]:
    """The expressions around an offset, innermost first; what is quoted is data, unless `quoted`."""
    path: list[Expression] = []
    level = 0
    while isinstance(form, Sequence):
        if isinstance(form, Expression) and form:
            head = str(form[0]) if isinstance(form[0], Symbol) else ""
            if head == "quote" and not quoted:
                break
            level += (head == "quasiquote") - (head in _UNQUOTES)
            if (level <= 0 or quoted) and head not in (*_QUOTES, *_UNQUOTES):
                path.append(form)
        places = [(there.end - there.start, part) for part in form if _covers(there := span(part), offset)]
        # The head of a form with a prefix, as of ~x, has the place of all of it.
        form = min(places, key=lambda place: place[0], default=(0, None))[1]
    return path[::-1]


def unquoted(form: Any, level: int = 0) -> Iterator[Expression]:
    """The expressions of a form that are code as far as quotes tell."""
    if not isinstance(form, Sequence):
        return
    if isinstance(form, Expression) and form:
        head = str(form[0]) if isinstance(form[0], Symbol) else ""
        if head == "quote":
            return
        level += (head == "quasiquote") - (head in _UNQUOTES)
        if level <= 0 and head not in (*_QUOTES, *_UNQUOTES):
            yield form
    for part in form:
        yield from unquoted(part, level)


def _covers(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end


def compile_watched(
    form: Any,
    module: ModuleType,
    path: str,
    text: str,
    wanted: set[Place],
    last: Place | None = None,
    on_call: Callable[[Any], None] = lambda call: None,
) -> Compilation:
    """Compile a form and keep what is expanded. `wanted` are the places of the forms of the user's that matter; at
    `last` the compiler need not go on. `on_call` hears of each macro call before it is expanded."""
    kept = Compilation()
    form = _tagged(form)
    originals = {place: part for part in _expressions(form) if (place := place_of(part)) in wanted}
    numbers = itertools.count()

    def watch(tree: Any, module: Any, compiler: Any = None, once: bool = False, result_ok: bool = True) -> Any:
        place = place_of(tree)
        if place in originals and compiler is not None and tree == originals[place]:
            states = [compiler.extra_macros, *(dict(state["macros"]) for state in compiler.local_state_stack)]
            is_call = is_macro_call(tree, module, states)
            if place not in kept.reached:
                kept.reached[place] = Reached(tree, states, is_call, next(numbers))
            if place == last:
                raise Done("")
        for number in range(MOST_STEPS):
            if not is_macro_call(tree, module, _macros(compiler)):
                return macroexpand(tree, module, compiler, once, result_ok)
            if number == 0 and place is not None:
                on_call(tree)
            result = _tagged(macroexpand(tree, module, compiler, once=True, result_ok=result_ok))
            kept.expanded[getattr(tree, _TAG, -1)] = Expanded(tree, result)
            tree = result
            if once:
                return tree
        raise HyLanguageError(ENDLESS.format(head=tree[0]))

    with _watching(watch):
        try:
            whole = Expression([Symbol("do"), form]).replace(form)
            hy.compiler.hy_compile(whole, module, filename=path, source=text)
        except Done:
            pass
        except (Exception, GivenUp) as error:  # noqa: BLE001 - a macro of the user's, or what the compiler says
            kept.error = error
    return kept


class _watching:
    """Has the compiler expand by another function. A tag on a form goes where its place goes."""

    def __init__(self, watch: Callable[..., Any]) -> None:
        self._watch = watch

    def __enter__(self) -> None:
        hy.compiler.macroexpand = self._watch
        Object.properties.append(_TAG)

    def __exit__(self, *_: object) -> None:
        hy.compiler.macroexpand = macroexpand
        Object.properties.remove(_TAG)


_tags = itertools.count(1)


def _tagged(form: Any) -> Any:
    """A copy of a form in which each expression has a tag of its own."""
    if not isinstance(form, Sequence):
        return form
    copied = rebuilt(form, [_tagged(part) for part in form])
    if isinstance(copied, Expression):
        setattr(copied, _TAG, next(_tags))
    return copied


def rebuilt(form: Any, parts: list[Any]) -> Any:
    """A form of the same kind and place with other parts."""
    if isinstance(form, FString):
        new: Any = FString(parts, brackets=form.brackets, is_tstring=form.is_tstring)
    elif isinstance(form, FComponent):
        new = FComponent(parts, form.conversion, form.expression, form.is_tstring)
    else:
        new = type(form)(parts)
    for name in ("_start_line", "_end_line", "_start_column", "_end_column"):
        if hasattr(form, name):
            setattr(new, name, getattr(form, name))
    return new


def _expressions(form: Any) -> Iterator[Expression]:
    if isinstance(form, Sequence):
        if isinstance(form, Expression) and form:
            yield form
        for part in form:
            yield from _expressions(part)


def _macros(compiler: Any) -> list[dict[str, Any]]:
    if compiler is None:
        return []
    return [compiler.extra_macros, *(state["macros"] for state in compiler.local_state_stack)]


def is_macro_call(form: Any, module: ModuleType, states: list[dict[str, Any]]) -> bool:
    """Whether a form is the call of a macro that is a function from forms to a form, as the compiler's own are not."""
    if not isinstance(form, Expression) or not form:
        return False
    head = form[0]
    if isinstance(head, Expression) and head and head[0] == Symbol(".") and all(isinstance(p, Symbol) for p in head):
        name = ".".join(map(hy.mangle, head[1:]))
    elif isinstance(head, Symbol):
        name = hy.mangle(head)
    else:
        return False
    if name.startswith("hy.R.") or any(name in macros for macros in states):
        return True
    if name in vars(module).get("_hy_macros", {}):
        return True
    core = vars(builtins)["_hy_macros"].get(name)
    return core is not None and core.__module__ != "hy.macros"


def expander(module: ModuleType, path: str, text: str, states: list[dict[str, Any]]) -> Callable[[Any], Any]:
    """One step of Hy's expander, under the macros of a place; a form that is no macro call is returned as it is."""
    compiler = HyASTCompiler(module, filename=path, source=text)
    compiler.extra_macros = {name: macro for macros in states for name, macro in macros.items()}

    def step(form: Any) -> Any:
        if not is_macro_call(form, module, states):
            return form
        with compiler.scope:
            return macroexpand(form, module, compiler, once=True, result_ok=False)

    return step


def first_step(form: Any, kept: Compilation) -> Expanded | None:
    """What the compiler made of a form, if it is a macro call that it came to."""
    found = kept.expanded.get(getattr(form, _TAG, 0))
    return found if found is not None and found.call == form else None


def unfold(form: Any, kept: Compilation) -> tuple[Any, list[Any]]:
    """A form with all that the compiler expanded within it; and the steps: each an `Expanded` and the steps within its
    result, which only the last of a chain can have."""
    chain: list[Expanded] = []
    while len(chain) < MOST_STEPS:
        found = first_step(form, kept)
        if found is None:
            break
        chain.append(found)
        form = found.result
    within: list[Any] = []
    if isinstance(form, Sequence):
        parts = []
        for part in form:
            part, steps = unfold(part, kept)
            parts.append(part)
            within += steps
        form = rebuilt(form, parts) if within else form
    if not chain:
        return form, within
    return form, [(step, within if step is chain[-1] else []) for step in chain]
