"""How a mu prints: its address, its components, its procedure, its tensors, then its sub-modules."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import hy

if TYPE_CHECKING:
    import torch

    from mino.module import Mu


def shown(mu: Mu) -> str:
    """The text of `print(mu)`."""
    written = {hy.mangle(component): component for component in mu.__components__}
    lines = [
        f"At: {id(mu):#x}",
        f"C: [{' '.join(mu.__components__)}]",
        f"λ: {mu.__procedure__}",
        *(f"{written.get(name, name)}: {tensor('Parameter', value)}" for name, value in mu._parameters.items()),
        *(f"{written.get(name, name)}: {tensor('Buffer', value)}" for name, value in mu._buffers.items()),
        *mu.extra_repr().splitlines(),
        *(f"({name}): {module!r}" for name, module in mu._modules.items()),
    ]
    return f"{type(mu).__name__}(\n{textwrap.indent(chr(10).join(lines), '  ')}\n)"


def tensor(kind: str, value: torch.Tensor | None) -> str:
    """`(Parameter :size [10 32] :dtype torch.float32)`; one that is uninitialized or nested has no size."""
    if value is None:
        return "None"
    from torch.nn.parameter import is_lazy

    size = "?" if is_lazy(value) or value.is_nested else f"[{' '.join(map(str, value.shape))}]"
    return f"({kind} :size {size} :dtype {value.dtype})"
