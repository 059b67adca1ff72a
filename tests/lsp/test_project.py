"""What `[tool.mino]` in a folder's pyproject.toml sets: laid over the client's settings, what runs only with trust."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from mino_lsp import project
from mino_lsp.cli import Terminal
from mino_lsp.settings import Settings
from mino_lsp.supervisor import Unavailable
from mino_lsp.workspace import Workspace

from .editor import Editor

ALL = """
[tool.mino]
trust = "full"
python = "/theirs"
device = "cuda:1"
[tool.mino.run]
args = ["a"]
env = {A = "1"}
cwd = "sub"
nproc = 2
prefix = ["nice"]
torchrun = ["--x"]
[tool.mino.preview]
mode = "off"
cpu = 3
unconfined = true
[tool.mino.inlayHints]
components = true
[tool.mino.diagnostics]
disable = ["arity"]
"""


def check(folder: Path, text: str | bytes, trusted: bool, complaints: list[str], **expected: Any) -> None:
    """What of the defaults the text changes, and what is said of the rest."""
    path = folder / "pyproject.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings, said = project.applied(Settings(), folder, trusted)
    assert said == [complaint.replace("FILE", str(path)) for complaint in complaints]
    default = Settings()
    names = (*expected, "trust", "python", "device", "args", "env", "cwd", "nproc", "prefix", "torchrun", "preview",
             "limits", "unconfined", "hinted_components", "disabled")  # fmt: skip
    assert {name: getattr(settings, name) for name in names} == {
        name: expected.get(name, getattr(default, name)) for name in names
    }


def test_of_a_folder_that_is_trusted(tmp_path: Path) -> None:
    """All but whether it is trusted, and whether previews may do without confinement."""
    settings, _ = project.applied(Settings(), tmp_path, trusted=True)
    assert settings == Settings()
    (tmp_path / "pyproject.toml").write_text(ALL)
    settings, said = project.applied(Settings(), tmp_path, trusted=True)
    assert said == [] and (settings.limits.cpu, settings.trust, settings.unconfined) == (3, "ask", False)
    limits = settings.limits
    check(tmp_path, ALL, True, [], python="/theirs", device="cuda:1", args=("a",), env={"A": "1"}, cwd="sub", nproc=2,
          prefix=("nice",), torchrun=("--x",), preview="off", limits=limits, hinted_components=True,
          disabled=("arity",))  # fmt: skip


def test_of_a_folder_that_is_not_trusted(tmp_path: Path) -> None:
    check(tmp_path, ALL, False, [], hinted_components=True, disabled=("arity",))


@pytest.mark.parametrize("trusted", [True, False])
def test_what_cannot_be_used_is_said(tmp_path: Path, trusted: bool) -> None:
    told = "FILE: the setting tool.mino.inlayHints.enabled is 'no'; it must be true or false. It was passed over."
    device = "FILE: the setting tool.mino.device is 3; it must be a string. It was passed over."
    text = '[tool.mino]\ndevice = 3\n[tool.mino.inlayHints]\nenabled = "no"'
    check(tmp_path, text, trusted, [device, told] if trusted else [told])
    check(tmp_path, "[tool.mino]\ndevice =", trusted, [
        "FILE cannot be read, so what it sets for Mino was passed over: Invalid value (at end of document)."
    ])  # fmt: skip
    check(tmp_path, b"\xff", trusted, [
        "FILE cannot be read, so what it sets for Mino was passed over: "
        "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte."
    ])  # fmt: skip
    for text in ("tool = 3", "[tool]\nmino = 3", "[tool.mino]\nrun = 3", "[project]\nname = 'x'"):
        check(tmp_path, text, trusted, [])
    check(tmp_path, "[tool.mino]\ndevise = 'cpu'\nnonsense = 1\n[tool.mino.run]\narg = []", trusted, [
        "FILE: there is no setting tool.mino.devise; did you mean device? It was passed over.",
        "FILE: there is no setting tool.mino.nonsense. It was passed over.",
        "FILE: there is no setting tool.mino.run.arg; did you mean run.args? It was passed over.",
    ])  # fmt: skip
    check(tmp_path, "[tool.mino.preview]\ndebounce = 'adaptive'", trusted, [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "main.hy").write_text('(import sys os)\n(print sys.argv (os.environ.get "A"))', "utf-8")
    return folder


def changed(editor: Editor, path: Path, text: str) -> None:
    """The file is written, and the client tells of it."""
    path.write_text(text)
    event = lsp.FileEvent(path.as_uri(), lsp.FileChangeType.Changed)
    editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))


async def test_a_run_is_as_the_project_says(editors: Any, folder: Path, tmp_path: Path) -> None:
    """Whatever the client says, in all of its documents, from when the file is there."""
    editor: Editor = await editors(root=folder, state=tmp_path, settings={"device": "cuda:3", "run": {"args": ["c"]}})
    uri = (folder / "main.hy").as_uri()
    changed(editor, folder / "pyproject.toml", '[tool.mino]\ndevice = "cpu"\nrun = {args = ["x"], env = {A = "1"}}')
    answer = await editor.execute("mino.run", {"uri": uri})
    out = "".join(output.text for output in editor.outputs if output.run == answer["run"])
    assert (answer["device"], answer["exitCode"]) == ("cpu", 0)
    assert out.splitlines()[1] == f"['{folder / 'main.hy'}', 'x'] 1"
    assert (await editor.execute("mino.devices", {"uri": uri}))["configured"] == "cpu"
    # What is chosen by hand holds against both.
    await editor.execute("mino.setDevice", {"device": "auto", "uri": uri})
    assert (await editor.execute("mino.status", {"uri": uri}))["device"] == "auto"


async def test_a_change_acts_at_once(editors: Any, folder: Path, tmp_path: Path) -> None:
    editor: Editor = await editors(root=folder, state=tmp_path)
    path = folder / "pyproject.toml"
    path.write_text('[tool.mino]\npreview = {mode = "off"}')
    document = editor.open(folder / "shapes.hy", "(import torch)\n(setv a (torch.ones 3))")
    assert "previews are switched off" in await document.hover("a (")
    changed(editor, path, "[tool.mino]\ndevice = 3")
    await document.previewed()
    assert "`[3]`" in await document.hover("a (")
    assert [message.message for message in editor.messages] == [
        f"{path}: the setting tool.mino.device is 3; it must be a string. It was passed over."
    ]


async def test_a_file_may_switch_its_previews_off(editors: Any, folder: Path, tmp_path: Path) -> None:
    """What was shown goes, and comes back with the comment's going."""
    editor: Editor = await editors(root=folder, state=tmp_path)
    document = editor.open(folder / "off.hy", ";; mino: preview off\n(import torch)\n(setv a (torch.ones 3))")
    told = "*No shapes: this file switches its previews off (`mino: preview off`).*"
    assert told in await document.hover("a (")
    document.replace("preview off", "preview on")
    await document.previewed()
    assert "`[3]`" in await document.hover("a (")
    document.replace("preview on", "preview off")
    assert told in await document.hover("a (")
    # One that is asked for is made.
    await editor.execute("mino.preview", {"uri": document.uri})
    assert "`[3]`" in await document.hover("a (")


@pytest.mark.parametrize("path", ["own/bin/python", "./own/bin/python"])
async def test_an_interpreter_of_the_folder_s_own(folder: Path, path: str) -> None:
    """By a relative path, wherever the server was started."""
    (folder / "own" / "bin").mkdir(parents=True)
    program = folder / "own" / "bin" / "python"
    program.write_text("#!/bin/sh\n: > $(dirname $0)/started\n")
    program.chmod(0o755)
    (folder / "pyproject.toml").write_text(f'[tool.mino]\npython = "{path}"')
    workspace = Workspace(Terminal(), launched_trusted=True)
    with pytest.raises(Unavailable, match="ended before it could say"):
        await workspace.worker(folder)
    assert (program.parent / "started").exists()
    await workspace.shut_down()


async def test_a_folder_that_is_added_is_that_of_its_documents(editors: Any, folder: Path, tmp_path: Path) -> None:
    """The working directory of their previews, and their settings."""
    editor: Editor = await editors(root=folder, state=tmp_path)
    other = tmp_path / "other"
    (other / "sub").mkdir(parents=True)
    (other / "pyproject.toml").write_text('[tool.mino.run]\nargs = ["x"]')
    document = editor.open(other / "sub" / "main.hy", "(import os sys)\n[(os.getcwd) (cut sys.argv 1 None)]")
    position = document.place("[(")

    async def told() -> str:
        return str((await editor.execute("mino.eval", {"uri": document.uri, "position": position}))["text"])

    assert await told() == f'["{other / "sub"}" []]'
    here = lsp.WorkspaceFolder(other.as_uri(), "other")
    for added, removed, expected in ([here], [], f'["{other}" ["x"]]'), ([], [here], f'["{other / "sub"}" []]'):
        event = lsp.WorkspaceFoldersChangeEvent(added, removed)
        editor.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))
        assert await told() == expected
