"""Diagnostics: what is wrong with the text, at once; and what the last preview found in forms that have not
changed, and the last run in a document that has not."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import PurePath

from mino_lsp.lint import Finding, brief, lint
from mino_lsp.lint.silence import silences
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import TOO_LONG
from mino_lsp.types import Change, Fix, Problem, Span

_COMPILED = ("syntax", "exception", "undefined-name", "unknown-component", "unknown-argument")
"""What a preview finds of mistakes that can be seen in the text as well."""
MOST = 1000
"""So many problems are shown of a document: nobody reads more, and an editor that gets 100,000 stops."""


def diagnostics(snapshot: Snapshot) -> list[Problem]:
    """The problems that are neither silenced by a comment nor switched off, those of the text first."""
    if not snapshot.tree.is_read:
        return [Problem("too-long", "information", TOO_LONG, Span(0, 0))]
    syntax = snapshot.tree.problems
    exports = PurePath(snapshot.path).name in ("__init__.hy", "hy_init.hy")
    found = [
        Problem(problem.code, "error", brief(problem.message), Span(problem.start, problem.end))
        for problem in islice(syntax, MOST)
    ]
    found += [_problem(snapshot, one) for one in lint(snapshot.tree, exports, snapshot.document.modules)]
    found.sort(key=lambda problem: problem.span)
    live = snapshot.live.problems if snapshot.report is not None else ()
    there = {(problem.span, problem.code) for problem in live}
    live = (*live, *(problem for problem in snapshot.ran.problems if (problem.span, problem.code) not in there))
    known = [problem.span for problem in found if problem.severity == "error"]
    found += [problem for problem in live if not (problem.code in _COMPILED and _told(problem, known))]
    shown = _wanted(snapshot, found)
    more = len(shown) - MOST + max(len(syntax) - MOST, 0)
    if more <= 0:
        return shown
    told = f"There are {more:,} more problems, which are not shown."
    return [*shown[:MOST], Problem("too-many", "information", told, shown[MOST - 1].span)]


_REQUIRE = re.compile(r"write (\(require [^()]*\))\.$")


def _problem(snapshot: Snapshot, one: Finding) -> Problem:
    """A finding, with the fix that writes the name that was probably meant, or requires the macro."""
    span, changes = Span(one.start, one.end), {}
    if one.instead:
        changes = {f"Change it to {brief(one.instead)}": Change(span, one.instead)}
    elif one.code == "missing-require" and (told := _REQUIRE.search(one.message)):
        at = next(iter(snapshot.tree.forms)).start
        changes = {f"Add {told[1]}": Change(Span(at, at), told[1] + "\n")}
    fixes = tuple(Fix(title, (change,)) for title, change in changes.items())
    return Problem(one.code, one.severity, brief(one.message), span, (), fixes)


def _told(problem: Problem, known: list[Span]) -> bool:
    """Whether an error in the text is already known where the preview stopped: reading or compiling gave up on it."""
    if problem.code == "syntax":
        return bool(known)
    return any(span.start <= problem.span.end and problem.span.start <= span.end for span in known)


def _wanted(snapshot: Snapshot, found: list[Problem]) -> list[Problem]:
    if not found:
        return found
    quiet = silences(snapshot.tree, snapshot.text)
    disabled = frozenset(snapshot.settings.disabled)
    return [
        problem
        for problem in found
        if problem.code not in disabled and not any(one.covers(problem.span.start, problem.code) for one in quiet)
    ]
