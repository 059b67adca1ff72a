"""The main job as a person would read it: the real `mino-lsp --stdio`, the two example programs, and a run.

    make demo

Every part says what it shows and then shows it. The exit code is 1 if any part failed.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).resolve().parents[1]
FEED_FORWARD = ROOT / "examples" / "feed_forward.hy"
SPEC_NETWORK = ROOT / "examples" / "spec_network.hy"
SECONDS = 60.0


class Failed(Exception):
    """A part did not show what it should."""


class Editor:
    """An editor without a screen."""

    def __init__(self) -> None:
        self.client = LanguageClient("demo", "1")
        self.diagnostics: dict[str, lsp.PublishDiagnosticsParams] = {}
        self.output: list[tuple[float, str]] = []
        self._previewed: dict[str, asyncio.Event] = {}

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.diagnostics[params.uri] = params

        @self.client.feature("mino/report")
        def reported(params: Any) -> None:
            self._previewed.setdefault(params.uri, asyncio.Event()).set()

        @self.client.feature("mino/output")
        def printed(params: Any) -> None:
            self.output.append((time.monotonic(), params.text))

        @self.client.feature("mino/status")
        def status(params: Any) -> None: ...

    async def start(self) -> None:
        await self.client.start_io(str(Path(sys.executable).with_name("mino-lsp")), "--stdio")
        capabilities = lsp.ClientCapabilities(experimental={"minoOutput": True})
        # The programs are ours: no need to ask whether they may be run.
        options = {"trust": "full"}
        folder = lsp.WorkspaceFolder(FEED_FORWARD.parent.as_uri(), "examples")
        await self.client.initialize_async(
            lsp.InitializeParams(capabilities, workspace_folders=[folder], initialization_options=options)
        )
        self.client.initialized(lsp.InitializedParams())

    async def open(self, path: Path, text: str) -> str:
        """Open a document and wait until its first preview has ended."""
        uri = path.as_uri()
        self._previewed[uri] = asyncio.Event()
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "hy", 1, text)))
        await asyncio.wait_for(self._previewed[uri].wait(), SECONDS)
        return uri

    async def execute(self, command: str, **arguments: Any) -> Any:
        params = lsp.ExecuteCommandParams(command, [arguments])
        return await asyncio.wait_for(self.client.workspace_execute_command_async(params), SECONDS)

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()


def place(text: str, what: str) -> dict[str, int]:
    before = text[: text.index(what)]
    return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}


async def expansion(editor: Editor) -> None:
    """What a thread expands to"""
    text = FEED_FORWARD.read_text()
    uri = await editor.open(FEED_FORWARD, text)
    thread = "(-> x (@ weights) (+ bias))"
    answer = await editor.execute("mino.expand", uri=uri, position=place(text, thread), depth="all")
    expanded = answer["text"]
    print(f"  {thread}  ⇒  {expanded}")
    if expanded != "(+ (@ x weights) bias)":
        raise Failed(f"the expansion is {expanded}")


async def shapes(editor: Editor) -> None:
    """The shape after each step, from a preview of the unsaved text"""
    text = FEED_FORWARD.read_text()
    lines = text.split("\n")
    everything = lsp.Range(lsp.Position(0, 0), lsp.Position(len(lines), 0))
    document = lsp.TextDocumentIdentifier(FEED_FORWARD.as_uri())
    hints = await editor.client.text_document_inlay_hint_async(lsp.InlayHintParams(document, everything))
    labels = {hint.position.line: str(hint.label) for hint in hints or []}
    for number, line in enumerate(lines[8:36], 8):
        print(f"  {line:<56}  {labels[number]}" if number in labels else f"  {line}")
    at = lsp.Position(**place(text, "weights bias]"))
    hover = await editor.client.text_document_hover_async(lsp.HoverParams(document, at))
    told = hover.contents.value if hover is not None and isinstance(hover.contents, lsp.MarkupContent) else ""
    print("\n  hovering over the component `weights`:")
    print("\n".join(f"    {line}" for line in told.split("\n") if line.startswith("-")))
    if labels.get(place(text, "(-> x (@")["line"]) != "→ [100 32] | [100 1]":
        raise Failed(f"the hints are {labels}")
    if "[10 32]" not in told or "[32 1]" not in told:
        raise Failed(f"the hover is {told!r}")


async def broken_spec(editor: Editor) -> None:
    """What is reported when `bias` is given rank 2"""
    text = SPEC_NETWORK.read_text().replace("(torch.empty #(f-out))", "(torch.empty #(1 f-out))")
    uri = await editor.open(SPEC_NETWORK, text)
    found = editor.diagnostics[uri].diagnostics
    lines = text.split("\n")
    for problem in found:
        start, end = problem.range.start, problem.range.end
        print(f"  {SPEC_NETWORK.name}:{start.line + 1}:{start.character + 1}: [{problem.code}] {problem.message}")
        print(f"    {lines[start.line]}")
        print(f"    {' ' * start.character}{'^' * max(1, end.character - start.character)}")
        for related in problem.related_information or []:
            at = related.location.range.start
            print(f"    line {at.line + 1}: {related.message}: {lines[at.line].strip()}")
    if len(found) != 1 or ":rank1" not in found[0].message:
        raise Failed("one broken spec should have been reported")


async def run(editor: Editor) -> None:
    """The program, run on the configured device"""
    devices = await editor.execute("mino.devices")
    print(f"  devices: {', '.join(device['name'] for device in devices['devices'])}; this run: {devices['resolved']}")
    began = time.monotonic()
    answer = await editor.execute("mino.run", uri=FEED_FORWARD.as_uri())
    stamped = [(when, line) for when, text in editor.output for line in text.splitlines()]
    lines = [line for _, line in stamped]
    for index, (when, line) in enumerate(stamped):
        if index < 4 or index % 20 == 2 or index == len(stamped) - 1:
            print(f"  {when - began:5.2f} s | {line}")
    told = f"{answer['seconds']:.2f} s, peak memory {answer['peakMemoryBytes'] / 1e6:.0f} MB"
    print(f"  exit code {answer['exitCode']} on {answer['device']}, {told}")
    losses = [float(line.split()[-1]) for line in lines if line.startswith("Epoch:")]
    if answer["exitCode"] != 0 or len(losses) != 100 or losses[-1] >= losses[0]:
        raise Failed("the program should have trained for 100 epochs with a falling loss")
    print(f"  100 epochs, the loss fell from {losses[0]:.4f} to {losses[-1]:.4f}")


PARTS: list[Callable[[Editor], Awaitable[None]]] = [expansion, shapes, broken_spec, run]


async def main() -> int:
    logging.disable()
    began = time.monotonic()
    editor = Editor()
    await editor.start()
    failed = 0
    for number, part in enumerate(PARTS, 1):
        print(f"\n{number}. {part.__doc__}\n")
        try:
            await part(editor)
        except (Failed, TimeoutError, KeyError) as error:
            failed += 1
            print(f"  FAILED: {error!r}", file=sys.stderr)
    await editor.stop()
    print(f"\n{len(PARTS) - failed} of {len(PARTS)} parts shown in {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
