"""The idioms go through a preview in both ways, without ending it and without a false error."""

from __future__ import annotations

import pytest

from tests.worker.idioms import read

PROGRAMS = read()


def test_there_are_sixty_six():
    assert len(PROGRAMS) == 66


@pytest.mark.parametrize("way", ["light", "heavy"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_idiom_goes_through(preview, name, way):
    told = preview(PROGRAMS[name], way=way)
    assert (told.errors(), told.result.stopped) == ([], "")
