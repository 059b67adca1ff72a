"""What follows from a form that a preview could not evaluate to its end: an error there is none of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import hy
from hy.models import Expression, Sequence, Symbol

CODES = frozenset({"preview-refused", "preview-input", "preview-arguments", "preview-shapes"})
"""The problems that say so."""


_IMPORTS = frozenset({"import", "require"})


class Unfinished:
    """The names that such forms would have bound, and those that were made with them. `namespace` is what they bind
    them in."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._names: set[str] = set()

    def add(self, form: Any) -> None:
        """Nothing is known any more of what a form binds; but what it has imported is there."""
        imported = {name for name in _bound(form, _IMPORTS) if hy.mangle(name) in self._namespace}
        self._names.update(name for name in _bound(form) if name not in imported)

    def concerns(self, form: Any) -> bool:
        """Whether a form uses such a name. What it binds is such a name then, too."""
        if not self._names or self._names.isdisjoint(map(str, _symbols(form))):
            return False
        self.add(form)
        return True


def _walk(form: Any) -> Iterator[Any]:
    waiting = [form]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, Sequence):
            waiting += part


def _symbols(form: Any) -> Iterator[Symbol]:
    return (part for part in _walk(form) if isinstance(part, Symbol))


def _bound(form: Any, by: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names that a form may bind, wherever it stands in it: rather too many than too few. `by` are the only heads
    to look at."""
    for call in _walk(form):
        if isinstance(call, Expression) and call and isinstance(call[0], Symbol) and (not by or str(call[0]) in by):
            yield from map(str, _targets(str(call[0]), call[1:]))


def _targets(head: str, rest: Any) -> Iterable[Symbol]:
    if head in ("setv", "setx"):
        return _named(rest[::2])
    if head.startswith("def"):
        return [part for part in rest if isinstance(part, Symbol)][:1]
    if head in _IMPORTS:
        return _symbols(rest)
    if head in ("with", "for", "let") and rest and isinstance(rest[0], Sequence):
        return _named(rest[0][::2])
    return ()


def _named(targets: Iterable[Any]) -> Iterator[Symbol]:
    """The names in what is assigned to; of an attribute or an element, what has it."""
    for target in targets:
        if isinstance(target, Expression) and target and target[0] in (Symbol("."), Symbol("get")):
            yield from _named(target[1:2])
        elif isinstance(target, Sequence):
            yield from _named(target)
        elif isinstance(target, Symbol):
            yield target
