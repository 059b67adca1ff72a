"""Positions: one text, three encodings, every line ending; what is hovered and hinted stands where it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types as lsp

from .editor import Document, Editor, capabilities

START = "(require mino.thread *)\n(import torch)\n"
TEXTS = {
    "plain": "(setv a (-> (torch.ones 3) (+ 1)))\n(/ 1 0)\n",
    "beyond the first plane": '(setv 𝒳 "𝒳é→") (setv a (-> (torch.ones 3) (+ 1))) (/ 1 0)\n',
    "combining": '(print "e\u0301 👩‍👩‍👧") (setv a (-> (torch.ones 3) (+ 1)))\n#_ "é" (/ 1 0)\n',
    "form feed": "\f\n(setv a (-> (torch.ones 3) (+ 1)))\n\f(/ 1 0)\n",
    "separators": '(print "\u2028\u2029\x0b\x85") (setv a (-> (torch.ones 3) (+ 1)))\n(/ 1 0) ; \u2028\n',
    "tabs": "\t(setv a (-> (torch.ones 3) (+ 1)))\n\t\t(/ 1 0)",
    "byte order mark": ' (setv a (-> (torch.ones 3) (+ 1))) "\ufeff" (/ 1 0)',
}


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["utf-8", "utf-16", "utf-32"])
async def speaking(request: Any, editors: Any) -> AsyncIterator[Editor]:
    """A server for each encoding."""
    editor = await editors(can=capabilities(request.param))
    assert editor.encoding == request.param
    yield editor
    await editor.leave()


async def check(document: Document) -> None:
    """The document's one thread is hinted, what it makes is hovered, its one error is blamed."""
    await document.previewed()
    assert "`[3]`" in await document.hover("(+ 1)")
    assert [label for _, label in await document.hints()] == ["→ [3]"]
    assert await document.blamed() == [("exception", "(/ 1 0)")]
    hovered = await document.hover_at(document.position(document.find("torch.ones 3)")))
    assert document.slice(hovered.range) == "(torch.ones 3)"
    assert (await document.expand("(->"))["text"] == "(+ (torch.ones 3) 1)"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_texts(speaking: Editor, root: Path, ending: str) -> None:
    for name, text in TEXTS.items() if ending == "\n" or speaking.encoding == "utf-16" else ():
        await check(speaking.open(root / f"{name}.hy", (START + text).replace("\n", ending)))


async def test_edits(speaking: Editor, root: Path) -> None:
    """After any number of edits the positions are those of the text that the editor has."""
    document = speaking.open(root / "edited.hy", START + TEXTS["plain"])
    document.replace("(setv a", '(print "👩‍👩‍👧 \f \u2028")\r\n(setv é 1) (setv a')
    document.replace("(/ 1 0)", '"\u2028" "𝒳" (/ 1 0)')
    document.replace("(import torch)\n", "(import torch)\f\n\n")
    document.replace("👧", "é👧")
    await check(document)


async def test_many_changes_in_one_message(speaking: Editor, root: Path) -> None:
    """Each change is of the text that the one before it left."""
    document = speaking.open(root / "many.hy", "")
    line = 'x "𝒳"\n'
    zero = lsp.Position(0, 0)
    changes = [lsp.TextDocumentContentChangePartial(lsp.Range(zero, zero), char) for char in reversed(line * 3 + "(")]
    document.text = line * 3 + "("
    document.send_change(*changes)
    assert await document.blamed() == [("unclosed", "(")]
    document.text = "(a\n["
    document.send_change(lsp.TextDocumentContentChangeWholeDocument("("), _append(document, "a\n["))
    assert (await document.blamed())[0][0] == "unclosed"


def _append(document: Document, text: str) -> lsp.TextDocumentContentChangePartial:
    end = lsp.Position(10**6, 10**6)
    return lsp.TextDocumentContentChangePartial(lsp.Range(end, end), text)


@pytest.mark.parametrize("text", ["", "\n", "\r\n", "\f", ";", "; \u2028", "#!"])
async def test_texts_without_a_form(editor: Editor, root: Path, text: str) -> None:
    """There is nothing to show, anywhere, and no error about it."""
    document = editor.open(root / "empty.hy", text)
    await document.previewed()
    for line in range(3):
        assert await document.hover_at(lsp.Position(line, 0)) is None
    assert await document.hints() == await document.lenses() == await document.diagnostics() == []


async def test_a_lone_surrogate(editor: Editor, root: Path) -> None:
    document = editor.open(root / "surrogate.hy", '(setv x "\udc00") (setv y (+ 1 [2]))')
    await document.previewed()
    assert await document.blamed() == [("exception", "(+ 1 [2])")]


async def test_a_file_that_is_not_utf_8(editor: Editor, root: Path) -> None:
    """The editor sends text, whatever the file is: that is served. A run takes the file, and says what is wrong."""
    path = root / "latin.hy"
    path.write_bytes('(setv x "\xe9")'.encode("latin-1"))
    document = editor.open(path, '(setv x "é") (/ 1 0)')
    await document.previewed()
    assert await document.blamed() == [("exception", "(/ 1 0)")]
    document.close()
    told = f"{path} is not UTF-8: byte 9 cannot be read"
    assert told in await editor.refusal("mino.run", {"uri": path.as_uri()})


async def test_a_client_that_offers_no_encoding_gets_utf_16(editors: Any, root: Path) -> None:
    editor = await editors(can=lsp.ClientCapabilities())
    document = editor.open(root / "bare.hy", '"𝒳" (f')
    await editor.until(lambda: editor.published and editor.published[-1].diagnostics)
    assert editor.published[-1].diagnostics[0].range.start == lsp.Position(0, 5)
    assert document.slice(editor.published[-1].diagnostics[0].range) == "("
