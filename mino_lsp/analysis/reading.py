"""A piece of the tree as analysis walks it: nodes by their index, in flat columns, without an object for each."""

from __future__ import annotations

import inspect
import re

from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import Import, ImportedName
from mino_lsp.syntax.kinds import CODES, Kind
from mino_lsp.syntax.kinds import TRIVIA as TRIVIA_KINDS
from mino_lsp.syntax.nodes import Piece

SYMBOL, KEYWORD, LIST, VECTOR = CODES[Kind.SYMBOL], CODES[Kind.KEYWORD], CODES[Kind.LIST], CODES[Kind.VECTOR]
DICT, TUPLE, SET = CODES[Kind.DICT], CODES[Kind.TUPLE], CODES[Kind.SET]
STRING, BRACKET_STRING, FSTRING = CODES[Kind.STRING], CODES[Kind.BRACKET_STRING], CODES[Kind.FSTRING]
NUMBER, FIELD, ANNOTATION = CODES[Kind.NUMBER], CODES[Kind.FIELD], CODES[Kind.ANNOTATION]
QUOTE, QUASIQUOTE, UNQUOTE = CODES[Kind.QUOTE], CODES[Kind.QUASIQUOTE], CODES[Kind.UNQUOTE]
UNQUOTE_SPLICE = CODES[Kind.UNQUOTE_SPLICE]
UNPACK_ITERABLE, UNPACK_MAPPING = CODES[Kind.UNPACK_ITERABLE], CODES[Kind.UNPACK_MAPPING]
READER = CODES[Kind.READER_MACRO]
TRIVIA = frozenset(CODES[kind] for kind in TRIVIA_KINDS)
STRINGS = frozenset({STRING, BRACKET_STRING})

_QUOTES = re.compile(r'[a-zA-Z]*"(.*)"|#\[([^\[]*)\[\n?(.*)\]\2\]', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


class Reading:
    """What can be asked of a piece's nodes. ``text_of``, ``forms`` and the rest take a node's index."""

    def __init__(self, piece: Piece) -> None:
        nodes = piece.nodes
        self.piece, self.text = piece, piece.text
        self.kind, self.start, self.end, self.stop = nodes.kind, nodes.start, nodes.end, nodes.stop
        self.parent = nodes.parent

    def text_of(self, index: int) -> str:
        return self.text[self.start[index] : self.end[index]]

    def forms(self, index: int) -> list[int]:
        """The forms right below a node, or the top ones for -1, as Hy would see them."""
        kind, stop = self.kind, self.stop
        child, end = index + 1, stop[index] if index >= 0 else len(stop)
        found = []
        while child < end:
            if kind[child] not in TRIVIA:
                found.append(child)
            child = stop[child]
        return found

    def is_symbol(self, index: int, text: str) -> bool:
        return self.kind[index] == SYMBOL and self.text_of(index) == text

    def is_keyword(self, index: int, text: str) -> bool:
        return self.kind[index] == KEYWORD and self.text_of(index) == text

    def head_of(self, index: int) -> str:
        """The text of a list's first form where that is a symbol, else nothing."""
        if self.kind[index] == LIST:
            for child in self.forms(index)[:1]:
                if self.kind[child] == SYMBOL:
                    return self.text_of(child)
        return ""

    def doc(self, body: list[int]) -> str:
        """The documentation that a body begins with."""
        if not body or self.kind[body[0]] not in STRINGS:
            return ""
        found = _QUOTES.fullmatch(self.text_of(body[0]))
        if found is None:
            return ""
        doc = found.group(1) if found.group(1) is not None else found.group(3)
        return inspect.cleandoc(_ESCAPED.sub(r"\1", doc))

    # ---- import and require

    def imports(self, form: int, parts: list[int], requires: bool, scope: int) -> list[Import]:
        """The entries of an `import` or a `require`. What is none is passed over."""
        found: list[Import] = []
        at = 1
        while at < len(parts):
            if self.kind[parts[at]] == SYMBOL:
                at, entry = self._entry(form, parts, at, requires, scope)
                found.append(entry)
            else:
                at += 1
        return found

    def _entry(self, form: int, parts: list[int], at: int, requires: bool, scope: int) -> tuple[int, Import]:
        module = parts[at]
        alias, star, star_readers = "", False, False
        names: tuple[ImportedName, ...] | None = None
        readers: tuple[ImportedName, ...] | None = None
        at += 1
        while at < len(parts):
            one = parts[at]
            following = parts[at + 1] if at + 1 < len(parts) else None
            if self.is_symbol(one, "*"):
                star = True
            elif self.kind[one] == VECTOR:
                names = self._listed(one)
            elif self.is_keyword(one, ":as") and following is not None and self.kind[following] == SYMBOL:
                alias, at = self.text_of(following), at + 1
            elif requires and self.is_keyword(one, ":readers") and following is not None:
                star_readers = self.is_symbol(following, "*")
                readers, at = self._listed(following), at + 1
            elif not (requires and self.is_keyword(one, ":macros")):
                break
            at += 1
        entry = Import(
            self.text_of(module),
            self.start[module],
            self.end[module],
            self.end[parts[at - 1]],
            self.start[form],
            self.end[form],
            requires,
            alias,
            names,
            None if star_readers else readers,
            star,
            star_readers,
            scope,
        )
        return at, entry

    def _listed(self, vector: int) -> tuple[ImportedName, ...]:
        found: list[ImportedName] = []
        parts = self.forms(vector) if self.kind[vector] == VECTOR else []
        at = 0
        while at < len(parts):
            name = alias = parts[at]
            at += 1
            if at + 1 < len(parts) and self.is_keyword(parts[at], ":as"):
                alias, at = parts[at + 1], at + 2
            if self.kind[name] == SYMBOL == self.kind[alias]:
                found.append(
                    ImportedName(
                        self.text_of(name),
                        self.start[name],
                        self.end[name],
                        self.text_of(alias),
                        self.start[alias],
                        self.end[alias],
                    )
                )
        return tuple(found)


def mangled_parts(name: str) -> tuple[str, str]:
    """The first part of a dotted name and the rest: `a-b.c` is `a_b` and `c`."""
    first, _, rest = name.partition(".")
    return mangle(first), rest
