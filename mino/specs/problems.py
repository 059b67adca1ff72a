"""Failure as data: problems, where they are, and the errors that carry them. How they print is in `messages`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form stands: lines and columns as Hy counts them, from 1, the end included."""

    file: str | None
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file or 'line'}{':' if self.file else ' '}{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Mark:
    """The part of a value that is wrong: a text of the value, the ranges of columns in it, what to say of them.

    `expected`, if it is there, is a text that lines up with `found`.
    """

    found: str
    ranges: tuple[tuple[int, int], ...]
    note: str = ""
    expected: str | None = None


@dataclass(frozen=True)
class Problem:
    """One way in which a value does not conform.

    `path` leads through the specs and `via` through their registered keywords; `in_` holds the keys into the value,
    `pred` the text of the predicate, `val` a summary of what was found, `reason` what more is known, and `where` the
    place of the predicate. `mark` shows the part that is wrong. `alternatives` are the problems of the other branches
    of a `spec/or`. `object` is the value that was found, which is neither compared nor pickled.

    They can be read by name too: `problem["in"]`, in Hy `(:in problem)`.
    """

    path: tuple[str, ...]
    via: tuple[str, ...]
    in_: tuple[Any, ...]
    pred: str
    val: str
    reason: str | None = None
    where: Place | None = None
    object: Any = field(default=None, repr=False, compare=False)
    mark: Mark | None = field(default=None, repr=False)
    alternatives: tuple[Problem, ...] = field(default=(), repr=False)

    def __getitem__(self, name: str) -> Any:
        if name not in FIELDS:
            raise KeyError(f"a problem has {', '.join(FIELDS)}; it has no {name}")
        return getattr(self, FIELDS[name])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "object": None}

    def __str__(self) -> str:
        from mino.specs.messages import line

        return line(self)

    def under(self, part: str) -> Problem:
        """The same problem, found by way of one spec more."""
        return replace(self, path=(part, *self.path))

    def named(self, keyword: str) -> Problem:
        """The same problem, found by way of a registered spec."""
        return replace(self, path=(keyword, *self.path), via=(keyword, *self.via))


FIELDS = {
    "path": "path",
    "via": "via",
    "in": "in_",
    "pred": "pred",
    "val": "val",
    "reason": "reason",
    "where": "where",
}
# In Hy, `problem.in` is an attribute that Python's grammar cannot write.
setattr(Problem, "in", property(lambda problem: problem.in_))


class SpecError(ValueError):
    """A value does not conform to a spec; `problems` says in what."""

    def __init__(self, sentence: str, problems: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.sentence = sentence
        super().__init__(sentence, self.problems)

    def __str__(self) -> str:
        from mino.specs.messages import report

        return report(self.sentence, self.problems)


class _Placed(Exception):
    """An error in a spec itself, not in a value: a sentence, and the place of the form that is wrong."""

    def __init__(self, sentence: str, where: Place | None = None) -> None:
        self.sentence = sentence
        self.where = where
        super().__init__(sentence, where)

    def __str__(self) -> str:
        return f"{self.sentence} ({self.where})" if self.where else self.sentence


class UnknownSpec(_Placed, LookupError):
    """A keyword that names no spec."""


class NoGenerator(UnknownSpec):
    """A spec that no value can be made of."""


class NoSpec(_Placed, TypeError):
    """Something in the place of a spec that is none."""


class GeneratorCall(_Placed, TypeError):
    """A generator was given arguments that it does not take."""


class CircularSpec(_Placed, ValueError):
    """Specs that refer to each other and never go into the value."""
