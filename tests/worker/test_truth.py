"""What a preview shows is what a run observes, at all of its expressions, over programs of every kind."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mino_lsp import types as t
from tests.worker.truth import PROGRAMS, Oracle, compare, judge

COVERED = 0.99
"""The part of the expressions that a run evaluates which a preview shows, at least. Measured: 8,200 of 8,200."""


@pytest.fixture
def oracle():
    one = Oracle()
    yield one
    one.close()


def test_nothing_shown_is_wrong_and_little_is_left_out(worker, oracle, tmp_path):
    verdicts = dict(compare(worker, oracle, tmp_path))
    assert {name: one.wrong for name, one in verdicts.items() if one.wrong} == {}
    assert sum(one.compared for one in verdicts.values()) > 2000
    covered = sum(one.shown for one in verdicts.values()) / sum(one.evaluated for one in verdicts.values())
    assert covered >= COVERED, {name: one.missing for name, one in verdicts.items() if one.missing}


def test_there_are_thirty_programs_of_their_own():
    assert len(list(PROGRAMS.glob("*.hy"))) >= 30


def test_a_wrong_fact_and_a_missing_one_would_be_noticed(worker, oracle, tmp_path: Path):
    text = "(import torch)\n(setv x (torch.ones 2 3))\n(setv y (.sum x))\n"
    file = tmp_path / "main.hy"
    file.write_text(text)
    job = worker.job()
    worker.send(t.PreviewRequest(job, str(file), text, t.Environment(str(tmp_path))))
    answers = worker.collect(job)
    lying = [_altered(one, text) for one in answers]
    oracle.start(file)
    assert judge(text, answers, oracle).wrong == ()
    oracle.start(file)
    verdict = judge(text, lying, oracle)
    assert verdict.wrong == ("'(torch.ones 2 3)': (2, 4) float32 cpu",)
    assert verdict.missing == ("3: (.sum x)",)


def _altered(answer: object, text: str) -> object:
    """The answer with another shape for what makes x, and without what makes y."""
    if not isinstance(answer, t.Facts):
        return answer
    facts = []
    for fact in answer.facts:
        there = text[fact.span.start : fact.span.end]
        if there == "(torch.ones 2 3)":
            facts.append(dataclasses.replace(fact, values=(dataclasses.replace(fact.values[0], shape=(2, 4)),)))
        elif there != "(.sum x)":
            facts.append(fact)
    return dataclasses.replace(answer, facts=tuple(facts))
