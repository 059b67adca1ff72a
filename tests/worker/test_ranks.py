"""Runs on several processes: the same result as on one, output by rank, and the first cause of a failure."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from mino_lsp import types as t
from tests.worker.conftest import EXAMPLES, Worker, wait_until
from tests.worker.test_ends import _descendants

HEAD = "(import os time torch torch.distributed :as dist)\n(dist.init-process-group)\n(setv rank (dist.get-rank))\n"


def start(worker: Worker, path: Path, nproc: int = 2, env: dict[str, str] | None = None, **options: Any) -> int:
    job = worker.job()
    device = options.pop("device", "cpu")
    environment = t.Environment(str(path.parent), env=env or {})
    worker.send(t.RunRequest(job, str(path), device, environment, nproc, **options))
    return job


@pytest.fixture
def run(worker, tmp_path):
    """Run a text on two processes: its result, and what each printed after the line that names the device."""

    def go(text: str, **options: Any) -> tuple[Any, dict[Any, str]]:
        path = tmp_path / "program.hy"
        path.write_text(text)
        answers = worker.collect(start(worker, path, **options))
        return answers[-1].result, printed(answers)

    return go


def printed(answers: list[Any]) -> dict[Any, str]:
    out: dict[Any, str] = {}
    for answer in answers:
        if isinstance(answer, t.Output) and answer.stream == "stdout":
            out[answer.rank] = out.get(answer.rank, "") + answer.text
    return {rank: text.partition("\n")[2] for rank, text in out.items()}


def losses(text: str) -> list[float]:
    return [float(line.split()[-1]) for line in text.splitlines() if line.startswith("Epoch")]


def test_two_processes_learn_what_one_learns(worker):
    path = EXAMPLES / "data_parallel.hy"
    one = worker.collect(start(worker, path, nproc=1))
    two = worker.collect(start(worker, path))
    assert two[-1].result.exit_code == 0 and two[-1].result.problems == () and two[-1].result.device == "cpu"
    first, second = losses(printed(one)[None]), losses(printed(two)[0])
    assert len(first) == 30 and first[-1] < first[0] / 2
    assert second == pytest.approx(first, abs=2e-6)
    assert printed(two)[1] == ""
    assert {answer.text for answer in two if isinstance(answer, t.Output) and answer.text.startswith("Running")} == {
        f"Running data_parallel.hy on cpu, process {rank} of 2\n" for rank in (0, 1)
    }


def test_nothing_listens_beyond_this_machine(run):
    text = '(when (= rank 0) (for [n ["tcp" "tcp6"]] (with [f (open (+ "/proc/net/" n))] (print (.read f)))))'
    before = listening(Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text())
    result, out = run(HEAD + text)
    during = listening(out[0])
    assert result.exit_code == 0 and during
    # 0100007F is 127.0.0.1; other programs of this machine may have begun to listen meanwhile.
    assert [address for address in during - before if not address.startswith("0100007F")] == []


def listening(table: str) -> set[str]:
    rows = [line.split() for line in table.splitlines()]
    return {row[1] for row in rows if len(row) > 3 and row[3] == "0A"}


FAILURES = [
    ("(when (= rank 1) (/ 1 0))", 1, "exception", "Process 1: ZeroDivisionError: division by zero.", "(/ 1 0)"),
    ("(when (= rank 0) (/ 1 0))", 1, "exception", "Process 0: ZeroDivisionError: division by zero.", "(/ 1 0)"),
    ("(when (= rank 1) (os.kill (os.getpid) 9))", 137, "crash", "Process 1: The program crashed here with SIGKILL", ""),
    ("(when (= rank 1) (os.abort))", 134, "crash", "Process 1: The program crashed here with SIGABRT", ""),
]


@pytest.mark.parametrize(("form", "code", "kind", "told", "at"), FAILURES)
def test_the_failure_of_one_stops_all_and_is_told_with_its_rank(run, worker, form, code, kind, told, at):
    text = f"{HEAD}{form}\n(dist.all-reduce (torch.ones 1))\n(time.sleep 1000)"
    result, _ = run(text)
    (problem,) = result.problems
    # The launcher ends with the code of the process whose end it sees first: 1 is that of one that lost its peer.
    assert result.exit_code in (code, 1) and problem.code == kind
    assert problem.message.startswith(told)
    assert text[problem.span.start : problem.span.end] == (at or form)
    assert wait_until(lambda: not _descendants(worker.process.pid))


def test_a_peer_that_waits_does_not_hide_the_cause(run):
    """The others fail, too, when one is gone: that is not what is told."""
    result, _ = run(f"{HEAD}(when (= rank 1) (exit 3))\n(dist.all-reduce (torch.ones 1))")
    assert result.exit_code != 0 and all("Process 0" in problem.message for problem in result.problems)


REFUSED = [
    ({"torchrun": ("--nproc-per-node=1",)}, "2 processes were asked for, and torch's launcher started 1: look at"),
    ({"torchrun": ("--nproc-per-node=3",)}, "2 processes were asked for, and torch's launcher started 3: look at"),
    (
        {"torchrun": ("--no-such-option=1",)},
        "torch's launcher refuses the options in mino.run.torchrun: unrecognized arguments: --no-such-option=1.",
    ),
    (
        {"torchrun": ("--max-restarts=many",)},
        "refuses the options in mino.run.torchrun: argument --max-restarts/--max_restarts: invalid int value: 'many'.",
    ),
    ({"torchrun": ("--help",)}, "torch's launcher starts nothing with the options in mino.run.torchrun."),
    ({"torchrun": ("--nnodes=many",)}, "base 10: 'many' (mino.run.torchrun is --nnodes=many)"),
    ({"prefix": ("true",)}, "2 processes were asked for and none came up, although the launcher ended without"),
    ({"prefix": ("no-such-command",)}, "The command no-such-command (setting mino.run.prefix) cannot be started: No"),
    ({"device": "cuda:7"}, "cuda:7"),
]


@pytest.mark.parametrize(("options", "told"), REFUSED)
def test_fewer_than_were_asked_for_is_an_error(run, options, told):
    result, out = run('(print "ran")', **options)
    assert isinstance(result, t.Failed) and told in result.message
    assert "ran" not in "".join(out.values()).splitlines()


def test_environment_and_prefix_reach_every_process(run):
    text = '(import os torch) (print (os.getpriority os.PRIO-PROCESS 0) (os.environ.get "A") (torch.get-num-threads))'
    result, out = run(text, prefix=("nice", "-n", "3"), env={"A": "b", "OMP_NUM_THREADS": "1"})
    nice = os.getpriority(os.PRIO_PROCESS, 0) + 3
    assert result.exit_code == 0 and out == {0: f"{nice} b 1\n", 1: f"{nice} b 1\n"}


def test_stopping_ends_every_rank_and_leaves_nothing(worker, tmp_path, monkeypatch):
    path = tmp_path / "forever.hy"
    path.write_text(
        "(import signal time) (signal.signal signal.SIGINT signal.SIG_IGN)\n"
        '(signal.signal signal.SIGTERM signal.SIG_IGN) (print "up") (time.sleep 1000)'
    )
    descriptors = os.listdir(f"/proc/{worker.process.pid}/fd")
    job = start(worker, path)
    up = 0
    while up < 2:
        up += "up" in getattr(worker.next(), "text", "")
    worker.send(t.StopRequest(job, 0.5))
    result = worker.collect(job)[-1].result
    assert result.stopped and result.problems == ()
    assert not _descendants(worker.process.pid)
    assert len(os.listdir(f"/proc/{worker.process.pid}/fd")) == len(descriptors)


def test_the_ranks_end_with_the_worker(tmp_path):
    worker = Worker()
    assert isinstance(worker.next(), t.Ready)
    path = tmp_path / "forever.hy"
    path.write_text('(import time) (print "up") (time.sleep 1000)')
    start(worker, path)
    up = 0
    while up < 2:
        up += "up" in getattr(worker.next(), "text", "")
    below = _descendants(worker.process.pid)
    assert len(below) == 3
    worker.process.kill()
    worker.process.wait()
    assert wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/cwd") for pid in below))


def test_a_machine_s_own_rendezvous_is_left_to_the_user(run):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--nnodes=1", "--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{port}")
    result, out = run(f"{HEAD}(print (dist.get-world-size))", torchrun=options)
    assert result.exit_code == 0 and out == {0: "2\n", 1: "2\n"}
