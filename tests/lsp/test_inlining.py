"""A code action: a macro call is replaced by what it expands to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from .editor import SECONDS, Document, Editor


async def actions(document: Document, text: str, only: list[str] | None = None) -> list[lsp.CodeAction]:
    at = document.position(document.find(text))
    kinds = [lsp.CodeActionKind(kind) for kind in only] if only is not None else None
    params = lsp.CodeActionParams(document.identity, lsp.Range(at, at), lsp.CodeActionContext([], only=kinds))
    found = await asyncio.wait_for(document.editor.text_document_code_action_async(params), SECONDS)
    return [one for one in found or [] if isinstance(one, lsp.CodeAction)]


async def check(document: Document, text: str, title: str, after: str) -> None:
    """The action appears at a place, some time after the text has come to rest, and makes this of the document."""
    async with asyncio.timeout(SECONDS):
        while not (found := [one for one in await actions(document, text) if one.title == title]):
            await asyncio.sleep(0.05)
    assert found[0].kind == lsp.CodeActionKind.RefactorInline and found[0].edit is not None
    (edit,) = (found[0].edit.changes or {})[document.uri]
    start, end = document.offset(edit.range.start), document.offset(edit.range.end)
    assert document.text[:start] + edit.new_text + document.text[end:] == after


LONG = "(print first-argument second-argument third-argument fourth-argument)"


@pytest.mark.parametrize(
    ("text", "place", "name", "after"),
    [
        ("(require mino.thread *)\n(defn é [x]\n  (-> x f (g 1)))", "-> x", "->", "(g (f x) 1)"),
        (
            f"(defmacro m [] '(do {LONG} {LONG}))\n(defn f []\n  [1 (m)])",
            "m)])",
            "m",
            f"(do\n       {LONG}\n       {LONG})",
        ),
    ],
)
async def test_inline_a_call(editor: Editor, root: Path, text: str, place: str, name: str, after: str) -> None:
    document = editor.open(root / "actions.hy", text)
    call = "(-> x f (g 1))" if name == "->" else "(m)"
    await check(document, place, f"Inline this call of `{name}`", text.replace(call, after))

    def inlining(found: list[lsp.CodeAction]) -> list[str]:
        return [one.title for one in found if one.kind == lsp.CodeActionKind.RefactorInline]

    assert inlining(await actions(document, place, only=["source"])) == []
    assert inlining(await actions(document, place, only=["refactor"])) != []
    assert inlining(await actions(document, "defn")) == []


async def test_a_string_keeps_its_lines(editor: Editor, root: Path) -> None:
    text = '(defmacro m [x] `(f ~x))\n(print 1 (m "two\nlines"))'
    document = editor.open(root / "actions.hy", text)
    await check(document, 'm "two', "Inline this call of `m`", text.replace('(m "', '(f "'))
