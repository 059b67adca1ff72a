"""The output of several processes on one terminal: each line whole, with the number of its process before it."""

from __future__ import annotations

import asyncio
import re
from typing import TextIO

PATIENCE_SECONDS = 0.1
"""How long a line may stand without its end, before a terminal shows what there is: a prompt, a progress bar."""

Source = tuple[int, TextIO]


class Tagged:
    """Lines in the order of their ends, so that those of several processes do not mix.

    On a terminal a line that waits for its end is shown as far as it goes, of one process at a time. What another one
    says meanwhile goes below, and so does the rest of what waited.
    """

    def __init__(self) -> None:
        self._begun: dict[Source, str] = {}
        self._open: Source | None = None

    def write(self, rank: int, stream: TextIO, text: str) -> None:
        """Show what a process wrote to what is `stream` here."""
        source = (rank, stream)
        whole, end, begun = (self._begun.pop(source, "") + text).rpartition("\n")
        if end:
            self._show(source, whole + end)
        if begun:
            self._begun[source] = begun
            if stream.isatty():
                wait = 0.0 if self._open == source else PATIENCE_SECONDS
                asyncio.get_running_loop().call_later(wait, self._show_begun, source)

    def finish(self) -> None:
        """Show the lines that processes began and did not end."""
        for source in sorted(self._begun, key=lambda source: source[0]):
            self._show(source, self._begun.pop(source) + "\n")
        self._leave_line()

    def _show_begun(self, source: Source) -> None:
        if source in self._begun and (self._open is None or self._open[0] == source[0]):
            self._show(source, self._begun.pop(source))

    def _show(self, source: Source, text: str) -> None:
        rank, stream = source
        tag, begins = f"[{rank}] ", r"(?<=\n)(?!\Z)"
        if not stream.isatty():
            stream.write(tag + re.sub(begins, tag, text))
        else:
            if self._open is not None and self._open[0] != rank:
                self._leave_line()
            # A line that is drawn again begins at the terminal's edge, where its number stands.
            text = re.sub(rf"{begins}|(?<=\r)(?!\n)", tag, text)
            stream.write(text if self._open else tag + text)
            self._open = None if text.endswith("\n") else source
        stream.flush()

    def _leave_line(self) -> None:
        if self._open is not None:
            _, stream = self._open
            stream.write("\n")
            stream.flush()
            self._open = None
