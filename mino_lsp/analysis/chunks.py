"""Runs of pieces with what they tell the rest of a document, kept from one tree to the next.

Where a run ends is told by its pieces alone, so after an edit, be it an insertion, all runs but one are those of
before, and putting a document together costs a look at each.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary, WeakValueDictionary

from mino_lsp.analysis.environment import Declared, Macros, declared
from mino_lsp.analysis.known import BUILTINS
from mino_lsp.analysis.model import Definition, DefinitionKind, Import, Role
from mino_lsp.analysis.scopes import MODULE_LEVEL, PieceNames, names_of_piece
from mino_lsp.syntax.nodes import Piece

SPACES = {DefinitionKind.MACRO: "macro", DefinitionKind.READER: "reader", DefinitionKind.SPEC: "spec"}
"""The namespaces of a module besides that of values."""

_PERIOD, _LONGEST = 32, 128
_VALUES = frozenset({Role.READ, Role.CALL, Role.WRITE})

_found: WeakKeyDictionary[Piece, tuple[Macros, PieceNames]] = WeakKeyDictionary()
_declared: WeakKeyDictionary[Piece, Declared] = WeakKeyDictionary()
_runs: WeakValueDictionary[tuple[Piece, ...], Run] = WeakValueDictionary()


class Run:
    """Some pieces in a row, and the macros that they declare."""

    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        self.pieces = pieces
        self.declared = tuple(one for one in map(_declared_in, pieces) if one.requires or one.macros or one.readers)
        self._chunk: Chunk | None = None

    def chunk(self, macros: Macros) -> Chunk:
        """What the pieces tell, read with these macros."""
        if self._chunk is None or self._chunk.macros is not macros:
            names = tuple(_names_in(piece, macros) for piece in self.pieces)
            if self._chunk is not None and all(
                one is other for one, other in zip(names, self._chunk.names, strict=True)
            ):
                self._chunk.macros = macros
            else:
                self._chunk = Chunk(names, macros)
        return self._chunk


class Chunk:
    """What some pieces tell together. Places are the index of a piece in it, and of a definition or reference in
    that."""

    def __init__(self, names: tuple[PieceNames, ...], macros: Macros) -> None:
        self.names, self.macros = names, macros
        self.certain = all(one.certain for one in names)
        self.starring: list[Import] = []
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
        self.starring += [entry for entry in names.imports if entry.star and not entry.requires]

    def definition(self, place: tuple[int, int]) -> Definition:
        return self.names[place[0]].definitions[place[1]]


def runs_of(pieces: list[Piece]) -> Iterator[Run]:
    """The runs of a document's pieces."""
    begin = 0
    for end in _ends(pieces):
        key = tuple(pieces[begin:end])
        run = _runs.get(key)
        if run is None:
            run = _runs[key] = Run(key)
        yield run
        begin = end


def _ends(pieces: list[Piece]) -> Iterator[int]:
    begin = 0
    for at, piece in enumerate(pieces, 1):
        if (id(piece) >> 5) % _PERIOD == 0 or at - begin == _LONGEST or at == len(pieces):
            begin = at
            yield at


def _declared_in(piece: Piece) -> Declared:
    found = _declared.get(piece)
    if found is None:
        found = _declared[piece] = declared(piece)
    return found


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
