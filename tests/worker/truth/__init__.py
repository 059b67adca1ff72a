"""Is what a preview shows what a run observes? Every shape, dtype and device, at each expression of the examples and of
the sound programs of `tests/worker/diagnosis`: perceptrons, convolutions, recurrent cells, attention, U-Nets,
transformers, auto-encoders, losses, training loops.

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
from tests.worker.diagnosis import cases

EXAMPLES = Path(__file__).parents[3] / "examples"
ORACLE = Path(__file__).parent / "oracle.py"


def programs() -> Iterator[tuple[str, str]]:
    """Name and text of each, without those that name a device which is not there to run on."""
    for file in sorted(EXAMPLES.glob("*.hy")):
        yield file.name, file.read_text("utf-8")
    for case in cases():
        if "cuda" not in case.sound:
            yield f"{case.name}.hy", case.sound


@dataclass(frozen=True)
class Verdict:
    """Of one program: values compared, those of them that no run observes, values that were assumed; expressions at
    which a run observes a tensor, those of them that a preview shows, and the texts of the others."""

    compared: int
    wrong: tuple[str, ...]
    assumed: int
    observed: int
    shown: int
    missing: tuple[str, ...]


def observe(file: Path) -> dict[t.Span, set[tuple[tuple[int, ...], str, str]]]:
    """What a plain run of a file observes."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, str(ORACLE), str(file)], capture_output=True, env=environment, check=True)
    return {
        t.Span(start, end): {(tuple(shape), dtype, device) for shape, dtype, device in values}
        for start, end, values in json.loads(done.stdout)
    }


def judge(text: str, answers: Iterable[object], file: Path) -> Verdict:
    """Compare what a preview of `text` answered with a run of `file`, which holds the same."""
    facts = {fact.span: fact for one in answers if isinstance(one, t.Facts) and not one.path for fact in one.facts}
    real = observe(file)
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
    missing = [
        text[span.start : span.end]
        for span in real
        if span not in facts or not any(isinstance(value, t.TensorValue) for value in facts[span].values)
    ]
    return Verdict(compared, tuple(wrong), assumed, len(real), len(real) - len(missing), tuple(missing))
