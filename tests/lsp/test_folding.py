"""Folding ranges over the real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from mino_lsp.features.folding import folding

from .documents import snapshot
from .editor import Editor


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(defn f [x]\n  (g x\n     y))\n", ["0-2", "1-2"]),
        ("(a)\n(b\n c)", ["1-2"]),
        # one a line: the outermost
        ("((a [b\nc]))", ["0-1"]),
        ("(import torch\n        hy)\n(require mino.mu *\n  mino.thread *)", ["0-1 imports", "2-3 imports"]),
        (";; a\n;; b\n\n;; c\n(f ; d\n ; e\n  ; f\n)", ["0-1 comment", "4-7", "5-6 comment"]),
        ('(f)\n"a\nb"\n#[[\n]]', ["1-2", "3-4"]),
        ("(f\r\n\r\n a", ["0-2"]),
        ("(f a)", []),
        ("", []),
    ],
)
async def test_folding(editor: Editor, root: Path, text: str, expected: list[str]) -> None:
    document = editor.open(root / "a.hy", text)
    found = await editor.text_document_folding_range_async(lsp.FoldingRangeParams(document.identity))
    shown = [
        f"{fold.start_line}-{fold.end_line} {getattr(fold.kind, 'value', fold.kind) or ''}".strip()
        for fold in found or []
    ]
    assert shown == expected


def test_deep_and_many() -> None:
    assert len(folding(snapshot("(\n" * 20_000))) <= 5000
    assert len(folding(snapshot("(a\n b)\n" * 20_000))) == 5000
