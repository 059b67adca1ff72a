"""Selection ranges: from the word outwards, by form."""

from __future__ import annotations

from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.syntax.kinds import CLOSER
from mino_lsp.types import Span

_DEEPEST = 200


def selection_ranges(snapshot: Snapshot, offset: int) -> list[Span]:
    """The ranges around an offset, the narrowest first; each holds the one before it and is larger."""
    found: list[Span] = []
    for form in reversed(snapshot.tree.path_at(offset)[-_DEEPEST:]):
        for span in (*_parts(form, offset), Span(form.start, form.end)):
            if span.start <= offset <= span.end and (not found or (span.contains(found[-1]) and span != found[-1])):
                found.append(span)
    whole = Span(0, len(snapshot.text))
    return found if found and found[-1] == whole else [*found, whole]


def _parts(form: Form, offset: int) -> list[Span]:
    """What is within a form and no form: a part of a dotted name, what a string says, what stands between brackets."""
    start, end = form.start, form.end
    if form.kind is Kind.SYMBOL:
        return _dotted(form, offset)
    if form.kind in (Kind.STRING, Kind.BYTES, Kind.FSTRING) and form.text.endswith('"'):
        return _inner(start + form.text.index('"') + 1, end - 1)
    if form.is_sequence and form.text.endswith(CLOSER[form.kind.value]):
        return _inner(start + len(form.kind.value), end - 1)
    if form.kind is Kind.KEYWORD:
        return _inner(start + 1, end)
    return []


def _inner(start: int, end: int) -> list[Span]:
    return [Span(start, end)] if start < end else []


def _dotted(form: Form, offset: int) -> list[Span]:
    """The name between dots at an offset."""
    text, at = form.text, offset - form.start
    first = text.rfind(".", 0, at) + 1
    last = text.find(".", at)
    return _inner(form.start + first, form.start + (last if last >= 0 else len(text)))
