"""Probes: every expression of a document that has a place in its text tells which value passed there.

A document's Python AST is rewritten so that such an expression goes through a function that returns what it is given.
Only previews are: a probe that isn't there costs nothing.
"""

from __future__ import annotations

import ast
import builtins
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from hy import mangle

from mino_lsp.types import Evidence, Fact, ModuleValue, OtherValue, Span, TensorValue, Value
from mino_lsp.worker.source import Source
from mino_lsp.worker.steps import Step, step_of

MAX_VALUES = 8
"""How many distinct values are kept at one place."""

FIRST_SECONDS, FLUSH_SECONDS = 0.004, 0.05
"""How soon what a form has shown is handed on for the first time, and later."""

IDLE_TURNS = 2
"""How many turns of a loop that tell nothing new are enough to leave it, once its share of the budget is used."""

_SEEN, _MADE = "__mino_seen__", "__mino_made__"
_TURNS, _AGAIN = "__mino_turns__", "__mino_again__"
"""The probes' names: builtins of the session's process, so that no namespace of the user's shows them."""

_Node = TypeVar("_Node", bound=ast.AST)


class _Instrument(ast.NodeTransformer):
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
        return self._call(_SEEN if isinstance(node, (ast.Name, ast.Attribute)) else _MADE, node, span)

    def _seen(self, node: ast.expr, span: Span) -> ast.expr:
        return self._call(_SEEN, node, span)

    def _call(self, name: str, node: ast.expr, span: Span) -> ast.expr:
        start, end = ast.Constant(span.start), ast.Constant(span.end)
        call = ast.Call(ast.Name(name, ast.Load()), [start, end, node], [])
        for part in (call, call.func, start, end):
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

    visit_Constant = visit_Slice = visit_arguments = visit_MatchValue = visit_alias = _leave
    visit_MatchClass = visit_MatchMapping = visit_Global = visit_Nonlocal = _leave
    visit_Starred = visit_Lambda = visit_JoinedStr = visit_FormattedValue = _children_only

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A dotted name is one thing: `torch.nn.functional` is not probed part by part."""
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if not isinstance(inner, ast.Name):
            return self.visit_expr(node)
        span = self._source.node_span(node)
        return node if span == self._outer or not isinstance(node.ctx, ast.Load) else self._probe(node, span)

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        """What is assigned to a name is recorded at the name as well; what is unpacked, after that."""
        named = [
            target for target in node.targets if isinstance(target, ast.Name) and not target.id.startswith("_hy_anon_")
        ]
        unpacked = [probe for target in node.targets if target not in named for probe in self._stored(target)]
        spans = [self._source.node_span(target) for target in named]
        value = self._source.node_span(node.value)
        self.generic_visit(node)
        for span in spans:
            if span != value and span.start < span.end:
                node.value = self._seen(node.value, span)
        return [node, *unpacked]

    def _stored(self, target: ast.expr) -> list[ast.stmt]:
        """Statements that record the names that a target gives values to."""
        if isinstance(target, (ast.Tuple, ast.List)):
            return [probe for part in target.elts for probe in self._stored(part)]
        if isinstance(target, ast.Starred):
            return self._stored(target.value)
        span = self._source.node_span(target)
        # A name that a macro made has the place of the macro's call, whose value it is not.
        if not isinstance(target, ast.Name) or mangle(self._source.text[span.start : span.end] or "_") != target.id:
            return []
        name = ast.copy_location(ast.Name(target.id, ast.Load()), target)
        return [ast.copy_location(ast.Expr(self._seen(name, span)), target)]

    def _probe_arguments(self, node: Any) -> Any:
        """Arguments are recorded when the function is entered, after its docstring."""
        self.generic_visit(node)
        lists = node.args
        arguments = [*lists.posonlyargs, *lists.args, *lists.kwonlyargs]
        probes: list[ast.stmt] = []
        for argument in arguments:
            span = self._source.node_span(argument)
            if span != self._source.node_span(node):
                name = ast.copy_location(ast.Name(argument.arg, ast.Load()), argument)
                probes.append(ast.copy_location(ast.Expr(self._seen(name, span)), argument))
        docstring = ast.get_docstring(node, clean=False) is not None
        node.body[docstring:docstring] = probes
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _probe_arguments

    def visit_For(self, node: ast.For) -> ast.AST:
        """A loop's variables are recorded at each turn."""
        self.generic_visit(node)
        node.body[:0] = self._stored(node.target)
        turns = ast.Call(ast.Name(_TURNS, ast.Load()), [node.iter], [])
        node.iter = ast.copy_location(turns, node.iter)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        """A loop that tells nothing more may be left before its next turn; not one that a run would never leave."""
        self.generic_visit(node)
        leaving = (ast.Break, ast.Return)
        if isinstance(node.test, ast.Constant) and not any(isinstance(part, leaving) for part in ast.walk(node)):
            return node
        place = self._source.node_span(node)
        again = ast.Call(ast.Name(_AGAIN, ast.Load()), [ast.Constant(place.start)], [])
        node.test = ast.copy_location(ast.BoolOp(ast.And(), [node.test, again]), node.test)
        return node


def summarize(value: Any, torch: Any) -> Value:
    """What is told of a value. It reads attributes of tensors and modules and changes nothing."""
    is_lazy = torch.nn.parameter.is_lazy
    if isinstance(value, torch.Tensor) and not is_lazy(value):
        role = "parameter" if isinstance(value, torch.nn.Parameter) else ""
        dtype = str(value.dtype).removeprefix("torch.")
        return TensorValue(tuple(map(int, value.shape)), dtype, str(value.device), value.requires_grad, role)
    if isinstance(value, torch.nn.Module) and "_parameters" in value.__dict__:
        parts: list[tuple[str, str]] = []
        for name, parameter in value._parameters.items():
            if parameter is not None:
                parts.append((name, _part("Parameter", parameter, is_lazy(parameter))))
        for name, buffer in value._buffers.items():
            if buffer is not None:
                parts.append((name, _part("buffer", buffer, is_lazy(buffer))))
        for name, module in value._modules.items():
            if module is not None:
                parts.append((name, type(module).__name__))
        count = sum(0 if is_lazy(parameter) else parameter.numel() for parameter in value.parameters())
        return ModuleValue(type(value).__name__, count, tuple(parts[:16]))
    return OtherValue(type(value).__name__)


def _part(kind: str, tensor: Any, lazy: bool) -> str:
    """A parameter or buffer of a module; one that is uninitialized has no size yet."""
    return f"{kind} {'[?]' if lazy else shape_text(tensor.shape)} {_short(tensor.dtype)}"


def shape_text(shape: Any) -> str:
    return "[" + " ".join(map(str, shape)) + "]"


def _short(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


class Recorder:
    """Collects what the probes saw and hands it on, new facts soon and then at most every `FLUSH_SECONDS`."""

    def __init__(self, torch: Any, ignored: object, publish: Callable[[tuple[Fact, ...]], None]) -> None:
        self._torch = torch
        self._tensor, self._module_class = torch.Tensor, torch.nn.Module
        self._lazy = torch.nn.parameter.UninitializedTensorMixin
        self._ignored = ignored
        self._publish = publish
        self._facts: dict[tuple[int, int], dict[Any, Value | None]] = {}
        self._modules: dict[int, tuple[weakref.ref[Any], int, ModuleValue]] = {}
        self._fresh: set[tuple[int, int]] = set()
        self._origins: dict[int, tuple[weakref.ref[Any], Span]] = {}
        self._last: dict[tuple[int, int], tuple[Any, int]] = {}
        self._steps: dict[Span, Step] = {}
        self._pause = FIRST_SECONDS
        self._next_flush = 0.0
        self.evidence: Evidence = "preview"
        self.loops_until = float("inf")
        self._evidence: dict[tuple[int, int], Evidence] = {}
        self._found = 0
        self._turns: dict[int, tuple[int, int]] = {}
        builtins.__dict__[_TURNS] = self.turns
        builtins.__dict__[_AGAIN] = self.again
        builtins.__dict__[_SEEN] = self.seen
        builtins.__dict__[_MADE] = self.made

    def seen(self, start: int, end: int, value: Any) -> Any:
        if isinstance(value, self._tensor) and not isinstance(value, self._lazy):
            # The key is what a fact shows, in the cheapest form that tells two facts apart.
            key: Any = (value.shape, value.dtype, value.device, value.requires_grad, type(value))
            self._last[start, end] = key, id(value)
        elif isinstance(value, self._module_class) and "_parameters" in value.__dict__:
            key = self._module(value)
            self._last[start, end] = key, id(value)
        elif value is self._ignored:
            return value
        else:
            key = type(value)
        place = (start, end)
        values = self._facts.get(place)
        if values is None:
            values = self._facts[place] = {}
        if key not in values:
            kept = len(values) < MAX_VALUES
            values[key] = (key if isinstance(key, ModuleValue) else summarize(value, self._torch)) if kept else None
            self._fresh.add(place)
            self._evidence[place] = self.evidence
            self._found += 1
        if self._fresh and time.monotonic() > self._next_flush:
            self.flush()
        return value

    def made(self, start: int, end: int, value: Any) -> Any:
        if isinstance(value, (self._tensor, self._module_class)):
            known = self._origins.get(id(value))
            if known is None or known[0]() is not value:
                self._origins[id(value)] = (weakref.ref(value), Span(start, end))
        return self.seen(start, end, value)

    def _module(self, module: Any) -> ModuleValue:
        """A module's summary, made again only when it has more or fewer parts than before: counting takes time."""
        size = len(module._parameters) + len(module._modules) + len(module._buffers)
        known = self._modules.get(id(module))
        if known is not None and known[0]() is module and known[1] == size:
            return known[2]
        summary = summarize(module, self._torch)
        assert isinstance(summary, ModuleValue)
        if not any(isinstance(parameter, self._lazy) for parameter in module.parameters()):
            self._modules[id(module)] = (weakref.ref(module), size, summary)
        return summary

    def assume(self) -> None:
        """What is found from here on rests on an assumption."""
        self.evidence = "assumed"

    def turns(self, iterable: Any) -> Iterator[Any]:
        """The turns of a `for`, until two whole ones told nothing new and the CPU time up to `loops_until` is used."""
        found, idle = self._found, 0
        for item in iterable:
            if self._leaves(idle):
                return
            yield item
            idle = idle + 1 if self._found == found else 0
            found = self._found

    def again(self, place: int) -> bool:
        """Whether the `while` at `place` takes another turn."""
        found, idle = self._turns.get(place, (-1, 0))
        idle = idle + 1 if found == self._found else 0
        self._turns[place] = (self._found, idle)
        return not self._leaves(idle)

    def _leaves(self, idle: int) -> bool:
        if idle < IDLE_TURNS or time.process_time() < self.loops_until:
            return False
        self.assume()
        return True

    def instrument(self, tree: ast.Module, source: Source) -> ast.Module:
        """Put probes into a tree whose positions are still Hy's."""
        probed: ast.Module = _Instrument(source, self._steps).visit(tree)
        return ast.fix_missing_locations(probed)

    def origin(self, value: object) -> Span | None:
        """The expression that made a tensor or module, where one of the document did."""
        known = self._origins.get(id(value))
        return known[1] if known is not None and known[0]() is value else None

    def reached(self, span: Span) -> bool:
        """Whether anything passed at just this place."""
        return (span.start, span.end) in self._facts

    def origin_of(self, identity: int) -> Span | None:
        """The same, of the living object of an identity."""
        known = self._origins.get(identity)
        return known[1] if known is not None and known[0]() is not None else None

    def step(self, span: Span) -> Step | None:
        """What the expression at `span` does with what."""
        return self._steps.get(span)

    def last(self, span: Span) -> tuple[Value | None, int]:
        """The tensor or module that passed last at `span`, and its identity; (None, 0) if it was neither."""
        key, identity = self._last.get((span.start, span.end), (None, 0))
        if isinstance(key, tuple):
            shape, dtype, device, requires_grad, _ = key
            return TensorValue(tuple(map(int, shape)), _short(dtype), str(device), requires_grad, ""), identity
        return key, identity

    def summary(self, value: Any) -> Value:
        """What is told of a value."""
        return summarize(value, self._torch)

    def begin(self) -> None:
        """A form begins: what it shows first is handed on soon."""
        self._pause = FIRST_SECONDS
        self._next_flush = time.monotonic() + FIRST_SECONDS

    def flush(self) -> None:
        if self._fresh:
            facts = []
            for place in sorted(self._fresh):
                values = self._facts[place]
                kept = tuple(value for value in values.values() if value is not None)
                facts.append(Fact(Span(*place), kept, len(values), self._evidence[place]))
            self._fresh.clear()
            self._publish(tuple(facts))
        self._pause = min(2 * self._pause, FLUSH_SECONDS)
        self._next_flush = time.monotonic() + self._pause
