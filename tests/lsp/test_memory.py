"""What was found out of a text goes with it: a server that is open all day holds what is open."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

from mino_lsp.analysis import Index, names_of
from mino_lsp.features.code_lenses import code_lenses
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.features.document_symbols import document_symbols
from mino_lsp.features.folding import folding
from mino_lsp.features.formatting import format_document
from mino_lsp.features.semantic_tokens import semantic_tokens
from mino_lsp.settings import Settings
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, Tree, read
from tests.lsp.editor import EXAMPLES

SOURCE = (EXAMPLES / "feed_forward.hy").read_text("utf-8")


def looked_at(tree: Tree, index: Index) -> Tree:
    """The tree, after everything was asked that is found out of the text."""
    text = Text(tree.source)
    index.opened("file:///w/a.hy", text, tree)
    snapshot = Snapshot("file:///w/a.hy", 1, text, tree, Path("/w"), Settings(), index=index)
    assert names_of(tree).definitions and document_symbols(snapshot) and semantic_tokens(snapshot, "utf-16")
    for feature in (diagnostics, folding, format_document, code_lenses):
        feature(snapshot)
    list(index.files())
    return tree


def test_nothing_is_held_of_a_text_that_was_edited() -> None:
    index = Index()
    tree = looked_at(read(SOURCE), index)
    held: list[weakref.ref[Any]] = []
    for edit in range(24):
        at = tree.source.index("(defn")
        if edit < 12:
            held += (weakref.ref(run) for _, run in tree.runs)
            held.append(weakref.ref(tree.piece_at(at)[1]))
        tree = looked_at(tree.edit(at + 1, at + 1, f"do {edit}) ("), index)
    gc.collect()
    assert len(held) >= 24
    # The last few texts may be kept for when an edit is undone.
    alive = [one for one in held if one() is not None]
    assert not alive, f"{len(alive)} of {len(held)} are held"
