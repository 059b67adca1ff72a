"""Expansions as they are shown: laid out, with what of them stands where in the document, and as virtual documents that
follow their call while the text around it changes.
"""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from mino_lsp import values
from mino_lsp.format.breaks import laid_out
from mino_lsp.snapshot import Snapshot, path_of
from mino_lsp.submitted import difference
from mino_lsp.supervisor import Supervisor, Worker
from mino_lsp.syntax import Text, read
from mino_lsp.types import (
    CloseRequest,
    Depth,
    ExpandRequest,
    Expansion,
    ExpansionStep,
    Failed,
    Origin,
    Problem,
    PythonCode,
    PythonRequest,
    Span,
    Survey,
    SurveyRequest,
)

SCHEME = "mino-expansion"

STOP_SECONDS = 0.2
"""How long an expansion that nobody waits for any more may go on: one that ends soon keeps its context for the next."""

_LONGEST_DIFF = 2000
"""Lines. Longer texts are told without what is common to them: comparing them would keep the server from answering."""

_COLUMN = 60
"""Where comments after lines begin, if the lines are shorter."""


class NoExpansion(Exception):
    """There is nothing to show; the text says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """A macro call and its result, laid out; `diff` from one to the other, and the steps within the result."""

    head: str
    text: str
    diff: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """An expansion laid out. `tokens` and `forms` are parts of its text and where they stand in the document: tokens
    that read the same there, and forms that have their place there."""

    head: str
    span: Span
    text: Text
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    tokens: tuple[tuple[Span, Span], ...]
    forms: tuple[tuple[Span, Span], ...]


def shown(told: Expansion) -> Shown:
    """What a worker told, laid out."""
    text = laid_out(told.text)
    places = dict(_places(told.text, text))

    def placed(origins: tuple[Origin, ...]) -> Iterator[tuple[Span, Span]]:
        for start, end, source_start, source_end in origins:
            place = places.get(Span(start, end))
            if place is not None:
                yield place, Span(source_start, source_end)

    tokens, forms = tuple(placed(told.tokens)), tuple(placed(told.forms))
    steps = tuple(map(_step, told.steps))
    return Shown(told.head, told.span, Text(text), steps, told.problems, tokens, forms)


def _places(flat: str, laid: str) -> Iterator[tuple[Span, Span]]:
    """Where each node of a text is after it was laid out, which moves nodes and makes none."""
    for (start, end, _), (new_start, new_end, _) in zip(read(flat).walk(), read(laid).walk(), strict=True):
        yield Span(start, end), Span(new_start, new_end)


def _step(told: ExpansionStep) -> Step:
    text = laid_out(told.text)
    return Step(told.head, text, diff(laid_out(told.call), text), tuple(map(_step, told.steps)))


def diff(before: str, after: str) -> str:
    """A unified diff of two texts, whole and without a header."""
    old, new = before.split("\n"), after.split("\n")
    if len(old) + len(new) > _LONGEST_DIFF:
        lines = [*(f"-{line}" for line in old), *(f"+{line}" for line in new)]
    else:
        lines = list(difflib.unified_diff(old, new, n=len(old) + len(new), lineterm=""))[3:]
    return "\n".join(lines)


def with_shapes(snapshot: Snapshot, expansion: Shown) -> str:
    """The text with the shapes that passed in the last preview, as a comment at the end of each line on which a form
    begins that has one: those of the outermost such form."""
    text, facts = expansion.text, snapshot.live.facts
    whole = Span(0, len(text))
    found: dict[int, tuple[int, str]] = {}
    for place, source in ((whole, expansion.span), *expansion.forms):
        fact = facts.get(source)
        sizes = values.shapes(fact) if fact is not None else ""
        line = text.position(place.start, "utf-32")[0]
        if sizes and text.source[place.start] == "(" and (line not in found or place.start < found[line][0]):
            found[line] = (place.start, sizes)
    literals = [(start, end) for start, end, form in read(text.source).walk() if not form.is_sequence]
    lines = []
    for line in range(text.line_count):
        start, end = text.line_span(line)
        code = text.slice(start, end)
        in_literal = any(first <= end < last for first, last in literals if "\n" in text.slice(first, last))
        lines.append(f"{code:<{_COLUMN}}  ; → {found[line][1]}" if line in found and not in_literal else code)
    return "\n".join(lines)


# ---- asking for them


@dataclass(slots=True)
class _Followed:
    """A virtual document: the call that it shows, wherever that has moved to, and what it showed last."""

    uri: str
    offset: int
    depth: Depth
    quoted: bool
    text: str = ""
    shown: Shown | None = None
    comments: int = 0

    def edited(self, start: int, end: int, new: str) -> None:
        """The text of the document from `start` to `end` was replaced."""
        if end <= self.offset:
            self.offset += len(new) - (end - start)
        elif start < self.offset:
            self.offset = min(self.offset, start + len(new))


GetWorker = Callable[[Snapshot], Awaitable[Worker]]
Stamp = Callable[[Snapshot], int]
Others = Callable[[Snapshot], Iterable[Snapshot]]


class Expansions:
    """The expansions that were asked for. `get_worker` gives a worker that may expand a document's macros, be it the
    pure one, and raises `Unavailable` where there is none; `stamp` differs when other files have changed on disk;
    `others` gives the documents that one may require."""

    def __init__(self, supervisor: Supervisor, get_worker: GetWorker, stamp: Stamp, others: Others) -> None:
        self._supervisor = supervisor
        self._get_worker = get_worker
        self._stamp = stamp
        self._others = others
        self._followed: dict[str, _Followed] = {}
        self._asked: dict[str, set[Worker]] = {}

    async def expand(self, snapshot: Snapshot, offset: int, depth: Depth, quoted: bool = False) -> Shown:
        """The expansion of the macro call around an offset. Raises `NoExpansion`, `Unavailable`."""
        request = ExpandRequest(
            self._supervisor.new_job(),
            snapshot.path,
            snapshot.text.source,
            readable_forms(snapshot),
            offset,
            depth,
            snapshot.environment,
            not snapshot.trusted,
            snapshot.settings.limits,
            snapshot.settings.unconfined,
            self._stamp(snapshot),
            str(snapshot.root),
            self._texts(snapshot),
            quoted,
        )
        result = await self._ask(snapshot, request)
        assert isinstance(result, Expansion)
        return shown(result)

    async def python(self, snapshot: Snapshot, span: Span) -> PythonCode:
        """The Python that the forms of a span compile to. Raises `NoExpansion`, `Unavailable`."""
        request = PythonRequest(
            self._supervisor.new_job(),
            snapshot.path,
            snapshot.text.source,
            readable_forms(snapshot),
            span,
            snapshot.environment,
            False,
            snapshot.settings.limits,
            snapshot.settings.unconfined,
            self._stamp(snapshot),
            str(snapshot.root),
            self._texts(snapshot),
        )
        result = await self._ask(snapshot, request)
        assert isinstance(result, PythonCode)
        return result

    async def survey(self, snapshot: Snapshot, wanted: tuple[Span, ...]) -> Survey | None:
        """What each macro call in some top-level forms expands to; None if that cannot be found out. Raises
        `Unavailable`."""
        readable = readable_forms(snapshot)
        request = SurveyRequest(
            self._supervisor.new_job(),
            snapshot.path,
            snapshot.text.source,
            readable,
            tuple(span for span in wanted if span in set(readable)),
            snapshot.environment,
            not snapshot.trusted,
            snapshot.settings.limits,
            snapshot.settings.unconfined,
            self._stamp(snapshot),
            str(snapshot.root),
            self._texts(snapshot),
        )
        try:
            result = await self._ask(snapshot, request)
        except NoExpansion:
            return None
        assert isinstance(result, Survey)
        return result

    def _texts(self, snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
        """The texts of the documents that a document may require; nothing is read of them without trust."""
        return tuple((one.path, one.text.source) for one in self._others(snapshot)) if snapshot.trusted else ()

    async def _ask(self, snapshot: Snapshot, request: Any) -> Any:
        workers = self._asked.setdefault(snapshot.uri, set())
        worker = await self._get_worker(snapshot)
        if self._asked.get(snapshot.uri) is not workers:
            raise NoExpansion("The document was closed.")
        workers.add(worker)
        job = worker.submit(request)
        try:
            result = await asyncio.shield(job.result)
        except asyncio.CancelledError:
            job.stop(STOP_SECONDS)
            raise
        if isinstance(result, Failed):
            raise NoExpansion(result.message)
        return result

    # ---- virtual documents

    def follow(self, asked: Snapshot, now: Snapshot, shown: Shown, offset: int, depth: Depth, quoted: bool) -> str:
        """The URI of a virtual document that shows the expansion of a call, now and after edits. It was asked for at an
        offset of one text, which may have been edited since."""
        call, uri = shown.span, asked.uri
        # From inside the call the place survives edits right before it.
        followed = _Followed(uri, max(offset, min(call.start + 1, call.end)), depth, quoted)
        followed.edited(*difference(asked.text.source, now.text.source))
        name = quote(shown.head.replace("/", "∕") or "form", safe="")
        query = quote(json.dumps([uri, followed.offset, depth, quoted], separators=(",", ":")), safe="")
        virtual = f"{SCHEME}:/Expansion%20of%20{name}.hy?{query}"
        self._followed[unquote(virtual)] = followed
        return virtual

    def followed(self, uri: str) -> list[str]:
        """The virtual documents that show something of a document."""
        return [_quoted(virtual) for virtual, one in self._followed.items() if one.uri == uri]

    def edited(self, uri: str, start: int, end: int, new: str) -> None:
        """The text of a document from `start` to `end` was replaced."""
        for one in self._followed.values():
            if one.uri == uri:
                one.edited(start, end, new)

    def origin(self, virtual: str, offset: Callable[[Text], int]) -> tuple[str, Span] | None:
        """Where in which document the token comes from that stands at a place of what a virtual document shows."""
        one = self._followed.get(unquote(virtual))
        if one is None or one.shown is None:
            return None
        # Comments before the text are lines of their own, and those after its lines move nothing.
        at = offset(Text("\n" * one.comments + one.shown.text.source)) - one.comments
        found = (source for place, source in one.shown.tokens if place.start <= at <= place.end)
        source = next(found, None)
        return (one.uri, source) if source is not None else None

    def close(self, uri: str) -> None:
        """Forget a document, and have what is asked of it stopped."""
        for worker in self._asked.pop(uri, ()):
            worker.send(CloseRequest(path_of(uri)))
        self._followed = {virtual: one for virtual, one in self._followed.items() if one.uri != uri}

    async def content(self, virtual: str, snapshot_of: Callable[[str], Snapshot | None]) -> str:
        """The text of a virtual document. Where there is none now, what it was before, and why."""
        followed = self._followed.get(unquote(virtual)) or _asked_for(virtual)
        snapshot = snapshot_of(followed.uri) if followed is not None else None
        if followed is None or snapshot is None:
            return "; The document of this expansion is not open.\n"
        self._followed[unquote(virtual)] = followed
        try:
            expansion = await self.expand(snapshot, followed.offset, followed.depth, followed.quoted)
        except NoExpansion as error:
            followed.comments = 1
            return f"; {error}\n{followed.text}"
        followed.text, followed.shown = with_shapes(snapshot, expansion) + "\n", expansion
        told = [f"; {line}\n" for one in expansion.problems for line in one.message.splitlines()]
        followed.comments = len(told)
        return "".join([*told, followed.text])


def _asked_for(virtual: str) -> _Followed | None:
    """What a URI asks for that is not known, as after a restart of the server."""
    try:
        uri, offset, depth, quoted = json.loads(unquote(virtual.partition("?")[2]))
    except ValueError:
        return None
    known = isinstance(uri, str) and isinstance(offset, int) and depth in ("step", "one", "all")
    return _Followed(uri, offset, depth, bool(quoted)) if known else None


def _quoted(virtual: str) -> str:
    head, _, query = virtual.partition("?")
    return f"{quote(head, safe=':/')}?{quote(query, safe='')}"


def readable_forms(snapshot: Snapshot) -> tuple[Span, ...]:
    """The top-level forms that read without a problem."""
    broken = [Span(problem.start, problem.end) for problem in snapshot.tree.problems]
    return tuple(span for _, span in snapshot.forms if not any(span.contains(problem) for problem in broken))
