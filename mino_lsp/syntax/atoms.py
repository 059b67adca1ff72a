"""What a run of identifier characters is, and which escapes a string may contain: exactly Hy's rules.

Hy asks Python's own ``int``, ``float`` and ``complex`` what a number is, after dropping ``_`` and ``,``; so do we.
"""

import re
import unicodedata
from functools import lru_cache
from math import isinf, isnan

from mino_lsp.syntax import kinds
from mino_lsp.syntax.kinds import CODES, Kind

_SYMBOL, _NUMBER = CODES[Kind.SYMBOL], CODES[Kind.NUMBER]
_MAYBE_NUMBER = re.compile(r"\d|Inf|NaN|[jJ]\s*\Z")
_LONG = 100


def classify(name: str) -> tuple[int, str]:
    """The code of an identifier's kind, and the sentence on what is wrong with it, or ``""``."""
    return _classify(name) if len(name) > _LONG else _classify_short(name)


def _classify(name: str) -> tuple[int, str]:
    if _MAYBE_NUMBER.search(name) and is_number(name):
        return _NUMBER, ""
    if "." not in name or not name.strip("."):
        return _SYMBOL, ""
    bare = name.lstrip(".")
    if ".." in bare[1:]:
        return _SYMBOL, kinds.DOTTED_RUN
    if name.endswith("."):
        return _SYMBOL, kinds.DOTTED_END
    if any(_MAYBE_NUMBER.search(part) and is_number(part) for part in bare.split(".")):
        return _SYMBOL, kinds.DOTTED_PARTS
    return _SYMBOL, ""


_classify_short = lru_cache(maxsize=8192)(_classify)


def is_number(name: str) -> bool:
    """Whether Hy reads a whole identifier as an integer, a float or a complex number."""
    digits = name[0] + name[1:].replace("_", "").replace(",", "") if len(name) > 1 else name
    try:
        int(digits, 10 if name.isdigit() else 0)
        return True
    except ValueError:
        pass
    try:
        return _capital(name, float(digits))
    except ValueError:
        pass
    if name in ("j", "J"):
        return False
    try:
        value = complex(digits)
    except ValueError:
        return False
    first, _, second = name.lstrip("+-").replace("-", "+").partition("+")
    if not _capital(first, value.imag if "j" in first.lower() else value.real):
        return False
    return not second or _capital(second, value.imag)


def _capital(name: str, value: float) -> bool:
    """Infinity and not-a-number count only as ``Inf`` and ``NaN``."""
    if isinf(value) and "i" in name.lower() and "Inf" not in name:
        return False
    return not (isnan(value) and "NaN" not in name)


def valid_prefix(prefix: str) -> bool:
    """Whether these letters may stand before a string's opening quote."""
    letters = set(prefix)
    return len(letters) == len(prefix) and letters < set("bfrt") and len(letters - {"r"}) <= 1


_SIMPLE = "\n\r\\'\"abfnrtv01234567"
_ESCAPE = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{0,2})|u(?P<u>[0-9a-fA-F]{0,4})|U(?P<U>[0-9a-fA-F]{0,8})|N(?P<N>(?:\{[^}]*\}?)?)|.|\Z)",
    re.DOTALL,
)
_DIGITS = {"x": 2, "u": 4, "U": 8}


def bad_escape(body: str, is_bytes: bool, lenient: bool = False) -> tuple[int, int] | None:
    """The span of the first escape in a string's body that Hy refuses. ``lenient``: in the format of an f-string's
    field, where an unknown letter is let through but a broken ``\\x`` is not."""
    for match in _ESCAPE.finditer(body):
        if not _escape_ok(match, is_bytes, lenient):
            return match.start(), match.end()
    return None


def _escape_ok(match: re.Match[str], is_bytes: bool, lenient: bool) -> bool:
    letter = match.group()[1:2]
    if not letter:
        return False
    if letter in _SIMPLE:
        return True
    if is_bytes and letter != "x":
        return lenient
    group = match.lastgroup
    if group is None:
        return lenient
    value = match.group(group)
    if group == "N":
        return _character_name(value)
    return len(value) == _DIGITS[group] and int(value, 16) <= 0x10FFFF


def _character_name(braced: str) -> bool:
    if not (braced.startswith("{") and braced.endswith("}")):
        return False
    try:
        return len(unicodedata.lookup(braced[1:-1])) == 1
    except (KeyError, UnicodeEncodeError):
        return False
