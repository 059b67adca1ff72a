"""Runs: how soon they begin, how fast they are, how surely they end, and what a flood of output does to the server.

`bench_run.py [first] [throughput] [latency] [cancel] [soak] [flood]`; all without a name. `--pairs`, `--runs` and
`--lines` make it shorter.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from lsp_wire import Wire

SERVER = (str(Path(sys.executable).with_name("mino-lsp")), "--stdio")
HY = (sys.executable, "-u", "-m", "hy")

WARMING_SECONDS = 4.0
"""So long the worker imports the rest of torch, while nothing is asked."""

FIRST = "(import torch)\n(print (torch.ones 2))\n"

TRAINING = """\
(import time torch)
(setv model (torch.nn.Sequential (torch.nn.Linear 64 128) (torch.nn.Tanh) (torch.nn.Linear 128 1))
      optimizer (torch.optim.Adam (.parameters model) :lr 0.001)
      x (torch.randn 256 64)
      y (torch.randn 256 1))
(defn steps [n]
  (for [_ (range n)]
    (setv loss (torch.nn.functional.mse-loss (model x) y))
    (.zero-grad optimizer)
    (.backward loss)
    (.step optimizer)))
(steps 100)
(setv best (float "inf"))
(for [_ (range 8)]
  (setv began (time.perf-counter))
  (steps 100)
  (setv best (min best (- (time.perf-counter) began))))
(print f"took {(* best 10)}")
"""

ENDLESS = {
    "sleeps": '(import time) (print "up") (time.sleep 1000)',
    "ignores SIGINT": """\
(import signal time)
(signal.signal signal.SIGINT signal.SIG_IGN)
(print "up")
(while True (try (time.sleep 1000) (except [BaseException])))
""",
    "has children, one forked twice": """\
(import os signal subprocess time)
(signal.signal signal.SIGINT signal.SIG_IGN)
(subprocess.Popen ["sh" "-c" "trap '' INT TERM; sleep 1000; true"])
(when (= (os.fork) 0) (os.setsid) (when (= (os.fork) 0) (time.sleep 1000)) (os._exit 0))
(time.sleep 0.2)
(print "up")
(time.sleep 1000)
""",
    "hangs in C": '(import ctypes) (print "up") (.usleep (ctypes.PyDLL None) 1000000000)',
    "in one long torch operator": """\
(import torch)
(setv a (torch.randn 6000 6000 :dtype torch.float64))
(print "up")
(torch.linalg.matrix-exp a)
""",
    "two processes of torch's launcher": '(import time) (print "up") (time.sleep 1000)',
}


def start(folder: Path) -> Wire:
    """A server whose temporary files are all in a folder of ours, with a warm worker."""
    (folder / "tmp").mkdir()
    os.environ["TMPDIR"] = str(folder / "tmp")
    wire = Wire(*SERVER)
    wire.initialize(trust="full", preview={"mode": "off"}, run={"again": "refuse"}, device="cpu")
    path = write(folder, "warm.hy", "(print 1)")
    command(wire, "mino.run", uri=path.as_uri())
    time.sleep(WARMING_SECONDS)
    return wire


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def command(wire: Wire, name: str, **arguments: Any) -> Any:
    return wire.request("workspace/executeCommand", {"command": name, "arguments": [arguments]})


def begin(wire: Wire, **arguments: Any) -> None:
    wire.begin("workspace/executeCommand", {"command": "mino.run", "arguments": [arguments]})


def printed(text: str) -> Any:
    return lambda m: m.get("method") == "mino/output" and text in m["params"]["text"]


def below(pid: int) -> set[int]:
    """Every process below one, whatever session it is in."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def first_lines(wire: Wire, folder: Path) -> None:
    path = write(folder, "first.hy", FIRST)

    def ours() -> float:
        began = time.perf_counter()
        begin(wire, uri=path.as_uri())
        wire.wait(printed("tensor"))
        took = time.perf_counter() - began
        wire.wait(lambda m: "result" in m)
        return took * 1e3

    def theirs() -> float:
        began = time.perf_counter()
        with subprocess.Popen([*HY, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            took = time.perf_counter() - began
        return took * 1e3

    pairs = [(ours(), theirs()) for _ in range(7)]
    run, hy = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"run → the program's first line, p50      {run:7.0f} ms   hy FILE {hy:7.0f} ms   ratio {run / hy:.3f}")


def renew(wire: Wire, folder: Path) -> None:
    """Have another worker. Where a process has its memory is chance and makes a few percent; the runs of one worker
    have theirs where that has it, and each `hy FILE` somewhere else."""
    command(wire, "mino.restart")
    command(wire, "mino.run", uri=(folder / "warm.hy").as_uri())
    time.sleep(WARMING_SECONDS)


def throughput(wire: Wire, folder: Path, turns: int) -> None:
    path = write(folder, "training.hy", TRAINING)

    def ours() -> float:
        begin(wire, uri=path.as_uri())
        told = wire.wait(printed("took "))["params"]["text"]
        wire.wait(lambda m: "result" in m)
        return float(told.split()[-1])

    def theirs() -> float:
        return float(subprocess.run([*HY, str(path)], capture_output=True, check=True, text=True).stdout.split()[-1])

    pairs = []
    for turn in range(turns):
        pairs.append((ours(), theirs()) if turn % 2 else (theirs(), ours())[::-1])
        renew(wire, folder)
    run, hy = (min(column) for column in zip(*pairs, strict=True))
    ratios = sorted(a / b for a, b in pairs)
    print(f"1,000 steps of training, best of {turns:2} pairs {run:7.3f} s    hy FILE {hy:7.3f} s    the pairs' ratios: "
          f"median {statistics.median(ratios):.3f}, from {ratios[0]:.3f} to {ratios[-1]:.3f}")  # fmt: skip


CLOCK = """\
(import time)
(for [_ (range {count})]
  (print "clock" (time.monotonic))
  (time.sleep {pause}))
(print "last")
"""
"""One clock for all processes of a machine: what is printed is compared with it where it arrives."""


def latency(wire: Wire, folder: Path) -> None:
    """From a print to the editor's notification: of a program alone, of one beside another that floods the editor, and
    of one that floods it itself, where what waits on the way is full."""
    flood = write(folder, "flood.hy", "(for [i (range 1000000000)] (print i))")
    for name, count, pause, beside in (("alone", 300, 0.01, False), ("beside a flood", 300, 0.01, True),
                                       ("within its own flood", 300_000, 0, False)):  # fmt: skip
        if beside:
            begin(wire, uri=flood.as_uri())
            wire.wait(printed("100000\n"))
        begin(wire, uri=write(folder, "clock.hy", CLOCK.format(count=count, pause=pause)).as_uri())
        late: list[float] = []
        begun: dict[int, str] = {}
        line = ""
        while line != "last":
            message = wire._receive()
            arrived = time.monotonic()
            if message.get("method") == "mino/output":
                run = message["params"]["run"]
                *lines, begun[run] = (begun.get(run, "") + message["params"]["text"]).split("\n")
                for line in lines:
                    late += [(arrived - float(line.split()[1])) * 1e3] if line.startswith("clock ") else []
                    if line == "last":
                        break
        if beside:
            wire.begin("workspace/executeCommand", {"command": "mino.stop", "arguments": [{}]})
            wire.wait(lambda m: "result" in m)
        wire.wait(lambda m: "result" in m)
        late.sort()
        print(f"print → notification, {name:<21} p50 {statistics.median(late):6.1f} ms, "
              f"p95 {late[int(len(late) * 0.95)]:6.1f}, most {late[-1]:6.1f}, over {len(late):,} lines")  # fmt: skip


def cancel(wire: Wire, folder: Path) -> None:
    before = below(wire.process.pid)
    for name, text in ENDLESS.items():
        path = write(folder, "endless.hy", text)
        begin(wire, uri=path.as_uri(), nproc=2 if "launcher" in name else 1)
        wire.wait(printed("up"))
        wire.wait(printed("up")) if "launcher" in name else None
        time.sleep(0.3)
        running = below(wire.process.pid) - before
        began = time.perf_counter()
        wire.begin("workspace/executeCommand", {"command": "mino.stop", "arguments": [{}]})
        answers = [wire.wait(lambda m: "result" in m)["result"] for _ in range(2)]
        took = time.perf_counter() - began
        left = below(wire.process.pid) - before
        (answer,) = [answer for answer in answers if "exitCode" in answer]
        print(f"stop: {name:<34} {took:7.2f} s    {len(running)} processes, {len(left)} left, "
              f"stopped: {answer['stopped']}, exit code {answer['exitCode']}")  # fmt: skip


def soak(wire: Wire, folder: Path, runs: int) -> None:
    """Runs that are started and cancelled at random moments, the moment of their start among them."""
    chance = random.Random(7)
    paths = [write(folder, f"soak{i}.hy", text) for i, text in enumerate(ENDLESS.values())]

    def kept() -> tuple[int, int, int]:
        pids = [wire.process.pid, *below(wire.process.pid)]
        descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
        return len(pids), descriptors, sum(1 for _ in (folder / "tmp").rglob("*"))

    before = kept()
    stopped = 0
    for number in range(runs):
        several = number % 20 == 19
        begin(wire, uri=chance.choice(paths[:4]).as_uri(), nproc=2 if several else 1)
        time.sleep(chance.choice((0.0, chance.random() * 0.05, chance.random() * (3.0 if several else 0.5))))
        wire.begin("workspace/executeCommand", {"command": "mino.stop", "arguments": [{}]})
        answers = [wire.wait(lambda m: "result" in m or "error" in m) for _ in range(2)]
        stopped += sum(answer.get("result", {}).get("stopped") is True for answer in answers)
        if not any(answer.get("result", {}).get("stopped") is True for answer in answers):
            print(f"  not stopped: {answers}")
    after = kept()
    print(f"soak: {runs} runs, {stopped} stopped; processes, descriptors, temporary files: {before} → {after}")


def flood(wire: Wire, folder: Path, lines: int) -> None:
    path = write(folder, "flood.hy", f"(for [i (range {lines})] (print i))")
    document = write(folder, "open.hy", "(defn name [x]\n  (+ x 1))\n" * 500)
    wire.open(document.as_uri(), document.read_text())
    place = {"textDocument": {"uri": document.as_uri()}, "position": {"line": 501, "character": 5}}
    quiet = []
    for _ in range(50):
        began = time.perf_counter()
        wire.request("textDocument/hover", place)
        quiet.append((time.perf_counter() - began) * 1e3)
    before, most, during = memory(wire), 0.0, []
    begin(wire, uri=path.as_uri())
    started = asked = time.perf_counter()
    waiting, last, count, answer = 0, "", 0, None
    while answer is None:
        if not waiting and time.perf_counter() - asked > 0.1:
            wire.begin("textDocument/hover", place)
            waiting, asked = wire._ids, time.perf_counter()
        message = wire._receive()
        if message.get("method") == "mino/output":
            text = message["params"]["text"]
            count += text.count("\n")
            last = (last[-20:] + text[-40:]) if text else last
        elif waiting and message.get("id") == waiting:
            during.append((time.perf_counter() - asked) * 1e3)
            waiting, most = 0, max(most, memory(wire))
        elif "result" in message and isinstance(message["result"], dict) and "exitCode" in message["result"]:
            answer = message["result"]
    took = time.perf_counter() - started
    time.sleep(0.5)
    during.sort()
    delivered = count == lines + 1 and last.endswith(f"{lines - 1}\n")
    print(f"flood: {lines:,} lines in {took:.0f} s, all delivered: {delivered}")
    print(f"  the server's memory: {before:.1f} MB before, {most:.1f} at most, {memory(wire):.1f} after")
    print(f"  hover: p50 {statistics.median(quiet):.1f} ms before; during, over {len(during)}: "
          f"p50 {statistics.median(during):.1f}, p95 {during[int(len(during) * 0.95)]:.1f}, "
          f"most {during[-1]:.1f} ms")  # fmt: skip


def memory(wire: Wire) -> float:
    status = Path(f"/proc/{wire.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


ALL = ["first", "throughput", "latency", "cancel", "soak", "flood"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*ALL, []])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--lines", type=int, default=10_000_000)
    options = parser.parse_args()
    what = options.what or ALL
    with tempfile.TemporaryDirectory() as folder:
        wire = start(Path(folder))
        if "first" in what:
            first_lines(wire, Path(folder))
        if "throughput" in what:
            throughput(wire, Path(folder), options.pairs)
        if "latency" in what:
            latency(wire, Path(folder))
        if "cancel" in what:
            cancel(wire, Path(folder))
        if "soak" in what:
            soak(wire, Path(folder), options.runs)
        if "flood" in what:
            flood(wire, Path(folder), options.lines)
        wire.close()


if __name__ == "__main__":
    main()
