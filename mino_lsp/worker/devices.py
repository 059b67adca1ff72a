"""The torch devices of this machine. Only a child may ask: asking can initialise a driver, and the warden must not."""

from __future__ import annotations

import os

import torch

from mino_lsp.types import Device, DeviceList


def list_devices() -> DeviceList:
    """The devices that a run can use, the CPU first, and what "auto" means: the current accelerator, else the CPU."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
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
        return Device(kind if index == 0 else f"{kind}:{index}", kind, 0)
    told = properties(index)
    return Device(f"{kind}:{index}", str(getattr(told, "name", kind)), int(getattr(told, "total_memory", 0)))


def resolve(asked: str) -> str:
    """The device that `asked` names: "auto", "asWritten" (torch's default is left alone) or one of torch's names.

    Raises `ValueError` with a sentence that lists the devices there are, before anything ran.
    """
    there = list_devices()
    if asked == "asWritten":
        return asked
    if asked == "auto":
        return there.default
    names = [device.name for device in there.devices]
    # "cuda" is torch's name for the current one of that kind.
    if asked in names or any(name.startswith(asked + ":") for name in names):
        return asked
    listed = ", ".join(f"{device.name} ({device.description})" for device in there.devices)
    raise ValueError(f"There is no device {asked!r} here. There is: {listed}.")
