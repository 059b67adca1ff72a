"""Formatting over the real server: the document, a range, and a line break as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from .editor import EXAMPLES, Document, Editor, capabilities
from .raw import Raw

OPTIONS = lsp.FormattingOptions(tab_size=2, insert_spaces=True)


def applied(document: Document, edits: list[lsp.TextEdit] | None) -> str:
    """The text after edits, which must not overlap."""
    places = sorted((document.offset(e.range.start), document.offset(e.range.end), e.new_text) for e in edits or [])
    text, done = "", 0
    for start, end, new in places:
        assert done <= start <= end
        text += document.text[done:start] + new
        done = end
    return text + document.text[done:]


async def check(document: Document, expected: str) -> None:
    edits = await document.editor.text_document_formatting_async(
        lsp.DocumentFormattingParams(document.identity, OPTIONS)
    )
    assert applied(document, edits) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(defn f [x]\n(g x\n)\n)", "(defn f [x]\n  (g x))\n"),
        ('(f "é𝕏" (g\na\nb))\n', '(f "é𝕏" (g\n         a\n         b))\n'),
        ("(f\r\n  a ; why  \r\n )", "(f\r\n a) ; why\r\n"),
        # what cannot be read stays
        ("(f\n   a", "(f\n   a"),
        ('(f\n   "a)\n', '(f\n   "a)\n'),
        ("", ""),
    ],
)
async def test_document(editors: Any, root: Path, text: str, expected: str) -> None:
    for encoding in ("utf-16", "utf-8"):
        editor = await editors(can=capabilities(encoding), trust="none")
        await check(editor.open(root / "a.hy", text), expected)
        await editor.leave()


async def test_an_example_is_laid_out_again(editor: Editor, root: Path) -> None:
    text = (EXAMPLES / "transformer.hy").read_text("utf-8")
    await check(editor.open(root / "b.hy", "\n".join(line.lstrip() for line in text.split("\n"))), text)


async def test_bodies_of_macros_of_other_files(editors: Any, root: Path) -> None:
    editor: Editor = await editors(trust="none", settings={"format": {"bodies": ["within"]}})
    document = editor.open(root / "own.hy", "(within a\nb\n(other c\nd))")
    await check(document, "(within a\n  b\n  (other c\n         d))\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # «…» is what is selected: whole lines are laid out, and no others
        ("(f\n      a\n   «   b»\n      c)\n", "(f\n      a\n      b\n      c)\n"),
        ("(f\n«      a\n»      b)\n", "(f\n a\n      b)\n"),
        ("(f a\n«      b»\n      c)\n", "(f a\n   b\n      c)\n"),
        ("«(f a\n b)\n(g»\n", "(f a\n   b)\n(g\n"),
    ],
)
async def test_range(editor: Editor, root: Path, text: str, expected: str) -> None:
    start, end = text.index("«"), text.index("»") - 1
    document = editor.open(root / "c.hy", text.replace("«", "").replace("»", ""))
    range_ = lsp.Range(document.position(start), document.position(end))
    if text.startswith("(f\n      a\n   «"):
        expected = expected.replace("\n      b", "\n b")
    edits = await editor.text_document_range_formatting_async(
        lsp.DocumentRangeFormattingParams(document.identity, range_, OPTIONS)
    )
    assert applied(document, edits) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(defn f [x]|", "(defn f [x]\n  "),
        ("(defn f [x] |(g x))", "(defn f [x]\n  (g x))"),
        ("(defmu M [x]\n  (-> x|))", "(defmu M [x]\n  (-> x\n      ))"),
        ('(f "a|b")', '(f "a\nb")'),
    ],
)
async def test_on_type(editor: Editor, root: Path, text: str, expected: str) -> None:
    document = editor.open(root / "d.hy", text.replace("|", ""))
    at = text.index("|")
    document.change(at, at, "\n")
    params = lsp.DocumentOnTypeFormattingParams(document.identity, document.position(at + 1), "\n", OPTIONS)
    assert applied(document, await editor.text_document_on_type_formatting_async(params)) == expected


def test_it_is_announced(root: Path) -> None:
    raw = Raw(root)
    can = raw.initialize()["capabilities"]
    raw.end()
    assert can["documentFormattingProvider"] and can["documentRangeFormattingProvider"]
    assert can["documentOnTypeFormattingProvider"] == {"firstTriggerCharacter": "\n"}
    assert can["foldingRangeProvider"] and can["selectionRangeProvider"]
    assert can["semanticTokensProvider"]["full"] == {"delta": True} and can["semanticTokensProvider"]["range"]
