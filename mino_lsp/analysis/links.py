"""Names across documents: where an imported name is at home, and everywhere that it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mino_lsp.analysis.index import Document, Index
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import (
    Definition,
    DefinitionKind,
    KeywordRole,
    Occurrence,
    Resolution,
    Role,
    Source,
    Symbol,
)

_MANY = 8  # imports of imports are followed so far


@dataclass(frozen=True)
class Place:
    """An occurrence in a document."""

    document: Document
    occurrence: Occurrence


@dataclass(frozen=True)
class Named:
    """A symbol in the document that it is at home in; `definitions` are there, and none where it comes from outside of
    the workspace: then `source` says from where."""

    document: Document
    symbol: Symbol
    definitions: tuple[Definition, ...]
    source: Source | None = None


def named_at(document: Document, offset: int, index: Index) -> tuple[Named, Occurrence] | None:
    """The symbol at a place, followed home, and the occurrence that is there."""
    names = document.names
    member = _member_of_module(document, offset, index)
    if member is not None:
        return member
    found = names.symbol_at(offset)
    if found is None:
        starred = _starred(document, offset, index)
        keyword = _component_elsewhere(document, offset, index) if starred is None else None
        return starred or keyword
    symbol, occurrence = found
    elsewhere = _component_elsewhere(document, offset, index) if symbol.space == "spec" else None
    return elsewhere or (home(document, symbol, index), occurrence)


def home(document: Document, symbol: Symbol, index: Index, steps: int = _MANY) -> Named:
    """Follow what is imported, or required, to where it is defined."""
    if symbol.space == "spec":
        return _spec(document, symbol, index)
    definitions = tuple(document.names.definitions_of(symbol))
    source = next((one.source for one in definitions if one.source is not None), None)
    if source is None or not source.name or not steps:
        return Named(document, symbol, definitions, source)
    uri = index.resolve(source.module, document.uri)
    other = index.document(uri) if uri is not None and uri != document.uri else None
    if other is None:
        return Named(document, symbol, definitions, source)
    return home(other, Symbol(symbol.space, mangle(source.name)), index, steps - 1)


def _spec(document: Document, symbol: Symbol, index: Index) -> Named:
    """Specs have one name everywhere: at home in the first file that defines them, this one before others."""
    definitions = tuple(document.names.definitions_of(symbol))
    if definitions:
        return Named(document, symbol, definitions)
    for indexed in index.files():
        if any(one.kind is DefinitionKind.SPEC and one.mangled == symbol.mangled for one in indexed.definitions):
            other = index.document(indexed.uri)
            if other is not None and (found := other.names.definitions_of(symbol)):
                return Named(other, symbol, tuple(found))
    return Named(document, symbol, ())


def _member_of_module(document: Document, offset: int, index: Index) -> tuple[Named, Occurrence] | None:
    """`module.name`, with the offset in the name, where the module is a file of the workspace."""
    use = document.names.use_at(offset)
    if use is None or use.reference.role is not Role.MEMBER or not use.reference.owner:
        return None
    other = _module_of(document, use.reference.owner, use.reference.start, index)
    if other is None:
        return None
    reference = use.reference
    symbol = Symbol("value", reference.mangled)
    if not other.names.definitions_of(symbol):
        return None
    return home(other, symbol, index), Occurrence(reference.start, reference.end, Role.MEMBER)


def _module_of(document: Document, owner: str, offset: int, index: Index) -> Document | None:
    definition = document.names.lookup(mangle(owner), offset)
    if definition is None or definition.kind is not DefinitionKind.MODULE or definition.source is None:
        return None
    uri = index.resolve(definition.source.module, document.uri)
    return index.document(uri) if uri is not None else None


def _starred(document: Document, offset: int, index: Index) -> tuple[Named, Occurrence] | None:
    """A name that `(import module *)` or `(require module *)` brings."""
    use = document.names.use_at(offset)
    if use is None or use.resolution is not Resolution.KNOWN or use.reference.role is Role.MEMBER:
        return None
    reference = use.reference
    space = {Role.MACRO: "macro", Role.READER: "reader"}.get(reference.role, "value")
    for other in _starred_modules(document, space != "value", index):
        symbol = Symbol(space, reference.mangled)
        if other.names.definitions_of(symbol):
            return home(other, symbol, index), Occurrence(reference.start, reference.end, reference.role)
    return None


def _starred_modules(document: Document, requires: bool, index: Index) -> Iterator[Document]:
    for entry in reversed(document.names.imports):
        if entry.requires == requires and (entry.star or entry.star_readers):
            uri = index.resolve(entry.module, document.uri)
            other = index.document(uri) if uri is not None and uri != document.uri else None
            if other is not None:
                yield other


def _component_elsewhere(document: Document, offset: int, index: Index) -> tuple[Named, Occurrence] | None:
    """`:component` in a call of a mu that another file defines."""
    use = document.names.keyword_at(offset)
    if use is None or use.role is not KeywordRole.ARGUMENT or not use.call:
        return None
    mu = mu_of(document, use.call, use.start, index)
    if mu is None or mu[0].uri == document.uri:
        return None
    symbol = _component(mu[0], mu[1], use.mangled)
    if symbol is None:
        return None
    occurrence = Occurrence(use.start + 1, use.end, Role.READ, use.certain)
    return Named(mu[0], symbol, tuple(mu[0].names.definitions_of(symbol))), occurrence


def _component(document: Document, mu: Definition, mangled: str) -> Symbol | None:
    for one in document.names.components(mu):
        if one.mangled == mangled:
            found = document.names.symbol_at(one.start)
            return found[0] if found is not None else None
    return None


def mu_of(document: Document, name: str, offset: int, index: Index) -> tuple[Document, Definition] | None:
    """The mu that a mangled name stands for at a place, in whatever file it is defined."""
    found = document.names.mu_of(name, offset)
    if found is not None:
        return document, found
    definition = document.names.lookup(name, offset)
    if definition is not None and definition.value and definition.value != name:
        return mu_of(document, definition.value, offset, index) if definition.kind is not DefinitionKind.MU else None
    if definition is None or definition.kind is not DefinitionKind.IMPORT:
        return None
    there = home(document, Symbol("value", definition.mangled), index)
    mus = [one for one in there.definitions if one.kind is DefinitionKind.MU]
    return (there.document, mus[-1]) if mus and there.document is not document else None


# ---- everywhere


def everywhere(named: Named, index: Index) -> list[Place]:
    """Every place of a symbol in its document and in all others that could know it."""
    places = [Place(named.document, one) for one in named.document.names.occurrences(named.symbol)]
    component = any(one.kind is DefinitionKind.COMPONENT for one in named.definitions)
    if named.symbol.space == "local" and not component:
        return places
    for indexed in sorted(index.files(), key=lambda one: one.uri):
        if indexed.uri == named.document.uri or named.symbol.mangled not in indexed.words:
            continue
        other = index.document(indexed.uri)
        if other is None:
            continue
        if component:
            found = _component_uses(named, other, index)
        elif named.symbol.space == "spec":
            found = other.names.occurrences(named.symbol)
        else:
            found = _uses(named, other, index)
        places += [Place(other, one) for one in found]
    return places


def _component_uses(named: Named, other: Document, index: Index) -> list[Occurrence]:
    found = []
    for use in other.names.keywords:
        if use.mangled == named.symbol.mangled and use.role is KeywordRole.ARGUMENT:
            there = _component_elsewhere(other, use.end, index)
            if there is not None and _same(there[0], named):
                found.append(there[1])
    return found


def _uses(named: Named, other: Document, index: Index) -> list[Occurrence]:
    """The places in another document of what it imports or requires."""
    names, mangled = other.names, named.symbol.mangled
    found: list[Occurrence] = []
    for entry in names.imports:
        if entry.requires != (named.symbol.space in ("macro", "reader")):
            continue
        for one in [*(entry.names or ()), *(entry.readers or ())]:
            if mangle(one.name) != mangled:
                continue
            local = Symbol(named.symbol.space, mangle(one.alias))
            if not _same(home(other, local, index), named):
                continue
            found.append(Occurrence(one.start, one.end, Role.READ))
            if one.alias_start == one.start:
                found += [each for each in names.occurrences(local) if each.start != one.start]
    for use in names.references:
        reference = use.reference
        if reference.mangled != mangled or (use.definition is not None and reference.role is not Role.MEMBER):
            continue
        there = (
            _member_of_module(other, reference.end, index)
            if reference.role is Role.MEMBER
            else _starred(other, reference.start, index)
        )
        if there is not None and _same(there[0], named):
            found.append(there[1])
    return sorted(set(found))


def _same(one: Named, other: Named) -> bool:
    return one.document.uri == other.document.uri and one.symbol == other.symbol
