"""What really passes at each expression of a program: a plain run in a process of its own, with recording calls that
share nothing with the previewing path. No limits, no modes, no forks, no server.

`python oracle.py FILE` prints JSON: a list of [start, end, [[shape, dtype, device], …]], offsets in characters.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import hy
import torch
from hy.compiler import hy_compile

NAME = "_oracle_"


class _Recording(ast.NodeTransformer):
    """Each expression that is read becomes an argument of the recording call, with its place as Hy wrote it; of those
    within each other that share a place only the outermost."""

    def __init__(self) -> None:
        self.around: tuple[Any, ...] = ()

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, (ast.arguments, ast.pattern, ast.alias, ast.Slice)):
            return node
        if isinstance(node, (ast.Assign, ast.For, ast.FunctionDef)):
            return super().visit(node)
        if not isinstance(node, ast.expr) or isinstance(node, (ast.Constant, ast.Starred, ast.JoinedStr)):
            return self.generic_visit(node)
        if isinstance(node, (ast.FormattedValue, ast.Lambda)):
            return self.generic_visit(node)
        place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
        around, self.around = self.around, place
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute))):
            self.generic_visit(node)
        self.around = around
        if place == around or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
        told = [ast.Constant(part) for part in place]
        return ast.copy_location(ast.Call(ast.Name(NAME, ast.Load()), [*told, node], []), node)

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        """A name that is assigned to shows its value as well, just after."""
        names = [name for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        stored = [name for name in names if isinstance(name.ctx, ast.Store)]
        self.generic_visit(node)
        return [node, *map(_read, stored)]

    def visit_For(self, node: ast.For) -> ast.For:
        names = [name for name in ast.walk(node.target) if isinstance(name, ast.Name)]
        self.generic_visit(node)
        node.body[:0] = map(_read, names)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        self.generic_visit(node)
        node.body[:0] = map(_read, given)
        return node


def _read(node: ast.Name | ast.arg) -> ast.stmt:
    """A statement that records a variable at the place of `node`."""
    place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
    name = node.id if isinstance(node, ast.Name) else node.arg
    return ast.Expr(ast.Call(ast.Name(NAME, ast.Load()), [*map(ast.Constant, place), ast.Name(name, ast.Load())], []))


def run(file: Path) -> list[Any]:
    """Run a program as `hy FILE` would, and tell what tensors passed where."""
    text = file.read_text("utf-8")
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    found: dict[tuple[int, int], list[Any]] = {}

    def record(line: int, column: int, end_line: int, end_column: int, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            place = (starts[line - 1] + column - 1, starts[end_line - 1] + end_column)
            told = [list(value.shape), str(value.dtype).removeprefix("torch."), str(value.device)]
            if told not in found.setdefault(place, []):
                found[place].append(told)
        return value

    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=str(file))
    sys.modules["__main__"] = module
    sys.argv = [str(file)]
    module.__dict__[NAME] = record
    for form in hy.read_many(text, filename=str(file)):
        tree = _Recording().visit(
            hy_compile(hy.models.Expression([hy.models.Symbol("do"), form]).replace(form), module)
        )
        with contextlib.suppress(SystemExit):
            exec(compile(ast.fix_missing_locations(_plain(tree)), str(file), "exec"), module.__dict__)
    return [[start, end, values] for (start, end), values in sorted(found.items())]


def _plain(tree: ast.AST) -> ast.AST:
    """Python refuses a few of the places that Hy writes; nobody looks at them here."""
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = 1  # type: ignore[attr-defined]
            node.col_offset, node.end_col_offset = 0, 1  # type: ignore[attr-defined]
    return tree


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        told = run(Path(sys.argv[1]))
    os.write(1, json.dumps(told).encode())
