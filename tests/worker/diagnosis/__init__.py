"""Programs with one planted mistake each: is it found before running, at the right expression, in words that help?

Each file in `programs/` is a program as somebody would write it, with comments for this count:

    ; sound: …           the line above as it is in the sound original
    ;   ^^^^ mino: code words…
                         below the line that is to be blamed: exactly this expression (up to the end of its line where
                         it goes on below), under this code, and a message that holds these words

`python -m tests.worker.diagnosis` prints the count.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mino_lsp import types as t
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.report import Report
from mino_lsp.settings import Settings
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, read

PROGRAMS = Path(__file__).parent / "programs"

_SOUND = re.compile(r"^\s*; sound: (.*)$")
_EXPECTED = re.compile(r"^(;\s*)(\^+) mino: (\S+)(.*)$")


@dataclass(frozen=True)
class Case:
    """A program with its mistake and without it; and where the mistake is to be found, under which code, in which
    words."""

    name: str
    mistaken: str
    sound: str
    span: t.Span
    code: str
    words: tuple[str, ...]

    def fault(self, problems: list[t.Problem]) -> str:
        """What is wrong with the problems found in the mistaken program; empty if nothing is."""
        if len(problems) != 1:
            return f"{len(problems)} problems: " + " / ".join(f"{one.code}: {one.message}" for one in problems)
        (problem,) = problems
        told = f"{problem.code} at {self.mistaken[problem.span.start : problem.span.end]!r}: {problem.message}"
        here = problem.span == self.span
        beyond = self.mistaken[self.span.end : self.span.end + 1] == "\n" and problem.span.end > self.span.end
        if not (here or (beyond and problem.span.start == self.span.start)):
            return f"not at {self.mistaken[self.span.start : self.span.end]!r} but {told}"
        if problem.code != self.code:
            return f"not {self.code} but {told}"
        missing = [word for word in self.words if word not in problem.message]
        return f"the message lacks {missing}: {told}" if missing else ""


def cases() -> list[Case]:
    return [_case(file) for file in sorted(PROGRAMS.glob("*.hy"))]


def _case(file: Path) -> Case:
    mistaken: list[str] = []
    sound: list[str] = []
    found: list[tuple[t.Span, str, tuple[str, ...]]] = []
    for line in file.read_text("utf-8").splitlines():
        if original := _SOUND.match(line):
            at = len(sound) - 1
            sound[at] = re.match(r"\s*", sound[at])[0] + original[1]  # type: ignore[index]
        elif expected := _EXPECTED.match(line):
            start = sum(len(one) + 1 for one in mistaken[:-1])
            span = t.Span(start + len(expected[1]), start + len(expected[1]) + len(expected[2]))
            found.append((span, expected[3], tuple(shlex.split(expected[4]))))
        else:
            mistaken.append(line)
            sound.append(line)
    ((span, code, words),) = found
    assert sound != mistaken, f"{file.name} plants no mistake"
    return Case(file.stem, "\n".join(mistaken) + "\n", "\n".join(sound) + "\n", span, code, words)


Answers = Callable[[str], list[object]]
"""What a worker answers when it is asked to preview a text for the device `DEVICE`."""

DEVICE = "cuda:0"


def problems_of(text: str, answers: Answers) -> list[t.Problem]:
    """The problems that an editor would show: those of the text, and those that a preview finds."""
    tree = read(text)
    snapshot = Snapshot("file:///main.hy", 1, Text(text), tree, Path("/"), Settings(), trusted=True)
    found: list[t.Problem] = []
    for answer in answers(text):
        if isinstance(answer, t.Facts):
            found += answer.problems
    return diagnostics(snapshot.with_report(Report(1, snapshot.forms, {}, tuple(found), len(text), True)))


def count(answers: Answers) -> Iterator[tuple[Case, str, list[t.Problem]]]:
    """Each case, what is wrong with how its mistake is reported, and the problems of its sound original."""
    for case in cases():
        yield case, case.fault(problems_of(case.mistaken, answers)), problems_of(case.sound, answers)
