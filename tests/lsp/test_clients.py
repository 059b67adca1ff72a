"""Real clients, as they say what they can: each is served, and is asked for nothing that it cannot."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from .client_can import CLIENTS, RECORDED, said
from .conftest import FEATURES
from .editor import Editor
from .raw import Raw

NAMES = sorted(file.stem for file in RECORDED.glob("*.json"))


def test_they_are_all_replayed() -> None:
    assert NAMES == ["eglot", "lsp-mode", "neovim", "vscode"] and set(NAMES) < set(CLIENTS)


@pytest.mark.parametrize("feature", sorted(file.stem for file in FEATURES.glob("[!_]*.py")))
def test_each_feature_is_asked_for_by_each(feature: str) -> None:
    """The tests of a feature that share a server get one for each client."""
    module = import_module(f"tests.lsp.test_{feature}")
    functions = [function for name, function in vars(module).items() if name.startswith("test_")]
    assert any("editor" in inspect.signature(function).parameters for function in functions)


@pytest.mark.parametrize("name", NAMES)
def test_the_very_words_of_a_client_are_understood(root: Path, name: str) -> None:
    server = Raw(root)
    can = server.initialize(capabilities=said(name), rootUri=root.as_uri())["capabilities"]
    assert can["hoverProvider"] and can["positionEncoding"] == "utf-16"
    assert server.end() == 0
    assert "Traceback" not in server.stderr


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_is_asked_for_what_it_can_and_nothing_else(editors: Any, root: Path, name: str) -> None:
    """It is to watch files where it takes registrations, to tell its settings where it answers, and to ask its user
    whom to trust where it can."""
    editor: Editor = await editors(can=CLIENTS[name](), trust="ask")
    editor.answer = "Not now"
    document = editor.open(root / "asked.hy", "(print 1)\n")
    assert await document.diagnostics() == []
    if editor.can("workspace.configuration"):
        await editor.until(lambda: editor.configurations)
    if editor.can("window.show_message"):
        await editor.until(lambda: editor.asked)
    watches = editor.can("workspace.did_change_watched_files.dynamic_registration")
    if watches:
        await editor.until(lambda: editor.registered)
    assert [one.method for one in editor.registered] == ([lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES] if watches else [])
    assert [item.section for one in editor.configurations for item in one.items] == (
        ["mino"] if editor.can("workspace.configuration") else []
    )
    assert len(editor.asked) == bool(editor.can("window.show_message"))
    await editor.leave()


async def test_what_the_section_says_counts_from_the_start(editors: Any, root: Path) -> None:
    editor: Editor = await editors(trust="none", section={"inlayHints": {"enabled": 3}, "device": "cuda:2"})
    await editor.until(lambda: editor.messages)
    assert editor.messages[0].message.startswith("The setting mino.inlayHints.enabled is 3;")
    lens, _ = await editor.open(root / "lens.hy", "(defmain [] 1)").lenses()
    assert lens.command is not None and lens.command.title == "▶ Run on cuda:2"
    # The same mistake, told again with another setting, is not complained of again.
    editor.settings = {"inlayHints": {"enabled": 3}, "device": "cuda:1"}
    editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(None))
    document = editor.open(root / "lens.hy", "(defmain [] 1)")
    await editor.until(lambda: len(editor.configurations) == 2)
    while (await document.lenses())[0].command.title != "▶ Run on cuda:1":  # type: ignore[union-attr]
        pass
    assert len(editor.messages) == 1
    await editor.leave()
