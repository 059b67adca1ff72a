"""Specs of mappings, and of objects by their attributes: of any keys alike, and of keys by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import hy
from hy.models import Keyword

from mino.specs import registry
from mino.specs.engine import NOTHING, Failed, Named, Scope, Spec, expected, form, into
from mino.specs.foreign import Raised, attempt
from mino.specs.logic import gathered
from mino.specs.names import meant, written
from mino.specs.problems import Mark, Place
from mino.specs.sequences import ANY_SIZE, REPORTED, Size
from mino.summary import summary


@dataclass(frozen=True, slots=True)
class DictOf:
    """A mapping whose keys, and whose values, all conform. Keys stay as they are, values are conformed."""

    key: Spec
    value: Spec
    size: Size = ANY_SIZE
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        pairs = _pairs(value)
        if pairs is None:
            return scope.fails("a mapping", value, None, self.where)
        wrong = self.size.wrong(value, pairs, scope)
        if wrong:
            expected = wrong[0].replace("a collection", "a mapping")
            return scope.fails(expected, value, wrong[1], self.where, score=1)
        failures = []
        conformed: dict[Any, Any] = {}
        for key, one in pairs:
            as_key = into(key, self.key, key, scope)
            if type(as_key) is Failed:
                failures.append(_marked_key(key, as_key))
            conformed[key] = into(key, self.value, one, scope)
            if type(conformed[key]) is Failed:
                failures.append(conformed[key])
        if failures:
            return gathered(failures[:REPORTED], 1 + 2 * len(pairs) - len(failures)).under("spec/dict-of")
        return _rebuilt(value, conformed)

    def written(self, short: bool) -> str:
        return form("spec/dict-of", self.key.written(short), self.value.written(short), self.size.written(short))


@dataclass(frozen=True, slots=True)
class Key:
    """A key by name, and its spec. As a key, `:learning-rate`, "learning-rate" and "learning_rate" are one name."""

    name: str
    spec: Spec
    required: bool = True
    where: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with these keys, or an object with these attributes; others may be there too.

    As in Clojure, a keyword of a mapping that has a `/` and names a spec must have a value that conforms to it.
    """

    keys: tuple[Key, ...]
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        mapping = is_mapping(value)
        failures: list[Failed] = []
        conformed = {}
        for key in self.keys:
            at, found = _entry(value, key.name) if mapping else _attribute(value, key.name)
            scope_key = key.name
            if found is _ABSENT:
                if key.required:
                    failures.append(_missing(value, key, mapping, scope))
                continue
            if isinstance(found, Raised):
                told = f"reading it raised {found}"
                scope.at.append(scope_key)
                failures.append(scope.fails(key.spec.written(True), NOTHING, told, key.where).under(key.name))
                scope.at.pop()
                continue
            result = into(scope_key, key.spec, found, scope)
            if type(result) is Failed:
                failures.append(result)
            conformed[at] = result
        checked = len(conformed)
        if mapping:
            failures += _qualified(value, conformed, scope)
        if failures:
            return gathered(failures, max(checked - len(failures), 0) + (1 if checked else 0)).under("spec/keys")
        return _rebuilt(value, {**dict(_pairs(value) or ()), **conformed}) if mapping else value

    def written(self, short: bool) -> str:
        pairs = [f"{key.name} {key.spec.written(short)}" for key in self.keys if key.required]
        optional = [key for key in self.keys if not key.required]
        whole = [key.spec.written(short) for key in optional if key.spec.written(short) == f":{key.name}"]
        tails = [key.spec.written(short) for key in optional if key.spec.written(short) != f":{key.name}"]
        lists = ((":opt", whole), (":opt-un", tails))
        return form("spec/keys", *pairs, *(f"{name} [{' '.join(each)}]" for name, each in lists if each))


def _marked_key(key: Any, failed: Failed) -> Failed:
    """The failure of a key itself, not of the value that is under it."""
    text = summary(key)
    mark = Mark(f"{{{text} …}}", ((1, 1 + len(text)),), "the key itself")
    return Failed(tuple(replace(problem, mark=problem.mark or mark) for problem in failed.problems), failed.score)


_ABSENT = object()


def is_mapping(value: Any) -> bool:
    """Whether the value is looked into by key: a mapping, an `nn.ModuleDict`; else it is by attribute."""
    kind = type(value)
    return isinstance(value, Mapping) or (hasattr(kind, "keys") and hasattr(kind, "__getitem__"))


def _pairs(value: Any) -> list[tuple[Any, Any]] | None:
    if not is_mapping(value):
        return None
    pairs = attempt(lambda: [(key, value[key]) for key in value.keys()])  # noqa: SIM118 - an nn.ModuleDict has keys
    return None if isinstance(pairs, Raised) else pairs


def _entry(value: Any, name: str) -> tuple[Any, Any]:
    for key in (Keyword(name), name, hy.mangle(name)):
        if attempt(lambda key=key: key in value) is True:
            return key, attempt(lambda key=key: value[key])
    return name, _ABSENT


def _attribute(value: Any, name: str) -> tuple[Any, Any]:
    found = attempt(getattr, value, hy.mangle(name))
    if isinstance(found, Raised) and isinstance(found.error, AttributeError):
        return name, _ABSENT
    return name, found


def _missing(value: Any, key: Key, mapping: bool, scope: Scope) -> Failed:
    names = list(_names(value, mapping))
    near = meant(key.name, names)
    what = "key" if mapping else "attribute"
    scope.at.append(key.name)
    failed = scope.fails(
        expected(key.spec), NOTHING, f"{summary(value)} has no {what} {key.name}{near}", key.where
    ).under(key.name)
    scope.at.pop()
    return failed


def _names(value: Any, mapping: bool) -> Iterable[str]:
    found = attempt(lambda: list(value.keys() if mapping else dir(value)))
    if isinstance(found, Raised):
        return []
    return [written(name) for name in found if isinstance(name, str | Keyword) and not str(name).startswith("_")]


def _qualified(value: Any, checked: dict[Any, Any], scope: Scope) -> list[Failed]:
    """The failures of keywords with a `/` that name a spec and are not among the keys."""
    failures = []
    for key, one in _pairs(value) or ():
        if isinstance(key, Keyword) and "/" in key.name and key not in checked and registry.find(str(key)):
            result = into(key, Named(str(key)), one, scope)
            if type(result) is Failed:
                failures.append(result)
            checked[key] = result
    return failures


def _rebuilt(value: Any, conformed: dict[Any, Any]) -> Any:
    unchanged = all(attempt(lambda key=key: value[key]) is one for key, one in conformed.items())
    return value if unchanged else conformed
