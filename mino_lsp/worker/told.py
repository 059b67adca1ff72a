"""What a session has told the server: kept, so that one which goes on from a checkpoint can tell it again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from mino_lsp.types import Fact, Facts, FormStarted, Problem, Span
from mino_lsp.worker.pipe import Pipe
from mino_lsp.worker.source import Sources


@dataclass(slots=True)
class _File:
    facts: dict[Span, Fact] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class Told:
    """Speaks for a session, and remembers of each file what holds of what it said."""

    def __init__(self, pipe: Pipe, sources: Sources) -> None:
        self._pipe = pipe
        self._sources = sources
        self._files: dict[str, _File] = {}

    def began(self, span: Span) -> None:
        self._pipe(FormStarted(self._pipe.job, span))

    def facts(self, facts: tuple[Fact, ...]) -> None:
        """Hand facts on, those of each file by themselves."""
        for source, those in itertools.groupby(facts, key=lambda fact: self._sources.of_span(fact.span)):
            moved = (replace(fact, span=fact.span.shift(-source.base)) if source.base else fact for fact in those)
            self.tell(Facts(self._pipe.job, tuple(moved), (), source.path if source.base else ""))

    def problems(self, problems: tuple[Problem, ...], path: str = "") -> None:
        self.tell(Facts(self._pipe.job, (), problems, path))

    def tell(self, message: Facts) -> None:
        file = self._files.setdefault(message.path, _File())
        file.facts.update((fact.span, fact) for fact in message.facts)
        file.problems += message.problems
        self._pipe(message)

    def errors(self) -> tuple[Problem, ...]:
        """Those of the document itself."""
        file = self._files.get("", _File())
        return tuple(problem for problem in file.problems if problem.severity == "error")

    def again(self) -> None:
        """Tell it all to another job."""
        for path, file in self._files.items():
            self._pipe(Facts(self._pipe.job, tuple(file.facts.values()), tuple(file.problems), path))

    def speak_to(self, descriptor: int) -> None:
        """Tell another process, which will tell it: this one is a fork, and what it remembers is lost."""
        self._pipe = Pipe(descriptor, self._pipe.job)
