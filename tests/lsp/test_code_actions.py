"""Code actions: a fix is offered at its problem and nowhere else, and what it mends is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from mino_lsp.component_spec import add_spec
from mino_lsp.features.code_actions import code_actions
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.legacy import applied as changed
from mino_lsp.types import Change, Fix, Problem, Span

from .documents import fact, report, snapshot, span, tensor
from .editor import Document, Editor


def applied(text: str, edits: Any) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


@pytest.mark.parametrize(
    ("text", "place", "title", "mended"),
    [
        ("(setv number 1)\n(print nubmer)", "nubmer", "Change it to number", "(setv number 1)\n(print number)"),
        (
            "(defn f [alpha] alpha)\n(f :alhpa 1)",
            ":alhpa",
            "Change it to :alpha",
            "(defn f [alpha] alpha)\n(f :alpha 1)",
        ),
        (
            "(print 1)\n(defmu M [x] x)",
            "defmu",
            "Add (require mino.mu [defmu])",
            "(require mino.mu [defmu])\n(print 1)\n(defmu M [x] x)",
        ),
        # what is not used
        (
            "(import os sys)\n(print sys.path)",
            "os",
            "Remove os",
            "(import sys)\n(print sys.path)",
        ),
        ("(import sys os)\n(print sys.path)", "os", "Remove os", "(import sys)\n(print sys.path)"),
        ("(import os)\n(print 1)", "os", "Remove (import os)", "(print 1)"),
        ("(import os [path sep])\n(print sep)", "path", "Remove path", "(import os [sep])\n(print sep)"),
        ("(import os [sep path :as p])\n(print sep)", "p]", "Remove path :as p", "(import os [sep])\n(print sep)"),
        ("(import os [path] sys)\n(print sys.path)", "path", "Remove os [path]", "(import sys)\n(print sys.path)"),
        (
            "(require mino.mu * mino.spec *)\n(defmu M [x] x)\n",
            "mino.spec",
            "Remove mino.spec *",
            "(require mino.mu *)\n(defmu M [x] x)\n",
        ),
        ("(print (let [x 1 y 2] y))", "x", "Remove x 1", "(print (let [y 2] y))"),
        ("(print (let [x 1] 2))", "x", "Remove x 1", "(print (let [] 2))"),
        (
            "(print (let [x (print 1)] 2))",
            "x",
            "Change it to _x: it is not used",
            "(print (let [_x (print 1)] 2))",
        ),
        # what is missing
        ("(print (np.ones 3))", "np", "Add (import numpy :as np)", "(import numpy :as np)\n(print (np.ones 3))"),
        (
            "; all\n(import torch)\n(print (F.relu (torch.ones 3)))",
            "F.relu",
            "Add (import torch.nn.functional :as F)",
            "; all\n(import torch)\n(import torch.nn.functional :as F)\n(print (F.relu (torch.ones 3)))",
        ),
        (
            "(print (min 1 2)\n(print 3)\n",
            "(print",
            "Close it with ) at the end of line 1",
            "(print (min 1 2))\n(print 3)\n",
        ),
    ],
)
def test_mistakes_that_the_text_shows(text: str, place: str, title: str, mended: str) -> None:
    document = snapshot(text)
    problems = diagnostics(document)
    (action,) = code_actions(document, problems, span(text, place))
    assert action.title == title and action.preferred
    assert applied(text, action.edits) == mended
    assert diagnostics(snapshot(mended)) == []
    assert code_actions(document, problems, Span(len(text), len(text))) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        # a comment would go as well; an import within another form may be its value
        ("(import os ; for later\n sys)\n(print sys.path)", "os"),
        ("(setv f (fn [] (import os)))\n(print f)", "os"),
        ("(import os [path] :readers [r])\n(print 1)", "path"),
        # the other name stands there already
        ("(print (let [x (print 1) y _x] y))", "x"),
        # no module that everybody names so
        ("(print (thing.f 3))", "thing"),
    ],
)
def test_what_is_not_certain_is_not_offered(text: str, place: str) -> None:
    document = snapshot(text)
    assert code_actions(document, diagnostics(document), span(text, place)) == []


MU = "(require mino.mu *)\n(defmu M [x #^ int n w] x)\n"


@pytest.mark.parametrize(
    ("shapes", "spec"),
    [([(100, 10)], "[100 10]"), ([(100, 10), (7, 10)], "[_ 10]"), ([()], "[]"), ([(3,), (3, 1)], ""), ([], "")],
)
def test_a_component_gets_the_spec_of_its_shape(shapes: list[tuple[int, ...]], spec: str) -> None:
    known = report(MU, fact(MU, "x", *(tensor(*one) for one in shapes))) if shapes else None
    found = add_spec(snapshot(MU, report=known), MU.index("x #^"))
    if not spec:
        assert found is None
        return
    assert found is not None and found.title == f"Add the spec (spec/tensor {spec}) to `x`"
    expected = f"(require mino.mu *)\n(require mino.spec *)\n(defmu M [#^ (spec/tensor {spec}) x #^ int n w] x)\n"
    assert changed(MU, found.changes) == expected


def test_only_a_component_without_a_spec_gets_one() -> None:
    text = MU.replace("mino.mu *", "mino.mu * mino.spec *")
    known = report(text, *(fact(text, place, tensor(1)) for place in ("x", "n w", "w")))
    document = snapshot(text, report=known)
    assert add_spec(document, text.index("n w")) is None
    assert add_spec(document, text.rindex("x)")) is None
    found = add_spec(document, text.index("w]"))
    assert found is not None and changed(text, found.changes) == text.replace("w]", "#^ (spec/tensor [1]) w]")


async def test_the_spec_that_was_added_holds(editor: Editor, root: Path) -> None:
    text = "(require mino.mu *)\n(import torch)\n(defmu M [x w] (+ x w))\n(print ((M :w (torch.ones 2 3)) 1))\n"
    document = await editor.open(root / "specified.hy", text).previewed()
    (action,) = [one for one in await actions(document, "w]") if "spec" in one.title]
    for edit in sorted(action.edit.changes[document.uri], key=lambda one: one.range.start.line, reverse=True):
        document.change(document.offset(edit.range.start), document.offset(edit.range.end), edit.new_text)
    assert "[x #^ (spec/tensor [2 3]) w]" in document.text
    await document.previewed()
    assert await document.diagnostics() == []
    document.replace("ones 2 3", "ones 2 4")
    await document.previewed()
    assert [code for code, _ in await document.blamed()] == ["spec"]


def test_each_fix_of_a_problem_is_an_action() -> None:
    fixes = tuple(Fix(f"Make it {n}", (Change(Span(0, 1), str(n)),)) for n in (1, 2))
    found = code_actions(snapshot("abc"), [Problem("shape", "error", "No.", Span(0, 3), (), fixes)], Span(1, 1))
    assert [(one.title, one.preferred) for one in found] == [("Make it 1", False), ("Make it 2", False)]


async def actions(document: Document, place: str) -> list[Any]:
    start = document.position(document.text.index(place))
    params = lsp.CodeActionParams(document.identity, lsp.Range(start, start), lsp.CodeActionContext([]))
    return list(await document.editor.text_document_code_action_async(params) or [])


async def test_over_the_wire(editor: Editor, root: Path) -> None:
    document = editor.open(root / "actions.hy", "(setv number 1)\n(print nubmer)\n")
    start = document.position(document.text.index("nubmer"))
    params = lsp.CodeActionParams(document.identity, lsp.Range(start, start), lsp.CodeActionContext([]))
    (found,) = await editor.text_document_code_action_async(params)
    (edit,) = found.edit.changes[document.uri]
    assert (found.title, edit.new_text, document.slice(edit.range)) == ("Change it to number", "number", "nubmer")
