"""An editor: a client of pytest-lsp's that keeps what it is told, and can wait for what it expects."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.capabilities import get_capability
from pygls.client import JsonRPCClient
from pygls.exceptions import JsonRpcException
from pygls.protocol import default_converter
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, LanguageClient, register_lsp_features
from pytest_lsp.protocol import LanguageClientProtocol

COMMAND = Path(sys.executable).parent / "mino-lsp"
EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS = float(os.environ.get("MINO_TEST_SECONDS", "60"))
"""How long a test waits for anything. Long enough for a machine that is busy with something else."""

WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}

T = TypeVar("T")


def capabilities(
    encoding: str = "utf-16", pull: bool = True, output: bool = True, content: bool = True, **window: Any
) -> Any:
    """What an editor can that can everything; `window` changes what its windows can."""
    shown = {"work_done_progress": True, "show_message": lsp.ShowMessageRequestClientCapabilities(), **window}
    both = [lsp.MarkupKind.Markdown, lsp.MarkupKind.PlainText]
    return lsp.ClientCapabilities(
        general=lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind(encoding)]),
        window=lsp.WindowClientCapabilities(**shown),
        workspace=lsp.WorkspaceClientCapabilities(
            configuration=True,
            diagnostics=lsp.DiagnosticWorkspaceClientCapabilities(refresh_support=True) if pull else None,
            inlay_hint=lsp.InlayHintWorkspaceClientCapabilities(refresh_support=True),
            code_lens=lsp.CodeLensWorkspaceClientCapabilities(refresh_support=True),
            text_document_content=lsp.TextDocumentContentClientCapabilities() if content else None,
        ),
        text_document=lsp.TextDocumentClientCapabilities(
            diagnostic=lsp.DiagnosticClientCapabilities(related_information=True) if pull else None,
            hover=lsp.HoverClientCapabilities(content_format=both),
            completion=lsp.CompletionClientCapabilities(
                completion_item=lsp.ClientCompletionItemOptions(documentation_format=both)
            ),
            publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(
                related_information=True, tag_support=lsp.ClientDiagnosticsTagOptions([lsp.DiagnosticTag.Unnecessary])
            ),
            inlay_hint=lsp.InlayHintClientCapabilities(),
            code_lens=lsp.CodeLensClientCapabilities(),
        ),
        notebook_document=lsp.NotebookDocumentClientCapabilities(lsp.NotebookDocumentSyncClientCapabilities()),
        experimental={"minoOutput": True} if output else None,
    )


class _Protocol(LanguageClientProtocol):
    def handle_message(self, message: Any) -> None:
        super().handle_message(message)
        self._server.news.set()


class Editor(LanguageClient):
    """What it was told is in its attributes; `answer` is what its user clicks when asked."""

    def __init__(self) -> None:
        super().__init__(converter_factory=default_converter, protocol_cls=_Protocol)
        self.news = asyncio.Event()
        self.answer: str | None = None
        self.encoding = "utf-16"
        self.server_capabilities = lsp.ServerCapabilities()
        self.asked: list[lsp.ShowMessageRequestParams] = []
        self.published: list[lsp.PublishDiagnosticsParams] = []
        self.refreshes: Counter[str] = Counter()
        self.registered: list[lsp.Registration] = []
        self.contents_refreshed: list[str] = []
        self.statuses: list[Any] = []
        self.outputs: list[Any] = []
        self.reports: dict[str, int] = {}
        self.stderr = ""
        self.settings: dict[str, Any] = {}
        self.configurations: list[lsp.ConfigurationParams] = []
        self._open: dict[str, Document] = {}
        self._versions = itertools.count(1)
        register_lsp_features(self, {**DEFAULT_CLIENT_FEATURES, **_FEATURES})

    async def start_io(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        await JsonRPCClient.start_io(self, cmd, *args, **kwargs)
        self._stderr_forwarder = asyncio.create_task(self._read_stderr())

    async def _read_stderr(self) -> None:
        assert self._server is not None and self._server.stderr is not None
        while data := await self._server.stderr.read(1 << 16):
            self.stderr += data.decode("utf-8", "replace")
            self.news.set()

    def can(self, path: str, default: Any = None) -> Any:
        """What the client said of something that it can; `default` where it said nothing of it."""
        assert self.capabilities is not None
        return get_capability(self.capabilities, path, default)

    @property
    def pulls(self) -> bool:
        """Whether diagnostics are to be pulled; else they are to be pushed."""
        refreshes: bool = self.can("workspace.diagnostics.refresh_support", False)
        return refreshes and self.can("text_document.diagnostic") is not None

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    async def until(self, condition: Callable[[], T]) -> T:
        """What `condition` gives when it first gives something, looked at after every message."""
        async with asyncio.timeout(SECONDS):
            while not (found := condition()):
                self.news.clear()
                await self.news.wait()
        return found

    async def exited(self) -> int:
        """The server's exit code, when it has one."""
        assert self._server is not None
        return await asyncio.wait_for(self._server.wait(), SECONDS)

    async def refreshed(self, document: Document, method: str, support: str) -> None:
        """Wait for a refresh where the client supports it; else see that none has come with the report."""
        await document.previewed()
        if self.can(support):
            await self.until(lambda: self.refreshes[method])
        else:
            assert not self.refreshes[method]

    async def leave(self) -> int:
        """Shut the server down as the specification says."""
        await asyncio.wait_for(self.shutdown_async(None), SECONDS)
        self.exit(None)
        code = await self.exited()
        assert self._stderr_forwarder is not None
        await asyncio.wait_for(self._stderr_forwarder, SECONDS)
        await self.stop()
        return code

    async def execute(self, command: str, *arguments: Any) -> Any:
        """The answer of a command, as plain JSON."""
        params = lsp.ExecuteCommandParams(command, list(arguments))
        answer = await asyncio.wait_for(self.workspace_execute_command_async(params), SECONDS)
        return plain(answer)

    async def refusal(self, command: str, *arguments: Any) -> str:
        """The text of the error that a command is refused with."""
        try:
            answer = await self.execute(command, *arguments)
        except JsonRpcException as error:
            return error.message
        raise AssertionError(f"{command} was not refused but answered {answer}")

    def open(self, path: Path | str, text: str) -> Document:
        """Open a document; if it is open, close it first. No version is used twice, so none is taken for another."""
        uri = path.as_uri() if isinstance(path, Path) else path
        if uri in self._open:
            self._open[uri].close()
        document = self._open[uri] = Document(self, uri, next(self._versions), text)
        self.text_document_did_open(
            lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(document.uri, "hy", document.version, text))
        )
        return document


class Document:
    """An open document, and what the editor would show of it."""

    def __init__(self, editor: Editor, uri: str, version: int, text: str) -> None:
        self.editor, self.uri, self.version, self.text = editor, uri, version, text
        self.identity = lsp.TextDocumentIdentifier(uri)

    # ---- places, counted without the server's code

    def position(self, offset: int) -> lsp.Position:
        before = self.text[:offset].replace("\r\n", "\n").replace("\r", "\n")
        coding, width = WIDTHS[self.editor.encoding]
        line = before.rpartition("\n")[2]
        return lsp.Position(before.count("\n"), len(line.encode(coding, "surrogatepass")) // width)

    def offset(self, position: Any) -> int:
        places = (at for at in range(len(self.text) + 1) if self.text[max(at - 1, 0) : at + 1] != "\r\n")
        found = [at for at in places if _place(self.position(at)) == _place(position)]
        assert found, f"{position} is no place in the text"
        return found[0]

    def slice(self, range_: Any) -> str:
        """The text at a range of LSP's, an object or JSON."""
        start, end = (range_["start"], range_["end"]) if isinstance(range_, dict) else (range_.start, range_.end)
        return self.text[self.offset(start) : self.offset(end)]

    def find(self, text: str, nth: int = 0) -> int:
        at = -1
        for _ in range(nth + 1):
            at = self.text.index(text, at + 1)
        return at

    def place(self, text: str, nth: int = 0) -> dict[str, int]:
        """The position of the nth place where `text` stands, as JSON."""
        found = self.position(self.find(text, nth))
        return {"line": found.line, "character": found.character}

    # ---- changes

    def change(self, start: int, end: int, new: str) -> None:
        range_ = lsp.Range(self.position(start), self.position(end))
        self.text = self.text[:start] + new + self.text[end:]
        self.send_change(lsp.TextDocumentContentChangePartial(range_, new))

    def replace(self, old: str, new: str) -> None:
        start = self.find(old)
        self.change(start, start + len(old), new)

    def rewrite(self, text: str) -> None:
        self.text = text
        self.send_change(lsp.TextDocumentContentChangeWholeDocument(text))

    def send_change(self, *changes: Any) -> None:
        self.version = next(self.editor._versions)
        identity = lsp.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.editor.text_document_did_change(lsp.DidChangeTextDocumentParams(identity, list(changes)))

    def save(self) -> None:
        Path(self.uri.removeprefix("file://")).write_text(self.text, "utf-8")
        self.editor.text_document_did_save(lsp.DidSaveTextDocumentParams(self.identity))

    def close(self) -> None:
        self.editor._open.pop(self.uri, None)
        self.editor.text_document_did_close(lsp.DidCloseTextDocumentParams(self.identity))

    # ---- what is shown

    async def previewed(self) -> Document:
        """Wait until the preview of this version has been reported."""
        await self.editor.until(lambda: self.editor.reports.get(self.uri) == self.version)
        return self

    async def hover(self, text: str, nth: int = 0) -> str:
        """What hovering the nth `text` shows; empty where nothing is."""
        found = await self.hover_at(self.position(self.find(text, nth)))
        if found is None:
            return ""
        markdown = lsp.MarkupKind.Markdown in self.editor.can("text_document.hover.content_format", [])
        assert found.contents.kind == (lsp.MarkupKind.Markdown if markdown else lsp.MarkupKind.PlainText)
        return str(found.contents.value)

    async def hover_at(self, position: lsp.Position) -> Any:
        params = lsp.HoverParams(self.identity, position)
        return await asyncio.wait_for(self.editor.text_document_hover_async(params), SECONDS)

    async def hints(self) -> list[tuple[str, str]]:
        """The inlay hints, each after the text of its line, without its indentation."""
        range_ = lsp.Range(lsp.Position(0, 0), self.position(len(self.text)))
        params = lsp.InlayHintParams(self.identity, range_)
        found = await asyncio.wait_for(self.editor.text_document_inlay_hint_async(params), SECONDS)
        places = [self.offset(hint.position) for hint in found or []]
        lines = [self.text[:at].rpartition("\n")[2].strip() for at in places]
        return [(line, str(hint.label)) for line, hint in zip(lines, found or [], strict=True)]

    async def lenses(self) -> list[lsp.CodeLens]:
        params = lsp.CodeLensParams(self.identity)
        return list(await asyncio.wait_for(self.editor.text_document_code_lens_async(params), SECONDS) or [])

    async def diagnostics(self) -> list[lsp.Diagnostic]:
        """Pulled, or the last that were pushed for this version."""
        if self.editor.pulls:
            params = lsp.DocumentDiagnosticParams(self.identity)
            return list((await asyncio.wait_for(self.editor.text_document_diagnostic_async(params), SECONDS)).items)

        def pushed() -> lsp.PublishDiagnosticsParams | None:
            mine = [one for one in self.editor.published if one.uri == self.uri]
            return mine[-1] if mine and mine[-1].version == self.version else None

        return list((await self.editor.until(pushed)).diagnostics)

    async def blamed(self) -> list[tuple[str, str]]:
        """The code of each diagnostic and the text at its range."""
        return [(str(found.code), self.slice(found.range)) for found in await self.diagnostics()]

    async def expand(self, text: str, nth: int = 0, depth: str = "one") -> Any:
        arguments = {"uri": self.uri, "position": self.place(text, nth), "depth": depth}
        return await self.editor.execute("mino.expand", arguments)


def _place(position: Any) -> tuple[int, int]:
    if isinstance(position, dict):
        return position["line"], position["character"]
    return position.line, position.character


def plain(value: Any) -> Any:
    """What pygls made of JSON whose type it does not know, as JSON."""
    if hasattr(value, "_asdict"):
        return {key: plain(item) for key, item in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


async def launch(
    root: Path,
    state: Path,
    *,
    settings: dict[str, Any] | None = None,
    section: dict[str, Any] | None = None,
    can: Any = None,
    answer: str | None = None,
    arguments: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
) -> Editor:
    """An editor with the folder `root` open, connected to a new server that remembers trust in `state`."""
    editor = Editor()
    editor.answer = answer
    editor.settings = section or {}
    environment = {**os.environ, "XDG_STATE_HOME": str(state), **(env or {})}
    await editor.start_io(str(COMMAND), "--stdio", *arguments, env=environment, cwd=root)
    can = capabilities() if can is None else can
    if can.general and can.general.position_encodings:
        editor.encoding = lsp.PositionEncodingKind(can.general.position_encodings[0]).value
    params = lsp.InitializeParams(
        capabilities=can,
        workspace_folders=[lsp.WorkspaceFolder(root.as_uri(), root.name)],
        initialization_options=settings or {},
    )
    result = await asyncio.wait_for(editor.initialize_session(params), SECONDS)
    editor.server_capabilities = result.capabilities
    assert (result.capabilities.position_encoding or "utf-16") == editor.encoding
    return editor


# ---- what an editor does with what a server sends


def _publish(editor: Editor, params: lsp.PublishDiagnosticsParams) -> None:
    editor.published.append(params)
    editor.diagnostics[params.uri] = params.diagnostics


def _ask(editor: Editor, params: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem | None:
    editor.asked.append(params)
    return lsp.MessageActionItem(editor.answer) if editor.answer is not None else None


def _register(editor: Editor, params: lsp.RegistrationParams) -> None:
    editor.registered += params.registrations


def _refresh(method: str) -> Callable[[Editor, Any], None]:
    def refresh(editor: Editor, params: Any) -> None:
        editor.refreshes[method] += 1

    return refresh


def _refresh_content(editor: Editor, params: lsp.TextDocumentContentRefreshParams) -> None:
    editor.contents_refreshed.append(params.uri)


def _status(editor: Editor, params: Any) -> None:
    editor.statuses.append(plain(params))


def _output(editor: Editor, params: Any) -> None:
    editor.outputs.append(params)


def _report(editor: Editor, params: Any) -> None:
    editor.reports[params.uri] = params.version


def _log(editor: Editor, params: lsp.LogMessageParams) -> None:
    editor.log_messages.append(params)


def _configuration(editor: Editor, params: lsp.ConfigurationParams) -> list[Any]:
    editor.configurations.append(params)
    return [editor.settings for _ in params.items]


_FEATURES: dict[str, Any] = {
    lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: _publish,
    lsp.WINDOW_SHOW_MESSAGE_REQUEST: _ask,
    lsp.WORKSPACE_DIAGNOSTIC_REFRESH: _refresh(lsp.WORKSPACE_DIAGNOSTIC_REFRESH),
    lsp.WORKSPACE_INLAY_HINT_REFRESH: _refresh(lsp.WORKSPACE_INLAY_HINT_REFRESH),
    lsp.WORKSPACE_CODE_LENS_REFRESH: _refresh(lsp.WORKSPACE_CODE_LENS_REFRESH),
    lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH: _refresh_content,
    lsp.WORKSPACE_CONFIGURATION: _configuration,
    lsp.WINDOW_LOG_MESSAGE: _log,
    lsp.CLIENT_REGISTER_CAPABILITY: _register,
    "mino/status": _status,
    "mino/output": _output,
    "mino/report": _report,
}
