"""What is known of a run of pieces, so that an edit in a long document costs the run that it touches and a look at each
of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from mino_lsp.analysis import Macros, mangle
from mino_lsp.lint.findings import Call, Finding
from mino_lsp.lint.walk import seen
from mino_lsp.syntax import Kind, Tree
from mino_lsp.syntax.kinds import CODES
from mino_lsp.syntax.nodes import Piece, Run, Within

_SYMBOL = CODES[Kind.SYMBOL]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run: what is wrong in it, which parts of it are therefore not judged by their names, the calls in the others
    and the mangled names that these call, and the mangled names that stand anywhere in it. Places are relative to the
    run, those of a call to the offset before it."""

    macros: Macros
    run: Run
    findings: tuple[Finding, ...]
    broken: tuple[tuple[int, int], ...]
    calls: tuple[tuple[int, tuple[Call, ...]], ...]
    called: frozenset[str]
    symbols: frozenset[str]


_known: Within[Stretch] = Within()
_symbols: WeakKeyDictionary[Piece, dict[str, list[int]]] = WeakKeyDictionary()


def stretches(tree: Tree, macros: Macros) -> Iterator[tuple[int, Stretch]]:
    """The runs of a document, each after its offset."""
    for start, run in tree.runs:
        known = _known.get(run)
        if known is None or known.macros is not macros:
            known = _known[run] = _stretch(run, macros)
        yield start, known


def _stretch(run: Run, macros: Macros) -> Stretch:
    findings: list[Finding] = []
    broken: list[tuple[int, int]] = []
    calls: list[tuple[int, tuple[Call, ...]]] = []
    names: set[str] = set()
    for start, piece in zip(run.starts, run.pieces, strict=True):
        one = seen(piece, macros)
        wrong = [each for each in one.findings if each.severity == "error"]
        if wrong:
            broken.append((start, start + len(piece.text)))
        elif one.calls:
            calls.append((start, one.calls))
        for each in wrong or one.findings:
            findings.append(each.shifted(start))
        names.update(symbols_in(piece))
    called = frozenset(mangle(call.name) for _, several in calls for call in several)
    return Stretch(macros, run, tuple(findings), tuple(broken), tuple(calls), called, frozenset(names))


def symbols_in(piece: Piece) -> dict[str, list[int]]:
    """Where each name stands in a piece, whole and by its first part, in code, in data, anywhere; mangled."""
    found = _symbols.get(piece)
    if found is None:
        found = _symbols[piece] = {}
        nodes = piece.nodes
        for index, kind in enumerate(nodes.kind):
            if kind == _SYMBOL:
                text = piece.text[nodes.start[index] : nodes.end[index]]
                root = text.partition(".")[0]
                for name in {root, text} if root else {text}:
                    found.setdefault(mangle(name) if name.strip(".") else name, []).append(nodes.start[index])
    return found
