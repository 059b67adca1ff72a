"""A client that sends bytes: for what no library would send."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

from .editor import COMMAND, SECONDS


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Raw:
    """A server and its streams. Answers are plain JSON."""

    def __init__(self, root: Path, command: list[str] | None = None, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command or [str(COMMAND), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "XDG_STATE_HOME": str(root / "state"), **(env or {})},
        )
        self.told: list[Any] = []
        self.stderr = ""
        self._arrived: queue.Queue[Any] = queue.Queue()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        """Every byte has to belong to a message: anything else ends the reading with an error that `answer` raises."""
        out = self.process.stdout
        assert out is not None
        try:
            while header := out.readline():
                length = None
                while header.strip():
                    name, _, value = header.partition(b":")
                    assert name in (b"Content-Length", b"Content-Type"), header
                    length = int(value) if name == b"Content-Length" else length
                    header = out.readline()
                assert length is not None
                self._arrived.put(json.loads(out.read(length)))
        except (AssertionError, ValueError) as error:
            self._arrived.put(error)
        self._arrived.put(None)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr += line.decode("utf-8", "replace")

    def send(self, *messages: Any) -> None:
        """Send each message: bytes as they are, anything else as JSON in a frame."""
        assert self.process.stdin is not None
        for message in messages:
            data = message if isinstance(message, bytes) else framed(json.dumps(message).encode())
            self.process.stdin.write(data)
        self.process.stdin.flush()

    def next(self) -> Any:
        """The next message; None at the end of the stream."""
        message = self._arrived.get(timeout=SECONDS)
        if isinstance(message, Exception):
            raise message
        self.told.append(message)
        return message

    def answer(self, identity: Any) -> Any:
        """The answer to a request. What else arrives on the way is in `told`."""
        while (message := self.next()) is not None:
            if "method" not in message and message.get("id") == identity:
                return message
        raise AssertionError(f"the server ended without an answer to {identity!r}: {self.stderr}")

    def ask(self, identity: Any, method: str, params: Any = None) -> Any:
        self.send(request(identity, method, params))
        return self.answer(identity)

    def initialize(self, **params: Any) -> Any:
        told = {"processId": None, "rootUri": None, "capabilities": {}, **params}
        answer = self.ask("initialize", "initialize", told)
        self.send(notification("initialized", {}))
        return answer["result"]

    def open(self, uri: str, text: str) -> None:
        document = {"uri": uri, "languageId": "hy", "version": 1, "text": text}
        self.send(notification("textDocument/didOpen", {"textDocument": document}))

    def end(self) -> int:
        """Shut down as the specification says. Returns the exit code."""
        self.ask("shutdown", "shutdown")
        self.send(notification("exit"))
        return self.exit_code()

    def exit_code(self) -> int:
        code = self.process.wait(SECONDS)
        for thread in self._threads:
            thread.join(SECONDS)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.exit_code()


def request(identity: Any, method: str, params: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, **({} if params is None else {"params": params})}


def notification(method: str, params: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})}
