"""The names of a whole document: what its pieces define and use, put together. Immutable, one for each tree.

A piece that an edit leaves alone keeps what was found out of it, and so do runs of them, so an edit costs the run it
touches and a look at each of the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from weakref import WeakKeyDictionary

from mino_lsp.analysis import core_forms, package_forms
from mino_lsp.analysis.environment import KNOWN, Modules
from mino_lsp.analysis.model import (
    Definition,
    DefinitionKind,
    KeywordRole,
    KeywordUse,
    Occurrence,
    Reference,
    Resolution,
    Role,
    ScopeKind,
    Symbol,
    Use,
)
from mino_lsp.analysis.piece_names import PieceNames, Scope
from mino_lsp.analysis.resolving import Resolving
from mino_lsp.syntax import Form, Tree

assert core_forms and package_forms  # they register what the macros do

_FAR = 1000  # characters from a reference that ends before a place to the start of one that may not

# The last two: a document is read for itself, and with what other files of the workspace give it.
_documents: WeakKeyDictionary[Tree, tuple[Names, ...]] = WeakKeyDictionary()


def names_of(tree: Tree, modules: Modules = KNOWN) -> Names:
    """The names of a document; `modules` tells of those that it requires or imports `*` from."""
    known = _documents.get(tree, ())
    for names in known:
        if names.modules is modules:
            return names
    found = Names(tree, modules)
    _documents[tree] = (found, *known[:1])
    return found


class Names(Resolving):
    """See `mino_lsp.analysis`."""

    @cached_property
    def references(self) -> tuple[Use, ...]:
        """Every reference with what it is to, in the order of the text."""
        return tuple(self._use(at, index) for at, _, names in self._all() for index in range(len(names.references)))

    def unresolved(self) -> Iterator[Reference]:
        """The references that certainly nothing binds, in the order of the text."""
        for at, base in enumerate(self._bases):
            for reference in self.unresolved_in(at):
                yield reference.shifted(base)

    def unresolved_in(self, run: int) -> Iterator[Reference]:
        """Those of one of the document's runs, told by its number; relative to where the run starts."""
        if not self.certain:
            return
        first, chunk = self._first[run], self._chunks[run]
        places = [place for name, found in chunk.free.items() if self._is_free(name) for place in found]
        for (mangled, whole), found in chunk.macros_used.items():
            if not self.macros.in_scope(whole) and not self._module("macro", mangled):
                places += found
        for at, index in sorted(places):
            if self._resolution(first + at, index)[1] is Resolution.UNRESOLVED:
                yield chunk.names[at].references[index].shifted(chunk.starts[at])

    def uses_any(self, run: int, mangled: frozenset[str]) -> bool:
        """Whether a run uses one of these names, as far as it does not bind them within functions."""
        return not mangled.isdisjoint(self._chunks[run].free)

    def _is_free(self, mangled: str) -> bool:
        return mangled not in self._starred and mangled not in self.bound

    # ---- what is at a place

    def symbol_at(self, offset: int) -> tuple[Symbol, Occurrence] | None:
        """The symbol whose name stands at an offset, and where; also right after its last character."""
        if self.is_empty:
            return None
        for at in dict.fromkeys((self._piece_at(offset), self._piece_at(max(offset - 1, 0)))):
            start = self._piece(at)[0]
            found = self._symbol_in(at, offset - start)
            if found is not None:
                symbol, occurrence = found
                place = Occurrence(
                    occurrence.start + start, occurrence.end + start, occurrence.role, occurrence.certain
                )
                return symbol, place
        return None

    def _symbol_in(self, at: int, offset: int) -> tuple[Symbol, Occurrence] | None:
        names = self._piece(at)[1]
        candidates: list[tuple[Symbol, Occurrence]] = []
        for index in sorted(_defined_around(names, offset)):
            one = names.definitions[index]
            candidates.append((self._symbol_of(at, index), Occurrence(one.start, one.end, None)))
        for index, reference in _around(names.references, offset):
            if offset <= reference.end:
                symbol = self._resolution(at, index)[0]
                if symbol is not None:
                    place = Occurrence(reference.start, reference.end, reference.role, reference.certain)
                    candidates.append((symbol, place))
        for use in names.keywords:
            if use.start <= offset <= use.end:
                keyword = self._keyword_symbol(at, use)
                if keyword is not None:
                    candidates.append((keyword, Occurrence(use.start + 1, use.end, Role.READ, use.certain)))
        # What starts here comes before what ends here.
        return max(candidates, key=lambda found: found[1].start, default=None)

    def use_at(self, offset: int) -> Use | None:
        """The reference at an offset, whatever it is to."""
        if self.is_empty:
            return None
        best: Use | None = None
        for at in dict.fromkeys((self._piece_at(max(offset - 1, 0)), self._piece_at(offset))):
            start, names = self._piece(at)
            for index, reference in _around(names.references, offset - start):
                if offset - start <= reference.end:
                    best = self._use(at, index)
                    break
        return best

    def keyword_at(self, offset: int) -> KeywordUse | None:
        if self.is_empty:
            return None
        start, names = self._piece(self._piece_at(offset))
        for use in names.keywords:
            if use.start <= offset - start <= use.end:
                return use.shifted(start)
        return None

    def scopes_at(self, offset: int) -> list[Scope]:
        """The scopes around an offset, innermost first; their offsets are those of the document."""
        if self.is_empty:
            return []
        at = self._piece_at(offset)
        start, names = self._piece(at)
        return [
            Scope(one.kind, one.parent, one.start + start, one.end + start, one.certain, {}, {}, one.implicit)
            for one in (names.scopes[index] for index in self._chain(at, offset - start))
        ]

    def _chain(self, at: int, offset: int) -> list[int]:
        """The scopes of a piece around a place in it, innermost first."""
        scopes = self._piece(at)[1].scopes
        index = 0
        for candidate in range(len(scopes) - 1, 0, -1):
            if scopes[candidate].start <= offset <= scopes[candidate].end:
                index = candidate
                break
        chain = [index]
        while chain[-1] > 0:
            chain.append(scopes[chain[-1]].parent)
        return chain

    def visible(self, offset: int) -> dict[str, Definition]:
        """The definitions of values in scope at an offset, by their mangled names; inner ones hide outer ones."""
        found = self.visible_inside(offset)
        for definition in self.module_names():
            found.setdefault(definition.mangled, definition)
        return found

    def visible_inside(self, offset: int) -> dict[str, Definition]:
        """The same without those of the module."""
        if self.is_empty:
            return {}
        at = self._piece_at(offset)
        start, names = self._piece(at)
        found: dict[str, Definition] = {}
        crossed = False
        for index in self._chain(at, offset - start):
            scope = names.scopes[index]
            if index == 0:
                break
            if not (crossed and scope.kind is ScopeKind.CLASS):
                for mangled, definitions in scope.names.items():
                    held = [one for one in definitions if names.definitions[one].visible_from <= offset - start]
                    if held and mangled not in found:
                        which = held[-1] if scope.kind is ScopeKind.LET else held[0]
                        found[mangled] = names.definitions[which].shifted(start)
            crossed = crossed or scope.kind is ScopeKind.FUNCTION
        return found

    # ---- of a symbol

    def definitions_of(self, symbol: Symbol) -> list[Definition]:
        """All definitions of a symbol, in the order of the text; none where it is bound elsewhere."""
        return [self._definition(place) for place in self._places(symbol)]

    def occurrences(self, symbol: Symbol) -> list[Occurrence]:
        """Where a symbol stands in this document, its definitions included, in the order of the text. Those in quoted
        forms and in calls of unknown macros are not certain."""
        found: set[Occurrence] = set()
        for one in self.definitions_of(symbol):
            found.add(Occurrence(one.start, one.end, None))
        component = symbol.space == "local" and self._is_component(symbol)
        here = [(symbol.piece, *self._piece(symbol.piece))] if symbol.space == "local" else self._all()
        for at, start, names in here:
            for index, reference in enumerate(names.references):
                if reference.mangled == symbol.mangled and self._resolution(at, index)[0] == symbol:
                    place = (reference.start + start, reference.end + start)
                    found.add(Occurrence(*place, reference.role, reference.certain))
        if component or symbol.space == "spec":
            for at, start, names in self._all():
                for use in names.keywords:
                    if use.mangled == symbol.mangled and self._keyword_symbol(at, use) == symbol:
                        role = None if use.role is KeywordRole.DEFINES_SPEC else Role.READ
                        found.add(Occurrence(use.start + 1 + start, use.end + start, role, use.certain))
        if component:
            for at, start, names in self._all():
                for index, reference in enumerate(names.references):
                    if (
                        reference.role is Role.MEMBER
                        and reference.mangled == symbol.mangled
                        and self._resolution(at, index)[0] == symbol
                    ):
                        found.add(Occurrence(reference.start + start, reference.end + start, Role.MEMBER))
        ordered = sorted(found, key=lambda one: (one.start, one.end, one.role is not None, not one.certain))
        return [one for at, one in enumerate(ordered) if not at or ordered[at - 1].start != one.start]

    def _is_component(self, symbol: Symbol) -> bool:
        definition = self._piece(symbol.piece)[1].definitions[symbol.index]
        return definition.kind is DefinitionKind.COMPONENT

    def components(self, mu: Definition) -> list[Definition]:
        """The components of a mu that this document defines."""
        start, names = self._piece(self._piece_at(mu.start))
        for index, components in names.components.items():
            if names.definitions[index].start + start == mu.start:
                return [names.definitions[one].shifted(start) for one in components]
        return []

    def lookup(self, name: str, offset: int) -> Definition | None:
        """What a mangled name is bound to at an offset, in this document."""
        if self.is_empty:
            return None
        at = self._piece_at(offset)
        start, names = self._piece(at)
        crossed = False
        for index in self._chain(at, offset - start):
            scope = names.scopes[index]
            places = scope.names.get(name, []) if index and not (crossed and scope.kind is ScopeKind.CLASS) else []
            held = [one for one in places if names.definitions[one].visible_from <= offset - start]
            if held:
                return names.definitions[held[-1] if scope.kind is ScopeKind.LET else held[0]].shifted(start)
            crossed = crossed or scope.kind is ScopeKind.FUNCTION
        found = self._module("value", name)
        return self._definition(found[0]) if found else None

    def mu_of(self, name: str, offset: int) -> Definition | None:
        """The mu that a mangled name stands for at an offset: itself, or what it was made by."""
        if self.is_empty:
            return None
        at = self._piece_at(offset)
        scope = self._chain(at, offset - self._piece(at)[0])[0]
        found = self._mu(at, scope, name)
        return self._definition(found) if found else None

    def form_of(self, use: Use) -> Form:
        """The symbol of a reference in the tree."""
        at = self._piece_at(use.reference.start)
        return Form(self._source(at), self._piece(at)[0], use.reference.node)


def _around(references: Sequence[Reference], offset: int) -> Iterator[tuple[int, Reference]]:
    """Those that start at an offset or before it, the last one first, and not from far away."""
    for index in range(bisect_right(references, offset, key=lambda reference: reference.start) - 1, -1, -1):
        reference = references[index]
        if reference.end < offset and reference.start < offset - _FAR:
            return
        yield index, reference


def _defined_around(names: PieceNames, offset: int) -> Iterator[int]:
    """The definitions whose name stands at an offset, or ends there."""
    definitions, in_order = names.definitions, names.in_order
    for at in range(bisect_right(in_order, offset, key=lambda index: definitions[index].start) - 1, -1, -1):
        one = definitions[in_order[at]]
        if one.end >= offset:
            yield in_order[at]
        elif one.start < offset - _FAR:
            return
