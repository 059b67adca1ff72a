"""Each kind of mistake, planted in ten files, is found where it is, and nothing else is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.syntax import read

from ..documents import snapshot
from ..format.test_laws import CORPUS
from .mistakes import MISTAKES
from .oracle import PROLOGUE, refused

# Not those that define what they are planted with: there it may mean something else.
FILES = [path for path in CORPUS if path.parent.name not in ("mino", "core") and path.name != "hy_init.hy"][-10:]


def marked(text: str) -> tuple[str, str, int]:
    """A text without its marks, what was between them, and where that begins."""
    before, _, rest = text.partition("«")
    inside, _, after = rest.partition("»")
    return before + inside + after, inside, len(before)


def plant(source: str, mistake: str, last: bool = False) -> tuple[str, int]:
    """The source with a mistake before a top-level form in its middle, or at its end, and where it was put."""
    starts = [start for start, piece in read(source).pieces() if piece.text.startswith("(")]
    place = len(source) if last else starts[len(starts) // 2]
    return source[:place] + mistake + "\n" + source[place:], place


def found(source: str) -> list[tuple[str, int, str]]:
    text = snapshot(source)
    return [
        (one.code, one.span.start, source[one.span.start : one.span.end])
        for one in diagnostics(text)
        if one.severity in ("error", "warning")
    ]


def check(path: Path, code: str, mistake: str) -> None:
    text, inside, offset = marked(mistake)
    # Before other strings, a quote too many is for Hy, too, the beginning of the next one.
    planted, place = plant(path.read_bytes().decode(), text, last=code == "unterminated-string")
    assert found(planted) == [(code, place + offset, inside)], path.name


@pytest.mark.parametrize(("code", "mistake"), MISTAKES)
def test_found_in_ten_files(code: str, mistake: str) -> None:
    assert len(FILES) == 10
    for path in FILES:
        check(path, code, mistake)


@pytest.mark.parametrize(("code", "mistake"), MISTAKES)
def test_hy_refuses_it_too(code: str, mistake: str) -> None:
    assert code == "old-parameter" or refused(PROLOGUE + marked(mistake)[0])


def test_count(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = Counter(code for code, _ in MISTAKES)
    with capsys.disabled():
        print(f"\n{len(kinds)} kinds of mistake, {len(MISTAKES)} mistakes, each planted in {len(FILES)} files")
    assert len(kinds) >= 20


def test_the_control_without_a_mistake() -> None:
    for path in FILES:
        assert found(plant(path.read_bytes().decode(), "(print 1)\n")[0]) == []
