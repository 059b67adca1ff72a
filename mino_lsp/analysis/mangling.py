"""Hy's mangling of names, without Hy: `linear-to-hidden` and `linear_to_hidden` are one name."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_UNDERSCORES = "_︳︴﹍﹎﹏＿"
"""The characters that NFKC makes underscores of."""


@lru_cache(maxsize=16384)
def mangle(name: str) -> str:
    """The Python identifier of a symbol, part by part where it is dotted; text that no symbol can be, as it is."""
    if "." in name and name.strip("."):
        return ".".join(mangle(part) if part else "" for part in name.split("."))
    if name.isascii() and name.isidentifier():
        return name
    rest = name.lstrip(_UNDERSCORES)
    leading = "_" * (len(name) - len(rest))
    rest = rest[:1] + rest[1:].replace("-", "_")
    if not (leading + rest).isidentifier():
        rest = "hyx_" + "".join(map(_spelled, rest))
    return unicodedata.normalize("NFKC", leading + rest)


def _spelled(character: str) -> str:
    if character != "X" and ("S" + character).isidentifier():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "H").replace(" ", "_")
    return f"X{name or f'U{ord(character):x}'}X"
