"""How a tensor is made that conforms to a `spec/tensor`, and a module of a class that needs no arguments.

Importing this module imports torch; `tensors` and `models` do, so that what they define can be generated.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch

from mino.specs.construction import Making, made, none
from mino.specs.foreign import attempt
from mino.specs.models import Module
from mino.specs.shapes import ANY, REST
from mino.specs.tensors import Tensor

_USUAL = (torch.float32, torch.int64, torch.complex64, torch.bool)


@made.register
def tensor(found: Tensor, making: Making) -> Any:
    """A tensor of random elements, made where it is to be, so that fake tensors can be it too."""
    sizes = shape(found, making)
    dtype = _dtype(found)
    device = found.device if found.device is not None else torch.get_default_device()
    value = _elements(found, sizes, dtype, device)
    return value.requires_grad_() if found.requires_grad else value


def shape(found: Tensor, making: Making) -> list[int]:
    """Sizes that match the pattern; names have the sizes that they have in the rest of the value."""
    chance = making.chance
    sizes: list[int] = []
    for axis in found.axes if found.axes is not None else (REST,):
        if axis == REST:
            sizes += [chance.randint(1, 4) for _ in range(chance.randint(0, 2))]
        elif axis == ANY:
            sizes.append(chance.randint(1, 8))
        else:
            sizes.append(axis if isinstance(axis, int) else making.size(axis))
    return sizes


@made.register
def module(found: Module, making: Making) -> Any:
    """An instance of the class, where it needs no arguments."""
    signature = attempt(inspect.signature, found.kind)
    if found.kind is None or not isinstance(signature, inspect.Signature):
        raise none(found)
    try:
        signature.bind()
    except TypeError:
        raise none(found) from None
    return found.kind()


def _dtype(found: Tensor) -> torch.dtype:
    if found.dtypes is None:
        return torch.get_default_dtype()
    usual = next((dtype for dtype in _USUAL if dtype in found.dtypes), None)
    return usual or min(found.dtypes, key=str)


def _elements(found: Tensor, sizes: list[int], dtype: torch.dtype, device: torch.device) -> Any:
    least, most = found.least, found.most
    if dtype.is_complex:
        return torch.randn(sizes, dtype=dtype, device=device)
    if dtype.is_floating_point:
        if least is None and most is None:
            return torch.randn(sizes, device=device).to(dtype)
        low = least if least is not None else most - 1  # type: ignore[operator]
        high = most if most is not None else low + 1
        return (torch.rand(sizes, device=device) * (high - low) + low).to(dtype)
    if dtype is torch.bool:
        return torch.randint(0, 2, sizes, device=device).to(dtype)
    low = int(least) if least is not None else 0 if most is None else int(most) - 10
    high = int(most) if most is not None else low + 10
    return torch.randint(low, high + 1, sizes, device=device).to(dtype)
