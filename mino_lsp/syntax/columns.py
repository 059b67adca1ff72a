"""Columns of one line in the three position encodings of LSP, and back.

A column counts code units from the start of a line; our own unit everywhere else is the code point of a Python ``str``.
Lone surrogates, which a client may send, count as one unit in UTF-16 and three in UTF-8.
"""

import re
from typing import Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def units(prefix: str, encoding: Encoding) -> int:
    """How many code units ``prefix`` takes."""
    if encoding == "utf-32" or prefix.isascii():
        return len(prefix)
    if encoding == "utf-8":
        return len(prefix.encode("utf-8", "surrogatepass"))
    return len(prefix.encode("utf-16-le", "surrogatepass")) // 2


def code_points(line: str, count: int, encoding: Encoding) -> int:
    """How many whole characters of ``line`` fit in its first ``count`` code units (all of them when it is shorter)."""
    count = max(count, 0)
    if encoding == "utf-32" or line.isascii():
        return min(count, len(line))
    if encoding == "utf-8":
        return _from_utf8(line.encode("utf-8", "surrogatepass"), count)
    return _from_utf16(line, count)


def _from_utf8(data: bytes, count: int) -> int:
    count = min(count, len(data))
    while 0 < count < len(data) and data[count] & 0xC0 == 0x80:
        count -= 1
    return len(data[:count].decode("utf-8", "surrogatepass"))


def _from_utf16(line: str, count: int) -> int:
    pairs = 0
    for match in _ASTRAL.finditer(line):
        first_unit = match.start() + pairs
        if first_unit + 2 > count:
            return min(count - pairs, match.start())
        pairs += 1
    return min(count - pairs, len(line))
