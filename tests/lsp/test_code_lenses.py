"""Code lenses: Run, with the device that it will use, Preview and Stop above a program's `defmain`; how large the
instances of a mu are; how often a spec is broken."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mino_lsp.features.code_lenses import code_lenses
from mino_lsp.types import ModuleValue, Problem, Related

from .documents import fact, report, snapshot, span
from .editor import EXAMPLES, Editor, plain


def check(text: str, expected: list[tuple[str, str]], **known: object) -> None:
    """The text at each lens, and its title."""
    lenses = code_lenses(snapshot(text, **known))
    assert [(text[lens.span.start : lens.span.end], lens.title) for lens in lenses] == expected


RUN = [("(defmain", "▶ Run on cpu"), ("(defmain", "Preview")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(defmain [] 1)", RUN),
        ("(defmain [] 1)\n(defmain [] 2)", RUN * 2),
        ("(defn main [] 1)", []),
        ("'(defmain [] 1)", []),
        ("(do (defmain [] 1))", []),
        ("defmain", []),
        ("()", []),
        ("", []),
        # half-typed
        ("(defmain [", RUN),
        ("(defmu", []),
        ("(spec/def", []),
    ],
)
def test_where(text: str, expected: list[tuple[str, str]]) -> None:
    check(text, expected, device="cpu")


def test_the_device_may_not_be_known_yet() -> None:
    check("(defmain [] 1)", [("(defmain", "▶ Run"), ("(defmain", "Preview")])


def test_what_they_do() -> None:
    run, preview, stop = code_lenses(snapshot("(defmain [] 1)", runs=(7,)))
    document = {"uri": "file:///w/main.hy"}
    assert (run.command, run.arguments) == ("mino.run", (document,))
    assert (preview.command, preview.arguments) == ("mino.preview", (document,))
    assert (stop.title, stop.command, stop.arguments) == ("■ Stop", "mino.stop", ({"run": 7},))


MU = "(defmu Linear [x #^ :w weights-in] x)\n(setv a (Linear))\n(setv b (Linear))\n"


def module(parameters: int, component: str = "weights_in", name: str = "Linear") -> ModuleValue:
    return ModuleValue(name, parameters, ((component, f"Parameter [{parameters}]"),))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([module(1088)], [], ["1,088 parameters"]),
        ([module(1)], [module(1)], ["1 parameter"]),
        ([module(352)], [module(1088)], ["1,088 | 352 parameters · 2 different instances"]),
        ([module(n) for n in range(1, 7)], [], ["6 | 5 | 4 | 3 | … parameters · 6 different instances"]),
        # torch's class of the same name, and another mu
        ([module(110, "weight")], [module(3, name="Other")], []),
        ([], [], []),
    ],
)
def test_the_instances_of_a_mu(first: list[ModuleValue], second: list[ModuleValue], expected: list[str]) -> None:
    facts = [fact(MU, "(Linear)", *values, nth=n) for n, values in enumerate((first, second)) if values]
    check(MU, [("(defmu", title) for title in expected], report=report(MU, *facts))


SPECS = "(spec/def :a (f))\n(spec/def :b (g))\n(h 1)\n(h 2)\n"


def broken(call: str, predicate: str) -> Problem:
    related = (Related(span(SPECS, call), "checked here"), Related(span(SPECS, predicate), "the predicate"))
    return Problem("spec", "error", "No.", span(SPECS, call), related)


@pytest.mark.parametrize(
    ("problems", "title"),
    [
        ([broken("(h 1)", "(g)")], "1 value violates this"),
        ([broken("(h 1)", "(g)"), broken("(h 2)", "(g)")], "2 values violate this"),
    ],
)
def test_a_spec_that_is_broken(problems: list[Problem], title: str) -> None:
    check(SPECS, [("(spec/def", title)], report=report(SPECS, problems=tuple(problems)))
    (lens,) = code_lenses(snapshot(SPECS, report=report(SPECS, problems=tuple(problems))))
    assert lens.span.start == SPECS.index("(spec/def :b") and lens.command == ""


def test_other_problems_break_no_spec() -> None:
    other = Problem("shape", "error", "No.", span(SPECS, "(h 1)"), (Related(span(SPECS, "(g)"), "made here"),))
    check(SPECS, [], report=report(SPECS, problems=(other,)))


async def test_what_a_preview_knows(editor: Editor, root: Path) -> None:
    """Real instances and a spec that is really broken."""
    text = """(require mino.mu * mino.thread * mino.spec *)
(import torch torch.nn :as nn)
(spec/def :narrow (spec/tensor [10 3]))
(defmu Linear [x #^ :narrow weights] (-> x (@ weights)))
(setv a (Linear :weights (nn.Parameter (torch.ones 10 3))))
(setv b (Linear :weights (nn.Parameter (torch.ones 10 4))))
"""
    document = await editor.open(root / "known.hy", text).previewed()
    told = [(document.slice(lens.range), lens.command.title) for lens in await document.lenses() if lens.command]
    assert told == [("(spec/def", "1 value violates this"), ("(defmu", "30 parameters")]


async def test_a_run_can_be_stopped(editor: Editor, root: Path) -> None:
    """Stop is there while the run is."""
    text = '(import time)\n(require hyrule [defmain])\n(defmain [#* _] (print "on" :flush True) (time.sleep 60))\n'
    path = root / "endless.hy"
    path.write_text(text, "utf-8")
    document = editor.open(path, text)
    running = asyncio.create_task(editor.execute("mino.run", {"uri": document.uri}))
    await editor.until(lambda: any(status["state"] == "running" for status in editor.statuses))
    stop = (await document.lenses())[-1].command
    assert stop is not None and (stop.title, stop.command) == ("■ Stop", "mino.stop")
    await editor.execute(stop.command, *(plain(one) for one in stop.arguments or []))
    assert (await running)["stopped"]
    assert [lens.command.title for lens in await document.lenses() if lens.command][-1] == "Preview"


async def test_the_example(editor: Editor, root: Path) -> None:
    """The device is the worker's machine's; the client is told to ask again when it is known."""
    document = editor.open(root / "feed_forward.hy", (EXAMPLES / "feed_forward.hy").read_text("utf-8"))
    devices = await editor.execute("mino.devices", {})
    await editor.refreshed(document, "workspace/codeLens/refresh", "workspace.code_lens.refresh_support")
    lens = next(one for one in await document.lenses() if one.command and one.command.command == "mino.run")
    assert lens.command is not None
    assert document.slice(lens.range) == "(defmain"
    assert (lens.command.title, lens.command.command) == (f"▶ Run on {devices['resolved']}", "mino.run")


async def test_a_configured_device(editors: Any, root: Path) -> None:
    editor = await editors(settings={"device": "cuda:1"}, trust="none")
    document = editor.open(root / "main.hy", "(defmain [] 1)")
    lens, _ = await document.lenses()
    assert lens.command.title == "▶ Run on cuda:1"
