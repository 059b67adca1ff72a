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


def test_a_mistake_that_is_not_reported_would_be_noticed() -> None:
    for case in ALL:
        assert case.fault([]) != ""


def test_there_are_forty_of_seven_kinds() -> None:
    kinds = {case.name.partition("_")[0] for case in ALL}
    assert len(ALL) >= 40
    assert kinds == {"shape", "dtype", "device", "spec", "component", "name", "broadcast"}
