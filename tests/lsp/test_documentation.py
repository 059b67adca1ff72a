"""Hover's documentation: what a name is, its signature, and where it is from."""

from __future__ import annotations

import pytest

from mino_lsp.analysis.describe import prose
from mino_lsp.features.hover import hover

from .documents import fact, report, snapshot, tensor


@pytest.mark.parametrize(
    ("source", "place", "expected"),
    [
        ('(defn f [x [y 1] #* r] "Does it." x)\n(f 1)', "f 1", ["(f x [y 1] #* r)", "*function, line 1*", "Does it."]),
        ("(defmu Net [x w] \"A net.\" x) (Net)", "Net)", ["(Net x w)", "*mu, line 1*", "A net."]),
        ("(let [a-b 1] a_b)", "a_b", ["```hy\na-b\n```", "*local, line 1*"]),
        ("(let [a 1] a)", "let", ["(let [#* bindings] #* body)", "*macro, of Hy's core*", "Binds names for the body"]),
        ("(require hyrule [unless]) (unless 1 2)", "unless 1", ["(unless test #* body)", "of `hyrule.control`"]),
        ("(require hyrule *) (unless 1 2)", "unless 1", ["(unless test #* body)", "of `hyrule.control`"]),
        ("(require mino.thread *) (-> 1 inc)", "->", ["(-> #* forms)", "of `mino.thread`", "*first* argument"]),
        ("(import hyrule [inc :as plus]) (plus 1)", "plus 1", ["(inc n)", "*function, of `hyrule.misc`*"]),
        ("(import hyrule) (hyrule.inc 1)", "inc 1", ["(inc n)"]),
        ("(import torch [nn]) nn", "nn", ["*imported, `torch.nn`*"]),
        ("(len [1])", "len", ["(len obj)", "*function, of `builtins`*"]),
        ("(require mino.spec *) (spec/def :a (spec/and int)) (spec/gen :a)", "a)", ["```hy\n:a (spec/and int)\n```"]),
        ("(require hyrule :readers [%]) #%(+ %1 1)", "%(+", ["#%", "*reader macro, of `hyrule.anaphoric`*"]),
        ("(setv x 1) ; x here", "x here", []),
        ('(setv x 1) "x here"', "x here", []),
        ("nowhere", "nowhere", []),
    ],
)  # fmt: skip
def test_what_is_told_of_a_name(source: str, place: str, expected: list[str]) -> None:
    found = hover(snapshot(source, trusted=True, preview="off"), source.rindex(place))
    shown = found.markdown if found is not None else ""
    assert all(part in shown for part in expected), shown
    assert expected or "line" not in shown


def test_beside_what_passed() -> None:
    source = '(defn f [x] "Does it." x)\n(f 1)'
    found = hover(snapshot(source, report=report(source, fact(source, "(f 1)", tensor(2, 3)))), source.index("f 1"))
    assert found is not None
    live, _, told = found.markdown.partition("\n\n---\n\n")
    assert "`[2 3]`" in live and "Does it." in told


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ("Plain.", "Plain."),
        ("Like this::\n\n    (f 1)\n\nDone.", "Like this:\n\n```hy\n(f 1)\n```\n\nDone."),
        ("Uses ``x`` and :hy:func:`let`.", "Uses `x` and `let`."),
    ],
)
def test_prose(doc: str, expected: str) -> None:
    assert prose(doc) == expected
