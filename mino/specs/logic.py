"""Specs of one value made of other specs of it: all, one, none, not all; a value or None; one of given values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from hy.models import Keyword

from mino.specs.engine import Failed, Scope, Spec, form
from mino.specs.foreign import attempt
from mino.specs.names import meant
from mino.specs.problems import Place, Problem
from mino.summary import summary


@dataclass(frozen=True, slots=True)
class And:
    """All of the specs, in order, each given what the one before made of the value; the first failure ends it."""

    specs: tuple[Spec, ...]
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        for passed, spec in enumerate(self.specs):
            value = spec.check(value, scope)
            if type(value) is Failed:
                return value.under("spec/and", passed)
        return value

    def written(self, short: bool) -> str:
        return form("spec/and", *(spec.written(short) for spec in self.specs))


@dataclass(frozen=True, slots=True)
class Or:
    """The first of the specs to which the value conforms; one with a tag conforms it to `#(:tag value)`."""

    branches: tuple[tuple[str | None, Spec], ...]
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        saved = scope.saved()
        failures = []
        for index, (tag, spec) in enumerate(self.branches):
            result = spec.check(value, scope)
            if type(result) is not Failed:
                return (Keyword(tag[1:]), result) if tag else result
            scope.restore(saved)
            failures.append(result.under(tag or str(index)).under("spec/or"))
        return self._furthest(failures, value, scope)

    def _furthest(self, failures: list[Failed], value: Any, scope: Scope) -> Failed:
        """The failure of the branch that came furthest; where none did, one failure of them all."""
        best = max((each.score for each in failures), default=0)
        ahead = [each for each in failures if each.score == best]
        if best and len(ahead) == 1 and ahead[0].problems:
            others = tuple(problem for each in failures if each is not ahead[0] for problem in each.problems)
            first, *more = ahead[0].problems
            if not first.alternatives:
                told = f"of the branches of spec/or, {self._branch(failures.index(ahead[0]))} came furthest"
                first = replace(first, reason=_joined(first.reason, told), alternatives=others)
            return Failed((first, *more), best)
        combined = scope.fails(self.written(True), value, None, self.where, score=best)
        if not combined.problems:
            return combined
        branches = tuple(problem for each in failures for problem in each.problems)
        return Failed((replace(combined.problems[0], alternatives=branches),), best)

    def _branch(self, index: int) -> str:
        tag, spec = self.branches[index]
        return tag or spec.written(True)

    def written(self, short: bool) -> str:
        return form("spec/or", *(f"{tag or ''} {spec.written(short)}".strip() for tag, spec in self.branches))


@dataclass(frozen=True, slots=True)
class Not:
    """What does not conform to the spec."""

    spec: Spec
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        if _holds(self.spec, value, scope):
            return scope.fails(self.written(True), value, None, self.where)
        return value

    def written(self, short: bool) -> str:
        return form("spec/not", self.spec.written(short))


@dataclass(frozen=True, slots=True)
class Nand:
    """What does not conform to at least one of the specs."""

    specs: tuple[Spec, ...]
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        if _holds(And(self.specs), value, scope):
            return scope.fails(self.written(True), value, "it conforms to all of them", self.where)
        return value

    def written(self, short: bool) -> str:
        return form("spec/nand", *(spec.written(short) for spec in self.specs))


@dataclass(frozen=True, slots=True)
class Nilable:
    """None, or what conforms to the spec."""

    spec: Spec
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        if value is None:
            return None
        result = self.spec.check(value, scope)
        return result.under("spec/nilable") if type(result) is Failed else result

    def written(self, short: bool) -> str:
        return form("spec/nilable", self.spec.written(short))


@dataclass(frozen=True, slots=True)
class Enum:
    """One of the values. `True` is not 1 here."""

    values: tuple[Any, ...]
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        if any(same(value, each) for each in self.values):
            return value
        texts = [each for each in self.values if isinstance(each, str)]
        near = meant(value, texts) if isinstance(value, str) else ""
        expected = self.written(True) if len(self.values) != 1 else _shown(self.values[0], True)
        return scope.fails(expected, value, near.removeprefix("; ") or None, self.where)

    def written(self, short: bool) -> str:
        return form("spec/enum", *(_shown(each, short) for each in self.values))


def _shown(value: Any, short: bool) -> str:
    import hy

    if short and not isinstance(value, str | int | float | Keyword):
        return summary(value)
    return str(hy.repr(value))


def same(value: Any, other: Any) -> bool:
    if isinstance(value, bool) is not isinstance(other, bool):
        return False
    return value is other or attempt(lambda: bool(value == other)) is True


def _holds(spec: Spec, value: Any, scope: Scope) -> bool:
    """Whether the value conforms; the names of axes that this would bind are forgotten."""
    saved = scope.saved()
    holds = type(spec.check(value, scope)) is not Failed
    scope.restore(saved)
    return holds


def _joined(*reasons: str | None) -> str:
    return "; ".join(reason for reason in reasons if reason)


def gathered(failures: Iterable[Failed], score: int) -> Failed:
    """One failure of the failures of several parts; `score` counts the parts that hold."""
    problems: list[Problem] = []
    for each in failures:
        problems += each.problems
        score += each.score
    return Failed(tuple(problems), score)
