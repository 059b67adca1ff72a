"""mino.devices and the device of a run: what is there is listed, what is not is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lsprotocol import types as lsp

from .editor import Editor

ACCELERATOR = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
DEFAULT = f"{ACCELERATOR.type}:0" if ACCELERATOR is not None else "cpu"


async def check(editor: Editor, root: Path, device: str | None, ran_on: str) -> None:
    """A run says which device it is on, and that is what it got."""
    program = root / "device.hy"
    program.write_text("(import torch)\n(print (. (torch.zeros 1) device))", "utf-8")
    told = {} if device is None else {"device": device}
    answer = await editor.execute("mino.run", {"uri": program.as_uri(), **told})
    out = "".join(output.text for output in editor.outputs if output.run == answer["run"] and output.stream == "stdout")
    first, got = out.splitlines()
    assert answer["device"] == ran_on and answer["exitCode"] == 0
    where = "the device that it names" if ran_on == "asWritten" else ran_on
    assert first == f"Running device.hy on {where}"
    assert got == ("cpu" if ran_on == "asWritten" else ran_on)


async def test_the_devices_there_are(editor: Editor) -> None:
    answer = await editor.execute("mino.devices", {})
    assert answer["devices"][0]["name"] == "cpu" and answer["devices"][0]["memoryBytes"] > 0
    assert all(set(device) == {"name", "description", "memoryBytes"} for device in answer["devices"])
    assert (answer["configured"], answer["resolved"]) == ("auto", DEFAULT)
    assert DEFAULT in [device["name"] for device in answer["devices"]]


@pytest.mark.parametrize(
    ("device", "ran_on"), [(None, DEFAULT), ("auto", DEFAULT), ("cpu", "cpu"), ("asWritten", "asWritten")]
)
async def test_a_run_is_on_its_device(editor: Editor, root: Path, device: str | None, ran_on: str) -> None:
    await check(editor, root, device, ran_on)


@pytest.mark.parametrize("device", ["cuda:99", "nonsense", "cuda:", "cpu:7:7", "", "xpu:5", "meta"])
async def test_what_is_not_there_is_refused_before_anything_runs(editor: Editor, root: Path, device: str) -> None:
    canary = root / "ran-on-nothing"
    program = root / "canary.hy"
    program.write_text(f'(open "{canary}" "w")', "utf-8")
    before = len(editor.outputs)
    if device == "":
        # no device is the configured one
        assert (await editor.execute("mino.run", {"uri": program.as_uri(), "device": ""}))["device"] == DEFAULT
        canary.unlink()
        return
    told = await editor.refusal("mino.run", {"uri": program.as_uri(), "device": device})
    assert device in told and "cpu" in told
    assert not canary.exists() and len(editor.outputs) == before


async def test_the_configured_device(editors: Any, root: Path) -> None:
    editor = await editors(settings={"device": "cuda:99"})
    answer = await editor.execute("mino.devices", {"uri": (root / "device.hy").as_uri()})
    assert (answer["configured"], answer["resolved"]) == ("cuda:99", "cuda:99")
    program = root / "device.hy"
    program.write_text("1", "utf-8")
    assert "cuda:99" in await editor.refusal("mino.run", {"uri": program.as_uri()})
    await check(editor, root, "cpu", "cpu")


async def test_a_device_for_this_session(editors: Any, root: Path) -> None:
    editor = await editors()
    assert await editor.execute("mino.setDevice", {"device": "cpu"}) == {"configured": "cpu", "resolved": "cpu"}
    assert (await editor.execute("mino.devices", {}))["configured"] == "cpu"
    told = await editor.refusal("mino.setDevice", {"device": "cuda:99"})
    assert told.startswith('There is no device "cuda:99" here. There is: cpu')
    assert "mino.devices" in await editor.refusal("mino.setDevice", {"device": 7})
    # What the client says later does not undo the choice, nor did the refusal.
    editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"mino": {"device": "auto"}}))
    assert (await editor.execute("mino.devices", {}))["configured"] == "cpu"
    assert (await editor.execute("mino.setDevice", {"device": "auto"}))["resolved"] == DEFAULT
