"""Which names a form would have bound, and which forms use them; of any form that Hy can read."""

from __future__ import annotations

import hy
import pytest

from mino_lsp.worker.unfinished import Unfinished


@pytest.mark.parametrize(
    ("unfinished", "names"),
    [
        ("(setv a 1 [b c] x #(d #* e) y)", "a b c d e"),
        ("(print (setx a x) (setv b 1))", "a b"),
        ("(setv a.b 1 (get c 2) x)", "a c"),
        ("(defn a [b c] b)", "a"),
        ("(defclass [deco] a [] (setv b 1))", "a b"),
        ("(defmu a [x] x)", "a"),
        ("(with [a (open x) b y] 1)", "a b"),
        ("(for [a x b y] 1)", "a b"),
        ("(import a [b] c :as d)", "a b c d"),
        ("(print x)", ""),
    ],
)
def test_what_a_form_binds(unfinished, names):
    following = Unfinished({})
    following.add(hy.read(unfinished))
    assert [name for name in "abcdexy" if following.concerns(hy.read(f"(print [{name}])"))] == names.split()


def test_what_is_made_with_such_a_name_is_one():
    following = Unfinished({"os": 1})
    following.add(hy.read("(import os missing)"))
    assert not following.concerns(hy.read("(os.getcwd)"))
    assert following.concerns(hy.read("(defn f [x] (missing.g x))"))
    assert following.concerns(hy.read("(setv y (f 1))"))
    assert following.concerns(hy.read("y.z"))
    assert not following.concerns(hy.read("(setv z 1)"))


@pytest.mark.parametrize(
    "text", ["(for 5 x)", "(with)", "(setv)", "(let a b)", '(setv f"{x}" 1)', "()", "(def 1)", "5"]
)
def test_any_form_will_do(text):
    following = Unfinished({})
    following.add(hy.read("(setv x 1)"))
    following.concerns(hy.read(text))
    following.add(hy.read(text))


def test_a_form_may_be_deep():
    form = hy.read("x")
    for _ in range(100_000):
        form = hy.models.Expression([form])
    following = Unfinished({})
    following.add(hy.read("(setv x 1)"))
    assert following.concerns(form)
