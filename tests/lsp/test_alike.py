"""Forms that differ in white space and comments only read alike: Hy's own reader says so too."""

from __future__ import annotations

import hy
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mino_lsp.alike import Form, alike, relocated
from mino_lsp.types import Span

from .syntax.fragments import SPACES, programs
from .syntax.oracle import Shape, hy_shapes


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("(f x)", "( f\n\n  x )", True),
        ("(f x)", "(f ; a comment (\n x)", True),
        ("(f ; one\n x)", "(f ; two\n x)", True),
        ("(f 'x)", "(f ' x)", True),
        ("[(f)(g)]", "[(f) (g)]", True),
        ("(f x)", "(f y)", False),
        ("(f x)", "(f x x)", False),
        ("(f x)", "[f x]", False),
        ("(f xy)", "(f x y)", False),
        ("(f ~@x)", "(f ~ @x)", False),
        ('(f "a b")', '(f "a  b")', False),
        ('(f "a;b")', '(f "a;c")', False),
        ('(f f"x")', '(f f "x")', False),
        ("(f #[[a\n b]])", "(f #[[a b]])", False),
        ('f"{x }"', 'f"{x}"', False),  # alike in truth, and evaluated all the same
        ("(f #_ x)", "(f #_ y)", False),  # the same
        ("(f #m x)", "(f #m  x)", False),  # a reader macro may read what it likes
        ("(f #m x)", "(f #m x)", True),
        ("(f x", "(f  x", False),
    ],
)
def test_what_reads_alike(one: str, other: str, expected: bool) -> None:
    assert alike(one, other) is alike(other, one) is expected
    assert (Form(one) == Form(other)) is expected
    assert not expected or hash(Form(one)) == hash(Form(other))


def test_where_what_stands_in_one_stands_in_the_other() -> None:
    one, other = '(f x f"{y}")', '( f ; x\n  x\n  f"{y}" )'
    for part in ("(", "f", "f x", "x", 'x f"{y}"', "y", 'f"{y}"', ")"):
        start = one.index(part)
        there = relocated(Span(start, start + len(part)), one, other)
        assert alike(f"[{other[there.start : there.end]}]", f"[{part}]") or part in "()"
        assert other[there.start] == part[0] and other[there.end - 1] == part[-1]
    assert relocated(Span(0, len(one)), one, other) == Span(0, len(other))


def agree(one: Shape, other: Shape, text: str, new: str) -> None:
    """Each model of one text is one of the other, where that has it."""
    assert (one[0], len(one[3])) == (other[0], len(other[3]))
    assert relocated(Span(one[1], one[2]), text, new) == Span(other[1], other[2])
    for mine, its in zip(one[3], other[3], strict=True):
        agree(mine, its, text, new)


TRIVIA = [*SPACES, " ; note (\n", "; 1\n"]
EDITS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2), st.sampled_from([*TRIVIA, ""])), max_size=4)


@given(programs().map("[{}]".format), EDITS)
def test_hy_reads_the_same_where_texts_are_alike(text: str, edits: list[tuple[int, int, str]]) -> None:
    new = text
    for place, size, trivia in edits:
        at = place % (len(new) - 1) + 1
        new = new[:at] + trivia + new[min(at + size, len(new) - 1) :]
    mine = hy_shapes(text)
    if new == text or mine is None or len(mine) != 1 or not alike(text, new):
        event("not alike")
        return
    event("alike")
    assert hy.repr(hy.read(new)) == hy.repr(hy.read(text))
    (its,) = hy_shapes(new) or ()
    agree(mine[0], its, text, new)
