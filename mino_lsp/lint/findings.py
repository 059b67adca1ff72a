"""What a check is told of a call and what it answers, and the register of all checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mino_lsp.syntax import Form, Kind
from mino_lsp.types import Severity

CONSTANTS = frozenset({"None", "True", "False", "..."})


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a place of a piece, with a stable code and a sentence for the person who wrote it; `instead` is the
    name that was probably meant."""

    start: int
    end: int
    code: str
    message: str
    severity: Severity = "error"
    instead: str = ""

    def shifted(self, by: int) -> Finding:
        return Finding(self.start + by, self.end + by, self.code, self.message, self.severity, self.instead)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a check sees it: its head as written, and its arguments, without what readers put before them.
    `function` says of a name whether it certainly calls a function, so that no macro can give it another meaning."""

    form: Form
    head: Form
    name: str
    key: str
    args: tuple[Form, ...]
    function: Callable[[str], bool]

    def at_head(self, code: str, message: str) -> Finding:
        return Finding(self.head.start, self.head.end, code, message)


Check = Callable[[Call], Iterator[Finding]]
CHECKS: dict[str, list[Check]] = {}
"""The checks of a macro's calls, by the macro's key, such as `hy:let` or `mino:defmu`."""


def checks(*keys: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        for key in keys:
            CHECKS.setdefault(key, []).append(check)
        return check

    return register


def at(form: Form, code: str, message: str) -> Finding:
    return Finding(form.start, form.end, code, message)


def shown(form: Form, most: int = 40) -> str:
    """A form's text as a sentence can hold it."""
    text = " ".join(form.text.split())
    return text if len(text) <= most else text[: most - 2] + " …"


_LONG_WORD = re.compile(r"(?<=\S{40})\S{41,}(?=\S{20})")
_LONGEST_MESSAGE = 2000


def brief(message: str) -> str:
    """A message in which no name stands whole that nobody could read, nor more of them than anybody would."""
    message = _LONG_WORD.sub("…", message)
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"


def bare(form: Form) -> Form:
    """What an annotation annotates; the form itself where it is none."""
    parts = form.forms
    return parts[1] if form.kind is Kind.ANNOTATION and len(parts) == 2 else form


def is_name(form: Form) -> bool:
    """A symbol that can name a variable: not dotted (one of dots alone is not), and no constant."""
    dotted = "." in form.text and (form.text == "." or form.text.strip(".") != "")
    return form.kind is Kind.SYMBOL and not dotted and form.text not in CONSTANTS


def counted(count: int, one: str) -> str:
    return f"{count} {one}" if count == 1 else f"{count or 'no'} {one}s"
