"""`mino expand`: a macro call, or a whole file, with its macros expanded."""

from __future__ import annotations

import re

from mino_lsp.expansions import Expansions, NoExpansion
from mino_lsp.format import apply, document
from mino_lsp.format.edits import Edit
from mino_lsp.snapshot import Snapshot
from mino_lsp.surveys import outermost
from mino_lsp.syntax import read
from mino_lsp.types import Depth, Problem, SurveyedCall

_PLACE = re.compile(r"(.*?)(?::(\d+))?(?::(\d+))?", re.S)


def place_named(text: str) -> tuple[str, int | None, int | None]:
    """The file, line and column of `FILE[:LINE[:COLUMN]]`, both from 1."""
    found = _PLACE.fullmatch(text)
    assert found is not None
    return found[1], int(found[2]) if found[2] else None, int(found[3]) if found[3] else None


async def expanded(
    expansions: Expansions, snapshot: Snapshot, line: int | None, column: int | None, depth: Depth
) -> tuple[str, list[Problem]]:
    """What is to be printed, and the problems. Raises `NoExpansion`, `Unavailable`."""
    text = snapshot.text
    if line is None:
        return await _whole(expansions, snapshot, depth)
    if not 1 <= line <= text.line_count:
        raise NoExpansion(f"The file has {text.line_count} lines; there is no line {line}.")
    start, end = text.line_span(line - 1)
    if column is None:
        here = [call for call in await _calls(expansions, snapshot) if start <= call.span.start < end]
        offset = (
            here[0].span.start + 1
            if here
            else start + len(text.slice(start, end)) - len(text.slice(start, end).lstrip())
        )
    else:
        offset = text.offset(line - 1, column - 1, "utf-32")
    shown = await expansions.expand(snapshot, offset, depth)
    return shown.text.source, list(shown.problems)


async def _calls(expansions: Expansions, snapshot: Snapshot) -> list[SurveyedCall]:
    survey = await expansions.survey(snapshot, tuple(span for _, span in snapshot.forms))
    return outermost(survey) if survey is not None else []


async def _whole(expansions: Expansions, snapshot: Snapshot, depth: Depth) -> tuple[str, list[Problem]]:
    """The file with the outermost calls replaced, and laid out."""
    if snapshot.tree.problems:
        raise NoExpansion("The file cannot be read; `mino check` tells where.")
    edits: list[Edit] = []
    problems: list[Problem] = []
    for call in await _calls(expansions, snapshot):
        shown = await expansions.expand(snapshot, call.span.start + 1, depth)
        problems += shown.problems
        edits.append(Edit(call.span.start, call.span.end, shown.text.source))
    text = apply(snapshot.text.source, edits)
    return apply(text, document(read(text))), problems
