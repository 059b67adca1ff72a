"""Writes models as source: on one line, with what of it stands in the document, and fresh variables by short names.

What is written reads as the model it was written from. A literal that the user wrote is written as the user did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Any

import hy
from hy.models import Dict, Expression, FComponent, FString, Keyword, List, Object, Sequence, String, Symbol, Tuple
from hy.models import Set as SetModel

from mino_lsp.types import Span
from mino_lsp.worker.source import Source

GENSYM = re.compile(r"_hy_gensym_(.*)_(\d+)\Z")
_WORD = re.compile(r"[^\s()\[\]{}\"';`~,.:]+")
_PREFIXES = {
    "quote": "'",
    "quasiquote": "`",
    "unquote": "~",
    "unquote-splice": "~@",
    "unpack-iterable": "#* ",
    "unpack-mapping": "#** ",
}
_BRACKETS: dict[type, tuple[str, str]] = {
    Expression: ("(", ")"),
    List: ("[", "]"),
    Tuple: ("#(", ")"),
    SetModel: ("#{", "}"),
    Dict: ("{", "}"),
}

Place = tuple[int, int, int, int]
"""Where the reader found a model: first line and column, last line and column."""


def place_of(form: Any) -> Place | None:
    if not hasattr(form, "_start_line") or not hasattr(form, "_end_column"):
        return None
    return form.start_line, form.start_column, form.end_line, form.end_column


def walk(form: Any, into_strings: bool = True) -> Iterator[Any]:
    """A form and all within it, outermost first."""
    waiting = [form]
    while waiting:
        form = waiting.pop()
        yield form
        if isinstance(form, Sequence) and (into_strings or not isinstance(form, FString)):
            waiting += reversed(form)


def is_dotted(form: Any) -> bool:
    """Whether a form is what the reader makes of `a.b` or `.a`."""
    if type(form) is not Expression or len(form) < 3 or any(type(part) is not Symbol for part in form):
        return False
    return bool(form[0] == Symbol(".") or (form[1] == Symbol("None") and not form[0].strip(".")))


def _is_token(form: Any) -> bool:
    return not isinstance(form, Sequence) or isinstance(form, FString) or is_dotted(form)


class Names:
    """Short names for fresh variables, which clash with no word of `text` nor with a `taken` name."""

    def __init__(self, text: str, taken: Set[str] = frozenset()) -> None:
        self._text, self._taken = text, taken
        self._words: set[str] | None = None
        self._names: dict[str, str] = {}

    def avoid(self, form: Any) -> None:
        """Let no name clash with one that stands in `form`."""
        words = self._all_words()
        words.update(_plain(str(part)) for part in walk(form) if isinstance(part, (Symbol, Keyword)))

    def shown(self, name: str) -> str:
        """The name under which a symbol is shown: its own, if it is no fresh variable."""
        found = GENSYM.match(name)
        if found is None:
            return name
        if name not in self._names:
            base = re.sub(r"\W", "", found[1].removeprefix("hyx_")).strip("_") or "x"
            number, words = 1, self._all_words()
            while (short := f"_{base}{number if number > 1 else ''}") in words:
                number += 1
            words.add(short)
            self._names[name] = short
        return self._names[name]

    def _all_words(self) -> set[str]:
        if self._words is None:
            self._words = {_plain(word) for word in _WORD.findall(self._text)} | {_plain(name) for name in self._taken}
        return self._words


def _plain(word: str) -> str:
    return word.lstrip(":").replace("-", "_")


class Originals:
    """The user's own forms, by where they stand in the document."""

    def __init__(self, form: Any, source: Source) -> None:
        self._source = source
        self._forms: dict[Place, Any] = {}
        for part in walk(form, into_strings=False):
            place = place_of(part)
            if place is not None:
                self._forms.setdefault(place, part)

    def span(self, form: Any) -> Span | None:
        """Where a form of the user's stands; None for one that a macro built."""
        place = place_of(form)
        return self._source.span(form) if place is not None and place in self._forms else None

    def text(self, form: Any) -> tuple[str, Span] | None:
        """What the user wrote for a token that is as it was read."""
        place = place_of(form)
        original = self._forms.get(place) if place is not None else None
        if original is None or type(original) is not type(form) or not _same(original, form):
            return None
        span = self._source.span(form)
        text = self._source.text[span.start : span.end]
        # What a reader macro made cannot be told from its text.
        return None if not text or (text[0] == "#" and text[:2] != "#[") else (text, span)


def _same(one: Any, other: Any) -> bool:
    # Equal f-strings may convert differently, and a NaN is not equal to itself.
    return (not isinstance(one, FString) and bool(one == other)) or repr(one) == repr(other)


class Writer:
    """One text. `tokens` and `forms` say which parts of it stand where in the document, as
    (start, end, start there, end there); those of `tokens` read the same there, and a form is the user's where its
    place is, even if a macro put something into it. `call` is the place of what was expanded: macros give it to all
    that they build."""

    def __init__(self, originals: Originals | None, names: Names, call: Any = None) -> None:
        self._originals, self._names = originals, names
        self._call = place_of(call)
        self._parts: list[str] = []
        self._length = 0
        self.tokens: list[tuple[int, int, int, int]] = []
        self.forms: list[tuple[int, int, int, int]] = []

    def write(self, form: Any) -> str:
        self._form(form)
        return "".join(self._parts)

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _form(self, form: Any) -> None:
        start = self._length
        written = self._originals.text(form) if self._originals is not None and _is_token(form) else None
        if written is not None:
            text, span = written
            self._add(text)
            self.tokens.append((start, self._length, span.start, span.end))
        elif is_dotted(form):
            before = str(form[0]) if form[1] == Symbol("None") else ""
            self._add(before + ".".join(self._symbol(part) for part in form[2 if before else 1 :]))
        elif isinstance(form, FString):
            self._fstring(form)
        elif isinstance(form, FComponent):
            self._field(form)
        elif isinstance(form, Sequence):
            self._sequence(form)
        else:
            self._add(self._atom(form))
        if self._originals is not None and place_of(form) != self._call:
            place = self._originals.span(form)
            if place is not None:
                self.forms.append((start, self._length, place.start, place.end))

    def _sequence(self, form: Any) -> None:
        prefix = _PREFIXES.get(str(form[0])) if len(form) == 2 and type(form) is Expression else None
        if prefix is not None and isinstance(form[0], Symbol):
            at = prefix == "~" and isinstance(form[1], Symbol) and form[1].startswith("@")
            self._add(prefix + " " * at)
            self._form(form[1])
            return
        opener, closer = _BRACKETS[type(form)]
        self._add(opener)
        for index, part in enumerate(form):
            if index:
                self._add(" ")
            self._form(part)
        self._add(closer)

    def _symbol(self, form: Any) -> str:
        return self._names.shown(str(form))

    def _atom(self, form: Object) -> str:
        if isinstance(form, Keyword):
            return ":" + self._names.shown(form.name)
        if isinstance(form, Symbol):
            return self._symbol(form)
        if isinstance(form, String) and form.brackets is not None:
            # The reader passes over a line break right after the opening.
            first = "\n" if form.startswith("\n") else ""
            return f"#[{form.brackets}[{first}{form}]{form.brackets}]"
        return str(hy.repr(form)).removeprefix("'")

    def _fstring(self, form: Any) -> None:
        self._add(("t" if form.is_tstring else "f") + '"')
        for part in form:
            if isinstance(part, FComponent):
                self._form(part)
            else:
                self._add(_escaped(part).replace("{", "{{").replace("}", "}}"))
        self._add('"')

    def _field(self, form: Any) -> None:
        self._add("{")
        self._form(form[0])
        self._add(f" !{form.conversion}" if form.conversion else "")
        if len(form) > 1:
            self._add(" :")
            for part in form[1:]:
                if isinstance(part, FComponent):
                    self._form(part)
                else:
                    self._add(_escaped(part))
        self._add("}")


def _escaped(text: str) -> str:
    """Text as between the quotes of a string."""
    return str(hy.repr(hy.models.String(text))).removeprefix("'")[1:-1]
