"""Workspace symbols: definitions of all files by a part of their names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from mino_lsp.features.workspace_symbols import workspace_symbols

from .documents import snapshot
from .editor import SECONDS, Editor


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("net", ["Net", "make-net"]),
        ("make_net", ["make-net"]),
        ("mkn", ["make-net"]),
        ("wei", ["weight"]),
        (":sp", [":spec-a"]),
        ("x1", []),
    ],
)
def test_symbols_of_the_workspace(query: str, names: list[str]) -> None:
    text = "(require mino.mu * mino.spec *) (defmu Net [x weight] x) (defn make-net [arg] 1) (spec/def :spec-a int)"
    document = snapshot(text)
    document.index.opened(document.uri, document.text, document.tree)
    assert [one.name for one in workspace_symbols(document.index, query)] == names


async def test_over_the_server(editor: Editor, root: Path) -> None:
    editor.open(root / "symbols.hy", "(defclass Curious [] (defn m [self] 1))\n")
    found = await asyncio.wait_for(editor.workspace_symbol_async(lsp.WorkspaceSymbolParams("curious")), SECONDS)
    assert [(one.name, one.container_name) for one in found or []] == [("Curious", "symbols.hy")]
