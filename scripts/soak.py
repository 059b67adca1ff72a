"""A user who edits at random, for minutes: the real server, trusted, with previews, runs and every request.

    make soak                                # ten minutes
    python scripts/soak.py --minutes 1 --seed 7

Opens real Hy files (the examples, Hy's and hyrule's, the programs of the documentation), types, deletes, pastes forms,
undoes, changes between documents, and asks for everything while previews go on. Looks that the server lives and says
nothing of a traceback, that each request is answered within a deadline, that every place in an answer lies in the text
that it was asked for, that a document which was edited shows the hints that it shows when it is opened afresh, and that
no process and no descriptor is left. Prints what it cost. Exit status 1 where something of that fails; a seed makes the
same edits and requests again, as far as the time allows.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import attrs
import hy
import hyrule
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from mino_lsp.syntax import read

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.lsp.editor import Document, Editor, launch, plain  # noqa: E402
from tests.lsp.processes import below  # noqa: E402

DEADLINE = 20.0
"""Seconds in which a request has to be answered. A run and a preview take what they take: see LONG."""
LONG = 60.0
OPEN_AT_ONCE = 4
REFUSALS = {lsp.ErrorCodes.InvalidParams.value, lsp.LSPErrorCodes.RequestFailed.value}
"""An error that says why there is no answer is one."""

BITS = [
    *"()[]{}\"';:~`",
    "\n",
    " ",
    "x",
    "0",
    "é",
    "𝒳",
    "\f",
    "#_",
    "(",
    ":as ",
    "(print 1)",
    "(setv q 3)\n",
    "; word\n",
]


# ---- what is edited


def corpus() -> dict[str, str]:
    """Real programs by name."""
    folders = [ROOT / "examples", *(Path(one.__file__).parent for one in (hy, hyrule))]
    files = [path for folder in folders for path in sorted(folder.rglob("*.hy"))]
    found = {f"{path.parent.name}_{path.name}": path.read_bytes().decode() for path in files}
    for page in sorted((ROOT / "docs").glob("*.md")):
        blocks = re.findall(r"^```hy\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        if blocks:
            found[f"page_{page.stem.replace('-', '_')}.hy"] = "\n".join(blocks)
    return found


@dataclass
class Edited:
    """An open document and the texts that undo brings back."""

    document: Document
    before: list[str] = field(default_factory=list)

    def change(self, start: int, end: int, new: str) -> None:
        self.before.append(self.document.text)
        self.document.change(start, end, new)

    def undo(self) -> None:
        if self.before:
            self._become(self.before.pop())

    def undo_all(self) -> None:
        if self.before:
            self._become(self.before[0])
            self.before.clear()

    def _become(self, text: str) -> None:
        """As an editor undoes: what differs is replaced."""
        now = self.document.text
        start = _same(now, text)
        end = _same(now[start:][::-1], text[start:][::-1])
        self.document.change(start, len(now) - end, text[start : len(text) - end])


def _same(one: str, other: str) -> int:
    """How far two texts are the same from their beginning."""
    differ = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))


# ---- what is asked


@dataclass(frozen=True)
class Asked:
    """A place in a document, as it was when something was asked of it."""

    document: lsp.TextDocumentIdentifier
    text: str
    position: lsp.Position
    range: lsp.Range

    def command(self, name: str, **arguments: Any) -> lsp.ExecuteCommandParams:
        position = {"line": self.position.line, "character": self.position.character}
        told = {"uri": self.document.uri, "position": position, **arguments}
        return lsp.ExecuteCommandParams(f"mino.{name}", [told])


OPTIONS = lsp.FormattingOptions(tab_size=2, insert_spaces=True)

REQUESTS: dict[str, Callable[[Asked], Any]] = {
    lsp.TEXT_DOCUMENT_HOVER: lambda a: lsp.HoverParams(a.document, a.position),
    lsp.TEXT_DOCUMENT_INLAY_HINT: lambda a: lsp.InlayHintParams(a.document, a.range),
    lsp.TEXT_DOCUMENT_CODE_ACTION: lambda a: lsp.CodeActionParams(a.document, a.range, lsp.CodeActionContext([])),
    lsp.TEXT_DOCUMENT_CODE_LENS: lambda a: lsp.CodeLensParams(a.document),
    lsp.TEXT_DOCUMENT_COMPLETION: lambda a: lsp.CompletionParams(a.document, a.position),
    lsp.TEXT_DOCUMENT_SIGNATURE_HELP: lambda a: lsp.SignatureHelpParams(a.document, a.position),
    lsp.TEXT_DOCUMENT_DEFINITION: lambda a: lsp.DefinitionParams(a.document, a.position),
    lsp.TEXT_DOCUMENT_DECLARATION: lambda a: lsp.DeclarationParams(a.document, a.position),
    lsp.TEXT_DOCUMENT_REFERENCES: lambda a: lsp.ReferenceParams(lsp.ReferenceContext(True), a.document, a.position),
    lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: lambda a: lsp.DocumentHighlightParams(a.document, a.position),
    lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: lambda a: lsp.DocumentSymbolParams(a.document),
    lsp.WORKSPACE_SYMBOL: lambda a: lsp.WorkspaceSymbolParams("m"),
    lsp.TEXT_DOCUMENT_PREPARE_RENAME: lambda a: lsp.PrepareRenameParams(a.document, a.position),
    lsp.TEXT_DOCUMENT_RENAME: lambda a: lsp.RenameParams(a.document, a.position, "brand-new"),
    lsp.TEXT_DOCUMENT_FORMATTING: lambda a: lsp.DocumentFormattingParams(a.document, OPTIONS),
    lsp.TEXT_DOCUMENT_RANGE_FORMATTING: lambda a: lsp.DocumentRangeFormattingParams(a.document, a.range, OPTIONS),
    lsp.TEXT_DOCUMENT_ON_TYPE_FORMATTING: lambda a: lsp.DocumentOnTypeFormattingParams(
        a.document, a.position, "\n", OPTIONS
    ),
    lsp.TEXT_DOCUMENT_FOLDING_RANGE: lambda a: lsp.FoldingRangeParams(a.document),
    lsp.TEXT_DOCUMENT_SELECTION_RANGE: lambda a: lsp.SelectionRangeParams(a.document, [a.position]),
    lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: lambda a: lsp.SemanticTokensParams(a.document),
    lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE: lambda a: lsp.SemanticTokensRangeParams(a.document, a.range),
    lsp.TEXT_DOCUMENT_DIAGNOSTIC: lambda a: lsp.DocumentDiagnosticParams(a.document),
    "mino.eval": lambda a: a.command("eval"),
    "mino.expand": lambda a: a.command("expand", depth="all"),
    "mino.showPython": lambda a: a.command("showPython", range=plain_range(a.range)),
    "mino.devices": lambda a: a.command("devices"),
    "mino.preview": lambda a: a.command("preview"),
}
LENGTHY = {"mino.preview", "mino.run"}


def plain_range(range_: lsp.Range) -> dict[str, Any]:
    return {
        end: {"line": at.line, "character": at.character} for end, at in (("start", range_.start), ("end", range_.end))
    }


# ---- whether an answer speaks of the text


def widths(text: str) -> list[int]:
    """The length of each line in UTF-16 code units."""
    return [len(line.encode("utf-16-le", "surrogatepass")) // 2 for line in re.split("\r\n|\r|\n", text)]


def strays(answer: Any, uri: str, lines: list[int]) -> list[Any]:
    """The places in an answer that are none in the text; those of other documents are passed over."""
    if isinstance(answer, lsp.Position):
        inside = answer.line < len(lines) and answer.character <= lines[answer.line]
        return [] if inside else [answer]
    if isinstance(answer, lsp.SemanticTokens):
        return list(_stray_tokens(answer.data, lines))
    if attrs.has(type(answer)):
        named = getattr(answer, "text_document", answer)
        of = getattr(named, "uri", None) or getattr(answer, "target_uri", None)
        if of is not None and of != uri:
            return []
        return [s for one in attrs.fields(type(answer)) for s in strays(getattr(answer, one.name), uri, lines)]
    if isinstance(answer, dict):
        if set(answer) == {"line", "character"}:
            return strays(lsp.Position(answer["line"], answer["character"]), uri, lines)
        # Of an expansion, `from` is a place in what it expands to.
        return [
            s
            for key, one in answer.items()
            if key != "from" and not _elsewhere(key, uri)
            for s in strays(one, uri, lines)
        ]
    if isinstance(answer, (list, tuple)):
        return [s for one in answer for s in strays(one, uri, lines)]
    return []


def _elsewhere(key: Any, uri: str) -> bool:
    return isinstance(key, str) and key.startswith("file:") and key != uri


def _stray_tokens(data: Any, lines: list[int]) -> Any:
    line = start = 0
    for i in range(0, len(data), 5):
        down, right, length = data[i : i + 3]
        line, start = line + down, right if down else start + right
        if line >= len(lines) or start + length > lines[line]:
            yield f"a token of {length} at {line}:{start}"


# ---- what it costs


@dataclass(frozen=True)
class Cost:
    """Of the server and all below it; memory in bytes. `total` counts shared pages in parts (PSS)."""

    processes: int
    descriptors: int
    resident: int
    total: int

    def __str__(self) -> str:
        return (
            f"{self.processes} processes, {self.descriptors} open descriptors of the server, "
            f"{self.resident / 1e6:.0f} MB resident in the server, {self.total / 1e6:.0f} MB in all processes"
        )


def cost(pid: int) -> Cost:
    family = [pid]
    for one in family:
        family += below(one)
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Cost(len(family), len(os.listdir(f"/proc/{pid}/fd")), resident, sum(map(_share, family)))


def _share(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * int(told.partition("\nPss:")[2].split()[0])


# ---- the user


class User:
    """Edits and asks as the seed says; keeps what went wrong."""

    def __init__(self, editor: Editor, root: Path, seed: int) -> None:
        self.editor, self.root, self.rng = editor, root, random.Random(seed)
        self.files = corpus()
        self.forms = sorted({form.text for text in self.files.values() for form in read(text).forms if form.text})
        self.open: list[Edited] = []
        self.step = 0
        self.paused = False
        self.broken: list[str] = []
        self.counted: Counter[str] = Counter()
        self.slowest = (0.0, "")
        self._pending: set[asyncio.Task[None]] = set()
        self._restart: asyncio.Task[None] | None = None
        self._seen = 0

    def say(self, what: str) -> None:
        self.broken.append(what)
        print(f"BROKEN at step {self.step}: {what}", flush=True)

    def look(self) -> None:
        """Say which previews had no result since the last look."""
        for status in self.editor.statuses[self._seen :]:
            if status["state"] == "crashed":
                self.say(f"a preview had no result: {status}")
        self._seen = len(self.editor.statuses)

    async def move(self) -> None:
        """One step."""
        self.look()
        self.step += 1
        if not self.open:
            self.switch()
        weights = {
            self.edit: 40, self.undo: 22, self.ask: 24, self.switch: 5, self.restore: 4, self.afresh: 4,
            self.command: 1, self.run: 1,
        }  # fmt: skip
        act = self.rng.choices(list(weights), list(weights.values()))[0]
        if self.paused and self.rng.random() < 0.2:
            self.pause(False)
        pause = self.rng.choice((0.0, 0.0, 0.02, 0.1, 0.3, 1.0))
        self.counted[act.__name__] += 1
        done = act()
        if done is not None:
            await done
        await asyncio.sleep(pause)
        while len(self._pending) > 40:
            await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)

    def chosen(self) -> Edited:
        return self.rng.choice(self.open[-2:])

    def edit(self) -> None:
        one, rng = self.chosen(), self.rng
        text = one.document.text
        at = rng.randrange(len(text) + 1)
        forms = [(form.start, form.end) for form in read(text).forms] or [(0, 0)]
        match rng.choice(("insert", "delete", "paste", "paste", "cut")):
            case "insert":
                one.change(at, at, rng.choice(BITS))
            case "delete":
                one.change(at, min(at + rng.choice((1, 1, 3, 40)), len(text)), "")
            case "paste":
                top = rng.choice(forms)[0]
                one.change(top, top, rng.choice(self.forms) + "\n")
            case _:
                one.change(*rng.choice(forms), "")

    def undo(self) -> None:
        self.chosen().undo()

    def restore(self) -> None:
        self.chosen().undo_all()

    def switch(self) -> None:
        name = self.rng.choice(list(self.files))
        path = self.root / name
        self.open = [one for one in self.open if one.document.uri != path.as_uri()]
        self.open.append(Edited(self.editor.open(path, self.files[name])))
        if len(self.open) > OPEN_AT_ONCE:
            self.open.pop(0).document.close()

    def ask(self) -> None:
        one = self.chosen()
        for _ in range(self.rng.choice((1, 2, 6, 12))):
            self.request(one, self.rng.choice(list(REQUESTS)))

    def request(self, one: Edited, method: str) -> None:
        text = one.document.text
        start, end = map(one.document.position, sorted(self.rng.randrange(len(text) + 1) for _ in range(2)))
        asked = Asked(one.document.identity, text, start, lsp.Range(start, end))
        self.send(method, REQUESTS[method](asked), asked)

    def send(self, method: str, params: Any, asked: Asked) -> asyncio.Task[None]:
        wire = lsp.WORKSPACE_EXECUTE_COMMAND if method.startswith("mino.") else method
        # Sent now: a task would send it after the next edit.
        answer = self.editor.protocol.send_request(wire, params)
        if method == "mino.restart":
            # What was reported before has gone with the workers, and all that is open is previewed again. It is
            # forgotten as the answer is read: the report that is read next is of the new workers.
            answer.add_done_callback(lambda _: self.editor.reports.clear())
        task = asyncio.create_task(self.answered(method, asyncio.wrap_future(answer), asked))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return task

    async def answered(self, method: str, answer: Any, asked: Asked) -> None:
        began, step = time.monotonic(), self.step
        deadline = LONG if method in LENGTHY else DEADLINE
        where = f"{method} of {asked.document.uri.rpartition('/')[2]} at {asked.position}, asked at step {step}"
        try:
            found = await asyncio.wait_for(answer, deadline)
        except TimeoutError:
            self.say(f"{where}: no answer in {deadline:.0f} s")
            return
        except JsonRpcException as error:
            self.counted["refusals"] += 1
            if error.code not in REFUSALS:
                self.say(f"{where}: {error}")
            return
        finally:
            self.counted["requests"] += 1
            self.counted[method] += 1
            if method not in LENGTHY:
                self.slowest = max(self.slowest, (time.monotonic() - began, where))
        if method == "mino.run":
            return
        found = plain(found) if method.startswith("mino.") else found
        stray = strays(found, asked.document.uri, widths(asked.text))
        if stray:
            self.say(f"{where}: no place in the text: {stray[:3]}")

    async def afresh(self) -> None:
        """A document that was edited, and its text opened anew, show the same."""
        one = self.chosen()
        if self.paused or read(one.document.text).problems:
            return
        if self._restart is not None:
            await self._restart
        edited = await self.settled(one.document)
        name = one.document.uri.rpartition("/")[2]
        again = self.editor.open(self.root / name, one.document.text)
        one.document = again
        fresh = await self.settled(again)
        if edited is not None and fresh is not None:
            self.counted["compared"] += 1
            if edited != fresh:
                self.say(f"{name}: edited it shows {set(edited) - set(fresh)}, opened {set(fresh) - set(edited)}")
                kept = Path(tempfile.mkdtemp(prefix="soak-")) / name
                kept.write_text(again.text, "utf-8")
                print(f"  the text is in {kept}")

    async def settled(self, document: Document) -> list[tuple[str, str]] | None:
        """The hints of this version when its preview has ended; None where it did not come to the end."""
        here = len(self.editor.statuses)
        try:
            async with asyncio.timeout(LONG):
                await document.previewed()
        except TimeoutError:
            self.say(f"{document.uri}: version {document.version} was not reported in {LONG:.0f} s")
            return None
        told = [one for one in self.editor.statuses[here:] if one.get("uri") == document.uri]
        hints = await document.hints()
        return None if any(one["state"] in ("stopped", "crashed") for one in told) else hints

    def command(self) -> None:
        if self.rng.random() < 0.7:
            self.pause(True)
        else:
            print(f"step {self.step}: the workers are restarted", flush=True)
            self._restart = self.tell("mino.restart", {})

    def pause(self, on: bool) -> None:
        self.paused = on
        self.tell("mino.pause", {"on": on})

    def tell(self, name: str, argument: dict[str, Any]) -> asyncio.Task[None]:
        """A command whose answer is about no text."""
        one, top = self.chosen().document, lsp.Position(0, 0)
        asked = Asked(one.identity, one.text, top, lsp.Range(top, top))
        return self.send(name, lsp.ExecuteCommandParams(name, [argument]), asked)

    async def run(self) -> None:
        """Start the program as it was, and stop it."""
        one = self.chosen()
        name = one.document.uri.rpartition("/")[2]
        (self.root / name).write_text(self.files[name], "utf-8")
        self.tell("mino.run", {"uri": one.document.uri})
        await asyncio.sleep(self.rng.choice((0.05, 0.5, 2.0)))
        self.tell("mino.stop", {})

    async def leave_all(self) -> None:
        """Wait for every answer, and close every document."""
        if self._pending:
            await asyncio.wait(self._pending)
        if self.paused:
            await self.editor.execute("mino.pause", {"on": False})
            self.paused = False
        for one in self.open:
            one.document.close()
        self.open.clear()

    async def rest(self, at_most: Cost | None) -> Cost:
        """What it costs when nothing is open: when two looks see the same, and no more than before."""
        last = cost(self.editor.pid)
        for _ in range(30):
            await asyncio.sleep(1)
            now = cost(self.editor.pid)
            same = (now.processes, now.descriptors) == (last.processes, last.descriptors)
            last = now
            if same and (at_most is None or now.processes <= at_most.processes):
                break
        return last


WARM = "(import torch [nn])\n(require mino.mu *)\n(setv x (nn.Linear 2 3))\n(print x.weight)\n"


async def warm(user: User) -> None:
    """Everything once, so that what is started once has been started."""
    one = Edited(user.editor.open(user.root / "warm.hy", WARM))
    user.open.append(one)
    await one.document.previewed()
    await one.document.hover("nn.Lin")
    for method in REQUESTS:
        user.request(one, method)
    await user.leave_all()


async def soak(seed: int, minutes: float) -> int:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        root = Path(folder) / "workspace"
        root.mkdir()
        settings = {"trust": "full", "preview.time": 10, "run.again": "refuse", "python": sys.executable}
        editor = await launch(root, Path(folder) / "state", settings=settings)
        user = User(editor, root, seed)
        print(f"seed {seed}, {len(user.files)} files, {len(user.forms):,} forms", flush=True)
        await warm(user)
        before = await user.rest(None)
        print(f"before: {before}", flush=True)
        began = told = time.monotonic()
        server = editor._server
        assert server is not None
        while time.monotonic() - began < minutes * 60 and len(user.broken) < 20:
            await user.move()
            if server.returncode is not None:
                user.say(f"the server ended with {server.returncode}")
                break
            if time.monotonic() - told > 60:
                told = time.monotonic()
                print(f"minute {(told - began) / 60:.0f}, step {user.step}: {cost(editor.pid)}", flush=True)
        if server.returncode is None:
            await user.leave_all()
            after = await user.rest(before)
            print(f"after: {after}", flush=True)
            if after.processes > before.processes:
                user.say("processes are left")
            if after.descriptors > before.descriptors:
                user.say("descriptors are left")
            code = await editor.leave()
            if code != 0:
                user.say(f"the server's exit status is {code}")
        if "Traceback" in editor.stderr:
            user.say(f"the server said\n{editor.stderr[-4_000:]}")
    states = Counter(one["state"] for one in editor.statuses)
    user.look()
    counted = user.counted
    print(f"{user.step:,} steps: " + ", ".join(f"{counted[n]:,} {n}" for n in ACTS))
    print(f"{counted['requests']:,} requests answered, {counted['refusals']:,} of them refused with a sentence")
    print(f"{len(editor.statuses):,} statuses: " + ", ".join(f"{n:,} {s}" for s, n in states.most_common()))
    print(f"{counted['compared']:,} edited documents compared with their text opened afresh")
    print(f"the slowest answer: {user.slowest[0]:.1f} s, {user.slowest[1]}")
    print(f"{len(user.broken)} broken, seed {seed}")
    return 1 if user.broken else 0


ACTS = ("edit", "undo", "restore", "ask", "switch", "afresh", "command", "run")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--seed", type=int, default=None)
    told = options.parse_args()
    seed = told.seed if told.seed is not None else time.time_ns() % 1_000_000
    return asyncio.run(soak(seed, told.minutes))


if __name__ == "__main__":
    sys.exit(main())
