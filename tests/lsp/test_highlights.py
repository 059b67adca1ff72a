"""Highlights: the places of the symbol at the cursor in its document."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mino_lsp.features.highlights import highlights

from .documents import snapshot
from .editor import Editor
from .marks import unmark
from .navigation import LOCAL, MAIN, ask, locate, open_both
from .syntax.fragments import texts


@pytest.mark.parametrize("marked", LOCAL)
def test_within_a_document(marked: str) -> None:
    case = unmark(marked)
    document = snapshot(case.source)
    for offset in (place for span in case.all for place in span):
        assert locate(highlights(document, offset)) == case.all


def test_what_is_written_and_what_is_read() -> None:
    found = highlights(snapshot("(setv x 1) (+= x 1) (print x)"), 6)
    assert [one.writes for one in found] == [True, True, False]


@given(texts(), st.integers(0, 60))
def test_any_text_is_answered(source: str, offset: int) -> None:
    for one in highlights(snapshot(source), offset):
        assert 0 <= one.span.start <= one.span.end <= len(source)


async def test_over_the_server(editor: Editor, root: Path) -> None:
    document, _ = open_both(editor, root)
    found = await ask(document, "document_highlight", MAIN.rindex("Net :weight"))
    assert [document.slice(one.range) for one in found] == ["Net", "Net"]
