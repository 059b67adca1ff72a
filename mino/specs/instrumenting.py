"""Checks at calls, switched on by name: of functions with a contract, and of mus whose components have specs.

A function is replaced in its module by one that checks, as Clojure replaces the value of a var; a mu's class gets a
`__call__` that checks. Taken away again, nothing of either is left: a call that is not instrumented pays nothing.
"""

from __future__ import annotations

import fnmatch
import functools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import hy

from mino.specs import functions
from mino.specs.foreign import Raised, attempt
from mino.specs.names import meant
from mino.specs.problems import UnknownSpec

_lock = threading.RLock()
# What is instrumented, by key, and how that is undone.
_undo: dict[str, Callable[[], None]] = {}


class Instrumented(tuple[str, ...]):
    """The keys of what was instrumented by one call, sorted. As a context, it is undone at the end."""

    __slots__ = ()

    def __enter__(self) -> Instrumented:
        return self

    def __exit__(self, *error: object) -> None:
        with _lock:
            for key in self:
                _undo.pop(key, lambda: None)()


def instrument(*names: Any) -> Instrumented:
    """Checks calls of functions and mus from now on: of all that have specs, or of those that are named.

    A name is a function, a mu's class, or a text: "module.name", "name", or a pattern such as "module.*". Gives the
    keys of those that were not instrumented before. Raises `UnknownSpec` for a name that has no specs.
    """
    with _lock:
        known = _known()
        keys = _meant(names, known)
        started = [key for key in keys if key not in _undo]
        for key in started:
            _undo[key] = known[key]()
        return Instrumented(sorted(started))


def unstrument(*names: Any) -> Instrumented:
    """Ends the checks of calls: of all that is instrumented, or of those that are named. Gives their keys."""
    with _lock:
        keys = _meant(names, {**_known(), **_undo}) if names else list(_undo)
        ended = [key for key in keys if key in _undo]
        for key in ended:
            _undo.pop(key)()
        return Instrumented(sorted(ended))


def instrumented() -> tuple[str, ...]:
    """The keys of what is instrumented."""
    return tuple(sorted(_undo))


def _known() -> dict[str, Callable[[], Callable[[], None]]]:
    """What could be instrumented, by key: calling it does it, and gives how to undo it."""
    found: dict[str, Callable[[], Callable[[], None]]] = {}
    for key, contract in functions.contracts.items():
        function = getattr(sys.modules.get(contract.module), contract.name, None)
        if callable(function):
            found[key] = functools.partial(_replace, contract)
    classes: dict[str, list[Any]] = {}
    for made in _mus():
        classes.setdefault(f"{made.__module__}.{made.__qualname__}", []).append(made)
    return {**found, **{key: functools.partial(_watch_all, each) for key, each in classes.items()}}


def _mus() -> Iterator[Any]:
    """The classes of mus whose components have specs."""
    module = sys.modules.get("mino.module")
    pending: list[Any] = [module.Mu] if module is not None else []
    while pending:
        made = pending.pop()
        pending += made.__subclasses__()
        if "__specs__" in made.__dict__ and made.__specs__ is not None:
            yield made


def _meant(names: Iterable[Any], known: Iterable[str]) -> list[str]:
    keys = list(known)
    chosen: list[str] = []
    for name in names:
        text = name if isinstance(name, str) else _key(name)
        mangled = ".".join(part if set(part) & set("*?[") else hy.mangle(part) for part in text.split(".") if part)
        matching = [key for key in keys if _matches(key, text) or _matches(key, mangled)]
        if not matching:
            short = [hy.unmangle(key.rpartition(".")[2]) for key in keys]
            raise UnknownSpec(
                f"nothing with specs of its calls is named {text}{meant(text.rpartition('.')[2], short)}"
                ": a spec/defun, or #^ specs in a defmu, would give it some"
            )
        chosen += matching
    return list(dict.fromkeys(chosen)) if names else keys


def _matches(key: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(key, pattern) or fnmatch.fnmatchcase(key.rpartition(".")[2], pattern)


def _key(named: Any) -> str:
    module, name = attempt(getattr, named, "__module__"), attempt(getattr, named, "__qualname__")
    if isinstance(module, Raised) or isinstance(name, Raised):
        raise UnknownSpec(f"spec/instrument takes functions, classes of mus and texts; found {type(named).__name__}")
    return f"{module}.{name}"


def _replace(contract: functions.Contract) -> Callable[[], None]:
    module = sys.modules[contract.module]
    function = getattr(module, contract.name)
    checked = _checking(contract, function)
    setattr(module, contract.name, checked)

    def undo() -> None:
        if getattr(module, contract.name, None) is checked:  # else it was defined anew
            setattr(module, contract.name, function)

    return undo


def _checking(contract: functions.Contract, function: Callable[..., Any]) -> Callable[..., Any]:
    key = contract.key

    @functools.wraps(function)
    def checked(*given: Any, **named: Any) -> Any:
        return functions.called(functions.contracts.get(key, contract), function, given, named)

    return checked


def _watch_all(classes: list[Any]) -> Callable[[], None]:
    """Checks the calls of classes of one name: that of an earlier definition may still have instances."""
    undone = [_watch(made) for made in classes]

    def undo() -> None:
        for each in undone:
            each()

    return undo


def _watch(made: Any) -> Callable[[], None]:
    plain = made.__call__
    components = [hy.mangle(component) for component in made.__components__]

    def __call__(self: Any, *given: Any, **named: Any) -> Any:
        if len(given) <= len(components):  # else the call says what is wrong with it
            made.__specs__.call(self, {**dict(zip(components, given, strict=False)), **named})
        return plain(self, *given, **named)

    made.__call__ = __call__

    def undo() -> None:
        if made.__dict__.get("__call__") is __call__:
            del made.__call__

    return undo
