"""What is said of broken text, and where: a table of sources with the problems marked in the source itself.

``«…»`` stands around each span that is reported. ``forms`` counts the top-level forms that are left.
"""

import pytest

from mino_lsp.syntax import read


def check(marked: str, codes: str, forms: int) -> None:
    """The spans marked in a source are those of its problems, which have these codes in order."""
    source = marked.replace("«", "").replace("»", "")
    tree = read(source)
    found = source
    for problem in sorted(tree.problems, key=lambda problem: -problem.start):
        found = f"{found[: problem.start]}«{found[problem.start : problem.end]}»{found[problem.end :]}"
    assert found == marked
    assert " ".join(problem.code for problem in tree.problems) == codes
    assert len(list(tree.forms)) == forms


BRACKETS = [
    # the opener that caused it, by the next top-level form
    ("«(»defn f [x]\n  (print x)\n\n(defn g [y]\n  (print y))\n", "unclosed", 2),
    ("(a)\n«(»b\n(c)\n«(»d\n(e)", "unclosed unclosed", 5),
    ("(a)\n«(»b «[»c\n(d)", "unclosed unclosed", 3),
    ("«(»f\n; note\n(g)", "unclosed", 2),
    # by indentation: a line left of what it would belong to
    ("(defn f [x]\n  «(»let [a 1]\n    (print a)\n  (foo))\n(g)", "unclosed", 2),
    ("(defn f [x]\n  (let [a «(»foo x]\n    (bar a)))\n(g)", "unclosed", 2),
    ("(defn f «[»x\n  (g x))", "unclosed", 1),
    ("(when a\n  «(»if b\n    c\n    d\n  e)\n(g)", "unclosed", 2),
    ("(a\n  x «(»g y\n  d)\n(h)", "unclosed", 2),
    # aligned with an argument, or with the bracket itself, so not part of it
    ("(foo «(»bar b\n     c)\n(g)", "unclosed", 2),
    ("(foo a «(»bar b\n     c)\n(g)", "unclosed", 2),
    ("(foo a\n     «(»bar b\n     c)\n(g)", "unclosed", 2),
    # an odd style of indentation is no evidence
    ("«(»setv x (dict\n  :a 1\n  :b 2)\n(g)", "unclosed", 2),
    ("«(»foo (bar\n1 2)\n3\n(g)", "unclosed", 2),
    # a wrong closer
    ("(defn f «[»x)\n  (g x))", "mismatched", 1),
    ("«(»foo a]\n(g)", "mismatched", 2),
    ("{:a «(»b}", "unclosed", 1),
    ("#{1 «[»2 #(3 4)}", "unclosed", 1),
    # a closer too many
    ("(a)«)»\n(b)", "unexpected-closer", 2),
    ("«]»(a)", "unexpected-closer", 1),
    ("(a «]» b)", "unexpected-closer", 1),
    ("«(»f [x]\n  «(»g x\n\n(h [y]\n  (i y))«)»\n", "unclosed unclosed unexpected-closer", 2),
    ("«(»a\n(b)«]»\n(c)«)»", "unclosed unexpected-closer unexpected-closer", 3),
    # what Hy accepts is never wrong, however it is laid out
    ("(do\n(print 1)\n)\n(f)", "", 2),
    ("(do\n(print 1\n)\n\n(g))", "", 1),
    ("(setv x (dict\n:a 1\n))", "", 1),
    ("'\n(a)", "", 1),
    ("(a\n'\n(b)\n)", "", 1),
    ('(print "\n(a")', "", 1),
    ("#[[\n(a\n]]", "", 1),
    ("(a) ; (\n(b)", "", 2),
]
QUOTES = [
    # the quote that lacks its fellow, and not the last of the file
    ('(print «"»a)\n(print "b")\n(print "c" "d")\n', "unterminated-string", 3),
    ('(f "a\n(b")\n(print «"»a)\n(print "b")\n(print "c")\n', "unterminated-string", 4),
    ('(f «"»a\n   c)\n(print "b")\n', "unterminated-string", 2),
    ('(f "a)\n   (g "«y"»))\n(print "c")\n(d)\n', "unterminated-string", 3),
    ('(f «"»a)\r\n(print "b")\r\n(d)', "unterminated-string", 3),
]
ATOMS = [
    ('(print «"»abc)', "unterminated-string", 1),
    ('«f"»{x', "unterminated-string", 1),
    ("«#[x[»a]y]", "unterminated-string", 1),
    ('«foo»"x"', "invalid-prefix", 1),
    (r'"a«\d»b"', "invalid-escape", 1),
    (r'"«\x4»"', "invalid-escape", 1),
    (r'b"«\u0041»"', "invalid-escape", 1),
    (r'f"{x :«\x»}"', "invalid-escape", 1),
    ('«b"é"»', "invalid-bytes", 1),
    ('f"{«}»" x', "invalid-fstring", 2),
    ('f"{x «y»}" z', "invalid-fstring", 2),
    ('f"{x«"» (y)', "invalid-fstring", 2),
    ('f"a«}»" x', "invalid-fstring", 2),
    ('f"{«(»a}" x', "unclosed", 2),
    ("«#[a]»", "invalid-bracket-string", 0),
    ("(f «a..b»)", "invalid-identifier", 1),
    ("«a.»", "invalid-identifier", 1),
    ("«1.a»", "invalid-identifier", 1),
    ("«:a.b»", "invalid-keyword", 1),
    ("(f «'»)", "missing-form", 1),
    ("(f «#^» int)", "missing-form", 1),
    ("(f «#_»)", "missing-form", 1),
    ("(f «#»)", "dangling-hash", 1),
    ("#foo (a)", "", 2),  # a reader macro that someone may have defined
]


@pytest.mark.parametrize(("marked", "codes", "forms"), [*BRACKETS, *QUOTES, *ATOMS])
def test_problem(marked: str, codes: str, forms: int) -> None:
    check(marked, codes, forms)


MESSAGES = [
    ("(a", "This ( is never closed: a ) is missing."),
    ("#{a", "This #{ is never closed: a } is missing."),
    ("(a]", "This ( is closed by ], where it needs )."),
    ("a)", "This ) closes nothing."),
    ('"a', 'This string never ends: its closing " is missing.'),
    ("#[x[a", "This string never ends: its closing ]x] is missing."),
    ("(f ~@)", "A form is missing after this ~@."),
    ("#[a]", "This is no bracket string: write #[[…]], or #[name[…]name] with the same name at both ends."),
    ("#", "Nothing follows this #: a tag such as #_ or #{ was expected."),
    ("a.", "A dotted name can't end with a dot."),
    ("a.1", "Only names may stand between the dots of a dotted name."),
    ("a..b", "Several dots in a row may only begin a dotted name."),
    (":a.b", "A keyword can't contain a dot."),
    ('b"é"', "A bytes string can contain ASCII characters only."),
    ('f"{}"', "A form is missing in this field: {} is empty."),
    ('f"{a b}"', "This field of the f-string goes on after its form: expected }, =, ! or : here."),
    ('f"}"', "A single } in an f-string must be written }}."),
    ('foo"a"', "foo is no string prefix: use r, b, f, t, br, rf or rt."),
    (r'"\d"', r"\d is no escape sequence: write \\ for a backslash, or put r before the string."),
]


@pytest.mark.parametrize(("source", "message"), MESSAGES)
def test_message(source: str, message: str) -> None:
    assert [problem.message for problem in read(source).problems] == [message]
