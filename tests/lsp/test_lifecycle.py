"""The life of the server: begins once, ends with the exit code of the specification, outlives its worker, and keeps
its stream clean."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from .editor import COMMAND, SECONDS, Editor, launch
from .processes import appeared, below, gone, marked, marker
from .raw import Raw, framed, notification, request

NOT_INITIALIZED, INVALID_REQUEST, NOT_FOUND, INVALID_PARAMS, PARSE_ERROR = -32002, -32600, -32601, -32602, -32700
HOVER = {"textDocument": {"uri": "file:///w/a.hy"}, "position": {"line": 0, "character": 0}}


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Callable[..., Raw]]:
    """Starts servers that are spoken to in bytes."""
    started: list[Raw] = []

    def start(**options: Any) -> Raw:
        started.append(Raw(tmp_path, **options))
        return started[-1]

    yield start
    for server in started:
        server.kill()


def check(answer: Any, code: int, *told: str) -> None:
    """An answer is an error with this code, and its text has these parts."""
    assert answer["error"]["code"] == code, answer
    assert all(part in answer["error"]["message"] for part in told), answer


# ---- beginning and ending


def test_from_before_the_beginning_to_after_the_end(raw: Callable[..., Raw]) -> None:
    server = raw()
    check(server.ask(1, "textDocument/hover", HOVER), NOT_INITIALIZED, "not initialized")
    check(server.ask(2, "shutdown"), NOT_INITIALIZED)
    server.send(framed(b"nonsense"))
    check(server.answer(None), PARSE_ERROR)
    server.send(notification("textDocument/didOpen", {"textDocument": 7}), notification("initialized", {}))
    result = server.initialize()
    assert result["serverInfo"]["name"] == "mino-lsp"
    assert result["capabilities"]["positionEncoding"] == "utf-16"
    check(server.ask(3, "initialize", {"processId": None, "rootUri": None, "capabilities": {}}), INVALID_REQUEST)
    check(server.ask(4, "textDocument/hover", HOVER), INVALID_PARAMS, "file:///w/a.hy is not open")
    check(server.ask(5, "no/such", {"a": [1]}), NOT_FOUND, "no/such")
    check(server.ask(6, "workspace/executeCommand", {"command": "mino.no"}), INVALID_PARAMS, "no command 'mino.no'")
    server.send(notification("no/such", {"a": 1}), notification("$/unknown"))
    server.send(notification("$/cancelRequest", {"id": 12345}), notification("$/setTrace", {"value": "verbose"}))
    assert server.ask(7, "shutdown")["result"] is None
    check(server.ask(8, "textDocument/hover", HOVER), INVALID_REQUEST, "shutting down")
    check(server.ask(9, "shutdown"), INVALID_REQUEST)
    server.send(notification("textDocument/didOpen", {"textDocument": {}}), notification("exit"))
    assert server.exit_code() == 0
    assert "Traceback" not in server.stderr, server.stderr


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([notification("exit")], 1),
        ([request(1, "initialize", {"capabilities": {}, "processId": None, "rootUri": None}), notification("exit")], 1),
        ([b""], 1),
        ([b"Content-Length: 100\r\n\r\n{"], 1),
        ([request(1, "shutdown"), notification("exit")], 1),
    ],
)
def test_ends_without_a_shutdown(raw: Callable[..., Raw], messages: list[Any], code: int) -> None:
    server = raw()
    server.send(*messages)
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.exit_code() == code
    assert "Traceback" not in server.stderr, server.stderr


def test_the_version() -> None:
    told = subprocess.run([COMMAND, "--version"], check=True, capture_output=True, text=True, timeout=SECONDS).stdout
    assert told.strip().count(".") == 2


# ---- what a library would not send


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", PARSE_ERROR),
        (b"nonsense", PARSE_ERROR),
        (b"{", PARSE_ERROR),
        (b"\xff\xfe{}", PARSE_ERROR),
        (b"[" * 100_000, PARSE_ERROR),
        (b"[]", INVALID_REQUEST),
        (b"7", INVALID_REQUEST),
        (b"null", INVALID_REQUEST),
        (b'[{"jsonrpc": "2.0", "id": 3, "method": "shutdown"}]', INVALID_REQUEST),
        (b'{"id": null}', INVALID_REQUEST),
        (b"{}", INVALID_REQUEST),
    ],
)
def test_bodies_that_are_no_messages(raw_server: Raw, body: bytes, code: int) -> None:
    raw_server.send(framed(body))
    check(raw_server.answer(None), code)
    assert "result" in raw_server.ask(2, "workspace/executeCommand", {"command": "mino.stop"})


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"id": 1, "method": "textDocument/hover", "params": HOVER}, INVALID_REQUEST),
        ({"jsonrpc": "1.0", "id": 1, "method": "textDocument/hover", "params": HOVER}, INVALID_REQUEST),
        (request(1, 7, HOVER), INVALID_REQUEST),  # type: ignore[arg-type]
        (request(1, "textDocument/hover"), INVALID_PARAMS),
        (request(1, "textDocument/hover", []), INVALID_PARAMS),
        (request(1, "textDocument/hover", {"textDocument": 3}), INVALID_PARAMS),
        (request(1, "textDocument/hover", {**HOVER, "position": {"line": "x", "character": 0}}), INVALID_PARAMS),
        (request(1, "workspace/executeCommand", {"arguments": []}), INVALID_PARAMS),
        (request(1, "workspace/executeCommand", {"command": "mino.run", "arguments": [7]}), INVALID_PARAMS),
        (request(1, "workspace/executeCommand", {"command": "mino.run", "arguments": {}}), INVALID_PARAMS),
        (request(1, "workspace/executeCommand", {"command": "mino.stop", "arguments": [{"run": "x"}]}), INVALID_PARAMS),
        (request(1, "workspace/executeCommand", {"command": "mino.expand", "arguments": [{"uri": 1}]}), INVALID_PARAMS),
    ],
)
def test_every_request_answers(raw_server: Raw, message: dict[str, Any], code: int) -> None:
    raw_server.send(message)
    check(raw_server.answer(1), code)
    assert "result" in raw_server.ask(2, "workspace/executeCommand", {"command": "mino.stop"})


@pytest.fixture(scope="module")
def raw_server(root: Path) -> Iterator[Raw]:
    """One server for all that cannot harm it, and at its end the look that it did not."""
    server = Raw(root)
    server.initialize()
    yield server
    assert server.end() == 0
    assert "Traceback" not in server.stderr, server.stderr


def test_params_with_the_keys_of_a_message(raw_server: Raw) -> None:
    told = {"jsonrpc": "2.0", "id": 9, "method": "exit", "result": 1, "run": None}
    answer = raw_server.ask(1, "workspace/executeCommand", {"command": "mino.stop", "arguments": [told]})
    assert answer["result"] == {"stopped": []}
    check(raw_server.ask(2, "no/such", told), NOT_FOUND)


@pytest.mark.parametrize("identity", [0, -1, "", "é", 2**40, "9"])
def test_identities_come_back_as_they_were(raw_server: Raw, identity: Any) -> None:
    answer = raw_server.ask(identity, "workspace/executeCommand", {"command": "mino.stop"})
    assert answer["result"] == {"stopped": []}


def test_frames_in_pieces_and_with_other_headers(raw_server: Raw) -> None:
    def stop(identity: int) -> bytes:
        return json.dumps(request(identity, "workspace/executeCommand", {"command": "mino.stop"})).encode()

    typed = b"content-type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length: %d\r\n\r\n" % len(stop(1))
    raw_server.send(b"Junk: 1\r\n\r\n", typed + stop(1), framed(stop(2)) + framed(stop(3))[:30], framed(stop(3))[30:])
    assert [raw_server.answer(i)["result"] for i in (1, 2, 3)] == [{"stopped": []}] * 3


def test_a_lone_surrogate(raw_server: Raw) -> None:
    """Valid JSON, and no text: it is served all the same."""
    uri = "file:///w/surrogate.hy"
    raw_server.open(uri, '(setv x "\ud800") (f')
    published = raw_server.next()
    while published["method"] != "textDocument/publishDiagnostics" or published["params"]["uri"] != uri:
        published = raw_server.next()
    (found,) = published["params"]["diagnostics"]
    assert found["range"]["start"] == {"line": 0, "character": 13}
    change = {"range": {"start": {"line": 0, "character": 9}, "end": {"line": 0, "character": 10}}, "text": "\udc00"}
    identity = {"uri": uri, "version": 2}
    raw_server.send(notification("textDocument/didChange", {"textDocument": identity, "contentChanges": [change]}))
    hover = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 6}}
    assert "not trusted" in raw_server.ask(5, "textDocument/hover", hover)["result"]["contents"]["value"]


# ---- the stream is the protocol's


def test_a_print_in_the_server_does_not_reach_the_stream(raw: Callable[..., Raw], tmp_path: Path) -> None:
    """As a dependency of it might, or a C library."""
    code = (
        "import sys, os\n"
        "import mino_lsp.server as server\n"
        "begin = server.Server.begin\n"
        "def loud(self, params):\n"
        "    print('LOUD', flush=True); os.write(1, b'LOUDER'); os.system('echo LOUDEST')\n"
        "    assert sys.stdin.read() == ''\n"
        "    begin(self, params)\n"
        "server.Server.begin = loud\n"
        "from mino_lsp.__main__ import main\n"
        "main()\n"
    )
    program = tmp_path / "loud.py"
    program.write_text(code, "utf-8")
    server = raw(command=[sys.executable, str(program), "--stdio"])
    server.initialize()
    assert server.end() == 0
    assert all(word in server.stderr for word in ("LOUD", "LOUDER", "LOUDEST"))


async def test_a_print_in_a_document_does_not_reach_the_stream(editor: Editor, root: Path) -> None:
    text = '(import os)\n(print "LOUD")\n(os.write 1 b"LOUDER")\n(os.write 2 b"LOUDEST")\n(setv x 1)\n'
    document = editor.open(root / "loud.hy", text)
    await document.previewed()
    assert await document.hover("x 1") and not await document.diagnostics()
    assert "LOUD" not in editor.stderr


# ---- the worker's death, and the server's


def workers(editor: Editor) -> list[int]:
    """The server's workers; not what reads Python's packages for it."""
    return [pid for pid in below(editor.pid) if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_a_killed_worker_is_replaced(editors: Any, root: Path) -> None:
    editor = await editors()
    document = editor.open(root / "main.hy", "(setv x 1)")
    await document.previewed()
    word = marker()
    slow = root / "slow.hy"
    slow.write_text(
        f'(import os time) (setv (get os.environ "WORD") "{word}")\n(print "ready" :flush True)\n(time.sleep 1000)'
    )
    params = lsp.ExecuteCommandParams("mino.run", [{"uri": slow.as_uri()}])
    running = asyncio.ensure_future(editor.workspace_execute_command_async(params))
    await editor.until(lambda: any("ready" in output.text for output in editor.outputs))
    (worker,) = workers(editor)
    children = below(worker)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(JsonRpcException, match="The worker ended unexpectedly"):
        await asyncio.wait_for(running, SECONDS)
    assert await gone(*children, seconds=3)
    slow.write_text("(print 1)")
    assert (await editor.execute("mino.run", {"uri": slow.as_uri()}))["exitCode"] == 0
    document.rewrite("(import torch) (setv x (torch.ones 3))")
    await document.previewed()
    assert "`[3]`" in await document.hover("x (t")


async def test_nothing_outlives_a_killed_server(root: Path, state: Path) -> None:
    word = marker()
    editor = await launch(root, state, settings={"trust": "full"})
    path = root / "long.hy"
    text = (
        f'(import os time)\n(when (= (os.fork) 0) (os.setsid) (os.execvp "sh" ["sh" "-c" "sleep 1000; echo {word}"]))\n'
    )
    path.write_text(text + '(print "ready" :flush True) (time.sleep 1000)')
    params = lsp.ExecuteCommandParams("mino.run", [{"uri": path.as_uri()}])
    running = asyncio.ensure_future(editor.workspace_execute_command_async(params))
    document = editor.open(root / "sleeper.hy", "(import time)\n(time.sleep 1000)")
    await editor.until(lambda: any("ready" in output.text for output in editor.outputs))
    await editor.until(lambda: any(status["state"] == "previewing" for status in editor.statuses) or document)
    await appeared(word, 1)
    (worker,) = workers(editor)
    others = [worker, *below(worker), *marked(word)]
    assert len(others) >= 3
    os.kill(editor.pid, signal.SIGKILL)
    await editor.exited()
    # The processes end by themselves within three seconds; a busy machine gets more time to show it.
    assert await gone(*others, seconds=3 if os.getloadavg()[0] < 2 else 20)
    running.cancel()
    await editor.stop()


def test_a_server_does_not_go_on_for_a_client_that_went(raw: Callable[..., Raw]) -> None:
    """What waits to be answered is no reason to stay."""
    server = raw()
    server.initialize()
    text = "(print 1) " * 60_000
    document = {"uri": "file:///w/long.hy", "languageId": "hy", "version": 0, "text": text}
    server.send(notification("textDocument/didOpen", {"textDocument": document}))
    identity = {"textDocument": {"uri": document["uri"]}}
    for number in range(1, 100):
        change = {**identity["textDocument"], "version": number}
        server.send(
            notification("textDocument/didChange", {"textDocument": change, "contentChanges": [{"text": text}]})
        )
        server.send(request(number, "textDocument/documentSymbol", identity))
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.process.wait(SECONDS) == 1


# ---- editing


async def test_many_quick_edits_leave_one_preview(editor: Editor, root: Path) -> None:
    standing = {pid for worker in workers(editor) for pid in below(worker)}
    document = editor.open(root / "quick.hy", "(import torch)\n(setv x (torch.ones 1))\n")
    for size in range(2, 202):
        document.replace(f"ones {size - 1})", f"ones {size})")
    await document.previewed()
    assert "`[201]`" in await document.hover("x (")
    (worker,) = workers(editor)
    assert editor.reports[document.uri] == document.version
    # What the last one left to go on from, and what expands its macros, end with the document.
    left = set(below(worker)) - standing
    assert len(left) <= 3
    document.close()
    assert await gone(*left)


@pytest.mark.parametrize(
    ("start", "end", "new", "expected"),
    [
        ((0, 0), (999, 999), "z", "z"),
        ((999, 0), (999, 0), "z", "ab\ncdz"),
        ((0, 999), (1, 0), "-", "ab-cd"),
        ((0, 999), (0, 999), "z", "abz\ncd"),
        ((1, 999), (2**31 - 1, 2**31 - 1), "z", "ab\ncdz"),
        ((1, 1), (0, 1), "z", "ab\nczd"),
        ((0, 2), (1, 0), "", "abcd"),
    ],
)
async def test_edits_out_of_range_clamp(
    editor: Editor, root: Path, start: tuple[int, int], end: tuple[int, int], new: str, expected: str
) -> None:
    """What the server holds afterwards is seen in the range of an error behind it."""
    document = editor.open(root / "clamped.hy", "ab\ncd")
    range_ = lsp.Range(lsp.Position(*start), lsp.Position(*end))
    document.send_change(lsp.TextDocumentContentChangePartial(range_, new))
    # Put an opener at the very end: where it is found to stand is how long the text is.
    last = lsp.Position(expected.count("\n"), len(expected.rpartition("\n")[2]))
    document.send_change(
        lsp.TextDocumentContentChangePartial(lsp.Range(lsp.Position(9**9, 0), lsp.Position(9**9, 0)), "(")
    )
    (found,) = await document.diagnostics()
    assert (found.code, found.range.start) == ("unclosed", last)


async def test_changes_of_what_is_not_open(editor: Editor, root: Path) -> None:
    document = editor.open(root / "closed.hy", "(")
    document.close()
    document.rewrite("()")
    document.close()
    document.editor.text_document_did_save(lsp.DidSaveTextDocumentParams(document.identity))
    with pytest.raises(JsonRpcException, match="is not open"):
        await document.hover_at(lsp.Position(0, 0))


async def test_a_cancelled_request(editor: Editor, root: Path) -> None:
    """A preview that is asked for and no longer wanted is answered at once; others go on."""
    document = editor.open(root / "cancelled.hy", "(import time)\n(time.sleep 5)")
    params = lsp.ExecuteCommandParams("mino.preview", [{"uri": document.uri}])
    asking = asyncio.ensure_future(editor.protocol.send_request_async("workspace/executeCommand", params, msg_id="p"))
    assert await editor.execute("mino.stop") == {"stopped": []}
    editor.cancel_request(lsp.CancelParams("p"))
    with pytest.raises((JsonRpcException, asyncio.CancelledError)):
        await asyncio.wait_for(asking, SECONDS)
    document.close()
    assert await editor.execute("mino.stop") == {"stopped": []}


# ---- over a socket


def test_tcp_serves_one_connection_on_loopback(tmp_path: Path) -> None:
    process = subprocess.Popen([COMMAND, "--tcp", "0"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=tmp_path)
    try:
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        assert line.startswith("mino-lsp: listening on 127.0.0.1:")
        port = int(line.rsplit(":", 1)[1])
        listening = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines() if f":{port:04X} " in row]
        assert {row[1] for row in listening} == {f"0100007F:{port:04X}"}
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client, client.makefile("rb") as file:
            initialize = {
                "processId": None,
                "rootUri": None,
                "capabilities": {},
                "initializationOptions": {"trust": "full"},
            }
            client.sendall(framed(json.dumps(request(1, "initialize", initialize)).encode()))
            assert b'"mino-lsp"' in _read(file)
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
            client.sendall(framed(json.dumps(request(2, "shutdown")).encode()))
            assert json.loads(_read(file))["id"] == 2
            client.sendall(framed(json.dumps(notification("exit")).encode()))
            assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def _read(file: Any) -> bytes:
    length = 0
    while line := file.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return bytes(file.read(length))
