"""Highlights: the places in a document where the symbol at the cursor stands."""

from __future__ import annotations

from dataclasses import dataclass

from mino_lsp.analysis import Role
from mino_lsp.analysis.links import everywhere, named_at
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Span


@dataclass(frozen=True, slots=True)
class Highlight:
    span: Span
    writes: bool


def highlights(snapshot: Snapshot, offset: int) -> list[Highlight]:
    document = snapshot.document
    found = document.names.symbol_at(offset)
    if found is not None:
        places = document.names.occurrences(found[0])
        return [Highlight(Span(one.start, one.end), one.role in (None, Role.WRITE)) for one in places]
    named = named_at(document, offset, snapshot.index)
    if named is None:
        return []
    here = [place.occurrence for place in everywhere(named[0], snapshot.index) if place.document.uri == snapshot.uri]
    return [Highlight(Span(one.start, one.end), one.role in (None, Role.WRITE)) for one in here]
