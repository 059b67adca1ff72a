"""What the macro calls of the open documents expand to, asked for ahead of time, so that a hover need not wait.

A document is surveyed a while after its last change, and of it only the top-level forms that have changed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mino_lsp.snapshot import Snapshot, path_of
from mino_lsp.supervisor import Unavailable
from mino_lsp.surveyed import Calls
from mino_lsp.types import Span, Survey, SurveyedCall

PAUSE_SECONDS = 0.3

_DECIDES = re.compile(r"\((?:require|import|def(?:macro|reader)|eval-|do-mac)")
"""In forms that may change what the macro calls of other forms mean."""


@dataclass(slots=True)
class _Document:
    deciding: tuple[str, ...] = ()
    calls: Calls = field(default_factory=Calls)
    task: asyncio.Task[None] | None = None


class Surveys:
    """The surveys of the open documents. `ask` has a worker look at some of a document's forms."""

    def __init__(self, ask: Callable[[Snapshot, tuple[Span, ...]], Awaitable[Survey | None]]) -> None:
        self._ask = ask
        self._documents: dict[str, _Document] = {}

    def calls(self, uri: str) -> Calls:
        return self._documents.setdefault(uri, _Document()).calls

    def schedule(self, snapshot: Snapshot) -> None:
        """Survey this version after a pause, unless a newer one comes."""
        document = self._documents.setdefault(snapshot.uri, _Document())
        if document.task is not None:
            document.task.cancel()
        document.task = asyncio.create_task(self._survey(snapshot, document))

    def close(self, uri: str) -> None:
        document = self._documents.pop(uri, None)
        if document is not None and document.task is not None:
            document.task.cancel()

    def outdate(self, uri: str) -> None:
        """What a document requires has changed: all of it is asked for anew, the next time that it is surveyed."""
        if uri in self._documents:
            self._documents[uri].deciding = ("",)

    def forget(self, except_for: str) -> None:
        """A file has changed: what was learnt of other documents, which may require it, is asked for anew."""
        for uri in self._documents:
            if path_of(uri) != except_for:
                self.outdate(uri)

    def close_all(self) -> None:
        for uri in list(self._documents):
            self.close(uri)

    async def _survey(self, snapshot: Snapshot, document: _Document) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        deciding = tuple(text for text, _ in snapshot.forms if _DECIDES.search(text))
        known = document.calls.by_form if deciding == document.deciding else {}
        wanted = [(text, span) for text, span in snapshot.forms if text not in known and text.startswith("(")]
        told = None
        if wanted:
            try:
                told = await self._ask(snapshot, tuple(span for _, span in wanted))
            except Unavailable:
                return
        found: dict[str, list[SurveyedCall]] = {text: [] for text, _ in wanted}
        for call in told.calls if told is not None else ():
            for text, span in wanted:
                if span.contains(call.span):
                    found[text].append(SurveyedCall(call.head, call.span.shift(-span.start), call.text))
                    break
        texts = {text for text, _ in snapshot.forms}
        kept = {text: calls for text, calls in known.items() if text in texts}
        document.deciding = deciding
        document.calls = Calls({**kept, **{text: tuple(calls) for text, calls in found.items()}})


def outermost(survey: Survey) -> list[SurveyedCall]:
    """The calls that are within no other, in the order of the text."""
    found: list[SurveyedCall] = []
    for call in sorted(survey.calls, key=lambda call: (call.span.start, -call.span.end)):
        if not found or not found[-1].span.contains(call.span):
            found.append(call)
    return found
