"""The language server: pygls' protocol with our own documents, descriptors and lifecycle, and a line for each feature.

It never imports torch, never runs a user's code, and waits for neither.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from mino_lsp.analysis.python_names import View
from mino_lsp.client import ClientCan, NoProgress, WorkDone
from mino_lsp.commands import COMMANDS, BadArguments, CommandFailed, execute
from mino_lsp.component_spec import add_spec
from mino_lsp.edge import LEGEND, MESSAGE_TYPES, Edge, Json
from mino_lsp.expansions import SCHEME
from mino_lsp.features.code_actions import code_actions
from mino_lsp.features.code_lenses import code_lenses
from mino_lsp.features.completion import completions, resolve
from mino_lsp.features.definition import declaration, definition, origin
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.features.document_symbols import document_symbols
from mino_lsp.features.expand import expansion_at
from mino_lsp.features.folding import folding
from mino_lsp.features.formatting import format_document, format_on_type, format_range
from mino_lsp.features.highlights import highlights
from mino_lsp.features.hover import Hover, hover
from mino_lsp.features.inlay_hints import inlay_hints
from mino_lsp.features.references import references
from mino_lsp.features.rename import Impossible, prepare_rename, rename
from mino_lsp.features.selection_ranges import selection_ranges
from mino_lsp.features.semantic_tokens import delta, semantic_tokens
from mino_lsp.features.signature_help import signature_help
from mino_lsp.features.workspace_symbols import workspace_symbols
from mino_lsp.inlining import inline_call
from mino_lsp.legacy import modern
from mino_lsp.notebooks import Positions
from mino_lsp.pages import Page, page, pages
from mino_lsp.protocol import Protocol, Refused, find_fault
from mino_lsp.runs import Runs
from mino_lsp.snapshot import Snapshot, path_of
from mino_lsp.stdio import Inbox, Outbox
from mino_lsp.supervisor import Unavailable
from mino_lsp.syntax import Text
from mino_lsp.types import Fix, Problem, Severity, Span, Stream
from mino_lsp.workspace import Progress, Workspace

VERSION = "0.2.0"

log = logging.getLogger("mino")

NOTEBOOKS = lsp.NotebookDocumentSyncOptions(
    [
        # Beside Hy, the Python of a Jupyter notebook: a cell may begin with %%hy, and others bind names for it.
        lsp.NotebookDocumentFilterWithNotebook(
            "jupyter-notebook", [lsp.NotebookCellLanguage("hy"), lsp.NotebookCellLanguage("python")]
        ),
        lsp.NotebookDocumentFilterWithNotebook("*", [lsp.NotebookCellLanguage("hy")]),
    ],
    save=True,
)
"""Which cells a client is to tell of. VS Code takes the first entry that fits."""

Answer = TypeVar("Answer")


class Server(LanguageServer):
    """Mino's server, and the `Client` that the workspace talks to."""

    protocol: Protocol

    def __init__(self, trusted: bool = False) -> None:
        super().__init__(
            "mino-lsp",
            VERSION,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental,
            notebook_document_sync=NOTEBOOKS,
            protocol_cls=Protocol,
            converter_factory=default_converter,
        )
        self.mino = Workspace(self, launched_trusted=trusted)
        self.runs = Runs(self.mino)
        self.initialized = False
        self.cancellations: dict[Any, Callable[[], None]] = {}
        self._tokens = 0
        self._results = 0
        self._painted: dict[str, tuple[str, list[int]]] = {}
        self._exit_code: asyncio.Future[int]
        self._outbox: Outbox
        self._client_can: ClientCan = ClientCan(lsp.ClientCapabilities())
        self.edge = Edge("utf-16", self._client_can, self.mino.notebooks.locate)
        self._stale: set[str] = set()
        self._pushed: set[str] = set()
        self._cells: dict[str, set[str]] = {}
        self._diagnosed: tuple[Snapshot | None, object, list[Problem]] = (None, None, [])
        self._refreshing: asyncio.TimerHandle | None = None
        self._refreshed = 0.0
        _register(self)

    # ---- lifecycle

    def serve(self, reading: int, writing: int) -> int:
        """Serve one client on two descriptors, to the end. Returns the exit code: 1 if there was no shutdown."""
        return asyncio.run(self._serve(reading, writing))

    async def _serve(self, reading: int, writing: int) -> int:
        loop = asyncio.get_running_loop()
        self._exit_code = loop.create_future()
        self._outbox = Outbox(writing, loop, lambda: self.stop(1))
        self.protocol.set_writer(self._outbox)
        inbox = Inbox(reading, loop)
        listening = asyncio.create_task(self._listen(inbox))
        code = await self._exit_code
        inbox.leave()
        listening.cancel()
        await self.mino.shut_down()
        self._outbox.close()
        return code

    def stop(self, code: int) -> None:
        if not self._exit_code.done():
            self._exit_code.set_result(code)

    async def _listen(self, inbox: Inbox) -> None:
        """Take messages as they come. The request boundary: what fails here is a defect of ours or of the client's."""
        while (body := await inbox.next()) is not None:
            plain: Any = None
            try:
                plain = json.loads(body)
                if fault := find_fault(plain):
                    raise JsonRpcInvalidRequest(fault)
                if "method" in plain:
                    plain.setdefault("params", None)
                self.protocol.handle_message(self.protocol.structure_message(plain))
                if "method" in plain and "id" in plain:
                    # A request speaks of the text as it is now: its task looks at that before the next edit is taken.
                    await asyncio.sleep(0)
            except Exception as error:  # noqa: BLE001 - the request boundary
                self._refuse(plain, error)
        self.stop(1)

    def _refuse(self, plain: Any, error: Exception) -> None:
        """Answer what could not be taken; a notification has no answer."""
        log.error("A message could not be taken: %s", error)
        told = plain if isinstance(plain, dict) else {}
        identity = told.get("id")
        if isinstance(told.get("method"), str) and identity is None:
            return
        code = error.code if isinstance(error, JsonRpcException) else lsp.ErrorCodes.ParseError
        answer = lsp.ResponseError(code, f"The message is invalid: {error}")
        known: Any = identity if isinstance(identity, (str, int)) else None
        self.protocol._send_response(known, error=answer)

    def begin(self, params: lsp.InitializeParams) -> None:
        """Take the client's word on what it can and wants."""
        self._client_can = ClientCan(params.capabilities)
        encoding = self.protocol.workspace.position_encoding or "utf-16"
        self.edge = Edge(encoding, self._client_can, self.mino.notebooks.locate)
        folders = [path_of(folder.uri) for folder in params.workspace_folders or []]
        if not folders and params.root_uri:
            folders = [path_of(params.root_uri)]
        self.mino.roots += map(Path, folders)
        self.mino.reindex()
        self.initialized = True
        self.mino.configure(params.initialization_options, at_start=True)
        if self._client_can.pull:
            options = lsp.DiagnosticOptions(
                inter_file_dependencies=True, workspace_diagnostics=False, identifier="mino"
            )
            self.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, options)(partial(self._pull))

    # ---- the workspace's client

    def changed(self, uri: str) -> None:
        """Publish at once; have the client ask again for the rest, many changes at a time."""
        seen = pages(self.mino, uri)
        gone = self._cells.pop(uri, set()) - {one.uri for one in seen}
        if self.mino.notebooks.get(uri) is not None:
            self._cells[uri] = {one.uri for one in seen}
        elif not seen:
            self._publish(uri, None, *self.mino.problems_elsewhere(uri))
        for cell in gone:
            self._publish(cell, None, Text(), [])
        problems = self._problems(seen[0].snapshot) if seen and not all(map(self._pulls, seen)) else []
        for one in seen:
            if not self._pulls(one):
                self._publish(one.uri, one.version, one.text, one.of(problems), uri)
            elif one.uri in self._pushed:
                self._publish(one.uri, one.version, one.text, [])  # from now on they are asked for
        self._stale.add(uri)
        if self._refreshing is None:
            wait = max(0.0, self._refreshed + REFRESH_SECONDS - time.monotonic())
            self._refreshing = asyncio.get_running_loop().call_later(wait, self._refresh)

    def _pulls(self, seen: Page) -> bool:
        """Whether the client asks for diagnostics there: of cells that it takes for Python, it asks somebody else."""
        return self._client_can.pull and seen.language == "hy"

    def _publish(
        self, uri: str, version: int | None, text: Positions, problems: Sequence[Problem], of: str = ""
    ) -> None:
        """Push diagnostics: to a client that does not ask, and of files that are not open, of which none does. `of` is
        the document that they were found in, where that is a notebook."""
        if problems or not self._client_can.pull or uri in self._pushed:
            known = {} if version is None else {"version": version}
            told = {"uri": uri, "diagnostics": self.edge.diagnostics(text, of or uri, problems), **known}
            self.protocol.tell(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, told)
        (self._pushed.add if problems else self._pushed.discard)(uri)

    def _refresh(self) -> None:
        self._refreshing, self._refreshed = None, time.monotonic()
        uris, self._stale = self._stale, set()
        for uri in uris:
            snapshot = self.mino.snapshot(uri)
            if snapshot is not None and snapshot.live.version is not None and snapshot.live.finished:
                self.protocol.notify("mino/report", {"uri": uri, "version": snapshot.live.version})
            if self._client_can.text_content:
                for virtual in self.mino.expansions.followed(uri):
                    refresh = lsp.TextDocumentContentRefreshParams(virtual)
                    self.protocol.send_request(lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH, refresh)
        for wanted, method in self._client_can.refreshes:
            if wanted:
                self.protocol.send_request(method)

    def status(self, state: str, uri: str | None, line: int | None) -> None:
        told = {"state": state, "uri": uri, "line": line}
        self.protocol.notify("mino/status", {key: value for key, value in told.items() if value is not None})

    def tell(self, severity: Severity, message: str) -> None:
        self.window_show_message(lsp.ShowMessageParams(MESSAGE_TYPES[severity], message))

    def output(self, run: int, stream: Stream, text: str, rank: int | None) -> None:
        if self._client_can.output:
            which = {} if rank is None else {"rank": rank}
            self.protocol.notify("mino/output", {"run": run, "stream": stream, **which, "text": text})
        else:
            said = text.rstrip("\n") if rank is None else f"[{rank}] " + text.rstrip("\n").replace("\n", f"\n[{rank}] ")
            self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Log, said))

    async def drained(self) -> None:
        await self._outbox.drained()

    async def ask(self, question: str, answers: list[str]) -> str | None:
        if not self._client_can.ask:
            return None
        actions = [lsp.MessageActionItem(answer) for answer in answers]
        params = lsp.ShowMessageRequestParams(lsp.MessageType.Info, question, actions)
        chosen = await self.window_show_message_request_async(params)
        return chosen.title if chosen is not None else None

    async def progress(  # type: ignore[override]  # pygls' method of that name sends one notification
        self, title: str, cancel: Callable[[], None], measured: bool
    ) -> Progress:
        if not self._client_can.progress:
            return NoProgress()
        self._tokens += 1
        token = f"mino-{self._tokens}"
        self.cancellations[token] = cancel
        try:
            await self.window_work_done_progress_create_async(lsp.WorkDoneProgressCreateParams(token))
        except JsonRpcException:
            del self.cancellations[token]
            return NoProgress()
        return WorkDone(self, token, title, measured)

    # ---- requests

    async def execute(self, name: str, arguments: Any) -> Any:
        """The answer of a command, with LSP's ranges in it."""
        if name not in COMMANDS:
            raise Refused(f"There is no command {name!r}.", lsp.ErrorCodes.InvalidParams)
        told = dict(arguments[0]) if arguments and isinstance(arguments[0], dict) else {}
        uri = str(told.get("uri", ""))
        position = told.pop("position", None)
        notebook = self.mino.notebooks.of_cell(uri) or self.mino.notebooks.get(uri)
        try:
            if position is not None:
                told["offset"] = self._offset(uri, position)
                told["span"] = Span(told["offset"], told["offset"])
            if "range" in told:
                told["span"] = self._range(uri, told.pop("range"))
            if notebook is None:
                return self.edge.plain(await execute(self.mino, self.runs, name, told), uri, None, ())
            told["uri"], program, cells = notebook.uri, self.mino.snapshot(notebook.uri), notebook.cells
            answer = await execute(self.mino, self.runs, name, told)
            return self.edge.plain(answer, notebook.uri, program.text if program is not None else None, cells)
        except BadArguments as error:
            raise Refused(str(error), lsp.ErrorCodes.InvalidParams) from None
        except CommandFailed as error:
            raise Refused(str(error), lsp.LSPErrorCodes.RequestFailed) from None

    def _offset(self, uri: str, position: Any) -> int:
        try:
            line, character = int(position["line"]), int(position["character"])
        except (KeyError, TypeError, ValueError):
            raise BadArguments('"position" must be {"line", "character"}, numbers from 0.') from None
        return self.edge.offset(self._page(uri).text, lsp.Position(max(line, 0), max(character, 0)))

    def _range(self, uri: str, plain: Any) -> Span:
        """The span of a range in a command's argument."""
        try:
            return Span(self._offset(uri, plain["start"]), self._offset(uri, plain["end"]))
        except (KeyError, TypeError, BadArguments):
            raise BadArguments('"range" must be {"start": {"line", "character"}, "end": …}.') from None

    def _page(self, uri: str) -> Page:
        """What names, macros and previews are asked of."""
        found = page(self.mino, uri)
        if found is None:
            raise Refused(f"The document {uri} is not open.", lsp.ErrorCodes.InvalidParams)
        return found

    def _snapshot(self, uri: str) -> Snapshot:
        """The document by itself, for what is a matter of its own lines."""
        return self._page(uri).alone

    def _problems(self, snapshot: Snapshot) -> list[Problem]:
        """The diagnostics, worked out once for all cells of a notebook."""
        of, surroundings, found = self._diagnosed
        if of is not snapshot or surroundings is not snapshot.document.modules:
            found = diagnostics(snapshot)
            self._diagnosed = (snapshot, snapshot.document.modules, found)
        return found

    def _pull(self, params: lsp.DocumentDiagnosticParams) -> Json:
        seen = self._page(params.text_document.uri)
        problems = seen.of(self._problems(seen.snapshot)) if self._pulls(seen) else []
        found = self.edge.diagnostics(seen.text, seen.snapshot.uri, problems)
        return {"kind": lsp.DocumentDiagnosticReportKind.Full.value, "items": found}

    async def hover(self, params: lsp.HoverParams) -> Json | None:
        seen, offset = self._place(params)
        snapshot = seen.snapshot
        found = await self._with_python(snapshot, lambda python: hover(snapshot, offset, python))
        expansion = expansion_at(snapshot, offset)
        if expansion:
            told = f"{found.markdown}\n\n---\n\n{expansion}" if found is not None else expansion
            found = Hover(found.span if found is not None else Span(offset, offset), told)
        return self.edge.hover(seen.text, found) if found is not None else None

    async def _with_python(self, snapshot: Snapshot, answer: Callable[[View], Answer]) -> Answer:
        """What is known at once; where it asks for a Python package, what is known of that in a moment."""
        python = self.mino.python(snapshot.root)
        found = answer(python)
        if python.waits:
            await self.mino.python_names.settled(PYTHON_SECONDS)
            found = answer(python)
        return found

    def inlay_hint(self, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        seen = self._page(params.text_document.uri)
        within: Span = self.edge.span(seen.text, params.range)
        hints = inlay_hints(seen.snapshot, within)
        return [self.edge.inlay_hint(seen.text, one) for one in hints if seen.shows(Span(one.offset, one.offset))]

    async def text_document_content(self, params: lsp.TextDocumentContentParams) -> lsp.TextDocumentContentResult:
        """A virtual document: an expansion as it is now."""
        try:
            text = await self.mino.expansions.content(params.uri, self.mino.snapshot)
        except Unavailable as error:
            raise Refused(str(error), lsp.LSPErrorCodes.RequestFailed) from None
        return lsp.TextDocumentContentResult(text)

    def code_action(self, params: lsp.CodeActionParams) -> Any:
        seen = self._page(params.text_document.uri)
        snapshot = seen.snapshot
        within = self.edge.span(seen.text, params.range)
        mending = code_actions(snapshot, seen.of(self._problems(snapshot)), within)
        actions: list[Any] = self.edge.code_actions(seen.text, snapshot.uri, mending)
        offset = self.edge.offset(seen.text, params.range.start)
        refactorings: list[tuple[lsp.CodeActionKind, Callable[[], Fix | None]]] = [
            (lsp.CodeActionKind.RefactorInline, lambda: inline_call(snapshot, offset)),
            (lsp.CodeActionKind.RefactorRewrite, lambda: add_spec(snapshot, offset)),
            (lsp.CodeActionKind.RefactorRewrite, lambda: modern(snapshot, within)),
            (lsp.CodeActionKind.Source, lambda: modern(snapshot)),
        ]
        wanted = params.context.only
        for kind, change in refactorings:
            if wanted is None or any(kind.value.startswith(str(getattr(one, "value", one))) for one in wanted):
                found = change()
                actions += [self.edge.refactoring(seen.text, snapshot.uri, found, kind)] if found else []
        return actions

    def code_lens(self, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        seen = self._page(params.text_document.uri)
        return [self.edge.code_lens(seen.text, lens) for lens in code_lenses(seen.snapshot) if seen.shows(lens.span)]

    def formatting(self, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        snapshot = self._snapshot(params.text_document.uri)
        return self.edge.edits(snapshot.text, format_document(snapshot))

    def range_formatting(self, params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit]:
        snapshot = self._snapshot(params.text_document.uri)
        within = self.edge.span(snapshot.text, params.range)
        return self.edge.edits(snapshot.text, format_range(snapshot, within))

    def on_type_formatting(self, params: lsp.DocumentOnTypeFormattingParams) -> list[lsp.TextEdit]:
        snapshot = self._snapshot(params.text_document.uri)
        offset = self.edge.offset(snapshot.text, params.position)
        return self.edge.edits(snapshot.text, format_on_type(snapshot, offset))

    def folding_range(self, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        found = folding(self._snapshot(params.text_document.uri))
        return [self.edge.fold(fold) for fold in found[: self._client_can.fold_limit]]

    def selection_range(self, params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange]:
        snapshot = self._snapshot(params.text_document.uri)
        offsets = [self.edge.offset(snapshot.text, position) for position in params.positions]
        return [self.edge.selection(snapshot.text, selection_ranges(snapshot, offset)) for offset in offsets]

    def semantic_tokens_full(self, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        numbers = semantic_tokens(self._snapshot(params.text_document.uri), self.edge.encoding)
        return lsp.SemanticTokens(numbers, self._remember_tokens(params.text_document.uri, numbers))

    def semantic_tokens_delta(
        self, params: lsp.SemanticTokensDeltaParams
    ) -> lsp.SemanticTokens | lsp.SemanticTokensDelta:
        """What has changed since the answer that the client has; everything where that is another one than ours."""
        uri = params.text_document.uri
        known, old = self._painted.get(uri, ("", []))
        numbers = semantic_tokens(self._snapshot(uri), self.edge.encoding)
        name = self._remember_tokens(uri, numbers)
        if known != params.previous_result_id:
            return lsp.SemanticTokens(numbers, name)
        return lsp.SemanticTokensDelta(self.edge.token_edits(delta(old, numbers)), name)

    def _remember_tokens(self, uri: str, numbers: list[int]) -> str:
        self._painted = {open_: kept for open_, kept in self._painted.items() if page(self.mino, open_) is not None}
        self._results += 1
        self._painted[uri] = (str(self._results), numbers)
        return str(self._results)

    def semantic_tokens_range(self, params: lsp.SemanticTokensRangeParams) -> lsp.SemanticTokens:
        snapshot = self._snapshot(params.text_document.uri)
        within = self.edge.span(snapshot.text, params.range)
        return lsp.SemanticTokens(semantic_tokens(snapshot, self.edge.encoding, within))

    def _place(self, params: Any) -> tuple[Page, int]:
        """The document and the offset that a request is about."""
        seen = self._page(params.text_document.uri)
        return seen, self.edge.offset(seen.text, params.position)

    async def completion(self, params: lsp.CompletionParams) -> Json:
        """What is known at once; of Python packages, what is found in a moment."""
        seen, offset = self._place(params)
        snapshot = seen.snapshot
        python = self.mino.python(snapshot.root)
        found = completions(snapshot, offset, python, self._client_can.snippets)
        if found.incomplete and not found.items:
            await self.mino.python_names.settled(PYTHON_SECONDS)
            found = completions(snapshot, offset, python, self._client_can.snippets)
        answer = self.edge.completions(seen.text, snapshot.uri, found)
        if not self._client_can.resolves_documentation:
            for item, one in zip(answer["items"], found.items, strict=True):
                if one.about and (doc := resolve(snapshot, one.about)):
                    item["documentation"] = self.edge.documentation(doc)
        return answer

    async def completion_resolve(self, item: lsp.CompletionItem) -> lsp.CompletionItem:
        told = item.data if isinstance(item.data, dict) else {}
        uri, about = told.get("uri"), tuple(map(str, told.get("about", ())))
        snapshot = self.mino.snapshot(str(uri))
        if snapshot is None or not about:
            return item
        doc = resolve(snapshot, about)
        if about[0] == "python":
            python = self.mino.python(snapshot.root)
            if python.describe(*about[1:3]) is None:
                await self.mino.python_names.settled(PYTHON_SECONDS * 4)
            kind, signature, text = python.describe(*about[1:3]) or ("", "", "")
            shown = (f"```python\n{signature}\n```" if signature else "", f"*{kind} of `{about[1]}`*", text)
            doc = "\n\n".join(filter(None, shown)) if kind else ""
        if doc:
            item.documentation = self.edge.documentation(doc)
        return item

    async def signature_help(self, params: lsp.SignatureHelpParams) -> Json | None:
        seen, offset = self._place(params)
        snapshot = seen.snapshot
        found = await self._with_python(snapshot, lambda python: signature_help(snapshot, offset, python))
        return self.edge.signature_help(found) if found is not None else None

    def definition(self, params: lsp.DefinitionParams) -> Any:
        virtual = params.text_document.uri
        if virtual.startswith(f"{SCHEME}:"):
            written = self.mino.expansions.origin(virtual, partial(self._exactly, params.position))
            expanded = self.mino.snapshot(written[0]) if written is not None else None
            if written is None or expanded is None:
                return []
            return [lsp.Location(*self.edge.located(expanded.uri, expanded.text, written[1]))]
        seen, offset = self._place(params)
        found, links = definition(seen.snapshot, offset), self._client_can.definition_links
        return self.edge.definitions(seen.text, origin(seen.snapshot, offset), found, links)

    def _exactly(self, position: lsp.Position, text: Text) -> int:
        """The offset of a position; −1 where the line has none there, as in a comment that is not part of `text`."""
        offset = self.edge.offset(text, position)
        return offset if self.edge.position(text, offset) == position else -1

    def declaration(self, params: lsp.DeclarationParams) -> Any:
        seen, offset = self._place(params)
        found, links = declaration(seen.snapshot, offset), self._client_can.declaration_links
        return self.edge.definitions(seen.text, origin(seen.snapshot, offset), found, links)

    def references(self, params: lsp.ReferenceParams) -> list[lsp.Location]:
        seen, offset = self._place(params)
        return self.edge.places(references(seen.snapshot, offset, params.context.include_declaration))

    def document_highlight(self, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        seen, offset = self._place(params)
        found = [one for one in highlights(seen.snapshot, offset) if seen.shows(one.span)]
        return self.edge.highlights(seen.text, found)

    def document_symbol(self, params: lsp.DocumentSymbolParams) -> Any:
        seen = self._page(params.text_document.uri)
        symbols = [(base, one) for base, one in document_symbols(seen.snapshot) if seen.shows(one.span.shift(base))]
        if self._client_can.symbol_tree:
            return self.edge.symbols(seen.text, symbols)
        return self.edge.flat_symbols(seen.text, seen.uri, symbols)

    def workspace_symbol(self, params: lsp.WorkspaceSymbolParams) -> list[lsp.SymbolInformation]:
        return self.edge.workspace_symbols(workspace_symbols(self.mino.index, params.query))

    def prepare_rename(self, params: lsp.PrepareRenameParams) -> lsp.Range:
        seen, offset = self._place(params)
        try:
            return self.edge.range(seen.text, prepare_rename(seen.snapshot, offset))
        except Impossible as error:
            raise Refused(str(error), lsp.LSPErrorCodes.RequestFailed) from None

    def rename(self, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        seen, offset = self._place(params)
        try:
            found = rename(seen.snapshot, offset, params.new_name)
            if any(self.edge.is_hidden(one.document.uri, one.span) for one in found):
                raise Impossible("This name is given by the notebook's kernel.")
            return self.edge.renaming(found, self._version)
        except Impossible as error:
            raise Refused(str(error), lsp.LSPErrorCodes.RequestFailed) from None

    def _version(self, uri: str) -> int | None:
        found = page(self.mino, uri)
        return found.version if found is not None else None

    async def initialized_(self, _: lsp.InitializedParams) -> None:
        await asyncio.gather(self._watch(), self._take_configuration())

    async def _watch(self) -> None:
        """Have the client tell of Hy files that change on disk, where it can be asked to."""
        if self._client_can.watches:
            watchers = [lsp.FileSystemWatcher(glob_pattern=one) for one in ("**/*.{hy,py}", "**/pyproject.toml")]
            options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
            registration = lsp.Registration("mino-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await self.client_register_capability_async(lsp.RegistrationParams([registration]))

    async def _take_configuration(self) -> None:
        """Ask for the section, where the client answers."""
        if self._client_can.configuration:
            items = [lsp.ConfigurationItem(section="mino")]
            try:
                answers = await self.workspace_configuration_async(lsp.ConfigurationParams(items))
            except JsonRpcException as error:
                log.warning("The client did not tell its settings: %s", error)
                return
            self.mino.configure(answers[0] if answers else None)

    def did_change_watched_files(self, params: lsp.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            self.mino.file_changed(path_of(change.uri))

    async def did_change_configuration(self, params: lsp.DidChangeConfigurationParams) -> None:
        """Take what the client sent along, if it is the section; else ask for it."""
        told: Any = params.settings
        if isinstance(told, dict) and "mino" in told:
            self.mino.configure(told["mino"])
        elif self._client_can.configuration:
            await self._take_configuration()
        else:
            self.mino.configure(told)


PYTHON_SECONDS = 0.2
"""How long a completion waits for what is being read of a Python package; then it says that it is incomplete."""

REFRESH_SECONDS = 0.03


def _register(server: Server) -> None:
    """Each feature in a line."""
    handlers: list[tuple[str, Callable[..., Any], Any]] = [
        (lsp.INITIALIZE, server.begin, None),
        (lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, server.did_change_configuration, None),
        (lsp.TEXT_DOCUMENT_HOVER, server.hover, None),
        (lsp.TEXT_DOCUMENT_INLAY_HINT, server.inlay_hint, None),
        (
            lsp.TEXT_DOCUMENT_CODE_ACTION,
            server.code_action,
            lsp.CodeActionOptions(
                [
                    lsp.CodeActionKind.QuickFix,
                    lsp.CodeActionKind.RefactorInline,
                    lsp.CodeActionKind.RefactorRewrite,
                    lsp.CodeActionKind.Source,
                ]
            ),
        ),
        (lsp.TEXT_DOCUMENT_CODE_LENS, server.code_lens, lsp.CodeLensOptions()),
        (lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT, server.text_document_content, None),
        (lsp.INITIALIZED, server.initialized_, None),
        (lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, server.did_change_watched_files, None),
        (
            lsp.TEXT_DOCUMENT_COMPLETION,
            server.completion,
            lsp.CompletionOptions([".", ":", "("], resolve_provider=True),
        ),
        (lsp.COMPLETION_ITEM_RESOLVE, server.completion_resolve, None),
        (lsp.TEXT_DOCUMENT_SIGNATURE_HELP, server.signature_help, lsp.SignatureHelpOptions([" ", "("])),
        (lsp.TEXT_DOCUMENT_DEFINITION, server.definition, None),
        (lsp.TEXT_DOCUMENT_DECLARATION, server.declaration, None),
        (lsp.TEXT_DOCUMENT_REFERENCES, server.references, None),
        (lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, server.document_highlight, None),
        (lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, server.document_symbol, None),
        (lsp.WORKSPACE_SYMBOL, server.workspace_symbol, None),
        (lsp.TEXT_DOCUMENT_PREPARE_RENAME, server.prepare_rename, None),
        (lsp.TEXT_DOCUMENT_RENAME, server.rename, lsp.RenameOptions(prepare_provider=True)),
        (lsp.TEXT_DOCUMENT_FORMATTING, server.formatting, None),
        (lsp.TEXT_DOCUMENT_RANGE_FORMATTING, server.range_formatting, None),
        (lsp.TEXT_DOCUMENT_ON_TYPE_FORMATTING, server.on_type_formatting, lsp.DocumentOnTypeFormattingOptions("\n")),
        (lsp.TEXT_DOCUMENT_FOLDING_RANGE, server.folding_range, None),
        (lsp.TEXT_DOCUMENT_SELECTION_RANGE, server.selection_range, None),
        (lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, server.semantic_tokens_full, LEGEND),
        (lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, server.semantic_tokens_delta, None),
        (lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, server.semantic_tokens_range, None),
    ]
    for method, handler, options in handlers:
        # pygls marks what it is given, and a bound method cannot be marked.
        server.feature(method, options)(partial(handler))
    for name in COMMANDS:
        server.command(name)(_listed)


def _listed() -> None:
    """Stands for a command in pygls' list, from which the capabilities are made; `Server.execute` answers."""
