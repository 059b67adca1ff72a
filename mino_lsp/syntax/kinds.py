"""What a node of the tree can be, and what can be wrong with it: the words for both."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a form. The value names it; ``CODES`` gives the small number that the reader stores."""

    LIST = "("
    VECTOR = "["
    DICT = "{"
    SET = "#{"
    TUPLE = "#("
    SYMBOL = "symbol"
    KEYWORD = "keyword"
    NUMBER = "number"
    STRING = "string"
    BYTES = "bytes"
    FSTRING = "f-string"
    FIELD = "field"  # one {…} of an f-string: its form, then the fields of its format
    BRACKET_STRING = "bracket string"  # an f-string in brackets is an FSTRING
    QUOTE = "'"
    QUASIQUOTE = "`"
    UNQUOTE = "~"
    UNQUOTE_SPLICE = "~@"
    UNPACK_ITERABLE = "#*"
    UNPACK_MAPPING = "#**"
    ANNOTATION = "#^"  # its type, then its target
    DISCARD = "#_"
    READER_MACRO = "reader macro"  # "#name" alone: how many forms it takes is its own affair
    COMMENT = "comment"
    SHEBANG = "shebang"
    WHITESPACE = "whitespace"  # between top-level nodes only
    ERROR = "error"


KINDS: tuple[Kind, ...] = tuple(Kind)
CODES: dict[Kind, int] = {kind: code for code, kind in enumerate(KINDS)}

SEQUENCES = frozenset({Kind.LIST, Kind.VECTOR, Kind.DICT, Kind.SET, Kind.TUPLE})
PREFIXES = frozenset(
    {
        Kind.QUOTE,
        Kind.QUASIQUOTE,
        Kind.UNQUOTE,
        Kind.UNQUOTE_SPLICE,
        Kind.UNPACK_ITERABLE,
        Kind.UNPACK_MAPPING,
        Kind.ANNOTATION,
        Kind.DISCARD,
    }
)
# What Hy's reader passes over: no form for whoever counts arguments.
TRIVIA = frozenset({Kind.COMMENT, Kind.SHEBANG, Kind.WHITESPACE, Kind.DISCARD, Kind.ERROR})

CLOSER: dict[str, str] = {"(": ")", "[": "]", "{": "}", "#{": "}", "#(": ")"}


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Something that Hy's reader would refuse: where, a stable code, and a sentence for the person who wrote it."""

    start: int
    end: int
    code: str
    message: str

    def shifted(self, by: int) -> "SyntaxProblem":
        return SyntaxProblem(self.start + by, self.end + by, self.code, self.message)


def unclosed(opener: str) -> str:
    return f"This {opener} is never closed: a {CLOSER[opener]} is missing."


def mismatched(opener: str, found: str) -> str:
    return f"This {opener} is closed by {found}, where it needs {CLOSER[opener]}."


def unexpected_closer(closer: str) -> str:
    return f"This {closer} closes nothing."


def unterminated(closer: str) -> str:
    return f"This string never ends: its closing {closer} is missing."


def missing_form(prefix: str) -> str:
    return f"A form is missing after this {prefix}."


LONGEST = 1_000_000
"""Characters. A longer text is no program that a person wrote: it is kept, and not read."""

TOO_LONG = f"This text has more than {LONGEST:,} characters: Mino does not read it. Split it into several files."
BRACKET_FORM = "This is no bracket string: write #[[…]], or #[name[…]name] with the same name at both ends."
DANGLING_HASH = "Nothing follows this #: a tag such as #_ or #{ was expected."
DOTTED_END = "A dotted name can't end with a dot."
DOTTED_PARTS = "Only names may stand between the dots of a dotted name."
DOTTED_RUN = "Several dots in a row may only begin a dotted name."
KEYWORD_DOT = "A keyword can't contain a dot."
BYTES_ASCII = "A bytes string can contain ASCII characters only."
FIELD_EMPTY = "A form is missing in this field: {} is empty."
FIELD_JUNK = "This field of the f-string goes on after its form: expected }, =, ! or : here."
FIELD_BRACE = "A single } in an f-string must be written }}."


def string_prefix(prefix: str) -> str:
    return f"{prefix} is no string prefix: use r, b, f, t, br, rf or rt."


def escape(sequence: str) -> str:
    return f"{sequence} is no escape sequence: write \\\\ for a backslash, or put r before the string."
