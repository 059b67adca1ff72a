"""Expansion: the innermost macro call around a place, as far as asked, and without trust only what is pure."""

from __future__ import annotations

import pytest

from mino_lsp import types as t
from mino_lsp.syntax import read
from tests.worker.conftest import Worker

HEAD = "(require mino.mu * mino.thread *)\n(import torch)\n"


def expand(worker: Worker, text: str, depth: str = "all", pure: bool = False) -> t.Expansion | t.Failed:
    """Expand at the place that `|` marks."""
    offset, text = text.index("|"), text.replace("|", "")
    forms = tuple(t.Span(form.start, form.end) for form in read(text).forms)
    job = worker.job()
    worker.send(t.ExpandRequest(job, "/nowhere/a.hy", text, forms, offset, depth, t.Environment("/"), pure))
    return worker.collect(job)[-1].result


TABLE = [
    ("(defmu L [x weights bias] (|-> x (@ weights) (+ bias)))", "all", "(+ (@ x weights) bias)"),
    ("(defn f [x] (-> x torch.sigm|oid))", "all", "(torch.sigmoid x)"),
    ("(-> x (f| 1) (g 2))", "step", "(g (f x 1) 2)"),
    ("(defmacro w [x] `(-> ~x inc))\n(|w 3)", "step", "(-> 3 inc)"),
    ("(defmacro w [x] `(-> ~x inc))\n(|w 3)", "one", "(inc 3)"),
    ("(defmacro w [x] `(print (-> ~x inc)))\n(|w 3)", "one", "(print (-> 3 inc))"),
    ("(defmacro w [x] `(print (-> ~x inc)))\n(|w 3)", "all", "(print (inc 3))"),
    ("(|-> x (f '(-> y z)))", "all", "(f x '(-> y z))"),
    ("(setv broken [(|-> x inc)])", "all", "(inc x)"),
]


@pytest.mark.parametrize(("text", "depth", "expansion"), TABLE)
def test_expansion(worker, text, depth, expansion):
    told = expand(worker, HEAD + text, depth)
    assert isinstance(told, t.Expansion), told
    assert told.text == expansion


def test_the_range_is_that_of_the_call(worker):
    text = HEAD + "(setv é 1)\n(print (|-> x inc))"
    told = expand(worker, text)
    assert isinstance(told, t.Expansion)
    plain = text.replace("|", "")
    assert plain[told.span.start : told.span.end] == "(-> x inc)" and told.head == "->"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(print |1)", "There is no macro call here."),
        ("; | nothing", "There is no complete form here."),
        ("(defmacro m [] (while True))\n(m|)", "The expansion stopped here: it had"),
    ],
)
def test_no_expansion_is_a_sentence(worker, text, message):
    offset, plain = text.index("|"), text.replace("|", "")
    forms = tuple(t.Span(form.start, form.end) for form in read(plain).forms)
    job = worker.job()
    limits = t.Limits(cpu=1)
    worker.send(t.ExpandRequest(job, "/a.hy", plain, forms, offset, "all", t.Environment("/"), False, limits))
    told = worker.collect(job)[-1].result
    assert isinstance(told, t.Failed) and told.message.startswith(message)


def test_a_macro_that_fails_is_a_problem_at_its_call(worker):
    told = expand(worker, HEAD + '(defmacro m [] (raise (ValueError "no")))\n(m|)')
    assert isinstance(told, t.Expansion)
    assert [problem.code for problem in told.problems] == ["exception"] and "no" in told.problems[0].message


CANARIES = [
    '(defmacro m [] (open "{canary}" "w"))\n(|m)',
    '(-> x (|do-mac (open "{canary}" "w")))',
    '(do-mac (open "{canary}" "w"))\n(|-> x inc)',
    '(eval-when-compile (open "{canary}" "w"))\n(|-> x inc)',
    "(require beside *)\n(|-> x inc)",
    '(|-> (do-mac (open "{canary}" "w")) inc)',
]


@pytest.fixture(scope="module")
def pure():
    worker = Worker("--pure")
    assert isinstance(worker.next(), t.Ready)
    yield worker
    worker.close()


@pytest.mark.parametrize("text", CANARIES)
def test_without_trust_no_code_of_the_document_runs(pure, tmp_path, text):
    canary = tmp_path / "canary"
    told = expand(pure, text.replace("{canary}", str(canary)), pure=True)
    assert not canary.exists()
    if text.count("(|->"):
        assert isinstance(told, t.Expansion) and told.text.startswith("(inc ")
    elif "(|m)" in text:
        assert isinstance(told, t.Failed) and "Without trust" in told.message


def test_a_pure_worker_does_nothing_else(pure, tmp_path):
    canary = tmp_path / "canary"
    path = tmp_path / "a.hy"
    path.write_text(f'(open "{canary}" "w")')
    for request in (
        t.PreviewRequest(pure.job(), str(path), path.read_text(), t.Environment("/")),
        t.RunRequest(pure.job(), str(path), "cpu", t.Environment("/")),
        t.ExpandRequest(pure.job(), str(path), "(m)", (t.Span(0, 3),), 1, "all", t.Environment("/")),
    ):
        pure.send(request)
        assert isinstance(pure.collect(request.job)[-1].result, t.Failed)
    assert not canary.exists()
