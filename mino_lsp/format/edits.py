"""An edit, and how several are applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text from one offset to another."""

    start: int
    end: int
    new: str

    def shift(self, by: int) -> Edit:
        return Edit(self.start + by, self.end + by, self.new)


def apply(source: str, edits: Iterable[Edit]) -> str:
    """The text after edits that are in order and don't overlap."""
    parts = []
    done = 0
    for edit in edits:
        parts += [source[done : edit.start], edit.new]
        done = edit.end
    return "".join([*parts, source[done:]])
