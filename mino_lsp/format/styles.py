"""How the lines of a call are indented, by the name of what is called.

A *body* form indents all its lines by two. A *block* does so where its first argument begins a line, and aligns under
that argument otherwise. Any other call aligns under its first argument, or one column after its opening.
"""

from __future__ import annotations

import re
from collections.abc import Set
from enum import Enum

from mino_lsp.syntax import Form, Kind, Tree


class Style(Enum):
    CALL = "call"
    BODY = "body"
    BLOCK = "block"


_BODIES = frozenset(
    {
        *("while", "when", "unless", "for", "try", "except", "except*", "else", "finally", "match", "catch", "mu"),
        *(
            "spec/defgen",
            "branch",
            "ebranch",
            "case",
            "ecase",
            "do-n",
            "list-n",
            "loop",
            "macrolet",
            "smacrolet",
            "block",
        ),
        *("ap-each", "ap-each-while", "ap-when", "ap-dotimes", "eval-and-compile", "eval-when-compile", "do-mac"),
    }
)
_BLOCKS = frozenset(
    {
        *("do", "cond", "if", "lif", "import", "require", "export", "global", "nonlocal", "pragma"),
        *("lfor", "gfor", "sfor", "dfor", "cfor"),
    }
)
# "def…", "let…", "with…", "fn…" and "lambda" as Emacs' hy-mode has them, but no longer words that begin alike.
_BEGINNINGS = re.compile(r"(?:def(?!ault|er|late|eat|end|y)|(?:let|with|fn|lambda)(?![a-z]))")


def style(name: str, bodies: Set[str]) -> Style:
    """The style of a call of ``name``; ``bodies`` are macros with a body that the document defines."""
    if name in _BODIES or name in bodies or _BEGINNINGS.match(name):
        return Style.BODY
    return Style.BLOCK if name in _BLOCKS else Style.CALL


_DEFINERS = frozenset({"defmacro", "defmacro!", "defmacro/g!", "defmacro-kwargs"})


def body_macros(tree: Tree) -> frozenset[str]:
    """The macros at the top level whose last parameter is a body: ``(defmacro name [… #* body] …)``."""
    found = set()
    for form in tree.forms:
        if form.kind is Kind.LIST and form.head_name in _DEFINERS:
            parts = form.forms
            if len(parts) > 2 and parts[1].kind is Kind.SYMBOL and _ends_in_body(parts[2]):
                found.add(parts[1].text)
    return frozenset(found)


def _ends_in_body(parameters: Form) -> bool:
    last = parameters.forms[-1:] if parameters.kind is Kind.VECTOR else ()
    return bool(last) and last[0].kind is Kind.UNPACK_ITERABLE and [part.text for part in last[0].forms] == ["body"]
