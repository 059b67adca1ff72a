"""Names as people write and misspell them: kebab-case and mangled are one name; the nearest to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import hy
from hy.models import Keyword


def written(name: str | Keyword) -> str:
    """The name as Hy writes it: `linear_to_hidden`, `:linear-to-hidden` and `linear-to-hidden` are one."""
    plain = str(name).removeprefix(":")
    return plain if not plain or plain.isdigit() else str(hy.unmangle(hy.mangle(plain)))


def keyword_text(keyword: str | Keyword) -> str:
    """The text of a keyword, with its colon."""
    return f":{str(keyword).removeprefix(':')}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of `names`, if one is similar enough to be meant."""
    candidates = [each for each in names if each != name]
    near = difflib.get_close_matches(name, candidates, n=1)
    if near:
        return near[0]
    folded = {each.lower(): each for each in candidates}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    return folded[near[0]] if near else None


def meant(name: str, names: Iterable[str]) -> str:
    """`; did you mean bias?`, or nothing."""
    near = nearest(name, names)
    return f"; did you mean {near}?" if near else ""
