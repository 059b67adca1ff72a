"""The text that a preview is given, where it is not just that of the document; and when what it told is shown."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mino_lsp.alike import alike, relocated
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Span

FIRST_SECONDS, PUBLISH_SECONDS = 0.02, 0.15
"""How soon after the first time what a running preview has found is shown again, and how often later."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The text that a preview is given, and the texts and places of its forms.

    The first forms, and what stands between them, are as they were when they were evaluated, though the document may
    have other white space and comments there by now: so that what was evaluated can be gone on from, and nobody counts
    lines anew."""

    source: str
    forms: tuple[tuple[str, Span], ...]

    @classmethod
    def of(cls, snapshot: Snapshot, before: Submitted | None) -> Submitted:
        source, forms = snapshot.text.source, snapshot.forms
        if before is None:
            return cls(source, forms)
        pairs = enumerate(zip(before.forms, forms, strict=False))
        count = next((i for i, (old, new) in pairs if not alike(old[0], new[0])), min(len(before.forms), len(forms)))
        if count == 0:
            return cls(source, forms)
        old_end, end = before.forms[count - 1][1].end, forms[count - 1][1].end
        moved = tuple((text, span.shift(old_end - end)) for text, span in forms[count:])
        return cls(before.source[:old_end] + source[end:], before.forms[:count] + moved)

    def place(self, offset: int, snapshot: Snapshot) -> int:
        """Where what is in or right after a form, at an offset, stands in the document, whose forms read as these."""
        index = bisect_right(self.forms, offset, key=lambda form: form[1].start) - 1
        if not 0 <= index < len(snapshot.forms):
            return 0
        (was, old), (now, new) = self.forms[index], snapshot.forms[index]
        at = min(offset, old.end) - old.start
        return new.start + relocated(Span(at, at), was, now).end


def same_forms(one: Sequence[tuple[str, Span]], other: Sequence[tuple[str, Span]]) -> bool:
    """Whether two texts, given as their forms, read alike."""
    return len(one) == len(other) and all(alike(a[0], b[0]) for a, b in zip(one, other, strict=True))


def first_difference(one: str, other: str) -> int:
    """The offset at which two texts begin to differ."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def difference(one: str, other: str) -> tuple[int, int, str]:
    """The replacement that makes another text of one: from where they begin to differ up to where both end alike."""
    start = first_difference(one, other)
    alike = first_difference(one[start:][::-1], other[start:][::-1])
    return start, len(one) - alike, other[start : len(other) - alike]


class Rate:
    """Does something soon after it is wished for the first time, and then less and less often."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._interval = 0.0
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    def wish(self) -> None:
        if self._timer is None and not self._ended:
            wait = max(0.0, self._last + self._interval - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._go)

    def _go(self) -> None:
        self._timer, self._last = None, time.monotonic()
        self._interval = min(max(FIRST_SECONDS, 2 * self._interval), PUBLISH_SECONDS)
        self._act()

    def end(self) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
