"""How a value is checked: specs, the scope of one check, and failure, which is returned and never raised.

`spec.check(value, scope)` gives what the spec made of the value, or `Failed`. On the way down nothing is built; a
problem finds its path through the specs on the way up, so that a check that passes pays for nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import hy
from hy.models import Keyword

from mino.specs import registry
from mino.specs.foreign import Raised, attempt
from mino.specs.names import keyword_text
from mino.specs.problems import CircularSpec, Mark, NoSpec, Place, Problem
from mino.summary import summary

# From here on a chain of keywords is watched for a circle: few honest ones are this long.
_WATCHED = 40


# What is said of a shape, dtype or device that does not conform while torch.compile traces the check.
UNTOLD = "A tensor does not conform to its spec: call the model without torch.compile to be told which, and why."

# In the place of a value that is missing.
NOTHING = object()


class Failed:
    """What a check gives for a value that does not conform. `score` counts what did hold: how far the check came."""

    __slots__ = ("problems", "score")

    def __init__(self, problems: tuple[Problem, ...], score: int = 0) -> None:
        self.problems, self.score = problems, score

    def under(self, part: str, score: int = 0) -> Failed:
        return Failed(tuple(problem.under(part) for problem in self.problems), self.score + score)

    def named(self, keyword: str) -> Failed:
        return Failed(tuple(problem.named(keyword) for problem in self.problems), self.score)


class Scope:
    """What one check knows: the keys that led to the value at hand, and the sizes of the names of axes.

    `names` maps a name to the size that its first use gave it; `used` lists the tensors that were seen, so that a
    message can tell every place that fixed a name.
    """

    __slots__ = ("active", "at", "depth", "names", "used")

    def __init__(self) -> None:
        self.at: list[Any] = []
        self.names: dict[str, int] = {}
        self.used: list[tuple[Any, Any, tuple[Any, ...]]] = []
        self.depth = 0
        self.active: dict[tuple[str, int], int] | None = None

    def saved(self) -> tuple[dict[str, int], int]:
        """The names as they are, for `restore` to come back to when a branch has failed."""
        return self.names.copy(), len(self.used)

    def restore(self, saved: tuple[dict[str, int], int]) -> None:
        self.names, count = saved[0].copy(), saved[1]
        del self.used[count:]

    def fails(
        self,
        pred: str,
        value: Any,
        reason: str | None = None,
        where: Place | None = None,
        mark: Mark | None = None,
        score: int = 0,
    ) -> Failed:
        """The failure of the value at hand."""
        if compiling():
            return Failed((), score)
        val, found = ("nothing", None) if value is NOTHING else (summary(value), value)
        return Failed((Problem((), (), tuple(self.at), pred, val, reason, where, found, mark),), score)


class Spec(Protocol):
    """Anything that can check a value."""

    def check(self, value: Any, scope: Scope) -> Any:
        """What the spec makes of the value, or `Failed`."""
        ...

    def written(self, short: bool) -> str:
        """The form that makes the spec; a short one shows a predicate by its body."""
        ...


@dataclass(frozen=True, slots=True)
class Predicate:
    """A function that is true of the values that conform; `shown` is the short form by which it is known.

    A class stands for its instances.
    """

    function: Callable[[Any], Any]
    shown: str
    form: str
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        if compiling():
            return value
        reason = asked(self.function, value)
        return value if reason is None else scope.fails(self.shown, value, reason or None, self.where)

    def written(self, short: bool) -> str:
        return self.shown if short else self.form


@dataclass(frozen=True, slots=True)
class Named:
    """A registered spec, looked up when a value is checked: it may be defined later, and redefined.

    The names of axes in the spec of a module are its own: two layers may have one spec and different sizes.
    """

    keyword: str
    where: Place | None = field(default=None, compare=False)

    def written(self, short: bool) -> str:
        return self.keyword

    def check(self, value: Any, scope: Scope) -> Any:
        spec = registry.specs.get(self.keyword) or registry.lookup(self.keyword, self.where)
        if scope.depth >= _WATCHED:
            return self._watched(spec, value, scope)
        scope.depth += 1
        result = self._own(spec, value, scope) if scope.at and is_module(value) else spec.check(value, scope)
        scope.depth -= 1
        return result.named(self.keyword) if type(result) is Failed else result

    def _own(self, spec: Spec, value: Any, scope: Scope) -> Any:
        outer = scope.names, scope.used
        scope.names, scope.used = {}, []
        result = spec.check(value, scope)
        scope.names, scope.used = outer
        return result

    def _watched(self, spec: Spec, value: Any, scope: Scope) -> Any:
        key = (self.keyword, id(value))
        active = scope.active = {} if scope.active is None else scope.active
        if key in active:
            if active[key] == len(scope.at):
                raise circular([keyword for keyword, _ in active], self)
            return value  # a value that holds itself: what else there is of it is being checked
        active[key] = len(scope.at)
        result = self._own(spec, value, scope) if is_module(value) else spec.check(value, scope)
        del active[key]
        return result.named(self.keyword) if type(result) is Failed else result


def circular(active: list[str], named: Named) -> CircularSpec:
    """The error for specs that refer to each other without end."""
    circle = " → ".join([*active[active.index(named.keyword) :], named.keyword])
    return CircularSpec(
        f"the specs {circle} refer to each other and never go into the value: put what goes into it between them, "
        f"such as (spec/coll-of {named.keyword}) or (spec/modules name {named.keyword})",
        named.where,
    )


def expected(missing: Spec) -> str:
    """What would have been there: a registered spec by its keyword and what it says."""
    found = registry.specs.get(missing.keyword) if isinstance(missing, Named) else None
    return ", ".join([missing.written(True), *([found.written(True)] if found is not None else [])])


def too_deep(name: str, where: Place | None) -> CircularSpec:
    """The error for a check that went deeper than Python does."""
    return CircularSpec(
        f"checking against {name} went deeper than Python allows: the value is nested too deeply, or a spec makes "
        "new values of it without end",
        where,
    )


def into(key: Any, spec: Spec, value: Any, scope: Scope) -> Any:
    """Checks a part of the value at hand, which its `key` leads to."""
    scope.at.append(key)
    result = spec.check(value, scope)
    scope.at.pop()
    return result.under(str(key)) if type(result) is Failed else result


def form(head: str, *parts: str) -> str:
    """The text of the form `(head part…)`."""
    return f"({' '.join([head, *(part for part in parts if part)])})"


def compiling() -> bool:
    """Whether torch.compile is tracing this: then only shape, dtype and device are known."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and bool(torch.compiler.is_compiling())


def is_module(value: Any) -> bool:
    """Whether `value` is a `torch.nn.Module`."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def asked(function: Callable[[Any], Any], value: Any) -> str | None:
    """None if the predicate holds of the value; else why it doesn't, which may be the empty text."""
    answer: Any = attempt(isinstance, value, function) if isinstance(function, type) else attempt(function, value)
    if not isinstance(answer, Raised):
        holds = attempt(bool, answer)
        if not isinstance(holds, Raised):
            return None if holds else ""
        if not holds.undecided and hasattr(type(answer), "ndim"):
            return f"the predicate gave a {summary(answer)}: reduce it to one truth, with .all or .any"
        answer = holds
    return None if answer.undecided else str(answer)


def spec(
    value: Any, text: str | None = None, where: Place | tuple[Any, ...] | None = None, shown: str | None = None
) -> Spec:
    """The spec that `value` stands for: a spec, a registered keyword (or its text, ":name"), a predicate, a class
    (its instances), or a set (its members).

    `text` is the form of a predicate, `shown` its short form, and `where` the place of it. Raises `TypeError` for
    anything else.
    """
    at = Place(*where) if isinstance(where, tuple) else where
    if isinstance(value, Keyword) or (isinstance(value, str) and value.startswith(":")):
        return Named(keyword_text(value), at)
    if isinstance(value, set | frozenset):
        from mino.specs.logic import Enum

        return Enum(tuple(value), at)
    if hasattr(type(value), "check") and hasattr(type(value), "written"):
        return value  # type: ignore[no-any-return]
    if callable(value):
        whole = text or _written_name(value)
        return Predicate(value, shown or whole, whole, at)
    advice = ": (spec/undef …) takes a spec away" if value is None else ""
    raise NoSpec(f"a spec is a keyword, a predicate or a form such as (spec/and …); found {summary(value)}{advice}", at)


def _written_name(function: Any) -> str:
    name = attempt(getattr, function, "__name__")
    return hy.unmangle(name) if isinstance(name, str) else type(function).__name__
