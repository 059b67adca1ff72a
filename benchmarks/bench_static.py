"""What an editor asks for of the text alone, over the wire: each beside its floor in the same run, and how it grows.

    python benchmarks/bench_static.py

A floor is an empty pygls server that answers as many bytes; it is asked in turn with ours, so that what else the
machine does slows both.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from lsp_wire import Wire

OURS = (str(Path(sys.executable).with_name("mino-lsp")), "--stdio")
EMPTY = (sys.executable, str(Path(__file__).parent / "empty_server.py"))
URI = "file:///bench/long.hy"
HEAD = "(require mino.mu * mino.thread *)\n(import torch)\n"
FORM = """\
(defmu layer-{n} [x weights bias activation]
  "One layer: {n}."
  (-> x
      (@ weights)  ; project
      (+ bias)
      activation))

(setv model-{n} (layer-{n} :weights (torch.randn 10 100) :bias (torch.zeros [10])))
(print f"model {n}: {{(len (list (.parameters model-{n}))) :>4}} parameters")
"""
SHORT, LONG = 2_000, 20_000
TREE = {"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}}


class Row(NamedTuple):
    """`ours` in the short document and `longer` in the long one, in milliseconds; `bound` is what `ours` must not
    exceed, and `told` says where it comes from."""

    what: str
    ours: float
    told: str = ""
    bound: float | None = None
    longer: float | None = None
    unit: str = "ms"


def program(lines: int) -> str:
    return HEAD + "".join(FORM.format(n=n) for n in range(lines // FORM.count("\n")))


def clock(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def median(work: Callable[[], Any], times: int) -> float:
    work()
    return statistics.median(clock(work) for _ in range(times))


def beside(ours: Callable[[], Any], floor: Callable[[], Any], times: int) -> tuple[float, float]:
    """The medians of both, taken in turn."""
    ours(), floor()
    pairs = [(clock(ours), clock(floor)) for _ in range(times)]
    return statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs)


class Document:
    """A server with one document open, and what may be asked about it."""

    def __init__(self, lines: int, command: tuple[str, ...] = OURS) -> None:
        self.wire = Wire(*command)
        self.wire.initialize(TREE, trust="none")
        self.text = program(lines)
        self.lines = self.text.count("\n")
        self.version = 1
        self.wire.open(URI, self.text)

    def ask(self, method: str, line: int | None = None, character: int = 0, **more: Any) -> Any:
        place = {} if line is None else {"position": {"line": line, "character": character}}
        return self.wire.request(f"textDocument/{method}", {"textDocument": {"uri": URI}, **place, **more})

    def edit(self, line: int, character: int, new: str, size: int = 0) -> None:
        """Change the text, and wait for the diagnostics of that version."""
        self.version += 1
        ends = [{"line": line, "character": at} for at in (character, character + size)]
        change = {"range": {"start": ends[0], "end": ends[1]}, "text": new}
        told = {"uri": URI, "version": self.version}
        self.wire.notify("textDocument/didChange", {"textDocument": told, "contentChanges": [change]})
        self.wire.wait(lambda message: message.get("params", {}).get("version") == self.version)

    def opened(self) -> None:
        self.wire.wait(lambda message: message.get("method") == "textDocument/publishDiagnostics")

    def middle(self) -> int:
        """The line of a thread in the middle."""
        return self.text.count("\n", 0, self.text.index("(-> x", len(self.text) // 2))

    def keystrokes(self, before: str = "") -> list[float]:
        """A name is typed in the middle and taken back, a letter at a time, after what is typed `before` it."""
        line, column, found = self.middle() + 3, 14, []
        if before:
            self.edit(line, column, before)
        for at, letter in enumerate(" activate" * 2, column + len(before)):
            found.append(clock(partial(self.edit, line, at, letter)))
        self.edit(line, column, "", len(before) + 18)
        return found

    def close(self) -> None:
        self.wire.close()


def started(command: tuple[str, ...]) -> float:
    def start() -> None:
        nonlocal wire
        wire = Wire(*command)
        wire.initialize()

    wire: Wire
    took = clock(start)
    wire.close()
    return took


def start() -> Row:
    pairs = [(started(OURS), started(EMPTY)) for _ in range(7)]
    ours, floor = (statistics.median(each) for each in zip(*pairs, strict=True))
    return Row("spawn → initialize answered", ours, f"1.5 × {floor:.0f}", 1.5 * floor)


def with_floors(ours: Document, times: int) -> dict[str, tuple[float, float]]:
    """Hover, symbols and tokens, each with its floor."""
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.json"
        told = {"symbols": ours.ask("documentSymbol"), "tokens": ours.ask("semanticTokens/full")["data"]}
        answers.write_text(json.dumps(told))
        empty = Document(1, (*EMPTY, str(answers)))
        line = ours.middle()
        asked: dict[str, tuple[int, Callable[[Document], Any]]] = {
            "hover": (times * 10, lambda one: one.ask("hover", line, 8)),
            "documentSymbol": (times, lambda one: one.ask("documentSymbol")),
            "semanticTokens": (times, lambda one: one.ask("semanticTokens/full")),
        }
        found = {
            name: beside(partial(work, ours), partial(work, empty), count) for name, (count, work) in asked.items()
        }
        empty.close()
    return found


def documents() -> list[Row]:
    short, long = Document(SHORT), Document(LONG)
    short.opened(), long.opened()
    first = [clock(partial(one.ask, "semanticTokens/full")) for one in (short, long)]
    mine, theirs = with_floors(short, 30), with_floors(long, 5)

    def floored(what: str, name: str, most: float) -> Row:
        ours, floor = mine[name]
        return Row(what, ours, f"{most:.0f} × {floor:.2f}", most * floor, theirs[name][0])

    def asked(what: str, work: Callable[[Document], Any], bound: float | None = None) -> Row:
        told = f"{bound:.0f}" if bound else ""
        return Row(what, median(lambda: work(short), 30), told, bound, median(lambda: work(long), 7))

    symbols, tokens = len(short.ask("documentSymbol")), len(short.ask("semanticTokens/full")["data"]) // 5
    rows = [
        floored("hover, p50", "hover", 3),
        floored(f"document symbols ({symbols} at the top)", "documentSymbol", 2),
        floored(f"semantic tokens ({tokens}), known", "semanticTokens", 3),
        Row(f"semantic tokens ({tokens}), first", first[0], "", None, first[1]),
        asked("completion, p50: nothing typed", lambda one: one.ask("completion", one.middle() + 1, 7), 10),
        asked("completion, p50: a keyword", lambda one: one.ask("completion", one.middle() + 5, 31), 10),
    ]
    typed = [sorted(one.keystrokes() + one.keystrokes()) for one in (short, long)]
    p95 = [each[int(len(each) * 0.95)] for each in typed]
    rows.append(Row("keystroke → static diagnostics, p95", p95[0], "30", 30.0, p95[1]))
    quoted = [statistics.median(one.keystrokes('"')) for one in (short, long)]
    rows.append(Row('keystroke while a " is open, p50', quoted[0], "30", 30.0, quoted[1]))
    few = Document(200)
    few.opened()
    most, least = beside(partial(long.edit, 0, 9, "\n"), partial(few.edit, 0, 9, "\n"), 40)
    few.close()
    rows.append(Row("newline at the first line → diagnostics", most, f"3 × {least:.2f} (200 lines)", 3 * least, most))
    rows += [
        asked("definition", lambda one: one.ask("definition", one.middle() + 6, 19)),
        asked("references", lambda one: one.ask("references", 3, 8, context={"includeDeclaration": True})),
        asked("formatting", lambda one: one.ask("formatting", options={"tabSize": 2, "insertSpaces": True})),
        asked("folding ranges", lambda one: one.ask("foldingRange")),
    ]
    short.close(), long.close()
    return rows


def memory(identity: int) -> float:
    told = Path(f"/proc/{identity}/status").read_text()
    return int(told.split("VmRSS:")[1].split()[0]) / 1024


def workspace() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(200):
            (Path(folder) / f"m{number}.hy").write_text(program(200).replace("layer-", f"layer-{number}x"))
        wire = Wire(*OURS)
        began = time.perf_counter()
        wire.initialize({}, folder=Path(folder), trust="none")
        while not wire.request("workspace/symbol", {"query": "layer-199x0"}):
            time.sleep(0.01)
        rows = [Row("200 files of 200 lines indexed", (time.perf_counter() - began) * 1e3)]
        rows.append(
            Row("workspace/symbol", median(lambda: wire.request("workspace/symbol", {"query": "layer-99x3"}), 10))
        )
        rows.append(Row("memory with them", memory(wire.process.pid), "80", 80.0, unit="MB"))
        wire.open(URI, "(import torch)\n(torch.ze)\n")
        at = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 9}}
        rows.append(Row("the first `torch.`: answered", clock(lambda: wire.request("textDocument/completion", at))))
        while not wire.request("textDocument/completion", at)["items"]:
            pass
        rows.append(Row("`torch.` again", median(lambda: wire.request("textDocument/completion", at), 20), "10", 10.0))
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(wire.process.pid)], capture_output=True, text=True)
        every = memory(wire.process.pid) + sum(memory(int(pid)) for pid in listed.stdout.split())
        rows.append(Row("memory with its helper for Python", every, "200", 200.0, unit="MB"))
        wire.close()
    return rows


def show(rows: list[Row]) -> None:
    print(f"{'':<46}{'ours':>9}    {'at most':<22}{'met':<5}{f'{LONG:,} lines':>13}{'grows':>8}")
    for row in rows:
        met = "" if row.bound is None else "yes" if row.ours <= row.bound else "NO"
        told = f"{row.longer:10.2f} ms{row.longer / row.ours:7.1f} ×" if row.longer is not None else ""
        print(f"{row.what:<46}{row.ours:9.2f} {row.unit} {row.told:<22}{met:<5}{told}")


def main() -> None:
    print(f"In {SHORT:,} lines where nothing else is said; an empty pygls server is asked in the same run.")
    show([start(), *documents(), *workspace()])


if __name__ == "__main__":
    main()
