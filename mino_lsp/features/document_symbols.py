"""Document symbols: what a document defines, each within the form that defines it."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from mino_lsp.analysis import Definition, DefinitionKind
from mino_lsp.analysis.piece_names import PieceNames
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Span

_LISTED = frozenset(DefinitionKind) - {
    DefinitionKind.PARAMETER,
    DefinitionKind.LOCAL,
    DefinitionKind.IMPORT,
    DefinitionKind.MODULE,
}


@dataclass(slots=True)
class DocumentSymbol:
    """`span` is all of the form, `name_span` the name in it, both relative to the piece of text that they are in."""

    name: str
    kind: DefinitionKind
    detail: str
    span: Span
    name_span: Span
    children: list[DocumentSymbol] = field(default_factory=list)


_Found = list[tuple[str, DocumentSymbol]]
# Of a piece: the symbols that lie in no other, each after its mangled name where a second one is not listed.
_known: WeakKeyDictionary[PieceNames, _Found] = WeakKeyDictionary()


def document_symbols(snapshot: Snapshot) -> list[tuple[int, DocumentSymbol]]:
    """In the order of the text, each after the offset that its spans count from. Parameters, what `let` binds and what
    is imported are not listed; variables only where they are first set."""
    found: list[tuple[int, DocumentSymbol]] = []
    seen: set[str] = set()
    for start, names in snapshot.names.pieces():
        known = _known.get(names)
        if known is None:
            known = _known[names] = _outline(names)
        for mangled, symbol in known:
            if mangled not in seen:
                found.append((start, symbol))
                if mangled:
                    seen.add(mangled)
    return found


def _outline(names: PieceNames) -> _Found:
    top: _Found = []
    open_: list[DocumentSymbol] = []
    seen: set[tuple[str, int, int]] = set()
    for definition in sorted(names.definitions, key=_outermost_first):
        if definition.kind not in _LISTED or definition.source is not None:
            continue
        while open_ and open_[-1].span.end < definition.end:
            open_.pop()
        symbol = _symbol(definition)
        variable = definition.kind in (DefinitionKind.VARIABLE, DefinitionKind.FIELD)
        if variable:
            key = (definition.mangled, definition.scope, open_[-1].span.start if open_ else -1)
            if key in seen:
                continue
            seen.add(key)
        if open_:
            open_[-1].children.append(symbol)
        else:
            top.append((definition.mangled if variable and definition.scope == 0 else "", symbol))
        if not variable and definition.kind is not DefinitionKind.COMPONENT:
            open_.append(symbol)
    return top


def _outermost_first(definition: Definition) -> tuple[int, int, int]:
    return definition.form_start, -definition.form_end, definition.start


def _symbol(definition: Definition) -> DocumentSymbol:
    name = f":{definition.name}" if definition.kind is DefinitionKind.SPEC else definition.name
    name_span = Span(definition.start, definition.end)
    span = Span(min(definition.form_start, definition.start), max(definition.form_end, definition.end))
    return DocumentSymbol(name, definition.kind, parameters(definition), span, name_span)


def parameters(definition: Definition) -> str:
    if definition.signature is None:
        return ""
    return f"[{' '.join(one.name for one in definition.signature.parameters)}]"
