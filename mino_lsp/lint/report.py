"""All findings of a document."""

from __future__ import annotations

from mino_lsp.analysis import names_of
from mino_lsp.lint.findings import Finding
from mino_lsp.lint.walk import findings
from mino_lsp.syntax import Tree


def lint(tree: Tree) -> tuple[Finding, ...]:
    """What is wrong with the forms of a document that can be read."""
    macros = names_of(tree).macros
    found = []
    for start, piece in tree.pieces():
        found += [
            Finding(one.start + start, one.end + start, one.code, one.message, one.severity)
            for one in findings(piece, macros)
        ]
    return tuple(found)
