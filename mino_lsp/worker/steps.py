"""What an instrumented expression does with what: read off its node, for the sentences about its failures."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mino_lsp.types import Span
from mino_lsp.worker.source import Source


@dataclass(frozen=True, slots=True)
class Operand:
    """One value that goes into a step. `variable` is the name that holds it, `keyword` the one that it is given by;
    `constant` its value where it is written out; `threaded` whether it is itself a step that something is threaded
    into, so that its text alone is not an expression; `listed` whether it is one of a list."""

    span: Span
    variable: str = ""
    keyword: str = ""
    constant: Any = None
    threaded: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`name` is the operator or the last part of what is called, `function` all of it as Python writes it."""

    name: str
    function: str
    operands: tuple[Operand, ...]


def step_of(node: ast.Call | ast.BinOp | ast.Compare, source: Source) -> Step:
    if isinstance(node, ast.Call):
        function = ast.unparse(node.func)
        return Step(function.rpartition(".")[2], function, tuple(_operands(node, source)))
    operator = node.op if isinstance(node, ast.BinOp) else node.ops[0]
    name = _OPERATORS.get(type(operator), type(operator).__name__)
    return Step(name, name, tuple(_operands(node, source)))


_OPERATORS: dict[type[ast.AST], str] = {
    ast.MatMult: "@",
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "=",
    ast.NotEq: "!=",
}


def _operands(node: ast.Call | ast.BinOp | ast.Compare, source: Source) -> Iterator[Operand]:
    if isinstance(node, ast.BinOp):
        # (+ a b c) is two operations, and one expression of the user's.
        if isinstance(node.left, ast.BinOp) and source.node_span(node.left) == source.node_span(node):
            yield from _operands(node.left, source)
        else:
            yield _operand(node.left, source)
        yield _operand(node.right, source)
    elif isinstance(node, ast.Compare):
        yield _operand(node.left, source)
        yield _operand(node.comparators[0], source)
    else:
        if isinstance(node.func, ast.Attribute) and _stands_apart(node.func, source):
            yield _operand(node.func.value, source)
        for argument in node.args:
            if isinstance(argument, (ast.List, ast.Tuple)):
                yield from (_operand(element, source, listed=True) for element in argument.elts)
            else:
                yield _operand(argument, source)
        for keyword in node.keywords:
            yield _operand(keyword.value, source, keyword.arg or "")


def _stands_apart(method: ast.Attribute, source: Source) -> bool:
    """Whether what a method is of can be told from the step: a part of a dotted name has the place of all of it, which
    may be that of the step, and is known by its name only."""
    return isinstance(method.value, ast.Name) or source.node_span(method.value) != source.node_span(method)


def _operand(node: ast.expr, source: Source, keyword: str = "", listed: bool = False) -> Operand:
    span = source.node_span(node)
    constant = _constant(node)
    variable = node.id if isinstance(node, ast.Name) else ""
    inner = step_parts(node)
    threaded = any(not span.contains(source.node_span(part)) for part in inner)
    return Operand(span, variable, keyword, constant, threaded, listed)


def step_parts(node: ast.expr) -> list[ast.expr]:
    """What goes into a node, if it is a step itself."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Call):
        receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [*receiver, *node.args, *(keyword.value for keyword in node.keywords)]
    return []


def _constant(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if isinstance(value, (int, float)) else None
    return None
