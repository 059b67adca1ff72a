"""Runs of pieces with what they tell the rest of a document, kept from one tree to the next: after an edit all runs but
one are those of before, so putting a document together costs a look at each.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

from mino_lsp.analysis.environment import KNOWN, Declared, Macros, bound_as_expected, declared, may_bind_expected
from mino_lsp.analysis.known import BUILTINS
from mino_lsp.analysis.model import Definition, DefinitionKind, KeywordRole, Role
from mino_lsp.analysis.piece_names import MODULE_LEVEL, PieceNames
from mino_lsp.analysis.scopes import names_of_piece
from mino_lsp.syntax.nodes import Piece, Run

SPACES = {DefinitionKind.MACRO: "macro", DefinitionKind.READER: "reader", DefinitionKind.SPEC: "spec"}
"""The namespaces of a module besides that of values."""

_VALUES = frozenset({Role.READ, Role.CALL, Role.WRITE})
_SPECS = frozenset({KeywordRole.SPEC, KeywordRole.DEFINES_SPEC})

# What a piece binds is told before it is known what is required: as if nothing were.
_ALONE = Macros((), KNOWN)

_found: WeakKeyDictionary[Piece, tuple[Macros, PieceNames]] = WeakKeyDictionary()
_declared: WeakKeyDictionary[Run, tuple[Declared, ...]] = WeakKeyDictionary()
# The last two: a document is read for itself, and with what other files of the workspace give it.
_chunks: WeakKeyDictionary[Run, tuple[Chunk, ...]] = WeakKeyDictionary()


def declared_in(run: Run) -> tuple[Declared, ...]:
    """The macros that the pieces of a run declare."""
    found = _declared.get(run)
    if found is None:
        told = map(_declared_in, run.pieces)
        found = _declared[run] = tuple(one for one in told if one.requires or one.macros or one.readers or one.bound)
    return found


def _declared_in(piece: Piece) -> Declared:
    found = declared(piece)
    if not may_bind_expected(piece):
        return found
    return replace(found, bound=bound_as_expected(names_of_piece(piece, _ALONE).definitions))


def chunk_of(run: Run, macros: Macros) -> Chunk:
    """What the pieces of a run tell, read with these macros."""
    known = _chunks.get(run, ())
    for chunk in known:
        if chunk.macros is macros:
            return chunk
    names = tuple(_names_in(piece, macros) for piece in run.pieces)
    found = Chunk(run.starts, names, macros)
    _chunks[run] = (found, *known[:1])
    return found


class Chunk:
    """What some pieces tell together; each starts at one of `starts`. Places are the index of a piece in it, and of a
    definition or reference in that."""

    def __init__(self, starts: tuple[int, ...], names: tuple[PieceNames, ...], macros: Macros) -> None:
        self.starts, self.names, self.macros = starts, names, macros
        self.certain = all(one.certain for one in names)
        self.imports = [(at, entry) for at, one in enumerate(names) for entry in one.imports]
        self.starring = [entry for _, entry in self.imports if entry.star and not entry.requires]
        self.specs = [(at, use) for at, one in enumerate(names) for use in one.keywords if use.role in _SPECS]
        self.module: dict[str, dict[str, list[tuple[int, int]]]] = {"value": {}, "macro": {}, "reader": {}, "spec": {}}
        self.free: dict[str, list[tuple[int, int]]] = {}
        self.macros_used: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.components: dict[str, list[tuple[int, int]]] = {}
        for at, one in enumerate(names):
            self._add(at, one)

    def _add(self, at: int, names: PieceNames) -> None:
        values = self.module["value"]
        for mangled, indices in names.scopes[0].names.items():
            if indices:
                values.setdefault(mangled, []).extend((at, index) for index in indices)
        for index, definition in enumerate(names.definitions):
            space = SPACES.get(definition.kind)
            if space is not None:
                self.module[space].setdefault(definition.mangled, []).append((at, index))
        for components in names.components.values():
            for index in components:
                self.components.setdefault(names.definitions[index].mangled, []).append((at, index))
        for index, target in enumerate(names.targets):
            if target == MODULE_LEVEL:
                reference = names.references[index]
                if reference.role is Role.MACRO:
                    whole = f"{reference.mangled}.{reference.path}" if reference.path else reference.mangled
                    self.macros_used.setdefault((reference.mangled, whole), []).append((at, index))
                elif reference.role in _VALUES and reference.mangled not in BUILTINS:
                    self.free.setdefault(reference.mangled, []).append((at, index))

    @cached_property
    def spelled(self) -> frozenset[str]:
        """The values of the module that are defined in it, as they are written."""
        return frozenset(self.definition(place).name for places in self.module["value"].values() for place in places)

    def definition(self, place: tuple[int, int]) -> Definition:
        return self.names[place[0]].definitions[place[1]]


def _names_in(piece: Piece, macros: Macros) -> PieceNames:
    known = _found.get(piece)
    if known is not None:
        before, names = known
        if before is macros:
            return names
        if all(macros.head(head) == key for head, key in names.asked.items()) and not names.readers:
            _found[piece] = (macros, names)
            return names
    names = names_of_piece(piece, macros)
    _found[piece] = (macros, names)
    return names
