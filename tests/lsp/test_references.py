"""References: everywhere that a symbol stands, in all files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from mino_lsp.features.definition import definition
from mino_lsp.features.references import references

from .documents import snapshot
from .editor import Editor
from .marks import unmark
from .navigation import LOCAL, MAIN, NETS, STAR, ask, open_both, workspace
from .syntax.fragments import texts


@pytest.mark.parametrize("marked", LOCAL)
def test_within_a_document(marked: str) -> None:
    case = unmark(marked)
    document = snapshot(case.source)
    for offset in (place for span in case.all for place in span):
        places = [place.occurrence for place in references(document, offset, True)]
        assert [(one.start, one.end) for one in places] == case.all
        uses = {(one.occurrence.start, one.occurrence.end) for one in references(document, offset, False)}
        assert set(case.used) <= uses


@pytest.mark.parametrize(
    ("name", "offset", "expected"),
    [
        ("main", MAIN.index("Net"), [("nets", "Net"), ("nets", "Net"), ("main", "Net"), ("main", "Net")]),
        (
            "nets",
            NETS.index("make-net"),
            [("nets", "make-net"), ("main", "make-net"), ("main", "make-net"), ("star", "make-net")],
        ),
        (
            "main",
            MAIN.index("weight"),
            [("nets", "weight"), ("nets", "weight"), ("nets", "weight"), ("main", "weight")],
        ),
        ("star", STAR.index("make-net"), [("nets", "make-net")] + [("main", "make-net")] * 2 + [("star", "make-net")]),
        ("main", MAIN.rindex("make-net"), [("nets", "make-net")] + [("main", "make-net")] * 2 + [("star", "make-net")]),
    ],
)
def test_across_documents(name: str, offset: int, expected: list[tuple[str, str]]) -> None:
    documents = workspace(nets=NETS, main=MAIN, star=STAR)
    found = references(documents[name], offset, True)
    places = [(place.document.uri[10:-3], place.occurrence) for place in found]
    assert [(file, documents[file].text.source[one.start : one.end]) for file, one in places] == expected
    assert {location.document.uri for location in definition(documents[name], offset)} == {"file:///w/nets.hy"}


@given(texts(), st.integers(0, 60))
def test_those_of_a_definition_hold_it_and_each_leads_back(source: str, offset: int) -> None:
    document = snapshot(source)
    starts = {place.occurrence.start for place in references(document, min(offset, len(source)), True)}
    assert {one.span.start for one in definition(document, min(offset, len(source)))} <= starts
    for start in starts:
        assert start in {place.occurrence.start for place in references(document, start, True)}


async def test_over_the_server(editor: Editor, root: Path) -> None:
    document, uri = open_both(editor, root)
    context = lsp.ReferenceContext(include_declaration=True)
    found = await ask(document, "references", MAIN.rindex("Net :weight"), context=context)
    assert sorted(one.uri == uri for one in found) == [False, False, True, True]
