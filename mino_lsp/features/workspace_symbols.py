"""Workspace symbols: what the Hy files of the workspace define, by a part of the name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mino_lsp.analysis import DefinitionKind, Document, Index, mangle
from mino_lsp.types import Span

MOST = 256


@dataclass(frozen=True, slots=True)
class WorkspaceSymbol:
    name: str
    kind: DefinitionKind
    document: Document
    span: Span


def workspace_symbols(index: Index, query: str) -> list[WorkspaceSymbol]:
    """Those whose names hold the characters of the query in order, the nearest first, so many at most."""
    wanted = mangle(query.lstrip(":")).lower()
    found: list[tuple[int, str, str, WorkspaceSymbol]] = []
    for score, uri, name, kind, span in sorted(_matches(index, wanted))[:MOST]:
        document = index.document(uri)
        if document is not None and span.end <= len(document.text):
            found.append((score, uri, name, WorkspaceSymbol(name, kind, document, span)))
    return [symbol for _, _, _, symbol in found]


def _matches(index: Index, wanted: str) -> Iterator[tuple[int, str, str, DefinitionKind, Span]]:
    for indexed in index.files():
        seen: set[tuple[str, DefinitionKind]] = set()
        for one in indexed.definitions:
            score = _distance(wanted, one.mangled.lower())
            if score is not None and (one.mangled, one.kind) not in seen:
                seen.add((one.mangled, one.kind))
                name = f":{one.name}" if one.kind is DefinitionKind.SPEC else one.name
                yield score, indexed.uri, name, one.kind, Span(one.start, one.end)


def _distance(wanted: str, name: str) -> int | None:
    """How far a name is from what is wanted: 0 if it is just that, None if it does not hold its characters in order."""
    if wanted in name:
        return 0 if wanted == name else 1 + (not name.startswith(wanted)) + len(name) - len(wanted)
    at = -1
    for character in wanted:
        at = name.find(character, at + 1)
        if at < 0:
            return None
    return 1000 + len(name)
