"""Sources with marks for the tests of names: `«x»` is a definition, `‹x›` another place of it, and `¿x¡` something
else that a test looks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile("(«[^»]*»|‹[^›]*›|¿[^¡]*¡)")


@dataclass(frozen=True)
class Marked:
    source: str
    defined: list[tuple[int, int]]
    used: list[tuple[int, int]]
    other: list[tuple[int, int]]

    @property
    def all(self) -> list[tuple[int, int]]:
        return sorted(self.defined + self.used)


def unmark(marked: str) -> Marked:
    source = ""
    spans: dict[str, list[tuple[int, int]]] = {"«": [], "‹": [], "¿": []}
    for part in _PART.split(marked):
        if part[:1] in spans:
            spans[part[0]].append((len(source), len(source) + len(part) - 2))
            part = part[1:-1]
        source += part
    return Marked(source, spans["«"], spans["‹"], spans["¿"])
