"""The code in a text, however that is laid out: what is told of it does not depend on white space or comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""\#\[(?P<name>[^\[\]]*)\[.*?\](?P=name)\]        # a bracket string
    | [^\s()\[\]{}";'`~]*"(?:[^"\\]|\\.)*"              # a string and its prefix
    | (?P<comment>;[^\n]*)
    | (?P<open>\#?[(\[{]) | (?P<close>[)\]}])
    | (?P<mark>'|`|~@?)
    | [^\s()\[\]{}";'`~]+""",
    re.DOTALL | re.VERBOSE,
)


def _tokens(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    return (token for token in _TOKEN.finditer(text, start) if token["comment"] is None)


def in_one_line(text: str) -> str:
    """Code in one line, without comments."""
    written, glued = "", True
    for token in _tokens(text):
        written += ("" if glued or token["close"] else " ") + " ".join(token[0].split())
        glued = bool(token["open"] or token["mark"])
    return written


def without_comments(text: str) -> str:
    """Code with spaces in the place of its comments."""
    return _TOKEN.sub(lambda token: token[0] if token["comment"] is None else " " * len(token[0]), text)


def end_of_form(text: str, start: int) -> int:
    """Where the form ends that begins at an offset; at the end of the text where it never does."""
    depth = 0
    for token in _tokens(text, start):
        depth += bool(token["open"]) - bool(token["close"])
        if depth <= 0 and not token["mark"]:
            return token.end()
    return len(text)
