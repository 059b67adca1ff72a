"""How long `mino.expand` takes for every macro call of the example programs, all the way down, asked of the server.

Warm: the context of the place has answered before. Cold: it has to evaluate what is required first. Beside them in the
same run the floor: a request that goes the same way, to a process of the worker's and back, and finds no form there.
The pause between requests is a person's: a process is got ready for the next one meanwhile.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from lsp_wire import Wire

from mino_lsp.syntax import Kind, Text, read

HERE = Path(__file__).parent
OURS = (str(Path(sys.executable).with_name("mino-lsp")), "--stdio", "--trust")
MACROS = ("->", "->>", "*->", "*->>", "|->", "|->>", "defmu", "mu", "bind", "geta", "defmain", "spec/", "when", "cond")
PAUSE_SECONDS = 0.1
ROUNDS = 3


def places(source: str) -> list[dict[str, int]]:
    """Where the macro calls of a text begin, each within its bracket."""
    text, found = Text(source), []
    for start, _, form in read(source).walk():
        if form.kind is Kind.LIST and form.head_name.startswith(MACROS):
            line, character = text.position(start + 1, "utf-16")
            found.append({"line": line, "character": character})
    return found


def ask(wire: Wire, uri: str, position: dict[str, int]) -> tuple[float, Any]:
    """The milliseconds that an answer takes, and the answer."""
    time.sleep(PAUSE_SECONDS)
    argument = {"uri": uri, "position": position, "depth": "all"}
    began = time.perf_counter()
    answer = wire.request("workspace/executeCommand", {"command": "mino.expand", "arguments": [argument]})
    return (time.perf_counter() - began) * 1e3, answer


def main() -> None:
    wire = Wire(*OURS)
    wire.initialize(preview={"mode": "off"})
    warm, cold, floor = [], [], []
    for file in sorted((HERE.parent / "examples").glob("*.hy")):
        source = file.read_text("utf-8") + "\n; nothing\n"
        wire.open(file.as_uri(), source)
        nothing = {"line": source.count("\n") - 1, "character": 3}
        cold.append(ask(wire, file.as_uri(), nothing)[0])
        for position in places(source):
            ask(wire, file.as_uri(), position)
            for _ in range(ROUNDS):
                took, answer = ask(wire, file.as_uri(), position)
                if answer is not None:
                    warm.append(took)
                    floor.append(ask(wire, file.as_uri(), nothing)[0])
    wire.close()
    p50, p95 = statistics.median(warm), statistics.quantiles(warm, n=20)[-1]
    least = statistics.median(floor)
    print(f"mino.expand, {len(warm)} requests, warm: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    print(f"its first request of a document (cold): p50 {statistics.median(cold):.1f} ms")
    print(f"a request to the worker that expands nothing: p50 {least:.1f} ms; ratio of the p50s {p50 / least:.2f}")


if __name__ == "__main__":
    main()
