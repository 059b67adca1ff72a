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
        completion = document.completion.completion_item if document and document.completion else None
        self.snippets = bool(completion and completion.snippet_support)
        symbols = document.document_symbol if document else None
        self.symbol_tree = bool(symbols and symbols.hierarchical_document_symbol_support)
        self.refreshes = (
            (self.pull, lsp.WORKSPACE_DIAGNOSTIC_REFRESH),
            (hints, lsp.WORKSPACE_INLAY_HINT_REFRESH),
            (lenses, lsp.WORKSPACE_CODE_LENS_REFRESH),
        )


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
