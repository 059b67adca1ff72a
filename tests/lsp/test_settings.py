"""Settings: from the start, by the client's section, at once; what cannot be used is said and passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from mino_lsp.settings import Settings, merge

from .editor import Editor


def check(told: object, complaints: int, **expected: Any) -> None:
    """The settings that differ from the defaults, and how many sentences of complaint there are."""
    settings, said = merge(Settings(), told)
    limits = {name: expected.pop(name) for name in list(expected) if hasattr(Settings().limits, name)}
    assert {name: getattr(settings, name) for name in expected} == expected
    assert {name: getattr(settings.limits, name) for name in limits} == limits
    assert len(said) == complaints and all(sentence.endswith("It was passed over.") for sentence in said), said
    if not expected and not limits:
        assert settings == Settings()


@pytest.mark.parametrize(
    ("told", "complaints", "expected"),
    [
        (None, 0, {}),
        ("nonsense", 0, {}),
        ([1], 0, {}),
        ({}, 0, {}),
        ({"unknown": 1, "preview": 3, "run": []}, 0, {}),
        ({"trust": "full"}, 0, {"trust": "full"}),
        ({"trust": "yes"}, 1, {}),
        ({"trust": True}, 1, {}),
        ({"device": "cuda:1", "python": "/p"}, 0, {"device": "cuda:1", "python": "/p"}),
        ({"device": None}, 0, {}),
        ({"device": 3, "python": ["x"]}, 2, {}),
        ({"run": {"args": ["a", 1], "cwd": "c"}}, 0, {"args": ("a", "1"), "cwd": "c"}),
        ({"run": {"env": {"A": 1}}}, 0, {"env": {"A": "1"}}),
        ({"run.args": ["a"]}, 0, {"args": ("a",)}),
        ({"run": {"args": "a"}}, 1, {}),
        ({"run": {"nproc": 2, "torchrun": ["--x"], "prefix": ["nice"], "again": "replace"}}, 0,
         {"nproc": 2, "torchrun": ("--x",), "prefix": ("nice",), "again": "replace"}),
        ({"run": {"nproc": 0}}, 0, {"nproc": 1}),
        ({"run": {"nproc": "2", "prefix": "nice -n 3", "again": "never"}}, 3, {}),
        ({"preview": {"mode": "onSave"}}, 0, {"preview": "onSave"}),
        ({"preview": {"mode": "sometimes"}}, 1, {}),
        ({"preview": {"debounce": 200}}, 0, {"debounce": 0.2}),
        ({"preview": {"debounce": "adaptive"}}, 0, {}),
        ({"preview": {"debounce": "slow"}}, 1, {}),
        ({"preview": {"unconfined": True}}, 0, {"unconfined": True}),
        ({"inlayHints": {"enabled": False}}, 0, {"inlay_hints": False}),
        ({"inlayHints": {"enabled": 1}}, 1, {}),
        ({"inlayHints": {"steps": False, "components": True, "bindings": "on"}}, 1,
         {"hinted_steps": False, "hinted_components": True}),
        ({"format": {"bodies": ["m"]}}, 0, {"bodies": ("m",)}),
        ({"format": {"bodies": "m"}}, 1, {}),
        ({"preview": {"cpu": 2, "time": 1.5, "memory": 10**9, "output": 7}}, 0,
         {"cpu": 2, "wall": 1.5, "memory": 10**9, "output": 7}),
        ({"preview": {"cpu": 0, "time": 0}}, 0, {"cpu": 1, "wall": 0.1}),
        ({"preview": {"cpu": 10**30}}, 0, {"cpu": 2**60}),
        ({"preview": {"cpu": -1, "time": "2", "memory": True, "output": [1]}}, 4, {}),
        (json.loads('{"preview": {"cpu": NaN, "time": Infinity, "memory": -Infinity, "output": 1e999}}'), 4, {}),
    ],
)  # fmt: skip
def test_merging(told: object, complaints: int, expected: dict[str, Any]) -> None:
    check(told, complaints, **expected)


def test_what_is_told_later_is_laid_over_what_was_told_before() -> None:
    settings, _ = merge(Settings(), {"device": "cpu", "run": {"args": ["a"]}})
    settings, _ = merge(settings, {"device": "cuda"})
    assert (settings.device, settings.args) == ("cuda", ("a",))


TEXT = "(import torch)\n(require mino.thread *)\n(setv a (-> (torch.ones 3) (+ 1)))\n"


async def test_a_complaint_is_shown_and_the_default_kept(editors: Any, root: Path) -> None:
    editor: Editor = await editors(settings={"device": 7, "preview": {"mode": "off"}})
    assert await editor.until(lambda: [message.message for message in editor.messages]) == [
        "The setting mino.device is 7; it must be a string. It was passed over."
    ]
    assert (await editor.execute("mino.devices", {}))["configured"] == "auto"
    document = editor.open(root / "off.hy", TEXT)
    assert "previews are switched off" in await document.hover("a (")


@pytest.mark.parametrize("carried", [True, False])
async def test_a_change_acts_at_once(editor: Editor, root: Path, carried: bool) -> None:
    """Whether the client sends the settings along or is asked for its section."""
    document = editor.open(root / "main.hy", TEXT)
    await document.previewed()
    assert [label for _, label in await document.hints()] == ["→ [3]"]

    def change(told: dict[str, Any]) -> None:
        editor.settings = told
        params = lsp.DidChangeConfigurationParams({"mino": told} if carried else None)
        editor.workspace_did_change_configuration(params)

    editor.refreshes.clear()
    change({"inlayHints": {"enabled": False}})
    await editor.until(lambda: editor.refreshes["workspace/inlayHint/refresh"])
    assert await document.hints() == []
    editor.refreshes.clear()
    change({"inlayHints": {"enabled": True}, "device": "cuda:3", "preview": {"mode": "onSave"}})
    await editor.until(lambda: editor.refreshes["workspace/inlayHint/refresh"])
    assert len(await document.hints()) == 1
    # only on saving, now
    document.replace("ones 3", "ones 4")
    assert "Changed since" in await document.hover("a (")
    document.save()
    await document.previewed()
    assert "`[4]`" in await document.hover("a (")
    assert (await editor.execute("mino.devices", {}))["configured"] == "cuda:3"
    assert not editor.messages
    change({"device": "auto", "preview": {"mode": "onType"}})


async def test_what_is_no_longer_set_is_as_it_was_at_the_start(editors: Any, root: Path) -> None:
    editor: Editor = await editors(settings={"device": "cuda:1", "trust": "full"})

    async def configured(told: Any) -> str:
        editor.settings = told
        editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"mino": told}))
        return str((await editor.execute("mino.devices", {"uri": (root / "a.hy").as_uri()}))["configured"])

    assert await configured({"device": "cpu", "run": {"args": ["a"]}}) == "cpu"
    assert await configured({"run": {"args": ["a"]}}) == "cuda:1"


async def test_a_program_need_not_be_run_by_its_previews(editors: Any, root: Path) -> None:
    editor: Editor = await editors(settings={"trust": "full", "preview": {"main": False}})
    text = "(require hyrule [defmain])\n(import torch)\n(setv a (torch.ones 3))\n(defmain [] (setv b (torch.ones 4)))\n"
    document = editor.open(root / "a-program.hy", text + "(setv name __name__)")
    await document.previewed()
    assert "`[3]`" in await document.hover("a (")
    assert "`[4]`" not in await document.hover("b (")
    told = {"uri": document.uri, "scope": "toHere"}
    end = document.position(len(document.text))
    answer = await editor.execute("mino.eval", {**told, "position": {"line": end.line, "character": end.character}})
    assert answer["text"] == "None" and answer["problems"] == []
    document.rewrite(text + "__name__")
    end = document.position(len(document.text))
    answer = await editor.execute("mino.eval", {**told, "position": {"line": end.line, "character": end.character}})
    assert answer["text"] == '"a_program"'


async def test_settings_that_are_nothing(editors: Any) -> None:
    editor: Editor = await editors(trust="none")
    editor.settings = None  # type: ignore[assignment]
    for told in (None, 3, {"mino": None}, {"mino": 3}, {"other": {}}):
        editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(told))
    assert await editor.execute("mino.stop", {}) == {"stopped": []}
    assert not editor.messages
