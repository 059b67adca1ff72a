"""Strings of every sort: plain, bytes, raw, in brackets, and f-strings, whose fields hold code and may hold
f-strings."""

import re
from dataclasses import dataclass

from mino_lsp.syntax import kinds, tokens
from mino_lsp.syntax.atoms import bad_escape, valid_prefix
from mino_lsp.syntax.frames import FIELD, FORMAT, LITERAL, Frames
from mino_lsp.syntax.kinds import CODES, Kind

_STRING, _BYTES, _BRACKET = CODES[Kind.STRING], CODES[Kind.BYTES], CODES[Kind.BRACKET_STRING]
_FSTRING, _FIELD, _ERROR = CODES[Kind.FSTRING], CODES[Kind.FIELD], CODES[Kind.ERROR]


@dataclass(slots=True)
class _Open:
    """An f-string that is being read: its closing, whether a backslash means itself, and where it begins."""

    closing: str
    raw: bool
    start: int
    begin: int
    faulty: bool = False  # one problem a string is enough: the others follow from it


def _no_brackets() -> dict[str, int]:
    return {")": 0, "]": 0, "}": 0}


class Strings(Frames):
    """Reads strings; ``settle`` is what every finished form goes through, because it may finish a field."""

    def __init__(self, text: str, base: int) -> None:
        super().__init__(text, base)
        self.brackets = _no_brackets()  # those open in the innermost field, by closer
        self.outside: list[dict[str, int]] = []  # the same around each field that is open
        self.open: list[_Open] = []
        self.short = False  # whether a string that holds a "(" in column 0 is taken to end with its first line
        self.spills = False  # whether there is such a string
        self.unterminated = False

    # Whole strings

    def quoted(self, start: int, quote: int) -> tuple[int, bool]:
        """The string whose prefix starts at ``start`` and whose quote is at ``quote``. As everything here, the answer
        is where to read on, and whether a form ended there."""
        prefix = self.text[start:quote]
        valid = not prefix or valid_prefix(prefix)
        if valid and ("f" in prefix or "t" in prefix):
            return self._begin(start, quote + 1, '"', "r" in prefix)
        found = tokens.STRING_BODY.match(self.text, quote + 1)
        end = found.end() if found else quote + 1
        body = self.text[quote + 1 : end]
        is_bytes = valid and "b" in prefix
        closed = end < len(self.text) and self.text[end] == '"'
        end = end + 1 if closed else len(self.text)
        if "\n(" in body:
            self.spills = True
            if self.short:
                closed, end = False, quote + 1 + len(body.partition("\n")[0].removesuffix("\r"))
        self.add(_BYTES if is_bytes else _STRING, start, end)
        if not closed:
            self._never_ends(start, quote + 1, '"')
        elif not valid:
            self.problem(start, quote, "invalid-prefix", kinds.string_prefix(prefix))
        elif is_bytes and not body.isascii():
            self.problem(start, end, "invalid-bytes", kinds.BYTES_ASCII)
        elif "r" not in prefix:
            self._check_escapes(body, quote + 1, is_bytes)
        return end, True

    def bracketed(self, start: int) -> tuple[int, bool]:
        """The string in brackets that starts at ``start``."""
        found = tokens.BRACKET_OPENING.match(self.text, start)
        name, after = (found.group(1), found.group(2)) if found else ("", "")
        begin = found.end() if found else start
        if after != "[":
            self.unterminated = self.unterminated or not after
            self.add(_ERROR, start, begin)
            self.problem(start, begin if after else start + 2, "invalid-bracket-string", kinds.BRACKET_FORM)
            return begin, False
        if name == "f" or name.startswith("f-"):
            return self._begin(start, begin, "]" + name.replace("{", "{{").replace("}", "}}") + "]", True)
        closing = f"]{name}]"
        end = self.text.find(closing, begin)
        self.add(_BRACKET, start, len(self.text) if end < 0 else end + len(closing))
        if end < 0:
            self._never_ends(start, begin, closing)
        return (len(self.text) if end < 0 else end + len(closing)), True

    def _never_ends(self, start: int, end: int, closing: str) -> None:
        self.unterminated = True
        self.problem(start, end, "unterminated-string", kinds.unterminated(closing))

    def _check_escapes(self, body: str, at: int, is_bytes: bool = False, lenient: bool = False) -> bool:
        span = bad_escape(body, is_bytes, lenient) if "\\" in body else None
        if span is not None:
            self.problem(at + span[0], at + span[1], "invalid-escape", kinds.escape(body[span[0] : span[1]]))
        return span is None

    # F-strings

    def _begin(self, start: int, begin: int, closing: str, raw: bool) -> tuple[int, bool]:
        self.push(_FSTRING, start, begin, LITERAL)
        self.open.append(_Open(closing, raw, start, begin))
        return self.literal(begin)

    def settle(self, pos: int) -> int:
        """A form ended at ``pos``: end the prefixes that waited for it, and if it is the form of a field, the field."""
        while True:
            if not self.fill(pos) or self.need[-1] != FIELD:
                return pos
            pos, ended = self._tail(pos)
            if not ended:
                return pos

    def _tail(self, pos: int) -> tuple[int, bool]:
        """What follows the form of a field: ``=``, a conversion, then a format or the end."""
        found = tokens.FIELD_TAIL.match(self.text, pos)
        at = found.end() if found else pos
        sign = self.text[at : at + 1]
        if sign == ":":
            self.need[-1] = FORMAT
            return self.literal(at + 1)
        if sign == "}":
            return self.end_field(at + 1)
        if not sign:
            return at, False
        self._fault(at, at + 1, kinds.FIELD_JUNK)
        return self.end_field(pos)

    def end_field(self, end: int) -> tuple[int, bool]:
        """End the innermost field and go on with the characters around it."""
        self.pop(end)
        self.brackets = self.outside.pop()
        return self.literal(end)

    def _fault(self, start: int, end: int, message: str) -> None:
        if not self.open[-1].faulty:
            self.open[-1].faulty = True
            self.problem(start, end, "invalid-fstring", message)

    def empty_field(self, start: int) -> tuple[int, bool]:
        self._fault(start, start + 1, kinds.FIELD_EMPTY)
        return self.end_field(start + 1)

    def literal(self, pos: int) -> tuple[int, bool]:
        """Read the characters of the innermost f-string, or of a field's format in it, up to the next field, or to its
        end and whatever follows it in the string around it."""
        while True:
            string, in_format = self.open[-1], self.need[-1] == FORMAT
            end, sign = self._characters(pos, string, in_format)
            if not sign:
                return len(self.text), False
            if not string.raw and not self._check_escapes(self.text[pos:end], pos, lenient=in_format):
                string.faulty = True
            if sign == "{":
                self.push(_FIELD, end, end + 1, FIELD)
                self.outside.append(self.brackets)
                self.brackets = _no_brackets()
                return end + 1, False
            if not in_format:
                self.open.pop()
                self.pop(end + len(string.closing))
                return end + len(string.closing), True
            pos = end + 1
            self.pop(pos)
            self.brackets = self.outside.pop()

    def _characters(self, pos: int, string: _Open, in_format: bool) -> tuple[int, str]:
        """Where the characters from ``pos`` on end, and by what: ``{``, the closing, or ``""`` for the end of the
        text."""
        text, begin, named = self.text, pos, False
        pattern = _pattern(string, in_format)
        while True:
            found = pattern.match(text, pos)
            pos = found.end() if found else pos
            sign, following = text[pos : pos + 1], text[pos + 1 : pos + 2]
            if not sign:
                return pos, ""
            if sign == "\\":
                pos += 1 if following in "{}" else 2
            elif sign == "{":
                if not string.raw and text[max(begin, pos - 2) : pos] == "\\N":
                    named = True
                elif following != "{":
                    return pos, "{"
                else:
                    pos += 1
                pos += 1
            elif sign == "}":
                if in_format:
                    return pos, "}"
                if named:
                    named = False
                elif following == "}":
                    pos += 1
                else:
                    self._fault(pos, pos + 1, kinds.FIELD_BRACE)
                pos += 1
            elif text.startswith(string.closing, pos):
                return pos, string.closing
            else:
                pos += 1

    def end_strings(self) -> None:
        """The text ended within an f-string: report the outermost, which explains the others."""
        if self.open:
            string = self.open[0]
            self._never_ends(string.start, string.begin, string.closing)


def _pattern(string: _Open, in_format: bool) -> re.Pattern[str]:
    if in_format:
        return tokens.FSTRING_FORMAT
    return tokens.FSTRING_TEXT if string.closing == '"' else tokens.FSTRING_BRACKET
