"""`apply`: a function over an indexable as a map-style dataset. Importing this module imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from torch.utils.data import Dataset

In = TypeVar("In", covariant=True)
Out = TypeVar("Out")


class Indexable(Protocol[In]):
    """What has a length and can be indexed by an integer."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> In: ...


class Applied(Dataset[Out], Generic[Out]):  # type: ignore[misc]  # mypy does not read torch
    """The dataset whose item `i` is `function(items[i])`, computed when it is asked for."""

    def __init__(self, items: Indexable[Any], function: Callable[[Any], Out]) -> None:
        self.items, self.function = items, function

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Out:
        return self.function(self.items[index])

    def __iter__(self) -> Iterator[Out]:
        return (self[index] for index in range(len(self)))


def apply(items: Indexable[In], function: Callable[[In], Out]) -> Applied[Out]:
    """A map-style `torch.utils.data.Dataset` of `function` over `items`, which has a length and an index.

    Raises `TypeError` when `items` has no length or cannot be indexed, or `function` cannot be called.
    """
    for method, lack in (("__len__", "has no length"), ("__getitem__", "cannot be indexed")):
        if not hasattr(items, method):
            raise TypeError(f"mino/apply needs something sized and indexable; {type(items).__name__} {lack}")
    if not callable(function):
        raise TypeError(f"mino/apply needs a function; {type(function).__name__} cannot be called")
    return Applied(items, function)
