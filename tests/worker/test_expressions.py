"""What a preview shows of tensor expressions of the usual kinds is what a run of them observes."""

from __future__ import annotations

import pytest

from mino_lsp import types as t
from tests.worker.expressions import judge, read

ROUGH = {"nonzero", "masked select"}
"""Their sizes depend on values, which on shapes alone are not known: assumed there, and never wrong."""


@pytest.fixture(scope="module")
def expressions():
    return {expression.name: expression for expression in read()}


def test_there_are_twenty_eight(expressions):
    assert len(expressions) == 28


@pytest.mark.parametrize("way", ["light", "heavy"])
def test_expressions_are_right(expressions, preview, way):
    judged = {name: judge(one, preview(one.text, way=way).answers) for name, one in expressions.items()}
    assert {name: found for name, found in judged.items() if found[0] == "wrong"} == {}
    not_right = {name: found for name, found in judged.items() if found[0] != "right"}
    assert set(not_right) == (ROUGH if way == "heavy" else set()), not_right


def test_what_no_run_observes_is_wrong_unless_assumed(expressions):
    expression = expressions["where and broadcasting"]
    span = next(iter(expression.real))
    shown = t.TensorValue((3, 3), "float32", "cpu", False, "")
    for evidence, outcome in (("preview", "wrong"), ("assumed", "not known")):
        facts = t.Facts(1, (t.Fact(span, (shown,), 1, evidence),))
        assert judge(expression, [facts])[0] == outcome
