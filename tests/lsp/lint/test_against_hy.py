"""No false alarms: what the checks find wrong, Hy refuses to compile; the corpus has no finding at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mino import reserved as library
from mino_lsp.lint import lint, reserved
from mino_lsp.syntax import read

from ..format.test_laws import CORPUS
from .oracle import PROLOGUE, refused

ATOMS = [
    "x",
    "y",
    "a.b",
    "1",
    '"s"',
    ":k",
    ":if",
    ":as",
    "None",
    "...",
    "..",
    "#%(f %1)",
    "*",
    "/",
    "[x y]",
    "[x 1]",
    "[]",
    "#* x",
    "{1 2}",
]
HEADS = [
    *("if", "cond", "when", "setv", "setx", "let", "for", "lfor", "dfor", "gfor", "with", "while", "fn", "defn", "try"),
    *(
        "defclass",
        "defmacro",
        "not",
        "get",
        "cut",
        "%",
        "//",
        "!=",
        "=",
        "+",
        "-",
        "+=",
        "%=",
        "do",
        "import",
        "global",
    ),
    *("assert", "await", "return", "f", ".m", "->", "->>", "cond->", "|->", "defmu", "mu", "bind", "spec/def", "match"),
    *(
        "geta",
        "mino/apply",
        "spec/parameters",
        "spec/defgen",
        "spec/valid?",
        "quote",
        ".",
        "yield",
        "except",
        "else",
        "annotate",
        "defmain",
    ),
]


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, max_size=4).map(" ".join)
    return st.one_of(
        st.tuples(st.sampled_from(HEADS), several).map(lambda two: f"({two[0]} {two[1]})"),
        st.tuples(st.sampled_from(HEADS), several).map(lambda two: f"({two[0]} {two[1]})"),
        several.map("[{}]".format),
        several.map("{{{}}}".format),
        several.map("({})".format),
        st.tuples(st.sampled_from(["'", "`", "`(f ~", "~", "#^ int "]), inner).map(
            lambda two: two[0] + two[1] + (")" if "(" in two[0] else "")
        ),
        st.tuples(inner, st.sampled_from(["(except [] 1)", "(else 1)", "(finally 1)"])).map(
            lambda two: f"(try {two[0]} {two[1]})"
        ),
    )


FORMS = st.recursive(st.sampled_from(ATOMS), _grow, max_leaves=10)
HEADED = st.tuples(st.sampled_from(HEADS), st.lists(FORMS, max_size=5)).map(
    lambda two: f"({two[0]} {' '.join(two[1])})"
)


# Hy compiles nothing of what is threaded into a comprehension that has no clause, nor the body of a loop over nothing,
# nor a step that nothing passes.
_UNSEEN = re.compile(r"\((lfor|gfor|quote) *\)|->.*\b([lgsd]for|quote)\b|\(for \[\]|\(\|-> \[\]")


@settings(max_examples=400, deadline=None)
@given(HEADED)
def test_what_is_found_is_refused(form: str) -> None:
    source = PROLOGUE + form
    tree = read(source)
    if tree.problems or _UNSEEN.search(form):
        return
    found = [one for one in lint(tree) if one.severity == "error" and one.code not in OF_NAMES]
    event("found" if found else "nothing found")
    if found:
        assert refused(source), found


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_corpus_has_no_false_finding(path: Path) -> None:
    source = path.read_bytes().decode()
    found = lint(read(source), exports=path.name == "hy_init.hy")
    assert [(one.code, one.message) for one in found if one.severity != "hint"] == []
    assert {(path.name, source[one.start : one.end]) for one in found} <= TRUE


# Looked at one by one: nothing uses these.
TRUE = {
    *(("collections.hy", "partial"), ("collections.hy", "coll?"), ("control.hy", "inc"), ("destructure.hy", "count")),
    *(("destructure.hy", "defmacro!"), ("hypprint.hy", "collections"), ("recurrent_cell.hy", "mino.thread")),
    ("spec.hy", "check"),
}
# A program that runs into these compiles.
OF_NAMES = {"undefined-name", "missing-require", "call-arity", "unknown-argument", "unknown-component", "unknown-spec"}


def test_the_law_can_fail() -> None:
    assert refused("(if a b)") and not refused("(if a b c)")
    assert not refused(PROLOGUE + "(defmu M [x] (-> x (+ 1)))")


@pytest.mark.parametrize(
    "form",
    [
        "(let [f #%(+ %1 1) g 2] (f g))",
        "(print [#* #%(list %1)] '#%(f %1))",
        "(defn f [x [y #%(+ %1 1)]] (y x))",
        "(try (print) (except [e [#%(print %1) ValueError]] e))",
        "(defmacro .. [a b] `(range ~a ~b)) (.. 1 3)",
        "(defn .. [] 1) (..)",
        "(match [1] [(int x)] (not x) (list) :as y :if (not y) (print y))",
        "(defmu M [x mu bind] (mu x) (bind x))",
        *("(not #* [1])", "(get #* [{1 2} 1])", "(// #* [1 2])", "(% #* [1 2])", "(!= #* [1 2])", "(in #* [1 [1]])"),
    ],
)
def test_what_people_write_and_few_know(form: str) -> None:
    source = PROLOGUE.replace("* mino.thread * mino.spec *", "[defmu]") + form
    assert not refused(source)
    assert [one.message for one in lint(read(source)) if one.severity != "hint"] == []


@pytest.mark.parametrize(
    "form",
    [
        "(defmu M [x when] (.when x) (x.when 1) (. x (when 1)) (-> x (. (when 1))) '(when x))",
        '(defmu M [x when] f"{(when x 1)}" (mino/live (when x 1)))',
        "`(defmu M [x when] ~(when 1 2))",
        "(defmu M [#^ (when 1 int) when] when)",
        "(geta [1] ... None [#* [1]] [:] [0 :] [: -1] [0 : 1 : 1] [0 1] [0 1 1] #(1 2 3 4))",
        "(mino/apply #* [1] print)",
        "(-> {1 2} (. (get 1)))",
        "(->> [:] (geta [1 2 3 4])) (cond->> [1] 1 (geta [1 2 3 4])) (. [1] (geta [1 2 3 4]))",
    ],
)
def test_what_looks_like_a_mistake_of_ours(form: str) -> None:
    assert not refused(PROLOGUE + form)
    assert [one.message for one in lint(read(PROLOGUE + form)) if one.severity != "hint"] == []


def test_the_reserved_names_are_those_of_the_library() -> None:
    assert reserved.RESERVED == library.RESERVED


def test_a_require_of_readers_is_used() -> None:
    assert lint(read("(require hyrule * :readers *)\n(print #%(+ %1 1))")) == ()


@pytest.mark.parametrize(
    "source",
    [
        "(defn mu [mean x] (- x mean)) (print (mu 1 2))",
        "(import torch torch.nn :as nn) (setv mu (nn.Linear 2 3)) (mu (torch.ones 1 2))",
        "(import functools [partial :as bind]) ((bind pow 2) 3)",
        "(import functools [partial :as bind]) (bind pow 2)",
        "(defn geta [x] x) (geta 1)",
        "(fn [bind] (bind 1 2))",
        "(fn [#* bind] (bind 1 2))",
        "(for [mu [abs]] (mu 1))",
        "(lfor mu [abs] (mu 1))",
        "(let [mu abs] (mu 1))",
        "(defn defmain [x] x) (defmain 1)",
        "(require mino.mu [defmu]) (defmu M [x] x) (import functools [partial :as bind]) (bind pow 2)",
    ],
)
def test_a_name_of_the_file_is_no_macro_of_ours(source: str) -> None:
    assert not refused(source)
    assert lint(read(source)) == ()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("(require mino.mu *) (defn geta [x] x) (geta 1)", "arity"),
        ("(require mino.mu *) (for [mu [abs]] (mu 1))", "components"),
        ("(print bind) (mu 1)", "components"),
        ("(defmu M [x] x)", "missing-require"),
        ("(defmu M [x mu] (mu x))", "missing-require"),
        ("(defn f [bind] bind) (defmu M [x] x)", "missing-require"),
        ("(defn f [bind] bind) (bind pow :a 2)", "missing-require"),
        ("(import mino.mu [defmu]) (defmu M [x])", "mu-body"),
    ],
)
def test_a_macro_of_ours_wins_where_it_is_required_or_nothing_is_named_like_it(source: str, code: str) -> None:
    assert [one.code for one in lint(read(source)) if one.severity == "error" and one.code != "undefined-name"] == [
        code
    ]


def test_what_a_name_is_follows_an_edit() -> None:
    used = "(geta 1)\n" * 3
    for _ in range(2):
        assert {one.code for one in lint(read(used))} == {"arity"}
        assert lint(read("(defn geta [x] x)\n" + used)) == ()
