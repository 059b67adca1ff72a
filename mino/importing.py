"""Source columns of Hy files that require mino's macros, corrected as Hy's importer compiles them.

What `mino.columns` does for the procedures of mus, wherever they are compiled, this does for everything else in such
a file, when it is imported or run with `hy FILE`: threads in functions, calls of models at the top. Hy's importer
hands each syntax tree to Python's `source_to_code`; `install` puts itself between the two, corrects the trees of
files that name mino's macro modules, and leaves every other file alone. It is the one place where mino reaches into
Hy, and does nothing where a later Hy has no such place.
"""

from __future__ import annotations

import ast
import functools
from typing import Any

import hy.importer

from mino.columns import leading_bytes

MACROS = frozenset(("mino.mu", "mino.spec", "mino.thread"))


def install() -> None:
    """Corrects the files that are compiled from now on, that which is just requiring mino's macros included."""
    original = getattr(hy.importer, "_py_source_to_code", None)
    if original is None or hasattr(original, "mino_corrects"):
        return

    @functools.wraps(original)
    def source_to_code(loader: Any, data: Any, path: Any, **options: Any) -> Any:
        if isinstance(data, ast.Module) and requires_mino(data):
            correct(data, loader.get_data(path).decode("utf-8"))
        return original(loader, data, path, **options)

    source_to_code.mino_corrects = True  # type: ignore[attr-defined]
    hy.importer._py_source_to_code = source_to_code


def requires_mino(tree: ast.Module) -> bool:
    """Whether a module's tree names a module of mino's macros, as its `require` compiles."""
    return any(isinstance(node, ast.Constant) and node.value in MACROS for node in _nodes(tree))


def correct(tree: ast.Module, source: str) -> None:
    """Turns the columns in `tree`, characters from 1, into CPython's, bytes from 0, in place.

    Forms that a macro read from another text may lie beyond the last line.
    """
    lines = dict(enumerate(source.split("\n"), 1))
    for node in _nodes(tree):
        line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
        if line and column:
            node.col_offset = leading_bytes(lines.get(line, ""), column - 1)  # type: ignore[attr-defined]
        line, column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
        if line and column:
            node.end_col_offset = leading_bytes(lines.get(line, ""), column)  # type: ignore[attr-defined]


def _nodes(tree: ast.AST) -> list[ast.AST]:
    """Each node once: Hy puts some into a tree in two places."""
    return list({id(node): node for node in ast.walk(tree)}.values())
