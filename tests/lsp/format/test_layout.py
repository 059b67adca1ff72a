"""How forms are laid out: each case is a text as it should be; without its indentation, it must become that again."""

import re

import pytest

from mino_lsp import format as formatter
from mino_lsp.syntax import read


def formatted(source: str) -> str:
    return formatter.apply(source, formatter.document(read(source)))


def check(source: str, expected: str) -> None:
    assert formatted(source) == expected


@pytest.mark.parametrize(
    "text",
    [
        # bodies
        "(defn f [x]\n  (g x))",
        "(defn\n  f [x]\n  (g x))",
        "(defn :async f [x]\n  x)",
        "(defmu Linear [x weights bias]\n  (-> x (@ weights) (+ bias)))",
        "(defmain [#* _]\n  (run))",
        "(defclass A [B]\n  (setv x 1)\n  (defn f [self]\n    self.x))",
        "(let [a 1\n      b 2]\n  (+ a b))",
        "(for [x xs]\n  (print x)\n  (else\n    (print 0)))",
        "(while True\n  (step))",
        "(when (= a\n         b)\n  c)",
        "(with [f (open x)\n       g (open y)]\n  (.read f))",
        "(fn [x]\n  x)",
        "(try\n  (f)\n  (except [e ValueError]\n    (g))\n  (finally\n    (h)))",
        "(try (f)\n  (except []))",
        "(mu [x w]\n  (@ x w))",
        "(spec/defgen :linear [n]\n  (torch.randn n))",
        "(with-torch.no-grad\n  (f))",
        "(case x\n  1 2\n  3 4)",
        # blocks
        "(do\n  (a)\n  (b))",
        "(do (a)\n    (b))",
        "(cond\n  a b\n  c d)",
        "(cond a b\n      c d)",
        "(require\n  mino.mu *)",
        "(import torch\n        torch.nn :as nn)",
        "(lfor x xs\n      y x\n      y)",
        "(if a\n    b\n    c)",
        # calls
        "(f a\n   b\n   c)",
        "(f\n a\n b)",
        "(f ; why\n a)",
        "(Linear :weights w\n        :bias b)",
        "(.normal_ x\n          :mean 0)",
        "(-> x\n    (@ w)\n    .size)",
        "(spec/def :a b\n          :c d)",
        "(setv a 1\n      b 2)",
        "(default a\n         b)",
        "(letter a\n        b)",
        "(:key a\n      b)",
        "((f a)\n b)",
        "((f a) b\n c)",
        "(~f a\n    b)",
        "(\n f a\n   b)",
        "(f #_ a b\n   c)",
        "(#_ a f b\n        c)",
        # data
        "[a\n b]",
        "[ 1  2\n  30 4]",
        "[[ 1 2]\n [30 4]]",
        "{:a 1\n :b 2}",
        "#{a\n  b}",
        "#(a\n  b)",
        "[\n a]",
        # prefixes, strings and wide characters
        "'(f a\n    b)",
        "`(do\n   ~a\n   ~@b)",
        "(f '\n   a)",
        '(f "x\n   y" z\n   w)',
        "(f #[[\n   y]] (g a\n          b))",
        "(漢 a\n    b)",
        # comments
        ";; a\n(f a\n   ;; b\n   b ; c\n   ;; d\n   )",
        "(f\n ;; b\n a)",
        "(defn f [x]\n  ;; b\n  x)",
    ],
)
def test_indentation(text: str) -> None:
    for ending in ("\n", "\r\n"):
        wanted = (text + "\n").replace("\n", ending)
        check(wanted, wanted)
        if '"' not in text and "#[[" not in text:
            check(re.sub(r"\n +", "\n", text).replace("\n", ending) + ending, wanted)
            check(re.sub(r"\n *", "\n" + " " * 30, text).replace("\n", ending) + ending, wanted)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # closers never stand alone
        ("(a\n  (b\n  )\n)\n", "(a\n (b))\n"),
        ("(a b ; why\n)\n", "(a b) ; why\n"),
        ("(a [b ; why\n]\n)\n(c)\n", "(a [b]) ; why\n(c)\n"),
        ("(a '(b ; why\r\n)\r\n)\r\n", "(a '(b)) ; why\r\n"),
        ("( ; why\n)", "() ; why\n"),
        ("(a\n ; why\n )\n", "(a\n ; why\n )\n"),
        ("(a b ; why\n   ) (c)\n", "(a b ; why\n   ) (c)\n"),
        ("(a b\n) (c)\n", "(a b) (c)\n"),
        # white space: none at the ends of lines, within the parentheses of a call, or after the document
        ("(a )  \n\n\n  \n", "(a)\n"),
        ("( a )", "(a)\n"),
        ("[ 1 ]", "[ 1 ]\n"),
        ("(a   b)", "(a   b)\n"),
        ("a ; b  \n \t\nc", "a ; b\n\nc\n"),
        ("  (a)\n  (b)\n", "(a)\n(b)\n"),
        ("(a\n\tb)\n", "(a\n b)\n"),
        ("(a)\n\x0c\n(b)\n", "(a)\n\x0c\n(b)\n"),
        ("#!/bin/hy\n(a)", "#!/bin/hy\n(a)\n"),
        ("", ""),
        (" \n ", ""),
        # a string stays, and what follows it on its last line
        ('(a "x  \n  y  "\nb)\n', '(a "x  \n  y  "\n   b)\n'),
        ('(a f"{(b\n)}"\n)\n', '(a f"{(b\n)}")\n'),
        # the document's own macros with a body
        (
            "(defmacro m [a #* body]\n`(do ~@body))\n(m a\nb)\n",
            "(defmacro m [a #* body]\n  `(do ~@body))\n(m a\n  b)\n",
        ),
        ("(defmacro m [a #* rest]\na)\n(m a\nb)\n", "(defmacro m [a #* rest]\n  a)\n(m a\n   b)\n"),
        # what a reader macro reads is its own affair, to the end of its form
        ("(a\n(b )\n#x (c\n))\n(d\n)\n", "(a\n (b)\n#x (c\n))\n(d)\n"),
    ],
)
def test_layout(source: str, expected: str) -> None:
    check(source, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # | is where the line was broken
        ("(defn f [x]\n|", "(defn f [x]\n  "),
        ("(defn f [x]\n|)", "(defn f [x]\n  )"),
        ("(defn f [x]\n|(g x))", "(defn f [x]\n  (g x))"),
        ("(f a  \n|  b)", "(f a\n   b)"),
        ("(f (g a)\n|", "(f (g a)\n   "),
        ("(f [a\n|", "(f [a\n    "),
        ("(a)\n|", "(a)\n"),
        ("(a)\n\n|   (b)", "(a)\n\n(b)"),
        ("(defn f []\n  (g\n\n(defn h []\n|", "(defn f []\n  (g\n\n(defn h []\n  "),
        ("(let [a 1\n|", "(let [a 1\n      "),
        ("(let [a 1]\n  (for [x xs]\n    (f)\n|", "(let [a 1]\n  (for [x xs]\n    (f)\n    "),
        # an indentation that is wrong above is taken as it is
        ("(let [a 1]\n     (f a\n|b))", "(let [a 1]\n     (f a\n        b))"),
        # in a string or a comment there is nothing to indent
        ('(f "a\n|b")', '(f "a\nb")'),
        ('(f "a  \n|', '(f "a  \n'),
        ("(f #[[a \n|]])", "(f #[[a \n]])"),
        ("; a\n|", "; a\n"),
        ("|(a)", "(a)"),
        ("(a\r\n|b)", "(a\r\n b)"),
    ],
)
def test_new_line(source: str, expected: str) -> None:
    text = source.replace("|", "")
    assert formatter.apply(text, formatter.newline(read(text), source.index("|"))) == expected


def test_a_range_counts_the_lines_before_it_as_they_are() -> None:
    source = "(f a\n      (g b\nc\n)\nd)\n"
    start = source.index("c\n")
    assert formatter.apply(source, formatter.lines(read(source), start, start + 1)) == source.replace(
        "\nc", "\n         c"
    )
    assert formatter.apply(source, formatter.lines(read(source), start, start + 3)) == source.replace(
        "\nc\n)", "\n         c)"
    )
