"""`mino run` at a terminal: the program has the terminal, and its exit code is ours."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .editor import EXAMPLES, SECONDS

MINO = Path(sys.executable).parent / "mino"


def mino(cwd: Path, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [MINO, "run", *arguments], cwd=cwd, input=stdin.encode(), capture_output=True, timeout=SECONDS
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def write(folder: Path, text: str) -> str:
    (folder / "program.hy").write_text(text, "utf-8")
    return "program.hy"


ENDS = [
    ("(import sys) (sys.exit 7)", 7, ""),
    ("(/ 1 0)", 1, "program.hy:1:1: error: ZeroDivisionError: division by zero. [exception]"),
    (
        "(import os) (os.kill (os.getpid) 9)",
        137,
        "program.hy:1:13: error: The program ended here with SIGKILL. [crash]",
    ),
    ("(import os) (os._exit 5)", 5, ""),
]


@pytest.mark.parametrize(("text", "code", "told"), ENDS)
def test_the_exit_code_is_the_program_s(tmp_path: Path, text: str, code: int, told: str) -> None:
    ended, _, err = mino(tmp_path, write(tmp_path, text))
    assert ended == code and told in err
    assert f"program.hy on cpu: exit code {code}, " in err


def test_standard_input_arguments_and_folder(tmp_path: Path) -> None:
    text = "(import os sys) (print (input) (.read sys.stdin) (cut sys.argv 1 None) (os.getcwd))"
    code, out, err = mino(tmp_path, write(tmp_path, text), "--device", "cpu", "--", "--x", "1", stdin="first\nrest")
    assert (code, out) == (0, f"Running program.hy on cpu\nfirst rest ['--x', '1'] {tmp_path}\n"), err


def test_as_the_project_says(tmp_path: Path) -> None:
    """But for what is said on the command line."""
    (tmp_path / "sub").mkdir()
    settings = '[tool.mino.run]\nargs = ["x"]\nenv = {A = "1"}\ncwd = "sub"\nprefix = ["env", "B=2"]\n'
    (tmp_path / "pyproject.toml").write_text('[tool.mino]\ndevice = "cuda:7"\n' + settings)
    text = '(import os sys) (print (cut sys.argv 1 None) (os.getcwd) (os.environ.get "A") (os.environ.get "B"))'
    code, _, err = mino(tmp_path, write(tmp_path, text))
    assert code == 2 and "There is no device 'cuda:7' here." in err
    code, out, err = mino(tmp_path, "program.hy", "--device", "cpu")
    assert (code, out) == (0, f"Running program.hy on cpu\n['x'] {tmp_path / 'sub'} 1 2\n"), err
    assert "['y']" in mino(tmp_path, "program.hy", "--device", "cpu", "--", "y")[1]
    assert "[] " in mino(tmp_path, "program.hy", "--device", "cpu", "--")[1]
    (tmp_path / "pyproject.toml").write_text('[tool.mino.run]\nprefix = ["no-such-command"]')
    code, _, err = mino(tmp_path, "program.hy")
    assert (code, err) == (2, "mino: no-such-command cannot be started: No such file or directory.\n")


def test_what_cannot_be_run(tmp_path: Path) -> None:
    code, out, err = mino(tmp_path, write(tmp_path, '(print "ran")'), "--device", "cuda:7")
    assert (code, out) == (2, "") and "There is no device 'cuda:7' here. There is: cpu" in err
    code, out, err = mino(tmp_path, "absent.hy")
    assert (code, out) == (2, "") and "absent.hy cannot be read: No such file or directory." in err
    code, out, err = mino(tmp_path, "program.hy", "--nproc", "0")
    assert code == 2 and "'0' is not a number from 1 on" in err
    code, _, err = mino(tmp_path, "program.hy", "--n", "3", "--lr=0.5")
    assert code == 2 and "unrecognized arguments: --n 3 --lr=0.5. What is for the program stands after --" in err


def test_observed(tmp_path: Path) -> None:
    text = "(import torch)\n(setv x (/ (torch.zeros 2) 0))"
    code, _, err = mino(tmp_path, write(tmp_path, text), "--observe")
    assert code == 0 and "program.hy:2:9: warning: The first NaN was made here: 2 of 2 elements of [2]." in err


def test_several_processes_are_told_apart() -> None:
    code, out, err = mino(EXAMPLES, "data_parallel.hy", "--nproc", "2", "--device", "cpu")
    assert code == 0, err
    lines = out.splitlines()
    assert sorted(line for line in lines if "Running" in line) == [
        f"[{rank}] Running data_parallel.hy on cpu, process {rank} of 2" for rank in (0, 1)
    ]
    assert len([line for line in lines if line.startswith("[0] Epoch ")]) == 30
    assert "data_parallel.hy on cpu, 2 processes: exit code 0, " in err


SEVERAL = """(import os sys time)
(setv rank (os.environ.get "RANK"))
"""


def test_the_first_of_several_processes_has_the_input(tmp_path: Path) -> None:
    text = SEVERAL + '(print "read" (.read sys.stdin))'
    code, out, err = mino(tmp_path, write(tmp_path, text), "--nproc", "2", "--device", "cpu", stdin="one\ntwo")
    assert code == 0, err
    told = out.splitlines()
    assert told.count("[1] read ") == 1 and [line for line in told if line.startswith("[0]")][1:] == [
        "[0] read one",
        "[0] two",
    ]
    text = SEVERAL + '(when (= rank "1") (input))'
    code, out, err = mino(tmp_path, write(tmp_path, text), "--nproc", "2", "--device", "cpu", stdin="one\ntwo")
    told = "error: Process 1: The program asked for input here, and of several processes only number 0 has any."
    assert code == 1 and f"program.hy:3:20: {told} [run-input]" in err


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, cwd: Path, *arguments: str) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execv(MINO, [str(MINO), "run", *arguments])
        self.shown = ""

    def until(self, text: str) -> None:
        end = time.monotonic() + SECONDS
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self._terminal], [], [], 1.0)[0]:
                self.shown += os.read(self._terminal, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def exit_code(self) -> int:
        while True:
            try:
                if not os.read(self._terminal, 4096):
                    break
            except OSError:
                break  # a terminal without anybody at its other end
        _, status = os.waitpid(self.pid, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)


def test_a_prompt_and_the_debugger(tmp_path: Path) -> None:
    text = '(import sys)\n(print "tty" (.isatty sys.stdin) (.isatty sys.stdout))\n(print "hello" (input "name? "))\n'
    terminal = Terminal(tmp_path, write(tmp_path, text + "(setv answer 42)\n(breakpoint)\n(print 1)"))
    terminal.until("tty True True")
    terminal.until("name? ")
    terminal.type("Ada\n")
    terminal.until("hello Ada")
    terminal.until("(Pdb) ")
    terminal.type("p answer\n")
    terminal.until("42")
    terminal.type("c\n")
    assert terminal.exit_code() == 0


def test_a_prompt_a_bar_and_the_debugger_of_several_processes(tmp_path: Path) -> None:
    text = SEVERAL
    text += """(if (= rank "0")
  (do (print "hello" (input "name? "))
      (breakpoint)
      (sys.stderr.write "\\r 10%|█")
      (sys.stdin.read 1)
      (sys.stderr.write "\\r 50%|█████"))
  (do (while (not (os.path.exists "over")) (time.sleep 0.01))
      (print "below")))
"""
    terminal = Terminal(tmp_path, write(tmp_path, text), "--nproc", "2", "--device", "cpu")
    terminal.until("[0] name? ")
    terminal.type("Ada\n")
    terminal.until("hello Ada")
    terminal.until("[0] (Pdb) ")
    terminal.type("p rank\n")
    terminal.until("'0'")
    terminal.type("c\n")
    terminal.until("\r[0]  10%|█")
    terminal.type("\n")
    terminal.until("\r[0]  50%|█████")
    (tmp_path / "over").touch()
    terminal.until("█████\r\n[1] below\r\n")
    terminal.until("2 processes: exit code 0")
    assert terminal.exit_code() == 0


def test_ctrl_c_is_the_program_s(tmp_path: Path) -> None:
    text = '(try (print "up") (time.sleep 1000) (except [KeyboardInterrupt] (print "caught")))\n(print "on")'
    terminal = Terminal(tmp_path, write(tmp_path, f"(import time)\n{text}"))
    terminal.until("up")
    terminal.type("\x03")
    terminal.until("caught")
    terminal.until("on")
    assert terminal.exit_code() == 0
    terminal = Terminal(tmp_path, write(tmp_path, '(import time) (do (print "up") (time.sleep 1000))'))
    terminal.until("up")
    terminal.type("\x03")
    assert terminal.exit_code() == 130
