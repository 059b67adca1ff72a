"""mino.run: the file as saved, on the configured device, with its output in order, and cancelled when asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from .editor import EXAMPLES, SECONDS, Editor, capabilities, plain
from .processes import appeared, gone, marked, marker

FEED_FORWARD = (EXAMPLES / "feed_forward.hy").read_text("utf-8")


@pytest.fixture(scope="module")
def example(root: Path) -> Path:
    path = root / "feed_forward.hy"
    path.write_text(FEED_FORWARD, "utf-8")
    return path


def program(root: Path, text: str, name: str = "program.hy") -> dict[str, str]:
    """The arguments of a run of this text."""
    path = root / name
    path.write_text(text, "utf-8")
    return {"uri": path.as_uri()}


def printed(editor: Editor, run: int, stream: str = "stdout") -> str:
    return "".join(output.text for output in editor.outputs if (output.run, output.stream) == (run, stream))


async def check(editor: Editor, arguments: dict[str, Any], code: int, out: str, *blamed: tuple[str, str]) -> Any:
    """Run a program; `out` is what it prints after the line that names the device."""
    answer = await editor.execute("mino.run", arguments)
    assert answer["exitCode"] == code, (answer, printed(editor, answer["run"], "stderr"))
    first, _, rest = printed(editor, answer["run"]).partition("\n")
    assert first.startswith("Running ") and first.endswith(f" on {answer['device']}")
    assert rest == out
    lines = Path(arguments["uri"].removeprefix("file://")).read_text("utf-8").split("\n")
    found = []
    for problem in answer["problems"]:
        start, end = problem["range"]["start"], problem["range"]["end"]
        assert start["line"] == end["line"]
        found.append((problem["code"], lines[start["line"]][start["character"] : end["character"]]))
    assert found == list(blamed)
    return answer


def epochs(text: str) -> list[int]:
    return [int(line.split()[1]) for line in text.splitlines() if line.startswith("Epoch:")]


async def test_the_example(editor: Editor, example: Path) -> None:
    answer = await editor.execute("mino.run", {"uri": example.as_uri()})
    assert answer["exitCode"] == 0 and answer["stopped"] is False and answer["problems"] == []
    assert answer["seconds"] > 0 and answer["peakMemoryBytes"] > 10_000_000
    lines = printed(editor, answer["run"]).splitlines()
    assert lines[:3] == [f"Running feed_forward.hy on {answer['device']}", "Loading Model + Data...", "Training..."]
    assert epochs("\n".join(lines)) == list(range(100)) and len(lines) == 103
    assert not editor.log_messages
    assert [status["state"] for status in editor.statuses if status["state"] in ("running", "idle")][-2:] == [
        "running",
        "idle",
    ]


async def test_progress_begins_and_ends(editor: Editor, root: Path) -> None:
    before = set(editor.progress_reports)
    text = '(import time)\n(for [i (range 5)] (print "at" i) (time.sleep 0.1))'
    await check(editor, program(root, text), 0, "".join(f"at {i}\n" for i in range(5)))
    (token,) = set(editor.progress_reports) - before
    told = editor.progress_reports[token]
    begin, *reports, end = told
    assert isinstance(begin, lsp.WorkDoneProgressBegin) and begin.title == "Running program.hy" and begin.cancellable
    assert isinstance(end, lsp.WorkDoneProgressEnd) and "exit code 0" in (end.message or "")
    assert reports and all(isinstance(report, lsp.WorkDoneProgressReport) for report in reports)
    assert " s · at " in str(reports[0].message)


async def test_output_as_log_messages_where_the_client_knows_no_other(editors: Any, example: Path) -> None:
    editor = await editors(can=capabilities(output=False, work_done_progress=False))
    answer = await editor.execute("mino.run", {"uri": example.as_uri()})
    assert answer["exitCode"] == 0
    assert epochs("\n".join(message.message for message in editor.log_messages)) == list(range(100))
    assert not editor.outputs and not editor.progress_reports
    assert all(message.type == lsp.MessageType.Log for message in editor.log_messages)


@pytest.mark.parametrize(
    ("text", "code", "out", "blamed"),
    [
        ("", 0, "", []),
        ("(import sys)\n(sys.exit 7)", 7, "", []),
        ('(import sys)\n(sys.exit "no")', 1, "", []),
        ("(print 1)\n(/ 1 0)\n(print 2)", 1, "1\n", [("exception", "(/ 1 0)")]),
        ("(print 1)\n(f", 1, "1\n", [("syntax", "f")]),
        ("(print __name__ (input))", 1, "", [("run-input", "(input)")]),
        ("(import os)\n(os.kill (os.getpid) 9)", 137, "", [("crash", "(os.kill (os.getpid) 9)")]),
        ("(import os)\n(os.abort)", 134, "", [("crash", "(os.abort)")]),
        ("(import os)\n(os._exit 5)", 5, "", []),
        ('(print "a\\rb" :end "") (print "é→𝒳")', 0, "a\rbé→𝒳\n", []),
        ('(import sys)\n(.write sys.stdout.buffer b"\\xff\\n")', 0, "\ufffd\n", []),
    ],
)
async def test_ends(editor: Editor, root: Path, text: str, code: int, out: str, blamed: list[tuple[str, str]]) -> None:
    await check(editor, program(root, text), code, out, *blamed)


async def test_the_one_environment(editors: Any, root: Path) -> None:
    """The working folder, the arguments and the environment are those of `hy FILE` in the workspace."""
    (root / "below").mkdir(exist_ok=True)
    (root / "below" / "beside.hy").write_text("(setv told 42)", "utf-8")
    settings = {"run": {"args": ["a", "b c"], "env": {"MINO_TEST_WORD": "told"}}}
    editor = await editors(settings=settings)
    text = (
        "(import os sys beside)\n"
        "(print __name__ (= (os.getcwd) (os.path.dirname (os.path.dirname __file__))) (get sys.argv (slice 1 None))"
        ' (os.environ.get "MINO_TEST_WORD") beside.told)\n'
    )
    arguments = program(root / "below", text)
    await check(editor, arguments, 0, "__main__ True ['a', 'b c'] told 42\n")
    assert await editor.leave() == 0


async def test_the_arguments_of_one_run(editor: Editor, root: Path) -> None:
    arguments = program(root, "(import sys) (print (get sys.argv (slice 1 None)))")
    await check(editor, {**arguments, "args": ["a", 2]}, 0, "['a', '2']\n")
    await check(editor, arguments, 0, "[]\n")


async def test_a_flood_of_output_comes_whole_and_in_order(editor: Editor, root: Path) -> None:
    text = '(for [i (range 30000)] (print i (* "x" 60)))'
    arguments = program(root, text)
    answer = await editor.execute("mino.run", arguments)
    lines = printed(editor, answer["run"]).splitlines()[1:]
    assert [int(line.split()[0]) for line in lines] == list(range(30000))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, 'The command takes an object with a "uri".'),
        ({"uri": 7}, 'The command takes an object with a "uri".'),
        ({"uri": "file:///no/such.hy"}, "/no/such.hy is not a file. Save the document first"),
        ({"uri": "untitled:Untitled-1"}, "is not a file. Save the document first"),
        ({"uri": "PROGRAM", "device": 3}, '"device" is 3; it must be a str'),
        ({"uri": "PROGRAM", "args": "x"}, "\"args\" is 'x'; it must be a list"),
    ],
)
async def test_refused(editor: Editor, root: Path, arguments: dict[str, Any], told: str) -> None:
    canary = root / "ran"
    real = program(root, f'(open "{canary}" "w")')["uri"]
    if arguments.get("uri") == "PROGRAM":
        arguments = {**arguments, "uri": real}
    assert told in await editor.refusal("mino.run", arguments)
    assert not canary.exists()


# ---- cancelling

FOREVER = """\
(import os subprocess sys time)
(setv word "{word}")
(subprocess.Popen ["sh" "-c" (+ "sleep 1000; echo " word)])
(when (= (os.fork) 0)
  (os.setsid)
  (when (= (os.fork) 0)
    (os.execvp "sh" ["sh" "-c" (+ "sleep 1000; echo " word)]))
  (os._exit 0))
(print "ready" :flush True)
(time.sleep 1000)
"""


async def started(editor: Editor, root: Path) -> tuple[asyncio.Task[Any], str, str]:
    """A run that never ends, with a child and an orphan in a session of its own: (its request, a word, its id)."""
    word = marker()
    identity = f"run-{word}"
    params = lsp.ExecuteCommandParams("mino.run", [program(root, FOREVER.format(word=word), "forever.hy")])
    seen = len(editor.outputs)
    running = asyncio.ensure_future(
        editor.protocol.send_request_async("workspace/executeCommand", params, msg_id=identity)
    )
    await editor.until(lambda: any("ready" in output.text for output in editor.outputs[seen:]))
    await appeared(word, 2)
    return running, word, identity


async def test_cancelled_by_its_progress(editor: Editor, root: Path) -> None:
    before = set(editor.progress_reports)
    running, word, _ = await started(editor, root)
    (token,) = set(editor.progress_reports) - before
    editor.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
    answer = plain(await asyncio.wait_for(running, SECONDS))
    assert answer["stopped"] is True and answer["exitCode"] != 0
    assert not marked(word)
    assert "stopped" in str(editor.progress_reports[token][-1].message)


async def test_cancelled_by_the_request(editor: Editor, root: Path) -> None:
    running, word, identity = await started(editor, root)
    editor.cancel_request(lsp.CancelParams(identity))
    with pytest.raises((JsonRpcException, asyncio.CancelledError)):
        await asyncio.wait_for(running, SECONDS)
    assert await gone(*marked(word))
    # and the file can be run again
    running, word, _ = await started(editor, root)
    await editor.execute("mino.stop", {})
    await asyncio.wait_for(running, SECONDS)


async def test_one_run_a_file(editor: Editor, root: Path) -> None:
    running, word, _ = await started(editor, root)
    arguments = {"uri": (root / "forever.hy").as_uri()}
    assert "is running already. Stop it first (command mino.stop)." in await editor.refusal("mino.run", arguments)
    other = program(root, '(print "other")', "other.hy")
    await check(editor, other, 0, "other\n")
    assert marked(word)
    await editor.execute("mino.stop", {})
    assert plain(await asyncio.wait_for(running, SECONDS))["stopped"] is True and not marked(word)
