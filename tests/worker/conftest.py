"""A real worker process, spoken to as the server does."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

import mino_lsp
from mino_lsp import types as t

MAIN = Path(mino_lsp.__file__).parent / "worker" / "__main__.py"
EXAMPLES = Path(__file__).parents[2] / "examples"


class Worker:
    """Requests in, answers out, one job at a time."""

    def __init__(self, *arguments: str, python: str = sys.executable, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [python, str(MAIN), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=env
        )
        self._frames = t.FrameReader()
        self._jobs = itertools.count(1)
        self._pending: list[Any] = []
        self._of_others: list[Any] = []
        self._opened: set[str] = set()

    def next(self) -> Any:
        """What is told next, of whatever job."""
        assert self.process.stdout is not None
        while not self._pending:
            data = self.process.stdout.read(1 << 16)
            if not data:
                raise EOFError("the worker is gone")
            self._pending += self._frames.feed(data)
        return self._pending.pop(0)

    def send(self, request: t.Request) -> None:
        assert self.process.stdin is not None
        if isinstance(request, (t.PreviewRequest, *get_args(t.ExpansionRequest))):
            self._opened.add(request.path)
        self.process.stdin.write(t.frame(request))

    def close_documents(self) -> None:
        """Nothing stays of what was previewed or expanded."""
        while self._opened:
            self.send(t.CloseRequest(self._opened.pop()))

    def collect(self, job: int, credit: bool = True) -> list[Any]:
        """All answers of a job, up to its end. Those of others stay: several are at work at once where there is no
        fork."""
        answers: list[Any] = []
        waiting, self._of_others = iter(self._of_others), []
        while True:
            answer = next(waiting, None) or self.next()
            if getattr(answer, "job", None) != job:
                self._of_others.append(answer)
                continue
            answers.append(answer)
            if isinstance(answer, t.Output) and credit:
                self.send(t.Credit(job, len(answer.text)))
            if isinstance(answer, t.Finished):
                self._of_others += waiting
                return answers

    def job(self) -> int:
        return next(self._jobs)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


class Preview:
    """What one preview told."""

    def __init__(self, text: str, answers: list[Any]) -> None:
        self.text = text
        self.answers = answers
        self.facts: dict[t.Span, t.Fact] = {}
        self.problems: list[t.Problem] = []
        for answer in answers:
            if isinstance(answer, t.Facts):
                self.facts.update({fact.span: fact for fact in answer.facts})
                self.problems += answer.problems
        self.result = answers[-1].result

    def at(self, text: str, nth: int = 0) -> list[str]:
        """What was seen at the nth place where `text` stands."""
        start = -1
        for _ in range(nth + 1):
            start = self.text.index(text, start + 1)
        fact = self.facts.get(t.Span(start, start + len(text)))
        return [] if fact is None else [show(value) for value in fact.values]

    def blamed(self) -> list[tuple[str, str]]:
        """The code of each problem and the text it is reported at."""
        return [(problem.code, self.text[problem.span.start : problem.span.end]) for problem in self.problems]

    def errors(self) -> list[str]:
        """What is told of errors. A warning of Python's comes in a run too."""
        return [problem.message for problem in self.problems if problem.severity == "error"]


def show(value: t.Value) -> str:
    if isinstance(value, t.TensorValue):
        return "[" + " ".join(map(str, value.shape)) + "]"
    return value.name if isinstance(value, t.ModuleValue) else value.type


@pytest.fixture(scope="session")
def living() -> Iterator[list[Worker]]:
    """The workers of a test run, the last of which may be used again."""
    started: list[Worker] = []
    yield started
    for process in started:
        process.close()


@pytest.fixture
def worker(living: list[Worker]) -> Iterator[Worker]:
    """A worker that other tests use as well, without what they left of documents. One that was idle for long, while
    other tests went on, has ended."""
    if not living or living[-1].process.poll() is not None:
        living.append(Worker())
        greeting = living[-1].next()
        assert isinstance(greeting, t.Ready), greeting
    yield living[-1]
    living[-1].close_documents()


@pytest.fixture
def preview(worker: Worker, tmp_path: Path) -> Any:
    """Preview a text as the file `main.hy`."""

    def run(
        text: str,
        limits: t.Limits | None = None,
        device: str = "cpu",
        way: t.Way = "light",
        as_written: bool = False,
        **settings: Any,
    ) -> Preview:
        environment = t.Environment(str(tmp_path), **settings)
        job, path = worker.job(), str(tmp_path / "main.hy")
        limits = limits or t.Limits()
        worker.send(
            t.PreviewRequest(job, path, text, environment, limits, device=device, as_written=as_written, way=way)
        )
        return Preview(text, worker.collect(job))

    return run


def wait_until(condition: Any, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
