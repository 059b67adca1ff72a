"""What is known of a run of pieces, so that an edit in a long document costs the run that it touches and a look at each
of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from mino_lsp.analysis import Macros, mangle
from mino_lsp.analysis.chunks import Run, runs_of
from mino_lsp.lint.findings import Call, Finding
from mino_lsp.lint.walk import seen
from mino_lsp.syntax import Kind, Tree
from mino_lsp.syntax.kinds import CODES
from mino_lsp.syntax.nodes import Piece

_SYMBOL = CODES[Kind.SYMBOL]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run: its length, what is wrong in it, which parts of it are therefore not judged by their names, the calls in
    the others, and the mangled names that stand anywhere in it. Places are relative to the run, those of a call to the
    offset before it."""

    macros: Macros
    pieces: tuple[Piece, ...]
    length: int
    findings: tuple[Finding, ...]
    broken: tuple[tuple[int, int], ...]
    calls: tuple[tuple[int, tuple[Call, ...]], ...]
    symbols: frozenset[str]


_known: WeakKeyDictionary[Run, Stretch] = WeakKeyDictionary()
_symbols: WeakKeyDictionary[Piece, dict[str, list[int]]] = WeakKeyDictionary()


def stretches(tree: Tree, macros: Macros) -> Iterator[tuple[int, Stretch]]:
    """The runs of a document, each after its offset."""
    start = 0
    for run in runs_of([piece for _, piece in tree.pieces()]):
        known = _known.get(run)
        if known is None or known.macros is not macros:
            known = _known[run] = _stretch(run.pieces, macros)
        yield start, known
        start += known.length


def _stretch(pieces: Sequence[Piece], macros: Macros) -> Stretch:
    start = 0
    findings: list[Finding] = []
    broken: list[tuple[int, int]] = []
    calls: list[tuple[int, tuple[Call, ...]]] = []
    names: set[str] = set()
    for piece in pieces:
        one = seen(piece, macros)
        wrong = [each for each in one.findings if each.severity == "error"]
        if wrong:
            broken.append((start, start + len(piece.text)))
        elif one.calls:
            calls.append((start, one.calls))
        for each in wrong or one.findings:
            findings.append(replace(each, start=each.start + start, end=each.end + start))
        names.update(symbols_in(piece))
        start += len(piece.text)
    return Stretch(macros, tuple(pieces), start, tuple(findings), tuple(broken), tuple(calls), frozenset(names))


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
