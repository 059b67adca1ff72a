"""Code that is kept is what would be compiled afresh where the form stands by now; and of which forms it is kept."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from hy.models import Expression, Symbol
from hy.reader import HyReader

from mino.unbound import UNBOUND
from mino_lsp import types as t
from mino_lsp.worker import compiled as kept_code
from mino_lsp.worker.compiled import Compiled, Kept
from mino_lsp.worker.probe import Recorder
from mino_lsp.worker.session import compile_form, future_of, main_module, read_forms
from mino_lsp.worker.source import Source
from mino_lsp.worker.steps import Step
from tests.worker.conftest import EXAMPLES, Preview, Worker

PROGRAMS = {
    path.stem: path.read_text("utf-8")
    for path in [*EXAMPLES.glob("*.hy"), *Path(__file__).parent.glob("*/programs/*.hy")]
}
FRESH = re.compile(r"(?<=_hy_gensym_)\w+")
ABOVE = '; é 日本語\n(import os)\n(setv é "日本語"\n      y 1)\n'


def forms(text: str) -> list[tuple[Any, t.Span, Source, types.ModuleType, HyReader]]:
    """The forms of a text, each read where those above were compiled, in a module that has required what they say."""
    source, reader, module = Source(text, "/program.hy"), HyReader(), main_module("/program.hy")
    found = []
    for form in read_forms(source, reader):
        if isinstance(form, Expression) and form[0] in map(Symbol, ("require", "defmacro", "defreader")):
            compile_form(form, module, source, reader)
        found.append((form, source.span(form), source, module, reader))
    return found


def compiled(one: tuple[Any, t.Span, Source, types.ModuleType, HyReader]) -> Compiled:
    form, _, source, module, reader = one
    steps: dict[t.Span, Step] = {}
    recorder = Recorder(torch, UNBOUND, lambda facts: None)
    return Compiled(compile_form(form, module, source, reader, recorder, steps), steps)


def key(kept: Kept, one: tuple[Any, t.Span, Source, types.ModuleType, HyReader]) -> str:
    form, span, source, module, _ = one
    return kept.key(form, source.text[span.start : span.end], module, future_of(module))


def told(code: types.CodeType, line: int, top: bool = True) -> tuple[Any, ...]:
    """All of a code object that an evaluation of a form could tell apart, but for the numbers of fresh names. What
    stands nowhere, as an import that Hy puts before a form, is on the first line or none."""

    def constant(value: Any) -> Any:
        if isinstance(value, types.CodeType):
            return told(value, line, False)
        return FRESH.sub("", value) if isinstance(value, str) else (type(value), value)

    named = (code.co_name, code.co_qualname, code.co_names, code.co_varnames, code.co_freevars, code.co_filename)
    positions = [position for position in code.co_positions() if (position[0] or 0) >= line]
    if top:
        positions = [position for position in positions if position[2:] != (0, 0)]
    else:
        positions.append((code.co_firstlineno, None, None, None))
    return code.co_code, [*map(constant, code.co_consts)], FRESH.sub("", repr(named)), positions, code.co_exceptiontable


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_kept_is_what_would_be_compiled(tmp_path: Path, program: str) -> None:
    text = PROGRAMS[program]
    first, second = Kept(str(tmp_path)), Kept(str(tmp_path))
    found = 0
    for before, after in zip(forms(text), forms(ABOVE + text)[2:], strict=True):
        known = key(first, before)
        assert known == "" or key(second, after) == known
        if known:
            first.keep(known, compiled(before), before[1].start, before[0].start_line)
            there = second.find(known, after[1].start, after[0].start_line)
            if there is not None:
                found += 1
                afresh = compiled(after)
                line = after[0].start_line
                assert told(there.code, line) == told(afresh.code, line)
                assert FRESH.sub("", repr(there.steps)) == FRESH.sub("", repr(afresh.steps))
    assert found > 0


KEPT = {
    "(setv x 1)": True,
    "(defn f [x] (lfor y x :if y (+ y 1)))": True,
    "(require mino.mu *)\n(defmu M [x w] (@ x w))": True,
    "(require mino.thread *)\n(defn f [x] (-> x (@ x) .sum))": True,
    "(require hyrule [unless])\n(unless 1 2)": True,
    # macros of the user's, and those that look further than at their forms
    "(defmacro m [x] x)\n(m 1)": False,
    "(defmacro m [x] x)\n(setv x 1)": True,
    "(require mino.spec *)\n(spec/def :a int)": False,
    "(require hyrule [setv+])\n(setv+ x 1)": False,
    "(require hyrule)\n(hyrule.unless 1 2)": False,
    # what does something when it is compiled
    "(defmacro m [x] x)": False,
    "(do (eval-when-compile 1) 2)": False,
    "(do-mac '(+ 1 2))": False,
    "(pragma :warn-on-core-shadow False)": False,
    "(defn f [] (require hyrule *) 1)": False,
    "(hy.R.hyrule.unless 1 2)": False,
    # names that are given anew each time, at the top level and where they are a function's own
    "(require mino.thread *)\n(setv y (*-> (id 1) [str repr] +))": False,
    "(require mino.thread *)\n(defn f [x] (*-> (id x) [str repr] +))": True,
    # what may read the text in its own way, and what does not begin its line
    "(defreader r 1)\n(setv x 2)": False,
    "(setv x 1) (setv y 2)": False,
}


@pytest.mark.parametrize("text", KEPT)
def test_of_which_forms(tmp_path: Path, text: str) -> None:
    """Whether that of the last form is kept."""
    kept = Kept(str(tmp_path))
    last = forms(text)[-1]
    known = key(kept, last)
    if known:
        kept.keep(known, compiled(last), last[1].start, last[0].start_line)
    assert (known != "" and Kept(str(tmp_path)).find(known, 0, 1) is not None) is KEPT[text]


def test_what_was_required_above_counts(tmp_path: Path) -> None:
    kept, form = Kept(str(tmp_path)), "(defn f [x] (-> x (print)))"
    heads = ["", "(require mino.thread *)\n", "(require hyrule [->])\n", "(require mino.thread *)\n(defmacro m [] 1)\n"]
    keys = [key(kept, forms(head + form)[-1]) for head in heads]
    assert all(keys) and len(set(keys)) == len(heads)


def test_files_that_are_no_code(tmp_path: Path) -> None:
    kept = Kept(str(tmp_path))
    for data in (b"", b"nonsense", b"\xe9\x01", b"i\x01\x00\x00\x00"):
        (tmp_path / "key").write_bytes(data)
        assert kept.find("key", 0, 1) is None


def test_so_many_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_code, "MOST", 3)
    kept, one = Kept(str(tmp_path)), forms("(setv x 1)")[0]
    for number in range(5):
        kept.keep(f"key{number}", compiled(one), 0, 1)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["key3", "key4"]


@pytest.mark.needs_fork("the files are kept beside checkpoints")
def test_in_a_preview(worker: Worker, tmp_path: Path) -> None:
    """Below an edit, everything is told as in a preview of a document that is opened afresh."""
    text = (EXAMPLES / "feed_forward.hy").read_text("utf-8").replace("batch-size nb-inputs", "batch-size 11")

    def preview(name: str, text: str, edited: int = 0) -> Preview:
        environment, job = t.Environment(str(tmp_path)), worker.job()
        path = str(tmp_path / name)
        worker.send(t.PreviewRequest(job, path, text, environment, t.Limits(), root=str(tmp_path), edited=edited))
        return Preview(text, worker.collect(job))

    preview("kept.hy", text)
    for edit in ("; above\n", "(setv added 1)\n\n", "", "(setv é 1)\n"):
        one = preview("kept.hy", edit + text)
        other = preview(f"new{len(edit)}.hy", edit + text)
        assert one.problems == other.problems and len(one.problems) == 1 and "shape" in one.problems[0].code
        places = {span: (fact.values, fact.distinct, fact.evidence) for span, fact in one.facts.items()}
        assert places == {span: (fact.values, fact.distinct, fact.evidence) for span, fact in other.facts.items()}
