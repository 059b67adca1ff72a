"""The conversation: pygls' protocol without its documents, and with the lifecycle that the specification asks for."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from mino_lsp.expansions import SCHEME
from mino_lsp.snapshot import path_of

if TYPE_CHECKING:
    from mino_lsp.server import Server

# Params that are not what the specification says are the client's mistake: it is told, without a traceback of ours.
logging.getLogger("pygls.protocol.json_rpc").addFilter(lambda record: "Unable to deserialize" not in record.msg)


class Refused(JsonRpcException):
    """An answer that is an error, and no defect: its text is for the user."""


class Protocol(LanguageServerProtocol):
    """pygls' protocol, without its documents and with the lifecycle that the specification asks for."""

    _server: Server

    def handle_message(self, message: Any) -> None:
        method = getattr(message, "method", None)
        server = self._server
        if method is not None and method != lsp.EXIT:
            if not server.initialized and method != lsp.INITIALIZE:
                self._refuse(message, lsp.ErrorCodes.ServerNotInitialized, "The server is not initialized yet.")
                return
            if server.initialized and method == lsp.INITIALIZE:
                self._refuse(message, lsp.ErrorCodes.InvalidRequest, "The server is initialized already.")
                return
            if self._shutdown:
                self._refuse(message, lsp.ErrorCodes.InvalidRequest, "The server is shutting down.")
                return
        super().handle_message(message)

    def _refuse(self, message: Any, code: lsp.ErrorCodes, text: str) -> None:
        if hasattr(message, "id"):
            self._send_response(message.id, error=lsp.ResponseError(code, text))

    def _send_response(self, msg_id: Any, result: Any = None, error: lsp.ResponseError | None = None) -> None:
        """An answer may be plain JSON, with objects of LSP in it or none: only these are converted."""
        if error is not None:
            super()._send_response(msg_id, error=error)
        else:
            self._result_types.pop(msg_id, None)
            self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "result": result})

    def tell(self, method: str, params: Any) -> None:
        """Send a notification whose parameters are plain JSON."""
        self._send_data({"jsonrpc": self.VERSION, "method": method, "params": params})

    def _send_handler_result(self, future: Any, *, msg_id: Any) -> None:
        """A refusal is an answer like any other; pygls would log it with a traceback, as the defect that it isn't."""
        error = None if future.cancelled() else future.exception()
        if isinstance(error, Refused):
            self._request_futures.pop(msg_id, None)
            self._send_response(msg_id, error=error.to_response_error())
        else:
            super()._send_handler_result(future, msg_id=msg_id)

    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(self, params: lsp.InitializeParams) -> Generator[Any, Any, lsp.InitializeResult]:
        """With the capability that pygls does not know how to declare."""
        result: lsp.InitializeResult = yield from super().lsp_initialize(params)
        if result.capabilities.workspace is not None:
            result.capabilities.workspace.text_document_content = lsp.TextDocumentContentOptions([SCHEME])
        return result

    @lsp_method(lsp.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        self._server.stop(0 if self._shutdown else 1)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        self._server.mino.open(document.uri, document.version, document.text)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        server, document = self._server, params.text_document
        server.mino.change(document.uri, document.version, map(server.edge.edit, params.content_changes))

    @lsp_method(lsp.TEXT_DOCUMENT_DID_SAVE)
    def lsp_text_document__did_save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        self._server.mino.save(params.text_document.uri)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        self._server.mino.close(params.text_document.uri)

    @lsp_method(lsp.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: lsp.DidOpenNotebookDocumentParams) -> None:
        document = params.notebook_document
        notebook = self._server.mino.notebooks.open(document.uri, document.version)
        for one in params.cell_text_documents:
            notebook.put(one.uri, str(one.language_id), one.version, one.text)
        notebook.splice(0, 0, [_cell(one) for one in document.cells])
        self._server.mino.notebooks.changed(notebook)

    @lsp_method(lsp.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(self, params: lsp.DidChangeNotebookDocumentParams) -> None:
        """Cells that came and went, then what the ones that are there are, then their texts."""
        notebooks, told = self._server.mino.notebooks, params.change.cells
        notebook = notebooks.get(params.notebook_document.uri)
        if notebook is None:
            return
        notebook.version = params.notebook_document.version
        if told is not None and told.structure is not None:
            array = told.structure.array
            notebook.splice(array.start, array.delete_count, [_cell(one) for one in array.cells or ()])
            for gone in told.structure.did_close or ():
                notebook.documents.pop(gone.uri, None)
            for one in told.structure.did_open or ():
                notebook.put(one.uri, str(one.language_id), one.version, one.text)
        if told is not None:
            for cell in told.data or ():
                notebook.turn(*_cell(cell))
            for text in told.text_content or ():
                notebook.edit(text.document.uri, text.document.version, map(self._server.edge.edit, text.changes))
        notebooks.changed(notebook)

    @lsp_method(lsp.NOTEBOOK_DOCUMENT_DID_SAVE)
    def lsp_notebook_document__did_save(self, params: lsp.DidSaveNotebookDocumentParams) -> None:
        self._server.mino.save(params.notebook_document.uri)

    @lsp_method(lsp.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(self, params: lsp.DidCloseNotebookDocumentParams) -> None:
        self._server.mino.notebooks.close(params.notebook_document.uri)

    @lsp_method(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(self, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        removed, added = params.event.removed, params.event.added
        self._server.mino.change_roots(*([Path(path_of(one.uri)) for one in folders] for folders in (removed, added)))

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: lsp.ExecuteCommandParams
    ) -> Any:
        return await self._server.execute(params.command, params.arguments)

    @lsp_method(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: lsp.WorkDoneProgressCancelParams) -> None:
        cancel = self._server.cancellations.get(params.token)
        if cancel is not None:
            cancel()

    @lsp_method(lsp.SHUTDOWN)
    def lsp_shutdown(self, *_: Any) -> Generator[Any, Any, None]:
        yield from super().lsp_shutdown()


def _cell(cell: lsp.NotebookCell) -> tuple[str, bool]:
    """Its URI, and whether it is code."""
    return cell.document, cell.kind is lsp.NotebookCellKind.Code


def find_fault(plain: Any) -> str:
    """Why this is no message of JSON-RPC 2.0 (LSP has no batches); empty where it is one."""
    if not isinstance(plain, dict) or plain.get("jsonrpc") != "2.0":
        return 'it is no object with "jsonrpc": "2.0".'
    if not isinstance(plain.get("id", 0), (str, int)):
        return '"id" is neither a string nor a number.'
    if "method" in plain:
        return "" if isinstance(plain["method"], str) else '"method" is no string.'
    return "" if "id" in plain and ("result" in plain or "error" in plain) else "it asks nothing and answers nothing."
