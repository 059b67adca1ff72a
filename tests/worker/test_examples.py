"""Example inputs: `(mino/live …)`, and what specs make for a mu that nothing calls."""

from __future__ import annotations

from tests.worker.conftest import show

HEAD = "(import torch)\n(require mino.mu * mino.thread * mino.spec *)\n"
MODEL = "(defmu Scale [x weights] (-> x (@ weights) (* 2)))\n"


def test_a_live_form_shows_the_shapes_of_a_model_that_nothing_calls(preview):
    told = preview(HEAD + MODEL + "(mino/live ((Scale) (torch.ones 5 4) (torch.ones 4 3)))\n(setv after 1)")
    assert told.blamed() == []
    assert told.at("(@ weights)") == ["[5 3]"]
    assert told.at("((Scale) (torch.ones 5 4) (torch.ones 4 3))") == ["[5 3]"]
    assert told.at("after") == ["int"]


def test_what_a_live_form_does_is_not_there_below_it(preview):
    live = "(setv seen [])\n(mino/live (.append seen 1) (setv seen 2) (torch.rand 3))\n"
    below = "(setv below (torch.ones (+ 1 (len seen))))\n(assert (torch.equal (torch.get-rng-state) state))"
    told = preview(HEAD + "(setv state (torch.get-rng-state))\n" + live + below)
    assert told.blamed() == []
    assert told.at("below") == ["[1]"]


def test_each_argument_of_a_live_form_is_blamed_on_its_own(preview):
    told = preview(HEAD + MODEL + "(mino/live (/ 1 0) ((Scale) (torch.ones 5 4) (torch.ones 4 3)))\n(/ 2 0)")
    assert sorted(told.blamed()) == [("exception", "(/ 1 0)"), ("exception", "(/ 2 0)")]
    assert told.at("(@ weights)") == ["[5 3]"]


def test_a_live_form_may_crash_and_the_document_goes_on(preview):
    told = preview(HEAD + "(mino/live (do (import os) (os.abort)))\n(setv after (torch.ones 2))")
    assert [code for code, _ in told.blamed()] == ["crash"]
    assert told.at("after") == ["[2]"]


def test_in_a_run_a_live_form_is_nothing():
    import hy

    assert hy.eval(hy.read("(do (require mino.mu [mino/live]) (mino/live (/ 1 0)))"), {}) is None


def test_another_macro_of_that_name_is_that_macro(preview):
    told = preview("(defmacro mino/live [#* forms] `(setv x [~@forms]))\n(mino/live 1 2)\nx")
    assert told.at("x", 1) == ["list"]


SPECIFIED = "(defmu Scale [#^ (spec/tensor [b n]) x #^ (spec/tensor [n m]) weights] (-> x (@ weights) (* 2)))\n"


def test_specs_make_an_example_for_a_mu_that_nothing_calls(preview):
    told = preview(HEAD + SPECIFIED)
    (fact,) = [fact for span, fact in told.facts.items() if told.text[span.start : span.end] == "(@ weights)"]
    assert [len(value.shape) for value in fact.values] == [2]
    assert told.blamed() == []


def test_specs_make_nothing_where_something_calls_it(preview):
    told = preview(HEAD + SPECIFIED + "((Scale :weights (torch.ones 4 3)) (torch.ones 5 4))")
    assert told.at("(@ weights)") == ["[5 3]"]


def test_an_example_that_fails_is_no_error_of_the_document(preview):
    broken = "(defmu Wrong [#^ (spec/tensor [n 3]) x #^ (spec/tensor [4 m]) weights] (-> x (@ weights)))\n"
    told = preview(HEAD + broken)
    assert [(problem.code, problem.severity) for problem in told.problems] == [("example", "information")]
    assert "components that conform to its specs" in told.problems[0].message
    assert told.text[told.problems[0].span.start : told.problems[0].span.end] == "(@ weights)"


def test_the_examples_are_the_same_each_time(preview):
    first, second = preview(HEAD + SPECIFIED), preview(HEAD + SPECIFIED)
    assert {at: list(map(show, f.values)) for at, f in first.facts.items()} == {
        at: list(map(show, f.values)) for at, f in second.facts.items()
    }


def test_an_example_below_an_error_has_none_of_its_own(preview):
    """What it lacks was to be made where the error is."""
    told = preview(HEAD + '(setv model (torch.nn.Linear 2 "x"))\n(mino/live (model (torch.ones 1 2)))')
    assert [told.text[one.span.start : one.span.end] for one in told.problems] == ['(torch.nn.Linear 2 "x")']
