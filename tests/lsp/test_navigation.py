"""Definition, declaration, references, highlights and rename over the real server, within a file and across files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from mino_lsp.analysis import DefinitionKind, Index
from mino_lsp.features.definition import declaration, definition
from mino_lsp.features.highlights import highlights
from mino_lsp.features.references import references
from mino_lsp.features.rename import Impossible, prepare_rename, rename
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, read

from .documents import snapshot
from .editor import SECONDS, Document, Editor
from .marks import unmark
from .syntax.fragments import texts

Spans = list[tuple[int, int]]

LOCAL = [
    "(defn «f» [x] x)\n(‹f› 1)\n(print ‹f›)",
    "(let [«a-b» 1] (print ‹a_b›))\n(setv a-b 2)",
    "(setv «x» 1) (defn g [] (global ‹x›) (setv «x» 2))",
    "(require mino.mu *)\n(defmu N [x «w»] (@ x ‹w›))\n(setv n (N :‹w› 1))\n(print n.‹w›)",
    "(require mino.spec *)\n(spec/def :«a» int)\n(spec/gen :‹a›)",
    "(defmacro «m» [x] x)\n(‹m› 1)\n(defmacro n [] `(‹m› 2))",
]


def locate(found: Any) -> Spans:
    return sorted((one.span.start, one.span.end) for one in found)


@pytest.mark.parametrize("marked", LOCAL)
def test_within_a_document(marked: str) -> None:
    case = unmark(marked)
    document = snapshot(case.source)
    for start, end in case.all:
        for offset in (start, end):
            assert set(locate(definition(document, offset))) <= set(case.defined)
            assert definition(document, offset) != []
            assert locate(highlights(document, offset)) == case.all
            places = [place.occurrence for place in references(document, offset, True)]
            assert [(one.start, one.end) for one in places] == case.all
            uses = [place.occurrence for place in references(document, offset, False)]
            assert set(case.used) <= {(one.start, one.end) for one in uses}
            assert (prepare_rename(document, offset).start, prepare_rename(document, offset).end) == (start, end)
            assert locate(rename(document, offset, "brand-new")) == case.all


@pytest.mark.parametrize(
    ("source", "place", "name", "sentence"),
    [
        ("(setv x 1)", "x", "a b", "'a b' is not a name in Hy."),
        ("(setv x 1)", "x", "12", "'12' is not a name in Hy."),
        ("(setv x 1)", "x", "None", "'None' is not a name in Hy."),
        ("(setv x 1 y 2)", "x", "y", "something else would be meant in line 1 of main.hy"),
        ("(defn f [x] (+ x y))", "x", "y", "something else would be meant"),
        ("(setv x 1) (let [y 2] x)", "x", "y", "something else would be meant"),
        ("(import math [sin]) (sin 1)", "sin 1", "s", "This name belongs to math"),
        ("(import math) (math.sin 1)", "math.s", "m", "This is the name of a module"),
        ("(print 1)", "print", "p", "There is no name here"),
        ("; x", "x", "p", "There is no name here"),
        ("(require mino.spec *) (spec/def :a int :b int)", "a", "b", "There is a spec :b already."),
    ],
)
def test_what_cannot_be_renamed(source: str, place: str, name: str, sentence: str) -> None:
    at = source.index(f":{place}") + 1 if f":{place}" in source else source.index(place)
    with pytest.raises(Impossible, match=sentence):
        rename(snapshot(source), at, name)


def apply(source: str, document: Snapshot, offset: int, name: str) -> str:
    for one in sorted(rename(document, offset, name), key=lambda one: -one.span.start):
        source = source[: one.span.start] + one.text + source[one.span.end :]
    return source


PROGRAMS = st.lists(
    st.sampled_from(
        [
            "(setv x 1)",
            "(defn f [x y] (+ x y))",
            "(let [x 1 y x] (f x y))",
            "(lfor x [1 2] :if x (f x y))",
            "(defmu N [x w] (@ x w))",
            "(N :w 1)",
            "(setv n (N :x 1))",
            "n.w",
            "(import os [path :as y])",
            "(spec/def :x int)",
            "(defn g [] (global x) (setv x 2))",
            "(for [y [1]] (print y))",
            "(defclass C [] (setv x 1) (defn x [self] x))",
            "'(x y)",
            '(print f"{x} {y}")',
        ]
    ),
    max_size=8,
).map("\n".join)


@given(PROGRAMS, st.integers(0, 200))
def test_a_name_given_and_taken_back_leaves_all_as_it_was(source: str, offset: int) -> None:
    document = snapshot(source)
    offset = min(offset, len(source))
    try:
        place = prepare_rename(document, offset)
    except Impossible:
        return
    old = source[place.start : place.end]
    try:
        after = apply(source, document, place.start, "brand-new")
    except Impossible:
        return
    before = sum(one.span.start < place.start for one in rename(document, place.start, "brand-new"))
    moved = place.start + before * (len("brand-new") - len(old))
    assert after[moved:].startswith("brand-new")
    assert apply(after, snapshot(after), moved, old) == source


@given(texts(), st.integers(0, 60))
def test_any_text_is_answered(source: str, offset: int) -> None:
    document = snapshot(source)
    offset = min(offset, len(source))
    for location in [*definition(document, offset), *declaration(document, offset)]:
        assert 0 <= location.span.start <= location.span.end <= len(source)
    found = references(document, offset, True)
    starts = {place.occurrence.start for place in found}
    for location in definition(document, offset):
        assert location.span.start in starts
    for place in found:
        again = references(document, place.occurrence.start, True)
        assert {one.occurrence.start for one in again} >= {place.occurrence.start}


# ---- across files

NETS = "(require mino.mu *)\n(defmu Net [x weight]\n  (@ x weight))\n(defn make-net [] (Net :weight 1))\n"
MAIN = "(import nets [Net make-net :as made])\n(import nets)\n(setv a (Net :weight 2))\n(made) (nets.make-net)\n"
STAR = "(import nets *)\n(make-net)\n"


def workspace(**files: str) -> dict[str, Snapshot]:
    """Documents that are open together."""
    index = Index()
    index.roots = []
    found = {}
    for name, source in files.items():
        uri = f"file:///w/{name}.hy"
        found[name] = snapshot(source, index=index)
        found[name] = Snapshot(uri, 1, Text(source), read(source), found[name].root, found[name].settings, index=index)
        index.opened(uri, found[name].text, found[name].tree)
    for one in found.values():
        list(index.files())
        assert one.index is index
    return found


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


def test_declaration_is_the_import() -> None:
    documents = workspace(nets=NETS, main=MAIN)
    found = declaration(documents["main"], MAIN.index("(made)") + 1)
    assert [(one.document.uri, MAIN[one.span.start : one.span.end]) for one in found] == [("file:///w/main.hy", "made")]


# ---- the server


async def ask(document: Document, method: str, at: int, **more: Any) -> Any:
    params = {"text_document": document.identity, "position": document.position(at), **more}
    kinds = {
        "definition": lsp.DefinitionParams,
        "declaration": lsp.DeclarationParams,
        "references": lsp.ReferenceParams,
        "document_highlight": lsp.DocumentHighlightParams,
        "prepare_rename": lsp.PrepareRenameParams,
        "rename": lsp.RenameParams,
    }
    request = getattr(document.editor, f"text_document_{method}_async")(kinds[method](**params))
    return await asyncio.wait_for(request, SECONDS)


def tell(editor: Editor, path: Path, what: lsp.FileChangeType) -> None:
    events = [lsp.FileEvent(path.as_uri(), what)]
    editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(events))


async def test_over_the_server(editor: Editor, root: Path) -> None:
    (root / "nets.hy").write_text(NETS, "utf-8")
    tell(editor, root / "nets.hy", lsp.FileChangeType.Created)
    document = editor.open(root / "main.hy", MAIN)
    uri = (root / "nets.hy").as_uri()
    at = MAIN.rindex("Net :weight")
    assert [one.uri for one in await ask(document, "definition", at)] == [uri]
    declared = await ask(document, "declaration", at)
    assert [document.slice(one.range) for one in declared] == ["Net"] and declared[0].uri == document.uri
    everywhere = await ask(document, "references", at, context=lsp.ReferenceContext(include_declaration=True))
    assert sorted(one.uri == uri for one in everywhere) == [False, False, True, True]
    shown = await ask(document, "document_highlight", at)
    assert [document.slice(one.range) for one in shown] == ["Net", "Net"]
    assert document.slice(await ask(document, "prepare_rename", at)) == "Net"
    edit = await ask(document, "rename", at, new_name="Network")
    assert {place: len(edits) for place, edits in edit.changes.items()} == {uri: 2, document.uri: 2}
    with pytest.raises(JsonRpcException, match="is not a name in Hy"):
        await ask(document, "rename", at, new_name="a b")


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


def test_kinds_are_all_shown() -> None:
    from mino_lsp.edge import SYMBOL_KINDS

    unlisted = {DefinitionKind.PARAMETER, DefinitionKind.LOCAL, DefinitionKind.IMPORT, DefinitionKind.VARIABLE}
    assert set(SYMBOL_KINDS) == set(DefinitionKind) - unlisted
