"""Planted mistakes are found before running, at the right expression, in words that name the sizes; sound programs are
left alone."""

from __future__ import annotations

import pytest

from tests.worker.diagnosis import DEVICE, Case, cases, problems_of

ALL = cases()


@pytest.fixture
def problems(preview):
    return lambda text: problems_of(text, lambda one: preview(one, device=DEVICE, as_written=True).answers)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_mistake_is_found(problems, case: Case) -> None:
    assert case.fault(problems(case.mistaken)) == ""


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_sound_original_is_left_alone(problems, case: Case) -> None:
    assert problems(case.sound) == []


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_what_a_fix_mends_is_gone(problems, case: Case) -> None:
    (problem,) = problems(case.mistaken)
    for fix in problem.fixes:
        text = case.mistaken
        for change in sorted(fix.changes, key=lambda change: change.span, reverse=True):
            text = text[: change.span.start] + change.text + text[change.span.end :]
        left = [one for one in problems(text) if (one.code, one.message) == (problem.code, problem.message)]
        assert left == [], fix.title


def test_a_mistake_that_is_not_reported_would_be_noticed() -> None:
    for case in ALL:
        assert case.fault([]) != ""


def test_there_are_forty_of_seven_kinds() -> None:
    kinds = {case.name.partition("_")[0] for case in ALL}
    assert len(ALL) >= 40
    assert kinds == {"shape", "dtype", "device", "spec", "component", "name", "broadcast"}
