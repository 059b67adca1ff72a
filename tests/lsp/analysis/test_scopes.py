"""Which definition a name is to: each case marks a definition and its uses, and names what is not bound.

In the source of a case, `«x»` is a definition, `‹x›` a use of it, and `¿x¡` a name that nothing binds.
"""

from __future__ import annotations

from pathlib import Path

import hy
import hyrule
import pytest
from hypothesis import given

from mino_lsp.analysis import Resolution, names_of
from mino_lsp.syntax import read

from ..marks import unmark
from ..syntax.fragments import texts


def check(marked: str) -> None:
    """The marked definition is one symbol, whose occurrences are all that is marked; what is marked as unbound is just
    that, and nothing else is."""
    case = unmark(marked)
    source, defined, used, unbound = case.source, case.defined, case.used, case.other
    names = names_of(read(source))
    if defined:
        found = names.symbol_at(defined[0][0] + 1 if defined[0][1] > defined[0][0] + 1 else defined[0][0])
        assert found is not None, source
        symbol, _ = found
        spans = {(one.start, one.end) for one in names.occurrences(symbol)}
        assert spans == {*defined, *used}, [source[a:b] + f"@{a}" for a, b in sorted(spans ^ {*defined, *used})]
        for start, _ in used:
            again = names.symbol_at(start)
            assert again is not None and again[0] == symbol, source[start:]
    assert sorted((one.start, one.end) for one in names.unresolved()) == unbound, source


@pytest.mark.parametrize(
    "marked",
    [
        # the module
        "(setv «a-b» 1) (print ‹a_b› ‹a-b›)",
        "(print ‹a›)\n(setv «a» 1)\n(setv «a» 2)",
        "(defn «f» [x] x)\n(‹f› 1)",
        "(defn f [] (global ‹x›) (setv «x» 1))\n(setv «x» 2) ‹x›",
        "(setv [«a» b] [1 2]) ‹a›",
        "(setv #(«a» #* b) [1 2]) ‹a›",
        "(setv #^ int «a» 1) ‹a›",
        "(setv ‹x›.y 1) (setv «x» 2) ‹x›",
        "(print (setx «a» 1)) (+= ‹a› 1) (del ‹a›)",
        # functions
        "(defn f [«x» [y 1]] ‹x›)",
        "(defn f [#* «rest» #** options] ‹rest›)",
        "(defn f [#^ int «x» / [y 2] * z] [‹x› y z])",
        "(setv x 1) (defn f [[«y» x]] ‹y›)",
        "(setv «x» 1) (defn f [[x ‹x›]] x)",
        "(defn f [] (setv «x» 1) (fn [] ‹x›))",
        "(defn f [] (setv «x» 1) (fn [] (nonlocal ‹x›) (setv ‹x› 2)))",
        "(defn f [] (print ‹x›) (setv «x» 1))  (setv x 2)",
        "(fn [«x»] (fn [x] x) ‹x›)",
        '(defn [decorate] #^ int f [«x»] "doc" ‹x›) (defn decorate [g] g)',
        # let
        "(let [«a» 1 b ‹a›] ‹a›)",
        "(let [«a» 1 a ‹a›] a)",
        "(let [a 1 «a» a] ‹a›)",
        "(let [«a» 1] (setv ‹a› 2)) (print ¿a¡)",
        "(let [a 1] (setv «b» 2)) (print ‹b›)",
        "(let [[«a» #* b] xs] ‹a›) (setv xs 1)",
        # loops and comprehensions
        "(for [«x» [1 2]] (print ‹x›)) ‹x›",
        "(for [x [1] :if x «y» [x]] ‹y› (else ‹y›))",
        "(lfor «x» [1] :if ‹x› :setv y ‹x› (+ ‹x› y)) ¿x¡",
        "(dfor «k» [1] ‹k› 2)",
        "(dfor x [1] #** {x 2})",
        "(lfor x [1] (setx «y» x)) ‹y›",
        "(setv «x» 1) (lfor x [2] x) ‹x›",
        # with, try, match
        "(with [«f» (open 1)] ‹f›) ‹f›",
        "(with [(open 1)] 1)",
        "(try 1 (except [«e» ValueError] ‹e›) (except [[OSError KeyError]] 1) (else 1) (finally 1))",
        "(match 1 [«a» #* b] ‹a› {\"k\" c #** d} c (int :real e) e  f :as g  [f g] _ 1)",
        "(match 1 «n» :if (> ‹n› 0) ‹n›)",
        "(match 1 (| 1 2) 3 hy.x 4 (hy.Point 1 2) 5)",
        # classes
        "(defclass «C» [object] (setv y 1) (defn m [self] ‹C›))",
        "(defclass C [] (setv «y» 1) (setv z ‹y›))",
        "(defclass C [] (setv y 1) (defn m [self] ¿y¡))",
        "(defclass C [] #^ int «x» #^ (get {} ¿t¡) y (setv z [‹x› y]))",
        "#^ int «x» (defn f [] #^ int y [‹x› y])",
        "(let [«a» 1] #^ int ‹a› ‹a›)",
        "(setv «x» 1) #^ int ‹x›.y #^ ‹x› (get ‹x› 0)",
        # imports
        "(import numpy :as «np») (‹np›.zeros 1)",
        "(import «os».path) (‹os›.getcwd)",
        "(import os.path [exists «isdir»]) (‹isdir› 1) (exists 2)",
        "(import os.path [isdir :as «d»]) (‹d› 1)",
        "(import .near [«x»] . [y]) ‹x›",
        "(require hyrule [«unless»]) (‹unless› 1 2)",
        "(require «hyrule») (‹hyrule›.unless 1 2)",
        # macros
        "(defmacro «m» [x] `(do ~x)) (‹m› 1)",
        "(defmacro m [«x»] `(do ~‹x›))",
        "(defn «helper» [] 1) (defmacro m [] `(‹helper›))",
        "(defn f [«x»] '(‹x› y z) ‹x›)",
        "(defreader «up» 1) #‹up› x",
        # text
        '(setv «x» 1) f"{‹x›} {‹x› !r:>{‹x›}} {{x}}"',
        "(setv «x» 1) #_ x ; x",
        "(setv «x» 1) (. ‹x› y [‹x›] (z ‹x›))",
        "(print ¿nowhere¡ (¿nobody¡ 1))",
        # mino
        "(require mino.mu *) (defmu «Net» [x w] (@ x w)) (‹Net› :w 1)",
        "(require mino.mu *) (defmu N [x «w-1»] (@ x ‹w-1›)) (N :‹w_1› 1) (setv n (N)) (bind n :‹w-1› 2) n.‹w-1›",
        "(require mino.mu *) (defmu Net [x «w»] ‹w›) (setv n (Net :‹w› 1))",
        "(require mino.mu * mino.spec *) (defmu Net [«w»] ‹w›) (spec/def :n (spec/parameters ‹w› :n))",
        "(require mino.spec *) (spec/def :«lin-ear» 1 :b (spec/and :‹lin_ear› :c)) (spec/gen :‹lin-ear› 1)",
        "(require mino.spec *) (spec/defun «f» [x [y 1]] \"doc\" :args (spec/cat :x ¿z¡) :ret :s [x y]) (‹f› 1)",
        "(require mino.spec *) (spec/defun f [«x»] :fn (fn [call] ¿x¡) ‹x›)",
        "(require mino.spec *) (spec/defun ‹f› :ret int) (defn «f» [] 1) (spec/defun elsewhere :ret int)",
        "(require mino.mu *) (mu [«x»] (+ ‹x› 1))",
        "(require mino.thread *) (defn «f» [x] x) (-> 1 ‹f› (‹f›) .size) (*-> 1 [‹f› (‹f›)] +)",
        "(require mino.mu *) (defmu M [x] (setv a self.training) (let [b self] [a b]) (fn [] (self x)) {1 self})",
        "(require mino.mu *) (mu [x] (lfor y x (mu [z] [(self y z) f\"{self}\"]))) ¿self¡",
        "(require mino.mu * mino.thread *) (mu [x] (-> x (+ self.a)) (cond-> x self.b (+ self)) (|-> [x self] abs))",
        "(require mino.mu *) (mu [x] (setv «self» 1) ‹self›)",
        "(require mino.thread *) (setv «x» 1) (-> ‹x› (. x) (. x [‹x›] (x ‹x›)) (. ‹x› y) (. ¿z¡ y))",
        "(require mino.thread *) (setv «x» 1) (|-> [‹x› 2] [(. x) (. y)]) (cond-> ‹x› ‹x› (. y)) (=-> ‹x› (. y))",
        "(require mino.thread *) (setv x 1) (->> x (. y)) (*-> [x z] (. y)) (cond->> x 1 (. y)) (*-> x [(. ¿y¡ z)])",
        # hyrule
        "(require hyrule *) (setv x 1) (-> x (. ¿a¡)) (doto x (. ¿b¡)) (some-> x (. ¿c¡)) (->> x (. ¿d¡))",
        "(require hyrule [defmain]) (defmain [«a» #* _] ‹a›)",
        "(require hyrule [loop]) (import hyrule [recur]) (loop [[«i» 0]] (recur ‹i›))",
        "(require hyrule *) (ap-map (+ it 1) [1]) (branch (= it 1) 2 3 else 4) (case 1 2 3 else 4)",
        "(require hyrule *) (setv+ {«a» :a :keys [b]} {}) ‹a› b",
        "(require hyrule *) (as-> 1 «x» (+ ‹x› 1))",
        "(require hyrule :readers [%]) (map #%(+ %1 ¿q¡) [1])",
        "(require hyrule [meth]) (defclass C [] (meth m [@a b] (+ @a b @c self.d)))",
        "(require hyrule [cfor]) (cfor tuple «x» [1] ‹x›)",
    ],
)  # fmt: skip
def test_bindings(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "source",
    [
        "(import unknown *) (f)",
        "(require unknown *) (f x)",
        "(require unknown [m]) (m x) x",
        "(defmacro m [] '(global x)) (defn f [] (m)) x",
        "(eval '(setv x 1)) x",
        '(pys "x = 1") x',
        "#unknown x y",
        "`(x y)",
        "'x",
        "(do-mac '(setv x 1)) x",
    ],
)
def test_what_cannot_be_seen_through_is_not_called_unbound(source: str) -> None:
    assert list(names_of(read(source)).unresolved()) == []


def test_a_macro_of_the_document_concerns_the_function_that_calls_it() -> None:
    names = names_of(read("(defmacro m [] '(setv x 1)) (defn f [] (m) x) (defn g [] y)"))
    assert [one.name for one in names.unresolved()] == ["y"]


HERE = Path(__file__).parents[3]
CORPUS = [
    path
    for root in (HERE / "examples", HERE / "mino", Path(hy.__file__).parent, Path(hyrule.__file__).parent)
    for path in sorted(root.rglob("*.hy"))
]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_correct_programs_have_no_unbound_names(path: Path) -> None:
    assert [one.name for one in names_of(read(path.read_text("utf-8"))).unresolved()] == []


@given(texts())
def test_any_text_has_names_that_agree(source: str) -> None:
    """Nothing raises; a symbol's definitions are among its occurrences, and each occurrence is of that symbol."""
    names = names_of(read(source))
    for definition in names.definitions:
        assert source[definition.start : definition.end] == definition.name
    for use in names.references:
        reference = use.reference
        assert source[reference.start : reference.end] == reference.name
        assert (use.definition is not None) == (use.resolution is Resolution.RESOLVED)
        if use.symbol is not None:
            places = {(one.start, one.end) for one in names.occurrences(use.symbol)}
            assert (reference.start, reference.end) in places
            assert all((one.start, one.end) in places for one in names.definitions_of(use.symbol))
