"""On every text that Hy's reader accepts, our forms and their positions are Hy's and there is no problem."""

from pathlib import Path

import hy
import hyrule
import pytest
from hypothesis import event, example, given, settings

from mino_lsp.syntax import read

from .fragments import programs, texts
from .oracle import hy_shapes, our_shapes

# Hy lets Python warn of an escape that it goes on to refuse.
pytestmark = pytest.mark.filterwarnings("ignore:invalid:DeprecationWarning")

_ROOTS = [Path(module.__file__).parent for module in (hy, hyrule)]
CORPUS = [
    *(path for root in _ROOTS for path in sorted(root.rglob("*.hy"))),
    *sorted((Path(__file__).parents[3] / "examples").glob("*.hy")),
]


def check(source: str) -> bool:
    """Whether Hy accepts the text. Where it does, we agree with it."""
    expected = hy_shapes(source)
    if expected is None:
        return False
    assert [problem.code for problem in read(source).problems] == []
    assert our_shapes(source) == expected
    return True


@settings(max_examples=300, deadline=None)
@given(texts())
@example("j\x85 +j\xa0")
@example("#^ a #_ b c '#_ d e")
@example("(do\n(print 1)\n)\n'\n(b)")
@example('f"{x :{y :{z}}}{f"{"a" = !s}"}" #[f-]x[{a}]f-]x]')
def test_any_text(source: str) -> None:
    event("accepted" if check(source) else "refused")


@settings(max_examples=200, deadline=None)
@given(programs())
def test_programs(source: str) -> None:
    event("accepted" if check(source) else "refused")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus(path: Path) -> None:
    source = path.read_bytes().decode()
    if not check(source):  # it uses reader macros of its own: Hy alone cannot read it
        assert "#" in source
        assert read(source).problems == ()


def test_corpus_is_there_and_mostly_compared() -> None:
    compared = [path for path in CORPUS if hy_shapes(path.read_bytes().decode()) is not None]
    assert len(CORPUS) >= 15
    assert len(compared) >= len(CORPUS) - 3


@pytest.mark.parametrize(
    "source",
    ["(a", "a)", '"', "(]", "#", "1.a", "a..b", ":a.b", r'"\d"', 'b"é"', 'f"{}"', 'f"{x y}"', "'", 'x"y"', "#[a]"],
)
def test_what_hy_refuses_has_a_problem(source: str) -> None:
    """The negative control: a reader that reports nothing would pass all of the above."""
    assert hy_shapes(source) is None
    assert read(source).problems
