"""Line breaks for what stands on one line: it reads as before, fits where it can, and the formatter leaves it alone."""

from __future__ import annotations

import hy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mino_lsp.format import document
from mino_lsp.format.breaks import laid_out
from mino_lsp.syntax import read

TABLE = [
    ("(+ (@ x weights) bias)", "(+ (@ x weights) bias)"),
    (
        "(output (sigmoid (hidden (flatten (normalize x :axis 1)) another-argument)))",
        """\
(output
 (sigmoid
  (hidden
   (flatten
    (normalize x :axis 1))
   another-argument)))""",
    ),
    (
        '(defn f [a b #* c] "doc" (let [x 1 y (compute a b c d)] (if (test x) (then x) (else y))))',
        """\
(defn f [a b #* c]
  "doc"
  (let [x 1
        y (compute a b c d)]
    (if (test x)
        (then x)
        (else y))))""",
    ),
    (
        "(do (setv _x (compute a b)) (cond (= _x 1) (first-thing a) True None))",
        """\
(do
  (setv _x (compute a b))
  (cond
    (= _x 1) (first-thing a)
    True None))""",
    ),
    (
        "(f {:a 1 :b [1 2 3 4 5 6 7 8 9 10 11 12 13 14]} #(x y) '(quoted form))",
        """\
(f {:a 1
    :b [1 2 3 4 5 6 7 8 9 10
        11 12 13 14]}
   #(x y)
   '(quoted form))""",
    ),
]


@pytest.mark.parametrize(("source", "wanted"), TABLE)
def test_layout(source: str, wanted: str) -> None:
    assert laid_out(source, 30) == wanted


ATOMS = st.sampled_from(
    ["x", "some-long-name", ":key", "1.5", '"text; (here)"', "a.b", ".m", "μ", '"two\nlines"', "#[[b]]"]
)
HEADS = st.sampled_from(["f", "defn", "let", "cond", "do", "if", "when", "for", "mu", "->", "setv", "(g x)", "#* f"])


def forms(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    many = st.lists(parts, max_size=6).map(" ".join)
    even = st.lists(st.tuples(parts, parts).map(" ".join), max_size=3).map(" ".join)
    return st.one_of(
        st.tuples(HEADS, many).map(lambda call: f"({call[0]} {call[1]})".replace(" )", ")")),
        many.map(lambda text: f"[{text}]"),
        many.map(lambda text: f"#({text})"),
        even.map(lambda text: f"{{{text}}}"),
        parts.map(lambda text: f"'{text}"),
        parts.map(lambda text: f"#* {text}"),
    )


@given(st.recursive(ATOMS, forms, max_leaves=40), st.integers(10, 60))
def test_laws(source: str, width: int) -> None:
    text = laid_out(source, width)
    assert hy.read(text) == hy.read(source)
    assert [edit for edit in document(read(text + "\n")) if edit.new != ""] == []
    if "\n" not in source:
        assert laid_out(source, 100_000) == source


def test_what_cannot_be_read_is_left() -> None:
    for source in ("(f", "(f #unknown (a b c d e f g h i j k l m n o p q r s t u v w x y z))"):
        assert laid_out(source, 10) == source


def test_what_is_nested_beyond_reason_is_left() -> None:
    source = "(" * 900 + "x" + ")" * 900
    assert laid_out(source, 10) == source
