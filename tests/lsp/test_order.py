"""A request that is followed by an edit at once is answered for the text that it was asked of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from .editor import Editor, plain

TEXT = '(defn f [a]\n  "Of f."\n  a)\n(defn g [a]\n  "Of g."\n  a)\n(setv x (f 1))\n'
ABOVE = "(setv above 0)\n" * 3


async def test_a_hover_and_an_edit_right_after_it(editor: Editor, root: Path) -> None:
    document = editor.open(root / "hover.hy", TEXT)
    for _ in range(30):
        at = document.position(document.find("(f 1)") + 1)
        asked = ask(editor, lsp.TEXT_DOCUMENT_HOVER, lsp.HoverParams(document.identity, at))
        document.change(0, 0, ABOVE)
        found = await asked
        assert "Of f." in found.contents.value and (found.range is None or found.range.start == at)
        document.rewrite(TEXT)


async def test_an_evaluation_and_an_edit_right_after_it(editor: Editor, root: Path) -> None:
    document = editor.open(root / "eval.hy", TEXT)
    for _ in range(10):
        place = document.place("(f 1)")
        told = {"uri": document.uri, "position": place, "scope": "form"}
        params = lsp.ExecuteCommandParams("mino.eval", [told])
        asked = ask(editor, lsp.WORKSPACE_EXECUTE_COMMAND, params)
        document.change(0, 0, ABOVE)
        answer = plain(await asked)
        assert (answer["text"], answer["range"]["start"]) == ("1", place)
        document.rewrite(TEXT)


async def test_a_preview_and_an_edit_right_after_it(editor: Editor, root: Path) -> None:
    """What was told of an older text is no answer."""
    document = await editor.open(root / "preview.hy", TEXT + "(/ 1 0)\n").previewed()
    document.change(0, 0, ABOVE)
    params = lsp.ExecuteCommandParams("mino.preview", [{"uri": document.uri}])
    asked = ask(editor, lsp.WORKSPACE_EXECUTE_COMMAND, params)
    document.change(0, 0, ABOVE)
    with pytest.raises(JsonRpcException, match="stopped by a newer edit"):
        await asked


async def test_a_preview_and_an_edit_before_there_is_a_worker(editor: Editor, root: Path) -> None:
    """The newer text is the one that is previewed, however long the worker took to come."""
    document = editor.open(root / "early.hy", "(setv x 1)\n")
    for _ in range(2):
        params = lsp.ExecuteCommandParams("mino.preview", [{"uri": document.uri}])
        asked = ask(editor, lsp.WORKSPACE_EXECUTE_COMMAND, params)
        document.rewrite("(setv x 1.5)\n")
        with pytest.raises(JsonRpcException, match="stopped by a newer edit"):
            await asked
        await document.previewed()
        assert "`float`" in await document.hover("x 1")
        await editor.execute("mino.restart")
        document.rewrite("(setv x 1)\n")


async def test_a_document_that_is_closed_and_opened_while_it_is_previewed(editor: Editor, root: Path) -> None:
    long = "(import time)\n(do (setv y 1) (time.sleep 30))\n"
    document = editor.open(root / "again.hy", long)
    await editor.until(lambda: [one for one in editor.statuses if one.get("line") == 2])
    document = await editor.open(root / "again.hy", "(setv x 1)\n").previewed()
    assert "`int`" in await document.hover("x 1")


def ask(editor: Editor, method: str, params: Any) -> Any:
    """Send a request now, and give what waits for its answer."""
    return asyncio.wrap_future(editor.protocol.send_request(method, params))
