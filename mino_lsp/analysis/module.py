"""The pieces of a whole document with what is known of each, and the names that the module itself binds."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from mino_lsp.analysis.chunks import Chunk, chunk_of, declared_in
from mino_lsp.analysis.environment import Declared, Macros, Modules
from mino_lsp.analysis.model import Definition, DefinitionKind, Import, KeywordUse, Signature, Source
from mino_lsp.analysis.piece_names import PieceNames
from mino_lsp.syntax import Tree
from mino_lsp.syntax.nodes import Piece, Run

Shape = tuple[str, DefinitionKind, Signature | None, bool, Source | None]
"""What a call has to know of what it calls, wherever that stands."""

# So that a tree finds the macros of its predecessor, although that is gone: nothing is read again where they are equal.
_recent: deque[Macros] = deque(maxlen=8)


def _environment(told: tuple[Declared, ...], modules: Modules) -> Macros:
    made = Macros(told, modules)
    for known in _recent:
        if known.same(made):
            return known
    _recent.append(made)
    return made


class Module:
    """A document as a row of pieces. A piece is told by its number, a definition in it by its index there."""

    def __init__(self, tree: Tree, modules: Modules) -> None:
        runs = tree.runs
        self.runs = [run for _, run in runs]
        self.modules = modules
        self.macros = _environment(tuple(one for run in self.runs for one in declared_in(run)), modules)
        self._bases = [start for start, _ in runs]
        self._chunks = [chunk_of(run, self.macros) for run in self.runs]
        self._first = list(accumulate((len(run.pieces) for run in self.runs), initial=0))
        self._found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._starred: set[str] = set()
        self._bound: frozenset[str] | None = None
        certain = tree.is_read and not self.macros.blind and all(chunk.certain for chunk in self._chunks)
        for entry in (entry for chunk in self._chunks for entry in chunk.starring):
            known = modules.names(entry.module)
            certain = certain and known is not None
            self._starred.update(known or ())
        self.certain = certain
        """Whether all that the module binds is to be seen: no macro of somebody's own, no `(import x *)` of an unknown
        module, no `eval`."""

    # ---- pieces

    @property
    def is_empty(self) -> bool:
        return not self.runs

    def _piece(self, at: int) -> tuple[int, PieceNames]:
        """Where a piece starts, and its names."""
        run = bisect_right(self._first, at) - 1
        chunk, inner = self._chunks[run], at - self._first[run]
        return self._bases[run] + chunk.starts[inner], chunk.names[inner]

    def _source(self, at: int) -> Piece:
        run = bisect_right(self._first, at) - 1
        return self.runs[run].pieces[at - self._first[run]]

    def _piece_at(self, offset: int) -> int:
        run = max(bisect_right(self._bases, offset) - 1, 0)
        return self._first[run] + max(bisect_right(self._chunks[run].starts, offset - self._bases[run]) - 1, 0)

    def _all(self) -> Iterator[tuple[int, int, PieceNames]]:
        """Each piece: its number, where it starts, its names."""
        for first, base, chunk in self._rows():
            for at, (start, names) in enumerate(zip(chunk.starts, chunk.names, strict=True)):
                yield first + at, base + start, names

    def _rows(self) -> Iterator[tuple[int, int, Chunk]]:
        """Each chunk, after the number of its first piece and where that starts."""
        return zip(self._first, self._bases, self._chunks, strict=False)

    def _definition(self, place: tuple[int, int]) -> Definition:
        start, names = self._piece(place[0])
        return names.definitions[place[1]].shifted(start)

    # ---- the names of the module

    def _module(self, space: str, mangled: str) -> list[tuple[int, int]]:
        """The definitions of a name of the module: the number of the piece of each, and its index there."""
        found = self._found.get((space, mangled))
        if found is None:
            found = self._found[space, mangled] = [
                (first + at, index)
                for first, _, chunk in self._rows()
                for at, index in chunk.module[space].get(mangled, ())
            ]
        return found

    def module_names(self, space: str = "value") -> Iterator[Definition]:
        """The first definition of every name of the module."""
        return (one.shifted(start) for start, one in self.module_entries(space))

    def module_entries(self, space: str = "value") -> Iterator[tuple[int, Definition]]:
        """The same, each after the offset that its places count from."""
        seen: set[str] = set()
        for _, base, chunk in self._rows():
            for mangled, places in chunk.module[space].items():
                if mangled not in seen:
                    seen.add(mangled)
                    at, index = places[0]
                    yield base + chunk.starts[at], chunk.names[at].definitions[index]

    def spelled(self) -> set[str]:
        """The names of the module as they are written."""
        return set().union(*(chunk.spelled for chunk in self._chunks))

    def only(self, mangled: str) -> Definition | None:
        """What a name of the module is bound to, where it is bound once."""
        places = self._module("value", mangled)
        return self._definition(places[0]) if len(places) == 1 else None

    @property
    def bound(self) -> frozenset[str]:
        """Every name of the module, mangled: for those who ask after many of them."""
        if self._bound is None:
            self._bound = frozenset().union(*(chunk.module["value"] for chunk in self._chunks))
        return self._bound

    def rebound_since(self, before: Module) -> frozenset[str] | None:
        """The names of the module, mangled, that this one binds and the one before it did not, or the other way round,
        or to something of another shape. None where more than that has changed."""
        if (self.macros, self.certain, self._starred) != (before.macros, before.certain, before._starred):
            return None
        gone, come = set(before.runs).difference(self.runs), set(self.runs).difference(before.runs)
        old, new = before._shapes(gone), self._shapes(come)
        if old == new:
            self._bound = before._bound
            return frozenset()
        return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))

    def _shapes(self, runs: set[Run]) -> dict[str, list[Shape]]:
        found: dict[str, list[Shape]] = {}
        for run, chunk in zip(self.runs, self._chunks, strict=True):
            if run in runs:
                for mangled, places in chunk.module["value"].items():
                    found.setdefault(mangled, []).extend(_shape(chunk.definition(place)) for place in places)
        return found

    # ---- all there is

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Every definition, in the order of the text but for bindings and their values."""
        return tuple(one.shifted(start) for _, start, names in self._all() for one in names.definitions)

    def pieces(self) -> Iterator[tuple[int, PieceNames]]:
        """What is known of each piece, after its start; the same object after an edit that leaves the piece alone."""
        return ((start, names) for _, start, names in self._all())

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every module of an `import` or a `require`."""
        return tuple(
            entry.shifted(base + chunk.starts[at]) for _, base, chunk in self._rows() for at, entry in chunk.imports
        )

    @cached_property
    def keywords(self) -> tuple[KeywordUse, ...]:
        """Every keyword that names something, in the order of the text."""
        return tuple(use.shifted(start) for _, start, names in self._all() for use in names.keywords)

    @cached_property
    def specs(self) -> tuple[KeywordUse, ...]:
        """The keywords that name specs, or define them."""
        return tuple(use.shifted(base + chunk.starts[at]) for _, base, chunk in self._rows() for at, use in chunk.specs)


def _shape(one: Definition) -> Shape:
    return one.name, one.kind, one.signature, one.decorated, one.source
