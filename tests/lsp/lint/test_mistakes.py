"""Each kind of mistake, planted in ten files, is found where it is, and nothing else is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mino_lsp.analysis import names_of
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.lint import lint
from mino_lsp.syntax import read

from ..documents import snapshot
from ..format.test_laws import CORPUS
from .mistakes import MISTAKES
from .oracle import PROLOGUE, refused
from .test_against_hy import OF_NAMES

# Not those that define what they are planted with: there it may mean something else.
POSSIBLE = [path for path in CORPUS if path.parent.name not in ("mino", "core") and path.name != "hy_init.hy"]
CERTAIN = [path for path in POSSIBLE if names_of(read(path.read_bytes().decode())).certain]
FILES = CERTAIN[-10:]
_REQUIRED = ("mino.mu", "mino.thread", "mino.spec")


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
    return [(one.code, one.span.start, source[one.span.start : one.span.end]) for one in diagnostics(snapshot(source))]


def check(path: Path, code: str, mistake: str) -> None:
    text, inside, offset = marked(mistake)
    source = path.read_bytes().decode()
    # Before other strings, a quote too many is for Hy, too, the beginning of the next one.
    planted, place = plant(source, text, last=code == "unterminated-string")
    before = {(one[0], one[2]) for one in found(source)}
    new = [one for one in found(planted) if (one[0], one[2]) not in before and one[2] not in _REQUIRED]
    assert new == [(code, place + offset, inside)], path.name


@pytest.mark.parametrize(("code", "mistake"), MISTAKES)
def test_found_in_ten_files(code: str, mistake: str) -> None:
    assert len(FILES) == 10
    for path in FILES:
        check(path, code, mistake)


@pytest.mark.parametrize(("code", "mistake"), MISTAKES)
def test_hy_refuses_it_too(code: str, mistake: str) -> None:
    if code not in OF_NAMES | {"old-parameter", "unused-import", "unused-require", "unused-local", "hidden-macro"}:
        assert refused(PROLOGUE + marked(mistake)[0])


def test_count(capsys: pytest.CaptureFixture[str]) -> None:
    """What an editor would show of the whole corpus, and of what is planted."""
    kinds = Counter(code for code, _ in MISTAKES)
    trees = {path: read(path.read_bytes().decode()) for path in CORPUS}
    told = [one for path, tree in trees.items() for one in lint(tree, exports=path.name == "hy_init.hy")]
    false = [one for one in told if one.severity != "hint"] + [one for tree in trees.values() for one in tree.problems]
    with capsys.disabled():
        print(f"\n{len(CORPUS)} files of hy, hyrule and ours: {len(false)} false errors and warnings")
        print(f"{len(kinds)} kinds of mistake, {len(MISTAKES)} mistakes, each planted in {len(FILES)} files")
    assert len(kinds) >= 20 and not false


def test_the_control_without_a_mistake() -> None:
    for path in FILES:
        source = path.read_bytes().decode()
        assert len(found(plant(source, "(print 1)\n")[0])) == len(found(source))
