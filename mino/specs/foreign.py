"""Calls of what is not ours: predicates, attributes and reprs of values. They may raise anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# What fake tensors raise where only real elements could answer: the question stays open, it is not answered "no".
_UNDECIDED = frozenset(
    ("DataDependentOutputException", "DynamicOutputShapeException", "UnsupportedFakeTensorException")
)


class Raised:
    """What a foreign call ended with, in the place of its value."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error

    @property
    def undecided(self) -> bool:
        """Whether fake tensors have no elements to answer with."""
        return any(each.__name__ in _UNDECIDED for each in type(self.error).__mro__)

    def __str__(self) -> str:
        text = attempt(str, self.error)
        first = "" if isinstance(text, Raised) else text.strip().split("\n")[0]
        return f"{type(self.error).__name__}: {first}" if first else type(self.error).__name__


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """The value of `(function arguments…)`, or what it `Raised`."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - the one place where what a user wrote is called
        return Raised(error)


def attribute(value: Any, name: str) -> Any:
    """The attribute of a value, or what reading it `Raised`."""
    return attempt(getattr, value, name)
