"""Code lenses: Run, above a program's `defmain`, with the device that it will use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mino_lsp.features.code_lenses import code_lenses

from .documents import snapshot
from .editor import EXAMPLES, Editor


def check(text: str, titles: list[str], **known: object) -> None:
    """The titles, each above a `defmain` of the text."""
    lenses = code_lenses(snapshot(text, **known))
    assert [lens.title for lens in lenses] == titles
    for lens in lenses:
        assert text[lens.span.start : lens.span.end] == "(defmain"
        assert (lens.command, lens.arguments) == ("mino.run", ({"uri": "file:///w/main.hy"},))


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("(defmain [] 1)", ["▶ Run on cpu"]),
        ("(defmain [] 1)\n(defmain [] 2)", ["▶ Run on cpu"] * 2),
        ("(defn main [] 1)", []),
        ("'(defmain [] 1)", []),
        ("(do (defmain [] 1))", []),
        ("defmain", []),
        ("()", []),
        ("", []),
        # half-typed
        ("(defmain [", ["▶ Run on cpu"]),
    ],
)
def test_where(text: str, titles: list[str]) -> None:
    check(text, titles, device="cpu")


def test_the_device_may_not_be_known_yet() -> None:
    check("(defmain [] 1)", ["▶ Run"])


async def test_the_example(editor: Editor, root: Path) -> None:
    """The device is the worker's machine's; the client is told to ask again when it is known."""
    document = editor.open(root / "feed_forward.hy", (EXAMPLES / "feed_forward.hy").read_text("utf-8"))
    devices = await editor.execute("mino.devices", {})
    await editor.refreshed(document, "workspace/codeLens/refresh", "workspace.code_lens.refresh_support")
    (lens,) = await document.lenses()
    assert lens.command is not None
    assert document.slice(lens.range) == "(defmain"
    assert (lens.command.title, lens.command.command) == (f"▶ Run on {devices['resolved']}", "mino.run")


async def test_a_configured_device(editors: Any, root: Path) -> None:
    editor = await editors(settings={"device": "cuda:1"}, trust="none")
    document = editor.open(root / "main.hy", "(defmain [] 1)")
    (lens,) = await document.lenses()
    assert lens.command.title == "▶ Run on cuda:1"
