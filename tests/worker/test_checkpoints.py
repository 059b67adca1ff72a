"""A preview that goes on from a checkpoint tells what one from nothing tells; what is doubtful begins from nothing."""

from __future__ import annotations

import contextlib
import itertools
import os
import py_compile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mino_lsp import types as t
from tests.worker.conftest import Preview, Worker, wait_until
from tests.worker.test_ends import ENDS, LIMITS, SHORT

pytestmark = pytest.mark.needs_fork("checkpoints are processes that fork")

SLOW = "(do (import time) (time.sleep 0.1))"
MARK = "(setv mark (.hex (os.urandom 8)))"
"""A value that no two evaluations of it share."""

_names = itertools.count()


def ask(worker: Worker, path: Path, text: str, limits: t.Limits | None = None, edited: int = 0) -> Preview:
    job = worker.job()
    environment = t.Environment(str(path.parent))
    worker.send(t.PreviewRequest(job, str(path), text, environment, limits or t.Limits(), edited=edited))
    return Preview(text, worker.collect(job))


def mark(told: Preview) -> str:
    """What the last form raises."""
    return told.problems[-1].message


SHOW = "(raise (ValueError mark))"


@pytest.mark.parametrize(
    ("between", "after", "kept"),
    [
        ("", f"(setv a 2)\n{SHOW}", True),
        ("(setv a 1)", f"(setv a 2)\n{SHOW}", True),
        # what a fork would lose or share
        ("(import threading) (.start (threading.Thread :target (fn [] (time.sleep 2)) :daemon True))", SHOW, False),
        ("(setv file (open __file__))", SHOW, False),
        ('(os.chdir "/")', SHOW, False),
        ("(import signal) (signal.signal signal.SIGTERM signal.SIG-IGN)", SHOW, False),
        ("(import mmap) (setv shared (mmap.mmap -1 4096))", SHOW, False),
        ("(setv os.fork (fn [] 1))", SHOW, False),
        ("(when (= (os.fork) 0) (time.sleep 2))", SHOW, False),
        # what it carries over
        ("(import torch) (torch.set-default-dtype torch.float64)", SHOW, True),
        ('(with [f (open (+ (get os.environ "TMPDIR") "/x") "w")] (.write f "x"))', SHOW, True),
    ],
)
def test_what_is_gone_on_from(worker, tmp_path, between, after, kept):
    path = tmp_path / "main.hy"
    path.write_text("")
    head = f"(import os time)\n{MARK}\n{between}\n{SLOW}\n"
    first, second = ask(worker, path, f"{head}\n(setv b 1)\n{SHOW}"), ask(worker, path, head + after)
    assert (mark(first) == mark(second)) is kept
    changed = ask(worker, path, f"(setv above 1)\n{head}{after}")
    assert mark(changed) != mark(second)


@pytest.mark.parametrize("byte_code", [False, True])
def test_a_file_that_was_read_and_has_changed_is_read_again(worker, tmp_path, byte_code):
    path = tmp_path / "main.hy"
    (tmp_path / "beside.py").write_text("value = 1")
    if byte_code:  # its source is not opened then
        py_compile.compile(str(tmp_path / "beside.py"))
    (tmp_path / "data.txt").write_text("one")
    head = f'(import os beside)\n(setv data (with [f (open "data.txt")] (.read f)))\n{MARK}\n{SLOW}\n'
    show = "(raise (ValueError (, beside.value data mark)))".replace("(, ", "#(")
    first = mark(ask(worker, path, head + show))
    assert mark(ask(worker, path, f"{head}(setv a 1)\n{show}")) == first
    (tmp_path / "data.txt").write_text("three")
    second = mark(ask(worker, path, f"{head}(setv a 2)\n{show}"))
    assert "three" in second and second != first
    (tmp_path / "beside.py").write_text("value = 22")
    assert "22" in mark(ask(worker, path, f"{head}(setv a 3)\n{show}"))


def test_scratch_files_are_as_they_were(worker, tmp_path):
    path = tmp_path / "main.hy"
    where = '(setv where (+ (get os.environ "TMPDIR") "/x"))'
    head = f'(import os)\n{where}\n(with [f (open where "w")] (.write f "kept"))\n{SLOW}\n'
    change = '(with [f (open where "a")] (.write f "more"))\n(raise (ValueError (with [f (open where)] (.read f))))'
    for number in range(3):
        assert "ValueError: keptmore." in mark(ask(worker, path, f"{head}(setv a {number})\n{change}"))


@pytest.mark.parametrize(("form", "code", "told"), ENDS)
def test_every_end_below_a_checkpoint_is_one_finding(worker, tmp_path, form, code, told):
    path = tmp_path / "main.hy"
    head = f"(import ctypes os signal socket subprocess sys time torch)\n{MARK}\n{SLOW}\n"
    assert ask(worker, path, f"{head}(setv a 1)").problems == []
    answer = ask(worker, path, head + form, SHORT if "time.sleep" in form else LIMITS)
    assert [problem.code for problem in answer.problems] == [code] and told in answer.problems[0].message
    assert ask(worker, path, f"{head}(setv a 1)").problems == []


def test_what_is_kept_goes_with_the_document(worker, tmp_path):
    from tests.worker.test_ends import _descendants

    before = _descendants(worker.process.pid)
    path = tmp_path / "main.hy"
    text = "(import os)\n" + "".join(f"{SLOW}\n(setv a{i} {i})\n" for i in range(8))
    ask(worker, path, text)
    kept = _descendants(worker.process.pid) - before
    assert 2 <= len(kept) <= 5  # the first, and at most four checkpoints
    worker.send(t.CloseRequest(str(path)))
    assert wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/cwd") for pid in kept))


def test_what_is_compiled_is_no_reason_for_one(worker, tmp_path):
    from tests.worker.test_ends import _descendants

    before = _descendants(worker.process.pid)
    forms = "".join(f"(defn f{i} [x] {'(when x ' * 20}(print x){')' * 20})\n" for i in range(12))
    told = ask(worker, tmp_path / "main.hy", forms, edited=len(forms))
    assert told.result.seconds > 0.1
    assert len(_descendants(worker.process.pid) - before) == 1  # what all of the document comes from


def test_what_stands_below_an_edit_is_not_compiled_again(worker, tmp_path):
    path, word, other = tmp_path / "main.hy", os.urandom(8).hex(), os.urandom(8).hex()
    below = f'(raise (ValueError "{word}"))'
    assert word in mark(ask(worker, path, f"(setv n 0)\n{below}"))
    for kept in Path(tempfile.gettempdir()).glob("mino-*/compiled/*"):
        with contextlib.suppress(OSError):  # another worker's, which goes meanwhile
            code = kept.read_bytes()
            if word.encode() in code:
                kept.write_bytes(code.replace(word.encode(), other.encode()))
    assert other in mark(ask(worker, path, f"(setv n 10)\n\n{below}"))


def test_stopped_while_a_checkpoint_is_made(worker, tmp_path):
    path = tmp_path / "main.hy"
    for number in range(6):
        job = worker.job()
        text = f"(import os)\n{SLOW}\n{SLOW}\n(setv a {number})\n{SLOW}"
        worker.send(t.PreviewRequest(job, str(path), text, t.Environment(str(tmp_path)), edited=20))
        worker.send(t.StopRequest(job, 0.0))
        assert isinstance(worker.collect(job)[-1].result, (t.Failed, t.PreviewResult))
    assert ask(worker, path, "(setv a 1)").problems == []


# ---- the law

FORMS = st.sampled_from(
    [
        "(setv x (torch.randn 2 3))",
        "(setv n (+ n 1))",
        "(setv x (torch.ones n (+ n 1)))",
        "(torch.manual-seed n)",
        "(setv x (torch.ones (int (torch.randint 1 9 []))))",
        "(setv x (torch.zeros (.randint random 1 9) 2))".replace("(.randint random", "(random.randint"),
        "(random.seed n)",
        "(defn f [v] (* v 2))",
        "(defmu M [v w] (-> v (@ w) torch.relu))",
        "((M :w (torch.ones n 4)) (torch.ones 2 n))",
        "(f x)",
        "(defmacro twice [e] `(do ~e ~e))",
        "(twice (setv n (* n 2)))",
        "(for [i (range n)] (torch.ones i))",
        "(undefined n)",
        "; a comment",
        SLOW,
    ]
)
HEAD = "(import torch random)\n(require mino.mu * mino.thread *)\n(setv n 1)\n"


def told(preview: Preview) -> Any:
    facts = {at: (fact.values, fact.distinct) for at, fact in preview.facts.items()}
    return facts, preview.problems, (preview.result.evaluated, preview.result.stopped)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FORMS, min_size=3, max_size=7), st.lists(st.tuples(st.integers(0, 6), FORMS), min_size=1, max_size=4))
def test_after_any_edits_it_tells_what_one_from_nothing_tells(worker, tmp_path, forms, edits):
    path = tmp_path / f"{next(_names)}.hy"
    ask(worker, path, HEAD + "\n".join(forms))
    for place, form in edits:
        at = place % (len(forms) + 1)
        forms = [*forms[:at], form, *forms[at + 1 :]]
        text = HEAD + "\n".join(forms)
        edited = len(HEAD) + sum(len(each) + 1 for each in forms[:at])
        gone_on = ask(worker, path, text, edited=edited)
        anew = ask(worker, tmp_path / f"{next(_names)}.hy", text)
        assert told(gone_on) == told(anew)
    worker.close_documents()
