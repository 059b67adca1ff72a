"""What operators on shapes have made, remembered, so that the same once more is not worked out again.

Torch's fake tensors have such a memory as well, with keys that take longer to make than most operators, and not for
operators that have a tensor with known values among their inputs.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from mino_lsp.worker.dtypes import Dtypes
from mino_lsp.worker.rules import META, Made, Outcome, Rules
from mino_lsp.worker.traits import Traits

_PLAIN = frozenset(
    {int, float, bool, complex, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format}
)

_INDEX = torch.ops.aten.index.Tensor

Key = tuple[object, ...]

NOTHING = Made()
"""What an operator makes that returns nothing."""


class Recipes:
    """The outputs of the operators of one mode, by what they depend on: everything but values."""

    def __init__(self, mode: FakeTensorMode) -> None:
        self._mode = mode
        self._rules = Rules(mode)
        self._dtypes = Dtypes()
        self._known: dict[Key, Outcome] = {}
        self._attributes: dict[torch.device | None, dict[str, Any]] = {}

    def key(self, traits: Traits, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> Key | None:
        """All that decides what an operator makes; None where values may, or what is no operator of torch's own. Its
        tensors are appended to `tensors`."""
        if not traits.shapes_decide:
            return None
        parts: list[object] = [traits, torch.get_default_dtype(), torch.is_inference_mode_enabled()]
        exactly = not traits.calculates
        if not self._describe(args, parts, tensors, exactly):
            return None
        if kwargs:
            parts += kwargs
            if not self._describe(kwargs.values(), parts, tensors, exactly):
                return None
        if traits.func is _INDEX and any(t.dtype in (torch.bool, torch.uint8) for t in tensors[1:]):
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

    def outcome(
        self, key: Key, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]
    ) -> Outcome | None:
        """What the operator of a key makes, if that is known, or a rule tells it; else None."""
        outcome = self._known.get(key)
        if outcome is not None:
            return outcome
        outcome = self._rules.outcome(func, args, kwargs, tensors)
        if outcome is not None:
            outs = outcome if isinstance(outcome, tuple) else (outcome,)
            self._dtypes.check(func, args, kwargs, tensors, sum(math.prod(one.shape) for one in outs))
            self._known[key] = outcome
        return outcome

    def made(self, outcome: Outcome, tensors: list[torch.Tensor]) -> Any:
        """The outcome of an operator that was given tensors."""
        if isinstance(outcome, tuple):
            return tuple(self._make(one, tensors) for one in outcome)
        return None if outcome is NOTHING else self._make(outcome, tensors)

    def learn(
        self, key: Key, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor], out: Any
    ) -> None:
        """Remember what the operator of a key made, if it can be made again from metadata alone. Raises what a run
        would say about dtypes."""
        outs = out if isinstance(out, (list, tuple)) else (out,)
        made = sum(one.numel() for one in outs if isinstance(one, torch.Tensor))
        self._dtypes.check(func, args, kwargs, tensors, made)
        if out is None:
            self._known[key] = NOTHING
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
