"""A value as text for a person: as Hy writes it, never longer than somebody reads.

It calls `__repr__` methods of the user's, which may raise, print, or go on for ever: whoever calls this guards it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import hy
import torch

MOST_CHARACTERS = 10_000
MOST_ITEMS, MOST_IN_ALL = 100, 1_000
MOST_DEPTH = 8

_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("#(", ")"),
    set: ("#{", "}"),
    frozenset: ("(frozenset #{", "})"),
}


def shown(value: Any) -> tuple[str, str, tuple[int, ...] | None]:
    """The text of a value, the name of its type, and the shape of a tensor. Raises what its `__repr__` raises."""
    kind = type(value).__name__
    if not isinstance(value, torch.Tensor):
        return _cut(_Writer().text(value, MOST_DEPTH), MOST_CHARACTERS + 100), kind, None
    shape = tuple(map(int, value.shape))
    device = [str(value.device)] if value.device.type != "cpu" else []
    about = ["[" + " ".join(map(str, shape)) + "]", str(value.dtype).removeprefix("torch."), *device]
    return f"{' '.join(about)}\n{_cut(repr(value))}", kind, shape


class _Writer:
    """Writes values as `hy.repr` does: the first of many items, and of what is deep the outside."""

    def __init__(self) -> None:
        self._left = MOST_IN_ALL

    def text(self, value: Any, depth: int) -> str:
        self._left -= 1
        kind = type(value)
        if kind is str or kind is bytes:
            more = len(value) - MOST_CHARACTERS
            return str(hy.repr(value[:MOST_CHARACTERS])) + (f" … {more:,} more" if more > 0 else "")
        if kind in _BRACKETS:
            start, end = _BRACKETS[kind]
            return start + self._items(value, len(value), depth, " ", lambda item: self.text(item, depth - 1)) + end
        if kind is dict:
            return "{" + self._items(value.items(), len(value), depth, "  ", lambda pair: self._pair(pair, depth)) + "}"
        # Of a model, what `print` shows: its expression is on one line, and is asked for by `hy.repr`.
        return _cut(repr(value) if isinstance(value, torch.Tensor | torch.nn.Module) else hy.repr(value))

    def _pair(self, pair: tuple[Any, Any], depth: int) -> str:
        return " ".join(self.text(one, depth - 1) for one in pair)

    def _items(self, items: Iterable[Any], count: int, depth: int, between: str, text: Callable[[Any], str]) -> str:
        parts: list[str] = []
        for item in items:
            if depth <= 0 or len(parts) == MOST_ITEMS or self._left <= 0:
                parts.append(f"… {count - len(parts):,} more")
                break
            parts.append(text(item))
        return between.join(parts)


def _cut(text: str, most: int = MOST_CHARACTERS) -> str:
    """No more of a text than is read. Of an instance of a subclass, none of whose methods is called, too."""
    length = str.__len__(text)
    return str.__getitem__(text, slice(0, most)) + (f"… {length - most:,} more characters" if length > most else "")
