"""The laws of formatting: what Hy reads stays, twice is once, and a range touches its lines only."""

from pathlib import Path

import hy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mino_lsp import format as formatter
from mino_lsp.syntax import Text, read

from ..syntax.fragments import ATOMS, SPACES, programs, texts
from ..syntax.test_against_hy import CORPUS as OTHERS

# Hy lets Python warn of an escape that it goes on to refuse.
pytestmark = pytest.mark.filterwarnings("ignore:invalid:DeprecationWarning")

CORPUS = [*OTHERS, *sorted((Path(__file__).parents[3] / "mino").glob("*.hy"))]
HEADS = ["defn f [x]", "->", "let [a 1\nb 2]", "foo", "cond", ":k", "~f", "(f a)", "do", ".size", "import", ""]
ENDS = ["", "\n", " ", "  \n\n ", " ; note\n", "\n; note\n", "; a\n; b \n", "\r\n", " ; c \r\n", "\f\n", "\t\n\t"]


def formatted(source: str) -> str:
    return formatter.apply(source, formatter.document(read(source)))


def models(source: str) -> object:
    """What Hy reads, or None where it refuses."""
    try:
        return [_plain(model) for model in hy.read_many(source, skip_shebang=True)]
    except (hy.errors.HySyntaxError, EOFError, RecursionError):
        return None


def _plain(model: object) -> object:
    if isinstance(model, hy.models.Sequence):
        said = (getattr(model, "brackets", None), getattr(model, "conversion", None))
        return type(model).__name__, said, [_plain(part) for part in model]
    return type(model).__name__, getattr(model, "brackets", None), repr(model)


def check(source: str) -> None:
    """Both laws, and that the tree sees no problem that it did not see before."""
    after = formatted(source)
    assert models(after) == models(source)
    assert formatted(after) == after
    if after != source:
        assert [problem.code for problem in read(after).problems] == [p.code for p in read(source).problems]


def _lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(st.tuples(st.sampled_from(SPACES), inner, st.sampled_from(ENDS)).map("".join), max_size=4)
    several = parts.map("".join)
    return st.one_of(
        st.tuples(st.sampled_from(HEADS), several).map(lambda two: f"({two[0]} {two[1]})"),
        several.map("[{}]".format),
        several.map("#({})".format),
        several.map("{{{}}}".format),
        st.tuples(st.sampled_from(["'", "`", "~", "#_ ", "#* ", "#^ int "]), inner).map("".join),
    )


ROUGH = st.lists(
    st.tuples(
        st.recursive(st.sampled_from([*ATOMS, '"a\n  b"', "#[[\n c]]"]), _lists, max_leaves=12), st.sampled_from(ENDS)
    ),
    max_size=4,
).map(lambda parts: "\n".join("".join(part) for part in parts))


@settings(max_examples=300, deadline=None)
@given(ROUGH)
@example("(a (b c ; x\n ) ; y\n)")
@example("(a ; c\r\n )\r\n(b)")
@example("( ; x\n)")
@example("'( a ;x\n)\n 'b ")
@example("#foo (a\n)")
@example("[[x ; note\n]\rx]")
def test_programs_laid_out_badly(source: str) -> None:
    check(source)


@settings(max_examples=300, deadline=None)
@given(st.one_of(texts(), programs()))
def test_any_text(source: str) -> None:
    check(source)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus(path: Path) -> None:
    source = path.read_bytes().decode()
    check(source)
    check(source.replace("\n", "\r\n"))
    check("\n".join(line.strip() for line in source.split("\n")))


@settings(max_examples=200, deadline=None)
@given(ROUGH, st.integers(0, 12), st.integers(0, 12))
def test_a_range_touches_its_lines_only(source: str, first: int, count: int) -> None:
    text = Text(source)
    last = min(first + count, text.line_count - 1)
    start, end = text.line_span(first)[0], text.line_span(max(first, last))[1]
    edits = formatter.lines(read(source), start, end)
    assert all(start <= edit.start <= edit.end <= end for edit in edits)
    assert models(formatter.apply(source, edits)) == models(source)


@settings(max_examples=200, deadline=None)
@given(st.one_of(ROUGH, texts()), st.integers(0, 60))
def test_a_new_line_changes_blanks_only(source: str, at: int) -> None:
    source = source[:at] + "\n" + source[at:]
    edits = formatter.newline(read(source), min(at, len(source) - 1) + 1)
    assert all(not source[edit.start : edit.end].strip(" \t") and not edit.new.strip(" ") for edit in edits)
    after = formatter.apply(source, edits)
    assert models(after) == models(source)


def test_the_laws_can_fail() -> None:
    """The negative control: a formatter that strips strings would be found out."""
    assert models('(a "x  \n")') != models('(a "x\n")')
    assert models("(a #_ b)") != models("(a b)")


def test_what_cannot_be_read_is_left_alone() -> None:
    for source in ("(a\n    b", "a)\n   (b)", '(a\n    "b)\n', "(f\n      x]\n", '(f\n     foo"x")'):
        assert formatter.document(read(source)) == ()
