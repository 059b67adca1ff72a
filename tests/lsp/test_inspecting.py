"""mino.model, mino.asExpression and mino.spec: what lives when a document has been evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .editor import Document, Editor

PROGRAM = """(require mino.mu * mino.spec *)
(import torch)
(spec/def :width (fn [n] (= n 3))
          :w (spec/tensor [f-in 3]))
(defmu Layer [x w] (@ x w))
(defmu Net [x first second] (second (first x)))
(defn layer [f-in] (Layer :w (torch.nn.Parameter (torch.ones f-in 3))))
(setv net (Net :first (layer 2) :second (layer 3)))
(setv other 1)
(defn within [] ((Layer :w (torch.ones 5 3)) (torch.ones 1 5)))
(within)
"""


def opened(editor: Editor, root: Path, text: str = PROGRAM) -> Document:
    """A document whose file has another text."""
    path = root / "inspected.hy"
    path.write_text("(print 'saved)")
    return editor.open(path, text)


async def test_the_tree_of_the_models(editor: Editor, root: Path) -> None:
    document = opened(editor, root)
    told = await editor.execute("mino.model", {"uri": document.uri})
    assert told["text"].splitlines() == [
        "net Net · 15 parameters",
        "  first Layer · 6 parameters",
        "    w [2 3] float32",
        "  second Layer · 9 parameters",
        "    w [3 3] float32",
        "Layer · 0 parameters",
        "  w [5 3] float32 (buffer)",
    ]
    net, layer = told["models"]
    assert (net["name"], net["kind"], net["parameters"]) == ("net", "Net", 15)
    assert [document.slice(one["range"]) for one in (net, *net["components"], layer)] == [
        *("Net", "first", "second"),
        "Layer",
    ]
    (weights,) = net["components"][0]["components"]
    assert (weights["kind"], weights["shape"], weights["dtype"]) == ("parameter", [2, 3], "float32")
    assert document.slice(weights["range"]) == "w"
    assert told["problems"] == []


@pytest.mark.parametrize(("name", "first"), [("net", "net Net · 15 parameters"), ("Layer", "Layer · 0 parameters")])
async def test_one_model(editor: Editor, root: Path, name: str, first: str) -> None:
    document = opened(editor, root)
    told = await editor.execute("mino.model", {"uri": document.uri, "name": name})
    assert told["text"].splitlines()[0] == first
    assert len(told["models"]) == 1


async def test_what_lives_above_a_mistake_is_told(editor: Editor, root: Path) -> None:
    text = PROGRAM.replace("(setv other 1)", "(setv other (/ 1 0)) (print other)")
    document = opened(editor, root, text + "(half (typed")
    told = await editor.execute("mino.model", {"uri": document.uri})
    assert told["text"].startswith("net Net · 15 parameters")
    assert [document.slice(one["range"]) for one in told["problems"]] == ["(/ 1 0)"]


async def test_a_model_as_an_expression(editor: Editor, root: Path) -> None:
    document = opened(editor, root)
    told = await editor.execute("mino.asExpression", {"uri": document.uri, "name": "net"})
    assert told["text"].startswith(
        "(bind (mu [x first second] (second (first x)))\n      :first (bind (mu [x w] (@ x w))\n"
    )
    assert "(torch.empty #(2 3) :dtype torch.float32)" in told["text"]


async def test_a_spec_and_what_breaks_it(editor: Editor, root: Path) -> None:
    broken = (
        PROGRAM + "(defmu Checked [x #^ :w w] (@ x w))\n(spec/assert :w (torch.ones 2 4))\n(spec/check-asserts True)"
    )
    broken += "\n(spec/assert :w (torch.ones 2 4))\n(spec/assert :width 4)"
    document = opened(editor, root, broken)
    told = await editor.execute("mino.spec", {"uri": document.uri, "keyword": ":w"})
    assert (told["keyword"], told["form"], told["describe"]) == (
        ":w",
        "(spec/tensor [f-in 3])",
        "(spec/tensor [f-in 3])",
    )
    (problem,) = told["problems"]
    assert document.offset(problem["range"]["start"]) > broken.index("check-asserts")
    document = opened(editor, root, broken)
    told = await editor.execute("mino.spec", {"uri": document.uri, "keyword": "width"})
    assert (told["form"], told["describe"]) == ("(fn [n] (= n 3))", "(= n 3)")


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("mino.model", {"name": "nest"}, "No model is called `nest`. There is net, Layer."),
        ("mino.asExpression", {"name": "other"}, "`other` is no model: it is an int. There is net, Layer."),
        ("mino.asExpression", {}, 'mino.asExpression takes {"uri", "name"}, the name of a model.'),
        ("mino.spec", {"keyword": ":widht"}, "No spec is registered as :widht; did you mean :width?"),
        ("mino.spec", {"keyword": 3}, 'mino.spec takes {"uri", "keyword"}, the keyword of a spec.'),
        ("mino.model", {"name": 3}, '"name" is 3; it must be a string.'),
    ],
)
async def test_what_is_not_there(
    editor: Editor, root: Path, command: str, arguments: dict[str, Any], message: str
) -> None:
    document = opened(editor, root)
    assert await editor.refusal(command, {"uri": document.uri, **arguments}) == message


async def test_nothing_is_evaluated_without_trust(editors: Any, tmp_path: Path) -> None:
    editor = await editors(root=tmp_path, trust="none")
    canary = tmp_path / "canary"
    document = opened(editor, tmp_path, f'(setv x (.touch (hy.I.pathlib.Path "{canary}")))')
    for command, arguments in [("model", {}), ("asExpression", {"name": "x"}), ("spec", {"keyword": ":x"})]:
        told = await editor.refusal(f"mino.{command}", {"uri": document.uri, **arguments})
        assert "is not trusted to run" in told
    assert not canary.exists()


async def test_a_document_that_does_not_end_is_stopped(editors: Any, root: Path) -> None:
    editor = await editors(settings={"preview": {"cpu": 1, "mode": "off"}})
    document = opened(editor, root, PROGRAM + "(while True)")
    told = await editor.execute("mino.model", {"uri": document.uri})
    assert told["text"].startswith("net Net")
    assert [(one["code"], document.slice(one["range"])) for one in told["problems"]] == [
        ("preview-limit", "(while True)")
    ]
