"""What programs change of torch as a whole: defaults, modes, hooks, random numbers. Taken, put back, and looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.modules import module as modules
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

_Default = tuple[Callable[[], Any], Callable[[Any], Any]]
"""How one is asked for, and how it is set."""


def _autocast(kind: str) -> _Default:
    return lambda: torch.is_autocast_enabled(kind), lambda on: torch.set_autocast_enabled(kind, on)


def _flag(owner: Any, name: str) -> _Default:
    return lambda: getattr(owner, name), lambda value: setattr(owner, name, value)


_DEFAULTS: list[_Default] = [
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch._C._set_grad_enabled),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    (torch.is_deterministic_algorithms_warn_only_enabled, lambda warn: None),
    (torch.is_warn_always_enabled, torch.set_warn_always),
    (torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled),
    (torch.random.get_rng_state, torch.random.set_rng_state),
    (torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled),
    *(_autocast(kind) for kind in ("cpu", "cuda")),
    *(_flag(torch.backends.cudnn, name) for name in ("benchmark", "deterministic", "allow_tf32", "enabled")),
    _flag(torch.backends.cuda.matmul, "allow_tf32"),
]

_HOOKS = [value for name, value in vars(modules).items() if name.startswith("_global_") and isinstance(value, dict)]


class TorchState:
    """Torch as it is now."""

    def __init__(self) -> None:
        self._defaults = [get() for get, _ in _DEFAULTS]
        self._hooks = [dict(hooks) for hooks in _HOOKS]
        self._printing = dict(vars(torch._tensor_str.PRINT_OPTS))

    def put_back(self) -> None:
        """Have it again as it was."""
        torch.set_default_device(None)
        for value, (get, put) in zip(self._defaults, _DEFAULTS, strict=True):
            if not _same(get(), value):
                put(value)
        vars(torch._tensor_str.PRINT_OPTS).update(self._printing)
        for hooks, before in zip(_HOOKS, self._hooks, strict=True):
            hooks.clear()
            hooks.update(before)

    def left(self) -> str:
        """What cannot be put back, as a sentence."""
        if torch.overrides._get_current_function_mode_stack() or _get_current_dispatch_mode_stack():
            return "A mode of torch's is still entered."
        if torch.is_inference_mode_enabled():
            return "The inference mode is still entered."
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return "A process group is still there."
        if any(not _same(get(), value) for value, (get, _) in zip(self._defaults, _DEFAULTS, strict=True)):
            return "A default of torch's cannot be put back."
        return ""


def _same(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else bool(one == other)
