"""Inlay hints: at the end of a line, the sizes after the steps of the threads on it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mino_lsp.features.inlay_hints import inlay_hints
from mino_lsp.types import Span, TensorValue

from .documents import fact, report, snapshot, tensor
from .editor import EXAMPLES, Editor

FEED_FORWARD = (EXAMPLES / "feed_forward.hy").read_text("utf-8")
STEPS = "(-> x (@ weights) (+ bias)))"


async def test_the_example(editor: Editor, root: Path) -> None:
    document = editor.open(root / "feed_forward.hy", FEED_FORWARD)
    await document.previewed()
    assert await document.hints() == [
        (STEPS, "→ [100 32] | [100 1]"),
        ("(.normal_ :mean 0 :std 1.0)", "→ [10 32] | [32 1]"),
        ("(nn.Parameter :requires_grad True))", "→ [10 32] | [32 1]"),
        ("(.normal_ :mean 0 :std 1.0)", "→ [32] | [1]"),
        ("(nn.Parameter :requires_grad True))))", "→ [32] | [1]"),
        ("linear-to-hidden", "→ [100 32]"),
        ("torch.sigmoid", "→ [100 32]"),
        ("linear-to-output))", "→ [100 1]"),
        ("(.normal_ :mean 0 :std 1.0))", "→ [100 10]"),
    ]


async def test_the_hint_is_what_a_real_run_computes(editors: Any, root: Path) -> None:
    """The same program, executed by Hy with the step's result written down instead of shown."""
    editor: Editor = await editors()
    document = editor.open(root / "feed_forward.hy", FEED_FORWARD)
    await document.previewed()
    recording = FEED_FORWARD.replace(STEPS, "(-> x (@ weights) (+ bias) (recorded)))").replace(
        ";; A linear transformation\n",
        '(defn recorded [t] (print "shape" (list t.shape)) t)\n',
        1,
    )
    assert recording.count("recorded") == 2
    program = root / "recording.hy"
    program.write_text(recording, "utf-8")
    printed = subprocess.run(
        [sys.executable, "-m", "hy", str(program)], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    shapes = dict.fromkeys(line.removeprefix("shape ") for line in printed.splitlines() if line.startswith("shape"))
    expected = " | ".join(shape.replace(",", "") for shape in shapes)
    assert expected == "[100 32] | [100 1]"
    assert (await document.hints())[0] == (STEPS, f"→ {expected}")


ONE = "(-> x\n    f\n    (g 1) (h 2))"


def check(text: str, facts: list[tuple[str, tuple[int, ...]]], expected: dict[int, str], **settings: object) -> None:
    """The hints by line. `facts` are texts and the shape seen there."""
    known = report(text, *(fact(text, place, tensor(*shape)) for place, shape in facts))
    document = snapshot(text, report=known, **settings)
    found = inlay_hints(document, Span(0, len(text)))
    assert {document.text.position(hint.offset)[0]: hint.label for hint in found} == expected
    assert all(hint.offset == document.text.line_span(line)[1] for hint, line in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        (ONE, [("f", (1,)), ("(g 1)", (2,)), ("(h 2)", (3,))], {1: "→ [1]", 2: "→ [3]"}),
        # the last step of the line that is known
        (ONE, [("(g 1)", (2,))], {2: "→ [2]"}),
        # what is threaded and what a step is given are no steps
        (ONE, [("x", (7,)), ("1", (8,))], {}),
        # other forms have no hints, and a thread within one has
        ("(f x)", [("(f x)", (1,)), ("x", (1,))], {}),
        ("(let [y 1] (->> x (f 1)))", [("(f 1)", (1, 2))], {0: "→ [1 2]"}),
        ("(cond-> x True (f))", [("(f)", (1,))], {0: "→ [1]"}),
        # a scalar
        ("(-> x (f))", [("(f)", ())], {0: "→ []"}),
        # a thread of a macro that builds its steps anew
        ("(-> x\n f\n g)", [("(-> x\n f\n g)", (4,))], {2: "→ [4]"}),
        # after a comment; in a document with other line endings
        ("(-> x\n f ; done\n)", [("f", (1,))], {1: "→ [1]"}),
        ("(-> x\r\n f\r\n g)", [("f", (1,)), ("g", (2,))], {1: "→ [1]", 2: "→ [2]"}),
        ("", [], {}),
    ],
)
def test_of_a_snapshot(text: str, facts: list[tuple[str, tuple[int, ...]]], expected: dict[int, str]) -> None:
    check(text, facts, expected)


def test_switched_off() -> None:
    check(ONE, [("f", (1,))], {}, inlay_hints=False)


NAMED = "(defmu M [x #^ :s w]\n  (-> x (@ w)))\n(setv y (M) z 1)\n"


@pytest.mark.parametrize(
    ("switched", "expected"),
    [
        ({}, [("(@ w)))", "→ [5 3]")]),
        ({"hinted_components": True}, [("x", ": [5 10]"), ("w", ": [10 3]"), ("(@ w)))", "→ [5 3]")]),
        ({"hinted_bindings": True, "hinted_steps": False}, [("y", ": [5 3]")]),
        ({"hinted_bindings": True, "hinted_components": True, "inlay_hints": False}, []),
    ],
)
def test_components_and_bindings(switched: dict[str, bool], expected: list[tuple[str, str]]) -> None:
    """Each after its name, several on a line; steps at the end of theirs."""
    facts = [("x", (5, 10)), ("w]", (10, 3)), ("(@ w)", (5, 3)), ("y", (5, 3))]
    known = [
        replace(
            fact(NAMED, place, tensor(*shape)),
            span=Span(NAMED.index(place), NAMED.index(place) + len(place.rstrip("]"))),
        )
        for place, shape in facts
    ]
    found = inlay_hints(snapshot(NAMED, report=report(NAMED, *known), **switched), Span(0, len(NAMED)))
    assert [hint.label for hint in found] == [label for _, label in expected]
    assert all(hint.apart == hint.label.startswith("→") for hint in found)
    assert all(NAMED[: hint.offset].endswith(before) for hint, (before, _) in zip(found, expected, strict=True))


async def test_components_and_bindings_of_a_program(editors: Any, root: Path) -> None:
    """What the client sets is heeded; what is no tensor has no hint."""
    editor = await editors(settings={"trust": "full", "inlayHints": {"components": True, "bindings": True}})
    text = "(require mino.mu *)\n(import torch)\n(defmu M [x w] (@ x w))\n(setv m (M :w (torch.ones 10 3)) n 1)\n"
    document = editor.open(root / "named.hy", text + "(setv y (m (torch.ones 5 10)) [a #(b)] (.split y 4))\n")
    await document.previewed()
    labels = [label for _, label in await document.hints()]
    assert labels == [": [5 10]", ": [10 3]", ": [5 3]", ": [4 3]", ": [3]"]


def test_only_what_is_asked_for() -> None:
    known = report(ONE + "\n" + ONE, fact(ONE, "f", tensor(1)))
    assert not inlay_hints(snapshot(ONE + "\n" + ONE, report=known), Span(len(ONE) + 1, len(ONE) + 5))


@pytest.mark.parametrize(
    ("values", "distinct", "label"),
    [
        ([tensor(2, dtype="int64")], 1, "→ [2] int64"),
        ([tensor(2, device="cuda:0")], 1, "→ [2] cuda:0"),
        ([tensor(2), tensor(2, grad=True)], 2, "→ [2]"),
        ([tensor(n) for n in range(5)], 5, "→ [0] | [1] | [2] | [3] | …"),
        ([tensor(1)], 30, "→ [1] | …"),
    ],
)
def test_labels(values: list[TensorValue], distinct: int, label: str) -> None:
    text = "(-> x f)"
    known = report(text, fact(text, "f", *values, distinct=distinct))
    assert [hint.label for hint in inlay_hints(snapshot(text, report=known), Span(0, 8))] == [label]


async def test_hints_move_with_their_form_and_go_when_it_changes(editor: Editor, root: Path) -> None:
    first, second = "(setv a (-> (torch.ones 3) (+ 1)))", "(setv b (-> (torch.ones 4) (+ 1)))"
    text = f"(import torch)\n(require mino.thread *)\n{first}\n{second}\n"
    document = editor.open(root / "moving.hy", text)
    await document.previewed()
    assert await document.hints() == [(first, "→ [3]"), (second, "→ [4]")]
    document.replace("(setv a", "; ü𝒳\n\n(setv a [")  # half-typed: nothing is previewed
    assert await document.hints() == [(second, "→ [4]")]
    document.replace("(setv a [", "(setv a")
    assert await document.hints() == [(first, "→ [3]"), (second, "→ [4]")]
    await editor.refreshed(document, "workspace/inlayHint/refresh", "workspace.inlay_hint.refresh_support")


def test_what_is_assumed_is_marked() -> None:
    text = "(-> x (f))"
    known = replace(fact(text, "(f)", tensor(3)), evidence="assumed")
    hints = inlay_hints(snapshot(text, report=report(text, known)), Span(0, len(text)))
    assert [hint.label for hint in hints] == ["→ [3] ?"]
