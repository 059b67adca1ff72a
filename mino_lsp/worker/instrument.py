"""Where probes are put: a document's Python AST is rewritten so that every expression that has a place in its text goes
through a function that returns what it is given (`probe.Recorder`), and variables are shown where they are written.

Only previews are instrumented: a probe that isn't there costs nothing.
"""

from __future__ import annotations

import ast
from typing import Any, TypeVar

from mino_lsp.types import Span
from mino_lsp.worker.source import Source
from mino_lsp.worker.steps import Step, step_of

SEEN, MADE = "__mino_seen__", "__mino_made__"
TURNS, AGAIN = "__mino_turns__", "__mino_again__"
"""The probes' names: builtins of the session's process, so that no namespace of the user's shows them."""

PLACE = "__mino_place__"
"""A place in a probe begins with it, and code that has moved is told by it where its probes are (`compiled.py`)."""

Place = tuple[str, int, int]

_Node = TypeVar("_Node", bound=ast.AST)


def place_of(span: Span) -> Place:
    return PLACE, span.start, span.end


def _constant(span: Span) -> ast.Constant:
    return ast.Constant(place_of(span))  # type: ignore[arg-type]  # a tuple of constants is one


class Instrument(ast.NodeTransformer):
    """Wraps expressions in probes. Where nodes within each other share one range, as the parts of a macro's expansion
    share that of the call, the outermost is the value of that range."""

    def __init__(self, source: Source, steps: dict[Span, Step]) -> None:
        self._source = source
        self._steps = steps
        self._outer: Span | None = None

    def visit_expr(self, node: ast.expr) -> ast.AST:
        span = self._source.node_span(node)
        if isinstance(node, (ast.Call, ast.BinOp, ast.Compare)) and span != self._outer:
            self._steps[span] = step_of(node, self._source)
        outer, self._outer = self._outer, span
        self.generic_visit(node)
        self._outer = outer
        if span == outer or span.start == span.end or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
        return self._probe(node, span)

    def _probe(self, node: ast.expr, span: Span) -> ast.expr:
        """The node in a probe; a name only shows a value, any other expression may have made it."""
        return self._call(SEEN if isinstance(node, (ast.Name, ast.Attribute)) else MADE, node, span)

    def _seen(self, node: ast.expr, span: Span) -> ast.expr:
        return self._call(SEEN, node, span)

    def _call(self, name: str, node: ast.expr, span: Span) -> ast.expr:
        place = _constant(span)
        call = ast.Call(ast.Name(name, ast.Load()), [place, node], [])
        for part in (call, call.func, place):
            ast.copy_location(part, node)
        return call

    def visit(self, node: ast.AST) -> Any:
        visitor = getattr(self, "visit_" + type(node).__name__, None)
        if visitor is not None:
            return visitor(node)
        return self.visit_expr(node) if isinstance(node, ast.expr) else self.generic_visit(node)

    def _children_only(self, node: _Node) -> _Node:
        self.generic_visit(node)
        return node

    def _leave(self, node: _Node) -> _Node:
        return node

    visit_Constant = visit_MatchValue = visit_alias = _leave
    visit_MatchClass = visit_MatchMapping = visit_Global = visit_Nonlocal = _leave
    visit_Slice = visit_Starred = visit_JoinedStr = visit_FormattedValue = _children_only

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The name by which `mino` sees how columns are counted stands where nothing is written."""
        return node if node.id == "_mino_forward" else self.visit_expr(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A dotted name is one thing: `torch.nn.functional` is not probed part by part."""
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if not isinstance(inner, ast.Name):
            return self.visit_expr(node)
        span = self._source.node_span(node)
        return node if span == self._outer or not isinstance(node.ctx, ast.Load) else self._probe(node, span)

    def visit_Assign(self, node: Any) -> Any:
        """What is assigned is recorded where it is assigned to as well: at a target that takes all of the value with
        the value, at the names among others just after."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = self._source.node_span(node.value) if node.value is not None else None
        whole = [target for target in targets if self._written(target) and not isinstance(node, ast.AugAssign)]
        spans = [self._source.node_span(target) for target in whole]
        after = [target for target in targets if target not in whole]
        reads = self._reads(*after) if node.value is not None else []
        self.generic_visit(node)
        for span in spans:
            if node.value is not None and span != value:
                node.value = self._seen(node.value, span)
        return [node, *reads] if reads else node

    visit_AnnAssign = visit_AugAssign = visit_NamedExpr = visit_Assign

    def _written(self, target: ast.AST) -> bool:
        """Whether a target is a name or an attribute that stands in the text; macros give their own variables the
        place of the whole call."""
        if not isinstance(target, (ast.Name, ast.Attribute)):
            return False
        span = self._source.node_span(target)
        return span.start < span.end and self._source.text[span.start - self._source.base] not in "([{#"

    def _reads(self, *targets: ast.AST) -> list[ast.stmt]:
        """Statements that record the names that are assigned to in targets."""
        return [ast.copy_location(ast.Expr(probe), probe) for probe in self._seen_names(*targets)]

    def _seen_names(self, *targets: ast.AST) -> list[ast.expr]:
        names = [one for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
        return [
            self._seen(ast.copy_location(ast.Name(name.id, ast.Load()), name), self._source.node_span(name))
            for name in names
            if isinstance(name.ctx, ast.Store) and self._written(name)
        ]

    def _parameters(self, node: Any) -> list[ast.expr]:
        """What records a function's arguments."""
        place = self._source.node_span(node)
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        spans = [(one, self._source.node_span(one)) for one in given]
        return [
            self._seen(ast.copy_location(ast.Name(one.arg, ast.Load()), one), span)
            for one, span in spans
            if span != place
        ]

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """Of parameters only the defaults are expressions that pass a value here."""
        node.defaults = [self.visit(one) for one in node.defaults]
        node.kw_defaults = [one and self.visit(one) for one in node.kw_defaults]
        return node

    def visit_FunctionDef(self, node: Any) -> Any:
        """Arguments are recorded when the function is entered, after its docstring."""
        self.generic_visit(node)
        docstring = ast.get_docstring(node, clean=False) is not None
        probes = self._parameters(node)
        node.body[docstring:docstring] = [ast.copy_location(ast.Expr(probe), probe) for probe in probes]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """The same of a function that is one expression."""
        self.generic_visit(node)
        probes = self._parameters(node)
        if probes:
            parts = ast.copy_location(ast.Tuple([*probes, node.body], ast.Load()), node.body)
            last = ast.copy_location(ast.Constant(len(probes)), node.body)
            node.body = ast.copy_location(ast.Subscript(parts, last, ast.Load()), node.body)
        return node

    def visit_With(self, node: Any) -> Any:
        """What a context is called is recorded when it is entered."""
        reads = self._reads(*(item.optional_vars for item in node.items if item.optional_vars is not None))
        self.generic_visit(node)
        node.body[:0] = reads
        return node

    visit_AsyncWith = visit_With

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        """So is what a pattern caught."""
        caught = [one for one in ast.walk(node.pattern) if isinstance(one, ast.MatchAs) and one.name is not None]
        names = [ast.copy_location(ast.Name(one.name or "", ast.Store()), one) for one in caught]
        self.generic_visit(node)
        node.body[:0] = self._reads(*names)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """The variables of a comprehension are recorded at each turn: in a condition that holds."""
        probes = self._seen_names(node.target)
        self.generic_visit(node)
        if probes:
            node.ifs.insert(0, ast.copy_location(ast.Tuple(probes, ast.Load()), node.target))
        return node

    def visit_AsyncFor(self, node: Any) -> Any:
        """So are those of a loop."""
        reads = self._reads(node.target)
        self.generic_visit(node)
        node.body[:0] = reads
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """The turns of a loop are counted as well."""
        self.visit_AsyncFor(node)
        turns = ast.Call(ast.Name(TURNS, ast.Load()), [node.iter], [])
        node.iter = ast.copy_location(turns, node.iter)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        """A loop that tells nothing more may be left before its next turn; not one that a run would never leave."""
        self.generic_visit(node)
        leaving = (ast.Break, ast.Return)
        if isinstance(node.test, ast.Constant) and not any(isinstance(part, leaving) for part in ast.walk(node)):
            return node
        place = _constant(self._source.node_span(node))
        again = ast.Call(ast.Name(AGAIN, ast.Load()), [place], [])
        node.test = ast.copy_location(ast.BoolOp(ast.And(), [node.test, again]), node.test)
        return node
