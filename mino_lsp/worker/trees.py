"""Models as trees of parts, each with the place in the document where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hy
import torch
from hy.models import Expression, List, Symbol
from torch import nn
from torch.nn.parameter import is_lazy

from mino_lsp.types import Model, Span
from mino_lsp.worker.source import Source

MOST_PARTS = 1000


class Written:
    """Where the mus of a document and their components are written."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._places: dict[tuple[str, str], Span] = {}

    def read(self, form: Any) -> None:
        """Note the places in a form."""
        for definition in _definitions(form):
            name, components = definition[1], definition[2]
            self._places[str(name), ""] = self._source.span(name)
            for component in components:
                if isinstance(component, Symbol):
                    self._places[str(name), hy.mangle(component)] = self._source.span(component)

    def at(self, kind: str, component: str = "") -> Span | None:
        """The place of a mu's name, or of a component in its list."""
        return self._places.get((kind, component))

    def tree(self, name: str, module: nn.Module) -> Model:
        """A module and its parts, no more than `MOST_PARTS` of them."""
        return self._tree(name, module, self.at(type(module).__name__), [MOST_PARTS])

    def _tree(self, name: str, value: Any, place: Span | None, left: list[int]) -> Model:
        left[0] -= 1
        if isinstance(value, torch.Tensor):
            dtype = str(value.dtype).removeprefix("torch.")
            learns = isinstance(value, nn.Parameter)
            shape = None if is_lazy(value) or value.is_nested else tuple(map(int, value.shape))
            count = value.numel() if learns and shape is not None else 0
            return Model(name, "parameter" if learns else "buffer", count, shape, dtype, span=place)
        parts = []
        for held in (value._parameters, value._buffers, value._modules):
            for key, part in held.items():
                if part is not None and left[0] > 0:
                    parts.append(self._tree(hy.unmangle(key), part, self._place(value, key, part), left))
        count = sum(parameter.numel() for parameter in value.parameters() if not is_lazy(parameter))
        return Model(name, type(value).__name__, count, components=tuple(parts), span=place)

    def _place(self, owner: Any, key: str, part: Any) -> Span | None:
        return self.at(type(owner).__name__, key) or self.at(type(part).__name__)


def whole(module: Any) -> bool:
    """Whether the module's own construction began: without it there is nothing to ask."""
    return "_parameters" in module.__dict__ and "_modules" in module.__dict__


def _definitions(form: Any) -> Iterator[Any]:
    """The `defmu` forms within a form."""
    if isinstance(form, (Expression, List)):
        named = len(form) > 2 and isinstance(form[0], Symbol) and isinstance(form[1], Symbol)
        if named and str(form[0]).rpartition(".")[2] == "defmu" and isinstance(form[2], List):
            yield form
        for part in form:
            yield from _definitions(part)
