"""Rename: every place gets the new name, or the user a sentence on why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from mino_lsp.features.rename import Impossible, prepare_rename, rename
from mino_lsp.snapshot import Snapshot

from .documents import snapshot
from .editor import Editor
from .marks import unmark
from .navigation import LOCAL, MAIN, ask, locate, open_both


@pytest.mark.parametrize("marked", LOCAL)
def test_within_a_document(marked: str) -> None:
    case = unmark(marked)
    document = snapshot(case.source)
    for offset in (place for span in case.all for place in span):
        place = prepare_rename(document, offset)
        assert (place.start, place.end) in case.all
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


async def test_it_is_announced_as_the_client_understands_it(editor: Editor) -> None:
    told = editor.server_capabilities.rename_provider
    if editor.can("text_document.rename.prepare_support"):
        assert isinstance(told, lsp.RenameOptions) and told.prepare_provider
    else:
        assert told is True


async def test_over_the_server(editor: Editor, root: Path) -> None:
    document, uri = open_both(editor, root)
    at = MAIN.rindex("Net :weight")
    assert document.slice(await ask(document, "prepare_rename", at)) == "Net"
    edit = await ask(document, "rename", at, new_name="Network")
    if editor.can("workspace.workspace_edit.document_changes"):
        assert edit.changes is None
        told = {one.text_document.uri: (one.text_document.version, len(one.edits)) for one in edit.document_changes}
        assert told == {uri: (None, 2), document.uri: (document.version, 2)}
    else:
        assert edit.document_changes is None
        assert {place: len(edits) for place, edits in edit.changes.items()} == {uri: 2, document.uri: 2}
    with pytest.raises(JsonRpcException, match="is not a name in Hy"):
        await ask(document, "rename", at, new_name="a b")
