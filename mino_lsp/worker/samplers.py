"""Torch's samplers under another default device than the CPU.

They draw from a generator of the CPU's and leave the device of what they draw to the default: on an accelerator every
shuffled `DataLoader` would fail. What they draw is put where its generator is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import dataloader, dataset, sampler


class _Seed:
    """A number that is yet to be drawn."""

    def __init__(self, size: Any, options: dict[str, Any]) -> None:
        self._size, self._options = size, options

    def random_(self, *limits: int, generator: Any = None) -> Any:
        drawn = torch.empty(self._size, device=_place(generator), **self._options)
        return drawn.random_(*limits, generator=generator)


class _Torch:
    """Stands for torch in the modules of the samplers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def empty(self, *size: Any, **options: Any) -> Any:
        return _Seed(size[0], options) if size == ((),) and "device" not in options else torch.empty(*size, **options)

    def randperm(self, *arguments: Any, generator: Any = None, **options: Any) -> Any:
        return torch.randperm(*arguments, generator=generator, **{"device": _place(generator), **options})

    def randint(self, *arguments: Any, generator: Any = None, **options: Any) -> Any:
        return torch.randint(*arguments, generator=generator, **{"device": _place(generator), **options})


def _place(generator: Any) -> Any:
    return generator.device if generator is not None else "cpu"


def follow_generators() -> None:
    """Have the samplers of this process do so."""
    stand_in = _Torch()
    sampler.torch = dataloader.torch = stand_in
    dataset.randperm = stand_in.randperm
