"""mino.stop: answers what was stopped, when every process of it is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from .editor import SECONDS, Editor, plain
from .processes import appeared, marked, marker

# Children that will not be interrupted, one of them in a session of its own.
PROGRAM = """\
(import os signal sys time)
{first}
(for [own [False True]]
  (when (= (os.fork) 0)
    (when own (os.setsid))
    (os.execvp "sh" ["sh" "-c" "trap '' INT TERM; sleep 1000; echo {word}"])))
(print "ready" :flush True)
(time.sleep 1000)
"""


STUBBORN = "(signal.signal signal.SIGINT signal.SIG_IGN)"


async def start(editor: Editor, root: Path, name: str, first: str = "") -> tuple[asyncio.Task[Any], str, int]:
    """A run that never ends: (its request, a word that its processes have, its number)."""
    word = marker()
    path = root / name
    path.write_text(PROGRAM.format(word=word, first=first), "utf-8")
    seen = len(editor.outputs)
    params = lsp.ExecuteCommandParams("mino.run", [{"uri": path.as_uri()}])
    running = asyncio.ensure_future(editor.workspace_execute_command_async(params))
    ready = await editor.until(lambda: [output for output in editor.outputs[seen:] if "ready" in output.text])
    await appeared(word, 2)
    return running, word, ready[0].run


async def check(editor: Editor, arguments: dict[str, Any], stopped: list[int]) -> None:
    assert await editor.execute("mino.stop", arguments) == {"stopped": stopped}


async def test_nothing_runs(editor: Editor) -> None:
    await check(editor, {}, [])
    await check(editor, {"run": 12345}, [])
    assert "\"run\" is 'x'; it must be a whole number" in await editor.refusal("mino.stop", {"run": "x"})


async def test_all_and_one(editor: Editor, root: Path) -> None:
    first, first_word, first_run = await start(editor, root, "stubborn.hy", STUBBORN)
    second, second_word, second_run = await start(editor, root, "other.hy")
    await check(editor, {"run": 99999}, [])
    await check(editor, {"run": first_run}, [first_run])
    assert not marked(first_word) and marked(second_word)
    answer = plain(await asyncio.wait_for(first, SECONDS))
    assert answer["stopped"] is True and answer["exitCode"] == 137
    await check(editor, {}, [second_run])
    assert not marked(second_word)
    assert plain(await asyncio.wait_for(second, SECONDS))["stopped"] is True
    await check(editor, {}, [])


async def test_the_end_of_the_server_is_the_end_of_its_runs(editors: Any, root: Path) -> None:
    editor = await editors()
    running, word, _ = await start(editor, root, "left.hy")
    assert await editor.leave() == 0
    assert not marked(word)
    running.cancel()
