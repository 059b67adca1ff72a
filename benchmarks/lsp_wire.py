"""A client as small as can be, so that what is measured is the server: one process, one pipe, no event loop."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Wire:
    """A server on a pipe. Requests block until they are answered. Of the notifications met on the way it is kept which
    version of a document was reported last."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._ids = 0
        self.reported: dict[str, int] = {}

    def request(self, method: str, params: Any) -> Any:
        self._ids += 1
        identity = self._ids
        self._send({"id": identity, "method": method, "params": params})
        return self.wait(lambda message: message.get("id") == identity and "method" not in message).get("result")

    def begin(self, method: str, params: Any) -> None:
        """Send a request without waiting for its answer."""
        self._ids += 1
        self._send({"id": self._ids, "method": method, "params": params})

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self._receive()
            if wanted(message):
                return message

    def initialize(self, capabilities: Any = None, folder: Path | None = None, **options: Any) -> Any:
        capabilities = capabilities or {"experimental": {"minoOutput": True}}
        folders = [{"uri": folder.as_uri(), "name": folder.name}] if folder is not None else None
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": capabilities,
            "initializationOptions": options,
            "workspaceFolders": folders,
        }
        answer = self.request("initialize", params)
        self.notify("initialized", {})
        return answer

    def open(self, uri: str, text: str) -> None:
        document = {"uri": uri, "languageId": "hy", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def close(self) -> None:
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.wait(10)

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise EOFError("the server has ended")
        message = dict(json.loads(self.process.stdout.read(length)))
        if message.get("method") == "mino/report":
            self.reported[message["params"]["uri"]] = message["params"]["version"]
        return message
