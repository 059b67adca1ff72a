"""Document symbols: what a document defines, each within what holds it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from lsprotocol import types as lsp

from mino_lsp.analysis import DefinitionKind
from mino_lsp.edge import SYMBOL_KINDS
from mino_lsp.features.document_symbols import DocumentSymbol, document_symbols

from .documents import snapshot
from .editor import SECONDS, Editor
from .syntax.fragments import texts


def outline(symbols: list[DocumentSymbol]) -> list[Any]:
    return [(one.name, outline(one.children)) if one.children else one.name for one in symbols]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(setv a 1 b 2) (setv a 3)", ["a", "b"]),
        ("(defn f [x] (setv y 1) (defn g [] 1))", [("f", ["y", "g"])]),
        ("(defclass C [] (setv y 1) (defn m [self] 1))", [("C", ["y", "m"])]),
        ("(require mino.mu *) (defmu Net [x w] (let [a 1] a))", [("Net", ["x", "w"])]),
        ("(require mino.spec *) (spec/def :a int :b str)", [":a", ":b"]),
        ("(import os [path]) (require hyrule [unless])", []),
        ("(defmacro m [x] x) (defreader r 1)", ["m", "r"]),
        ("(defn f [] 1", ["f"]),
        ("", []),
    ],
)
def test_the_outline(source: str, expected: list[Any]) -> None:
    assert outline([one for _, one in document_symbols(snapshot(source))]) == expected


@given(texts())
def test_any_text_has_an_outline_in_which_all_is_within_what_holds_it(source: str) -> None:
    def check(symbols: list[DocumentSymbol], start: int, end: int) -> None:
        for one in symbols:
            assert start <= one.span.start <= one.name_span.start <= one.name_span.end <= one.span.end <= end
            check(one.children, one.span.start, one.span.end)

    for base, one in document_symbols(snapshot(source)):
        check([one], -base, len(source) - base)


SOURCE = "(defclass C []\n  (defn m [self] 1))\n(defmacro a [] 1)\n"


async def test_over_the_server(editor: Editor, root: Path) -> None:
    document = editor.open(root / "symbols.hy", SOURCE)
    params = lsp.DocumentSymbolParams(document.identity)
    found: Any = await asyncio.wait_for(editor.text_document_document_symbol_async(params), SECONDS)
    known = editor.can("text_document.document_symbol.symbol_kind.value_set", range(1, 19))
    if editor.can("text_document.document_symbol.hierarchical_document_symbol_support"):
        assert all(isinstance(one, lsp.DocumentSymbol) for one in found)
        assert [(one.name, [child.name for child in one.children or []]) for one in found] == [("C", ["m"]), ("a", [])]
        assert document.slice(found[0].selection_range) == "C"
        assert document.slice(found[0].range) == SOURCE.partition("\n(defmacro")[0]
    else:
        assert all(isinstance(one, lsp.SymbolInformation) for one in found)
        assert [(one.name, one.container_name) for one in found] == [("C", None), ("m", "C"), ("a", None)]
    assert {one.kind for one in found} <= set(known)
    macro = lsp.SymbolKind.Operator if lsp.SymbolKind.Operator in known else lsp.SymbolKind.Function
    assert found[-1].kind == macro


def test_kinds_are_all_shown() -> None:
    unlisted = {DefinitionKind.PARAMETER, DefinitionKind.LOCAL, DefinitionKind.IMPORT, DefinitionKind.VARIABLE}
    assert set(SYMBOL_KINDS) == set(DefinitionKind) - unlisted
