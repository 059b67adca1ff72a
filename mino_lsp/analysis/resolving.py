"""What a name in a document is to: a definition of its piece, of the module, of a mu; or nothing that is known."""

from __future__ import annotations

from mino_lsp.analysis.chunks import SPACES
from mino_lsp.analysis.known import BUILTINS
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import (
    DefinitionKind,
    KeywordRole,
    KeywordUse,
    Reference,
    Resolution,
    Role,
    ScopeKind,
    Symbol,
    Use,
)
from mino_lsp.analysis.module import Module
from mino_lsp.analysis.piece_names import IMPLICIT

_ROLES = {Role.MACRO: "macro", Role.READER: "reader"}


class Resolving(Module):
    """Symbols and resolutions; a reference is told by the number of its piece and its index there."""

    def _places(self, symbol: Symbol) -> list[tuple[int, int]]:
        if symbol.space != "local":
            return self._module(symbol.space, symbol.mangled)
        if symbol.piece >= self._first[-1]:
            return []
        names = self._piece(symbol.piece)[1]
        if symbol.index >= len(names.definitions):
            return []
        definition = names.definitions[symbol.index]
        scope = names.scopes[definition.scope]
        if scope.kind is ScopeKind.LET:
            return [(symbol.piece, symbol.index)]
        return [(symbol.piece, index) for index in scope.names.get(symbol.mangled, [symbol.index])]

    def _symbol_of(self, at: int, index: int) -> Symbol:
        names = self._piece(at)[1]
        definition = names.definitions[index]
        if definition.scope == 0:
            return Symbol(SPACES.get(definition.kind, "value"), definition.mangled)
        scope = names.scopes[definition.scope]
        if scope.kind is not ScopeKind.LET:
            index = scope.names[definition.mangled][0]
        return Symbol("local", definition.mangled, at, index)

    def _use(self, at: int, index: int) -> Use:
        symbol, resolution = self._resolution(at, index)
        places = self._places(symbol) if symbol is not None else []
        start, names = self._piece(at)
        definition = self._definition(places[0]) if places else None
        return Use(names.references[index].shifted(start), symbol, definition, resolution)

    def _resolution(self, at: int, index: int) -> tuple[Symbol | None, Resolution]:
        names = self._piece(at)[1]
        target, reference = names.targets[index], names.references[index]
        if target >= 0:
            return self._symbol_of(at, target), Resolution.RESOLVED
        if target == IMPLICIT:
            return None, Resolution.KNOWN
        if reference.role is Role.MEMBER:
            return self._member(at, reference)
        space = _ROLES.get(reference.role, "value")
        mangled = reference.mangled
        if reference.role is Role.DATA and not self._module("value", mangled) and self._module("macro", mangled):
            space = "macro"
        if self._module(space, mangled):
            return Symbol(space, mangled), Resolution.RESOLVED
        if space == "reader":
            return None, Resolution.UNCERTAIN
        if space == "macro":
            whole = f"{mangled}.{reference.path}" if reference.path else mangled
            if self.macros.in_scope(whole):
                return None, Resolution.KNOWN
        elif mangled in BUILTINS or mangled in self._starred:
            return None, Resolution.KNOWN
        sure = self.certain and reference.certain and reference.role is not Role.DATA
        return None, Resolution.UNRESOLVED if sure and self._sure(at, reference.scope) else Resolution.UNCERTAIN

    def _sure(self, at: int, scope: int) -> bool:
        scopes = self._piece(at)[1].scopes
        while scope >= 0:
            if not scopes[scope].certain:
                return False
            scope = scopes[scope].parent
        return True

    def _member(self, at: int, reference: Reference) -> tuple[Symbol | None, Resolution]:
        """A component, where what it is a member of is known to be a mu; in `spec/parameters` and its kin, where only
        one mu has such a component."""
        if reference.owner:
            mu = self._mu(at, reference.scope, mangle(reference.owner))
            component = self._component(mu, reference.mangled) if mu is not None else None
        elif self._source(at).text[max(reference.start - 1, 0)] != ".":
            component = self._only_component(reference.mangled)
        else:
            component = None
        return component, Resolution.RESOLVED if component is not None else Resolution.UNCERTAIN

    def _only_component(self, mangled: str) -> Symbol | None:
        found = [
            (first + at, index) for first, _, chunk in self._rows() for at, index in chunk.components.get(mangled, ())
        ]
        return self._symbol_of(*found[0]) if len(found) == 1 else None

    def _keyword_symbol(self, at: int, use: KeywordUse) -> Symbol | None:
        if use.role is KeywordRole.ARGUMENT:
            mu = self._mu(at, use.scope, use.call) if use.call else None
            return self._component(mu, use.mangled) if mu is not None else None
        if use.role is KeywordRole.OTHER:
            return None
        return Symbol("spec", use.mangled)

    def _component(self, mu: tuple[int, int], mangled: str) -> Symbol | None:
        at, index = mu
        names = self._piece(at)[1]
        for component in names.components.get(index, ()):
            if names.definitions[component].mangled == mangled:
                return self._symbol_of(at, component)
        return None

    def _mu(self, at: int, scope: int, mangled: str, depth: int = 4) -> tuple[int, int] | None:
        """The definition of the mu that a name stands for in a scope of a piece."""
        names = self._piece(at)[1]
        places: list[tuple[int, int]] = []
        while scope > 0 and not places:
            places = [(at, index) for index in names.scopes[scope].names.get(mangled, ())]
            scope = names.scopes[scope].parent
        places = places or self._module("value", mangled)
        if not places:
            return None
        found = [self._piece(piece)[1].definitions[index] for piece, index in places]
        if {one.kind for one in found} == {DefinitionKind.MU}:
            return places[-1]
        made = {one.value for one in found}
        if len(made) == 1 and depth and (value := made.pop()):
            return self._mu(places[0][0], found[0].scope, value, depth - 1)
        return None
