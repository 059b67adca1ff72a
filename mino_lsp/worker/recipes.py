"""What operators on shapes have made, remembered, so that the same once more is not worked out again.

Torch's fake tensors have such a memory as well, with keys that take longer to make than most operators, and not for
operators that have a tensor with known values among their inputs.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from mino_lsp.worker.dtypes import Dtypes
from mino_lsp.worker.rules import META, Made, Outcome, Rules

_PLAIN = frozenset(
    {int, float, bool, complex, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format}
)

Key = tuple[object, ...]


class Recipes:
    """The outputs of the operators of one mode, by what they depend on: everything but values."""

    def __init__(self, mode: FakeTensorMode) -> None:
        self._mode = mode
        self._rules = Rules(mode)
        self._dtypes = Dtypes()
        self._known: dict[Key, Outcome | None] = {}
        self._attributes: dict[torch.device | None, dict[str, Any]] = {}

    def key(self, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Key | None:
        """All that decides what an operator makes; None where values may, or what is no operator of torch's own. Its
        tensors are appended to `tensors`."""
        if not _shapes_decide(func):
            return None
        parts: list[object] = [func, torch.get_default_dtype(), torch.is_inference_mode_enabled()]
        exactly = not _calculates(func)
        if not self._describe(args, parts, tensors, exactly):
            return None
        if kwargs:
            parts += kwargs
            if not self._describe(kwargs.values(), parts, tensors, exactly):
                return None
        if func is torch.ops.aten.index.Tensor and any(t.dtype in (torch.bool, torch.uint8) for t in tensors[1:]):
            return None  # as many as are true
        return tuple(parts)

    def copied(self, tensor: FakeTensor) -> Any:
        """A tensor like another one."""
        shape = tuple(tensor.shape)
        return self._make(Made(-1, -1, shape, tensor.stride(), 0, tensor.dtype, tensor.fake_device), [])

    def _describe(self, values: Any, parts: list[object], tensors: list[torch.Tensor], exactly: bool) -> bool:
        for value in values:
            kind = type(value)
            if kind is FakeTensor:
                if value.fake_mode is not self._mode or value.layout is not torch.strided:
                    return False
                tensors.append(value)
                parts += (value.shape, value.stride(), value.storage_offset(), value.dtype, value.fake_device)
                # Which kind of tensor it is beyond that, conjugate and quantized ones for instance.
                parts += (value.requires_grad, torch._C._dispatch_keys(value).raw_repr())
            elif kind in _PLAIN:
                parts += (kind, value if exactly or kind is not float else None)
            elif kind is list or kind is tuple:
                parts += (kind, len(value))
                if not self._describe(value, parts, tensors, exactly):
                    return False
            else:
                return False
        return True

    def tell(self, key: Key, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> bool:
        """Whether it is known, or a rule tells, what the operator of a key makes."""
        if key in self._known:
            return True
        outcome = self._rules.outcome(func, args, kwargs, tensors)
        if outcome is not None:
            outs = outcome if isinstance(outcome, tuple) else (outcome,)
            self._dtypes.check(func, args, kwargs, tensors, sum(math.prod(one.shape) for one in outs))
            self._known[key] = outcome
        return outcome is not None

    def made(self, key: Key, tensors: list[torch.Tensor]) -> Any:
        """What the operator of a key that is known makes of tensors."""
        known = self._known[key]
        if isinstance(known, tuple):
            return tuple(self._make(one, tensors) for one in known)
        return None if known is None else self._make(known, tensors)

    def learn(
        self, key: Key, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor], out: Any
    ) -> None:
        """Remember what the operator of a key made, if it can be made again from metadata alone. Raises what a run
        would say about dtypes."""
        outs = out if isinstance(out, (list, tuple)) else (out,)
        made = sum(one.numel() for one in outs if isinstance(one, torch.Tensor))
        self._dtypes.check(func, args, kwargs, tensors, made)
        if out is None:
            self._known[key] = None
        elif isinstance(out, torch.Tensor):
            one = self._described(out, tensors)
            if one is not None:
                self._known[key] = one
        elif isinstance(out, tuple):
            all_ = [self._described(each, tensors) for each in out]
            if all_ and None not in all_:
                self._known[key] = tuple(one for one in all_ if one is not None)

    def _described(self, out: Any, tensors: list[torch.Tensor]) -> Made | None:
        for index, tensor in enumerate(tensors):
            if out is tensor:
                return Made(itself=index)
        if type(out) is not FakeTensor or out.layout is not torch.strided:
            return None
        storage = out.untyped_storage()._cdata
        views = [index for index, tensor in enumerate(tensors) if tensor.untyped_storage()._cdata == storage]
        shape, stride, offset = tuple(out.shape), out.stride(), out.storage_offset()
        view_of = views[0] if views else -1
        one = Made(-1, view_of, shape, stride, offset, out.dtype, out.fake_device, out.requires_grad)
        again = self._make(one, tensors)
        same = torch._C._dispatch_keys(again).raw_repr() == torch._C._dispatch_keys(out).raw_repr()
        return one if same and again.storage_offset() == offset else None

    def _make(self, one: Made, tensors: list[torch.Tensor]) -> Any:
        if one.itself >= 0:
            return tensors[one.itself]
        empty = torch.empty_strided(one.shape, one.stride, dtype=one.dtype, device=META)
        if one.view_of >= 0:
            empty.set_(tensors[one.view_of].untyped_storage(), one.offset, one.shape, one.stride)
        attributes = self._attributes.get(one.device)
        if attributes is None:
            attributes = self._attributes[one.device] = vars(FakeTensor(self._mode, empty, one.device))
        # What torch's constructor does, which takes four times as long: it looks at what it is given.
        made = torch.Tensor._make_subclass(
            FakeTensor, empty, one.requires_grad, dispatch_device=True, device_for_backend_keys=one.device
        )
        torch._C._set_throw_on_mutable_data_ptr(made)
        vars(made).update(attributes)
        return made


_ARITHMETIC = frozenset({"add", "sub", "rsub", "mul", "div", "pow", "lerp", "addcmul", "addcdiv"})


@cache
def _calculates(func: Any) -> bool:
    """Whether an operator calculates with the real numbers that it is given and nothing else: those of an optimizer
    change with each step."""
    return func._schema.name.removeprefix("aten::").removesuffix("_") in _ARITHMETIC


_VALUES_DECIDE = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape, torch.Tag.inplace_view)


@cache
def _shapes_decide(func: Any) -> bool:
    """Whether what an operator makes has a metadata that rests on that of its inputs alone."""
    if not isinstance(func, torch._ops.OpOverload) or func.namespace not in ("aten", "prims"):
        return False
    name = func._schema.name.partition("::")[2]
    if name.startswith(("lift", "as_strided", "set_", "resize")) or name == "_local_scalar_dense":
        return False
    if any(argument.is_out for argument in func._schema.arguments):
        return False  # what is written to gets the size that it needs
    return func is torch.ops.aten.index.Tensor or not any(tag in func.tags for tag in _VALUES_DECIDE)
