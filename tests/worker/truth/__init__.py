"""Is what a preview shows what a run observes? Every shape, dtype and device, at each expression of the examples, of
the programs beside this file, which are models of every family as people write them, and of the sound programs of
`tests/worker/diagnosis`. Where sizes depend on chance, the programs seed it.

`python -m tests.worker.truth` prints how many facts were compared, how many are wrong, and how many of the expressions
at which a run observes a tensor are shown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mino_lsp import types as t
from tests.worker.conftest import Worker
from tests.worker.diagnosis import cases

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAMS = Path(__file__).parent / "programs"
ORACLE = Path(__file__).parent / "oracle.py"


def programs() -> Iterator[tuple[str, str]]:
    """Name and text of each, without those that name a device which is not there to run on."""
    for file in sorted(EXAMPLES.glob("*.hy")):
        yield file.name, file.read_text("utf-8")
    for file in sorted(PROGRAMS.glob("*.hy")):
        yield file.name, file.read_text("utf-8")
    for case in cases():
        if "cuda" not in case.sound:
            yield f"{case.name}.hy", case.sound


@dataclass(frozen=True)
class Verdict:
    """Of one program: the tensors compared, those of them that no run observes, those that were assumed; the
    expressions at which a run observes a tensor, those of them that a preview shows as one; the expressions that a run
    evaluates, those of them that a preview shows; and the texts of those that it does not."""

    compared: int
    wrong: tuple[str, ...]
    assumed: int
    tensors: int
    tensors_shown: int
    evaluated: int
    shown: int
    missing: tuple[str, ...]


class Oracle:
    """Plain runs of files, in forks of one process that has nothing to do with previews."""

    def __init__(self) -> None:
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, str(ORACLE)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def start(self, file: Path) -> None:
        """Have a file run; `observed` waits for what that found."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{file}\n".encode())
        self._process.stdin.flush()

    def observed(self) -> dict[t.Span, set[tuple[tuple[int, ...], str, str]]]:
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        assert told is not None, "a program fails in a plain run"
        return {
            t.Span(start, end): {(tuple(shape), dtype, device) for shape, dtype, device in values}
            for start, end, values in told
        }

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def observe(file: Path) -> dict[t.Span, set[tuple[tuple[int, ...], str, str]]]:
    """The tensors that a plain run of one file observes."""
    oracle = Oracle()
    oracle.start(file)
    try:
        return {span: values for span, values in oracle.observed().items() if values}
    finally:
        oracle.close()


def judge(text: str, answers: Iterable[object], oracle: Oracle) -> Verdict:
    """Compare what a preview of `text` answered with the run of the same that was started."""
    facts = {fact.span: fact for one in answers if isinstance(one, t.Facts) and not one.path for fact in one.facts}
    real = oracle.observed()
    compared = assumed = 0
    wrong: list[str] = []
    for span, fact in facts.items():
        for value in fact.values:
            if not isinstance(value, t.TensorValue):
                continue
            if fact.evidence == "assumed":
                assumed += 1
                continue
            compared += 1
            if (value.shape, value.dtype, value.device) not in real.get(span, set()):
                wrong.append(f"{text[span.start : span.end]!r}: {value.shape} {value.dtype} {value.device}")
    tensors = {span for span, values in real.items() if values}
    unseen = {span for span in tensors if span not in facts or not any(map(_is_tensor, facts[span].values))}
    missing = sorted(unseen | (real.keys() - facts.keys()))
    texts = tuple(f"{text.count(chr(10), 0, span.start) + 1}: {text[span.start : span.end]}" for span in missing)
    shown = len(tensors) - len(unseen), len(real), len(real) - len(missing)
    return Verdict(compared, tuple(wrong), assumed, len(tensors), *shown, texts)


def _is_tensor(value: t.Value) -> bool:
    return isinstance(value, t.TensorValue)


def compare(worker: Worker, oracle: Oracle, folder: Path) -> Iterator[tuple[str, Verdict]]:
    """Each program, previewed while the oracle runs it."""
    file = folder / "main.hy"
    for name, text in programs():
        file.write_text(text, "utf-8")
        oracle.start(file)
        job = worker.job()
        worker.send(t.PreviewRequest(job, str(file), text, t.Environment(str(folder))))
        yield name, judge(text, worker.collect(job), oracle)
