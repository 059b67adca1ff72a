"""The heavy way: from a request to the facts of a large model, beside its forward alone under torch's fake tensors.

Each figure is the best and the median of several. The worker is spoken to directly: the pause that follows a keystroke,
and what the server does with what it is told, are measured in `bench_live.py`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mino_lsp
from mino_lsp import types as t

MAIN = Path(mino_lsp.__file__).parent / "worker" / "__main__.py"
PROGRAM = (Path(__file__).parent.parent / "examples" / "feed_forward.hy").read_text()
TIMES = 9
SETTLING = 8.0
"""Seconds that the warden takes to import the rest of torch while nothing is asked."""

FORWARD = "(wide (torch.zeros 8 128 512))"
TRANSFORMER = f"""
;; Twelve layers, 512 wide
(setv layer (nn.TransformerEncoderLayer :d-model 512 :nhead 8 :dim-feedforward 2048 :batch-first True)
      wide (nn.TransformerEncoder layer 12))
{FORWARD}
"""

LARGE = """
(require mino.mu *)
(import torch  torch.nn :as nn)

(defn projection [f-in f-out]
  (nn.Linear f-in f-out :bias False :dtype torch.bfloat16))

(defmu Gated [x gate up down]
  (down (* (nn.functional.silu (gate x)) (up x))))

(defmu Block [x queries keys values out feed-forward]
  (setv heads (nn.functional.scaled-dot-product-attention (queries x) (keys x) (values x) :enable-gqa True))
  (feed-forward (+ x (out heads))))

(defn block [width inner]
  (Block :queries (projection width width) :keys (projection width 1024) :values (projection width 1024)
         :out (projection width width)
         :feed-forward (Gated :gate (projection width inner) :up (projection width inner)
                              :down (projection inner width))))

(setv blocks (nn.ModuleList (lfor _ (range 80) (block 8192 28672)))
      embed (nn.Embedding 128256 8192 :dtype torch.bfloat16)
      unembed (projection 8192 128256))
(setv model (nn.ModuleList [embed blocks unembed]))
"""

FLOOR = """
import time, torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
torch.set_num_threads(1)
took = []
for _ in range({times}):
    with FakeTensorMode():
        layer = nn.TransformerEncoderLayer(512, 8, 2048, batch_first=True)
        wide = nn.TransformerEncoder(nn.Sequential(), 0, enable_nested_tensor=False)
        wide.layers = nn.ModuleList(nn.TransformerEncoderLayer(512, 8, 2048, batch_first=True) for _ in range(12))
        x = torch.zeros(8, 128, 512)
        began = time.perf_counter()
        for one in wide.layers:
            x = one(x)
        took.append((time.perf_counter() - began) * 1e3)
print(*took)
"""

WHOLE = """
import os, sys, time, types
import hy, hyrule, mino.mu, mino.thread, torch, torch._dynamo
from torch._subclasses.fake_tensor import FakeTensorMode
from hy.reader import HyReader
from hy.compiler import hy_compile
torch.set_num_threads(1)
class Mode(FakeTensorMode):
    __deepcopy__ = lambda self, memo: self
path, text = sys.argv[1], open(sys.argv[1]).read().replace("{loss}", "")
sys.stdout, told = open(os.devnull, "w"), sys.stdout
for _ in range({times}):
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    began = time.perf_counter()
    with Mode():
        for form in hy.read_many(text, filename=path, reader=HyReader()):
            try:
                exec(compile(hy_compile(form, module, filename=path, source=text), path, "exec"), module.__dict__)
            except SystemExit:
                pass
    print((time.perf_counter() - began) * 1e3, file=told)
"""

OVERHEAD = """
import os, sys, time, types
import hy, hyrule, torch, torch._dynamo
from mino.unbound import UNBOUND
from mino_lsp import types as t
from mino_lsp.worker import fake, modes, session
from mino_lsp.worker.probe import Recorder
torch.set_num_threads(1)
path, text = sys.argv[1], open(sys.argv[1]).read()
request = t.PreviewRequest(1, path, text, t.Environment("."))
sys.stdout, told = open(os.devnull, "w"), sys.stdout
def evaluate(entered):
    recorder = Recorder(torch, UNBOUND, lambda facts: None)
    source = session.Source(text, path)
    module, reader = session.main_module(path), session.HyReader()
    began = time.perf_counter()
    leave = modes.enter(request, recorder) if entered else lambda: None
    try:
        for form in session.read_forms(source, reader):
            exec(session.compile_form(form, module, source, reader, recorder), module.__dict__)
    except SystemExit:
        pass
    took = time.perf_counter() - began
    leave()
    return took * 1e3
evaluate(False)
for _ in range({times}):
    print(evaluate(False), evaluate(True), file=told)
"""


class Worker:
    """A worker, spoken to as the server does."""

    def __init__(self) -> None:
        command = (sys.executable, str(MAIN))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._frames, self._pending, self._jobs = t.FrameReader(), list[Any](), 0
        self._next()

    def _next(self) -> Any:
        assert self._process.stdout is not None
        while not self._pending:
            self._pending += self._frames.feed(self._process.stdout.read(1 << 16))
        return self._pending.pop(0)

    def preview(self, path: str, text: str, look: Callable[[Any], None] = lambda answer: None) -> float:
        """Milliseconds from a request to its end; `look` is called with each answer as it comes."""
        assert self._process.stdin is not None
        self._jobs += 1
        environment = t.Environment(str(Path(path).parent))
        request = t.PreviewRequest(self._jobs, path, text, environment, way="heavy")
        began = time.perf_counter()
        self._process.stdin.write(t.frame(request))
        while True:
            answer = self._next()
            if getattr(answer, "job", None) != self._jobs:
                continue
            if isinstance(answer, t.Output):
                self._process.stdin.write(t.frame(t.Credit(self._jobs, len(answer.text))))
            look(answer)
            if isinstance(answer, t.Finished):
                assert isinstance(answer.result, t.PreviewResult) and not answer.result.stopped, answer
                return (time.perf_counter() - began) * 1e3

    def forget(self, path: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(t.frame(t.CloseRequest(path)))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def resident(self) -> float:
        """The most that a process below the worker holds now, in megabytes."""
        most = 0.0
        for process in _below(self._process.pid):
            try:
                status = Path(f"/proc/{process}/status").read_text()
            except OSError:
                continue
            found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
            most = max([most, *(int(size) / 1e3 for size in found)])
        return most


def _below(process: int) -> list[int]:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [below for child in map(int, children) for below in (child, *_below(child))]


def added() -> str:
    """The overview's program with the transformer."""
    main = PROGRAM.index("(defmain")
    return PROGRAM[:main] + TRANSFORMER.lstrip() + PROGRAM[main:]


def transformer(worker: Worker, path: str) -> tuple[list[float], list[float]]:
    """Of each turn: milliseconds to the facts of the forward, and to its end. Nothing is kept between them."""
    text = added()
    start = text.index(FORWARD)
    place, facts, whole = t.Span(start, start + len(FORWARD)), [], []
    for _ in range(TIMES):
        seen: list[float] = []

        def look(answer: Any, seen: list[float] = seen) -> None:
            if isinstance(answer, t.Facts) and any(fact.span == place for fact in answer.facts):
                seen.append(time.perf_counter())

        began = time.perf_counter()
        whole.append(worker.preview(path, text, look))
        facts.append((seen[0] - began) * 1e3)
        worker.forget(path)
        time.sleep(0.3)
    return facts, whole


def large(worker: Worker, path: str) -> tuple[list[float], float, int]:
    """Milliseconds of each turn, the most memory that a session held, in megabytes, and the model's parameters."""
    took, most, size = [], 0.0, 0

    def look(answer: Any) -> None:
        nonlocal most, size
        most = max(most, worker.resident())
        if isinstance(answer, t.Facts):
            values = (value for fact in answer.facts for value in fact.values)
            size = max([size, *(value.parameters for value in values if isinstance(value, t.ModuleValue))])

    for _ in range(TIMES):
        took.append(worker.preview(path, LARGE, look))
        worker.forget(path)
        time.sleep(0.3)
    return took, most, size


def printed(code: str, *arguments: str) -> list[list[float]]:
    """The numbers of each line that a program prints."""
    command = [sys.executable, "-c", code.replace("{times}", str(TIMES)), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]


def row(what: str, took: list[float], beside: str) -> None:
    print(f"{what:<58} {min(took):7.1f} best, {statistics.median(took):7.1f} ms median   {beside}", flush=True)


def main() -> None:
    ((*floor,),) = printed(FLOOR)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "main.hy")
        worker = Worker()
        time.sleep(SETTLING)
        facts, whole = transformer(worker, path)
        row("12-layer transformer added: facts of its forward", facts, "at most 250 ms")
        row("  that forward alone, built, under FakeTensorMode", floor, "the floor")
        row("  the whole turn, 100 epochs of the program included", whole, "at most 700 ms")
        Path(path).write_text(added())
        bare = [took for (took,) in printed(WHOLE, path)]
        row("  that program under FakeTensorMode, no probes", bare, "the floor")
        took, most, size = large(worker, path)
        row(
            "definition of a model of 70 billion parameters",
            took,
            f"at most 1500 ms; {size / 1e9:.1f} billion are shown",
        )
        print(f"  its session holds at most {most:.0f} MB resident (at most 400 MB)")
        worker.close()
        Path(path).write_text(PROGRAM)
        pairs = printed(OVERHEAD, path)
    plain, entered = ([pair[which] for pair in pairs] for which in (0, 1))
    row("examples/feed_forward.hy in the light way", entered, f"without modes.enter: {min(plain):.1f} ms")
    ratio = statistics.median(after / before for before, after in zip(plain, entered, strict=True))
    print(f"  with modes.enter : without, median of {len(pairs)} pairs: {ratio:.2f}")


if __name__ == "__main__":
    main()
