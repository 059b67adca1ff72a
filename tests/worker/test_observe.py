"""Observed runs: what each expression's values were made of, and the first NaN with what went into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mino_lsp import types as t
from tests.worker.conftest import Worker

HEAD = "(import torch torch.nn :as nn)\n(require mino.mu * mino.thread *)\n"


class Observed:
    def __init__(self, text: str, answers: list[Any]) -> None:
        self.text, self.result = text, answers[-1].result
        self.facts = {fact.span: fact for one in answers if isinstance(one, t.Facts) for fact in one.facts}

    def at(self, text: str) -> t.Fact:
        start = self.text.index(text)
        return self.facts[t.Span(start, start + len(text))]

    def blamed(self) -> list[tuple[str, str]]:
        return [(one.code, self.text[one.span.start : one.span.end]) for one in self.result.problems]


@pytest.fixture
def observe(worker: Worker, tmp_path: Path) -> Any:
    def go(text: str, observe: bool = True) -> Observed:
        path = tmp_path / "program.hy"
        path.write_text(HEAD + text)
        job = worker.job()
        worker.send(t.RunRequest(job, str(path), "cpu", t.Environment(str(tmp_path)), observe=observe))
        told = Observed(HEAD + text, worker.collect(job))
        assert isinstance(told.result, t.RunResult), told.result
        return told

    return go


def test_the_last_value_is_told_and_how_often_one_passed(observe):
    told = observe("(for [n (range 40)] (torch.full #(2 3) (float n)))")
    fact = told.at("(torch.full #(2 3) (float n))")
    assert fact.passes == 40
    assert fact.statistics == t.Statistics(6, 39.0, 0.0, 39.0, 39.0, 0, 0)


def test_the_parameters_of_a_lazy_module_have_no_shape_before_its_first_call(observe):
    told = observe("(setv m (nn.LazyLinear 2) w m.weight)\n(m (torch.ones 1 3))\n(.sum m.weight)")
    assert told.result.problems == ()
    assert told.at("(.sum m.weight)").passes == 1


def test_what_is_not_finite_is_counted_apart(observe):
    told = observe('(setv x (torch.tensor [1 3 (float "inf") (float "nan")]))')
    assert told.at('(torch.tensor [1 3 (float "inf") (float "nan")])').statistics == t.Statistics(4, 2, 1, 1, 3, 1, 1)


NANS = [
    # what runs, the first step that made a NaN (or nothing), a part of what is told
    ("(setv x (torch.log (torch.tensor [1.0 -1.0])))\n(print (+ x 1))", "(torch.log (torch.tensor [1.0 -1.0]))",
     "1 of 2 elements of [2]. What went in: [2] from -1 to 1."),
    ("(setv mask (torch.full #(2) (- (float \"inf\"))))\n(setv p (torch.softmax mask 0))", "(torch.softmax mask 0)",
     "2 infinite"),
    ("(setv p (torch.exp (torch.full #(2) (- (float \"inf\")))))", "", ""),
    ("(setv x (torch.ones 2 :dtype torch.int64))\n(setv y (// x 2))\n(= x y)", "", ""),
    ("(setv p (nn.Parameter (torch.zeros 1)) m (nn.Module))\n(.register-parameter m \"p\" p)\n"
     "(setv loss (.sum (* 0 (torch.sqrt p))))\n(.backward loss)\n(print 1)", "(.backward loss)",
     "the gradient of p: 1 of 1"),
    ("(setv m (mu [x] (-> x (- 2) torch.sqrt (+ 1))))\n(m (torch.ones 3))", "torch.sqrt", "3 of 3 elements of [3]"),
    ("(defn hidden [x] (-> x (* 1)))\n(setv f (torch.vmap hidden))\n(f (torch.ones 2 3))", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "step", "told"), NANS)
def test_the_first_nan_is_marked_at_the_step_that_made_it(observe, text, step, told):
    found = observe(text)
    assert found.result.exit_code == 0
    assert found.blamed() == ([("nan", step)] if step else [])
    assert not step or told in found.result.problems[0].message


WENT_IN = [
    # what runs with 2 and then -1, the step that makes a NaN, whether what went in can be told
    ("(-> x torch.log)", "torch.log", True),
    ("(-> x .log)", ".log", True),
    ("(-> x (.log))", "(.log)", True),
    ("(.log x)", "(.log x)", True),
    ("(x.log)", "(x.log)", True),
    ("(torch.log x)", "(torch.log x)", True),
    ("(setv x (-> x .log))", ".log", True),
    ("(-> x (+ 0) .log)", ".log", True),
    ("(held.x.log)", "(held.x.log)", False),
    ("(-> 0.5 held.x.pow)", "held.x.pow", False),
]


@pytest.mark.parametrize(("text", "step", "known"), WENT_IN)
def test_what_went_in_is_what_went_in(observe, text, step, known):
    """Not what passed at the place of the step before: a dotted name has no places within."""
    found = observe(
        "(import types [SimpleNamespace])\n(for [v [2.0 -1.0]]\n"
        f"  (setv x (torch.full #(2) v) held (SimpleNamespace :x x))\n  {text})"
    )
    (problem,) = found.result.problems
    told = " What went in: [2] from -1 to -1." if known else ""
    assert problem.message == f"The first NaN was made here: 2 of 2 elements of [2].{told}"
    assert found.blamed() == [("nan", step)]


GRADIENTS = [
    # what the model's forward uses, what is warned of
    ("(-> x (@ used))", ["left"]),
    ("(-> x (@ used) (+ left))", []),
    ("(-> x (* 1))", []),
]


@pytest.mark.parametrize("observed", [True, False])
@pytest.mark.parametrize(("body", "warned"), GRADIENTS)
@pytest.mark.parametrize("zeroed", ["first", "last"])
def test_a_parameter_that_never_learnt_is_told(observe, body, warned, zeroed, observed):
    steps = ["(.zero-grad optimizer)", "(when loss.requires-grad (.backward loss))", "(.step optimizer)"]
    order = steps if zeroed == "first" else [*steps[1:], steps[0]]
    found = observe(
        f"(defmu M [x used left] {body})\n"
        "(defn train []\n"
        "  (setv m (M :used (nn.Parameter (torch.ones 2 2)) :left (nn.Parameter (torch.ones 2))))\n"
        "  (setv optimizer (torch.optim.SGD (.parameters m) :lr 0.1))\n"
        f"  (for [_ (range 3)]\n    (setv loss (.sum (m (torch.ones 4 2))))\n    {' '.join(order)}))\n(train)",
        observed,
    )
    assert found.result.exit_code == 0
    assert found.blamed() == [("no-gradient", name) for name in warned]
    assert [(model.kind, model.parameters) for model in found.result.models] == [("M", 6)]


def test_what_is_frozen_or_never_trained_is_not(observe):
    found = observe(
        "(setv m (nn.Linear 2 2))\n(.requires-grad_ m.bias False)\n(.backward (.sum (m (torch.ones 1 2))))",
        observe=False,
    )
    assert found.blamed() == []


def test_a_model_s_end_is_its_own(observe):
    """What is kept of a model does not keep the model."""
    found = observe(
        "(import gc weakref)\n(setv m (nn.Linear 2 2) r (weakref.ref m))\n(del m)\n(assert (is (r) None))"
        '\n(setv n (torch.compile (nn.Linear 3 3) :backend "eager"))\n(n (torch.ones 1 3))',
        observe=False,
    )
    assert found.result.exit_code == 0
    assert sorted(model.parameters for model in found.result.models) == [6, 12]


EVERY_DTYPE = """
(setv dtypes (lfor name (dir torch) :setv one (getattr torch name) :if (isinstance one torch.dtype) one))
(for [dtype dtypes]
  (try (setv x (torch.empty 2 :dtype dtype))
       (except [e [RuntimeError TypeError]] (continue)))
  (setv same x))
(setv nested (torch.nested.nested-tensor [(torch.ones 3 4) (torch.ones 5 4)]))
(setv jagged (torch.nested.nested-tensor [(torch.ones 3 4) (torch.ones 5 4)] :layout torch.jagged))
"""


def test_looking_at_a_tensor_of_any_dtype_or_layout_fails_nothing(observe, preview):
    """Torch has dtypes that it can convert and do nothing else with, and such that it cannot even convert."""
    told = observe(EVERY_DTYPE)
    assert (told.result.exit_code, told.result.problems) == (0, ())
    assert [one for one in preview(HEAD + EVERY_DTYPE).problems if one.severity == "error"] == []
