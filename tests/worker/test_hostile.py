"""Whatever a program does to its process, and wherever: one true finding, nothing left behind, nothing for the next."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from mino_lsp import types as t
from mino_lsp.worker.forked import Forked
from tests.worker.conftest import Preview, Worker, wait_until
from tests.worker.test_ends import _descendants

LIMITS = t.Limits(cpu=1, wall=20.0, memory=300 * 1024**2, output=100_000)

DEEDS = {
    # what is done: the code of the one finding, or none where it is nobody's business
    "(while True)": "preview-limit",
    '(while True (print "flood"))': "preview-limit",
    "(os._exit 7)": "exit",
    "(ctypes.string-at 0)": "crash",
    "(torch.ones 2000000000)": "preview-limit",
    "(when (= (os.fork) 0) (time.sleep 100))": "",
    "(when (= (os.fork) 0) (os.setsid) (if (= (os.fork) 0) (time.sleep 100) (os._exit 0)))": "",
    "(.start (threading.Thread :target (fn [] (time.sleep 100)) :daemon True))": "",
    "(do (signal.signal signal.SIGTERM signal.SIG_IGN) (signal.signal signal.SIGALRM signal.SIG_IGN))": "",
    '(os.chdir "/")': "",
    "(for [d (range 3 6)] (try (os.close d) (except [OSError])))": "closed",
    "(setv torch.ones (fn [#* a] 1) torch.Tensor.__add__ None)": "patched",
    "(do (torch.set-default-dtype torch.float64) (torch.set-num-threads 2))": "",
    "(sys.setrecursionlimit 100000)": "",
    "(.clear sys.modules)": "cleared",
}

HEAD = "(import ctypes os signal sys threading time torch)\n"

PLACES = {
    "top": "{deed}",
    "macro": "(eval-and-compile (import ctypes os signal sys threading time torch))\n(defmacro m [] {deed} None)\n(m)",
    "import": "(import deeds)",
    "del": "(defclass D [] (defn __del__ [self] {deed}))\n(setv d (D))\n(del d)",
    "predicate": "(require mino.spec *)\n(spec/def :p (fn [v] {deed} True))\n(spec/valid? :p 1)",
    "repr": '(defclass R [] (defn __repr__ [self] {deed} "R"))\n(repr (R))',
}

CONTROL = """\
(import os torch threading)
(setv x (torch.ones 2 3))
(setv y (+ x 1))
(setv place (os.getcwd))
(setv count (torch.ones (threading.active-count)))
"""


@pytest.fixture
def see(worker: Worker, tmp_path: Path) -> Any:
    """Preview a text as a file of a workspace."""

    def run(text: str) -> Preview:
        job = worker.job()
        environment = t.Environment(str(tmp_path))
        path = str(tmp_path / "main.hy")
        worker.send(t.PreviewRequest(job, path, text, environment, LIMITS, root=str(tmp_path)))
        return Preview(text, worker.collect(job))

    return run


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_reaches_the_next_preview(see, worker, tmp_path, deed, place):
    (tmp_path / "deeds.hy").write_text(HEAD + deed, "utf-8")
    others = set(_descendants(worker.process.pid))  # as what expanded something for another test, a while ago
    told = see(HEAD + PLACES[place].format(deed=deed))
    errors = [problem for problem in told.problems if problem.severity != "hint"]
    expected = DEEDS[deed]
    if "2000000000" in deed and place in ("del", "predicate"):
        assert errors == []  # what fails there is no error: Python goes on, and a predicate that raises has failed
    elif expected in ("preview-limit", "exit", "crash"):
        assert [problem.code for problem in errors] == [expected]
    else:
        assert len(errors) <= (1 if expected else 0), errors
    after = see(CONTROL)
    assert after.problems == []
    assert after.at("x", 1) == ["[2 3]"] and after.at("y") == ["[2 3]"] and after.at("count", 0) == ["[1]"]
    worker.close_documents()
    assert wait_until(lambda: others.issuperset(_descendants(worker.process.pid)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deeds.hy"]


def test_a_process_that_ends_without_reading_what_it_was_told() -> None:
    """The system answers the warden's next look at it with a reset, which is an end like any other."""
    ours, theirs = socket.socketpair()
    out, err = os.pipe(), os.pipe()
    job = Forked(t.DevicesRequest(1), lambda _: None)
    reading = ours.detach()
    job.listen(reading, out[0], err[0])
    os.write(reading, b"a request")
    theirs.close()
    assert job.read(reading) is False
    for descriptor in (out[1], err[1], *job.descriptors()):
        os.close(descriptor)
