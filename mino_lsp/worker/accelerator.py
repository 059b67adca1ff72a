"""What `torch.cuda` and its kin answer in a preview: for the device that the preview is for, without it being there.

Moves of tensors and modules, and everything that takes a device before an operator is called, are replaced here; the
operators themselves are the business of `claims`.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import torch

from mino_lsp.worker.claims import CPU, KINDS, Ledger, accelerator, claim_storage, storage_claim
from mino_lsp.worker.patches import Patches

_MEMORY = 80 * 1024**3
"""Bytes that a claimed accelerator says it has."""


def pretend(patches: Patches, device: str, as_written: bool) -> Ledger:
    """Have this process seem to have `device`, and no other accelerator; it is the default one unless `as_written`."""
    ledger = Ledger(patches)
    _replace_moves(patches, ledger)
    _replace_constructors(patches, ledger)
    _replace_serialization(patches, ledger)
    there = torch.device(device)
    for kind in KINDS:
        _answer_for(patches, ledger, kind, there)
    _answer_for_accelerator(patches, ledger, there)
    if there.type in KINDS:
        ledger.activate()
        if not as_written:
            before = torch.get_default_device() if torch.utils._device.CURRENT_DEVICE is not None else None
            torch.set_default_device(ledger.full(there))
            patches.callback(torch.set_default_device, before)
    return ledger


# ---- tensors and modules


def _replace_moves(patches: Patches, ledger: Ledger) -> None:
    move_or_cast = torch.Tensor.to
    tensor_type, numpy, new_tensor = torch.Tensor.type, torch.Tensor.numpy, torch.Tensor.new_tensor
    pinned = torch.Tensor.is_pinned

    def to(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        target, rest = _target(args, kwargs)
        if target is None or ledger.inside:
            return move_or_cast(self, *args, **kwargs)
        device, here = ledger.full(target), ledger.device(self)
        if device.type not in ("cpu", *KINDS) or (device == here == CPU):
            return move_or_cast(self, *args, **kwargs)
        if device == here:
            return move_or_cast(self, **rest)
        rest.pop("copy", None), rest.pop("non_blocking", None)
        form = rest.pop("memory_format", None)
        return ledger.move(move_or_cast(self, **rest) if rest else self, device, form)

    def to_kind(kind: str) -> Callable[..., torch.Tensor]:
        def move(self: torch.Tensor, device: Any = None, *_: Any, **__: Any) -> torch.Tensor:
            return to(self, torch.device(kind, device) if isinstance(device, int) else device or kind)

        return move

    def as_type(self: torch.Tensor, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if dtype is None:
            here, told = ledger.device(self).type, tensor_type(self)
            return told if here == "cpu" or f".{here}." in told else told.replace("torch.", f"torch.{here}.", 1)
        if isinstance(dtype, str) and dtype.split(".")[1:2] and dtype.split(".")[1] in KINDS:
            kind = dtype.split(".")[1]
            return to(tensor_type(self, dtype.replace(f".{kind}", "", 1)), kind)
        return tensor_type(self, dtype, *args, **kwargs)

    def to_numpy(self: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        claimed = ledger.claimed(self)
        if claimed is not None:
            told = f"can't convert {claimed} device type tensor to numpy. "
            raise TypeError(told + "Use Tensor.cpu() to copy the tensor to host memory first.")
        return numpy(self, *args, **kwargs)

    def new(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        device = kwargs.pop("device", None)
        made = new_tensor(self, *args, **kwargs)
        return ledger.claim(made, ledger.full(device) if device is not None else ledger.device(self))

    def pin(self: torch.Tensor, *_: Any) -> torch.Tensor:
        copy = self.clone()
        copy.__dict__["_mino_pinned"] = True
        return copy

    def is_pinned(self: torch.Tensor, *_: Any) -> bool:
        return bool(self.__dict__.get("_mino_pinned")) or bool(pinned(self))

    def record(self: torch.Tensor, stream: Any) -> None:
        return None

    replaced: dict[str, Any] = {"to": to, "type": as_type, "numpy": to_numpy, "new_tensor": new, "pin_memory": pin}
    replaced |= {"is_pinned": is_pinned, "record_stream": record}
    for name, function in replaced.items():
        patches.set(torch.Tensor, name, _named(name, function))
    for kind in ("cpu", "cuda", "xpu"):
        patches.set(torch.Tensor, kind, _named(kind, to_kind(kind)))


def _named(name: str, function: Any) -> Any:
    function.__name__ = name
    return function


def _target(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The device that a call of `Tensor.to` names, None for none; and the rest of its arguments, by name."""
    rest = dict(kwargs)
    if (args and isinstance(args[0], torch.Tensor)) or "other" in rest:
        other = rest.pop("other", None) if "other" in rest else args[0]
        rest.update(zip(("non_blocking", "copy"), args[1:], strict=False))
        return other.device, {"dtype": other.dtype, **rest}
    names: tuple[str, ...] = ("device", "dtype", "non_blocking", "copy")
    if args and isinstance(args[0], torch.dtype):
        names = ("dtype", "non_blocking", "copy")
    rest.update(zip(names, args, strict=False))
    device = rest.pop("device", None)
    if rest.get("dtype", 0) is None:
        del rest["dtype"]
    return device, rest


def _replace_constructors(patches: Patches, ledger: Ledger) -> None:
    """Those that need a device with an index, or a driver, before they come to an operator."""

    def indexed(function: Any) -> Any:
        def construct(*args: Any, **kwargs: Any) -> Any:
            if accelerator(kwargs.get("device")):
                ledger.activate()
                kwargs["device"] = ledger.full(kwargs["device"])
            return function(*args, **kwargs)

        construct.__name__ = function.__name__
        return construct

    for name in ("tensor", "as_tensor", "asarray"):
        patches.set(torch, name, indexed(getattr(torch, name)))
    context = torch.utils._device.DeviceContext

    def enter_device(self: Any, device: Any, _init: Any = context.__init__) -> None:
        if accelerator(device):
            ledger.activate()
        _init(self, ledger.full(device))

    patches.set(context, "__init__", enter_device)
    # With this, a tensor made from Python's values is made on the CPU and then moved, by an operator.
    patches.callback(torch._C._set_only_lift_cpu_tensors, torch._C._only_lift_cpu_tensors())
    torch._C._set_only_lift_cpu_tensors(True)

    class Generator(torch._C.Generator):  # type: ignore[misc]
        """A generator that says it is on the device it was made for."""

        def __new__(cls, device: Any = "cpu") -> Any:
            made = super().__new__(cls, "cpu")
            made._claimed = ledger.full(device)
            ledger.know(made)
            return made

        @property
        def device(self) -> torch.device:
            claimed: torch.device = self._claimed
            return claimed

    Generator.__module__ = "torch._C"
    patches.set(torch, "Generator", Generator)
    autocast = torch.amp.autocast_mode.autocast

    def enter_autocast(
        self: Any, device_type: Any, dtype: Any = None, *args: Any, _init: Any = autocast.__init__, **kwargs: Any
    ) -> None:
        if device_type in KINDS:
            device_type, dtype = "cpu", dtype or torch.get_autocast_dtype(device_type)
        _init(self, device_type, dtype, *args, **kwargs)

    patches.set(autocast, "__init__", enter_autocast)


def _replace_serialization(patches: Patches, ledger: Ledger) -> None:
    """A checkpoint says on which device its tensors were, and loads them there."""

    def location(storage: Any) -> str | None:
        device = storage_claim(storage)
        return str(device) if device is not None else None

    def restore(storage: Any, place: str) -> Any:
        if not accelerator(place):
            return None
        ledger.activate()
        claim_storage(storage, ledger.full(place))
        return storage

    registry = torch.serialization._package_registry
    entry = (0, location, restore)
    registry.insert(0, entry)
    patches.callback(registry.remove, entry)

    def clone(self: Any, _clone: Any = torch.UntypedStorage.clone) -> Any:
        copy = _clone(self)
        claimed = storage_claim(self)
        if claimed is not None:
            claim_storage(copy, claimed)
        return copy

    patches.set(torch.UntypedStorage, "clone", clone)


# ---- the modules


class _Context:
    """Stands for a stream, an event or the choice of a device: nothing is waited for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args

    def __enter__(self) -> _Context:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("elapsed_time",):
            return lambda *_: 1.0
        return {"query": lambda: True, "cuda_stream": 0, "stream_id": 0, "device": CPU}.get(name, lambda *_, **__: None)


class Stream(_Context):
    pass


class Event(_Context):
    pass


def _answer_for(patches: Patches, ledger: Ledger, kind: str, there: torch.device) -> None:
    """Replace what asks a driver in `torch.cuda`, `torch.mps` or `torch.xpu`."""
    module = getattr(torch, kind)
    here = there.type == kind
    count = (there.index or 0) + 1 if here else 0

    def index(device: Any = None) -> int:
        if device is None:
            return ledger.current[kind]
        return device if isinstance(device, int) else ledger.full(device).index or 0

    def set_device(device: Any) -> None:
        ledger.current[kind] = index(device)

    class Device(_Context):
        def __enter__(self) -> _Context:
            self.before = ledger.current[kind]
            set_device(self.args[0])
            return self

        def __exit__(self, *_: object) -> None:
            ledger.current[kind] = self.before

    def properties(device: Any = None) -> Any:
        name = f"{kind}:{index(device)}"
        return types.SimpleNamespace(name=name, total_memory=_MEMORY, major=8, minor=0, multi_processor_count=108)

    def always(value: Any) -> Callable[..., Any]:
        return lambda *_, **__: value

    answers: dict[str, Any] = {
        "is_available": always(here),
        "is_initialized": always(here),
        "device_count": always(count),
        "current_device": lambda: ledger.current[kind],
        "set_device": set_device,
        "device": Device,
        "get_device_name": lambda device=None: properties(device).name,
        "get_device_properties": properties,
        "get_device_capability": always((8, 0)),
        "mem_get_info": always((_MEMORY, _MEMORY)),
        "memory_stats": always({}),
        "memory_summary": always(""),
        "memory_snapshot": always([]),
        "is_bf16_supported": always(True),
        "is_tf32_supported": always(True),
        "can_device_access_peer": always(True),
        "is_current_stream_capturing": always(False),
        "initial_seed": always(0),
        "get_rng_state": lambda device=None: torch.zeros(16, dtype=torch.uint8, device="cpu"),
        "get_rng_state_all": lambda: [torch.zeros(16, dtype=torch.uint8, device="cpu") for _ in range(count)],
        "current_stream": lambda device=None: Stream(),
        "default_stream": lambda device=None: Stream(),
        "stream": _Context,
        "StreamContext": _Context,
        "Stream": Stream,
        "Event": Event,
        "recommended_max_memory": always(_MEMORY),
        "device_of": lambda tensor: Device(tensor.get_device()),
    }
    counters = "memory_allocated max_memory_allocated memory_reserved max_memory_reserved memory_cached "
    counters += "max_memory_cached utilization temperature power_draw clock_rate current_allocated_memory "
    # Each has a function of its own: dynamo's tables of torch's functions don't bear one with two names.
    answers |= {name: always(0) for name in (counters + "driver_allocated_memory").split()}
    silent = "synchronize empty_cache ipc_collect manual_seed manual_seed_all seed seed_all init set_rng_state "
    silent += "set_rng_state_all set_stream reset_peak_memory_stats reset_accumulated_memory_stats "
    silent += "reset_max_memory_allocated reset_max_memory_cached set_per_process_memory_fraction"
    answers |= {name: always(None) for name in silent.split()}
    for name, answer in answers.items():
        if hasattr(module, name):
            patches.set(module, name, answer)
    if hasattr(module, "_lazy_init"):
        # Torch's C++ calls it, once, before it makes the first tensor on such a device.
        patches.set(module, "_lazy_init", ledger.activate)
    if kind == "cuda":
        for name in ("is_acceptable", "is_available"):
            patches.set(torch.backends.cudnn, name, always(False))
        patches.set(torch.backends.cuda, "is_built", always(here))
        for name in ("range_push", "range_pop", "mark", "range_start", "range_end"):
            patches.set(torch.cuda.nvtx, name, always(None))
    if kind == "mps":
        for name in ("is_available", "is_built"):
            patches.set(torch.backends.mps, name, always(here))


def _answer_for_accelerator(patches: Patches, ledger: Ledger, there: torch.device) -> None:
    kind = there.type if there.type in KINDS else None
    module = torch.accelerator
    kin = getattr(torch, kind) if kind else None

    def current(check_available: bool = False) -> torch.device | None:
        return torch.device(kind) if kind else None

    patches.set(module, "is_available", lambda: kind is not None)
    patches.set(module, "current_accelerator", current)
    patches.set(module, "device_count", lambda: kin.device_count() if kin else 0)
    for name in ("synchronize", "empty_cache", "reset_peak_memory_stats", "reset_accumulated_memory_stats"):
        patches.set(module, name, lambda *_: None)
    for name in ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved"):
        patches.set(module, name, lambda *_: 0)
    patches.set(module, "current_stream", lambda *_: Stream())
    patches.set(module, "set_stream", lambda *_: None)
    if kind and kin:
        for name in ("current_device_index", "current_device_idx"):
            patches.set(module, name, lambda: ledger.current[kind])
        for name in ("set_device_index", "set_device_idx"):
            patches.set(module, name, lambda device: ledger.current.__setitem__(kind, ledger.full(device).index or 0))
