"""Between our values and LSP's: positions, ranges, and each feature's answer. No decision is made here.

What goes out by the hundred (diagnostics, symbols, completions) or often (hovers) is made as the JSON that it will be:
a converter of objects takes several times as long as all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from lsprotocol import types as lsp

from mino_lsp.analysis import DefinitionKind
from mino_lsp.analysis.links import Place
from mino_lsp.client import ClientCan
from mino_lsp.commands import Located
from mino_lsp.features.code_actions import Action
from mino_lsp.features.code_lenses import Lens
from mino_lsp.features.completion import Completions
from mino_lsp.features.definition import Location
from mino_lsp.features.document_symbols import DocumentSymbol
from mino_lsp.features.folding import Fold
from mino_lsp.features.highlights import Highlight
from mino_lsp.features.hover import Hover
from mino_lsp.features.inlay_hints import Hint
from mino_lsp.features.rename import Renaming
from mino_lsp.features.semantic_tokens import Delta
from mino_lsp.features.signature_help import SignatureHelp
from mino_lsp.features.workspace_symbols import WorkspaceSymbol
from mino_lsp.format import Edit
from mino_lsp.notebooks import Cell, Positions, cell_at
from mino_lsp.paint import MODIFIERS, TYPES
from mino_lsp.plaintext import plain
from mino_lsp.syntax import Encoding, Text
from mino_lsp.types import Fix, Problem, Severity, Span

SEVERITIES: dict[Severity, lsp.DiagnosticSeverity] = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "information": lsp.DiagnosticSeverity.Information,
    "hint": lsp.DiagnosticSeverity.Hint,
}

MESSAGE_TYPES: dict[Severity, lsp.MessageType] = {
    "error": lsp.MessageType.Error,
    "warning": lsp.MessageType.Warning,
    "information": lsp.MessageType.Info,
    "hint": lsp.MessageType.Log,
}


LEGEND = lsp.SemanticTokensLegend(TYPES, MODIFIERS)

SYMBOL_KINDS: dict[DefinitionKind, lsp.SymbolKind] = {
    DefinitionKind.FUNCTION: lsp.SymbolKind.Function,
    DefinitionKind.METHOD: lsp.SymbolKind.Method,
    DefinitionKind.CLASS: lsp.SymbolKind.Class,
    DefinitionKind.MU: lsp.SymbolKind.Class,
    DefinitionKind.MACRO: lsp.SymbolKind.Operator,
    DefinitionKind.READER: lsp.SymbolKind.Operator,
    DefinitionKind.COMPONENT: lsp.SymbolKind.Property,
    DefinitionKind.FIELD: lsp.SymbolKind.Field,
    DefinitionKind.MODULE: lsp.SymbolKind.Module,
    DefinitionKind.TYPE: lsp.SymbolKind.TypeParameter,
    DefinitionKind.SPEC: lsp.SymbolKind.Interface,
}

COMPLETION_KINDS: dict[str, lsp.CompletionItemKind] = {
    "function": lsp.CompletionItemKind.Function,
    "method": lsp.CompletionItemKind.Method,
    "class": lsp.CompletionItemKind.Class,
    "mu": lsp.CompletionItemKind.Class,
    "macro": lsp.CompletionItemKind.Keyword,
    "reader macro": lsp.CompletionItemKind.Keyword,
    "component": lsp.CompletionItemKind.Property,
    "parameter": lsp.CompletionItemKind.Property,
    "field": lsp.CompletionItemKind.Field,
    "module": lsp.CompletionItemKind.Module,
    "spec": lsp.CompletionItemKind.Interface,
    "snippet": lsp.CompletionItemKind.Snippet,
    "python": lsp.CompletionItemKind.Field,
}


Json = dict[str, Any]
"""An object as it goes over the wire."""

Locate = Callable[[str, Span], tuple[Cell, Span] | None]
"""The cell in which a span of a notebook's program stands, and what of it stands there; None in other documents."""


class Edge:
    """The conversions for a client, under the position encoding that was agreed on with it."""

    def __init__(self, encoding: str, can: ClientCan, locate: Locate) -> None:
        self.encoding = cast("Encoding", encoding)
        self.can = can
        self._locate = locate
        self._kinds = _kinds(can.symbol_kinds)
        self._workspace_kinds = _kinds(can.workspace_symbol_kinds)

    def offset(self, text: Positions, position: lsp.Position) -> int:
        return text.offset(position.line, position.character, self.encoding)

    def position(self, text: Positions, offset: int) -> lsp.Position:
        return lsp.Position(*text.position(offset, self.encoding))

    def span(self, text: Positions, range_: lsp.Range) -> Span:
        return Span(self.offset(text, range_.start), self.offset(text, range_.end))

    def range(self, text: Positions, span: Span) -> lsp.Range:
        return lsp.Range(self.position(text, span.start), self.position(text, span.end))

    def _span(self, text: Positions, span: Span, base: int = 0) -> Json:
        """A range, as JSON; the span counts from `base`."""
        first, start = text.position(base + span.start, self.encoding)
        last, end = text.position(base + span.end, self.encoding)
        return {"start": {"line": first, "character": start}, "end": {"line": last, "character": end}}

    def located(self, uri: str, text: Positions, span: Span) -> tuple[str, lsp.Range]:
        """Where a span of a document is for the client, which knows the cells of a notebook and not its program."""
        found = self._locate(uri, span)
        if found is None:
            return uri, self.range(text, span)
        cell, within = found
        return cell.uri, self.range(cell, within)

    def is_hidden(self, uri: str, span: Span) -> bool:
        """Whether a client has no place for it: it stands in a notebook's program, and in none of its cells of Hy."""
        found = self._locate(uri, span)
        return found is not None and found[1].start != span.start

    def _located(self, uri: str, text: Positions, span: Span) -> Json:
        found = self._locate(uri, span)
        if found is None:
            return {"uri": uri, "range": self._span(text, span)}
        cell, within = found
        return {"uri": cell.uri, "range": self._span(cell, within)}

    def _changes(self, uri: str, text: Positions, changes: Iterable[tuple[Span, str]]) -> dict[str, list[lsp.TextEdit]]:
        """What each document has to change."""
        found: dict[str, list[lsp.TextEdit]] = {}
        for span, new in changes:
            where, range_ = self.located(uri, text, span)
            found.setdefault(where, []).append(lsp.TextEdit(range_, new))
        return found

    def edit(self, change: lsp.TextDocumentContentChangeEvent) -> Any:
        """An edit that is resolved against the text that it applies to."""

        def resolve(text: Text) -> tuple[int, int, str]:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                span = self.span(text, change.range)
                return span.start, max(span.start, span.end), change.text
            return 0, len(text), change.text

        return resolve

    def diagnostics(self, text: Positions, uri: str, problems: Sequence[Problem]) -> list[Json]:
        return [self._diagnostic(text, uri, problem) for problem in problems]

    def _diagnostic(self, text: Positions, uri: str, problem: Problem) -> Json:
        told: Json = {
            "range": self._span(text, problem.span),
            "message": problem.message,
            "severity": SEVERITIES[problem.severity].value,
            "code": problem.code,
            "source": "mino",
        }
        if problem.code.startswith("unused-") and lsp.DiagnosticTag.Unnecessary in self.can.tags:
            told["tags"] = [lsp.DiagnosticTag.Unnecessary.value]
        if problem.related and self.can.related:
            told["relatedInformation"] = [
                {"location": self._located(uri, text, item.span), "message": item.message} for item in problem.related
            ]
        return told

    def code_actions(self, text: Positions, uri: str, actions: Sequence[Action]) -> list[Json]:
        return [
            {
                "title": action.title,
                "kind": lsp.CodeActionKind.QuickFix.value,
                "diagnostics": [self._diagnostic(text, uri, action.problem)],
                "isPreferred": action.preferred,
                "edit": {
                    "changes": self._changes(
                        uri, text, ((Span(edit.start, edit.end), edit.new) for edit in action.edits)
                    )
                },
            }
            for action in actions
        ]

    def hover(self, text: Positions, hover: Hover) -> Json:
        return {"contents": _markup(hover.markdown, self.can.hover_formats), "range": self._span(text, hover.span)}

    def inlay_hint(self, text: Positions, hint: Hint) -> lsp.InlayHint:
        return lsp.InlayHint(
            self.position(text, hint.offset), hint.label, kind=lsp.InlayHintKind.Type, padding_left=hint.apart
        )

    def code_lens(self, text: Positions, lens: Lens) -> lsp.CodeLens:
        return lsp.CodeLens(
            self.range(text, lens.span), lsp.Command(lens.title, lens.command, arguments=list(lens.arguments))
        )

    def edits(self, text: Positions, edits: Sequence[Edit]) -> list[lsp.TextEdit]:
        return [lsp.TextEdit(self.range(text, Span(edit.start, edit.end)), edit.new) for edit in edits]

    def fold(self, fold: Fold) -> lsp.FoldingRange:
        return lsp.FoldingRange(fold.first, fold.last, kind=fold.kind or None)

    def selection(self, text: Positions, spans: Sequence[Span]) -> lsp.SelectionRange:
        """The innermost range, each with the next one around it."""
        around: lsp.SelectionRange | None = None
        for span in reversed(spans):
            around = lsp.SelectionRange(self.range(text, span), around)
        assert around is not None
        return around

    def token_edits(self, deltas: Sequence[Delta]) -> list[lsp.SemanticTokensEdit]:
        return [lsp.SemanticTokensEdit(delta.start, delta.deleted, delta.numbers) for delta in deltas]

    def documentation(self, markdown: str) -> lsp.MarkupContent | str:
        """That of a completion."""
        told = _markup(markdown, self.can.completion_formats)
        return told if isinstance(told, str) else lsp.MarkupContent(lsp.MarkupKind(told["kind"]), told["value"])

    def completions(self, text: Positions, uri: str, found: Completions) -> Json:
        items = []
        for one in found.items:
            shown = lsp.InsertTextFormat.Snippet if one.snippet else lsp.InsertTextFormat.PlainText
            item = {
                "label": one.label,
                "kind": COMPLETION_KINDS.get(one.kind, lsp.CompletionItemKind.Variable).value,
                "sortText": one.rank,
                "insertTextFormat": shown.value,
                "textEdit": {"range": self._span(text, one.span), "newText": one.text},
                "data": {"uri": uri, "about": one.about},
            }
            if one.detail:
                item["detail"] = one.detail
            items.append(item)
        return {"isIncomplete": found.incomplete, "items": items}

    def signature_help(self, found: SignatureHelp) -> Json:
        """A parameter as where it stands in the label, which is counted in UTF-16; else as its text, which a client
        looks for."""
        label = Text(found.label)
        parameters: list[Json] = []
        for start, end in found.parameters:
            place = [label.position(start, "utf-16")[1], label.position(end, "utf-16")[1]]
            parameters.append({"label": place if self.can.label_offsets else found.label[start:end]})
        signature: Json = {"label": found.label, "parameters": parameters}
        if found.doc:
            signature["documentation"] = _markup(found.doc, self.can.signature_formats)
        past = None if self.can.no_active_parameter else len(parameters)
        active = found.active if found.active is not None else past
        return {"signatures": [signature], "activeSignature": 0, "activeParameter": active}

    def definitions(self, text: Positions, origin: Span | None, found: Sequence[Location], links: bool) -> list[Json]:
        """With links, `origin` is what leads there, and the form around the name is told with it."""
        found = [one for one in found if not self.is_hidden(one.document.uri, one.span)]
        if not links:
            return [self._located(one.document.uri, one.document.text, one.span) for one in found]
        leading = {"originSelectionRange": self._span(text, origin)} if origin is not None else {}
        targets = []
        for one in found:
            name = self._located(one.document.uri, one.document.text, one.span)
            whole = self._located(one.document.uri, one.document.text, one.whole)
            targets.append(
                {
                    "targetUri": name["uri"],
                    "targetRange": whole["range"],
                    "targetSelectionRange": name["range"],
                    **leading,
                }
            )
        return targets

    def places(self, found: Sequence[Place]) -> list[lsp.Location]:
        spans = [(one.document, Span(one.occurrence.start, one.occurrence.end)) for one in found]
        return [
            lsp.Location(*self.located(document.uri, document.text, span))
            for document, span in spans
            if not self.is_hidden(document.uri, span)
        ]

    def highlights(self, text: Positions, found: Sequence[Highlight]) -> list[lsp.DocumentHighlight]:
        kinds = lsp.DocumentHighlightKind
        return [
            lsp.DocumentHighlight(self.range(text, one.span), kinds.Write if one.writes else kinds.Read)
            for one in found
        ]

    def symbols(self, text: Positions, found: Sequence[tuple[int, DocumentSymbol]]) -> list[Json]:
        return [self._symbol(text, base, one) for base, one in found]

    def _symbol(self, text: Positions, base: int, one: DocumentSymbol) -> Json:
        told: Json = {
            "name": one.name,
            "kind": self._kinds[one.kind].value,
            "range": self._span(text, one.span, base),
            "selectionRange": self._span(text, one.name_span, base),
        }
        if one.detail:
            told["detail"] = one.detail
        if one.children:
            told["children"] = [self._symbol(text, base, child) for child in one.children]
        return told

    def flat_symbols(
        self, text: Positions, uri: str, found: Sequence[tuple[int, DocumentSymbol]], container: str | None = None
    ) -> list[Json]:
        """For clients that show no tree."""
        flat = []
        for base, one in found:
            told: Json = {
                "name": one.name,
                "kind": self._kinds[one.kind].value,
                "location": {"uri": uri, "range": self._span(text, one.span, base)},
            }
            if container is not None:
                told["containerName"] = container
            flat.append(told)
            flat += self.flat_symbols(text, uri, [(base, child) for child in one.children], one.name)
        return flat

    def workspace_symbols(self, found: Sequence[WorkspaceSymbol]) -> list[lsp.SymbolInformation]:
        return [
            lsp.SymbolInformation(
                lsp.Location(*self.located(one.document.uri, one.document.text, one.span)),
                one.name,
                self._workspace_kinds[one.kind],
                container_name=one.document.uri.rpartition("/")[2],
            )
            for one in found
            if not self.is_hidden(one.document.uri, one.span)
        ]

    def renaming(self, found: Sequence[Renaming], version: Callable[[str], int | None]) -> lsp.WorkspaceEdit:
        """With the versions that the edits are of, where the client looks at them."""
        changes: dict[str, list[lsp.TextEdit]] = {}
        for one in found:
            uri, range_ = self.located(one.document.uri, one.document.text, one.span)
            changes.setdefault(uri, []).append(lsp.TextEdit(range_, one.text))
        if not self.can.versioned_edits:
            return lsp.WorkspaceEdit(changes=dict(changes))
        return lsp.WorkspaceEdit(
            document_changes=[
                lsp.TextDocumentEdit(lsp.OptionalVersionedTextDocumentIdentifier(uri, version(uri)), list(edits))
                for uri, edits in changes.items()
            ]
        )

    def refactoring(self, text: Positions, uri: str, fix: Fix, kind: lsp.CodeActionKind) -> lsp.CodeAction:
        changes = self._changes(uri, text, ((change.span, change.text) for change in fix.changes))
        return lsp.CodeAction(fix.title, kind=kind, edit=lsp.WorkspaceEdit(changes=dict(changes)))

    def plain(self, value: Any, uri: str, program: Text | None, cells: Sequence[Cell]) -> Any:
        """A command's answer with its places as ranges. Those of a notebook's `program` are in `cells`: each problem
        then names its own."""
        if isinstance(value, dict):
            return {key: self.plain(item, uri, program, cells) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item, uri, program, cells) for item in value]
        if not isinstance(value, Located):
            return value
        here = cells if value.text is program else ()
        if isinstance(value.value, Span):
            cell, span = cell_at(here, value.value) or (value.text, value.value)
            return self.range(cell, span)
        if not here:
            return self.diagnostics(value.text, uri, value.value)
        found = ((problem, cell_at(here, problem.span)) for problem in value.value)
        return [{**self._diagnostic(at[0], uri, problem), "uri": at[0].uri} for problem, at in found if at is not None]


def _markup(markdown: str, formats: Sequence[lsp.MarkupKind]) -> Json | str:
    """As Markdown where that is shown, else without its marks: for a client that names no format, as a mere string."""
    if lsp.MarkupKind.Markdown in formats:
        return {"kind": lsp.MarkupKind.Markdown.value, "value": markdown}
    return {"kind": lsp.MarkupKind.PlainText.value, "value": plain(markdown)} if formats else plain(markdown)


def _kinds(known: frozenset[lsp.SymbolKind | int]) -> dict[DefinitionKind, lsp.SymbolKind]:
    """What stands for a definition, of the kinds that the client knows."""
    found = {kind: SYMBOL_KINDS.get(kind, lsp.SymbolKind.Variable) for kind in DefinitionKind}
    return {kind: one if one in known else _NEAREST.get(one, one) for kind, one in found.items()}


_NEAREST = {
    lsp.SymbolKind.Operator: lsp.SymbolKind.Function,
    lsp.SymbolKind.TypeParameter: lsp.SymbolKind.Class,
}
"""For those that a client need not know."""
