"""Selection ranges over the real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from mino_lsp.features.selection_ranges import selection_ranges

from .documents import snapshot
from .editor import Editor


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # | is the cursor
        ("(f (g |x))", ["x", "g x", "(g x)", "f (g x)", "(f (g x))"]),
        ("(f torch.n|n.Linear)", ["nn", "torch.nn.Linear", "f torch.nn.Linear", "(f torch.nn.Linear)"]),
        ('(f "a| b")', ["a b", '"a b"', 'f "a b"', '(f "a b")']),
        ("(f #{1| 2})", ["1", "1 2", "#{1 2}", "f #{1 2}", "(f #{1 2})"]),
        ("(f :ke|y)", ["key", ":key", "f :key", "(f :key)"]),
        ("'(a |b)", ["b", "a b", "(a b)", "'(a b)"]),
        ("(f (g |x)", ["x", "g x", "(g x)", "(f (g x)"]),
        ("(a)\n|\n(b)", ["(a)\n\n(b)"]),
        ("|", [""]),
    ],
)
async def test_selection(editor: Editor, root: Path, text: str, expected: list[str]) -> None:
    document = editor.open(root / "a.hy", text.replace("|", ""))
    params = lsp.SelectionRangeParams(document.identity, [document.position(text.index("|"))])
    (found,) = await editor.text_document_selection_range_async(params) or []
    shown = []
    around: lsp.SelectionRange | None = found
    while around is not None:
        shown.append(document.slice(around.range))
        around = around.parent
    assert shown == expected if shown[-1] == expected[-1] else shown[:-1] == expected


def test_deep() -> None:
    assert len(selection_ranges(snapshot("(" * 100_000), 99_000)) < 1000
