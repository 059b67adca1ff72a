"""What `inspect.signature` and `help` say of mus: components, not `*args` and `**kwargs`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hy

from mino.summary import summary
from mino.unbound import UNBOUND

if TYPE_CHECKING:
    from mino.module import Mu


@dataclass(frozen=True)
class Bound:
    """A bound component as the default of a parameter; shown in one line, never with its elements."""

    value: Any

    def __repr__(self) -> str:
        return f"<{summary(self.value)}>"


class Signature:
    """The attribute `__signature__`: of a class how it is constructed, of a mu how it is called."""

    def __get__(self, mu: Mu | None, owner: type[Mu]) -> inspect.Signature:
        return constructor(owner) if mu is None else call(mu)


def constructor(owner: type[Mu]) -> inspect.Signature:
    """`(*, weights=UNBOUND, …)`, or what a subclass's own `__init__` takes."""
    if not _is_ours(owner, "__init__"):
        return _without_self(inspect.signature(owner.__init__))
    return inspect.Signature(
        [
            inspect.Parameter(hy.mangle(component), inspect.Parameter.KEYWORD_ONLY, default=UNBOUND)
            for component in owner.__components__
        ]
    )


def call(mu: Mu) -> inspect.Signature:
    """`(x, weights=<Parameter [10 32] float32, rank 2>)`, or what a subclass's own `forward` takes."""
    if not _is_ours(type(mu), "forward"):
        return inspect.signature(mu.forward)
    parameters: list[inspect.Parameter] = []
    for component in mu.__components__:
        default = _default(mu, hy.mangle(component))
        if default is UNBOUND and all(each.default is inspect.Parameter.empty for each in parameters):
            default = inspect.Parameter.empty
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(inspect.Parameter(hy.mangle(component), kind, default=default))
    return inspect.Signature(parameters)


def _default(mu: Mu, name: str) -> Any:
    value = getattr(mu, name, UNBOUND)
    return value if value is UNBOUND else Bound(value)


def _is_ours(owner: type[Mu], name: str) -> bool:
    """Whether the method is that of the base class or of a mu's definition, not of a subclass in Python."""
    definer = next(each for each in owner.__mro__ if name in each.__dict__)
    return "__procedure__" in definer.__dict__


def _without_self(signature: inspect.Signature) -> inspect.Signature:
    _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters)
