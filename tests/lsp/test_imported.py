"""Several files: what one preview tells of the files that it imports, saved or not, open or not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from mino_lsp.cli import Terminal
from mino_lsp.uris import path_of
from mino_lsp.workspace import Workspace

from .editor import SECONDS, Document, Editor

LAYERS = """\
(require mino.mu * mino.thread *)
(defmu Scale [x weights]
  (-> x (@ weights)))
"""
TRAIN = """\
(import torch layers [Scale])
(setv y ((Scale :weights (torch.ones 4 3)) (torch.ones 5 4)))
"""


def opened(editor: Editor, folder: Path, name: str, text: str, saved: str | None = None) -> Document:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text if saved is None else saved, "utf-8")
    return editor.open(folder / name, text)


async def shows(document: Document, shape: str) -> None:
    """Wait until hovering `y` shows a shape."""
    async with asyncio.timeout(SECONDS):
        while shape not in await document.hover("y", 1):
            await asyncio.sleep(0.05)


async def test_a_file_shows_the_shapes_of_what_imports_it(editor: Editor, root: Path) -> None:
    layers = await opened(editor, root / "a", "layers.hy", LAYERS).previewed()
    assert await layers.hints() == []
    train = await opened(editor, root / "a", "train.hy", TRAIN).previewed()
    assert await layers.hints() == [("(-> x (@ weights)))", "→ [5 3]")]
    assert "preview of train.hy" in await layers.hover("weights", 1)
    train.close()
    await editor.until(lambda: True)
    assert await layers.hints() == []
    layers.close()


async def test_an_unsaved_change_is_seen_by_what_imports_it(editor: Editor, root: Path) -> None:
    layers = await opened(editor, root / "b", "layers.hy", LAYERS).previewed()
    train = await opened(editor, root / "b", "train.hy", TRAIN).previewed()
    await shows(train, "[5 3]")
    layers.replace("(@ weights)", "(@ weights) (.sum :dim 0)")
    await shows(train, "[3]")
    await hinted(layers, [("(-> x (@ weights) (.sum :dim 0)))", "→ [3]")])
    layers.replace("(.sum :dim 0)", "(.sum :dim 0")  # half-typed: the file as it was saved
    train.replace("5 4", "6 4")
    await shows(train, "[6 3]")
    train.close()
    layers.close()


async def test_an_error_in_an_imported_file_is_shown_there(editor: Editor, root: Path) -> None:
    wrong = LAYERS.replace("(@ weights)", "(@ (.t weights))")
    layers = await opened(editor, root / "c", "layers.hy", wrong).previewed()
    train = await opened(editor, root / "c", "train.hy", TRAIN).previewed()
    assert [at for _, at in await train.blamed()] == ["((Scale :weights (torch.ones 4 3)) (torch.ones 5 4))"]
    (found,) = await layers.diagnostics()
    assert layers.slice(found.range) == "(@ (.t weights))"
    assert found.message.endswith("(In the preview of train.hy.)")
    layers.replace("(.t weights)", "weights")
    await shows(train, "[5 3]")
    async with asyncio.timeout(SECONDS):
        while await layers.diagnostics() or await train.diagnostics():
            await asyncio.sleep(0.05)
    train.close()
    layers.close()


async def test_an_error_in_a_python_file_that_is_not_open_is_published(editor: Editor, root: Path) -> None:
    folder = root / "d"
    folder.mkdir()
    tools = folder / "tools.py"
    tools.write_text("def broken(x):\n    return x @ x\n", "utf-8")
    train = opened(editor, folder, "train.hy", "(import torch tools)\n(tools.broken (torch.ones 2 3))\n")
    await train.previewed()
    uri = tools.as_uri()
    (found,) = await editor.until(lambda: editor.diagnostics.get(uri))
    assert (found.range.start.line, found.range.start.character, found.range.end.character) == (1, 11, 16)
    train.replace("2 3", "2 2")
    await editor.until(lambda: not editor.diagnostics.get(uri))
    train.close()


async def hinted(document: Document, shown: list[tuple[str, str]]) -> None:
    """Wait until these are the hints."""
    async with asyncio.timeout(SECONDS):
        while await document.hints() != shown:
            await asyncio.sleep(0.05)


def on_disk(editor: Editor, path: Path, text: str | None) -> None:
    """Write or delete a file that is not open, and tell the server as an editor does."""
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    kind = lsp.FileChangeType.Deleted if text is None else lsp.FileChangeType.Changed
    change = lsp.FileEvent(path.as_uri(), kind)
    editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([change]))


async def test_a_file_shows_the_shapes_of_one_that_calls_it_and_is_not_open(editor: Editor, root: Path) -> None:
    train = root / "f" / "train.hy"
    on_disk(editor, train, TRAIN)
    on_disk(editor, root / "f" / "apart.hy", "(import layers) (setv Scale 1) (/ 1 0)")
    on_disk(editor, root / "f" / "half.hy", "(import layers [Scale]) (Scale")
    layers = await opened(editor, root / "f", "layers.hy", LAYERS).previewed()
    await hinted(layers, [("(-> x (@ weights)))", "→ [5 3]")])
    assert "preview of train.hy" in await layers.hover("weights", 1)
    layers.replace("(@ weights)", "(@ weights) (.sum :dim 0)")  # not saved
    await hinted(layers, [("(-> x (@ weights) (.sum :dim 0)))", "→ [3]")])
    on_disk(editor, train, TRAIN.replace("4 3", "4 7"))
    await hinted(layers, [("(-> x (@ weights) (.sum :dim 0)))", "→ [7]")])
    here = editor.open(train, TRAIN.replace("4 3", "4 8"))  # as it is in the editor, from now on
    await hinted(layers, [("(-> x (@ weights) (.sum :dim 0)))", "→ [8]")])
    here.close()
    await hinted(layers, [("(-> x (@ weights) (.sum :dim 0)))", "→ [7]")])
    assert not editor.diagnostics.get(train.as_uri())
    on_disk(editor, train, None)
    await hinted(layers, [])
    layers.close()


async def test_a_file_that_shows_shapes_of_its_own_needs_no_other(editor: Editor, root: Path) -> None:
    on_disk(editor, root / "g" / "train.hy", TRAIN)
    own = "(import torch)\n(setv y ((Scale :weights (torch.ones 4 3)) (torch.ones 9 4)))\n"
    layers = await opened(editor, root / "g", "layers.hy", LAYERS + own).previewed()
    assert await layers.hints() == [("(-> x (@ weights)))", "→ [9 3]")]
    layers.replace(own, "")
    await hinted(layers, [("(-> x (@ weights)))", "→ [5 3]")])
    layers.close()


async def test_callers_are_found_again_when_all_begins_anew(editor: Editor, root: Path) -> None:
    for name in ("one", "two"):
        on_disk(editor, root / "i" / f"{name}.hy", TRAIN)
    layers = await opened(editor, root / "i", "layers.hy", LAYERS).previewed()
    shown = [("(-> x (@ weights)))", "→ [5 3]")]
    await hinted(layers, shown)
    await editor.execute("mino.restart", {})
    await hinted(layers, shown)
    layers.replace("(@ weights)", "(@ weights) (.sum :dim 0)")
    await hinted(layers, [("(-> x (@ weights) (.sum :dim 0)))", "→ [3]")])
    layers.close()


async def test_a_file_that_is_not_to_be_previewed_is_not(editor: Editor, root: Path) -> None:
    on_disk(editor, root / "h" / "train.hy", f";; mino: preview off\n{TRAIN}")
    layers = await opened(editor, root / "h", "layers.hy", LAYERS).previewed()
    on_disk(editor, root / "h" / "other.hy", TRAIN.replace("5 4", "6 4"))
    await hinted(layers, [("(-> x (@ weights)))", "→ [6 3]")])
    layers.close()


async def test_the_end_is_no_reason_to_look_for_callers(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.hy").write_text(TRAIN, "utf-8")
    workspace = Workspace(Terminal(), launched_trusted=True)
    workspace.roots.append(tmp_path)
    (tmp_path / "layers.hy").write_text(LAYERS, "utf-8")
    uri = (tmp_path / "layers.hy").as_uri()
    workspace.open(uri, 1, LAYERS)
    async with asyncio.timeout(SECONDS):
        while workspace.previews.report(uri) is None or not workspace.previews.report(uri).finished:
            await asyncio.sleep(0.05)
    await workspace.find_callers(uri)
    assert (tmp_path / "one.hy").as_uri() in workspace.callers
    await workspace.shut_down()
    assert not any((tmp_path / f"{name}.hy").as_uri() in workspace.callers for name in ("one", "two"))


@pytest.mark.parametrize("name", ["first_part", "first-part"])
async def test_a_preview_is_given_the_documents_that_it_may_import(tmp_path: Path, name: str) -> None:
    """Not the others: a change in one of those would have it begin from nothing."""
    workspace = Workspace(Terminal())
    workspace.roots.append(tmp_path)
    texts = {
        "main.hy": f"(import {name} broken)",
        "first_part.hy": "(import nets)",
        "nets/__init__.hy": "(setv a 1)",
        "other.hy": "(setv b 2)",
        "broken.hy": "(import first-part",
    }
    for file, text in texts.items():
        workspace.open((tmp_path / file).as_uri(), 1, text)
    main = workspace.snapshot((tmp_path / "main.hy").as_uri())
    assert main is not None
    given = [path_of(other.uri).removeprefix(f"{tmp_path}/") for other in workspace.importable(main)]
    assert given == ["first_part.hy", "nets/__init__.hy"]
    await workspace.shut_down()
