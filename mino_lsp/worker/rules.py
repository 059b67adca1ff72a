"""What the most frequent operators make of shapes, worked out from metadata alone.

Torch answers the same by kernels that it wrote in Python, which take up to two milliseconds each, and as fake tensors a
good half more. Only what is ordinary is answered here: all else is left to torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

META = torch.device("meta")

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Made:
    """One output: the metadata of a new tensor, or of a view of the input of an index; or that input itself."""

    itself: int = -1
    view_of: int = -1
    shape: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    offset: int = 0
    dtype: torch.dtype = torch.float32
    device: torch.device | None = None
    requires_grad: bool = False


Outcome = Made | tuple[Made, ...]
Rule = Callable[[Any, Any, dict[str, Any], list[torch.Tensor]], Outcome | None]


class Rules:
    """The rules, for tensors of one mode."""

    def __init__(self, mode: FakeTensorMode) -> None:
        self._mode = mode
        self._ordinary: dict[torch.device, int] = {}

    def outcome(self, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Outcome | None:
        """What an operator makes of tensors of the mode; None where torch is to be asked."""
        rule = _RULES.get(func)
        # In inference mode a view of a tensor from outside of it is none of the mode's, and all else is.
        if rule is None or kwargs or not tensors or torch.is_inference_mode_enabled():
            return None
        device = tensors[0].device
        if not all(tensor.device == device and self._is_ordinary(tensor, device) for tensor in tensors):
            return None
        return rule(func, args, kwargs, tensors)

    def _is_ordinary(self, tensor: torch.Tensor, device: torch.device) -> bool:
        """Whether a tensor is nothing beyond what its metadata says, as conjugates and quantized ones are."""
        known = self._ordinary.get(device)
        if known is None:
            plain = FakeTensor(self._mode, torch.empty(0, device=META), device)
            known = self._ordinary[device] = torch._C._dispatch_keys(plain).raw_repr()
        return bool(torch._C._dispatch_keys(tensor).raw_repr() == known)


def _by_kernel(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Outcome | None:
    """As torch's own kernels in C++ have it, of tensors that have no elements; they raise what a run would."""
    standing = {id(tensor): _stand_in(tensor) for tensor in tensors}
    out = func(*(standing.get(id(value), value) for value in args))
    stands = list(standing.values())
    if isinstance(out, torch.Tensor):
        return _described(out, tensors, stands)
    return tuple(_described(one, tensors, stands) for one in out)


def _stand_in(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=META)


def _described(out: torch.Tensor, tensors: list[torch.Tensor], stands: list[torch.Tensor]) -> Made:
    of, offset = -1, 0
    storage = out.untyped_storage()._cdata
    for index, stand in enumerate(stands):
        if out is stand:
            return Made(itself=index)
        if stand.untyped_storage()._cdata == storage:
            of, offset = index, tensors[index].storage_offset() + out.storage_offset()
    return Made(-1, of, tuple(out.shape), out.stride(), offset, out.dtype, tensors[0].device)


def _elementwise(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Outcome | None:
    """Like the first, which the others, if any, are like as well or spread over."""
    first = tensors[0]
    if args[0] is not first or not _is_dense(first):
        return None
    shape = tuple(first.shape)
    for other in tensors[1:]:
        ends = other.dim() and tuple(other.shape) == shape[-other.dim() :]
        if other.dtype != first.dtype or not ends or not _is_dense(other):
            return None
    if not all(type(value) in _REAL or isinstance(value, torch.Tensor) for value in args):
        return None
    return _like(first)


def _in_place(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Outcome | None:
    """The first itself, which gets the elements of the others or of numbers."""
    first = tensors[0]
    if args[0] is not first or not _is_dense(first):
        return None
    if any(other.dtype != first.dtype or other.shape != first.shape for other in tensors[1:]):
        return None
    if not all(type(value) in _REAL or isinstance(value, torch.Tensor) for value in args):
        return None
    return Made(itself=0)


def _softmax(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Outcome | None:
    first = tensors[0]
    fits = _is_dense(first) and len(args) == 2 and -first.dim() <= args[1] < first.dim()
    return _like(first) if fits else None


def _addmm(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Outcome | None:
    if len(args) != 3 or len(tensors) != 3:
        return None
    added, first, second = tensors
    if added.dtype != first.dtype or added.dim() != 1 or second.dim() != 2 or added.shape[0] != second.shape[1]:
        return None
    return _by_kernel(aten.mm.default, (first, second), {}, [first, second])


def _layer_norm(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Outcome | None:
    first, normalized = tensors[0], tuple(args[1])
    kept = first.dim() - len(normalized)
    if args[0] is not first or not _is_dense(first) or first.dtype not in (torch.float32, torch.float64):
        return None
    if not 0 <= kept < first.dim() or tuple(first.shape[kept:]) != normalized:
        return None
    if any(tuple(other.shape) != normalized or other.dtype != first.dtype for other in tensors[1:]):
        return None
    shape = (*first.shape[:kept], *(1 for _ in normalized))
    statistic = Made(-1, -1, shape, _dense(shape), 0, first.dtype, first.device)
    return _like(first), statistic, statistic


def _like(tensor: torch.Tensor) -> Made:
    return Made(-1, -1, tuple(tensor.shape), tensor.stride(), 0, tensor.dtype, tensor.device)


def _is_dense(tensor: torch.Tensor) -> bool:
    """Whether a tensor has real numbers, which lie in memory row by row."""
    return bool(tensor.dtype.is_floating_point and tensor.numel() and tensor.stride() == _dense(tensor.shape))


def _dense(shape: Sequence[int]) -> tuple[int, ...]:
    strides, size = [], 1
    for length in reversed(shape):
        strides.append(size)
        size *= length
    return tuple(reversed(strides))


_REAL = (int, float)

_KERNELS = (
    aten.view.default,
    aten._unsafe_view.default,
    aten.transpose.int,
    aten.t.default,
    aten.permute.default,
    aten.expand.default,
    aten.select.int,
    aten.slice.Tensor,
    aten.squeeze.default,
    aten.squeeze.dim,
    aten.unsqueeze.default,
    aten.unbind.int,
    aten.split.Tensor,
    aten.detach.default,
    aten.clone.default,
    aten.mm.default,
    aten.bmm.default,
)

_ELEMENTWISE = (
    aten.add.Tensor,
    aten.sub.Tensor,
    aten.mul.Tensor,
    aten.div.Tensor,
    aten.mul.Scalar,
    aten.relu.default,
    aten.gelu.default,
    aten.silu.default,
    aten.tanh.default,
    aten.sigmoid.default,
    aten.exp.default,
    aten.neg.default,
    aten.sqrt.default,
)

_IN_PLACE = (
    aten.zero_.default,
    aten.fill_.Scalar,
    aten.copy_.default,
    aten.add_.Tensor,
    aten.sub_.Tensor,
    aten.mul_.Tensor,
    aten.div_.Tensor,
    aten.lerp_.Scalar,
    aten.addcmul_.default,
    aten.addcdiv_.default,
)

_RULES: dict[Any, Rule] = {
    **dict.fromkeys(_KERNELS, _by_kernel),
    **dict.fromkeys(_ELEMENTWISE, _elementwise),
    **dict.fromkeys(_IN_PLACE, _in_place),
    aten._safe_softmax.default: _softmax,
    aten.addmm.default: _addmm,
    aten.native_layer_norm.default: _layer_norm,
}
