"""What really passes at each expression of a program: a plain run in a process of its own, with recording calls that
share nothing with the previewing path. No limits, no modes, no forks, no server.

`python oracle.py` answers each line of its input, the path of a program, with a line of JSON: a list of [start, end,
[[shape, dtype, device], …]] for each expression that was evaluated, offsets in characters, with the tensors that passed
there; or null, with what went wrong on stderr. Each program has a process of its own, forked from one that has imported
torch.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import signal
import sys
import types
from pathlib import Path
from typing import Any

import hy
import torch
import torch._dynamo  # which optimizers import at first use, in each fork if not here
from hy.compiler import hy_compile

NAME = "_oracle_"

SECONDS = 60
"""How long a program may run."""


class _Recording(ast.NodeTransformer):
    """Each expression that is read becomes an argument of the recording call, with its place as Hy wrote it; of those
    within each other that share a place only the outermost. A variable is recorded where it is written, too."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.around: tuple[Any, ...] = ()

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, (ast.pattern, ast.alias)):
            return node
        visitor = getattr(self, f"visit_{type(node).__name__}", None)
        if visitor is not None:
            return visitor(node)
        if not isinstance(node, ast.expr) or isinstance(node, (ast.Constant, ast.Starred, ast.JoinedStr, ast.Slice)):
            return self.generic_visit(node)
        if isinstance(node, ast.FormattedValue):
            return self.generic_visit(node)
        place = _place(node)
        around, self.around = self.around, place
        if not _dotted(node):
            self.generic_visit(node)
        self.around = around
        if place == around or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
        return _told(node, place)

    def visit_arguments(self, node: ast.arguments) -> ast.arguments:
        node.defaults = [self.visit(one) for one in node.defaults]
        node.kw_defaults = [one and self.visit(one) for one in node.kw_defaults]
        return node

    def visit_Assign(self, node: Any) -> list[ast.stmt]:
        """What is assigned to shows its value just after."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = self.stored(*targets) if node.value is not None else []
        self.generic_visit(node)
        return [node, *map(ast.Expr, names)]

    visit_AnnAssign = visit_AugAssign = visit_Assign

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        names = self.stored(node.target)
        self.generic_visit(node)
        return _last([node, *names])

    def visit_For(self, node: Any) -> Any:
        names = self.stored(node.target)
        self.generic_visit(node)
        node.body[:0] = map(ast.Expr, names)
        return node

    visit_AsyncFor = visit_For

    def visit_With(self, node: Any) -> Any:
        names = self.stored(*(item.optional_vars for item in node.items if item.optional_vars))
        self.generic_visit(node)
        node.body[:0] = map(ast.Expr, names)
        return node

    visit_AsyncWith = visit_With

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        names = self.stored(node.target)
        self.generic_visit(node)
        if names:
            node.ifs.insert(0, ast.Tuple([*names, ast.Constant(0)], ast.Load()))
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        caught = [one for one in ast.walk(node.pattern) if isinstance(one, ast.MatchAs) and one.name]
        names = [_told(ast.Name(one.name or "", ast.Load()), _place(one)) for one in caught]
        self.generic_visit(node)
        node.body[:0] = map(ast.Expr, names)
        return node

    def visit_FunctionDef(self, node: Any) -> Any:
        names = _given(node)
        self.generic_visit(node)
        node.body[:0] = map(ast.Expr, names)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        names = _given(node)
        self.generic_visit(node)
        node.body = _last([node.body, *names])
        return node

    def stored(self, *targets: ast.expr) -> list[ast.expr]:
        """Readings of the variables and attributes in targets that somebody wrote, not a macro."""
        found: list[ast.expr] = []
        for target in targets:
            for one in ast.walk(target):
                if not isinstance(getattr(one, "ctx", None), ast.Store) or not isinstance(
                    one, (ast.Name, ast.Attribute)
                ):
                    continue
                if self.lines[one.lineno - 1][one.col_offset - 1] not in "([{#":
                    read: Any = ast.parse(ast.unparse(one), mode="eval").body
                    found.append(_told(read, _place(one)))
        return found


def _dotted(node: ast.expr) -> bool:
    """Whether this is a name with parts: one thing."""
    inner = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return inner is not node and isinstance(inner, ast.Name)


def _place(node: Any) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _told(node: ast.expr, place: tuple[int, ...]) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(NAME, ast.Load()), [*map(ast.Constant, place), node], []), node)


def _given(node: Any) -> list[ast.expr]:
    """Readings of a function's parameters."""
    lists = node.args
    given = [*lists.posonlyargs, *lists.args, *lists.kwonlyargs]
    return [_told(ast.Name(one.arg, ast.Load()), _place(one)) for one in given]


def _last(parts: list[ast.expr]) -> ast.expr:
    """All of `parts`, the value that of the first; the others are evaluated after it."""
    return ast.Subscript(ast.Tuple(parts, ast.Load()), ast.Constant(0), ast.Load())


def run(file: Path) -> list[Any]:
    """Run a program as `hy FILE` would, and tell what tensors passed where."""
    text = file.read_text("utf-8")
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    found: dict[tuple[int, int], list[Any]] = {}

    def record(line: int, column: int, end_line: int, end_column: int, value: Any) -> Any:
        place = (starts[line - 1] + column - 1, starts[end_line - 1] + end_column)
        found.setdefault(place, [])
        if isinstance(value, torch.Tensor):
            told = [list(value.shape), str(value.dtype).removeprefix("torch."), str(value.device)]
            if told not in found[place]:
                found[place].append(told)
        return value

    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=str(file))
    sys.modules["__main__"] = module
    sys.argv = [str(file)]
    module.__dict__[NAME] = record
    for form in hy.read_many(text, filename=str(file)):
        tree = _Recording(text.split("\n")).visit(
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


def answer(file: Path) -> None:
    """Write one line: what a fork of this process observes."""
    child = os.fork()
    if not child:
        signal.alarm(SECONDS)
        with contextlib.redirect_stdout(io.StringIO()):
            found = run(file)
        data = json.dumps(found).encode() + b"\n"
        while data:
            data = data[os.write(1, data) :]
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        os.write(1, b"null\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        answer(Path(line.strip()))
