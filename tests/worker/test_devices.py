"""Which device a run is on, and what is asked of the system for that."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mino_lsp.types import Device, DeviceList
from mino_lsp.worker import devices


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with two GPUs, and what of torch's that initialises a driver was called."""
    found: list[str] = []

    def usable() -> bool:
        found.append("is_available")
        return True

    def listed() -> DeviceList:
        found.append("list_devices")
        return DeviceList((Device("cpu", "2 cores", 0), Device("cuda:0", "A", 0), Device("cuda:1", "B", 0)), "cuda:0")

    def kind() -> Any:
        return torch.device("cuda")

    monkeypatch.setattr(torch.accelerator, "current_accelerator", kind)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "is_available", usable)
    monkeypatch.setattr(devices, "list_devices", listed)
    return found


@pytest.mark.parametrize("name", ["cpu", "asWritten", "cuda", "cuda:1"])
def test_nothing_that_initialises_a_driver_is_asked(asked: list[str], name: str) -> None:
    assert devices.resolve(name) == name
    assert asked == []


def test_for_the_cpu_nothing_is_asked_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("current_accelerator", "device_count", "is_available"):
        monkeypatch.setattr(torch.accelerator, name, None)
    assert [devices.resolve(name, 2) for name in ("cpu", "asWritten")] == ["cpu", "asWritten"]


def test_what_is_chosen_can_be_used(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.resolve("auto") == "cuda:0" and devices.resolve("auto", 2, 1) == "cuda:1"
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    assert devices.resolve("auto") == "cpu"


REFUSED = [
    ("cuda:2", 1, 0, "There is no device 'cuda:2' here. There is: cpu (2 cores), cuda:0 (A), cuda:1 (B)."),
    ("cuda", 3, 2, "3 processes need a cuda device each, and there are 2. There is: cpu (2 cores), cuda:0 (A), "),
    ("cuda:0", 2, 0, "cuda:0 is one device, and 2 processes need one each: choose 'cuda' instead."),
    ("mps", 1, 0, "There is no device 'mps' here."),
]


@pytest.mark.parametrize(("name", "nproc", "rank", "told"), REFUSED)
def test_a_refusal_says_what_there_is(asked: list[str], name: str, nproc: int, rank: int, told: str) -> None:
    with pytest.raises(ValueError) as refusal:
        devices.resolve(name, nproc, rank)
    assert str(refusal.value).startswith(told)
