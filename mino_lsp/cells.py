"""A cell of a notebook: whether it is Hy, and what stands for it in the program that the cells are together.

The code of a cell keeps its length, so that an offset in it is one in the cell. Lines that are no Hy (`%time`, `!ls`)
are comments to whoever reads it.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import Literal

from mino_lsp.submitted import difference
from mino_lsp.syntax import Text, Tree, read

Speech = Literal["hy", "python", ""]

_CELL_MAGIC = re.compile(r"\s*%%(\S*)")
_LINE_MAGIC = re.compile(r"^[ \t]*([%!])(?=\S)", re.M)
_AROUND_THE_SAME = frozenset({"time", "timeit", "capture", "prun"})
"""The magics of cells after which the language of the cell goes on."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a cell gives to the program. `trees` stand for it there, none where it is left out; the cell's own text
    begins `lead` characters after their beginning. `tree` is that of the cell alone, empty where it is not Hy."""

    speech: Speech
    source: str
    text: Text
    tree: Tree
    trees: tuple[Tree, ...]
    lead: int = 0


def speech(language: str, source: str) -> Speech:
    """What a cell is written in, by the language that the client gives it and its first line."""
    magic = _CELL_MAGIC.match(source)
    if magic is not None and magic[1] == "hy":
        return "hy"
    if magic is not None and magic[1] not in _AROUND_THE_SAME:
        return ""
    return "hy" if language == "hy" else "python" if language == "python" else ""


def part(language: str, source: str, before: Part | None) -> Part:
    """Of a cell with this text. `before` is what it was, so that only what has changed is read."""
    spoken = speech(language, source)
    if spoken == "hy":
        tree = _without_magics(source, before.tree if before is not None and before.speech == "hy" else None)
        # A return at the end and our newline would be one line end.
        between = " \n" if source.endswith("\r") else "\n"
        return Part("hy", source, Text(tree.source), tree, (tree, read(between)))
    if spoken == "python":
        quoted, lead = _in_hy(_python(source))
        return Part("python", source, Text(source), read(""), (read(quoted),), lead)
    return Part("", source, Text(source), read(""), ())


def _without_magics(source: str, before: Tree | None) -> Tree:
    """The tree of a cell, with comments in the place of lines that are no Hy: those that begin with `%` or `!` where no
    form is open."""
    tree = read(source) if before is None else before.edit(*difference(before.source, source))
    for line in _LINE_MAGIC.finditer(source):
        at = line.start(1)
        path = tree.path_at(at)
        if len(path) == 1 and path[0].start == at:
            tree = tree.edit(at, at + 1, ";")
    return tree


def _python(source: str) -> str:
    """The text of a Python cell, with comments in the place of magics if it is no Python with them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _LINE_MAGIC.sub(lambda line: line[0][:-1] + "#", source)
    return source


def _in_hy(python: str) -> tuple[str, int]:
    """A form of Hy that executes some Python, and where that begins in it."""
    name = "python"
    while f"]{name}]" in python:
        name += "-"
    opening = f"(pys #[{name}["
    return f"{opening}{python}]{name}])\n", len(opening)
