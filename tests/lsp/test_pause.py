"""mino.pause, and what mino/status says of previews that are paused, stopped, or without a result."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from .editor import Editor
from .processes import marked, marker

TEXT = "(import torch)\n(setv x (torch.ones 2 3))\n"


async def test_paused_previews_keep_what_is_known_and_tell_nothing_new(editor: Editor, root: Path) -> None:
    document = editor.open(root / "pause.hy", TEXT)
    await document.previewed()
    assert await editor.execute("mino.pause", {"on": True}) == {"paused": True}
    await editor.until(lambda: editor.statuses[-1]["state"] == "paused")
    document.replace("(setv x", "(setv y 1)\n(setv x")
    assert "[2 3]" in await document.hover("x (torch")
    assert "paused (command `mino.pause`). It has changed since." in await document.hover("y 1")
    assert await editor.execute("mino.pause", {}) == {"paused": False}
    await document.previewed()
    assert "`int`" in await document.hover("y 1")


async def test_where_a_preview_stopped(editor: Editor, root: Path) -> None:
    document = editor.open(root / "stop.hy", TEXT + "(import os)\n(os._exit 3)\n(setv z x)\n")
    await document.previewed()
    await editor.until(lambda: [one for one in editor.statuses if one["state"] == "stopped" and one["line"] == 4])
    assert "the preview stopped at line 4" in await document.hover("z x")


async def test_a_worker_that_died(editors: Any, tmp_path: Path) -> None:
    word = marker()
    editor = await editors(root=tmp_path, env={"MINO_TEST": word})
    waiting = '(import time)\n(do (print "now") (time.sleep 60))\n(setv z x)\n'
    document = editor.open(tmp_path / "die.hy", TEXT + waiting)
    await editor.until(lambda: [one for one in editor.statuses if one.get("line") == 4])
    for process in marked(word):
        if b"worker/__main__.py" in Path(f"/proc/{process}/cmdline").read_bytes():
            os.kill(process, signal.SIGKILL)
    await editor.until(lambda: [one for one in editor.statuses if one["state"] == "crashed"])
    assert "No shapes: The worker ended unexpectedly." in await document.hover("z x")


async def test_the_status_on_request(editors: Any, root: Path) -> None:
    editor = await editors()
    told = await editor.execute("mino.status", {})
    assert (told["state"], told["paused"], told["trusted"], told["device"]) == ("idle", False, True, "auto")
    assert "worker" not in told and told["memoryBytes"] > 0
    before = told["memoryBytes"]
    document = editor.open(root / "status.hy", TEXT + "(import os)\n(os._exit 3)\n")
    await document.previewed()
    await editor.until(lambda: editor.statuses[-1]["state"] == "stopped")
    told = await editor.execute("mino.status", {"uri": document.uri})
    assert (told["state"], told["uri"], told["line"]) == ("stopped", document.uri, 4)
    assert "torch" in told["worker"]["versions"] and told["memoryBytes"] > before
    await editor.execute("mino.pause", {"on": True})
    assert (await editor.execute("mino.status", {}))["paused"] is True


async def test_the_status_without_trust(editors: Any, tmp_path: Path) -> None:
    editor = await editors(root=tmp_path, trust="none")
    editor.open(tmp_path / "untrusted.hy", TEXT)
    await editor.until(lambda: editor.statuses)
    told = await editor.execute("mino.status", {})
    assert (told["state"], told["trusted"]) == ("untrusted", False) and "worker" not in told
