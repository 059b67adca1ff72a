"""Definition and declaration: where the name at a place is bound, in this file or another."""

from __future__ import annotations

from dataclasses import dataclass

from mino_lsp.analysis import Definition, DefinitionKind, Document
from mino_lsp.analysis.links import Named, named_at
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Span


@dataclass(frozen=True, slots=True)
class Location:
    """`span` is the name, `whole` the form around it; both in `document`."""

    document: Document
    span: Span
    whole: Span


_LOOSE = frozenset({DefinitionKind.VARIABLE, DefinitionKind.FIELD})


def origin(snapshot: Snapshot, offset: int) -> Span | None:
    """The name at a place, which leads to where it is bound."""
    found = named_at(snapshot.document, offset, snapshot.index)
    return Span(found[1].start, found[1].end) if found is not None else None


def definition(snapshot: Snapshot, offset: int) -> list[Location]:
    """Where the name is defined. Of a variable that is set several times, the first; of what is defined twice,
    both."""
    found = named_at(snapshot.document, offset, snapshot.index)
    return _locations(found[0]) if found is not None else []


def declaration(snapshot: Snapshot, offset: int) -> list[Location]:
    """Where the name comes into this document: its import, else its definition."""
    document = snapshot.document
    found = document.names.symbol_at(offset)
    definitions = document.names.definitions_of(found[0]) if found is not None else []
    imported = [one for one in definitions if one.source is not None]
    return [_location(document, one) for one in imported] or definition(snapshot, offset)


def _locations(named: Named) -> list[Location]:
    firm = [one for one in named.definitions if one.kind not in _LOOSE]
    return [_location(named.document, one) for one in firm or named.definitions[:1]]


def _location(document: Document, one: Definition) -> Location:
    whole = Span(min(one.form_start, one.start), max(one.form_end, one.end))
    return Location(document, Span(one.start, one.end), whole)
