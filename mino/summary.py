"""A value in one line, as messages show it: never its elements. This module does not import torch."""

from __future__ import annotations

import sys
from typing import Any

from hy.models import Keyword, Object

from mino.specs.foreign import Raised, attempt

LENGTH = 60


def summary(value: Any) -> str:
    """`Parameter [1 32] float32, rank 2`; `module Linear`; the value itself where that is short."""
    told = attempt(_summary, value)
    return type(value).__name__ if isinstance(told, Raised) else told


def _summary(value: Any) -> str:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _tensor(value)
    if torch is not None and isinstance(value, torch.nn.Module):
        return f"module {type(value).__name__}"
    if value is None or isinstance(value, bool | int | float | complex):
        return _shortened(repr(value))
    if isinstance(value, Keyword | Object):
        return _form(value)
    if isinstance(value, str | bytes):
        return _shortened(repr(value))
    if isinstance(value, list | tuple | dict | set | frozenset):
        count = len(value)
        return f"{type(value).__name__} of {count} {'item' if count == 1 else 'items'}"
    if isinstance(value, type) or callable(value):
        return f"{type(value).__name__} {getattr(value, '__name__', '')}".strip()
    return type(value).__name__


def _tensor(tensor: Any) -> str:
    dtype = str(tensor.dtype).removeprefix("torch.")
    device = "" if tensor.device.type == "cpu" else f" on {tensor.device}"
    sizes = " ".join(map(str, tensor.shape))
    frozen = ", without gradients" if _is_parameter(tensor) and not tensor.requires_grad else ""
    return f"{type(tensor).__name__} [{sizes}] {dtype}{device}, rank {tensor.dim()}{frozen}"


def _is_parameter(tensor: Any) -> bool:
    return type(tensor).__name__ == "Parameter"


def _form(form: Any) -> str:
    from mino.forms import text

    return _shortened(text(form))


def _shortened(text: str) -> str:
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"
