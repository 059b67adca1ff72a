"""The server's speeds, each beside a floor or a peer from the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lsp_wire import Wire

HERE = Path(__file__).parent
OURS = (str(Path(sys.executable).with_name("mino-lsp")), "--stdio")
EMPTY = (sys.executable, str(HERE / "empty_server.py"))
PROGRAM = HERE.parent / "examples" / "feed_forward.hy"


def median(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))


def report(what: str, ours: float, floor: float, named: str, unit: str = "ms") -> None:
    print(f"{what:<52} {ours:8.2f} {unit}   {named}: {floor:8.2f} {unit}   ratio {ours / floor:5.2f}")


def start(command: tuple[str, ...]) -> float:
    began = time.perf_counter()
    wire = Wire(*command)
    wire.initialize(trust="none")
    took = time.perf_counter() - began
    wire.close()
    return took * 1e3


def hovers(command: tuple[str, ...]) -> float:
    """The median time of a hover in the middle of 2,000 lines, after the document was opened."""
    wire = Wire(*command)
    wire.initialize(trust="none")
    text = ("(defn name [x]\n  (+ x 1))\n" * 1000)[:-1]
    wire.open("file:///bench/long.hy", text)
    params = {"textDocument": {"uri": "file:///bench/long.hy"}, "position": {"line": 1001, "character": 5}}

    def once() -> float:
        began = time.perf_counter()
        wire.request("textDocument/hover", params)
        return (time.perf_counter() - began) * 1e3

    once()
    took = median(once, 300)
    wire.close()
    return took


def keystrokes(wire: Wire, uri: str) -> float:
    """The median time from an edit to the end of the preview that it caused, the pause before it included."""
    lines = PROGRAM.read_text().split("\n")
    line = next(number for number, text in enumerate(lines) if "nb-hidden 32" in text)
    column = lines[line].index("nb-hidden 32") + len("nb-hidden ")
    place = {"start": {"line": line, "character": column}, "end": {"line": line, "character": column + 2}}
    took = []
    for version in range(2, 22):
        began = time.perf_counter()
        change = {"range": place, "text": str(30 + version)}
        document = {"uri": uri, "version": version}
        wire.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        wire.wait(lambda m, v=version: m.get("method") == "mino/report" and m["params"]["version"] == v)
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def first_line_of_a_run(wire: Wire, uri: str) -> float:
    began = time.perf_counter()
    wire.begin("workspace/executeCommand", {"command": "mino.run", "arguments": [{"uri": uri}]})
    wire.wait(lambda m: m.get("method") == "mino/output" and "Loading" in m["params"]["text"])
    took = (time.perf_counter() - began) * 1e3
    wire.wait(lambda m: "result" in m or "error" in m)
    return took


def first_line_of_hy() -> float:
    began = time.perf_counter()
    command = [sys.executable, "-u", "-m", "hy", str(PROGRAM)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = (time.perf_counter() - began) * 1e3
        process.kill()
    return took


def memory(wire: Wire) -> float:
    status = Path(f"/proc/{wire.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    report(
        "spawn → initialize answered", median(lambda: start(OURS), 7), median(lambda: start(EMPTY), 7), "empty server"
    )
    report("hover, 2,000 lines, p50", hovers(OURS), hovers(EMPTY), "empty handler")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / PROGRAM.name
        copy.write_text(PROGRAM.read_text())
        wire = Wire(*OURS)
        wire.initialize(trust="full")
        began = time.perf_counter()
        wire.open(copy.as_uri(), copy.read_text())
        wire.wait(lambda m: m.get("method") == "mino/report")
        print(f"{'open → first shapes, worker started':<52} {(time.perf_counter() - began) * 1e3:8.2f} ms")
        time.sleep(4.0)  # the warden imports the rest of torch while nothing is asked
        hy = median(first_line_of_hy, 3)
        report("keystroke → live shapes, p50, pause included", keystrokes(wire, copy.as_uri()), hy, "hy FILE")
        report("run → first line", median(lambda: first_line_of_a_run(wire, copy.as_uri()), 5), hy, "hy FILE")
        empty = Wire(*EMPTY)
        empty.initialize()
        report("memory", memory(wire), memory(empty), "empty server", "MB")
        empty.close()
        wire.close()


if __name__ == "__main__":
    main()
