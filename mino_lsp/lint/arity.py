"""How many forms the core macros take."""

from __future__ import annotations

from collections.abc import Iterator

from mino_lsp.lint.findings import Call, Finding, at, checks, counted, shown
from mino_lsp.syntax import Kind

_ANY = None
# The least and the most forms, and how the call is written.
_TAKES: dict[str, tuple[int, int | None, str]] = {
    "if": (3, 3, "(if test then else); with one branch, write (when test form …)"),
    "when": (1, _ANY, "(when test form …)"),
    "while": (1, _ANY, "(while test form …)"),
    "not": (1, 1, "(not x)"),
    "bnot": (1, 1, "(bnot x)"),
    "get": (2, _ANY, "(get x key …)"),
    "cut": (1, 4, "(cut x start end step)"),
    "quote": (1, 1, "(quote form)"),
    "quasiquote": (1, 1, "(quasiquote form)"),
    "return": (0, 1, "(return x)"),
    "await": (1, 1, "(await x)"),
    "assert": (1, 2, "(assert test message)"),
    "break": (0, 0, "(break)"),
    "continue": (0, 0, "(continue)"),
    "annotate": (2, 2, "(annotate name type)"),
    "setx": (2, 2, "(setx name value)"),
    "match": (1, _ANY, "(match x pattern form …)"),
    ".": (1, _ANY, "(. x name …)"),
    "yield": (0, 2, "(yield x)"),
    **{name: (1, _ANY, f"({name} x …)") for name in ("=", "is", "<", "<=", ">", ">=", "-", "/", "&", "@")},
    **{name: (2, _ANY, f"({name} x y …)") for name in ("!=", "is-not", "in", "not-in", "**", "//", "<<", ">>")},
    **{name: (2, 2, f"({name} x y)") for name in ("%", "^", "%=", "^=")},
    **{name: (2, _ANY, f"({name} x y …)") for name in ("+=", "-=", "*=", "/=", "//=", "**=", "<<=", ">>=", "&=")},
    **{name: (2, _ANY, f"({name} x y …)") for name in ("|=", "@=")},
}
# Called with an unpacked iterable, these are the functions of `hy.pyops`.
_OPERATORS = {
    *("not", "bnot", "=", "is", "<", "<=", ">", ">=", "!=", "is-not", "in", "not-in", "-", "/", "&", "@", "**", "//"),
    *("<<", ">>", "%", "^", "get"),
}


@checks(*(f"hy:{name}" for name in _TAKES))
def takes(call: Call) -> Iterator[Finding]:
    name = call.key.removeprefix("hy:")
    if name in _OPERATORS and any(one.kind is Kind.UNPACK_ITERABLE for one in call.args):
        return
    least, most, example = _TAKES[name]
    count = len(call.args)
    if count < least:
        found = f"{counted(count, 'form')}" if count else "nothing"
        yield call.at_head("arity", f"`{call.name}` needs more than {found}: write {example}.")
    elif most is not None and count > most:
        extra = call.args[most]
        yield at(extra, "arity", f"`{shown(extra)}` is one form too many for `{call.name}`: write {example}.")
