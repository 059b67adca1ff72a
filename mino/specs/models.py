"""Specs of modules: of their parameters, sub-modules, buffers and components by name, and of what they are.

Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import hy
from torch import nn

from mino.specs.engine import NOTHING, Failed, Scope, Spec, form, into
from mino.specs.foreign import Raised, attempt
from mino.specs.logic import gathered
from mino.specs.names import meant, written
from mino.specs.problems import Place
from mino.summary import summary

_Module = nn.Module
_STORES = {"parameters": "_parameters", "modules": "_modules", "buffers": "_buffers"}
_ONE = {"parameters": "parameter", "modules": "sub-module", "buffers": "buffer", "components": "component"}


@dataclass(frozen=True, slots=True)
class Part:
    """A component by name, as Hy writes it and mangled, with its spec."""

    name: str
    key: str
    spec: Spec
    where: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A module whose parameters, sub-modules, buffers or components of these names conform; all are checked."""

    kind: str
    parts: tuple[Part, ...]
    where: Place | None = field(default=None, compare=False)
    _store: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_store", _STORES.get(self.kind))

    def check(self, value: Any, scope: Scope) -> Any:
        if not isinstance(value, _Module):
            return scope.fails(f"a module with {self.kind}", value, None, self.where)
        held = getattr(value, self._store) if self._store else _held(value, self.kind)
        failures = None
        at = scope.at
        for part in self.parts:
            at.append(part.name)
            known = part.key in held
            result = part.spec.check(held[part.key], scope) if known else self._elsewhere(value, part, scope)
            at.pop()
            if type(result) is Failed:
                failures = [*(failures or ()), result.under(part.name)]
        if failures is None:
            return value
        return gathered(failures, 1 + len(self.parts) - len(failures)).under(f"spec/{self.kind}")

    def _elsewhere(self, module: Any, part: Part, scope: Scope) -> Any:
        """The check of a part that is not where its kind is held: a parametrized one, an attribute, or missing."""
        found = attempt(getattr, module, part.key)
        computed = part.key in (module._modules.get("parametrizations") or ())
        if not isinstance(found, Raised) and (self.kind == "components" or (computed and self.kind == "parameters")):
            return part.spec.check(found, scope)
        kinds = [kind for kind, store in _STORES.items() if part.key in getattr(module, store)]
        one = _ONE[self.kind]
        if kinds:
            told = f"it is a {_ONE[kinds[0]]}: spec/{kinds[0]} looks there"
        elif isinstance(found, Raised) and not isinstance(found.error, AttributeError):
            told = f"reading it raised {found}"
        elif not isinstance(found, Raised):
            told = "it is an attribute: spec/components looks there"
        else:
            names = map(written, _names(module, self.kind))
            told = f"{summary(module)} has no {one} of this name{meant(part.name, names)}"
        value = NOTHING if isinstance(found, Raised) else found
        return scope.fails(f"a {one}", value, told, part.where)

    def written(self, short: bool) -> str:
        return form(f"spec/{self.kind}", *(f"{part.name} {part.spec.written(short)}" for part in self.parts))


@dataclass(frozen=True, slots=True)
class Module:
    """A module, of a class where one is given, whose attributes conform: `(spec/module nn.Linear :in-features 10)`."""

    kind: type | None
    parts: tuple[Part, ...] = ()
    where: Place | None = field(default=None, compare=False)

    def check(self, value: Any, scope: Scope) -> Any:
        if not isinstance(value, self.kind or nn.Module):
            return scope.fails(f"a {_name(self.kind)}" if self.kind else "a module", value, None, self.where)
        failures = []
        for part in self.parts:
            found = attempt(getattr, value, part.key)
            if not isinstance(found, Raised):
                result = into(part.name, part.spec, found, scope)
            else:
                scope.at.append(part.name)
                names = [written(name) for name in dir(value) if not name.startswith("_")]
                told = f"{summary(value)} has no attribute {part.name}{meant(part.name, names)}"
                if not isinstance(found.error, AttributeError):
                    told = f"reading it raised {found}"
                result = scope.fails(part.spec.written(True), NOTHING, told, part.where).under(part.name)
                scope.at.pop()
            if type(result) is Failed:
                failures.append(result)
        if failures:
            return gathered(failures, 1 + len(self.parts) - len(failures)).under("spec/module")
        return value

    def written(self, short: bool) -> str:
        parts = (f":{part.name} {part.spec.written(short)}" for part in self.parts)
        return form("spec/module", _name(self.kind) if self.kind else "", *parts)


def part(name: str, spec: Spec, where: Place | None = None) -> Part:
    """A component by any of the ways to write its name."""
    return Part(written(name), name if name.isdigit() else hy.mangle(written(name)), spec, where)


def _held(module: Any, kind: str) -> Any:
    if kind == "components":
        return {**module._parameters, **module._buffers, **module._modules}
    return getattr(module, _STORES[kind])


def _names(module: Any, kind: str) -> Iterable[str]:
    if kind == "components":
        plain = (name for name in vars(module) if not name.startswith("_"))
        return [*_held(module, kind), *getattr(module, "__components__", ()), *plain]
    return list(_held(module, kind))


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else kind.__name__
