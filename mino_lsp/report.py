"""What a preview told, and how it is carried over to text that was edited since.

A report speaks of one version of a document. A top-level form that still reads as it was evaluated keeps its facts,
wherever it has moved and however it is laid out by now; a form that has changed has none.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mino_lsp.alike import Form, relocated
from mino_lsp.types import Change, Fact, Fix, Problem, Related, Span


@dataclass(frozen=True, slots=True)
class Report:
    """One preview, or one run, which `source` then names. `forms` are the texts and places of the top-level forms of
    the version that it evaluated, and `evaluated` the offset up to which it came; `finished` is False while it goes
    on."""

    version: int
    forms: tuple[tuple[str, Span], ...]
    facts: Mapping[Span, Fact]
    problems: tuple[Problem, ...]
    evaluated: int
    finished: bool
    stopped: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """A report in the places of the present text. `reached` says whether the form of a span was evaluated as it is;
    `unreached` are the forms that stand as they did then, and that evaluation did not come to."""

    version: int | None = None
    current: bool = False
    facts: Mapping[Span, Fact] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    evaluated: tuple[Span, ...] = ()
    stopped: str = ""
    finished: bool = True
    places: tuple[Span, ...] = field(default=(), repr=False)
    origins: Mapping[Span, str] = field(default_factory=dict)
    """The document whose preview told a fact, where that is another."""
    source: str = ""
    unreached: tuple[Span, ...] = ()

    def joined(self, other: Live, of: str) -> Live:
        """With what the preview of another document told where this one told nothing."""
        more = {span: fact for span, fact in other.facts.items() if span not in self.facts}
        known = {(problem.span, problem.code) for problem in self.problems}
        problems = (
            replace(problem, message=f"{problem.message} (In the preview of {of}.)")
            for problem in other.problems
            if (problem.span, problem.code) not in known
        )
        facts = {**self.facts, **more}
        return replace(
            self,
            facts=MappingProxyType(facts),
            problems=(*self.problems, *problems),
            places=tuple(sorted(facts)),
            origins={**self.origins, **dict.fromkeys(more, of)},
        )

    def within(self, span: Span) -> list[Fact]:
        """The facts whose places lie within `span`, in the order of the text."""
        first = bisect_right(self.places, Span(span.start, -1))
        found = []
        for place in self.places[first:]:
            if place.start >= span.end:
                break
            if place.end <= span.end:
                found.append(self.facts[place])
        return found

    def reached(self, span: Span) -> bool:
        return any(form.contains(span) for form in self.evaluated)


def carry_over(report: Report, version: int, forms: Sequence[tuple[str, Span]]) -> Live:
    """The report as far as it still holds for a text whose top-level forms are `forms`."""
    moved = _moved(report.forms, forms)
    starts = [one.old.start for one in moved]

    def place(span: Span, unchanged: bool = False) -> Span | None:
        index = bisect_right(starts, span.start) - 1
        if index < 0 or not moved[index].old.contains(span):
            return None
        return moved[index].place(span, unchanged)

    facts = {}
    for span, fact in report.facts.items():
        now = place(span)
        if now is not None:
            facts[now] = fact if now == span else replace(fact, span=now)
    problems = [moved_on for problem in report.problems if (moved_on := _replaced(problem, place)) is not None]
    evaluated = tuple(one.new for one in moved if one.old.end <= report.evaluated)
    unreached = tuple(one.new for one in moved if one.old.end > report.evaluated)
    whole = len(moved) == len(forms) == len(report.forms)
    return Live(
        report.version,
        whole,
        MappingProxyType(facts),
        tuple(problems),
        evaluated,
        report.stopped,
        report.finished,
        tuple(sorted(facts)),
        source=report.source,
        unreached=unreached,
    )


@dataclass(frozen=True, slots=True)
class _Moved:
    """A form that still stands: its text and place as it was evaluated, and those that it has now."""

    text: str
    old: Span
    text_now: str
    new: Span

    def place(self, span: Span, unchanged: bool) -> Span | None:
        """Where something in it stands now; None where that is laid out in another way and is to be `unchanged`."""
        if self.text is self.text_now or self.text == self.text_now:
            return span.shift(self.new.start - self.old.start)
        was = span.shift(-self.old.start)
        now = relocated(was, self.text, self.text_now)
        if unchanged and self.text[was.start : was.end] != self.text_now[now.start : now.end]:
            return None
        return now.shift(self.new.start)


def _moved(old: Sequence[tuple[str, Span]], new: Sequence[tuple[str, Span]]) -> list[_Moved]:
    """The forms that still stand, in the same order."""
    before, after = [Form(text) for text, _ in old], [Form(text) for text, _ in new]
    pairs = _unchanged(before, after, 0, len(before), 0, len(after))
    return [_Moved(*old[i], *new[j]) for i, j in pairs]


def _unchanged(one: list[Form], other: list[Form], i: int, i_end: int, j: int, j_end: int) -> list[tuple[int, int]]:
    """Indices of equal forms, rising in both: those at both ends, and between them a patience diff, which is linear but
    for the sorting of what is unique in both. (Bram Cohen's; see `git diff --patience`.)"""
    first: list[tuple[int, int]] = []
    while i < i_end and j < j_end and one[i] == other[j]:
        first.append((i, j))
        i, j = i + 1, j + 1
    last: list[tuple[int, int]] = []
    while i < i_end and j < j_end and one[i_end - 1] == other[j_end - 1]:
        i_end, j_end = i_end - 1, j_end - 1
        last.append((i_end, j_end))
    middle = _rising(_unique_in_both(one[i:i_end], other[j:j_end])) if i < i_end and j < j_end else []
    at = i, j
    for a, b in [(i + a, j + b) for a, b in middle]:
        # Repeated texts beside a unique one stand where it does.
        first += _unchanged(one, other, at[0], a, at[1], b) if (a > at[0] and b > at[1]) else []
        first.append((a, b))
        at = a + 1, b + 1
    if middle and at[0] < i_end and at[1] < j_end:
        first += _unchanged(one, other, at[0], i_end, at[1], j_end)
    return first + last[::-1]


def _unique_in_both(one: list[Form], other: list[Form]) -> list[tuple[int, int]]:
    counts, others = Counter(one), Counter(other)
    places = {form: index for index, form in enumerate(other)}
    return [(i, places[form]) for i, form in enumerate(one) if counts[form] == 1 == others[form]]


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of pairs, rising in the first, that rises in the second too (Fredman 1975)."""
    tails: list[int] = []
    chain: list[int] = []
    before: list[int] = []
    for index, (_, at) in enumerate(pairs):
        place = bisect_left(tails, at)
        tails[place : place + 1] = [at]
        chain[place : place + 1] = [index]
        before.append(chain[place - 1] if place else -1)
    found = []
    index = chain[-1] if chain else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


_Place = Callable[..., Span | None]


def _replaced(problem: Problem, place: _Place) -> Problem | None:
    span = place(problem.span)
    if span is None:
        return None
    related = ((place(item.span), item.message) for item in problem.related)
    fixes = (_moved_fix(fix, place) for fix in problem.fixes)
    return replace(
        problem,
        span=span,
        related=tuple(Related(at, text) for at, text in related if at is not None),
        fixes=tuple(fix for fix in fixes if fix is not None),
    )


def _moved_fix(fix: Fix, place: _Place) -> Fix | None:
    """A fix, where all that it puts something else for still stands as it did: it may write that once more."""
    changes = []
    for change in fix.changes:
        span = place(change.span, unchanged=True)
        if span is None:
            return None
        changes.append(Change(span, change.text))
    return Fix(fix.title, tuple(changes))
