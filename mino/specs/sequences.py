"""Specs of collections: of any number of items alike, of a fixed row of items, and of named items in a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

import hy

from mino.specs import registry
from mino.specs.engine import NOTHING, Failed, Named, Scope, Spec, expected, form, into
from mino.specs.foreign import Raised, attempt
from mino.specs.logic import gathered, same
from mino.specs.problems import CircularSpec, Place

# So many items of one collection are reported at most.
REPORTED = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How many items a collection has, of what kind it is, and whether they are distinct."""

    kind: Spec | None = None
    count: int | None = None
    min_count: int | None = None
    max_count: int | None = None
    distinct: bool = False

    def wrong(self, value: Any, items: Sequence[Any], scope: Scope) -> tuple[str, str] | None:
        """What was expected, and why the collection isn't that."""
        found = f"it has {counted(len(items))}"
        if self.kind is not None and type(self.kind.check(value, scope)) is Failed:
            return f"a collection of kind {self.kind.written(True)}", "it is of another kind"
        if self.count is not None and len(items) != self.count:
            return f"a collection of {counted(self.count)}", found
        if self.min_count is not None and len(items) < self.min_count:
            return f"a collection of at least {counted(self.min_count)}", found
        if self.max_count is not None and len(items) > self.max_count:
            return f"a collection of at most {counted(self.max_count)}", found
        if self.distinct and not _distinct(items):
            return "a collection of distinct items", "an item is there twice"
        return None

    def written(self, short: bool) -> str:
        options = {
            "kind": self.kind.written(short) if self.kind is not None else None,
            "count": self.count,
            "min-count": self.min_count,
            "max-count": self.max_count,
            "distinct": self.distinct or None,
        }
        return " ".join(f":{name} {value}" for name, value in options.items() if value is not None)


ANY_SIZE = Size()


@dataclass(frozen=True, slots=True)
class CollOf:
    """A collection whose items all conform: a list, a tuple, a set, an `nn.ModuleList`; not a text, not a mapping."""

    spec: Spec
    size: Size = ANY_SIZE
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        items = _items(value)
        if items is None:
            return scope.fails("a collection", value, None, self.where)
        wrong = self.size.wrong(value, items, scope)
        if wrong:
            return scope.fails(wrong[0], value, wrong[1], self.where, score=1)
        results = []
        for index, item in enumerate(items):
            results.append(into(index, self.spec, item, scope))
        failures = [each for each in results if type(each) is Failed]
        if failures:
            score = 1 + len(results) - len(failures)
            failed = gathered(failures[:REPORTED], score).under("spec/coll-of")
            return failed
        return _rebuilt(value, items, results)

    def written(self, short: bool) -> str:
        return form("spec/coll-of", self.spec.written(short), self.size.written(short))


@dataclass(frozen=True, slots=True)
class Row:
    """`spec/tuple`: a sequence of exactly these items."""

    specs: tuple[Spec, ...]
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        items = sequence(value)
        if items is None:
            return scope.fails(f"a sequence of {counted(len(self.specs))}", value, None, self.where)
        if len(items) != len(self.specs):
            found = f"it has {counted(len(items))}, not {len(self.specs)}"
            return scope.fails(self.written(True), value, found, self.where, score=1)
        results = [into(index, spec, items[index], scope) for index, spec in enumerate(self.specs)]
        failures = [each for each in results if type(each) is Failed]
        if failures:
            return gathered(failures, 1 + len(results) - len(failures)).under("spec/tuple")
        return _rebuilt(value, items, results)

    def written(self, short: bool) -> str:
        return form("spec/tuple", *(spec.written(short) for spec in self.specs))


@dataclass(frozen=True, slots=True)
class Cat:
    """Named items in a row, conformed to a dictionary of their names. A `spec/cat` among them takes its items from
    the same row. `named` says that problems lead to items by name, as to the arguments of a function.
    """

    parts: tuple[tuple[str, Spec], ...]
    where: Place | None = field(default=None, compare=False)
    named: bool = False

    def check(self, value: Any, scope: Scope) -> Any:
        items = sequence(value)
        if items is None:
            return scope.fails("a sequence", value, None, self.where)
        taken = _Taken(items, self.named)
        conformed = taken.take(self, scope)
        if not taken.failures and taken.position < len(items):
            surplus = items[taken.position :]
            told = f"{counted(len(surplus))} too many, from index {taken.position} on"
            taken.failures.append(scope.fails(self.written(True), value, told, self.where))
        if taken.failures:
            return gathered(taken.failures, 1 + taken.passed).under("spec/cat")
        return conformed

    def written(self, short: bool) -> str:
        return form("spec/cat", *(f"{tag} {spec.written(short)}" for tag, spec in self.parts))


class _Taken:
    """How far a row of items has been taken."""

    def __init__(self, items: Sequence[Any], named: bool) -> None:
        self.items, self.named = items, named
        self.position = self.passed = 0
        self.failures: list[Failed] = []

    def take(self, cat: Cat, scope: Scope) -> dict[str, Any]:
        conformed: dict[str, Any] = {}
        for tag, spec in cat.parts:
            inner = spliced(spec)
            if inner is not None:
                before = len(self.failures)
                conformed[hy.mangle(tag[1:])] = self.take(inner, scope)
                self.failures[before:] = [each.under(tag) for each in self.failures[before:]]
            elif self.position >= len(self.items):
                self.failures.append(self._ended(tag, spec, scope))
                return conformed
            else:
                conformed[hy.mangle(tag[1:])] = self._item(tag, spec, scope)
        return conformed

    def _item(self, tag: str, spec: Spec, scope: Scope) -> Any:
        scope.at.append(tag[1:] if self.named else self.position)
        result = spec.check(self.items[self.position], scope)
        scope.at.pop()
        self.position += 1
        if type(result) is Failed:
            self.failures.append(result.under(tag))
        else:
            self.passed += 1
        return result

    def _ended(self, tag: str, spec: Spec, scope: Scope) -> Failed:
        told = f"the sequence ended before {tag}, after {counted(len(self.items))}"
        return scope.fails(expected(spec), NOTHING, told, getattr(spec, "where", None)).under(tag)


def spliced(spec: Spec) -> Cat | None:
    """The `spec/cat` that `spec` is or names."""
    seen: list[str] = []
    while isinstance(spec, Named):
        if spec.keyword in seen:
            circle = " → ".join([*seen, spec.keyword])
            raise CircularSpec(f"the specs {circle} refer to each other and never come to an end", spec.where)
        seen.append(spec.keyword)
        spec = registry.lookup(spec.keyword, spec.where)
    return spec if isinstance(spec, Cat) else None


def sequence(value: Any) -> Sequence[Any] | None:
    """The items of a sequence that is no text; a call that raises gives none."""
    if isinstance(value, str | bytes | Mapping) or _is_tensor(value) or not isinstance(value, Sequence):
        return None
    items = attempt(tuple, value)
    return None if isinstance(items, Raised) else items


def _items(value: Any) -> Sequence[Any] | None:
    if isinstance(value, str | bytes | Mapping) or _is_tensor(value) or _is_mapping(value):
        return None
    if not isinstance(value, Sized) or not isinstance(value, Iterable):
        return None
    items = attempt(tuple, value)
    return None if isinstance(items, Raised) else items


def _is_tensor(value: Any) -> bool:
    return hasattr(type(value), "ndim")


def _is_mapping(value: Any) -> bool:
    return hasattr(type(value), "keys")


def _rebuilt(value: Any, items: Sequence[Any], results: list[Any]) -> Any:
    """The collection with the conformed items; itself, if they are the items."""
    if all(one is other for one, other in zip(items, results, strict=True)):
        return value
    if type(value) in (list, tuple, set, frozenset):
        made = attempt(type(value), results)
        return results if isinstance(made, Raised) else made
    return results


def _distinct(items: Sequence[Any]) -> bool:
    count = attempt(lambda: len(set(items)))
    if isinstance(count, int):
        return count == len(items)
    return not any(same(one, other) for index, one in enumerate(items) for other in items[:index])


def counted(count: int) -> str:
    return f"{count} {'item' if count == 1 else 'items'}"
