"""The regular expressions of Hy's tokens.

White space is what Hy's reader skips, which is neither Python's nor Unicode's: ``[ \\t\\n\\r\\f\\v]``. Whatever else
is not a delimiter belongs to an identifier, NUL and U+2028 included.
"""

import re

SPACE = r" \t\n\r\f\v"
_DELIMITERS = r"""()\[\]{}";'`~"""
_NAME = rf"[^{SPACE}{_DELIMITERS}]"
_FIRST = rf"[^{SPACE}{_DELIMITERS}:\#]"

# One token with the white space before it. ``lastindex`` says which; 0 groups: only white space was left.
NAME, NAME_QUOTE, OPENER, CLOSER, STRING, QUOTE, COMMENT, KEYWORD, MARK, BRACKET, HASH = range(1, 12)
TOKEN = re.compile(
    rf"[{SPACE}]*(?:"
    rf"({_FIRST}{_NAME}*)(\")?"  # 1 identifier, 2 the quote right after it
    rf"|([(\[{{]|\#[({{])"  # 3 opener
    rf"|([)\]}}])"  # 4 closer
    rf'|("[^"\\]*")'  # 5 a whole string without escapes
    rf'|(")'  # 6 the start of any other string
    rf"|(;[^\n]*)"  # 7 comment
    rf"|(:{_NAME}*)"  # 8 keyword
    rf"|('|`|~@?)"  # 9 quote and its kin
    rf"|(\#\[)"  # 10 bracket string
    rf"|(\#{_NAME}*)"  # 11 tag: a prefix such as #_ or a reader macro
    rf")?"
)

STRING_BODY = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
BRACKET_OPENING = re.compile(r"\#\[([^\[\]]*)(.?)", re.DOTALL)
SPACES = re.compile(rf"[{SPACE}]*")

# In an f-string: what is literal, and what follows the form of a field.
FSTRING_TEXT = re.compile(r'[^"\\{}]*')
FSTRING_FORMAT = re.compile(r"[^{}]*")
FSTRING_BRACKET = re.compile(r"[^\]{}]*")
FIELD_TAIL = re.compile(rf"[{SPACE}]*(?:=[{SPACE}]*)?(?:!.?)?[{SPACE}]*", re.DOTALL)
