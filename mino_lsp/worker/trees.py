"""Models as trees of parts, each with the place in the document where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hy
import torch
from hy.models import Expression, List, Sequence, Symbol
from torch import nn
from torch.nn.parameter import is_lazy

from mino_lsp.types import Model, Span
from mino_lsp.worker.source import Source

MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class _Definition:
    """The place of a mu's name, of an anonymous one that of `mu`, and those of its components in their order."""

    name: Span
    components: dict[str, Span]


class Written:
    """Where the mus of a document and their components are written."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._definitions: dict[int, _Definition] = {}

    def read(self, form: Any) -> None:
        """Note the places in a form."""
        for call, name, components in _definitions(form):
            symbols = [one for one in map(_component, components) if isinstance(one, Symbol)]
            places = {hy.mangle(one): self._source.span(one) for one in symbols}
            self._definitions[self._source.span(call).start] = _Definition(self._source.span(name), places)

    def at(self, kind: type, component: str = "") -> Span | None:
        """The place of a mu's name, or of a component in its list."""
        found = self._definition(kind)
        return None if found is None else found.components.get(component) if component else found.name

    def _definition(self, kind: type) -> _Definition | None:
        """The one that a class comes from, which its code tells and not its name: that of every anonymous mu is μ.

        Before its body a mu's code looks its components up, at the opening bracket of the mu.
        """
        owner = next((each for each in kind.__mro__ if "__procedure__" in vars(each)), None)
        code = getattr(vars(owner).get("forward"), "__code__", None) if owner is not None else None
        if owner is None or code is None or code.co_filename != self._source.path:
            return None
        components = [hy.mangle(each) for each in vars(owner)["__components__"]]
        for line, end_line, column, end_column in code.co_positions() if components else ():
            if line is None or end_line is None or column is None or end_column is None:
                continue
            found = self._definitions.get(self._source.code_span(line, end_line, column, end_column).start)
            if found is not None and list(found.components) == components:
                return found
        return None

    def tree(self, name: str, module: nn.Module) -> Model:
        """A module and its parts, no more than `MOST_PARTS` of them."""
        return self._tree(name, module, self.at(type(module)), [MOST_PARTS])

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
        return self.at(type(owner), key) or self.at(type(part))


def whole(module: Any) -> bool:
    """Whether the module's own construction began: without it there is nothing to ask."""
    return "_parameters" in module.__dict__ and "_modules" in module.__dict__


def _definitions(form: Any) -> Iterator[tuple[Any, Any, Any]]:
    """The `defmu` and `mu` forms within a form, each with what it is called by and its list."""
    if isinstance(form, Sequence):
        head = str(form[0]).rpartition(".")[2] if form and isinstance(form[0], Symbol) else ""
        if head == "defmu" and len(form) > 2 and isinstance(form[1], Symbol) and isinstance(form[2], List):
            yield form, form[1], form[2]
        elif head == "mu" and len(form) > 1 and isinstance(form[1], List):
            yield form, form[0], form[1]
        for part in form:
            yield from _definitions(part)


def _component(form: Any) -> Any:
    """The name of a component; `#^ spec name` is read as `(annotate name spec)`."""
    annotated = isinstance(form, Expression) and len(form) == 3 and form[0] == Symbol("annotate")
    return form[1] if annotated else form
