"""Diagnostics: what is wrong with the text, at once; and what the last preview found in forms that have not changed."""

from __future__ import annotations

from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Problem, Span


def diagnostics(snapshot: Snapshot) -> list[Problem]:
    found = [
        Problem(problem.code, "error", problem.message, Span(problem.start, problem.end))
        for problem in snapshot.tree.problems
    ]
    return found + [problem for problem in snapshot.live.problems if not (found and problem.code == "syntax")]
