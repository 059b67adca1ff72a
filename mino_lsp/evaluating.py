"""What `mino.eval` evaluates: which forms stand above a place, and which is meant by it; and what is said of the names
that only the form around it binds. Pure functions of a snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mino_lsp.analysis import Use
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.types import Evaluation, Problem, Span

Scope = Literal["form", "top", "toHere"]

_PARTS = {Kind.COMMENT, Kind.SHEBANG, Kind.DISCARD, Kind.WHITESPACE, Kind.ERROR, Kind.FIELD, Kind.READER_MACRO}
"""Nodes that have no value by themselves: the form around them is meant."""


class NothingToEvaluate(Exception):
    """There is no form, or one that cannot be read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """`above` are the top-level forms that make the namespace, `skipped` those among them that cannot be read;
    `targets` are evaluated in it, and `top` is the top-level form that they stand in."""

    above: tuple[Span, ...]
    skipped: tuple[Span, ...]
    targets: tuple[Span, ...]
    top: Span


def choose(snapshot: Snapshot, place: Span, scope: Scope) -> Chosen:
    """What to evaluate for an empty or selected place. Raises `NothingToEvaluate`."""
    tops = [Span(form.start, form.end) for form in snapshot.tree.forms]
    if scope == "toHere":
        tops = [top for top in tops if top.end <= place.end]
        if not tops:
            raise NothingToEvaluate("There is no complete form before this place.")
        targets: tuple[Span, ...] = (tops[-1],)
    else:
        targets = _meant(snapshot, place, scope)
    top = next(top for top in tops if top.contains(targets[0]))
    for target in targets:
        broken = _broken(snapshot, target)
        if broken:
            raise NothingToEvaluate(f"This form cannot be read yet. {broken}")
    above, skipped = readable(snapshot, [form for form in tops if form.end <= top.start])
    return Chosen(above, skipped, targets, top)


def readable(snapshot: Snapshot, tops: list[Span] | None = None) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Those of the top-level forms that can be read, and those that cannot."""
    tops = [Span(form.start, form.end) for form in snapshot.tree.forms] if tops is None else tops
    broken = tuple(form for form in tops if _broken(snapshot, form))
    return tuple(form for form in tops if form not in broken), broken


def _broken(snapshot: Snapshot, span: Span) -> str:
    """What is wrong with the text of a form; empty where it can be read."""
    for problem in snapshot.tree.problems:
        if problem.start < span.end and problem.end > span.start:
            return problem.message
    return ""


def _meant(snapshot: Snapshot, place: Span, scope: Scope) -> tuple[Span, ...]:
    """The forms that a selection covers, else the innermost form around it; for "top" the top-level form."""
    around = _around(snapshot, place)
    if scope == "top" and around:
        return (Span(around[0].start, around[0].end),)
    siblings = snapshot.tree.forms if not around else around[-1].forms
    covered = tuple(
        Span(form.start, form.end)
        for form in siblings
        if place.start < place.end and place.start <= form.start and form.end <= place.end
    )
    if covered and not (around and around[-1].start == place.start and around[-1].end == place.end):
        return covered[:1] if scope == "top" else covered
    if not around:
        raise NothingToEvaluate("There is no form here. Put the cursor on one, or right after it.")
    return (Span(around[-1].start, around[-1].end),)


def _around(snapshot: Snapshot, place: Span) -> list[Form]:
    """The forms that contain a place, outermost first; a place right after a form counts as in it."""
    offsets = [place.start, *([max(place.start - 1, 0)] if place.start == place.end else [])]
    paths = [
        [form for form in snapshot.tree.path_at(offset) if form.kind not in _PARTS and form.end >= place.end]
        for offset in offsets
    ]
    return max(paths, key=len)


def problems(snapshot: Snapshot, chosen: Chosen, result: Evaluation) -> tuple[Problem, ...]:
    """The problems of an evaluation, and what it could not know: forms that were not read, and local names."""
    found = list(result.problems)
    for use in _local(snapshot, chosen):
        name, at = use.reference.name, Span(use.reference.start, use.reference.end)
        unknown = [one for one in found if one.span.start == at.start and one.code == "undefined-name"]
        found = [one for one in found if one not in unknown]
        told = f"`{name}` is bound within the form around this one, which is not entered"
        told += ", so that it has no value here." if unknown else f": this is the `{name}` of the top level."
        told += " Evaluate the top-level form, or set it to an example above."
        found.insert(0, Problem("eval-local", "error" if unknown else "warning", told, at))
    for form in chosen.skipped:
        told = "This form cannot be read yet, and was passed over."
        found.append(Problem("eval-skipped", "information", told, form))
    return tuple(found)


def _local(snapshot: Snapshot, chosen: Chosen) -> list[Use]:
    """The first use in the targets of each name that the form around them binds."""
    if chosen.top in chosen.targets:
        return []
    found: dict[str, Use] = {}
    for target in chosen.targets:
        for form in snapshot.tree.path_at(target.start)[-1:]:
            while form.parent is not None and form.end < target.end:
                form = form.parent
            for part in form.walk():
                use = snapshot.names.use_at(part.start) if part.kind is Kind.SYMBOL else None
                if use is not None and use.definition is not None and use.definition.scope != 0:
                    bound = use.definition
                    if not (target.start <= bound.start < target.end):
                        found.setdefault(use.reference.mangled, use)
    return list(found.values())
