"""Runs: what `hy FILE` would do, streamed in order, and their ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from mino_lsp import types as t
from mino_lsp.worker.job import WINDOW
from mino_lsp.worker.launch import _seed_anew
from tests.worker.conftest import EXAMPLES, Worker, wait_until


class Run:
    """What one run told."""

    def __init__(self, answers: list[Any]) -> None:
        self.outputs = [answer for answer in answers if isinstance(answer, t.Output)]
        self.result = answers[-1].result

    def text(self, stream: str) -> str:
        return "".join(output.text for output in self.outputs if output.stream == stream)


def start(worker: Worker, path: Path, device: str = "cpu", **settings: Any) -> int:
    job = worker.job()
    worker.send(t.RunRequest(job, str(path), device, t.Environment(str(path.parent), **settings)))
    return job


@pytest.fixture
def run(worker, tmp_path):
    def go(text: str | bytes, device: str = "cpu", **settings: Any) -> Run:
        path = tmp_path / "program.hy"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Run(worker.collect(start(worker, path, device, **settings)))

    return go


def test_the_example_trains(worker):
    told = Run(worker.collect(start(worker, EXAMPLES / "feed_forward.hy")))
    lines = told.text("stdout").splitlines()
    assert lines[0] == "Running feed_forward.hy on cpu"
    losses = [float(line.split()[-1]) for line in lines if line.startswith("Epoch:")]
    assert len(losses) == 100 and losses[-1] < losses[0]
    assert (told.result.exit_code, told.result.device, told.result.problems) == (0, "cpu", ())
    assert told.result.seconds > 0 and told.result.peak_memory > 50e6


AGREE = """
(import sys os)
(print __name__ (get sys.argv 0) (cut sys.argv 1 None) (get sys.path 0) (os.getcwd) (get os.environ "A"))
(print "to stderr" :file sys.stderr)
(print (.read sys.stdin))
(sys.exit 5)
"""


@pytest.mark.parametrize("environment", [{}, {"A": "b", "OMP_NUM_THREADS": "1"}])
def test_a_run_agrees_with_a_terminal(run, tmp_path, environment, monkeypatch, worker):
    text = AGREE if environment else AGREE.replace('(get os.environ "A")', '"b"')
    told = run(text, args=("--x", "1"), env=environment)
    command = [sys.executable, "-m", "hy", str(tmp_path / "program.hy"), "--x", "1"]
    env = {**os.environ, **environment}
    terminal = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL, env=env)
    assert told.text("stdout").split("\n", 1)[1] == terminal.stdout
    assert told.text("stderr") == terminal.stderr == "to stderr\n"
    assert told.result.exit_code == terminal.returncode == 5


def test_an_environment_reaches_what_is_read_at_the_start(run):
    told = run("(import torch) (print (torch.get-num-threads))", env={"OMP_NUM_THREADS": "1"})
    assert told.text("stdout").splitlines()[-1] == "1"


ENDS = [
    ("(sys.exit)", 0, None),
    ('(sys.exit "no")', 1, None),
    ("(raise (ValueError 1))", 1, ("exception", "(raise (ValueError 1))")),
    ("(os.kill (os.getpid) 9)", 137, ("crash", "(os.kill (os.getpid) 9)")),
    ("(ctypes.string-at 0)", 139, ("crash", "(ctypes.string-at 0)")),
    ("(os._exit 4)", 4, None),
    ("(foo", 1, ("syntax", "")),
]


@pytest.mark.parametrize(("form", "code", "problem"), ENDS)
def test_every_end_has_the_exit_code_of_a_shell(run, form, code, problem):
    text = f"(import ctypes os sys)\n{form}"
    result = run(text).result
    assert result.exit_code == code
    found = [(p.code, text[p.span.start : p.span.end]) for p in result.problems]
    assert [code for code, _ in found] == ([problem[0]] if problem else [])
    assert not problem or found[0][1].startswith(problem[1])


def test_a_traceback_begins_at_the_user_s_code_and_its_caret_is_right(run):
    told = run('(defn f [s x] (+ s x))\n(f "日本" 1)')
    assert "mino_lsp" not in told.text("stderr")
    assert "program.hy" in told.text("stderr") and "TypeError" in told.text("stderr")


def test_an_absent_device_is_refused_before_anything_ran(run):
    told = run('(print "ran")', device="cuda:7")
    assert isinstance(told.result, t.Failed) and told.outputs == []
    assert told.result.message.startswith("There is no device 'cuda:7' here. There is: cpu (")


@pytest.mark.parametrize("device", ["nonsense", "cuda:x", ""])
def test_an_unknown_device_is_refused_with_the_list(run, device):
    assert "There is: cpu" in run('(print "ran")', device=device).result.message


def test_a_file_that_is_not_utf_8_is_refused(run):
    assert "is not UTF-8: byte 2" in run(b"; \xff\n(print 1)").result.message


def test_another_default_device_is_set(run):
    assert run("(import torch) (print (. (torch.ones 1) device))", device="asWritten").text("stdout").endswith("cpu\n")


def test_threads_and_exit_handlers_end_as_they_do_in_an_interpreter(run):
    text = """
(import atexit threading time)
(atexit.register (fn [] (print "at exit")))
(.start (threading.Thread :target (fn [] (time.sleep 0.3) (print "thread"))))
(print "main")
"""
    assert run(text).text("stdout").splitlines()[1:] == ["main", "thread", "at exit"]


def test_a_working_directory_that_is_not_there_is_said(worker, tmp_path):
    path = tmp_path / "a.hy"
    path.write_text('(print "ran")')
    job = worker.job()
    worker.send(t.RunRequest(job, str(path), "cpu", t.Environment(str(tmp_path / "gone"))))
    told = Run(worker.collect(job))
    assert told.outputs == [] and "gone cannot be entered: No such file or directory" in told.result.message


@pytest.mark.parametrize("environment", [{}, {"A": "b"}])
def test_a_line_comes_when_it_is_printed(worker, tmp_path, environment):
    path = tmp_path / "slow.hy"
    path.write_text('(print "now") (import time) (time.sleep 1000)')
    job = start(worker, path, env=environment)
    while "now" not in getattr(worker.next(), "text", ""):
        pass
    worker.send(t.StopRequest(job, 0.0))
    worker.collect(job)


RANDOM = """
(import numpy random torch)
(print (.tolist (torch.rand 1)) (numpy.random.rand 1) (random.random) :sep "\\n")
(assert (not (torch.cuda.is-initialized)))
"""


def test_every_run_has_random_numbers_of_its_own(run):
    """Its generators are not those that the warden has."""
    first, second = (run(RANDOM) for _ in range(2))
    assert first.result.exit_code == second.result.exit_code == 0, first.text("stderr")
    numbers = [told.text("stdout").splitlines()[1:] for told in (first, second)]
    assert all(one != other for one, other in zip(*numbers, strict=True))


def test_numpy_s_are_its_own_too():
    """Where the warden has them."""
    import numpy

    numpy.random.seed(0)
    torch_state = torch.get_rng_state()
    before = numpy.random.get_state()[1].tolist()
    _seed_anew()
    assert numpy.random.get_state()[1].tolist() != before and not torch.equal(torch.get_rng_state(), torch_state)


INTERRUPTS = ["(raise KeyboardInterrupt)", "(os.kill (os.getpid) 2)", "(defn f [] (os.kill (os.getpid) 2))\n(f)"]


@pytest.mark.parametrize("text", INTERRUPTS)
def test_an_interrupt_shows_where_it_came(run, text):
    told = run(f"(import os)\n{text}")
    assert (told.result.exit_code, told.result.problems) == (130, ())
    lines = told.text("stderr").splitlines()
    assert lines[0] == "Traceback (most recent call last):" and lines[-1] == "KeyboardInterrupt"
    assert "program.hy" in lines[1]
    assert "mino_lsp" not in told.text("stderr")


def test_carriage_returns_and_colours_are_left(run):
    assert run('(print "\\x1b[31mred\\x1b[0m" :end "\\r")').text("stdout").endswith("\x1b[31mred\x1b[0m\r")


def test_a_flood_waits_for_who_reads_it_and_nothing_is_lost(worker, tmp_path):
    path = tmp_path / "flood.hy"
    path.write_text("(for [i (range 200000)] (print i))")
    job = start(worker, path)
    held: list[t.Output] = []
    while sum(len(output.text) for output in held) < WINDOW:
        answer = worker.next()
        held += [answer] if isinstance(answer, t.Output) else []
    # Without credit the worker reads no further; other jobs go on meanwhile.
    other = worker.job()
    worker.send(t.DevicesRequest(other))
    between = worker.collect(other)
    assert isinstance(between[-1].result, t.DeviceList)
    worker.send(t.Credit(job, sum(len(output.text) for output in held)))
    told = Run([*held, *worker.collect(job)])
    lines = told.text("stdout").splitlines()[1:]
    assert lines == [str(i) for i in range(200000)]


STUBBORN = """
(import os signal time)
(signal.signal signal.SIGINT signal.SIG_IGN)
(for [_ (range 3)] (when (= (os.fork) 0) (os.setsid) (os.fork) (time.sleep 1000)))
(print "up" :flush True)
(time.sleep 1000)
"""


@pytest.mark.parametrize(("text", "code"), [('(print "up") (import time) (time.sleep 1000)', 130), (STUBBORN, 137)])
def test_stopping_ends_every_process_of_a_run(worker, tmp_path, text, code):
    path = tmp_path / "forever.hy"
    path.write_text(text)
    job = start(worker, path)
    while "up" not in getattr(worker.next(), "text", ""):
        pass
    worker.send(t.StopRequest(job, 0.5))
    result = worker.collect(job)[-1].result
    assert (result.exit_code, result.stopped, result.problems) == (code, True, ())
    from tests.worker.test_ends import _descendants

    assert wait_until(lambda: not _descendants(worker.process.pid))


def test_a_stop_at_any_moment_is_a_stop(worker, tmp_path):
    """Also one that comes before the program began, or when it has ended and its process has not."""
    path = tmp_path / "short.hy"
    path.write_text('(print "up")')
    for wait in range(12):
        job = start(worker, path)
        time.sleep(wait * 0.003)
        worker.send(t.StopRequest(job, 1.0))
        result = worker.collect(job)[-1].result
        assert isinstance(result, t.RunResult) and result.problems == ()
        assert result.stopped == (result.exit_code != 0)
