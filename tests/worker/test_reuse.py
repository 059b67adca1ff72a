"""Where nothing is forked: one process does one job after the other, each as if it were the first."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mino_lsp import types as t
from tests.worker.conftest import Preview, Worker, wait_until
from tests.worker.test_ends import _descendants

LIMITS = t.Limits(cpu=5, wall=30.0, memory=1024**3)


@pytest.fixture(scope="module")
def reusing() -> Iterator[Worker]:
    worker = Worker(env={**os.environ, "MINO_WITHOUT_FORK": "1"})
    assert isinstance(worker.next(), t.Ready)
    while True:  # what is imported while nothing is asked would be imported by a job else, and end its process
        time.sleep(0.3)
        job, text = worker.job(), '(import sys) (in "torch._dynamo" sys.modules)'
        spans = t.Span(0, 12), t.Span(13, len(text))
        worker.send(t.EvalRequest(job, "/warm.hy", text, spans[:1], spans[1:], t.Environment("/")))
        if worker.collect(job)[-1].result.text == "True":
            break
    yield worker
    worker.close()


@pytest.fixture
def see(reusing: Worker, tmp_path: Path) -> Any:
    def run(text: str, limits: t.Limits = LIMITS, **options: Any) -> Preview:
        job, path = reusing.job(), str(tmp_path / "main.hy")
        environment = t.Environment(str(tmp_path))
        reusing.send(t.PreviewRequest(job, path, text, environment, limits, root=str(tmp_path), **options))
        return Preview(text, reusing.collect(job))

    return run


WHO = '(do (import os) (raise (ValueError f"by {(os.getpid)}")))'


def process(told: Preview) -> str:
    """The process that evaluated what ends in WHO; nothing else failed."""
    (problem,) = told.problems
    assert problem.code == "exception", problem
    return problem.message.split()[-1].rstrip(".")


PUT_BACK = [
    # what a program does, and what the next one asserts
    ("(setv a 1)", '(assert (not-in "a" (globals)))'),
    (
        "(import torch) (torch.set-default-dtype torch.float64)",
        "(import torch) (assert (= (. (torch.ones 1) dtype) torch.float32))",
    ),
    (
        '(import torch) (torch.set-default-device "meta")',
        '(import torch) (assert (= (str (. (torch.ones 1) device)) "cpu"))',
    ),
    ("(import torch) (torch.set-grad-enabled False)", "(import torch) (assert (torch.is-grad-enabled))"),
    (
        "(import torch) (torch.use-deterministic-algorithms True)",
        "(import torch) (assert (not (torch.are-deterministic-algorithms-enabled)))",
    ),
    ("(import torch) (torch.set-num-threads 2)", "(import torch) (assert (= (torch.get-num-threads) 1))"),
    (
        "(import torch) (torch.set-printoptions :precision 1)",
        '(import torch) (assert (in "0.1235" (str (torch.tensor 0.12345))))',
    ),
    (
        "(import torch) (setv torch.backends.cudnn.benchmark True)",
        "(import torch) (assert (not torch.backends.cudnn.benchmark))",
    ),
    ("(import torch) (setv torch.leaked 1)", '(import torch) (assert (not (hasattr torch "leaked")))'),
    (
        '(import os) (os.chdir "/") (setv (get os.environ "MINO_X") "1")',
        '(import os) (assert (not-in "MINO_X" os.environ)) (assert (!= (os.getcwd) "/"))',
    ),
    (
        '(import sys) (.insert sys.path 0 "/nowhere") (sys.setrecursionlimit 5000)',
        '(import sys) (assert (not-in "/nowhere" sys.path)) (assert (!= (sys.getrecursionlimit) 5000))',
    ),
    ('(import warnings) (warnings.simplefilter "error")', '(import warnings) (warnings.warn "heard") (assert True)'),
    (
        "(import signal) (signal.signal signal.SIGTERM signal.SIG_IGN)",
        "(import signal) (assert (= (signal.getsignal signal.SIGTERM) signal.SIG_DFL))",
    ),
    ("(import builtins) (setv builtins.leaked 1)", '(import builtins) (assert (not (hasattr builtins "leaked")))'),
    ("(import sys io) (setv sys.stdout (io.StringIO))", '(import sys) (assert (not (hasattr sys.stdout "getvalue")))'),
    ("(require mino.spec *) (spec/def :leaked int)", "(require mino.spec *) (assert (= (len (spec/registry)) 0))"),
    (
        "(import logging) (logging.basicConfig :level logging.DEBUG)",
        "(import logging) (assert (= logging.root.handlers []))",
    ),
    ("(defmacro leaked [] 1) (leaked)", "(assert (try (hy.eval '(leaked)) False (except [NameError] True)))"),
    ("(defreader leaked 1)", '(assert (try (hy.read "#leaked") False (except [SyntaxError] True)))'),
    (
        "(import threading) (.start (threading.Thread :target (fn [] None)))",
        "(import threading) (assert (= (threading.active-count) 1))",
    ),
    ('(with [f (open "kept" "w")] (.write f "x"))', '(import os) (assert (not (os.path.exists "kept")))'),
]


@pytest.mark.parametrize(("first", "then"), PUT_BACK)
def test_what_is_put_back(see, first, then):
    """Both in one process: it was not simply replaced."""
    replaced = any(word in first for word in ("threading", "deterministic"))  # of which torch starts a thread, too
    for _ in range(4):
        before = process(see(f"{first}\n{WHO}"))
        told = see(f"{then}\n{WHO}")
        assert [problem.severity for problem in told.problems if "by " not in problem.message] in ([], ["warning"])
        if replaced or told.problems[-1].message.split()[-1] == f"{before}.":
            return
        # Where getting back there took longer than the next request did to come, the other process was ready first.
    raise AssertionError("Another process did the second job each time.")


def test_random_numbers_begin_alike(see):
    text = (
        "(import random numpy torch) (raise (ValueError [(random.random) (numpy.random.rand) (.item (torch.rand 1))]))"
    )
    first, second = see(text), see(text)
    assert first.problems[0].message == second.problems[0].message


def test_the_same_facts_again_and_again(see):
    head = "(require mino.mu *)\n(import torch)\n(defmu M [x linear] (linear x))\n"
    text = head + "(setv y ((M :linear (torch.nn.Linear 2 3)) (torch.ones 4 2)))"
    first = see(text)
    assert first.problems == [] and first.at("(linear x)") == ["[4 3]"]
    for way in ("light", "heavy", "light", "heavy"):
        told = see(text, way=way)
        assert told.problems == [] and {span: fact.values for span, fact in told.facts.items()} == {
            span: fact.values for span, fact in first.facts.items()
        }


def test_files_of_the_workspace_are_read_anew(see, tmp_path):
    text = "(import torch parts)\n(setv x (parts.make))"
    for size in (2, 3):
        (tmp_path / "parts.hy").write_text(f"(import torch)\n(defn make [] (torch.ones {size}))", "utf-8")
        told = see(text)
        assert told.problems == [] and told.at("x") == [f"[{size}]"]


def test_a_file_that_was_previewed_is_a_module_of_its_own_afterwards(reusing, see, tmp_path):
    """Python remembers which module a file belongs to."""
    text = "(import inspect sys)\n(setv name (. (inspect.getmodule (sys._getframe)) __name__))"
    (tmp_path / "part.hy").write_text(text, "utf-8")
    request = t.PreviewRequest(reusing.job(), str(tmp_path / "part.hy"), text, t.Environment(str(tmp_path)))
    reusing.send(request)
    assert Preview(text, reusing.collect(request.job)).problems == []
    assert see('(import part)\n(assert (= part.name "part") part.name)').problems == []


REPLACED = [
    "(setv torch.ones torch.zeros)",
    "(setv torch.Tensor.__add__ None)",
    "(setv torch.nn.Linear.forward (fn [self x] x))",
    "(import builtins) (setv builtins.sum (fn [x] 0))",
    "(import sys) (setv sys.modules (dict sys.modules))",
    '(import sys) (del (get sys.modules "torch"))',
    "(import copyreg) (defclass C []) (copyreg.pickle C (fn [c] c))",
    "(import threading time) (.start (threading.Thread :target time.sleep :args [60] :daemon True))",
    "(import os time) (when (= (os.fork) 0) (time.sleep 60))",
    '(import os) (os.open "/" os.O-RDONLY)',
    "(import os) (os.close 1)",
    "(import os signal) (signal.alarm 100)",
    "(import gc) (gc.freeze)",
]


@pytest.mark.parametrize("deed", REPLACED)
def test_a_process_that_something_stays_in_is_not_used_again(see, reusing, deed):
    before = process(see(WHO))
    told = see(f"(import torch)\n{deed}\n{WHO}")
    assert process(told) == before
    after = see(f"(import torch)\n(setv x (+ (torch.ones 2) (len [1])))\n{WHO}")
    assert process(after) != before and after.at("x") == ["[2]"]
    assert wait_until(lambda: not os.path.exists(f"/proc/{before}"))
    assert wait_until(lambda: not _descendants(reusing.process.pid))


def test_a_limit_ends_the_process_and_the_next_job_has_another(see):
    before = process(see(WHO))
    (problem,) = see("(while True)", t.Limits(cpu=1, wall=30.0)).problems
    assert problem.code == "preview-limit" and "1 s of CPU" in problem.message
    assert process(see(WHO)) != before


def test_a_newer_text_does_not_wait_for_an_older_one(see, reusing, tmp_path):
    job, path = reusing.job(), str(tmp_path / "main.hy")
    long = "(do (import os sys time) (setv pid (os.getpid)) (time.sleep 100))"
    reusing.send(t.PreviewRequest(job, path, long, t.Environment(str(tmp_path)), LIMITS))
    while not isinstance(reusing.next(), t.FormStarted):
        pass
    below = _descendants(reusing.process.pid, waiting_too=True)
    newer = reusing.job()
    reusing.send(t.PreviewRequest(newer, path, "(setv a 1)", t.Environment(str(tmp_path)), LIMITS))
    ended = {}
    while len(ended) < 2:
        answer = reusing.next()
        if isinstance(answer, t.Finished):
            ended[answer.job] = answer.result
    assert ended[job] == t.Failed("It was stopped.") and isinstance(ended[newer], t.PreviewResult)
    assert wait_until(lambda: not below <= _descendants(reusing.process.pid, waiting_too=True))


def test_examples_come_after_all_else(see):
    """A run evaluates none: what stands below them is as in a run."""
    head = "(require mino.mu *)\n(import torch mino)\n(torch.manual-seed 0)\n(defmu M [x] (+ x (torch.rand 2)))\n"
    show = "(raise (ValueError (.item (torch.rand 1))))"
    without = see(head + show)
    told = see(f"{head}(mino/live ((M) (torch.ones 2)))\n{show}")
    assert [problem.message for problem in told.problems] == [problem.message for problem in without.problems]
    assert told.at("(+ x (torch.rand 2))") == ["[2]"] and without.at("(+ x (torch.rand 2))") == []


def test_devices_are_asked_for_in_a_process_of_their_own(see, reusing):
    before = process(see(WHO))
    job = reusing.job()
    reusing.send(t.DevicesRequest(job))
    listed = reusing.collect(job)[-1].result
    assert isinstance(listed, t.DeviceList) and listed.devices[0].name == "cpu"
    assert process(see(WHO)) == before


def test_a_run_is_a_new_interpreter(reusing, tmp_path):
    path = tmp_path / "main.hy"
    path.write_text('(import os) (print "up" (os.getpid) (os.getppid)) (setv a 1)', "utf-8")
    job = reusing.job()
    reusing.send(t.RunRequest(job, str(path), "cpu", t.Environment(str(tmp_path))))
    answers = reusing.collect(job)
    printed = "".join(answer.text for answer in answers if isinstance(answer, t.Output))
    assert answers[-1].result.exit_code == 0 and str(reusing.process.pid) in printed.split("up")[1]


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_everything_ends_with_the_worker(tmp_path, end):
    worker = Worker(env={**os.environ, "MINO_WITHOUT_FORK": "1"})
    assert isinstance(worker.next(), t.Ready)
    worker.send(t.PreviewRequest(1, str(tmp_path / "a.hy"), "(import time) (time.sleep 100)", t.Environment("/")))
    while not isinstance(worker.next(), t.FormStarted):
        pass
    below = _descendants(worker.process.pid, waiting_too=True)
    assert below
    if end == "closed":
        worker.close()
        assert worker.process.returncode == 0
    else:
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()
    assert wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/cwd") for pid in below))
