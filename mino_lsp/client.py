"""What the client can, and the progress that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from mino_lsp.server import Server


class ClientCan:
    """What the client can, of what we care about."""

    def __init__(self, capabilities: lsp.ClientCapabilities) -> None:
        workspace, window, document = capabilities.workspace, capabilities.window, capabilities.text_document
        self.configuration = bool(workspace and workspace.configuration)
        self.ask = bool(window and window.show_message)
        self.progress = bool(window and window.work_done_progress)
        experimental = capabilities.experimental
        self.output = isinstance(experimental, dict) and bool(experimental.get("minoOutput"))
        refresh = bool(workspace and workspace.diagnostics and workspace.diagnostics.refresh_support)
        self.pull = bool(document and document.diagnostic) and refresh
        hints = bool(workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support)
        lenses = bool(workspace and workspace.code_lens and workspace.code_lens.refresh_support)
        self.text_content = bool(workspace and workspace.text_document_content)
        watched = workspace.did_change_watched_files if workspace else None
        self.watches = bool(watched and watched.dynamic_registration)
        self._completion(document)
        self._texts(document)
        self._symbols(workspace, document)
        self._diagnostics(document)
        edits = workspace.workspace_edit if workspace else None
        self.versioned_edits = bool(edits and edits.document_changes)
        folding = document.folding_range if document else None
        self.fold_limit = folding.range_limit if folding else None
        self.refreshes = (
            (self.pull, lsp.WORKSPACE_DIAGNOSTIC_REFRESH),
            (hints, lsp.WORKSPACE_INLAY_HINT_REFRESH),
            (lenses, lsp.WORKSPACE_CODE_LENS_REFRESH),
        )

    def _completion(self, document: Document) -> None:
        completion = document.completion.completion_item if document and document.completion else None
        self.snippets = bool(completion and completion.snippet_support)
        self.completion_formats = (completion.documentation_format if completion else None) or ()
        resolved = completion.resolve_support.properties if completion and completion.resolve_support else None
        self.resolves_documentation = resolved is None or "documentation" in resolved

    def _texts(self, document: Document) -> None:
        shown = document.hover.content_format if document and document.hover else None
        # A mere string would be taken for Markdown here.
        self.hover_formats = shown or (lsp.MarkupKind.PlainText,)
        help_ = document.signature_help.signature_information if document and document.signature_help else None
        self.signature_formats = (help_.documentation_format if help_ else None) or ()
        self.label_offsets = bool(
            help_ and help_.parameter_information and help_.parameter_information.label_offset_support
        )
        self.no_active_parameter = bool(help_ and help_.no_active_parameter_support)

    def _symbols(self, workspace: lsp.WorkspaceClientCapabilities | None, document: Document) -> None:
        """Kinds that a client does not name are those from File to Array."""
        symbols = document.document_symbol if document else None
        self.symbol_tree = bool(symbols and symbols.hierarchical_document_symbol_support)
        named = symbols.symbol_kind.value_set if symbols and symbols.symbol_kind else None
        self.symbol_kinds = frozenset(named or _FIRST_KINDS)
        found = workspace.symbol.symbol_kind if workspace and workspace.symbol else None
        self.workspace_symbol_kinds = frozenset((found.value_set if found else None) or _FIRST_KINDS)
        self.definition_links = bool(document and document.definition and document.definition.link_support)
        self.declaration_links = bool(document and document.declaration and document.declaration.link_support)

    def _diagnostics(self, document: Document) -> None:
        """What can be in a diagnostic; a client that pulls may say it apart."""
        pulled = document.diagnostic if document and self.pull else None
        told = document.publish_diagnostics if document else None
        self.related = bool((pulled and pulled.related_information) or (told and told.related_information))
        tags = (pulled and pulled.tag_support) or (told and told.tag_support) or None
        self.tags = frozenset(tags.value_set) if tags else frozenset()


Document = lsp.TextDocumentClientCapabilities | None

_FIRST_KINDS = [lsp.SymbolKind(kind) for kind in range(lsp.SymbolKind.File, lsp.SymbolKind.Array + 1)]


class NoProgress:
    """For clients that show none."""

    def report(self, message: str, percentage: int | None) -> None: ...
    def end(self, message: str) -> None: ...


class WorkDone:
    """A work-done progress of the client's."""

    def __init__(self, server: Server, token: str, title: str, measured: bool) -> None:
        self._server, self._token = server, token
        self._send(lsp.WorkDoneProgressBegin(title, cancellable=True, percentage=0 if measured else None))

    def report(self, message: str, percentage: int | None) -> None:
        self._send(lsp.WorkDoneProgressReport(cancellable=True, message=message, percentage=percentage))

    def end(self, message: str) -> None:
        self._server.cancellations.pop(self._token, None)
        self._send(lsp.WorkDoneProgressEnd(message=message))

    def _send(self, value: Any) -> None:
        self._server.protocol.notify(lsp.PROGRESS, lsp.ProgressParams(self._token, value))
