#!/usr/bin/env python3
"""A language server that promises everything and says nothing: the negative control of the tests beside it.

It answers `initialize` and `shutdown`, and nothing else. A test that passes against it tests nothing.
"""

import json
import sys

CAPABILITIES = {
    "textDocumentSync": {"openClose": True, "change": 2, "save": True},
    "hoverProvider": True,
    "codeLensProvider": {},
    "executeCommandProvider": {"commands": ["mino.run", "mino.stop", "mino.expand", "mino.trust", "mino.devices"]},
}
ANSWERS = {"initialize": {"capabilities": CAPABILITIES}, "shutdown": None}


def read() -> dict:
    length = 0
    while (line := sys.stdin.buffer.readline()) != b"\r\n":
        if not line:
            raise SystemExit(0)
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(sys.stdin.buffer.read(length))


while (message := read())["method"] != "exit":
    if message["method"] in ANSWERS:
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": ANSWERS[message["method"]]}).encode()
        sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        sys.stdout.buffer.flush()
