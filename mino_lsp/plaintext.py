"""Markdown, as ours is, without its marks: for clients that show plain text only."""

from __future__ import annotations

import re

_FENCED = re.compile(r"^ *```[^\n`]*\n(.*?)\n? *```$", re.M | re.S)
_CODE = re.compile(r"`((?:[^`\n]|\n(?!\n))+)`")
_EMPHASIS = re.compile(r"(?<![\w*])\*{1,2}(?=\S)([^*\n]+)(?<=\S)\*{1,2}(?![\w*])")
_RULE = re.compile(r"^---$\n*", re.M)


def plain(markdown: str) -> str:
    """Code stays as it is; only the marks around it go."""
    parts, at = [], 0
    for fenced in _FENCED.finditer(markdown):
        parts += [_prose(markdown[at : fenced.start()]), fenced[1]]
        at = fenced.end()
    return "".join([*parts, _prose(markdown[at:])])


def _prose(text: str) -> str:
    """Emphasis may hold code: what is code is taken out, and put back when the marks have gone."""
    text = text.replace("\0", "\ufffd")
    codes = iter(_CODE.findall(text))
    shown = _EMPHASIS.sub(r"\1", _RULE.sub("", _CODE.sub("\0", text)))
    return re.sub("\0", lambda _: next(codes), shown)
