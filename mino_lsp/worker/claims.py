"""Claimed devices: a preview computes on the CPU, and a tensor is on the device that the program put it on.

The ledger is kept on storages: a view, a detached tensor, `.data` and a parameter share the storage, and so the device,
of what they were made from. A dispatch mode sees every operator that torch executes, those of its backward pass and its
optimizers too: it computes on the CPU, writes the device of what comes out, and raises what a run would where the
devices of what goes in differ. Properties and moves (`x.device`, `x.to`) are replaced on the class, because torch's own
Python functions, which read them as well, run with function modes switched off.

The mode is entered when a program first names a device other than the CPU: those that don't pay nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors
from torch.utils._python_dispatch import TorchDispatchMode

from mino_lsp.worker.patches import Patches

KINDS = ("cuda", "mps", "xpu")
"""The kinds of devices that can be claimed."""

CPU = torch.device("cpu")

_CLAIM = "_mino_device"

_ANY_DEVICES = frozenset(
    {
        *("copy_", "_copy_from", "_to_copy", "set_", "resize_as_", "lift", "lift_fresh", "lift_fresh_copy", "detach"),
        *("alias", "is_same_size", "record_stream", "_ctc_loss", "_pack_padded_sequence", "_pad_packed_sequence"),
        *("_pack_padded_sequence_backward", "_nested_view_from_jagged", "_nested_view_from_jagged_copy"),
    }
)
"""Operators that take tensors of several devices."""

_INDEXED = frozenset(["index", "index_put", "index_put_", "_unsafe_index", "_index_put_impl_", "_unsafe_index_put"])
"""Operators whose indices may be on the CPU."""


def accelerator(device: Any) -> bool:
    """True of what names a device that can be claimed."""
    if isinstance(device, str):
        return device.partition(":")[0] in KINDS
    return isinstance(device, torch.device) and device.type in KINDS


class Ledger:
    """The claims of one evaluation, and the modes that keep them once there is one."""

    asked = False
    """Whether any was ever activated in this process: torch asks a driver once in the life of a process."""

    def __init__(self, patches: Patches) -> None:
        self._patches = patches
        self.active = False
        self.current = dict.fromkeys(KINDS, 0)
        self.inside = False
        self.scope: tuple[Any, Any] | None = None
        self._generators: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()

    def full(self, device: Any) -> torch.device:
        """A device with its index, as a tensor on it would say it; a number is one of the accelerator's."""
        if isinstance(device, int):
            device = torch.device("cuda", device)
        device = torch.device(device)
        if device.index is None and device.type in KINDS:
            return torch.device(device.type, self.current[device.type])
        return device

    def activate(self) -> None:
        """From here on operators are watched: a program named a device."""
        if not self.active:
            self.active = Ledger.asked = True
            self._patches.enter_context(_Scope(self))
            self._patches.enter_context(_Operators(self))
            _replace_properties(self._patches, self)

    # ---- what is on which device

    def claimed(self, tensor: torch.Tensor) -> torch.device | None:
        """The device that a tensor was put on; None for those that are where they say."""
        with torch._C.DisableTorchFunction():
            while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
                tensor = torch._C._functorch.get_unwrapped(tensor)
            try:
                device: torch.device | None = tensor.untyped_storage().__dict__.get(_CLAIM)
            except (NotImplementedError, RuntimeError):
                # A sparse tensor has no storage.
                device = tensor.__dict__.get(_CLAIM)
        return device

    def device(self, tensor: torch.Tensor) -> torch.device:
        return self.claimed(tensor) or real_device(tensor)

    def claim(self, tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
        with torch._C.DisableTorchFunction():
            try:
                claim_storage(tensor.untyped_storage(), device)
            except (NotImplementedError, RuntimeError):
                tensor.__dict__[_CLAIM] = device
        return tensor

    def know(self, generator: Any) -> None:
        self._generators[generator._cdata] = generator

    def generator_device(self, generator: Any) -> torch.device:
        known = self._generators.get(generator._cdata)
        return known.device if known is not None else CPU

    # ---- moving

    def move(self, tensor: torch.Tensor, device: torch.device, memory_format: Any = None) -> torch.Tensor:
        """A copy of `tensor` on `device`, differentiable as torch's is."""
        if accelerator(device):
            self.activate()
        if torch.is_grad_enabled() and tensor.requires_grad:
            moved: torch.Tensor = ToCopy.apply(tensor, device, self)
            return moved
        return self.copy(tensor, device, memory_format)

    def copy(self, tensor: torch.Tensor, device: torch.device, memory_format: Any = None) -> torch.Tensor:
        with torch._C.DisableTorchFunction():
            copy = tensor.clone(memory_format=memory_format) if memory_format else tensor.clone()
        if is_lazy(tensor):
            copy.__class__ = type(tensor)
        return self.claim(copy, device)


class ToCopy(torch.autograd.Function):  # type: ignore[misc]
    """The move of a tensor that requires grad: its gradient is on the device that the tensor came from."""

    generate_vmap_rule = True

    @staticmethod
    def forward(tensor: torch.Tensor, device: torch.device, ledger: Ledger) -> torch.Tensor:
        return ledger.copy(tensor, device)

    @staticmethod
    def setup_context(context: Any, inputs: Any, output: Any) -> None:
        context.device, context.ledger = inputs[2].device(inputs[0]), inputs[2]

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> Any:
        return context.ledger.move(gradient, context.device), None, None


def claim_storage(storage: Any, device: torch.device) -> None:
    if device.type in KINDS:
        storage.__dict__[_CLAIM] = device
    else:
        storage.__dict__.pop(_CLAIM, None)


def storage_claim(storage: Any) -> torch.device | None:
    found: torch.device | None = getattr(storage, "_untyped_storage", storage).__dict__.get(_CLAIM)
    return found


_real_device = torch._C.TensorBase.device.__get__
_fake_device = FakeTensor.device.__get__


def real_device(tensor: torch.Tensor) -> torch.device:
    device: torch.device = (_fake_device if isinstance(tensor, FakeTensor) else _real_device)(tensor)
    return device


def _replace_properties(patches: Patches, ledger: Ledger) -> None:
    def device(self: torch.Tensor) -> torch.device:
        return real_device(self) if ledger.inside else ledger.device(self)

    def is_kind(kind: str) -> property:
        return property(lambda self: device(self).type == kind)

    def get_device(self: torch.Tensor) -> int:
        index = device(self).index
        return -1 if index is None else index

    for owner in (torch.Tensor, FakeTensor):
        patches.set(owner, "device", property(device))
    for kind in ("cpu", *KINDS):
        patches.set(torch.Tensor, f"is_{kind}", is_kind(kind))
    patches.set(torch.Tensor, "get_device", get_device)


_CONSTRUCTORS = _device_constructors()


class _Scope(TorchFunctionMode):  # type: ignore[misc]
    """Remembers which function of torch's the program called: a tensor that torch makes for itself meanwhile is on the
    device of that function's arguments, whatever its C++ code asks for."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        ledger = self._ledger
        before = ledger.scope
        ledger.scope = None if func in _CONSTRUCTORS else (args, kwargs)
        try:
            return func(*args, **(kwargs or {}))
        finally:
            ledger.scope = before


class _Operators(TorchDispatchMode):  # type: ignore[misc]
    """Executes operators on the CPU and keeps the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Asked by torch, which would otherwise import its compiler, for two seconds, to say that it is not needed."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        ledger, kwargs = self._ledger, dict(kwargs or {})
        plan = _plan(func)
        inputs = list(_tensors((*args, *kwargs.values())))
        if kwargs.pop("pin_memory", None):
            kwargs["pin_memory"] = False
        device = self._target(plan, kwargs, inputs)
        if "generator" in kwargs and kwargs["generator"] is not None:
            _check_generator(device, ledger.generator_device(kwargs["generator"]))
        before, ledger.inside = ledger.inside, True
        try:
            out = func(*args, **kwargs)
        finally:
            ledger.inside = before
        if plan.lists:
            for value, item in zip(_tensors((out,)), inputs, strict=False):
                ledger.claim(value, ledger.device(item))
        elif plan.fresh:
            for index, value in enumerate(_tensors((out,))):
                if index not in plan.on_cpu:
                    ledger.claim(value, device)
        elif device.type in KINDS:
            # A view shares its storage, except that of a fake tensor whose values are known.
            for value in _tensors((out,)):
                if ledger.claimed(value) is None:
                    ledger.claim(value, device)
        return out

    def _target(self, plan: _Plan, kwargs: dict[str, Any], inputs: list[torch.Tensor]) -> torch.device:
        """The device of what an operator makes; its `device` argument becomes that of the computation."""
        ledger = self._ledger
        asked = kwargs.get("device")
        if plan.constructs:
            if asked is not None and asked.type in KINDS:
                kwargs["device"] = CPU
                return ledger.full(asked)
            if asked is not None and asked.type == "meta":
                return torch.device("meta")
            if ledger.scope is not None and (ledger.scope[1] or {}).get("device") is not None:
                return CPU  # the program asked for it, not torch's C++ code
            if inputs:
                return ledger.device(inputs[0])
            return self._around() or CPU
        if plan.any_devices or plan.lists:
            return ledger.device(inputs[0]) if inputs else CPU
        return _common(plan, [(tensor, ledger.device(tensor)) for tensor in inputs])

    def _around(self) -> torch.device | None:
        """The device of what the program called the present function with."""
        scope = self._ledger.scope
        if scope is not None:
            for tensor in _tensors((*scope[0], *(scope[1] or {}).values())):
                claimed = self._ledger.claimed(tensor)
                if claimed is not None:
                    return claimed
        return None


class _Plan:
    """What there is to know of an operator, looked up once."""

    def __init__(self, func: Any) -> None:
        schema = func._schema
        self.name = schema.name.partition("::")[2]
        self.constructs = any(argument.name == "device" for argument in schema.arguments)
        self.any_devices = self.name in _ANY_DEVICES
        self.indexed = self.name in _INDEXED
        self.lists = self.name.startswith("_foreach_")
        self.fresh = any(value.alias_info is None for value in schema.returns) or self.any_devices
        self.writes = bool(schema.arguments) and schema.arguments[0].is_write
        # The lengths of packed sequences stay on the CPU.
        self.on_cpu = {1} if self.name in ("_pack_padded_sequence", "_pad_packed_sequence") else set()
        if self.name in ("copy_", "set_", "resize_as_"):
            self.fresh = False


@cache
def _plan(func: Any) -> _Plan:
    return _Plan(func)


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())


def _common(plan: _Plan, inputs: list[tuple[torch.Tensor, torch.device]]) -> torch.device:
    """The device of an operator's tensors.

    Raises what torch does where they are on several. A CPU tensor without dimensions goes with any, and so do indices.
    What is on `meta` is there really: torch sees to it, and gives its own operators such beside any other.
    """
    inputs = [(tensor, device) for tensor, device in inputs if device.type != "meta"]
    found = next((device for _, device in inputs if device.type != "cpu"), CPU)
    if found is CPU or all(device == found for _, device in inputs):
        return found
    if plan.indexed:
        found = inputs[0][1]
    for index, (tensor, device) in enumerate(inputs):
        scalar = device.type == "cpu" and tensor.dim() == 0 and not (index == 0 and plan.writes)
        if device == found or scalar or (plan.indexed and device.type == "cpu" and index > 0):
            continue
        if plan.indexed:
            told = f"indices should be either on cpu or on the same device as the indexed tensor ({found})"
            raise RuntimeError(told)
        told = f"Expected all tensors to be on the same device, but found at least two devices, {found} and {device}!"
        raise RuntimeError(told)
    return found


def _check_generator(device: torch.device, of_generator: torch.device) -> None:
    if device.type != of_generator.type:
        raise RuntimeError(f"Expected a '{device.type}' device type for generator but found '{of_generator.type}'")
