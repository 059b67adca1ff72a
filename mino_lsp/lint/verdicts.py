"""What is wrong with the names in each run of a document, kept while neither the run changes nor what it is judged by:
the definitions, anywhere in the document, of the names that it uses, and what its modules give."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from mino_lsp.analysis import Modules, Names, Reference
from mino_lsp.lint.findings import Finding
from mino_lsp.lint.names import misfits
from mino_lsp.lint.runs import Stretch
from mino_lsp.syntax.nodes import Run


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of a run: the names that certainly nothing binds, and the calls that do not fit what they call. Places are
    relative to the run."""

    unresolved: tuple[Reference, ...]
    misfits: tuple[Finding, ...]


_Judged = tuple[Names, Modules, dict[Run, Verdict]]
_recent: deque[_Judged] = deque(maxlen=8)


def verdicts(names: Names, modules: Modules, told: Sequence[tuple[int, Stretch]]) -> list[Verdict]:
    """One for each of the document's runs."""
    before = next(
        (one for one in reversed(_recent) if one[1] is modules and not one[2].keys().isdisjoint(names.runs)), None
    )
    rebound = names.rebound_since(before[0]) if before is not None else None
    known = before[2] if before is not None and rebound is not None else {}
    changed = rebound or frozenset()
    found: dict[Run, Verdict] = {}
    for at, (run, (start, stretch)) in enumerate(zip(names.runs, told, strict=True)):
        verdict = known.get(run)
        if verdict is None or not changed.isdisjoint(stretch.called) or names.uses_any(at, changed):
            verdict = Verdict(tuple(names.unresolved_in(at)), tuple(misfits(names, modules, start, stretch)))
        found[run] = verdict
    _recent.append((names, modules, found))
    return list(found.values())
