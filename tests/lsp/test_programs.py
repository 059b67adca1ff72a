"""Programs as people write them, run in an editor and at a terminal: what they print, how they end, what is left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .editor import Editor
from .processes import marked, marker
from .test_terminal import Terminal, mino

GAN = """\
(require mino.mu [defmu] mino.thread *)
(import sys time torch torch.nn [Linear] torch.nn.functional :as F)

(defmu Generator [x hidden out]
  (-> x hidden torch.tanh out))
(defmu Discriminator [x hidden out spare]
  (-> x hidden F.leaky-relu out))

(torch.manual-seed 0)
(setv g (Generator :hidden (Linear 4 16) :out (Linear 16 2))
      d (Discriminator :hidden (Linear 2 16) :out (Linear 16 1) :spare (Linear 3 3))
      g-step (torch.optim.Adam (.parameters g) :lr 0.01)
      d-step (torch.optim.Adam (.parameters d) :lr 0.01)
      loss F.binary-cross-entropy-with-logits)

(defn bar [done all]
  (setv full (// (* 20 done) all))
  (.write sys.stderr f"\\r\\x1b[32m{(// (* 100 done) all) :3}%|{(* "█" full)}{(* " " (- 20 full))}|\\x1b[0m")
  (.write sys.stderr f" {done}/{all}")
  (.flush sys.stderr))

(for [i (range 40)]
  (setv real (+ (* 0.1 (torch.randn 32 2)) 1)
        fake (g (torch.randn 32 4)))
  (.zero-grad d-step)
  (.backward (+ (loss (d real) (torch.ones 32 1)) (loss (d (.detach fake)) (torch.zeros 32 1))))
  (.step d-step)
  (.zero-grad g-step)
  (.backward (loss (d fake) (torch.ones 32 1)))
  (.step g-step)
  (time.sleep 0.03)
  (bar (+ i 1) 40))
(.write sys.stderr "\\n")
(print "trained" :flush True)
"""

LOADER = """\
(import os torch torch.utils.data [DataLoader Dataset])
(setv pid (os.getpid))
(defclass Squares [Dataset]
  (defn __len__ [self] 16)
  (defn __getitem__ [self i]
    #((torch.tensor [(/ i 16)]) (torch.tensor [(* i 1.0)]) (= pid (os.getpid)))))
(setv model (torch.nn.Linear 1 1)
      sgd (torch.optim.SGD (.parameters model) :lr 1e-2)
      here False)
(for [epoch (range 2)]
  (for [[x y in-parent] (DataLoader (Squares) :batch-size 4 :num-workers 2 :shuffle True)]
    (setv here (or here (bool (.any in-parent))))
    (.zero-grad sgd)
    (.backward (torch.nn.functional.mse-loss (model x) y))
    (.step sgd))
  (print f"Epoch {(+ epoch 1)}/2"))
(print "loaded here:" here)
"""

FORKS = """\
(import multiprocessing os sys)
(print "begins" :flush True)
(setv pid (os.fork))
(when (= pid 0)
  (print "child" :flush True)
  (os._exit 7))
(setv [_ status] (os.waitpid pid 0))
(print "child ended with" (os.waitstatus-to-exitcode status))
(defn square [x] (* x x))
(with [pool (.Pool (multiprocessing.get-context "fork") 2)]
  (print (.map pool square [1 2 3])))
(sys.exit 3)
"""

ARGUMENTS = """\
(require hyrule [defmain])
(import argparse)
(defmain [program #* words]
  (setv parser (argparse.ArgumentParser :prog "arguments"))
  (.add-argument parser "--epochs" :type int :default 1)
  (.add-argument parser "files" :nargs "*")
  (setv told (.parse-args parser words))
  (print told.epochs told.files))
"""

ASKS = '(setv name (input "name? "))\n(print "hello" name)'

LOADED = "Epoch 1/2\nEpoch 2/2\nloaded here: False\n"
FORKED = "begins\nchild\nchild ended with 7\n[1, 4, 9]\n"

PROGRAMS = [
    ("loader", LOADER, (), 0, LOADED, ""),
    ("forks", FORKS, (), 3, FORKED, ""),
    ("arguments", ARGUMENTS, ("--epochs", "3", "--", "-x", "y"), 0, "3 ['-x', 'y']\n", ""),
    ("arguments", ARGUMENTS, ("--steps",), 2, "", "arguments: error: unrecognized arguments: --steps"),
]


@pytest.mark.parametrize(("name", "text", "arguments", "code", "out", "err"), PROGRAMS)
async def test_in_an_editor(
    editor: Editor, root: Path, name: str, text: str, arguments: tuple[str, ...], code: int, out: str, err: str
) -> None:
    (root / f"{name}.hy").write_text(text, "utf-8")
    told = {"uri": (root / f"{name}.hy").as_uri(), "args": list(arguments)}
    answer = await editor.execute("mino.run", told)
    assert (answer["exitCode"], answer["problems"]) == (code, [])
    assert printed(editor, answer, "stdout").partition("\n")[2] == out
    assert err in printed(editor, answer, "stderr")


@pytest.mark.parametrize(("name", "text", "arguments", "code", "out", "err"), PROGRAMS)
def test_at_a_terminal(
    tmp_path: Path, name: str, text: str, arguments: tuple[str, ...], code: int, out: str, err: str
) -> None:
    (tmp_path / f"{name}.hy").write_text(text, "utf-8")
    ended, shown, told = mino(tmp_path, f"{name}.hy", "--device", "cpu", "--", *arguments)
    assert (ended, shown) == (code, f"Running {name}.hy on cpu\n{out}"), told
    assert err in told and f"{name}.hy on cpu: exit code {code}, " in told and "error:" not in told.replace(err, "")


def printed(editor: Editor, answer: Any, stream: str) -> str:
    return "".join(one.text for one in editor.outputs if (one.run, one.stream) == (answer["run"], stream))


async def test_a_gan_with_a_bar(editor: Editor, root: Path) -> None:
    """Its bar is the progress, its streams come as they were written, its statistics stay, and what never learnt is
    told with all its parameters."""
    document = editor.open(root / "gan.hy", GAN)
    document.save()
    before = set(editor.progress_reports)
    answer = await editor.execute("mino.run", {"uri": document.uri})
    bar = printed(editor, answer, "stderr")
    assert answer["exitCode"] == 0 and printed(editor, answer, "stdout").endswith("\ntrained\n")
    assert bar.count("\r\x1b[32m") == 40 and bar.endswith("100%|" + "█" * 20 + "|\x1b[0m 40/40\n")
    last = [one.stream for one in editor.outputs if one.run == answer["run"]]
    assert last[0] == "stdout" and last[-1] == "stdout" and "stderr" in last
    measured = sorted(set(editor.progress_reports) - before)[-1]
    begin, *reports, _ = editor.progress_reports[measured]
    shares = [report.percentage for report in reports]
    assert begin.percentage == 0 and shares == sorted(shares) and 0 < shares[0] < 100
    assert any(re.search(r"\d+ s · \d+ % · \d+%\|█+ *\| \d+/40$", str(report.message)) for report in reports)
    assert {model["name"]: model["parameters"] for model in answer["models"]} == {"Generator": 114, "Discriminator": 77}
    (problem,) = answer["problems"]
    assert document.slice(problem["range"]) == "spare"
    assert problem["message"] == (
        "spare.weight [3 3] and spare.bias [3] of Discriminator never got a gradient in this run, while others did: "
        "does the loss depend on them?"
    )
    assert "*from the run at " in await document.hover("hidden out]")


async def test_input_in_an_editor(editor: Editor, root: Path) -> None:
    (root / "asks.hy").write_text(ASKS, "utf-8")
    answer = await editor.execute("mino.run", {"uri": (root / "asks.hy").as_uri()})
    (problem,) = answer["problems"]
    assert (answer["exitCode"], problem["code"]) == (1, "run-input")
    assert problem["message"] == (
        "The program asked for input here, and its standard input is empty: a run in an editor has none, `mino run` in "
        "a terminal has the terminal's."
    )
    assert printed(editor, answer, "stdout").endswith("\nname? ")


def test_input_at_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "asks.hy").write_text(ASKS, "utf-8")
    terminal = Terminal(tmp_path, "asks.hy")
    terminal.until("name? ")
    terminal.type("Bob\n")
    terminal.until("hello Bob")
    assert terminal.exit_code() == 0
    terminal = Terminal(tmp_path, "asks.hy")
    terminal.until("name? ")
    terminal.type("\x04")  # the end of input
    terminal.until("asks.hy:1:12: error: The program asked for input here, and there was none left. [run-input]")
    assert terminal.exit_code() == 1


def test_a_bar_at_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "gan.hy").write_text(GAN, "utf-8")
    terminal = Terminal(tmp_path, "gan.hy", "--device", "cpu")
    terminal.until("never got a gradient")
    assert terminal.shown.count("\r\x1b[32m") == 40
    assert terminal.exit_code() == 0


# "up" comes from the last form: a handler that raises while Hy reads one may be in an `int` that fails, and CPython
# 3.11 puts the ValueError of that in the place of what was raised.
STUBBORN = """\
(import signal sys time)
(setv times 0)
(defn count [#* _]
  (global times)
  (+= times 1)
  (print "interrupt" times :flush True)
  (when (= times 2) (sys.exit 9)))
(signal.signal signal.SIGINT count)
(do
  (print "up" "{word}" :flush True)
  (while True (time.sleep 0.05)))
"""


def test_ctrl_c_twice(tmp_path: Path) -> None:
    (tmp_path / "stubborn.hy").write_text(STUBBORN, "utf-8")
    terminal = Terminal(tmp_path, "stubborn.hy")
    terminal.until("up")
    for time in (1, 2):
        terminal.type("\x03")
        terminal.until(f"interrupt {time}")
    assert terminal.exit_code() == 9


def test_ctrl_c_twice_with_several_processes(tmp_path: Path) -> None:
    """The first asks them to end; the second does not leave them behind."""
    word = marker()
    path = tmp_path / f"{word}.hy"
    path.write_text(
        '(import signal time)\n(signal.signal signal.SIGINT signal.SIG_IGN)\n(print "up")\n(time.sleep 1000)'
    )
    terminal = Terminal(tmp_path, path.name, "--nproc", "2", "--device", "cpu")
    terminal.until("[0] up")
    terminal.until("[1] up")
    terminal.type("\x03\x03")
    assert terminal.exit_code() == 130
    assert marked(word) == []


def test_a_line_without_an_end_is_shown_too(tmp_path: Path) -> None:
    (tmp_path / "bare.hy").write_text('(print "no end" :end "")', "utf-8")
    code, out, err = mino(tmp_path, "bare.hy", "--nproc", "2", "--device", "cpu")
    assert code == 0 and {"[0] no end", "[1] no end"} < set(out.splitlines()), err
