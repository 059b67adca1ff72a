"""From a keystroke to fresh shapes, the pause before a preview included, beside what a floor takes in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lsp_wire import Wire

SERVER = (str(Path(sys.executable).with_name("mino-lsp")), "--stdio")
PROGRAM = Path(__file__).parent.parent / "examples" / "feed_forward.hy"
TIMES = 15


class Editor:
    """One open document whose edits are timed."""

    def __init__(self, wire: Wire, uri: str, text: str) -> None:
        self.wire, self.uri, self.text, self.version = wire, uri, text, 1
        wire.open(uri, text)
        self.ended()

    def ended(self) -> None:
        """Wait until the preview of this version has been reported."""
        while self.wire.reported.get(self.uri) != self.version:
            self.wire.wait(lambda message: message.get("method") == "mino/report")

    def edit(self, old: str, new: str) -> float:
        """Replace a text, and return when."""
        start = self.text.index(old)
        before = self.text[:start]
        line, column = before.count("\n"), start - (before.rfind("\n") + 1)
        end = {"line": line, "character": column + len(old)}
        self.text = before + new + self.text[start + len(old) :]
        self.version += 1
        change = {"range": {"start": {"line": line, "character": column}, "end": end}, "text": new}
        document = {"uri": self.uri, "version": self.version}
        began = time.perf_counter()
        self.wire.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        return began

    def hints(self) -> list[str]:
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": 10_000, "character": 0}}
        params = {"textDocument": {"uri": self.uri}, "range": whole}
        return [str(hint["label"]) for hint in self.wire.request("textDocument/inlayHint", params) or []]

    def shown(self, old: str, new: str, hint: str) -> float:
        """Milliseconds from an edit until a hint has `hint` in it."""
        began = self.edit(old, new)
        while not any(hint in each for each in self.hints()):
            time.sleep(0.002)
        return (time.perf_counter() - began) * 1e3


def sizes(editor: Editor, form: str, hint: str) -> float:
    """The median time from an edit of a size until its shape is shown."""
    size, took = 40, []
    for _ in range(TIMES):
        took.append(editor.shown(form.format(size), form.format(size + 1), hint.format(size + 1)))
        size += 1
        editor.ended()
    return statistics.median(took)


def comments(editor: Editor) -> float:
    """The median time from an edit in a comment until its version is reported."""
    took = []
    for number in range(TIMES):
        began = editor.edit(f"; note {number}\n", f"; note {number + 1}\n")
        editor.ended()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def importing() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return (time.perf_counter() - began) * 1e3


FLOOR = """
import os, sys, time, types
import hy, hyrule, torch, torch._dynamo
from hy.compiler import hy_compile
from hy.reader import HyReader
torch.set_num_threads(1)
path = sys.argv[1]
text = open(path).read()
def code():
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    for form in hy.read_many(text, filename=path, reader=HyReader()):
        exec(compile(hy_compile(form, module, filename=path, source=text), path, "exec"), module.__dict__)
sys.stdout = open(os.devnull, "w")
took = []
for _ in range(7):
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        code()
        os._exit(0)
    os.waitpid(pid, 0)
    took.append(time.perf_counter() - began)
print(sorted(took)[3] * 1e3, file=sys.__stdout__)
"""


def forked() -> float:
    """Fork, compile and execute the whole program, without probes, in a process that has everything imported."""
    done = subprocess.run([sys.executable, "-c", FLOOR, str(PROGRAM)], check=True, capture_output=True, text=True)
    return float(done.stdout)


def row(what: str, took: float, beside: str) -> None:
    print(f"{what:<58} {took:8.1f} ms   {beside}", flush=True)


def main() -> None:
    text = PROGRAM.read_text()
    floor, new = forked(), importing()
    beside = f"whole program without probes, forked: {floor:.0f} ms; new python importing torch: {new:.0f} ms"
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(*SERVER)
        wire.initialize(trust="full")
        path = Path(folder) / "feed_forward.hy"
        size = "batch-size {}"
        start = text.replace("batch-size 100]", "batch-size 40]").replace(
            "(import torch\n", "; note 0\n(import torch\n", 1
        )
        path.write_text(start)
        editor = Editor(wire, path.as_uri(), start)
        time.sleep(6.0)  # the warden imports the rest of torch while nothing is asked
        row("keystroke → live shapes, p50, pause included", sizes(editor, size + "]", "[{} 1]"), beside)
        row("edit in a comment → reported, p50", comments(editor), "evaluates nothing")
        step, sleep = "(-> (torch.ones 40 3)\n    (* 2))", "(time.sleep 2)"
        slow = {}
        for name, forms in (("above", (step, sleep)), ("below", (sleep, step))):
            source = "\n".join(("(import torch time)", "(require mino.thread *)", *forms, ""))
            document = Editor(wire, (Path(folder) / f"{name}.hy").as_uri(), source)
            slow[name] = sizes(document, "ones {} 3", "[{} 3]")
        row("keystroke below a form of 2 s, p50", slow["below"], f"above it: {slow['above']:.1f} ms")
        wire.close()


if __name__ == "__main__":
    main()
