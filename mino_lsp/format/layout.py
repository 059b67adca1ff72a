"""What a document, some of its lines, or a new line needs to be laid out well."""

from __future__ import annotations

import re
from collections.abc import Set
from itertools import chain

from mino_lsp.format.edits import Edit
from mino_lsp.format.lines import Lines
from mino_lsp.format.styles import body_macros
from mino_lsp.syntax import Kind, Tree, read
from mino_lsp.syntax.nodes import Piece

# With these, a bracket or a quote may be missing anywhere, and what looks like code may be in a string.
_UNREADABLE = frozenset(
    {
        *("unclosed", "mismatched", "unexpected-closer", "missing-form", "dangling-hash"),
        *("unterminated-string", "invalid-prefix", "invalid-fstring", "invalid-bracket-string"),
    }
)
_SPILLING = frozenset({"unterminated-string", "invalid-prefix", "invalid-fstring", "invalid-bracket-string"})
_LITERALS = {Kind.STRING, Kind.BYTES, Kind.FSTRING, Kind.FIELD, Kind.BRACKET_STRING, Kind.COMMENT}
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_BLANK = re.compile(r"[ \t]*")
_LONGEST = 200_000  # characters of one top-level form that a new line is laid out in


def document(tree: Tree, bodies: Set[str] = frozenset()) -> tuple[Edit, ...]:
    """The edits that lay out the whole text; none where it cannot be read. ``bodies`` are names of macros that have a
    body, beside those of Hy, hyrule, mino and the document."""
    if not tree.is_read or any(problem.code in _UNREADABLE for problem in tree.problems):
        return ()
    return _laid_out(tree, bodies, 0, len(tree), to_the_end=True)


def lines(tree: Tree, start: int, end: int, bodies: Set[str] = frozenset()) -> tuple[Edit, ...]:
    """The edits that lay out the lines from the one that starts at ``start`` to the one that ends at ``end``.

    They touch no other line, nor a top-level form that cannot be read.
    """
    if any(problem.code in _SPILLING for problem in tree.problems):
        return ()
    return _laid_out(tree, bodies, start, end)


def _laid_out(tree: Tree, bodies: Set[str], start: int, end: int, to_the_end: bool = False) -> tuple[Edit, ...]:
    bodies = body_macros(tree) | bodies
    found: list[list[Edit]] = []
    for base, piece in tree.pieces():
        if base + len(piece.text) >= start and base <= end and not _unreadable(piece):
            last = to_the_end and base + len(piece.text) == len(tree)
            laid = Lines(piece, bodies, start - base, end - base, last)
            found.append([edit.shift(base) for edit in laid.edits])
    return tuple(chain.from_iterable(found))


def _unreadable(piece: Piece) -> bool:
    return any(problem.code in _UNREADABLE for problem in piece.problems)


def newline(tree: Tree, offset: int, bodies: Set[str] = frozenset()) -> tuple[Edit, ...]:
    """The edits after a line break was typed before ``offset``: the new line's indentation, and nothing after the line
    before it. What is open around it may be unclosed as yet."""
    base = tree.piece_at(max(offset - 1, 0))[0]
    before = tree.text(base, offset)
    line = max((match.end() for match in _LINE_BREAK.finditer(before)), default=-1)
    if line < 0 or line > _LONGEST or _in_literal(tree, base + line):
        return ()
    column = _column(tree, before[:line], bodies)
    if column is None:
        return ()
    start = base + line
    blank = _BLANK.match(tree.text(start, start + _LONGEST))
    assert blank is not None
    wanted = Edit(start, start + blank.end(), " " * column)
    return tuple(
        edit for edit in (*_trailing(before[:line], base), wanted) if tree.text(edit.start, edit.end) != edit.new
    )


def _in_literal(tree: Tree, offset: int) -> bool:
    return any(form.kind in _LITERALS and form.start < offset < form.end for form in tree.path_at(offset))


def _column(tree: Tree, before: str, bodies: Set[str]) -> int | None:
    """The column at which a form would begin that stood on a line of its own after ``before``: None in a string."""
    probe = " " * (max(map(len, before.split("\n"))) + 2) + "x"
    probed = read(before + probe)
    if any(problem.code in _SPILLING for problem in probed.problems):
        return None
    base, piece = list(probed.pieces())[-1]
    unclosed = frozenset(problem.start for problem in piece.problems if problem.code == "unclosed")
    laid = Lines(piece, body_macros(tree) | bodies, len(before) - base, len(piece.text), unclosed=unclosed)
    return len(laid.edits[-1].new) if laid.edits else None


def _trailing(before: str, base: int) -> list[Edit]:
    """The removal of white space at the end of the last line of ``before``, which ends in a line break."""
    bare = before.rstrip("\r\n") if not before.endswith("\n") else before[:-1].removesuffix("\r")
    kept = len(bare.rstrip(" \t"))
    return [Edit(base + kept, base + len(bare), "")] if kept < len(bare) else []
