"""The heavy way: operators run on shapes and dtypes, so that a model of any size can be looked at.

Torch's fake tensors, with what they lack for programs as people write them: small values that are known stay known (a
permutation, a mask, the lengths of a batch), values that are not known are given as `unknown` has them, and an operator
whose result has a size that depends on values is executed on ones. What rests on that is assumed.
"""

from __future__ import annotations

import copy
import functools
import itertools
import os
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch._subclasses import fake_tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import _disable_current_modes

from mino_lsp.worker import unknown
from mino_lsp.worker.claims import Ledger, accelerator, real_device
from mino_lsp.worker.draws import Draws
from mino_lsp.worker.patches import Patches
from mino_lsp.worker.recipes import Recipes
from mino_lsp.worker.rules import Outcome
from mino_lsp.worker.traits import traits_of

KNOWN_WHOLE, KNOWN_REAL = 1 << 16, 1 << 10
"""How many elements a tensor may have whose values are kept: of integers or truth values, and of real numbers."""

SUBSTITUTED = 1 << 24
"""How many elements an operator may be executed on whose result has a size that depends on values."""

_UNSUPPORTED = (
    fake_tensor.DynamicOutputShapeException,
    fake_tensor.DataDependentOutputException,
    fake_tensor.UnsupportedOperatorException,
    fake_tensor.UnsupportedFakeTensorException,
)

aten = torch.ops.aten

_DEVICE, _META = torch.ops.prim.device.default, torch.device("meta")
_SCALAR = aten._local_scalar_dense.default


class Shapes(FakeTensorMode):  # type: ignore[misc]
    """A fake-tensor mode that a copy of a model shares, and that keeps small values."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        super().__init__(allow_fallback_kernels=True, allow_non_fake_inputs=True)
        self._ledger = ledger
        self._recipes = Recipes(self)
        self.draws = Draws()
        self._drawing = False
        """Whether torch works out an operator that draws, which it makes of others that do."""
        self.cache_enabled = False  # torch's own: the recipes are quicker

    def __deepcopy__(self, memo: Any) -> Shapes:
        return self

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def may_turn_const(self, t: torch.Tensor) -> bool:
        return _few(t) and type(t) is torch.Tensor and t.device.type == "cpu"

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is _DEVICE:  # two calls in three: torch's C++ code asks again and again
            return _META if self.in_kernel_invocation else real_device(args[0])
        if traits_of(func).profiles:
            with no_dispatch():
                return func(*args, **(kwargs or {}))
        return self.dispatch(func, types, args, kwargs or {})

    def dispatch(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, traits = kwargs or {}, traits_of(func)
        ledger, device = self._ledger, kwargs.get("device")
        if device is not None and accelerator(device) and ledger is not None and not ledger.active:
            # On shapes alone torch asks no driver, so that only this tells that a program names a device.
            ledger.activate()
            with self:
                return func(*args, **kwargs)
        if func is _SCALAR:
            return _scalar(args[0])
        if traits.compares and not all(known(t) is not None for t in args[:2]):
            unknown.assumed()
            return True
        for tensor in _tensors([kwargs[name] for name in traits.written_to if name in kwargs]):
            if isinstance(tensor, FakeTensor) and tensor.constant is not None:
                # It gets other values, and may get another size.
                self.fake_tensor_converter.invalidate_constant_aliases(tensor.constant)
                tensor.constant = None
        tensors: list[torch.Tensor] = []
        key = self._recipes.key(traits, args, kwargs, tensors)
        if key is None:
            tensors = _tensors((*args, *kwargs.values()))
        inputs = [self._known_input(t) for t in tensors]
        random, within = traits.draws, self._drawing
        follows = not random or (not within and self.draws.follow(kwargs.get("generator")))
        values = bool(inputs) and all(value is not None for value in inputs) and follows
        draws = values and random
        outcome = None
        if key is not None and not draws:
            outcome = self._recipes.outcome(key, func, args, kwargs, tensors)
        if outcome is not None:
            if values:
                return self._calculated(func, args, kwargs, outcome, tensors)
            if traits.mutates:
                self.invalidate_written_to_constants(func, tensors, args, kwargs)
            out = self._recipes.made(outcome, tensors)
        else:
            looked = _looked[0]
            try:
                self._drawing = within or random
                if draws:
                    return self._draw(func, types, args, kwargs)
                out = super().dispatch(func, types, args, kwargs)
            except _UNSUPPORTED as error:
                return self._substitute(func, args, kwargs, error)
            finally:
                self._drawing = within
            if key is not None and not values and looked == _looked[0]:
                self._recipes.learn(key, func, args, kwargs, tensors, out)
        drawn = False
        if not inputs and follows and isinstance(out, FakeTensor) and out.constant is None:
            drawn = self._make_known(out, func, args, kwargs)
        if random and not drawn and not within:
            self._pass_over(func, args, kwargs, out)
        return out

    def _calculated(self, func: Any, args: Any, kwargs: Any, outcome: Outcome, tensors: list[Any]) -> Any:
        """What an operator makes of values that are known: its shape as ever, and its values."""
        with no_dispatch():
            real = func(*_replaced(args, known), **_replaced(kwargs, known))
        out = self._recipes.made(outcome, tensors)
        for made, value in zip(_tensors((out,)), _tensors((real,)), strict=True):
            if any(made is tensor for tensor in tensors):
                continue  # the operator wrote its values
            if self.may_turn_const(value):
                self._keep(made, value)
            else:
                self.fake_tensor_converter.invalidate_constant_aliases(value)
        return out

    def copied(self, tensor: Any) -> Any:
        """A tensor with the same metadata and values in memory of its own."""
        claimed = self._ledger is not None and self._ledger.active
        if claimed or tensor.layout != torch.strided or tensor.is_conj() or tensor.is_neg():
            return tensor.detach().clone()
        values = known(tensor)
        with no_dispatch():
            made = self._recipes.copied(tensor)
            if values is not None:
                self._keep(made, values.clone())
        return made

    def _known_input(self, tensor: torch.Tensor) -> torch.Tensor | None:
        if isinstance(tensor, FakeTensor):
            if tensor.constant is not None and known(tensor) is None:
                tensor.constant = None
            return tensor.constant
        return tensor if self.may_turn_const(tensor) else None

    def _make_known(self, out: Any, func: Any, args: Any, kwargs: Any) -> bool:
        """Keep the values of a small tensor that is made from none. False where that is not done."""
        with no_dispatch():
            if not _few(out) or out.fake_device.type != "cpu":
                return False
            if func._schema.name.startswith(("aten::empty", "aten::new_empty")):
                real = torch.zeros(out.shape, dtype=out.dtype)
            else:
                real = func(*args, **{**kwargs, "device": torch.device("cpu")} if "device" in kwargs else kwargs)
        if isinstance(real, torch.Tensor):
            self._keep(out, real)
        return True

    def _pass_over(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        """Random numbers that nobody wants to know, of the generator for this device."""
        tensors = _tensors((*args, *kwargs.values(), out))
        if any(real_device(tensor).type != "cpu" for tensor in tensors):
            return
        here = {**kwargs, "device": torch.device("cpu")} if "device" in kwargs else kwargs

        def really() -> None:
            with no_dispatch():
                func(*_replaced(args, _ones), **_replaced(here, _ones))

        self.draws.pass_over(func, kwargs.get("generator"), max((t.numel() for t in tensors), default=0), really)

    def _keep(self, tensor: Any, real: torch.Tensor) -> None:
        tensor.constant = real
        self.fake_tensor_converter.add_constant_storage_mapping(tensor)

    def _draw(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Random numbers for known values: torch's fake tensors would forget them."""
        written = [t for t in _tensors(args[:1]) if func._schema.is_mutable and isinstance(t, FakeTensor)]
        values = [t.constant for t in written]
        real_args, real_kwargs = _replaced(args, known), _replaced(kwargs, known)
        with no_dispatch():
            real = func(*real_args, **real_kwargs)
        out = super().dispatch(func, types, args, kwargs)
        for tensor, value in zip(written, values, strict=True):
            self._keep(tensor, value)
        if not written and isinstance(out, FakeTensor) and isinstance(real, torch.Tensor) and self.may_turn_const(real):
            self._keep(out, real)
        return out

    def _substitute(self, func: Any, args: Any, kwargs: Any, error: Exception) -> Any:
        """Execute an operator that fake tensors don't have, on ones where the values are not known."""
        if sum(tensor.numel() for tensor in _tensors((*args, *kwargs.values()))) > SUBSTITUTED:
            raise error
        if not isinstance(error, fake_tensor.UnsupportedOperatorException):
            unknown.assumed()
        with no_dispatch():
            out = func(*_replaced(args, _ones), **_replaced(kwargs, _ones))
        return _replaced(out, lambda tensor: self.fake_tensor_converter.from_real_tensor(self, tensor))


def _few(tensor: torch.Tensor) -> bool:
    most = KNOWN_REAL if tensor.is_floating_point() or tensor.is_complex() else KNOWN_WHOLE
    return bool(tensor.numel() <= most and tensor.layout == torch.strided)


def known(tensor: torch.Tensor) -> torch.Tensor | None:
    """The values of a tensor, if they are known."""
    if not isinstance(tensor, FakeTensor):
        return tensor
    real: torch.Tensor | None = tensor.constant
    if real is None or real.dtype != tensor.dtype or real.shape != tensor.shape:
        return None
    return real


def _ones(tensor: torch.Tensor) -> torch.Tensor:
    real = known(tensor)
    return torch.ones(tensor.shape, dtype=tensor.dtype) if real is None else real


def _tensors(values: Any) -> list[torch.Tensor]:
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(value)
    return found


def _replaced(value: Any, replace: Callable[[Any], Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return replace(value)
    if isinstance(value, (list, tuple)):
        items = [_replaced(item, replace) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {name: _replaced(item, replace) for name, item in value.items()}
    return value


def _scalar(tensor: torch.Tensor) -> Any:
    """What C++ gets that asks for a value."""
    real = known(tensor)
    if real is not None:
        return _really(real.item)
    unknown.assumed()
    return True if tensor.dtype == torch.bool else 1.0 if tensor.dtype.is_floating_point else 1


def _value(tensor: torch.Tensor, dtype: torch.dtype) -> Any:
    """What Python gets that asks for a value that is not known."""
    if dtype == torch.bool:
        return unknown.Undecided(1)
    if dtype.is_floating_point:
        return unknown.UnknownFloat(1.0)
    return complex(1.0) if dtype.is_complex else unknown.UnknownInt.assuming()


def warm_up() -> None:
    """Have torch import what the first fake operators need: more than a second, which no preview should pay."""
    # A preview draws the same numbers before and after.
    with torch.random.fork_rng(devices=[]), Shapes():
        layer = torch.nn.Linear(64, 64)
        torch.nn.functional.layer_norm(torch.relu(layer(torch.ones(2, 64))), (64,)).sum()


def enter(patches: Patches, ledger: Ledger) -> None:
    """From here on operators run on shapes and dtypes."""
    _replace_values(patches)
    _replace_functions(patches)
    shapes = Shapes(ledger)
    shapes.draws.enter(patches)
    _replace_rejection(patches, shapes.draws)
    patches.enter_context(shapes)


def _replace_values(patches: Patches) -> None:
    """What asks a tensor for its values."""

    def item(self: Any) -> Any:
        real = known(self)
        if real is None and self.numel() != 1:
            raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
        return _value(self, self.dtype) if real is None else _really(real.item)

    def tolist(self: Any) -> Any:
        real = known(self)
        if real is not None:
            return _really(real.tolist)
        return _nested(tuple(self.shape), lambda: _value(self, self.dtype))

    def to_numpy(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.device.type != "cpu":
            told = f"can't convert {self.device} device type tensor to numpy. "
            raise TypeError(told + "Use Tensor.cpu() to copy the tensor to host memory first.")
        if self.requires_grad and not kwargs.get("force"):
            told = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            raise RuntimeError(told)
        real = known(self)
        if real is not None:
            return _really(lambda: real.detach().numpy())
        unknown.assumed()
        dtype = _really(lambda: torch.empty(0, dtype=self.dtype).numpy().dtype)
        if self.numel() > KNOWN_WHOLE:
            return np.broadcast_to(np.ones((), dtype), tuple(self.shape))
        return np.ones(tuple(self.shape), dtype)

    def truth(self: Any) -> bool:
        real = known(self)
        if real is not None:
            return bool(_really(real.__bool__))
        if self.numel() != 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        unknown.assumed()
        return unknown.decide(sys._getframe(1))

    def number(kind: type) -> Callable[[Any], Any]:
        def convert(self: Any) -> Any:
            return kind(_scalar(self))

        return convert

    def formatted(self: Any, spec: str) -> str:
        return format(self.item(), spec) if self.dim() == 0 else object.__format__(self, spec)

    def deep_copy(self: Any, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            told = "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol"
            raise RuntimeError(f"{told} at the moment.")
        made = _copied(self)
        made.grad = copy.deepcopy(self.grad, memo)
        if isinstance(self, _Uninitialized):
            made.__class__ = type(self)
        memo[id(self)] = made
        return made

    def reduce(self: Any, protocol: Any) -> Any:
        _pickled.append(_copied(self))
        return _unpickled, (len(_pickled) - 1,)

    values: dict[str, Any] = {
        "item": item,
        "__reduce_ex__": reduce,
        "__deepcopy__": deep_copy,
        "tolist": tolist,
        "numpy": to_numpy,
        "__bool__": truth,
        "__format__": formatted,
    }
    values |= {"__int__": number(int), "__index__": number(int), "__float__": number(float)}
    for name, function in values.items():
        patches.set(FakeTensor, name, function)
    # What a program prints of a type, or decides by its name, and what torch says of it.
    for name, said in (("__name__", "Tensor"), ("__qualname__", "Tensor"), ("__module__", "torch")):
        patches.callback(setattr, FakeTensor, name, getattr(FakeTensor, name))
        setattr(FakeTensor, name, said)


def _copied(tensor: Any) -> Any:
    """The same in memory of its own, with no history."""
    mode = tensor.fake_mode
    made = mode.copied(tensor) if isinstance(mode, Shapes) else tensor.detach().clone()
    made = torch.nn.Parameter(made) if isinstance(tensor, torch.nn.Parameter) else made
    return made.requires_grad_(tensor.requires_grad)


_pickled: list[Any] = []
"""What stands for the tensors that were pickled: there are no bytes of theirs."""


def _unpickled(number: int) -> Any:
    return _copied(_pickled[number])


_looked = [0]
"""How often a value that is known was looked at: what an operator makes on the way may rest on it."""


def _really(function: Callable[[], Any]) -> Any:
    _looked[0] += 1
    with no_dispatch():
        return function()


def _nested(shape: tuple[int, ...], make: Callable[[], Any]) -> Any:
    return [_nested(shape[1:], make) for _ in range(shape[0])] if shape else make()


def _of_truths(construct: Callable[..., Any]) -> Callable[..., Any]:
    """A constructor that takes truths that are not known for what they are."""

    @functools.wraps(construct)
    def of_truths(data: Any, *args: Any, **kwargs: Any) -> Any:
        return construct(unknown.truths(data), *args, **kwargs)

    return of_truths


def _replace_functions(patches: Patches) -> None:
    """What reads values in C++, where no operator tells."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    patches.callback(torch.backends.mha.set_fastpath_enabled, fast)
    patches.set(torch, "_is_all_true", _is_all_true)

    for name in ("script", "trace", "freeze"):
        patches.set(torch.jit, name, _as_it_is(getattr(torch.jit, name)))
    for module in (torch, torch.random):
        for name in ("get_rng_state", "set_rng_state"):
            patches.set(module, name, _real(getattr(module, name)))
    patches.set(torch, "from_numpy", torch.as_tensor)
    for name in ("tensor", "as_tensor"):
        patches.set(torch, name, _of_truths(getattr(torch, name)))
    patches.set(torch.nn.Module, "_apply", _apply)
    patches.set(UninitializedParameter, "__new__", _uninitialized(_Parameter))
    patches.set(UninitializedBuffer, "__new__", _uninitialized(_Buffer))
    _replace_packing(patches)
    _replace_saving(patches)
    patches.callback(_pickled.clear)

    def ctc_loss(
        log_probs: Any,
        targets: Any,
        input_lengths: Any,
        target_lengths: Any,
        blank: int = 0,
        reduction: int = 1,
        *_: Any,
    ) -> Any:
        total = log_probs.sum() * 0
        return total if reduction else total.expand(log_probs.shape[1] if log_probs.dim() == 3 else 1)

    patches.set(torch, "ctc_loss", ctc_loss)


def _is_all_true(truths: Any) -> Any:
    """What a distribution asks of its parameters and samples, which are taken for right where they are not known."""
    real = known(truths)
    return True if real is None else bool(_really(real.all))


def _as_it_is(compile_: Callable[..., Any]) -> Callable[..., Any]:
    """What is to be compiled stays as it is, but what torch compiles for itself."""

    def compiled(model: Any, *args: Any, **options: Any) -> Any:
        own = isinstance(model, types.FunctionType) and model.__module__.startswith("torch.")
        return compile_(model, *args, **options) if own else model

    return compiled


def _apply(module: torch.nn.Module, function: Callable[[Any], Any], recurse: bool = True) -> torch.nn.Module:
    """`Module._apply` as it is for tensors that are real: a parameter stays the object that an optimizer may hold."""
    for child in module.children() if recurse else ():
        child._apply(function)
    with torch.no_grad():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                made = function(parameter)
                if parameter.device.type == "meta" != made.device.type:
                    module._parameters[name] = torch.nn.Parameter(made, parameter.requires_grad)
                    continue
                parameter.data = made
                if parameter.grad is not None:
                    parameter.grad.data = function(parameter.grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = moved = function(buffer)
                moved.__class__ = type(buffer)
    return module


class _Uninitialized(FakeTensor):  # type: ignore[misc]
    """What a lazy layer's parameter or buffer is here: torch's own classes take no fake tensor. It has the shape that
    torch's fake tensors ask it for."""

    cls_to_become = FakeTensor
    shape = torch.Tensor.shape
    __torch_function__ = torch._C._disabled_torch_function_impl


class _Parameter(_Uninitialized, UninitializedParameter):
    pass


class _Buffer(_Uninitialized, UninitializedBuffer):
    pass


def _uninitialized(kind: type) -> Callable[..., Any]:
    is_buffer = kind is _Buffer

    def new(cls: Any, requires_grad: bool = not is_buffer, device: Any = None, dtype: Any = None, **own: Any) -> Any:
        made: Any = torch.empty(0, device=device, dtype=dtype, requires_grad=requires_grad)
        made._is_param, made._is_buffer, made.persistent = not is_buffer, is_buffer, own.get("persistent", True)
        made.__class__ = kind
        return made

    return new


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with _disable_current_modes():
            return function(*args, **kwargs)

    return call


def _replace_packing(patches: Patches) -> None:
    """Packed sequences, whose lengths C++ reads."""
    forward = torch._VF

    def pack(data: Any, lengths: Any, batch_first: bool) -> Any:
        data = data.transpose(0, 1) if batch_first else data
        sizes = _lengths(lengths, data.shape[0])
        if len(sizes) != data.shape[1]:
            told = f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)}"
            raise RuntimeError(f"{told} (batch_size={data.shape[1]})")
        if sizes != sorted(sizes, reverse=True):
            raise RuntimeError("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True.")
        if min(sizes) <= 0:
            raise RuntimeError("Length of all samples has to be greater than 0, but an element in 'lengths' is not.")
        counts = [sum(size > step for size in sizes) for step in range(max(sizes))]
        packed = torch.cat([data[step, :count] for step, count in enumerate(counts)])
        return packed, torch.tensor(counts)

    def unpack(data: Any, batch_sizes: Any, batch_first: bool, value: float, total_length: int) -> Any:
        counts = _lengths(batch_sizes, 1)
        steps = max(len(counts), total_length)
        padded = data.new_full((steps, counts[0], *data.shape[1:]), value) + data.sum() * 0
        lengths = [sum(count > which for count in counts) for which in range(counts[0])]
        return (padded.transpose(0, 1) if batch_first else padded), torch.tensor(lengths)

    patches.set(forward, "_pack_padded_sequence", pack)
    patches.set(forward, "_pad_packed_sequence", unpack)
    for name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
        patches.set(forward, name, _packed_or(getattr(forward, name), name == "lstm"))


def _replace_rejection(patches: Patches, draws: Draws) -> None:
    """What draws again and again, until every value lies between bounds."""
    truncated = torch.nn.init._no_grad_trunc_normal_

    def trunc_normal(
        tensor: Any, mean: float, std: float, a: float, b: float, generator: torch.Generator | None = None
    ) -> Any:
        if known(tensor) is not None:
            return truncated(tensor, mean, std, a, b, generator=generator)
        with torch.no_grad():
            tensor.normal_(mean, std, generator=generator)
        draws.lose(generator)
        return tensor

    patches.set(torch.nn.init, "_no_grad_trunc_normal_", trunc_normal)


def _lengths(values: Any, most: int) -> list[int]:
    real = known(values) if isinstance(values, torch.Tensor) else torch.as_tensor(values)
    if real is not None:
        return [int(value) for value in _really(real.tolist)]
    unknown.assumed()
    return [most] * int(values.shape[0])


def _packed_or(recur: Callable[..., Any], has_cell: bool) -> Callable[..., Any]:
    def call(data: Any, second: Any, *rest: Any) -> Any:
        if not isinstance(second, torch.Tensor) or isinstance(rest[0], bool):
            return recur(data, second, *rest)
        if not isinstance(rest[1], (list, tuple)):
            return recur(data, second, *rest)
        state, weights = rest[0], rest[1]
        hidden = state[0] if isinstance(state, (list, tuple)) else state
        directions = 2 if rest[6] else 1
        width = hidden.shape[-1] * directions
        through = data.sum() * 0 + sum(weight.sum() * 0 for weight in weights)
        out = data.new_zeros(data.shape[0], width) + through
        return (out, hidden + through, state[1] + through) if has_cell else (out, hidden + through)

    return call


_SAVED = b"Saved in a preview on shapes: "


def _replace_saving(patches: Patches) -> None:
    """What is saved is kept here, and a note of it where it was to be written."""
    kept: dict[bytes, Any] = {}
    numbers = itertools.count(1)
    load_file = torch.load

    def save(obj: Any, f: Any, *_: Any, **__: Any) -> None:
        note = _SAVED + str(next(numbers)).encode()
        kept[note] = copy.deepcopy(obj)
        if hasattr(f, "write"):
            f.write(note)
        else:
            with open(f, "wb") as file:
                file.write(note)

    def load(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> Any:
        if hasattr(f, "read"):
            place = f.tell()
            note = f.read(len(_SAVED) + 8)
            f.seek(place)
        else:
            with open(os.fspath(f), "rb") as file:
                note = file.read(len(_SAVED) + 8)
        if note not in kept:
            return load_file(f, map_location, *args, **kwargs)
        found = copy.deepcopy(kept[note])
        return found if map_location is None or callable(map_location) else _moved(found, map_location)

    patches.set(torch, "save", save)
    patches.set(torch, "load", load)


def _moved(value: Any, place: Any) -> Any:
    if isinstance(value, torch.Tensor):
        where = place.get(str(value.device), value.device) if isinstance(place, dict) else place
        return value.detach().to(where).requires_grad_(value.requires_grad)
    if isinstance(value, dict):
        moved = copy.copy(value)
        for key, item in value.items():
            moved[key] = _moved(item, place)
        return moved
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_moved(item, place) for item in value)
    return value.to(place) if isinstance(value, torch.nn.Module) and not isinstance(place, dict) else value
