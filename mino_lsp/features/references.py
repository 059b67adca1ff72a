"""References: everywhere that a symbol stands, in all files of the workspace."""

from __future__ import annotations

from mino_lsp.analysis.links import Place, everywhere, named_at
from mino_lsp.snapshot import Snapshot


def references(snapshot: Snapshot, offset: int, with_definitions: bool) -> list[Place]:
    """Quoted symbols that look like it, and those in calls of unknown macros, are among them."""
    found = named_at(snapshot.document, offset, snapshot.index)
    if found is None:
        return []
    places = everywhere(found[0], snapshot.index)
    return [place for place in places if with_definitions or place.occurrence.role is not None]
