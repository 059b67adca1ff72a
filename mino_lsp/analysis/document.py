"""The names of a whole document: what its pieces define and use, put together. Immutable, one for each tree.

A piece that an edit leaves alone keeps what was found out of it, so an edit costs the piece it touches and the putting
together.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from weakref import WeakKeyDictionary

from mino_lsp.analysis import core_forms, package_forms
from mino_lsp.analysis.chunks import SPACES, runs_of
from mino_lsp.analysis.environment import KNOWN, Declared, Macros, Modules
from mino_lsp.analysis.known import BUILTINS
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import (
    Definition,
    DefinitionKind,
    Import,
    KeywordRole,
    KeywordUse,
    Reference,
    Resolution,
    Role,
    ScopeKind,
)
from mino_lsp.analysis.scopes import IMPLICIT, Scope
from mino_lsp.syntax import Form, Tree

assert core_forms and package_forms  # they register what the macros do


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """What all occurrences of one name have in common. `space` is "value", "macro", "reader" or "spec" for names of the
    module, and "local" for one that belongs to a scope within; then `piece` and `index` say which."""

    space: str
    mangled: str
    piece: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """A reference, what it is to, and how sure that is. `definition` is the first of the symbol's."""

    reference: Reference
    symbol: Symbol | None
    definition: Definition | None
    resolution: Resolution


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """A place where a symbol stands: its name only, without a colon or what comes after a dot."""

    start: int
    end: int
    role: Role | None  # None where it is defined
    certain: bool = True


LONGEST = 3_000_000
"""Characters. A longer text is no program that a person wrote: nothing is said of its names."""

_ROLES = {Role.MACRO: "macro", Role.READER: "reader"}
_documents: WeakKeyDictionary[Tree, tuple[Modules, Names]] = WeakKeyDictionary()
# So that a tree finds what its predecessor found, although that is gone.
_recent: deque[Names] = deque(maxlen=8)


def names_of(tree: Tree, modules: Modules = KNOWN) -> Names:
    """The names of a document; `modules` tells of those that it requires or imports `*` from."""
    known = _documents.get(tree)
    if known is None or known[0] is not modules:
        known = _documents[tree] = (modules, Names(tree, modules))
        _recent.append(known[1])
    return known[1]


def _environment(told: tuple[Declared, ...], modules: Modules) -> Macros:
    for names in _recent:
        if names.declared == told and names.modules is modules:
            return names.macros
    return Macros(told, modules)


class Names:
    """See `mino_lsp.analysis`."""

    def __init__(self, tree: Tree, modules: Modules) -> None:
        pieces = list(tree.pieces()) if len(tree) <= LONGEST else []
        self._starts = [start for start, _ in pieces]
        self._sources = [piece for _, piece in pieces]
        self._runs = list(runs_of(self._sources))  # held, so that they are found again
        self.modules = modules
        self.declared = tuple(one for run in self._runs for one in run.declared)
        self.macros = _environment(self.declared, modules)
        self._chunks = [run.chunk(self.macros) for run in self._runs]
        self._first = list(accumulate((len(run.pieces) for run in self._runs), initial=0))
        self._pieces = [names for chunk in self._chunks for names in chunk.names]
        self._found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._starred: set[str] = set()
        certain = len(tree) <= LONGEST and not self.macros.blind and all(chunk.certain for chunk in self._chunks)
        for entry in (entry for chunk in self._chunks for entry in chunk.starring):
            known = modules.names(entry.module)
            certain = certain and known is not None
            self._starred.update(known or ())
        self.certain = certain
        """Whether all that the module binds is to be seen: no macro of somebody's own, no `(import x *)` of an unknown
        module, no `eval`."""

    def _module(self, space: str, mangled: str) -> list[tuple[int, int]]:
        """The definitions of a name of the module: the index of the piece of each, and its own there."""
        found = self._found.get((space, mangled))
        if found is None:
            found = self._found[space, mangled] = [
                (first + at, index)
                for first, chunk in zip(self._first, self._chunks, strict=False)
                for at, index in chunk.module[space].get(mangled, ())
            ]
        return found

    def module_names(self, space: str = "value") -> Iterator[Definition]:
        """The first definition of every name of the module."""
        seen: set[str] = set()
        for first, chunk in zip(self._first, self._chunks, strict=False):
            for mangled, places in chunk.module[space].items():
                if mangled not in seen:
                    seen.add(mangled)
                    yield chunk.definition(places[0]).shifted(self._starts[first + places[0][0]])

    # ---- all there is

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Every definition, in the order of the text but for bindings and their values."""
        return tuple(
            definition.shifted(start)
            for start, names in zip(self._starts, self._pieces, strict=True)
            for definition in names.definitions
        )

    @cached_property
    def references(self) -> tuple[Use, ...]:
        """Every reference with what it is to, in the order of the text."""
        return tuple(
            self._use(at, index) for at, names in enumerate(self._pieces) for index in range(len(names.references))
        )

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every module of an `import` or a `require`."""
        return tuple(
            entry.shifted(start)
            for start, names in zip(self._starts, self._pieces, strict=True)
            for entry in names.imports
        )

    @cached_property
    def keywords(self) -> tuple[KeywordUse, ...]:
        """Every keyword that names something, in the order of the text."""
        return tuple(
            use.shifted(start)
            for start, names in zip(self._starts, self._pieces, strict=True)
            for use in names.keywords
        )

    def unresolved(self) -> Iterator[Reference]:
        """The references that certainly nothing binds, in the order of the text."""
        if not self.certain:
            return
        for first, chunk in zip(self._first, self._chunks, strict=False):
            places = [place for name, found in chunk.free.items() if self._is_free(name) for place in found]
            for (mangled, whole), found in chunk.macros_used.items():
                if not self.macros.in_scope(whole) and not self._module("macro", mangled):
                    places += found
            for at, index in sorted(places):
                if self._resolution(first + at, index)[1] is Resolution.UNRESOLVED:
                    yield self._pieces[first + at].references[index].shifted(self._starts[first + at])

    def _is_free(self, mangled: str) -> bool:
        return mangled not in self._starred and mangled not in self._bound

    @cached_property
    def _bound(self) -> frozenset[str]:
        """Every name of the module, mangled: for those who ask after many of them."""
        return frozenset().union(*(chunk.module["value"] for chunk in self._chunks))

    # ---- what is at a place

    def _piece_at(self, offset: int) -> int:
        return max(bisect_right(self._starts, offset) - 1, 0)

    def symbol_at(self, offset: int) -> tuple[Symbol, Occurrence] | None:
        """The symbol whose name stands at an offset, and where; also right after its last character."""
        if not self._pieces:
            return None
        for at in dict.fromkeys((self._piece_at(offset), self._piece_at(max(offset - 1, 0)))):
            found = self._symbol_in(at, offset - self._starts[at])
            if found is not None:
                symbol, occurrence = found
                start = self._starts[at]
                place = Occurrence(
                    occurrence.start + start, occurrence.end + start, occurrence.role, occurrence.certain
                )
                return symbol, place
        return None

    def _symbol_in(self, at: int, offset: int) -> tuple[Symbol, Occurrence] | None:
        names = self._pieces[at]
        candidates: list[tuple[Symbol, Occurrence]] = []
        for index, one in enumerate(names.definitions):
            if one.start <= offset <= one.end:
                candidates.append((self._symbol_of(at, index), Occurrence(one.start, one.end, None)))
        first = bisect_right(names.references, offset, key=lambda reference: reference.start)
        for index in range(first - 1, -1, -1):
            reference = names.references[index]
            if reference.end < offset and reference.start < offset - 1000:
                break
            if reference.start <= offset <= reference.end:
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
        if not self._pieces:
            return None
        best: Use | None = None
        for at in dict.fromkeys((self._piece_at(max(offset - 1, 0)), self._piece_at(offset))):
            names, place = self._pieces[at], offset - self._starts[at]
            for index, reference in enumerate(names.references):
                if reference.start <= place <= reference.end:
                    best = self._use(at, index)
        return best

    def keyword_at(self, offset: int) -> KeywordUse | None:
        if not self._pieces:
            return None
        at = self._piece_at(offset)
        for use in self._pieces[at].keywords:
            if use.start <= offset - self._starts[at] <= use.end:
                return use.shifted(self._starts[at])
        return None

    def scopes_at(self, offset: int) -> list[Scope]:
        """The scopes around an offset, innermost first; their offsets are those of the document."""
        if not self._pieces:
            return []
        at = self._piece_at(offset)
        start, names = self._starts[at], self._pieces[at]
        return [
            Scope(one.kind, one.parent, one.start + start, one.end + start, one.certain, {}, {}, one.implicit)
            for one in (names.scopes[index] for index in self._chain(at, offset - start))
        ]

    def _chain(self, at: int, offset: int) -> list[int]:
        """The scopes of a piece around a place in it, innermost first."""
        scopes = self._pieces[at].scopes
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
        if not self._pieces:
            return {}
        at = self._piece_at(offset)
        start, names = self._starts[at], self._pieces[at]
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
        for definition in self.module_names():
            found.setdefault(definition.mangled, definition)
        return found

    # ---- of a symbol

    def definitions_of(self, symbol: Symbol) -> list[Definition]:
        """All definitions of a symbol, in the order of the text; none where it is bound elsewhere."""
        places = self._places(symbol)
        return [self._pieces[at].definitions[index].shifted(self._starts[at]) for at, index in places]

    def _places(self, symbol: Symbol) -> list[tuple[int, int]]:
        if symbol.space != "local":
            return self._module(symbol.space, symbol.mangled)
        if symbol.piece >= len(self._pieces) or symbol.index >= len(self._pieces[symbol.piece].definitions):
            return []
        names = self._pieces[symbol.piece]
        definition = names.definitions[symbol.index]
        scope = names.scopes[definition.scope]
        if scope.kind is ScopeKind.LET:
            return [(symbol.piece, symbol.index)]
        return [(symbol.piece, index) for index in scope.names.get(symbol.mangled, [symbol.index])]

    def occurrences(self, symbol: Symbol) -> list[Occurrence]:
        """Where a symbol stands in this document, its definitions included, in the order of the text. Those in quoted
        forms and in calls of unknown macros are not certain."""
        found: set[Occurrence] = set()
        for at, index in self._places(symbol):
            one, start = self._pieces[at].definitions[index], self._starts[at]
            found.add(Occurrence(one.start + start, one.end + start, None))
        pieces = [symbol.piece] if symbol.space == "local" else range(len(self._pieces))
        component = symbol.space == "local" and self._is_component(symbol)
        for at in pieces:
            names, start = self._pieces[at], self._starts[at]
            for index, reference in enumerate(names.references):
                if reference.mangled == symbol.mangled and self._resolution(at, index)[0] == symbol:
                    place = (reference.start + start, reference.end + start)
                    found.add(Occurrence(*place, reference.role, reference.certain))
        if component or symbol.space == "spec":
            for at, names in enumerate(self._pieces):
                start = self._starts[at]
                for use in names.keywords:
                    if use.mangled == symbol.mangled and self._keyword_symbol(at, use) == symbol:
                        role = None if use.role is KeywordRole.DEFINES_SPEC else Role.READ
                        found.add(Occurrence(use.start + 1 + start, use.end + start, role, use.certain))
        if component:
            for at, names in enumerate(self._pieces):
                start = self._starts[at]
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
        definition = self._pieces[symbol.piece].definitions[symbol.index]
        return definition.kind is DefinitionKind.COMPONENT

    def components(self, mu: Definition) -> list[Definition]:
        """The components of a mu that this document defines."""
        at = self._piece_at(mu.start)
        names, start = self._pieces[at], self._starts[at]
        for index, components in names.components.items():
            if names.definitions[index].start + start == mu.start:
                return [names.definitions[one].shifted(start) for one in components]
        return []

    def lookup(self, name: str, offset: int) -> Definition | None:
        """What a mangled name is bound to at an offset, in this document."""
        if not self._pieces:
            return None
        at = self._piece_at(offset)
        start, names = self._starts[at], self._pieces[at]
        crossed = False
        for index in self._chain(at, offset - start):
            scope = names.scopes[index]
            places = scope.names.get(name, []) if index and not (crossed and scope.kind is ScopeKind.CLASS) else []
            held = [one for one in places if names.definitions[one].visible_from <= offset - start]
            if held:
                return names.definitions[held[-1] if scope.kind is ScopeKind.LET else held[0]].shifted(start)
            crossed = crossed or scope.kind is ScopeKind.FUNCTION
        found = self._module("value", name)
        return self._pieces[found[0][0]].definitions[found[0][1]].shifted(self._starts[found[0][0]]) if found else None

    def mu_of(self, name: str, offset: int) -> Definition | None:
        """The mu that a mangled name stands for at an offset: itself, or what it was made by."""
        if not self._pieces:
            return None
        at = self._piece_at(offset)
        scope = self._chain(at, offset - self._starts[at])[0]
        found = self._mu(at, scope, name)
        return self._pieces[found[0]].definitions[found[1]].shifted(self._starts[found[0]]) if found else None

    def form_of(self, use: Use) -> Form:
        """The symbol of a reference in the tree."""
        at = self._piece_at(use.reference.start)
        return Form(self._sources[at], self._starts[at], use.reference.node)

    # ---- resolving

    def _symbol_of(self, at: int, index: int) -> Symbol:
        names = self._pieces[at]
        definition = names.definitions[index]
        if definition.scope == 0:
            return Symbol(SPACES.get(definition.kind, "value"), definition.mangled)
        scope = names.scopes[definition.scope]
        if scope.kind is not ScopeKind.LET:
            index = scope.names[definition.mangled][0]
        return Symbol("local", definition.mangled, at, index)

    def _use(self, at: int, index: int) -> Use:
        symbol, resolution = self._resolution(at, index)
        definition = None
        if symbol is not None:
            places = self._places(symbol)
            if places:
                piece, first = places[0]
                definition = self._pieces[piece].definitions[first].shifted(self._starts[piece])
        reference = self._pieces[at].references[index].shifted(self._starts[at])
        return Use(reference, symbol, definition, resolution)

    def _resolution(self, at: int, index: int) -> tuple[Symbol | None, Resolution]:
        names = self._pieces[at]
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
        scopes = self._pieces[at].scopes
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
        elif self._sources[at].text[max(reference.start - 1, 0)] != ".":
            component = self._only_component(reference.mangled)
        else:
            component = None
        return component, Resolution.RESOLVED if component is not None else Resolution.UNCERTAIN

    def _only_component(self, mangled: str) -> Symbol | None:
        found = [
            (first + at, index)
            for first, chunk in zip(self._first, self._chunks, strict=False)
            for at, index in chunk.components.get(mangled, ())
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
        names = self._pieces[at]
        for component in names.components.get(index, ()):
            if names.definitions[component].mangled == mangled:
                return self._symbol_of(at, component)
        return None

    def _mu(self, at: int, scope: int, mangled: str, depth: int = 4) -> tuple[int, int] | None:
        """The definition of the mu that a name stands for in a scope of a piece."""
        names = self._pieces[at]
        places: list[tuple[int, int]] = []
        while scope > 0 and not places:
            places = [(at, index) for index in names.scopes[scope].names.get(mangled, ())]
            scope = names.scopes[scope].parent
        places = places or self._module("value", mangled)
        if not places:
            return None
        kinds = {self._pieces[piece].definitions[index].kind for piece, index in places}
        if kinds == {DefinitionKind.MU}:
            return places[-1]
        made = {self._pieces[piece].definitions[index].value for piece, index in places}
        if len(made) == 1 and depth and (value := made.pop()):
            piece, index = places[0]
            return self._mu(piece, self._pieces[piece].definitions[index].scope, value, depth - 1)
        return None
