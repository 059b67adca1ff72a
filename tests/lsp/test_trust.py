"""Trust: without it no line of a workspace is executed; it is asked for once, remembered for the user, and revocable.

Everything here would write a canary if it were executed: what is there at the end was.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from mino_lsp import trust

from .editor import Document, Editor, capabilities
from .processes import below

DOCUMENT = """\
(require mino.thread *)
(import torch)
(require beside [m])
(defmacro writes [] (canary "macro"))
(defreader r (canary "reader"))
(do-mac (canary "do-mac"))
(eval-when-compile (canary "eval-when-compile"))
(eval-and-compile (canary "eval-and-compile"))
(writes)
(m)
#r 1
(canary "top-level")
(setv x (-> (torch.ones 3) (+ 1)))
(require hyrule [defmain])
(defmain [] (canary "main"))
"""

PLANTED = ("beside", "torch", "hy", "hyrule", "mino", "numpy", "json", "sitecustomize", "usercustomize", "mino_lsp")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A workspace in which everything that a server might execute writes a canary."""
    folder = tmp_path / "workspace"
    (folder / ".venv" / "bin").mkdir(parents=True)
    canaries = folder / "canaries"
    canaries.mkdir()

    def writes(name: str) -> str:
        return f'(.close (open "{canaries}/{name}" "w"))'

    text = DOCUMENT
    for name in ("macro", "reader", "do-mac", "eval-when-compile", "eval-and-compile", "top-level", "main"):
        text = text.replace(f'(canary "{name}")', writes(name))
    (folder / "main.hy").write_text(text, "utf-8")
    for module in PLANTED:
        (folder / f"{module}.hy").write_text(f"{writes(module)}\n(defmacro m [] {writes(module)})", "utf-8")
        (folder / f"{module}.py").write_text(f"open(r'{canaries}/{module}-py', 'w').close()", "utf-8")
    for name in ("python", "python3", "hy", "mino", "mino-lsp"):
        program = folder / ".venv" / "bin" / name
        program.write_text(f"#!/bin/sh\n: > {canaries}/venv-{name}\nexit 1\n")
        program.chmod(0o755)
    (folder / ".venv" / "pyvenv.cfg").write_text(f"home = {folder}\n")
    settings = f'[tool.mino]\ntrust = "full"\npython = "{folder}/.venv/bin/python"\n'
    (folder / "pyproject.toml").write_text(settings, "utf-8")
    (folder / "mino").mkdir()
    (folder / "mino" / "trust.json").write_text(json.dumps({"folders": [str(folder)]}))
    return folder


def canaries(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "canaries").iterdir())


async def check(editor: Editor, folder: Path) -> Document:
    """Everything that can be asked is asked; nothing was executed, and what needs trust says so."""
    document = editor.open(folder / "main.hy", (folder / "main.hy").read_text("utf-8"))
    for place in ("torch)", "writes []", "(writes)", "(m)", "#r 1", "x (->", "(defmain"):
        told = await document.hover(place)
        assert not told or "not trusted to run (command `mino.trust`)" in told
    assert await document.hints() == []
    await document.lenses()
    assert (await document.expand("(-> (torch"))["text"] == "(+ (torch.ones 3) 1)"
    for call in ("(writes)", "(m)", "(do-mac", "(require beside", "(defmacro", "(eval-when-compile"):
        arguments = {"uri": document.uri, "position": document.place(call), "depth": "all"}
        assert "Without trust only macros of Mino's and hyrule's" in await editor.refusal("mino.expand", arguments)
    for depth in ("step", "one", "all"):
        assert (await document.expand("(defmain", depth=depth))["head"] == "defmain"
    arguments = {"uri": document.uri, "range": {"start": document.place("(writes)"), "end": document.place("(m)")}}
    assert "is not trusted to run" in await editor.refusal("mino.showPython", arguments)
    for command in ("mino.run", "mino.preview", "mino.devices"):
        told = await editor.refusal(command, {"uri": document.uri})
        assert told == f"The folder {folder} is not trusted to run (command mino.trust)."
    await editor.execute("mino.restart", {})
    document.replace("x (->", "x2 (->")
    document.save()
    assert (await document.expand("(-> (torch"))["text"] == "(+ (torch.ones 3) 1)"
    assert canaries(folder) == []
    return document


async def launched(editors: Any, planted: Path, tmp_path: Path, **options: Any) -> Editor:
    editor: Editor = await editors(root=planted, state=tmp_path / "state", **options)
    return editor


@pytest.mark.parametrize("how", ["cannot be asked", "dismissed", "not now", "none"])
async def test_nothing_is_executed(editors: Any, planted: Path, tmp_path: Path, how: str) -> None:
    can = capabilities(show_message=None) if how == "cannot be asked" else None
    answer = {"not now": trust.NOT_NOW}.get(how)
    editor = await launched(
        editors, planted, tmp_path, trust="none" if how == "none" else "ask", can=can, answer=answer
    )
    document = await check(editor, planted)
    assert len(editor.asked) == (1 if how in ("dismissed", "not now") else 0)
    # another document of the folder is no reason to ask again
    editor.open(planted / "beside.hy", "1")
    await document.hover("x2")
    assert len(editor.asked) <= 1
    await editor.leave()
    assert not (tmp_path / "state").exists()
    assert canaries(planted) == []


async def test_settings_of_the_workspace_choose_nothing(editors: Any, planted: Path, tmp_path: Path) -> None:
    """The client's section may hold what a workspace's own settings say: an interpreter, that nobody trusted."""
    settings = {"python": str(planted / ".venv" / "bin" / "python"), "run": {"env": {"PYTHONPATH": str(planted)}}}
    editor = await launched(editors, planted, tmp_path, trust="ask", settings=settings)
    await check(editor, planted)


async def test_the_question(editors: Any, tmp_path: Path) -> None:
    """It says what will happen, and where; yes is remembered in the user's state, and outlives the server."""
    folder, state = tmp_path / "workspace", tmp_path / "state"
    folder.mkdir()
    text = "(import torch)\n(setv x (torch.ones 3))"

    async def shown(editor: Editor) -> str:
        document = editor.open(folder / "main.hy", text)
        await document.previewed()
        return await document.hover("x (")

    editor = await editors(root=folder, state=state, trust="ask", answer=trust.TRUST)
    assert "`[3]`" in await shown(editor)
    (question,) = editor.asked
    assert str(folder) in question.message and "runs the code of the documents" in question.message
    assert [action.title for action in question.actions or []] == ["Trust this folder", "Not now"]
    await editor.leave()
    assert json.loads((state / "mino" / "trust.json").read_text())["folders"] == [str(folder.resolve())]
    assert sorted(path.name for path in folder.iterdir()) == []

    editor = await editors(root=folder, state=state, trust="ask", can=capabilities(show_message=None))
    assert "`[3]`" in await shown(editor) and not editor.asked
    # Revoked: what was learnt is gone at once, and is gone for the next server.
    document = editor.open(folder / "main.hy", text)
    await document.previewed()
    told = await editor.execute("mino.trust", {"uri": document.uri, "trusted": False})
    assert told == {"folder": str(folder), "trusted": False}
    assert "not trusted" in await document.hover("x (")
    assert "is not trusted" in await editor.refusal("mino.preview", {"uri": document.uri})
    document.replace("ones 3", "ones 4")
    assert "not trusted" in await document.hover("x (")
    await editor.leave()
    assert json.loads((state / "mino" / "trust.json").read_text())["folders"] == []

    editor = await editors(root=folder, state=state, trust="ask", answer=None)
    document = editor.open(folder / "main.hy", text)
    assert "not trusted" in await document.hover("x (")
    # Given by the command, it acts at once too.
    assert (await editor.execute("mino.trust", {}))["trusted"] is True
    await document.previewed()
    assert "`[3]`" in await document.hover("x (")


async def test_the_environment_of_a_trusted_folder_is_used(editors: Any, planted: Path, tmp_path: Path) -> None:
    """And then the planted interpreter is started: the canaries can sing."""
    (planted / ".venv" / "pyvenv.cfg").unlink()
    editor = await launched(editors, planted, tmp_path, trust="full")
    editor.open(planted / "main.hy", "1")
    await editor.until(lambda: editor.messages)
    assert canaries(planted) == ["venv-python"]
    assert "The worker ended before it could say what is wrong" in editor.messages[0].message


async def test_the_canaries_sing_where_they_may(editors: Any, planted: Path, tmp_path: Path) -> None:
    """The negative control: a run of the trusted document executes what `test_nothing_is_executed` says is not."""
    for name in ("torch", "hy", "hyrule", "mino", "numpy", "json", "mino_lsp", "sitecustomize", "usercustomize"):
        (planted / f"{name}.hy").unlink()
        (planted / f"{name}.py").unlink()
    (planted / "mino" / "trust.json").unlink()
    (planted / "mino").rmdir()
    editor = await launched(editors, planted, tmp_path, trust="full", settings={"python": sys.executable})
    uri = (planted / "main.hy").as_uri()
    assert "ended before it could say what is wrong" in await editor.refusal("mino.run", {"uri": uri})
    assert canaries(planted) == ["venv-python"]  # which the folder's own settings name
    (planted / "pyproject.toml").unlink()
    answer = await editor.execute("mino.run", {"uri": uri})
    assert answer["exitCode"] == 0, editor.outputs
    assert set(canaries(planted)) >= {"macro", "reader", "do-mac", "eval-when-compile", "top-level", "main", "beside"}


async def test_a_previewed_document_executes_and_cannot_write(editors: Any, tmp_path: Path) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    editor = await editors(root=folder, state=tmp_path / "state", trust="full")
    database = f'(import sqlite3)\n(.execute (sqlite3.connect "{folder}/c") "create table t (a)")'
    text = f'(open "{folder}/canary" "w")\n{database}'
    document = editor.open(folder / "main.hy", text)
    await document.previewed()
    assert [code for code, _ in await document.blamed()] == ["preview-refused"]
    assert list(folder.iterdir()) == []
    (worker,) = below(editor.pid)
    assert Path(os.readlink(f"/proc/{worker}/exe")).name.startswith("python")


async def test_bad_arguments(editors: Any, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    editor = await editors(root=folder, state=tmp_path / "state", trust="none")
    for told in (3, "yes", None, []):
        assert 'mino.trust takes {"uri", "trusted"' in await editor.refusal("mino.trust", {"trusted": told})
    await editor.leave()


@pytest.mark.parametrize(
    ("remembered", "folder", "trusted"),
    [
        (None, "/a/b", False),
        ("", "/a/b", False),
        ("{", "/a/b", False),
        ("[]", "/a/b", False),
        ('{"folders": 7}', "/a/b", False),
        ('{"folders": ["/a/b"]}', "/a/b", True),
        ('{"folders": ["/a/b"]}', "/a/b/c", True),
        ('{"folders": ["/a/b"]}', "/a", False),
        ('{"folders": ["/a/b"]}', "/a/bc", False),
        ('{"folders": ["/a/b"]}', "/a/b/../d", False),
    ],
)
def test_what_is_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, remembered: str | None, folder: str, trusted: bool
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if remembered is not None:
        trust.state_file().parent.mkdir()
        trust.state_file().write_text(remembered)
    assert trust.is_trusted(Path(folder)) is trusted


def test_a_link_is_trusted_as_what_it_leads_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("real", "other"):
        (tmp_path / name).mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    trust.remember(link, True)
    assert trust.is_trusted(tmp_path / "real")
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert not trust.is_trusted(link)
    assert trust.state_file().stat().st_mode & 0o077 == 0


def test_what_is_no_longer_trusted_is_not_trusted_because_of_a_folder_above(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for folder in ("/a", "/a/b", "/c"):
        trust.remember(Path(folder), True)
    trust.remember(Path("/a/b/d"), False)
    assert [trust.is_trusted(Path(folder)) for folder in ("/a/b/d", "/a/b", "/c")] == [False, False, True]


async def test_state_that_cannot_be_written(editors: Any, tmp_path: Path) -> None:
    """Trust for this session, and a warning; the command says why it failed."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (tmp_path / "state").write_text("a file where a folder should be")
    editor = await editors(root=folder, state=tmp_path / "state", trust="ask", answer=trust.TRUST)
    document = editor.open(folder / "main.hy", "(setv x [1])")
    await document.previewed()
    assert [message.type for message in editor.messages] == [lsp.MessageType.Warning]
    assert "could not be remembered" in editor.messages[0].message
    assert "`list`" in await document.hover("x [")
    # Taking trust back works at once, whether or not it can be remembered.
    assert "could not be written" in await editor.refusal("mino.trust", {"trusted": False})
    assert "not trusted" in await document.hover("x [")
