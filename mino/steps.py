"""The expansions of the threading macros: each takes the forms of a call and returns one form.

A step's form carries the source range of that step, and the user's own forms keep theirs. What is used once is
nested where it is used, in threads of up to `NESTED` steps (Hy's compiler recurses, and takes quadratic time in the
depth); in longer ones each step is bound to a variable. What is used twice is bound to a fresh variable in any
thread, so that every step is evaluated exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import hy
from hy.models import Expression, Keyword, List, Object, Sequence, Symbol

from mino.forms import form_error, is_dotted, place, text

NESTED = 64

PREFIXED = tuple(map(Symbol, ("quote", "quasiquote", "unpack-iterable", "unpack-mapping")))
LAMBDAS = (Symbol("fn"), Symbol("mu"))


@dataclass(frozen=True, slots=True)
class Held:
    """A form on its way along the thread."""

    form: Object

    @property
    def atomic(self) -> bool:
        """Whether the form may stand in several places: a name or a literal, which does nothing."""
        return not isinstance(self.form, Sequence)


class Thread:
    """One call of a threading macro while it is being expanded."""

    def __init__(self, compiler: Any, name: str, forms: Iterable[Object]) -> None:
        self.compiler, self.name, self.last = compiler, name, name.endswith("->>")
        self.bound: list[Expression] = []
        forms = list(forms)
        if not forms:
            form_error(compiler, compiler.this, f"`{name}` has nothing to thread: write ({name} value step…)")
        self.first, self.steps = forms[0], forms[1:]
        self.long = len(self.steps) > NESTED
        self.variables: dict[int, Symbol] = {}

    def bind(self, held: Held, variable: Symbol | None = None) -> Held:
        """Binds `held` to a variable (a fresh one without `variable`) and holds that variable instead."""
        variable = variable or hy.gensym("step")
        form = held.form
        if _unpacks(form):
            inner = Held(place(List([form]), form))
            unpack = place(Symbol("unpack-iterable"), form)
            return Held(place(Expression([unpack, self.bind(inner, variable).form]), form))
        target = place(Symbol(variable), form)
        self.bound.append(place(Expression([place(Symbol("setv"), form), target, form]), form))
        return Held(target)

    def share(self, held: Held) -> Held:
        """`held` in a form that may be used several times."""
        return held if held.atomic else self.bind(held)

    def variable(self, branch: int = 0) -> Symbol:
        """The one variable in which the values of a branch follow one another."""
        if branch not in self.variables:
            self.variables[branch] = hy.gensym("step")
        return self.variables[branch]

    def along(self, step: Object, held: Held, branch: int = 0) -> Held:
        """The call of `step` with what its branch holds, which only this step uses."""
        return self.step(step, [self.bind(held, self.variable(branch)) if self.long and not held.atomic else held])

    def step(self, step: Object, arguments: list[Held]) -> Held:
        """The call of `step` with `arguments` threaded into it."""
        threaded = [held.form for held in arguments]
        if isinstance(step, Symbol | Keyword) or is_dotted(step):
            return Held(place(Expression([step, *threaded]), step))
        is_lambda = not self.last and _is_lambda(step)
        if not isinstance(step, Expression) or not step or _is_prefixed(step) or is_lambda:
            sentence = f"`{text(step)}` is not a step of `{self.name}`: a step is a name or a form, such as f or (f a)"
            hint = ". Lists are threaded by *-> and |->" if isinstance(step, List) else ""
            hint = f". To call it, write ({text(step)})" if is_lambda else hint
            form_error(self.compiler, step, sentence + hint)
        head, rest = step[0], list(step[1:])
        parts = [head, *rest, *threaded] if self.last else [head, *threaded, *rest]
        return Held(place(Expression(parts), step))

    def branches(self, step: List) -> list[Object]:
        if not step:
            form_error(self.compiler, step, f"this list of `{self.name}` is empty: write at least one step in it")
        return list(step)

    def finish(self, form: Object) -> Object:
        """The whole expansion, whose value is `form`."""
        return Expression([Symbol("do"), *self.bound, form]) if self.bound else form


def simple(compiler: Any, name: str, forms: Iterable[Object]) -> Object:
    """`->` and `->>`: each form is put into the next as its first or last argument."""
    thread = Thread(compiler, name, forms)
    held = Held(thread.first)
    for step in thread.steps:
        held = thread.along(step, held)
    return thread.finish(held.form)


def broadcast(compiler: Any, name: str, forms: Iterable[Object]) -> Object:
    """`*->` and `*->>`: a list spreads into the next form; a form, or a spread list, goes to each of a list."""
    thread = Thread(compiler, name, forms)
    shape, held = _opened(thread.first)
    for step in thread.steps:
        if isinstance(step, List):
            branches = thread.branches(step)
            if thread.long or len(branches) > 1:
                held = [thread.share(one) for one in held]
            shape, held = step, [thread.step(branch, held) for branch in branches]
        else:
            held = [thread.share(one) for one in held] if thread.long else held
            shape, held = None, [thread.step(step, held)]
    return thread.finish(_closed(shape, held))


def inline(compiler: Any, name: str, forms: Iterable[Object]) -> Object:
    """`|->` and `|->>`: lists thread branch by branch; one form after a list goes along each branch."""
    thread = Thread(compiler, name, forms)
    shape, held = _opened(thread.first)
    for one in held:
        if _unpacks(one.form):
            sentence = f"`{name}` cannot count the branches of `{text(one.form)}`: write each branch on its own"
            form_error(compiler, one.form, sentence)
    for step in thread.steps:
        if not isinstance(step, List):
            held = [thread.along(step, one, branch) for branch, one in enumerate(held)]
            continue
        branches = thread.branches(step)
        if shape is None and len(branches) > 1:
            held = [thread.share(held[0])]
        if shape is None:
            held = held * len(branches)
        if len(branches) != len(held):
            form_error(
                compiler,
                step,
                f"`{name}` threads {len(held)} branches into a list of {len(branches)} steps: "
                f"write {len(held)} steps, one a branch",
            )
        shape = step
        held = [thread.along(each, one, branch) for branch, (each, one) in enumerate(zip(branches, held, strict=True))]
    return thread.finish(_closed(shape, held))


def set_thread(compiler: Any, name: str, forms: Iterable[Object]) -> Object:
    """`=->` and `=->>`: each step is stored in one fresh variable, which the next step is given."""
    thread = Thread(compiler, name, forms)
    held = Held(thread.first)
    for step in thread.steps:
        held = thread.step(step, [thread.bind(held, thread.variable())])
    return thread.finish(held.form)


def conditional(compiler: Any, name: str, forms: Iterable[Object]) -> Object:
    """`cond->` and `cond->>`: pairs of a test and a step; a step whose test is false is passed over."""
    thread = Thread(compiler, name, forms)
    if len(thread.steps) % 2:
        test = thread.steps[-1]
        form_error(compiler, test, f"the test `{text(test)}` of `{name}` has no form: write a step after it")
    held = Held(thread.first)
    for test, step in zip(thread.steps[::2], thread.steps[1::2], strict=True):
        held = held if held.atomic else thread.bind(held, thread.variable())
        taken = thread.step(step, [held]).form
        held = Held(place(Expression([Symbol("if"), test, taken, held.form]), step))
    return thread.finish(held.form)


def _is_prefixed(form: Object) -> bool:
    """Whether the form is written with a sign in front: `'f`, `#* fs`."""
    return isinstance(form, Expression) and len(form) == 2 and form[0] in PREFIXED


def _is_lambda(form: Object) -> bool:
    """Whether the form is `(fn [y] …)`, which as a step would be `(fn x [y] …)`."""
    return isinstance(form, Expression) and len(form) > 1 and form[0] in LAMBDAS and isinstance(form[1], List)


def _unpacks(form: Object) -> bool:
    return isinstance(form, Expression) and len(form) == 2 and bool(form[0] == Symbol("unpack-iterable"))


def _opened(first: Object) -> tuple[List | None, list[Held]]:
    """The branches that a thread starts with, and the list they were written in."""
    return (first, [Held(form) for form in first]) if isinstance(first, List) else (None, [Held(first)])


def _closed(shape: List | None, held: list[Held]) -> Object:
    return held[0].form if shape is None else place(List([one.form for one in held]), shape)


EXPANSIONS: dict[str, Callable[[Any, str, Iterable[Object]], Object]] = {
    "->": simple,
    "->>": simple,
    "*->": broadcast,
    "*->>": broadcast,
    "|->": inline,
    "|->>": inline,
    "=->": set_thread,
    "=->>": set_thread,
    "cond->": conditional,
    "cond->>": conditional,
}
