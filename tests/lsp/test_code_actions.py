"""Code actions: a fix is offered at its problem and nowhere else, and what it mends is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from mino_lsp.features.code_actions import code_actions
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.types import Change, Fix, Problem, Span

from .documents import snapshot, span
from .editor import Editor


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
    ],
)
def test_mistakes_that_the_text_shows(text: str, place: str, title: str, mended: str) -> None:
    problems = diagnostics(snapshot(text))
    (action,) = code_actions(problems, span(text, place))
    assert action.title == title and action.preferred
    assert applied(text, action.edits) == mended
    assert diagnostics(snapshot(mended)) == []
    assert code_actions(problems, Span(0, 1)) == []


def test_each_fix_of_a_problem_is_an_action() -> None:
    fixes = tuple(Fix(f"Make it {n}", (Change(Span(0, 1), str(n)),)) for n in (1, 2))
    found = code_actions([Problem("shape", "error", "No.", Span(0, 3), (), fixes)], Span(1, 1))
    assert [(one.title, one.preferred) for one in found] == [("Make it 1", False), ("Make it 2", False)]


async def test_over_the_wire(editor: Editor, root: Path) -> None:
    document = editor.open(root / "actions.hy", "(setv number 1)\n(print nubmer)\n")
    start = document.position(document.text.index("nubmer"))
    params = lsp.CodeActionParams(document.identity, lsp.Range(start, start), lsp.CodeActionContext([]))
    (found,) = await editor.text_document_code_action_async(params)
    (edit,) = found.edit.changes[document.uri]
    assert (found.title, edit.new_text, document.slice(edit.range)) == ("Change it to number", "number", "nubmer")
