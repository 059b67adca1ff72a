"""However a preview's program ends or refuses to: one finding at its form, nothing left behind, the next one works."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from mino_lsp import types as t
from tests.lsp.processes import waits
from tests.worker.conftest import Worker, wait_until

LIMITS = t.Limits(cpu=1, wall=30.0, memory=300 * 1024**2, output=100_000)
SHORT = t.Limits(cpu=20, wall=2.0)

ENDS = [
    # the form that ends it, the code, a part of the message
    ('(while True (print "again and again"))', "preview-limit", "printed"),
    ('(while True (os.write 1 (* b"x" 4096)))', "preview-limit", "printed"),
    ("(time.sleep 1000)", "preview-limit", "taken 2 s"),
    ("(while True)", "preview-limit", "1 s of CPU"),
    ("(while True (try (while True) (except [BaseException])))", "preview-limit", "1 s of CPU"),
    ("(do (signal.signal signal.SIGXCPU signal.SIG_IGN) (while True))", "preview-limit", "1 s of CPU"),
    ("(do (signal.signal signal.SIGALRM signal.SIG_IGN) (time.sleep 1000))", "preview-limit", "taken 2 s"),
    ("(torch.ones 2000000000)", "preview-limit", "memory"),
    ('(setv big (* b"x" 2000000000))', "preview-limit", "memory"),
    ("(os._exit 7)", "exit", "exit code 7"),
    ("(os.abort)", "crash", "SIGABRT"),
    ("(ctypes.string-at 0)", "crash", "SIGSEGV"),
    ("(os.kill (os.getpid) signal.SIGKILL)", "crash", "SIGKILL"),
    ("(.read sys.stdin 1) (input)", "preview-input", "standard input"),
    ("(os.kill (os.getppid) signal.SIGKILL)", "preview-refused", "may not"),
    ('(socket.create-connection #("127.0.0.1" 9))', "preview-refused", "may not"),
    ('(subprocess.run ["true"])', "preview-refused", "may not"),
]


@pytest.mark.parametrize(("form", "code", "told"), ENDS)
def test_every_end_is_one_finding_at_its_form(preview, form, code, told):
    text = f"(import ctypes os signal socket subprocess sys time torch)\n(setv before 1)\n{form}\n"
    answer = preview(text, SHORT if "time.sleep" in form else LIMITS)
    (problem,) = answer.problems
    assert problem.code == code and told in problem.message
    at = text.index(form)
    assert at <= problem.span.start < problem.span.end <= at + len(form)
    assert preview("(setv a 1)").problems == []


def test_a_limit_is_said_where_the_program_was(preview):
    text = '(defn slow [n]\n  (for [i (range n)]\n    (print "deep inside" i)))\n(slow 1000000000)'
    (problem,) = preview(text, LIMITS).problems
    assert text.index("(for") <= problem.span.start and problem.span.end <= text.index("(slow 1000")


def test_what_was_seen_before_a_crash_is_kept(preview):
    answer = preview("(import torch os)\n(setv x (torch.ones 2 3))\n(os._exit 1)")
    assert answer.at("x") == ["[2 3]"]


DOUBLE_FORK = """
(import os time)
(when (= (os.fork) 0)
  (os.setsid)
  (when (= (os.fork) 0)
    (with [f (open (+ (get os.environ "TMPDIR") "/x") "w")] None)
    (time.sleep 1000))
  (os._exit 0))
(os.wait)
"""


def _descendants(pid: int, waiting_too: bool = False) -> set[int]:
    """The processes below one; not those that wait for another job, as they do where nothing is forked."""
    found, waiting = set(), [pid]
    while waiting:
        parent = waiting.pop()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in found:
                try:
                    status = (entry / "stat").read_text()
                except OSError:
                    continue
                if int(status.rsplit(")", 1)[1].split()[1]) == parent:
                    found.add(int(entry.name))
                    waiting.append(int(entry.name))
    return {one for one in found if waiting_too or not waits(one)}


def test_a_double_fork_does_not_survive_its_preview(preview, worker, tmp_path):
    """What sleeps until the document is edited is all that stays, and goes with the document."""
    assert preview("(import os time)\n(setv a 1)").problems == []
    sleeping = len(_descendants(worker.process.pid))
    assert preview(DOUBLE_FORK).problems == []
    assert wait_until(lambda: len(_descendants(worker.process.pid)) <= sleeping)
    worker.send(t.CloseRequest(str(tmp_path / "main.hy")))
    assert wait_until(lambda: not _descendants(worker.process.pid))


def test_scratch_folders_are_removed(preview, tmp_path):
    kept = tmp_path / "where"
    answer = preview(
        '(import os) (assert (os.path.isdir (get os.environ "TMPDIR"))) '
        '(with [f (open (+ (get os.environ "TMPDIR") "/x") "w")] (.write f "seen"))'
        '(raise (ValueError (get os.environ "TMPDIR")))'
    )
    folder = answer.problems[0].message.split()[-1].rstrip(".")
    assert "mino-" in folder and not os.path.exists(folder) and not kept.exists()


WRITES = [
    '(open "canary" "w")',
    '(import torch) (torch.save 1 "canary")',
    '(import os) (os.open "canary" (| os.O-CREAT os.O-WRONLY))',
    '(import sqlite3) (.execute (sqlite3.connect "canary") "create table t (a)")',
    '(import os) (os.mkdir "canary")',
    '(import os) (os.rename "kept" "canary")',
    '(import os) (os.remove "kept")',
    '(import os) (os.truncate "kept" 0)',
    '(import os) (os.system "touch canary")',
]


@pytest.mark.parametrize("text", WRITES)
def test_a_preview_writes_nothing(preview, tmp_path, text):
    (tmp_path / "kept").write_text("as it was")
    preview(text)
    assert not (tmp_path / "canary").exists()
    assert (tmp_path / "kept").read_text() == "as it was"


def test_stopping_a_preview_ends_it_at_once(worker, tmp_path):
    job = worker.job()
    worker.send(t.PreviewRequest(job, str(tmp_path / "a.hy"), "(import time) (time.sleep 100)", t.Environment("/")))
    while not isinstance(worker.next(), t.FormStarted):
        pass
    worker.send(t.StopRequest(job, 0.0))
    assert isinstance(worker.collect(job)[-1].result, t.Failed)
    worker.send(t.CloseRequest(str(tmp_path / "a.hy")))
    assert wait_until(lambda: not _descendants(worker.process.pid))


def test_bytes_on_the_worker_s_own_pipe_end_the_job_and_nothing_else(worker, preview):
    answer = preview('(import os) (for [d (range 3 64)] (try (os.write d (* b"\\xff" 64)) (except [OSError])))')
    assert isinstance(answer.result, t.PreviewResult)
    assert preview("(setv a 1)").problems == []


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_everything_ends_with_the_worker(tmp_path, end):
    worker = Worker()
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
