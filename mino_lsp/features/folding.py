"""Folding ranges: forms and strings of several lines, requirements and imports, and blocks of comments."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind

_MOST = 5000
_LONG = frozenset({Kind.LIST, Kind.VECTOR, Kind.DICT, Kind.SET, Kind.TUPLE, Kind.STRING, Kind.BRACKET_STRING})
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Fold:
    """From one line to another."""

    first: int
    last: int
    kind: Literal["comment", "imports", ""] = ""


def folding(snapshot: Snapshot) -> list[Fold]:
    """The ranges, at most one a line: that of the outermost form that begins there."""
    if not snapshot.tree.is_read:
        return []
    source = snapshot.text.source
    lines = [0, *(match.end() for match in _LINE_BREAK.finditer(source))]
    found: dict[int, Fold] = {}
    block = (-2, -2)
    for start, end, form in snapshot.tree.walk():
        if len(found) >= _MOST:
            break
        kind = form.kind
        if kind is not Kind.COMMENT and kind not in _LONG:
            continue
        first = bisect_right(lines, start) - 1
        if kind is Kind.COMMENT:
            if not source[lines[first] : start].strip():
                block = (block[0] if block[1] == first - 1 else first, first)
                if block[0] < first:
                    found[block[0]] = Fold(*block, "comment")
        elif first not in found:
            last = bisect_right(lines, end) - 1
            if last > first:
                found[first] = Fold(first, last, _kind(form))
    return sorted(found.values(), key=lambda fold: fold.first)


def _kind(form: Form) -> Literal["imports", ""]:
    return "imports" if form.parent is None and form.head_name in ("import", "require") else ""
