"""All findings of a document. The first cause hides its consequences: where a form is wrong, nothing is said of the
names in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from mino_lsp.analysis import KNOWN, Modules, Names, names_of
from mino_lsp.lint import names as of_names
from mino_lsp.lint.findings import Finding
from mino_lsp.lint.runs import Stretch, stretches
from mino_lsp.lint.verdicts import verdicts
from mino_lsp.syntax import Tree

# After these, a name that was meant to be bound is not.
_UNBINDING = frozenset({"definition-name", "import", "odd-setv", "target", "parameters", "components", "for-bindings"})


def lint(tree: Tree, exports: bool = False, modules: Modules = KNOWN) -> tuple[Finding, ...]:
    """What is wrong with a document: with its forms where they can be read, with its names where all of it can.

    `exports`: it imports for others, as an `__init__.hy` does. `modules` tells what it imports from its workspace.
    """
    names = names_of(tree)
    found: list[Finding] = []
    broken: list[tuple[int, int]] = []
    told = list(stretches(tree, names.macros))
    for start, one in told:
        found += [each.shifted(start) for each in one.findings]
        broken += [(first + start, last + start) for first, last in one.broken]
    if tree.problems:
        return tuple(found)
    unbound = any(each.code in _UNBINDING for each in found)
    for each in _of_names(names, modules, told, exports, unbound):
        at = bisect_right(broken, (each.start, len(tree) + 1)) - 1
        if at < 0 or each.start >= broken[at][1]:
            found.append(each)
    # A name that is misspelt where it was meant to be used is not unused.
    meant = {f"`{each.instead}`" for each in found if each.code == "undefined-name" and each.instead}
    if meant:
        found = [
            each for each in found if not each.code.startswith("unused-") or each.message.split(" ")[0] not in meant
        ]
    return tuple(sorted(found, key=lambda each: (each.start, each.end)))


def _of_names(
    names: Names, modules: Modules, told: Sequence[tuple[int, Stretch]], exports: bool, unbound: bool
) -> Iterator[Finding]:
    judged = [(start, verdict) for (start, _), verdict in zip(told, verdicts(names, modules, told), strict=True)]
    if not unbound:
        unresolved = (one.shifted(start) for start, verdict in judged for one in verdict.unresolved)
        yield from of_names.undefined(names, unresolved)
    for start, verdict in judged:
        yield from (each.shifted(start) for each in verdict.misfits)
    yield from of_names.unknown_specs(names)
    yield from of_names.hidden(names, told)
    if not exports:
        yield from of_names.unused(names, modules, told)
