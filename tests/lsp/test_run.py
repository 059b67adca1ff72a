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
    assert any(" s · at " in str(report.message) for report in reports)


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
        ("(import io pickle) (pickle.load (io.BytesIO))", 1, "", [("exception", "(pickle.load (io.BytesIO))")]),
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
        ({"uri": "PROGRAM", "device": 3}, '"device" is 3; it must be a string'),
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


async def test_a_second_run_replaces_the_first(editors: Any, root: Path) -> None:
    """As configured, or as the user says when asked."""
    for editor in (
        await editors(settings={"run": {"again": "replace"}}),
        await editors(answer="Stop it and run again"),
    ):
        running, word, _ = await started(editor, root)
        path = root / "forever.hy"
        path.write_text('(print "second")', "utf-8")
        answer = await editor.execute("mino.run", {"uri": path.as_uri()})
        assert printed(editor, answer["run"]).endswith("second\n") and not marked(word)
        assert plain(await asyncio.wait_for(running, SECONDS))["stopped"] is True
    assert [asked.message for asked in editor.asked] == ["forever.hy is running already."]


async def test_a_run_that_is_to_go_on_is_left(editors: Any, root: Path) -> None:
    editor = await editors(answer="Leave it running")
    running, word, _ = await started(editor, root)
    told = await editor.refusal("mino.run", {"uri": (root / "forever.hy").as_uri()})
    assert told.endswith("forever.hy was left running.") and marked(word)
    await editor.execute("mino.stop", {})
    await asyncio.wait_for(running, SECONDS)


async def test_a_bar_s_percentage_is_the_progress_s(editor: Editor, root: Path) -> None:
    before = set(editor.progress_reports)
    text = '(import time)\n(for [i (range 4)] (print f"\\r{(* i 25)}%|##| {i}/4" :end "" :flush True) (time.sleep 0.4))'
    answer = await editor.execute("mino.run", program(root, text, "bar.hy"))
    assert answer["exitCode"] == 0
    first, second = sorted(set(editor.progress_reports) - before)
    begin, *reports, end = editor.progress_reports[second]
    assert begin.percentage == 0 and editor.progress_reports[first][0].percentage is None
    assert {report.percentage for report in reports} & {25, 50, 75}
    assert any("50 % · 50%|##| 2/4" in str(report.message) for report in reports)
    assert isinstance(editor.progress_reports[first][-1], lsp.WorkDoneProgressEnd) and "exit code 0" in end.message


async def test_output_by_rank(editor: Editor, root: Path) -> None:
    answer = await editor.execute("mino.run", {**program(root, '(print "here")', "two.hy"), "nproc": 2})
    told = dict.fromkeys((0, 1), "")
    for output in editor.outputs:
        if output.run == answer["run"]:
            told[output.rank] += output.text
    assert told == {rank: f"Running two.hy on cpu, process {rank} of 2\nhere\n" for rank in (0, 1)}


LEARNS = """\
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn)
(defmu Net [x weights unused]
  (-> x (@ weights)))
(defmain [#* _]
  (let [model (Net :weights (nn.Parameter (torch.full #(4 1) 0.5)) :unused (nn.Parameter (torch.ones 3)))
        optimizer (torch.optim.SGD (.parameters model) :lr 0.0)]
    (.backward (.sum (model (torch.ones 8 4))))
    (.step optimizer)
    (.zero-grad optimizer)
    (setv mask (torch.full #(2 2) (- (float "inf"))))
    (setv product (* mask 0))
    (print "done")))
"""


async def test_what_a_run_leaves(editor: Editor, root: Path) -> None:
    """The tree of its models, what its components hold, and a warning at the one that never learnt."""
    document = editor.open(root / "learns.hy", LEARNS)
    document.save()
    answer = await editor.execute("mino.run", {"uri": document.uri})
    (model,) = answer["models"]
    assert (model["name"], model["parameters"]) == ("Net", 7)
    assert document.slice(model["components"][0].pop("range")) == "weights"
    assert model["components"][0] == {
        "name": "weights",
        "kind": "parameter",
        "parameters": 4,
        "shape": [4, 1],
        "dtype": "float32",
        "components": [],
    }
    assert [problem["code"] for problem in answer["problems"]] == ["no-gradient"]
    shown = await document.hover("weights")
    assert "mean 0.5 · deviation 0 · from 0.5 to 0.5" in shown and "*from the run at " in shown
    found = [one for one in await document.diagnostics() if one.code == "no-gradient"]
    assert [document.slice(one.range) for one in found] == ["unused"]
    assert found[0].message.startswith("The parameter unused [3] of Net never got a gradient in this run")
    # until the document changes
    document.replace("done", "over")
    assert "from the run" not in await document.hover("weights")
    assert "no-gradient" not in [code for code, _ in await document.blamed()]


async def test_run_and_observe(editor: Editor, root: Path) -> None:
    document = editor.open(root / "observed.hy", LEARNS)
    document.save()
    answer = await editor.execute("mino.run", {"uri": document.uri, "observe": True})
    assert answer["exitCode"] == 0
    (nan, _) = answer["problems"]
    assert nan["code"] == "nan" and document.slice(nan["range"]) == "(* mask 0)"
    assert nan["message"] == "The first NaN was made here: 4 of 4 elements of [2 2]. What went in: [2 2] 4 infinite."
    related = [(document.slice(one["location"]["range"]), one["message"]) for one in nan["relatedInformation"]]
    assert related[-1][1] == "where the first infinity was made" and related[-1][0].startswith("(torch.full")
    shown = await document.hover("(@ weights)")
    assert "mean 2 · deviation 0 · from 2 to 2" in shown and "*from the run at " in shown


async def test_observing_finds_nothing_wrong_where_nothing_is(editor: Editor, root: Path) -> None:
    """A mask of infinities is no mistake."""
    text = '(import torch)\n(setv mask (torch.full #(2 2) (- (float "inf"))))\n(setv p (torch.exp mask))'
    answer = await editor.execute("mino.run", {**program(root, text, "mask.hy"), "observe": True})
    assert answer["problems"] == [] and answer["models"] == []


MEMORY = [
    ("(torch.ones 4000000000000)", "16 TB were to be allocated for a tensor"),
    ("(bytearray 4000000000000000)", "Memory ran out here: Python cannot tell for how much"),
    ("(numpy.ones 4000000000000)", "unable to allocate 29.1 TiB for an array with shape (4000000000000,)"),
]


@pytest.mark.parametrize(("form", "told"), MEMORY)
async def test_out_of_memory(editor: Editor, root: Path, form: str, told: str) -> None:
    arguments = program(root, f"(import numpy torch)\n{form}", "memory.hy")
    answer = await check(editor, arguments, 1, "", ("out-of-memory", form))
    message = answer["problems"][0]["message"]
    assert message.startswith("Memory ran out here: ") and told in message and "were free." in message
