"""The torch devices of this machine. Only a child may ask: asking can initialise a driver, and the warden must not."""

from __future__ import annotations

import os

import torch

from mino_lsp.types import Device, DeviceList
from mino_lsp.worker import samplers


def list_devices() -> DeviceList:
    """The devices that a run can use, the CPU first, and what "auto" means: the current accelerator, else the CPU."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    found = [Device("cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads", memory)]
    default = "cpu"
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator()
        assert kind is not None
        for index in range(torch.accelerator.device_count()):
            found.append(_accelerator(kind.type, index))
        default = found[1].name
    return DeviceList(tuple(found), default)


def _accelerator(kind: str, index: int) -> Device:
    properties = getattr(getattr(torch, kind, None), "get_device_properties", None)
    if properties is None:
        return Device(_name(kind, index), kind, 0)
    told = properties(index)
    return Device(_name(kind, index), str(getattr(told, "name", kind)), int(getattr(told, "total_memory", 0)))


def resolve(asked: str, nproc: int = 1, rank: int = 0) -> str:
    """The device that `asked` names for the process `rank` of `nproc`: "auto", "asWritten" (torch's default is left
    alone) or one of torch's names.

    Raises `ValueError` with a sentence that lists the devices there are, before anything ran. Nothing is asked of a
    driver that the program does not need: what it sets for it, as `CUDA_VISIBLE_DEVICES`, would come too late, and
    children that it forks could not use it.
    """
    if asked in ("cpu", "asWritten"):
        return asked
    names = _names()
    if asked == "auto" and (len(names) == 1 or not torch.accelerator.is_available()):
        return "cpu"
    found = names[1] if asked == "auto" else asked
    kind, _, index = found.partition(":")
    if nproc > 1 and kind != "cpu":
        if index and asked != "auto":
            raise ValueError(f"{asked} is one device, and {nproc} processes need one each: choose {kind!r} instead.")
        many = sum(name.partition(":")[0] == kind for name in names)
        if many and rank >= many:
            told = f"{nproc} processes need a {kind} device each, and there {'is' if many == 1 else 'are'} {many}"
            raise ValueError(f"{told}. There is: {_listed(list_devices())}.")
        found = f"{kind}:{rank}"
    # "cuda" is torch's name for the current one of that kind.
    if found in names or any(name.startswith(found + ":") for name in names):
        return found
    raise ValueError(f"There is no device {asked!r} here. There is: {_listed(list_devices())}.")


def _names() -> list[str]:
    """The names of the devices, the CPU's first, counted without initialising a driver where torch can."""
    kind = torch.accelerator.current_accelerator()
    names = ["cpu"]
    if kind is not None:
        names += [_name(kind.type, index) for index in range(torch.accelerator.device_count())]
    return names


def _name(kind: str, index: int) -> str:
    """Torch's name of an accelerator; one of a kind that cannot be asked, as MPS, is the only one."""
    known = hasattr(getattr(torch, kind, None), "get_device_properties")
    return kind if index == 0 and not known else f"{kind}:{index}"


def claim(device: str) -> None:
    """Make `device` torch's default, where it is none already. Raises `ValueError` with a sentence where it is listed
    and cannot be used, as without a driver that fits."""
    if device in ("cpu", "asWritten"):
        return  # setting the CPU would slow small operators by a half
    try:
        torch.set_default_device(device)
        samplers.follow_generators()
        got = torch.zeros(1).device
    # torch raises almost anything here.
    except (RuntimeError, AssertionError, ImportError, AttributeError, OSError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split("\n")[0].split())
        listed = _listed(list_devices())
        raise ValueError(f"The device {device!r} cannot be used here ({reason}). There is: {listed}.") from error
    if got.type != device.partition(":")[0] or (":" in device and str(got) != device):
        raise ValueError(f"The device {device!r} was asked for, and torch came up on {str(got)!r}.")


def peak(device: str) -> int:
    """The most bytes that tensors held on an accelerator at one time; 0 for the CPU, or where it is not known."""
    kind = device.partition(":")[0]
    if kind in ("cpu", "asWritten"):
        kind = "cuda" if torch.cuda.is_initialized() else ""
    counted = getattr(getattr(torch, kind, None), "max_memory_allocated", None) if kind else None
    return int(counted()) if counted is not None else 0


def _listed(there: DeviceList) -> str:
    return ", ".join(f"{device.name} ({device.description})" for device in there.devices)
