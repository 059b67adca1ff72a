"""What the elements of a tensor are: for hovers, in previews and of runs. Looking changes nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import _disable_current_modes

from mino_lsp.types import Statistics

LARGEST = 50_000_000
"""Elements of a tensor that are looked at: a tenth of a second's work."""


def statistics(value: Any, most: int = LARGEST) -> Statistics | None:
    """The elements of a tensor, where they are real numbers that can be looked at, and at most so many."""
    if type(value) not in (torch.Tensor, nn.Parameter, nn.Buffer) or value.is_meta or value.layout != torch.strided:
        return None
    if value.is_nested:
        return None
    count = value.numel()
    if not 0 < count <= most or value.is_complex() or value.is_quantized or value.dtype == torch.bool:
        return None
    if torch._C._functorch.is_functorch_wrapped_tensor(value) or not value.untyped_storage().size():
        return None
    # The user's own modes, which count operators or change them, do not see ours.
    with torch.no_grad(), torch._C.DisableTorchFunction(), _disable_current_modes():
        elements = value.detach()
        try:
            # First of all: there are dtypes that torch can convert, and do nothing else with.
            exact = elements.to(torch.float32 if elements.device.type == "mps" else torch.float64)
        except RuntimeError:
            return None  # several numbers in one element, and whatever comes
        finite = exact.isfinite() if value.is_floating_point() else None
        nan = int(exact.isnan().sum()) if finite is not None else 0
        if finite is not None and not bool(finite.all()):
            exact = exact[finite]
        infinite = count - nan - exact.numel()
        if not exact.numel():
            empty = float("nan")
            return Statistics(count, empty, empty, empty, empty, nan, infinite)
        deviation = float(exact.std(correction=0))
        return Statistics(count, float(exact.mean()), deviation, float(exact.min()), float(exact.max()), nan, infinite)
