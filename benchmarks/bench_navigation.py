"""Names and navigation over the wire, in 2,000 and 20,000 lines, each beside an empty server that answers a hover with
nothing; and what indexing and the helper for Python packages cost."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from lsp_wire import Wire

HERE = Path(__file__).parent
OURS = (str(Path(sys.executable).with_name("mino-lsp")), "--stdio")
EMPTY = (sys.executable, str(HERE / "empty_server.py"))
NET = """(defmu Net{0} [x weights bias]
  "A step of the network."
  (let [y (-> x (@ weights) (+ bias))]
    (torch.sigmoid y)))

"""
URI = "file:///bench/names.hy"


def document(lines: int) -> str:
    """As many lines, of which each fifth defines something."""
    nets = "".join(NET.format(number) for number in range(lines // 5))
    return f"(require mino.mu * mino.thread *)\n(import torch)\n{nets}(print (Net7 ))\n"


def timed(ask: Callable[[], Any], times: int) -> float:
    ask()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def row(what: str, took: float, unit: str = "ms") -> None:
    print(f"{what:<58} {took:8.2f} {unit}")


def floor() -> float:
    wire = Wire(*EMPTY)
    wire.initialize()
    params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
    took = timed(lambda: wire.request("textDocument/hover", params), 100)
    wire.close()
    return took


def features(lines: int) -> None:
    wire = Wire(*OURS)
    wire.initialize(trust="none")
    text = document(lines)
    began = time.perf_counter()
    wire.open(URI, text)
    last = text.count("\n") - 1
    at = {"textDocument": {"uri": URI}, "position": {"line": last, "character": 13}}
    wire.request("textDocument/definition", {**at, "position": {"line": last, "character": 9}})
    row(f"open, then the first definition, {lines} lines", (time.perf_counter() - began) * 1e3)
    name = {**at, "position": {"line": last, "character": 9}}
    requests: dict[str, Any] = {
        "completion": at,
        "signatureHelp": at,
        "definition": name,
        "hover": name,
        "documentHighlight": name,
        "references": {**name, "context": {"includeDeclaration": True}},
        "rename": {**name, "newName": "Other"},
        "documentSymbol": {"textDocument": {"uri": URI}},
    }
    for method, params in requests.items():
        row(
            f"{method}, {lines} lines",
            timed(lambda m=method, p=params: wire.request(f"textDocument/{m}", p), 20 if lines < 10_000 else 5),
        )
    version = 1

    def typed() -> None:
        nonlocal version
        version += 1
        place = {"line": 0, "character": 0}
        change = {"range": {"start": place, "end": place}, "text": "\n"}
        told = {"uri": URI, "version": version}
        wire.notify("textDocument/didChange", {"textDocument": told, "contentChanges": [change]})
        line = {"line": last + version - 1, "character": 9}
        wire.request("textDocument/definition", {"textDocument": {"uri": URI}, "position": line})

    row(f"a newline at the first line, then a definition, {lines} lines", timed(typed, 20))
    wire.close()


def memory(identity: int) -> float:
    told = Path(f"/proc/{identity}/status").read_text()
    return int(told.split("VmRSS:")[1].split()[0]) / 1024


def workspace() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(200):
            (Path(folder) / f"m{number}.hy").write_text(document(200).replace("Net", f"N{number}x"))
        wire = Wire(*OURS)
        capabilities = {"workspaceFolders": [{"uri": Path(folder).as_uri(), "name": "w"}]}
        began = time.perf_counter()
        wire.request(
            "initialize",
            {"processId": None, "capabilities": {}, "initializationOptions": {"trust": "none"}, **capabilities},
        )
        wire.notify("initialized", {})
        while not wire.request("workspace/symbol", {"query": "N99x39"}):
            time.sleep(0.01)
        row("200 files of 200 lines indexed", (time.perf_counter() - began) * 1e3)
        time.sleep(0.5)
        row("workspace/symbol, 200 files", timed(lambda: wire.request("workspace/symbol", {"query": "N99x3"}), 10))
        row("memory with them", memory(wire.process.pid), "MB")
        text = "(import torch)\n(torch.ze)\n"
        wire.open(URI, text)
        at = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 9}}
        began = time.perf_counter()
        answer = wire.request("textDocument/completion", at)
        row("the first `torch.`: answered", (time.perf_counter() - began) * 1e3)
        while not answer["items"]:
            answer = wire.request("textDocument/completion", at)
        row("the first `torch.`: complete", (time.perf_counter() - began) * 1e3)
        row("`torch.` again", timed(lambda: wire.request("textDocument/completion", at), 20))
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(wire.process.pid)], capture_output=True, text=True)
        helpers = sum(memory(int(pid)) for pid in children.stdout.split())
        row("memory of the server and its helper", memory(wire.process.pid) + helpers, "MB")
        wire.close()


def main() -> None:
    row("floor: an empty handler", floor())
    for lines in (2_000, 20_000):
        features(lines)
    workspace()


if __name__ == "__main__":
    main()
