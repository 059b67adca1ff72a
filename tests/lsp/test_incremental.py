"""What is kept from one version of a document to the next is what would be found in it afresh."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mino_lsp.analysis import names_of
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.features.document_symbols import document_symbols
from mino_lsp.features.folding import folding
from mino_lsp.features.semantic_tokens import semantic_tokens
from mino_lsp.settings import Settings
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, Tree, read

from .syntax.fragments import QUOTES, SPACES, scraps

FORMS = [
    "(require mino.mu * mino.thread * mino.spec *)\n",
    "(require hyrule [unless])\n",
    "(import torch [nn zeros])\n",
    "(import os)\n",
    "(import nowhere *)\n",
    "(defmacro twice [x] `(do ~x ~x))\n",
    "(defmu Net [x w]\n  (@ x w))\n",
    "(defmu Net [x w bias]\n  (-> x (@ w) (+ bias)))\n",
    "(setv net (Net :w (zeros 1) :bais 1))\n",
    "(defn f [a [b 1]] (+ a b))\n",
    "(defn f [a]\n  (let [y 1] (g a)))\n",
    "(defn g [#* xs] xs) ; mino: ignore\n",
    "(f 1 2 3)\n",
    "(print (f) (g 1) nobody net.w)\n",
    "(setv y (twice (f 1)))\n",
    "(spec/def :layer (spec/parameters w :tensor))\n",
    "(spec/def :other :layr)\n",
    "(defclass C [] (defn m [self] (f 1)))\n",
    "(unless 1 (os.getcwd))\n",
    "; mino: ignore[call-arity]\n",
    "(setv 1)\n",
    "(defn é [𝔸]\r\n  (+ 𝔸 «))\n",
]
BITS = [*"()[]\"';#", "\n", "x", "f", ":w", "2", "Net ", "(f ", "defn ", *FORMS]


def snapshot(tree: Tree, text: Text) -> Snapshot:
    return Snapshot("file:///w/main.hy", 1, text, tree, Path("/w"), Settings())


def agree(one: Snapshot, other: Snapshot) -> None:
    assert diagnostics(one) == diagnostics(other)
    assert document_symbols(one) == document_symbols(other)
    assert semantic_tokens(one, "utf-16") == semantic_tokens(other, "utf-16")
    assert folding(one) == folding(other)
    mine, others = names_of(one.tree), names_of(other.tree)
    for told in ("definitions", "references", "imports", "keywords", "specs", "certain", "bound"):
        assert getattr(mine, told) == getattr(others, told)
    for offset in range(0, len(one.text), 7):
        assert mine.visible(offset) == others.visible(offset)
        assert mine.symbol_at(offset) == others.symbol_at(offset)
        assert one.text.position(offset) == other.text.position(offset)


edits = st.lists(
    st.tuples(
        st.integers(0, 600), st.integers(0, 40), st.sampled_from(BITS) | scraps(3) | st.sampled_from([*SPACES, *QUOTES])
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(FORMS), max_size=16), edits, st.sampled_from([1, 2, 4]))
def test_after_any_edits(forms: list[str], changes: list[tuple[int, int, str]], group: int) -> None:
    source = "".join(forms)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mino_lsp.syntax.blocks._GROUP", group)
        text, tree = Text(source), read(source)
        diagnostics(snapshot(tree, text))
        for start, size, new in changes:
            start = min(start, len(source))
            source = source[:start] + new + source[start + size :]
            text, tree = text.edit(start, start + size, new), tree.edit(start, start + size, new)
            found = diagnostics(snapshot(tree, text))
            event("problems" if found else "no problem")
            agree(snapshot(tree, text), snapshot(read(source), Text(source)))


def test_what_another_form_defines_is_noticed() -> None:
    """In a run that the edit leaves alone: a call that no longer fits, and a name that is gone."""
    before = "(defn f [a] a)\n" + "(print 1)\n" * 300 + "(f 1)\n"
    tree, text = read(before), Text(before)
    assert diagnostics(snapshot(tree, text)) == []
    for at, new, code in ((9, "b ", "call-arity"), (6, "g", "undefined-name")):
        changed = snapshot(tree.edit(at, at, new), text.edit(at, at, new))
        assert [(one.code, one.span.start > 3000) for one in diagnostics(changed)] == [(code, True)]
