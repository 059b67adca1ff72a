"""Evaluation of a form in the namespace of those above it, in a process that may do nothing and that ends."""

from __future__ import annotations

import math
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from mino_lsp import types as t
from mino_lsp.syntax import read
from mino_lsp.worker import linux
from mino_lsp.worker.spare import SPARE_SECONDS, Spare
from tests.worker.conftest import wait_until


@pytest.fixture
def evaluate(worker: Any, tmp_path: Path) -> Any:
    """Evaluate the last top-level form of a text; what is between `«»` where it has these."""

    def run(text: str, limits: t.Limits | None = None, **more: Any) -> t.Evaluation:
        marked = "«" in text
        start, end = text.find("«"), text.find("»") - 1
        text = text.replace("«", "").replace("»", "")
        forms = [t.Span(form.start, form.end) for form in read(text).forms]
        target = t.Span(start, end) if marked else forms[-1]
        above = tuple(form for form in forms if form.end <= target.start)
        job = worker.job()
        environment = t.Environment(str(tmp_path))
        path = str(tmp_path / "main.hy")
        worker.send(t.EvalRequest(job, path, text, above, (target,), environment, limits or t.Limits(), **more))
        result = worker.collect(job)[-1].result
        assert isinstance(result, t.Evaluation), result
        return result

    return run


VALUES = [
    ("(setv x 1)\n(+ x 2)", "3", "int"),
    ('"a\\nb"', '"a\\nb"', "str"),
    ("(defn f [x] «(* 6 7)»)", "42", "int"),
    ("(setv x 5)", "None", "NoneType"),
    ("(when True (setv y 2) y)", "2", "int"),
    ('[1 #(2.5 None) {"a" #{b"c"}} \'sym :k]', '[1 #(2.5 None) {"a" #{b"c"}} \'sym :k]', "list"),
    ("(list (range 1000))", f"[{' '.join(map(str, range(100)))} … 900 more]", "list"),
    ("(setv l []) (.append l l) l", "[[[[[[[[[… 1 more]]]]]]]]]", "list"),
    ('(* "x" 10,005)', f'"{"x" * 10_000}" … 5 more', "str"),
    ("(exit 3) (setv x 1) (/ 1 0) x", "1", "int"),
    ("(defreader seven 7)\n#seven", "7", "int"),
    ("(defmacro two [] 2) «(two)» (broken", "2", "int"),
    ("(import torch) (require mino.mu *) (mino/live 1 (+ 1 1))", "2", "int"),
    ("__name__", '"__main__"', "str"),
]


@pytest.mark.parametrize(("text", "shown", "kind"), VALUES)
def test_a_value(evaluate, text, shown, kind):
    told = evaluate(text)
    assert (told.text, told.type, told.shape, told.problems) == (shown, kind, None, ())


MODEL = """
(require mino.mu * mino.thread *)
(import torch torch.nn.functional :as F)
(setv k 2)
(defmu Model [x layer] (-> x layer (F.dropout :p 0.5) (* k)))
(setv model (Model :layer (torch.nn.Linear 3 4)))
"""


def test_a_model_shows_what_print_does_and_its_expression_is_a_text(evaluate):
    assert evaluate(f"{MODEL} [model]").text.startswith("[Model(\n  At: 0x")
    assert evaluate(f"{MODEL} (print (hy.repr model))").stdout == (
        "(bind (let [k 2] (mu [x layer] (* (torch.nn.functional.dropout (layer x) :p 0.5) k)))"
        " :layer (torch.nn.Linear 3 4))\n"
    )


def test_a_tensor_shows_values_shape_and_dtype(evaluate):
    told = evaluate("(import torch)\n(torch.arange 4)")
    assert (told.text, told.type, told.shape) == ("[4] int64\ntensor([0, 1, 2, 3])", "Tensor", (4,))
    large = evaluate("(import torch)\n(torch.zeros 1000 1000)")
    assert large.shape == (1000, 1000) and large.text.startswith("[1000 1000] float32\n") and len(large.text) < 2000


def test_a_tensor_on_a_device_that_is_not_there(evaluate):
    told = evaluate('(import torch)\n(.to (torch.ones 2) "cuda:1")', device="cuda:1")
    assert told.problems == () and told.text == "[2] float32 cuda:1\ntensor([1., 1.], device='cuda:1')"


def test_what_the_form_prints_is_kept_and_nothing_of_what_is_above(evaluate):
    told = evaluate('(import sys)\n(setv out sys.stdout)\n(print "above")\n(do (print "é") (.write out "too") 1)')
    assert (told.text, told.stdout) == ("1", "é\ntoo")


def test_a_mistake_is_a_problem_at_its_place(evaluate):
    text = "(setv x 1)\n(+ 1 (/ x 0))"
    told = evaluate(text)
    (problem,) = told.problems
    assert (told.text, told.type) == ("", "") and "division by zero" in problem.message
    assert text[problem.span.start : problem.span.end] == "(/ x 0)"


def test_a_mistake_above_is_told_where_it_matters(evaluate):
    text = "(setv x (/ 1 0))\n(setv y 2)\n"
    assert evaluate(text + "y").problems == ()
    above, here = evaluate(text + "x").problems
    assert "division by zero" in above.message and "Nothing here is named x." in here.message


@pytest.mark.parametrize(
    ("method", "code", "told"),
    [
        ("(/ 1 0)", "exception", "division by zero"),
        ("(while True)", "preview-limit", "The evaluation stopped here: it had used 1 s of CPU time"),
        ('(while True (print (* "x" 10000)))', "preview-limit", "it had printed 1,000,000 bytes"),
        ("(do (import os) (os._exit 3))", "exit", "exit code 3"),
        ("3", "exception", "__repr__ returned non-string"),
        ('(do (import subprocess) (subprocess.run ["ls"]))', "preview-refused", "start programs"),
    ],
)
def test_a_repr_that_fails_is_a_problem(evaluate, method, code, told):
    text = f"(defclass Bad [] (defn __repr__ [self] {method}))\n(Bad)"
    found = evaluate(text, t.Limits(cpu=1, wall=60.0))
    (problem,) = found.problems
    assert problem.code == code and told in problem.message and not found.text


def test_a_repr_that_waits_for_ever_is_a_problem(evaluate):
    text = "(import time) (defclass Bad [] (defn __repr__ [self] (time.sleep 60)))\n(Bad)"
    (problem,) = evaluate(text, t.Limits(wall=2.0)).problems
    assert "it had taken 2 s" in problem.message


def test_a_repr_of_megabytes_is_cut(evaluate):
    text = '(defclass Text [str] (defn __getitem__ [self i] (* "y" 10)))\n'
    text += '(defclass Long [] (defn __repr__ [self] (Text (* "x" 5,000,000))))\n'
    told = evaluate(text + "(Long)")
    assert told.problems == () and told.text == "x" * 10_000 + "… 4,990,000 more characters"


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("(while True)", "preview-limit", "1 s of CPU time"),
        ("(while True)\n1", "preview-limit", "1 s of CPU time"),
        ("(import os) (os.kill (os.getpid) 11)", "crash", "segmentation fault"),
        ("(exit 3)", "exit", "exit code 3"),
        ('(input "?")', "preview-input", "no standard input"),
        ("(f", "syntax", ""),
        ("(import os) (os.fork)", "", ""),
    ],
)
def test_what_stops_an_evaluation(evaluate, text, code, told):
    found = evaluate(text, t.Limits(cpu=1, wall=60.0)).problems
    assert [problem.code for problem in found] == ([code] if code else [])
    assert not found or told in found[0].message


def test_what_it_writes_stays_nowhere(evaluate, tmp_path):
    evaluate(f'(.write-text (do (import pathlib) (pathlib.Path "{tmp_path}/written")) "text")')
    assert not (tmp_path / "written").exists()


def test_one_evaluation_leaves_nothing_to_the_next(evaluate):
    assert evaluate("(import torch) (setv torch.leaked 1) torch.leaked").text == "1"
    assert evaluate('(import torch) (hasattr torch "leaked")').text == "False"


SLOW = "(import os time torch)\n(setv pid (os.getpid) out sys.stdout)\n(time.sleep 0.1)\n"


@pytest.fixture
def after_preview(preview: Any, evaluate: Any) -> Any:
    """Evaluate the last form of a text that was previewed; whether the namespace was the preview's."""

    def run(above: str, form: str, **more: Any) -> tuple[bool, t.Evaluation]:
        above = f"(import sys)\n{SLOW}{above}\n"
        preview(above + form)
        there = evaluate(f"{above}(= pid (os.getpid))")
        return there.text == "False", evaluate(above + form, **more)

    return run


@pytest.mark.needs_fork("there are no checkpoints")
def test_it_goes_on_from_what_the_preview_has_made(after_preview, evaluate):
    known, told = after_preview("(setv x (torch.rand 3))\n(time.sleep 0.1)", '(do (.write out "é") (print 1) x)')
    assert known and told.problems == () and told.stdout == "é1\n" and told.shape == (3,)
    text = f"(import sys)\n{SLOW}(setv x (torch.rand 3))\n(time.sleep 0.1)\n"
    assert evaluate(f"{text}x").text == evaluate(f"{text}(do x)").text == told.text


@pytest.mark.needs_fork("there are no checkpoints")
def test_what_went_wrong_above_a_checkpoint_is_told_where_it_matters(after_preview):
    known, told = after_preview("(setv y (/ 1 0))\n(setv z 2)\n(time.sleep 0.1)", "z")
    assert known and told.text == "2" and told.problems == ()
    known, told = after_preview("(setv y (/ 1 0))\n(setv z 2)\n(time.sleep 0.1)", "y")
    above, here = told.problems
    assert known and "division by zero" in above.message and "Nothing here is named y." in here.message


@pytest.mark.needs_fork("there are no checkpoints")
def test_a_loop_that_the_preview_left_is_run_to_its_end(preview, evaluate):
    above = f"(import sys)\n{SLOW}(setv n 0)\n(defn now [] (time.process-time))\n"
    above += "(for [i (range 60)] (+= n 1) (setv till (+ (now) 0.03)) (while (< (now) till)))\n"
    left = preview(f"{above}n\n(setv m (torch.ones n))", t.Limits(cpu=2))
    assert left.at("(torch.ones n)") not in ([], ["[60]"])
    assert evaluate(f"{above}#(n (= pid (os.getpid)))").text == "#(60 False)"


@pytest.mark.needs_fork("there are no checkpoints")
@pytest.mark.parametrize(
    ("form", "code", "told"),
    [
        ("(while True)", "preview-limit", "3 s of CPU time"),
        ("(os._exit 3)", "exit", "exit code 3"),
        ("(.numel (torch.empty 400,000,000))", "", ""),  # more than the preview may have, and not than an evaluation
    ],
)
def test_what_ends_a_fork_of_the_preview_is_begun_anew(preview, evaluate, form, code, told):
    above = f"(import sys)\n{SLOW}"
    preview(f"{above}pid", t.Limits(memory=1_000_000_000))
    known = evaluate(f"{above}(= pid (os.getpid))", t.Limits(memory=1_000_000_000)).text
    found = evaluate(above + form, t.Limits(cpu=3, wall=60.0, memory=4_000_000_000)).problems
    assert known == "False" and [problem.code for problem in found] == ([code] if code else [])
    assert not found or told in found[0].message
    assert evaluate(f"{above}(= pid (os.getpid))").text == "False"


@pytest.mark.needs_fork("there are no checkpoints")
def test_an_edit_during_an_evaluation_is_previewed_and_both_are_answered(worker, preview, tmp_path):
    above = f"(import sys)\n{SLOW}"
    preview(f"{above}pid")
    path, place = str(tmp_path / "main.hy"), t.Environment(str(tmp_path))
    asked, edit = f"{above}(do (time.sleep 1) 5)", f"{above}(setv a (torch.ones 4))"
    forms = [t.Span(form.start, form.end) for form in read(asked).forms]
    evaluating, previewing = worker.job(), worker.job()
    worker.send(t.EvalRequest(evaluating, path, asked, tuple(forms[:-1]), (forms[-1],), place))
    worker.send(t.PreviewRequest(previewing, path, edit, place, root=str(tmp_path)))
    answers = worker.collect(previewing)
    facts = {fact.span: fact for answer in answers if isinstance(answer, t.Facts) for fact in answer.facts}
    at = edit.index("(torch.ones")
    assert facts[t.Span(at, at + len("(torch.ones 4)"))].values[0].shape == (4,)
    assert worker.collect(evaluating)[-1].result.text == "5"


@pytest.mark.needs_fork("there are no checkpoints")
def test_a_checkpoint_that_was_woken_has_a_fork_ready(preview, evaluate):
    above = f"(import sys)\n{SLOW}"
    preview(f"{above}pid")
    checkpoint = int(evaluate(f"{above}pid").text)
    for _ in range(2):
        assert wait_until(lambda: linux.children(checkpoint))
        (spare,) = linux.children(checkpoint)
        assert evaluate(f"{above}#(pid (os.getpid))").text == f"#({checkpoint} {spare})"
    assert wait_until(lambda: linux.children(checkpoint))
    os.kill(linux.children(checkpoint)[0], signal.SIGKILL)
    told = evaluate(f"{above}(+ 1 1)")
    assert told.text == "2" and told.problems == ()


@pytest.mark.needs_fork("there are no checkpoints")
def test_a_fork_that_is_not_needed_ends(monkeypatch):
    control, other = socket.socketpair()
    spare = Spare(os.fork, lambda: None)
    spare.wish()
    assert spare.attend(control) is None
    (pid,) = linux.children(os.getpid())[-1:]
    assert 0 < spare.patience() <= 1000 * SPARE_SECONDS and spare.attend(control) is None
    monkeypatch.setattr("mino_lsp.worker.spare.time.monotonic", lambda: math.inf)
    assert spare.attend(control) is None and not os.path.exists(f"/proc/{pid}")
    assert spare.patience() is None and spare.take([]) == 0
    control.close()
    other.close()
