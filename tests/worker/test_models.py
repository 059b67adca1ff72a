"""What is told of a run's models: at the components where they are written, of those that lived last, at no cost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.test_observe import Observed, observe

__all__ = ["observe"]

OFTEN = """
(import time)
(defmu Scaled [x first second scale] (-> x (@ first) (@ second) (* scale)))
(setv weights (fn [] (nn.Parameter (torch.randn 256 256))) m (Scaled :first (weights) :second (weights)))
(defn seconds [x]
  (setv began (time.perf-counter))
  (for [i (range 300)] ((bind m :scale i) x))
  (- (time.perf-counter) began))
(defn least [] (min (gfor _ (range 5) (seconds (torch.randn 1 256)))))
(torch.set-num-threads 1)
(setv watched (least))
(del nn.Module.__del__)
(assert (< watched (* 2 (least))))
"""


def test_a_mu_that_is_bound_in_a_loop_costs_no_look_at_each_turn(observe: Any) -> None:
    assert observe(OFTEN, False).result.exit_code == 0


@pytest.mark.parametrize("size", [4, 1500])
def test_what_is_told_is_of_the_model_that_lived_last(observe: Any, size: int) -> None:
    """Also where most that are like it were not looked at; and none is kept."""
    told: Observed = observe(
        "(import weakref)\n(defmu M [x weights] x)\n(for [i (range 100)]\n"
        f"  (setv m (M :weights (nn.Parameter (torch.full #({size} {size}) (float i)))) seen (weakref.ref m))\n"
        "  (del m)\n  (assert (is (seen) None)))",
        False,
    )
    assert told.result.exit_code == 0
    fact = told.at("weights")
    assert fact.statistics is not None and fact.statistics.mean == 99
    (model,) = told.result.models
    assert (model.kind, model.parameters) == ("M", size * size)


COMPONENTS = [
    # the definition of `m`, and where its model and its parts are written
    ("(defmu M [x #^ torch.Tensor weights] (-> x (@ weights)))\n(setv m (M :weights w))", ["M", "weights"]),
    ("(setv other (mu [x kept] x)\n      m (bind (mu [x weights] (-> x (@ weights))) :weights w))", ["mu", "weights"]),
    ("(setv other (mu [x weights] x) m (bind (mu [x kept] x) :kept w))", ["mu", "kept"]),
    ("(defn make [] (bind (mu [x #^ torch.Tensor kept] x) :kept w))\n(setv m (make))", ["mu", "kept"]),
    ("(defmu Linear [x weights] x)\n(setv m (nn.Linear 2 2))", ["", "", ""]),
]


@pytest.mark.parametrize("observed", [True, False])
@pytest.mark.parametrize(("definition", "places"), COMPONENTS)
def test_each_part_has_the_place_where_it_is_written(
    observe: Any, definition: str, places: list[str], observed: bool
) -> None:
    told = observe(f"(setv w (nn.Parameter (torch.ones 2 2)))\n{definition}", observed)
    (model,) = told.result.models
    spans = [part.span for part in (model, *model.components)]
    assert [told.text[span.start : span.end] if span is not None else "" for span in spans] == places
    if places[0] == "mu":  # of two on a line the last
        assert model.span.start == told.text.rindex("(mu ") + 1


def test_a_component_with_a_spec_and_one_of_an_anonymous_mu_are_warned_of(observe: Any) -> None:
    text = (
        "(setv p (fn [] (nn.Parameter (torch.ones 2))))\n"
        "(defmu M [x #^ torch.Tensor used #^ torch.Tensor left] (* x used))\n"
        "(setv m (M :used (p) :left (p)) n (bind (mu [x taken dropped] (* x taken)) :taken (p) :dropped (p)))\n"
        "(for [one [m n]] (.backward (.sum (one (torch.ones 2)))))"
    )
    assert observe(text, False).blamed() == [("no-gradient", "left"), ("no-gradient", "dropped")]
