"""What a macro makes of written forms is seen where those stand."""

from __future__ import annotations

import pytest

from tests.worker.conftest import show

SETUP = """(import torch torch [nn])
(setv layer (nn.Linear 3 4)  x (torch.zeros 2 3))
(defn same [x #* others] x)
"""

STEPS = [
    "(* 2) layer torch.relu",
    "(torch.add 1) (.mul 2) .t (@ (torch.ones 2 7))",
    "(-> (* 2) layer) (.sum :dim 0) (+ 1)",
    "same (.view 3 2) (same (same 3)) (.unsqueeze -1)",
    "((fn [y] (.repeat y 2 1))) (same x) (get 0) (same layer)",
]


@pytest.mark.parametrize("steps", STEPS)
def test_the_steps_of_a_thread_are_seen_as_those_of_ours_are(preview, steps):
    """As far as ours has places for them, which it gives by itself."""
    found = []
    for threads in "mino.thread", "hyrule":
        told = preview(f"(require {threads} [->])\n{SETUP}(setv out (-> x {steps}))")
        assert told.problems == []
        first = told.text.index("(setv out")
        facts = {told.text[at.start : at.end]: fact for at, fact in told.facts.items() if at.start > first}
        found.append({text: [show(value) for value in fact.values] for text, fact in facts.items()})
    ours, theirs = found
    assert theirs == ours and len(ours) > 4


@pytest.mark.parametrize("way", ["light", "heavy"])
def test_the_step_is_to_blame(preview, way):
    text = f"(require hyrule [->])\n{SETUP}(-> x (* 2) (@ (torch.ones 4 5)) torch.relu)"
    told = preview(text, way=way)
    assert told.blamed() == [("shape", "(@ (torch.ones 4 5))")]
    assert told.at("(* 2)") == ["[2 3]"]


def test_other_macros_that_put_something_into_a_form(preview):
    told = preview(
        f"""(require hyrule [->> doto some->])
{SETUP}(setv a (->> x (torch.add 1) (same 7)))
(setv b (doto (torch.ones 2 5) (.mul-  2) (.add_ 1)))
(setv c (some-> x (@ (torch.ones 3 6)) (.t)))
(defmacro flipped [form] `(~(get form 0) ~(get form 2) ~(get form 1)))
(setv d (flipped (@ (torch.ones 3 8) x)))
""".replace(".mul- ", ".mul_")
    )
    assert told.problems == []
    assert told.at("(torch.add 1)") == ["[2 3]"]
    assert told.at("(same 7)") == ["int"]
    assert told.at("(.add_ 1)") == ["[2 5]"]
    assert told.at("(@ (torch.ones 3 6))") == ["[2 6]"]
    assert told.at("(.t)") == ["[6 2]"]
    assert told.at("(@ (torch.ones 3 8) x)") == ["[2 8]"]


def test_what_stands_there_itself_shows_its_own_value(preview):
    """And a name that is used twice is the value of neither use."""
    told = preview(
        """(import torch)
(defmacro made [name function] `(do (setv ~name ~function) (~name 2)))
(setv y (made double (fn [n] (torch.ones n n))))
(defmacro twice [form] `[~form (~(get form 0) 5)])
(setv z (twice (torch.zeros 3)))
(defmacro called [head #* arguments] `(~head ~@arguments))
(setv w (called torch.eye 4))
"""
    )
    assert told.problems == []
    assert told.at("double") == ["function"]
    assert told.at("(torch.zeros 3)") == ["[3]"]
    assert told.at("torch.eye") == ["[4 4]"]
