"""What a run would say about dtypes, which torch's fake tensors hardly look at.

The kernels on real tensors decide which dtypes they take. So an operator that gets dtypes which may not go together is
executed on small real tensors, once for each choice of dtypes; what it says about them is raised.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._mode_utils import no_dispatch

MOST = 1 << 20
"""How many elements an operator may take and make that is executed with its own shapes."""

aten = torch.ops.aten

_MATRICES = (aten.mm.default, aten.addmm.default, aten.addmm_.default, aten.mv.default, aten.addmv.default)

_PRODUCTS = frozenset({*_MATRICES, aten.convolution.default})
"""These take any dtype but truth values, if all are the same."""

_NORMS = frozenset({aten.native_layer_norm.default, aten.native_group_norm.default, aten.native_batch_norm.default})

_PICKING = frozenset(
    {
        aten.embedding.default,
        aten.gather.default,
        aten.index_select.default,
        aten.nll_loss_forward.default,
        aten.nll_loss2d_forward.default,
    }
)
"""These take a tensor and places in it."""

_Smaller = Callable[[Any], Any]

_OF_ONE: dict[Any, _Smaller] = {
    **dict.fromkeys((*_MATRICES, *_PICKING, aten.native_batch_norm.default), tuple),
    aten.convolution.default: lambda args: (*args[:8], 1),
    aten.native_layer_norm.default: lambda args: (args[0], [1] * len(args[1]), *args[2:]),
    aten.native_group_norm.default: lambda args: (*args[:3], 1, 1, 1, 1, *args[7:]),
}
"""The arguments of operators that are often given much, for tensors whose every size is 1."""

_OF_INTEGERS = _PICKING | {
    aten.index_add.default,
    aten.index_put.default,
    aten.bitwise_and.Tensor,
    aten.bitwise_or.Tensor,
    aten.bitwise_xor.Tensor,
}

_ORDINARY, _SHORT = {torch.float32, torch.float64}, {torch.bfloat16, torch.float16}

_ABOUT_DTYPES = re.compile(
    r"dtype|scalar type|data type|not implemented for '|can't be cast|tensors of type|Input type \(|must be long, int|"
    r"([Cc]omplex|[Ii]ntegral|[Bb]ool|[Bb]oolean) (types?|inputs?|tensors?)\b"
)

_ERRORS = (RuntimeError, IndexError, TypeError, ValueError)


class Dtypes:
    """Which dtypes operators have taken."""

    def __init__(self) -> None:
        self._taken: set[tuple[object, ...]] = set()

    def check(self, func: Any, args: Any, kwargs: dict[str, Any], tensors: list[Any], made: int) -> None:
        """Raise what a run would say of the dtypes of an operator's tensors, where it makes `made` elements of them."""
        dtypes = tuple(tensor.dtype for tensor in tensors)
        if _go_together(func, dtypes):
            return
        # Of no elements a kernel may ask nothing.
        smaller = _OF_ONE.get(func) if all(tensor.numel() for tensor in tensors) else None
        key = (func, smaller, *dtypes)
        if key in self._taken:
            return
        alike = len(set(dtypes)) == 1
        if "device" in kwargs or (alike and any(tensor.device.type != "cpu" for tensor in tensors)):
            return  # another device has kernels of its own
        if smaller is not None or made + sum(tensor.numel() for tensor in tensors) <= MOST:
            _execute(func, args, kwargs, tensors, smaller)
            self._taken.add(key)


def _go_together(func: Any, dtypes: tuple[torch.dtype, ...]) -> bool:
    """Whether dtypes are known to be taken, without a look at any kernel."""
    if not dtypes:
        return True
    first, others = dtypes[0], set(dtypes[1:])
    if others <= {first}:
        return first != torch.bool if func in _PRODUCTS else first in _ORDINARY and func not in _OF_INTEGERS
    if func in _NORMS:
        return first in _SHORT and others == {torch.float32}
    return func in _PICKING and len(dtypes) == 2 and first.is_floating_point and others == {torch.int64}


def _execute(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[Any], smaller: _Smaller | None) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_dispatch())
        stack.enter_context(torch.no_grad())
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        if torch.Tag.nondeterministic_seeded in func.tags:
            stack.enter_context(torch.random.fork_rng(devices=[]))
        shapes = [(1,) * one.dim() if smaller else one.shape for one in tensors]
        real = {id(one): torch.ones(shape, dtype=one.dtype) for one, shape in zip(tensors, shapes, strict=True)}
        args, kwargs = _replaced(args, real), {name: _replaced(value, real) for name, value in kwargs.items()}
        try:
            func(*(smaller(args) if smaller else args), **kwargs)
        except _ERRORS as error:
            if _ABOUT_DTYPES.search(str(error)):
                raise


def _replaced(value: Any, real: dict[int, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        return real[id(value)]
    if isinstance(value, (list, tuple)):
        return [_replaced(item, real) for item in value]
    return value
