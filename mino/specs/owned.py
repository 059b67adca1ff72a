"""The specs that a mu's components carry, `#^ spec name`: checked when they are bound, and at instrumented calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hy

from mino.specs import messages
from mino.specs.engine import UNTOLD, Failed, Scope, Spec, compiling, into, spec
from mino.specs.logic import gathered
from mino.specs.problems import SpecError

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Owned:
    """Components by name, as written and mangled, with specs. Names of axes agree across all components of a mu."""

    mu: str
    specs: tuple[tuple[str, str, Spec], ...]

    def bound(self, mu: Any) -> None:
        """Checks what is bound. Raises `SpecError`."""
        self._check(mu, {}, f"The components bound to {self.mu} do not conform to its specs.")

    def call(self, mu: Any, given: Mapping[str, Any]) -> None:
        """Checks what a call gives, by mangled name, and what is bound. Raises `SpecError`."""
        self._check(mu, given, f"{self.mu} was called with components that do not conform to its specs.")

    def _check(self, mu: Any, given: Mapping[str, Any], sentence: str) -> None:
        scope = Scope()
        failures = []
        for name, key, one in self.specs:
            value = given[key] if key in given else _bound(mu, key)
            if value is not _MISSING:
                result = into(name, one, value, scope)
                if type(result) is Failed:
                    failures.append(result)
        if failures:
            if compiling():
                raise SpecError(UNTOLD)
            failed = gathered(failures, 0).under(self.mu)
            raise SpecError(sentence, (messages.located(problem, None) for problem in failed.problems))


def owned(mu: str, *specs: tuple[str, Any]) -> Owned:
    """The specs of the components of a mu: names with specs."""
    return Owned(mu, tuple((name, hy.mangle(name), spec(one)) for name, one in specs))


def _bound(mu: Any, key: str) -> Any:
    for held in (mu._parameters, mu._buffers, mu._modules, mu.__dict__):
        if key in held:
            return held[key]
    return _MISSING
