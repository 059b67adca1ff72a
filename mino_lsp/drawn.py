"""How far a program says it is: read from the end of what it printed, a progress bar's percentage or an epoch's number.

A guess for a progress bar in an editor, and for nothing else.
"""

from __future__ import annotations

import re

_TAIL = 4000
"""Characters of output that are looked at: a few lines, or one bar with its colours."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_BAR = re.compile(r"(?<![\d.])(\d{1,3})(?:\.\d+)?\s?%\s*[|\[(━█▏▎▍▌▋▊▉#=>]|[|\]━█▏▎▍▌▋▊▉#=>]\s*(\d{1,3})(?:\.\d+)?\s?%")
_COUNT = re.compile(r"\bepochs?\b[\s:#=\[(]*(\d+)\s*(?:/|of)\s*(\d+)|[\[(]\s*(\d+)\s*/\s*(\d+)\s*[\])]", re.I)


class Drawn:
    """The last line of a program's output, and the share of its work that is done, in percent; None where it does not
    say."""

    def __init__(self) -> None:
        self._tail = ""
        self._epoch: tuple[int, int] | None = None

    def add(self, text: str) -> None:
        self._tail = (self._tail + text)[-_TAIL:]

    def look(self) -> tuple[str, int | None]:
        lines = [line.strip() for line in re.split(r"[\r\n]", _ESCAPE.sub("", self._tail)) if line.strip()]
        for line in reversed(lines):
            if (epoch := _count(line)) is not None:
                self._epoch = epoch
                break
        last = lines[-1] if lines else ""
        bar = _BAR.search(last)
        share = min(int(bar[1] or bar[2]), 100) if bar else None
        if self._epoch is None:
            return last, share
        done, total = self._epoch
        # A bar beside epochs is within one of them.
        whole = 100 * done / total if share is None else (100 * (done - 1) + share) / total
        return last, round(max(0.0, min(whole, 100.0)))


def _count(line: str) -> tuple[int, int] | None:
    found = _COUNT.search(line)
    if found is None:
        return None
    done, total = (int(number) for number in found.groups() if number is not None)
    return (done, total) if 0 <= done <= total and total > 0 else None
