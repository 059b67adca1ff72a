"""Definition and declaration: where a name is bound, and where it is imported."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from mino_lsp.features.definition import declaration, definition

from .documents import snapshot
from .editor import SECONDS, Editor
from .marks import unmark
from .navigation import LOCAL, MAIN, NETS, STAR, ask, locate, open_both, tell, workspace
from .syntax.fragments import texts


@pytest.mark.parametrize("marked", LOCAL)
def test_within_a_document(marked: str) -> None:
    case = unmark(marked)
    document = snapshot(case.source)
    for offset in (place for span in case.all for place in span):
        found = locate(definition(document, offset))
        assert found and set(found) <= set(case.defined)


@pytest.mark.parametrize(
    ("name", "place"),
    [("main", "Net"), ("main", "made"), ("main", "make-net)"), ("star", "make-net"), ("main", "weight")],
)
def test_across_documents(name: str, place: str) -> None:
    documents = workspace(nets=NETS, main=MAIN, star=STAR)
    at = documents[name].text.source.index(place)
    assert {one.document.uri for one in definition(documents[name], at)} == {"file:///w/nets.hy"}


def test_declaration_is_the_import() -> None:
    documents = workspace(nets=NETS, main=MAIN)
    found = declaration(documents["main"], MAIN.index("(made)") + 1)
    assert [(one.document.uri, MAIN[one.span.start : one.span.end]) for one in found] == [("file:///w/main.hy", "made")]


@given(texts(), st.integers(0, 60))
def test_any_text_is_answered(source: str, offset: int) -> None:
    document = snapshot(source)
    for one in [*definition(document, offset), *declaration(document, offset)]:
        assert 0 <= one.span.start <= one.span.end <= len(source)


async def test_over_the_server(editor: Editor, root: Path) -> None:
    document, uri = open_both(editor, root)
    at = MAIN.rindex("Net :weight")
    assert [one.uri for one in await ask(document, "definition", at)] == [uri]
    declared = await ask(document, "declaration", at)
    assert [(one.uri, document.slice(one.range)) for one in declared] == [(document.uri, "Net")]


async def test_a_file_that_changes_on_disk(editor: Editor, root: Path) -> None:
    path = root / "changing.hy"
    document = editor.open(root / "user.hy", "(import changing [there])\n(there)\n")
    for text, line in (("(setv there 1)", 0), ("\n\n(setv there 1)", 2)):
        path.write_text(text, "utf-8")
        tell(editor, path, lsp.FileChangeType.Changed)
        found = await ask(document, "definition", document.find("(there)") + 1)
        assert [(one.uri, one.range.start.line) for one in found] == [(path.as_uri(), line)]
    path.unlink()
    tell(editor, path, lsp.FileChangeType.Deleted)
    found = await ask(document, "definition", document.find("(there)") + 1)
    assert [one.uri for one in found] == [document.uri]


async def test_beside_a_file_outside_the_workspace(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "nets.hy").write_text(NETS, "utf-8")
    document = editor.open(tmp_path / "main.hy", MAIN)
    at = MAIN.rindex("Net :weight")

    async def found() -> list[str]:
        return [one.uri for one in await ask(document, "definition", at)]

    async with asyncio.timeout(SECONDS):  # the folder is looked through while the editor is answered
        while await found() == [document.uri]:
            await asyncio.sleep(0.01)
    assert await found() == [(tmp_path / "nets.hy").as_uri()]
