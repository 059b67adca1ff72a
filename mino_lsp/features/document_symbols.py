"""Document symbols: what a document defines, each within the form that defines it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mino_lsp.analysis import Definition, DefinitionKind
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
    """`span` is all of the form, `name_span` the name in it."""

    name: str
    kind: DefinitionKind
    detail: str
    span: Span
    name_span: Span
    children: list[DocumentSymbol] = field(default_factory=list)


def document_symbols(snapshot: Snapshot) -> list[DocumentSymbol]:
    """In the order of the text. Parameters, what `let` binds and what is imported are not listed; variables only where
    they are first set."""
    top: list[DocumentSymbol] = []
    open_: list[DocumentSymbol] = []
    seen: set[tuple[str, int, int]] = set()
    for definition in sorted(snapshot.names.definitions, key=_outermost_first):
        if definition.kind not in _LISTED or definition.source is not None:
            continue
        while open_ and open_[-1].span.end < definition.end:
            open_.pop()
        if definition.kind in (DefinitionKind.VARIABLE, DefinitionKind.FIELD):
            around = open_[-1].span.start if open_ else -1
            key = (definition.mangled, definition.scope, around)
            if key in seen:
                continue
            seen.add(key)
        symbol = _symbol(definition)
        (open_[-1].children if open_ else top).append(symbol)
        if definition.kind not in (DefinitionKind.VARIABLE, DefinitionKind.FIELD, DefinitionKind.COMPONENT):
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
