"""Hover: what passed at a component or an expression, on what evidence; where nothing is known, why."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types as lsp

from mino_lsp.features.hover import hover
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import ModuleValue, Problem

from .documents import fact, other, report, snapshot, span, tensor
from .editor import EXAMPLES, SECONDS, Document, Editor

FEED_FORWARD = (EXAMPLES / "feed_forward.hy").read_text("utf-8")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def example(editor: Editor, root: Path) -> Document:
    """The example, previewed."""
    return await editor.open(root / "feed_forward.hy", FEED_FORWARD).previewed()


def check(shown: str, *expected: str) -> None:
    """`shown` has all of the parts that are expected, and is empty where none is."""
    assert all(part in shown for part in expected), shown
    assert expected or shown == "", shown


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        # the component in the list of components, and where it is used: two instances, two shapes
        ("weights bias]", ["```hy\nweights\n```", "`[10 32]` float32", "`[32 1]` float32", "parameter", "*preview"]),
        ("weights) (+", ["`[10 32]`", "`[32 1]`"]),
        ("x weights bias]", ["`[100 10]`", "`[100 32]`"]),
        # a step, at its parenthesis and at its head
        ("(@ weights)", ["`[100 32]`", "`[100 1]`"]),
        ("@ weights)", ["`[100 32]`", "`[100 1]`"]),
        ("torch.sigmoid", ["`[100 32]`"]),
        # modules: the class, how many parameters, the components
        ("model x", ["`FeedForward` module", "385 parameters", "linear_to_hidden", "LinearTransformation"]),
        ("linear-to-hidden linear", ["`LinearTransformation` module", "352 parameters", "Parameter [10 32]"]),
        ("optimizer (Adam", ["`Adam`"]),
        ("loss (F", ["`[]` float32", "requires grad", "1 element · 4 B"]),
        # what has no value of its own
        (";; A linear", []),
        ("100]", []),
        (":weights", ["*component, line 11*"]),
    ],
)
async def test_what_passed(example: Document, place: str, expected: list[str]) -> None:
    check_shown(example, await example.hover(place), *expected)


async def test_what_tensors_are_made_of(editor: Editor, root: Path) -> None:
    text = '(import torch)\n(setv a (torch.arange 4.0))\n(setv b (.sum a))\n(setv c (torch.tensor [1 (float "nan")]))\n'
    document = await editor.open(root / "made.hy", text).previewed()
    check_shown(document, await document.hover("a ("), "- first: mean 1.5 · deviation 1.118 · from 0 to 3")
    check_shown(document, await document.hover("b ("), "- first: 6")
    check_shown(document, await document.hover("c ("), "- first: mean 1 · deviation 0 · from 1 to 1 · **1 NaN**")


def check_shown(document: Document, shown: str, *expected: str) -> None:
    """The same for what a client shows, which may be without the marks of Markdown."""
    if lsp.MarkupKind.Markdown not in document.editor.can("text_document.hover.content_format", []):
        assert "`" not in shown and "\n*" not in shown and not shown.startswith("*")
        expected = tuple(re.sub(r"```(hy)?\n|\n```|`|\*", "", part) for part in expected)
    check(shown, *expected)


TEXT = "(setv x (f y))\n(defn g [a] a)\n(g 1)\n"
KNOWN = report(TEXT, fact(TEXT, "(f y)", tensor(2, 3)), fact(TEXT, "y", tensor(3)))
BEFORE = TEXT.replace("(g 1)", "(g 2)")


ONE_WAY = "(setv x (if False (f 1) (f y)))\n(defmu M [x w] (-> x (@ w) .sum))\n"
UNREACHED = snapshot(ONE_WAY, report=report(ONE_WAY, fact(ONE_WAY, "(f y)", tensor(2)), fact(ONE_WAY, "y", tensor(3))))
CALL_IT = "*Never reached: nothing in the preview calls `M`. `(mino/live ((M …) …))` gives it an example input.*"
NEVER = [
    ("(f 1)", "*Never reached in the preview, or within a macro that keeps no place for it.*"),
    ("f 1)", "*Never reached in the preview, or within a macro that keeps no place for it.*"),
    ("(@ w)", CALL_IT),
    ("@ w)", CALL_IT),
    ("w]", CALL_IT),
]

LIMIT = Problem("preview-limit", "information", "The preview stopped here: 5 s.", span(TEXT, "(f y)"))
STOPPED = report(TEXT, problems=(LIMIT,), evaluated=0, stopped=LIMIT.message)
HALF = TEXT.replace("(g 1)", "(g (")
MOVED = "\n\n" + BEFORE

DIED = report(TEXT, evaluated=14, stopped="The worker died.")
GOING_ON = report(TEXT, evaluated=0, finished=False)

WHY = [
    (snapshot(TEXT, report=STOPPED), "a]", "*Not reached: the preview stopped at line 1: 5 s.*"),
    # the line is that of the text as it is now, and a form below that stands as it did was not reached either
    (snapshot(MOVED, report=STOPPED), "a]", "*Not reached: the preview stopped at line 3: 5 s.*"),
    (snapshot(TEXT, report=DIED), "a]", "*No shapes: The worker died.*"),
    (snapshot(TEXT, report=GOING_ON), "a]", "*Not reached yet: the preview goes on.*"),
    (snapshot(TEXT, paused=True), "y", "*No shapes: previews are paused (command `mino.pause`).*"),
    (snapshot(BEFORE, report=KNOWN, paused=True), "(g 2)", "are paused (command `mino.pause`). It has changed since.*"),
    (snapshot(HALF), "y", "*No shapes yet: the text cannot be read. It is previewed when that is mended.*"),
    (snapshot(TEXT, preview="onSave"), "y", "*No shapes yet: the preview comes when the file is saved"),
    (snapshot(HALF, report=KNOWN), "(g (", "The next one comes when the text can be read.*"),
    (snapshot(BEFORE, report=KNOWN, preview="onSave"), "(g 2)", "The next one comes when the file is saved.*"),
]


@pytest.mark.parametrize(
    ("document", "place", "expected"),
    [
        (snapshot(TEXT, report=KNOWN), "y", ["`[3]` float32 · cpu · 3 elements · 12 B", "*preview*"]),
        # evidence: what is still going on, and what other forms have outdated
        (snapshot(TEXT, report=report(TEXT, fact(TEXT, "y", tensor(3)), finished=False)), "y", ["still going on"]),
        (
            snapshot(BEFORE, version=7, report=KNOWN),
            "y",
            ["`[3]`", "*preview of version 1; other forms have changed since*"],
        ),
        # why there is nothing
        (snapshot(TEXT, trusted=False), "y", ["not trusted", "`mino.trust`"]),
        (snapshot(TEXT, unavailable="There is no torch."), "y", ["*No shapes: There is no torch.*"]),
        (snapshot(TEXT, preview="off"), "y", ["switched off (setting `mino.preview.mode`)"]),
        (snapshot(TEXT), "y", ["first preview has not ended"]),
        (
            snapshot(TEXT, report=KNOWN),
            "a]",
            ["*Never reached: nothing in the preview calls `g`.*"],
        ),
        *((UNREACHED, place, [why]) for place, why in NEVER),
        # an annotation that is being typed
        (snapshot("(defmu M [x #^ spec]\n  x)"), "spec", ["cannot be read"]),
        (UNREACHED, "(if", []),
        (UNREACHED, "(defmu", []),
        *((document, place, [why]) for document, place, why in WHY),
        (snapshot(BEFORE, report=KNOWN), "(g 2)", ["*Changed since the last preview.*"]),
        # nobody expects a value of what was reached and gave none, or between the forms
        (snapshot(TEXT, report=KNOWN), "(defn", []),
        (snapshot("\n\n" + TEXT), "\n", []),
        (snapshot(""), "", []),
        # many values
        (
            snapshot("y", report=report("y", fact("y", "y", *(tensor(n) for n in range(8)), distinct=20))),
            "y",
            ["`[0]`", "`[7]`", "… 12 more"],
        ),
        (snapshot("y", report=report("y", fact("y", "y", other("dict")))), "y", ["- `dict`"]),
        (
            snapshot("y", report=report("y", fact("y", "y", ModuleValue("Net", 1234, (("w", "Parameter [3]"),))))),
            "y",
            ["`Net` module · 1,234 parameters", "  - `w`: Parameter [3]"],
        ),
        # dtypes of other widths, and of one that is not known
        (snapshot("y", report=report("y", fact("y", "y", tensor(4, dtype="bool")))), "y", ["4 elements · 4 B"]),
        (snapshot("y", report=report("y", fact("y", "y", tensor(9, dtype="float8_e5m2")))), "y", ["9 elements\n"]),
        (snapshot("y", report=report("y", fact("y", "y", tensor(1000, 250)))), "y", ["250,000 elements · 1 MB"]),
    ],
)
def test_of_a_snapshot(document: Snapshot, place: str, expected: list[str]) -> None:
    found = hover(document, document.text.source.index(place))
    check(found.markdown if found else "", *expected)


def test_the_range_is_that_of_the_form() -> None:
    found = hover(snapshot(TEXT, report=KNOWN), TEXT.index("f y"))
    assert found is not None and found.span == span(TEXT, "(f y)")


def test_the_title_of_a_long_form_is_its_first_line() -> None:
    text = "(-> x\n    f\n    g)"
    found = hover(snapshot(text, report=report(text, fact(text, text, tensor(1)))), 0)
    check(found.markdown if found else "", "```hy\n(-> x …\n```")


async def test_an_edit_takes_the_facts_of_its_form_only(editor: Editor, root: Path) -> None:
    text = "(import torch)\n(setv a (torch.zeros 3))\n(setv b (torch.zeros 4))\n"
    document = editor.open(root / "edited.hy", text)
    await document.previewed()
    document.replace("zeros 3", "zeros [")
    shown: list[Any] = [await document.hover("a (torch"), await document.hover("b (torch")]
    check_shown(document, shown[0], "*Changed since the last preview. ")
    check_shown(document, shown[1], "`[4]`", f"*preview of version {document.version - 1}")
    document.replace("zeros [", "zeros 5")
    await document.previewed()
    check_shown(document, await document.hover("a (torch"), "`[5]`", "*preview*")


@pytest.mark.parametrize(
    ("evidence", "told"),
    [("preview", "*preview*"), ("shapes only", "*preview, shapes only*"), ("assumed", "*preview, assumed: a branch")],
)
def test_what_a_fact_rests_on(evidence: Any, told: str) -> None:
    known = replace(fact(TEXT, "(f y)", tensor(2, 3)), evidence=evidence)
    found = hover(snapshot(TEXT, report=report(TEXT, known)), TEXT.index("(f y)"))
    check(found.markdown if found else "", "`[2 3]`", told)


async def test_names_of_python_packages(editor: Editor, root: Path) -> None:
    """Nothing waits for the helper process: an answer without it comes at once, and later one with it."""
    document = editor.open(root / "python.hy", "(import json.decoder)\n(print json.decoder.JSONDecoder)\n")
    async with asyncio.timeout(SECONDS):
        while "Simple JSON" not in (shown := await document.hover("JSONDecoder")):
            pass
        check_shown(document, shown, "(json.decoder.JSONDecoder ", "`json.decoder.JSONDecoder`")
        while "module" not in (shown := await document.hover("decoder.J")):
            pass
    check_shown(document, shown, "```hy\njson.decoder\n```")


SPECIFIED = """(require mino.mu * mino.spec *)
(import torch)
(spec/def :narrow (spec/tensor [10 3]))
(defmu Layer [#^ (spec/tensor [n 10]) x #^ :narrow weights #^ (spec/tensor [3]) bias] (+ (@ x weights) bias))
(setv layer (Layer :weights (torch.ones 10 3) :bias (torch.ones 3)))
(print (layer (torch.ones 5 10)))
"""


async def test_the_spec_of_a_component(editor: Editor, root: Path) -> None:
    document = await editor.open(root / "specified.hy", SPECIFIED).previewed()
    check_shown(document, await document.hover("weights #^"), "`[10 3]`", "Spec `:narrow`: what was bound conforms")
    check_shown(document, await document.hover("bias]"), "Spec `(spec/tensor [3])`: what was bound conforms")
    # An argument of a call is not checked.
    check_shown(document, await document.hover("x #^"), "`[5 10]`", "Spec `(spec/tensor [n 10])`: not checked")
    document.replace("torch.ones 10 3", "torch.ones 10 4")
    await document.previewed()
    check_shown(document, await document.hover("weights #^"), "Spec `:narrow`: **broken**: weights: expected", "[10 4]")
    assert "broken" not in await document.hover("bias]")
