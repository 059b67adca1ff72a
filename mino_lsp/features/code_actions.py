"""Code actions: the fixes of the problems at a place, as edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mino_lsp.format import Edit
from mino_lsp.lint import brief
from mino_lsp.mending import mended
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Problem, Span


@dataclass(frozen=True, slots=True)
class Action:
    """`preferred`: it is the only fix of its problem."""

    title: str
    problem: Problem
    edits: tuple[Edit, ...]
    preferred: bool


def code_actions(snapshot: Snapshot, problems: Sequence[Problem], within: Span) -> list[Action]:
    """What mends the problems that touch a range."""
    touched = [one for one in problems if one.span.start <= within.end and within.start <= one.span.end]
    found = [(problem, (*problem.fixes, *mended(snapshot, problem))) for problem in touched]
    return [
        Action(
            brief(fix.title),
            problem,
            tuple(Edit(change.span.start, change.span.end, change.text) for change in fix.changes),
            len(fixes) == 1,
        )
        for problem, fixes in found
        for fix in fixes
    ]
