"""Probes: every expression of a document that has a place in its text tells which value passed there, to what
`instrument.py` put around it."""

from __future__ import annotations

import ast
import builtins
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from mino_lsp.types import Evidence, Fact, ModuleValue, OtherValue, Span, Statistics, TensorValue, Value
from mino_lsp.worker.elements import statistics
from mino_lsp.worker.instrument import AGAIN, MADE, SEEN, TURNS, Instrument, Place, place_of
from mino_lsp.worker.source import Source
from mino_lsp.worker.steps import Step
from mino_lsp.worker.unknown import KINDS

MAX_VALUES = 8
"""How many distinct values are kept at one place."""

MEASURED = 1 << 16
"""Elements of a tensor that is measured where it is the first at its place: a fifth of a millisecond's work."""

FIRST_SECONDS, FLUSH_SECONDS = 0.004, 0.05
"""How soon what a form has shown is handed on for the first time, and later."""

IDLE_TURNS = 2
"""How many turns of a loop that tell nothing new are enough to leave it, once its share of the budget is used."""


def summarize(value: Any, torch: Any) -> Value:
    """What is told of a value. It reads attributes of tensors and modules and changes nothing."""
    if isinstance(value, torch.Tensor) and has_shape(value):
        role = "parameter" if isinstance(value, torch.nn.Parameter) else ""
        dtype = str(value.dtype).removeprefix("torch.")
        return TensorValue(tuple(map(int, value.shape)), dtype, str(value.device), value.requires_grad, role)
    if isinstance(value, torch.nn.Module) and "_parameters" in value.__dict__:
        parts: list[tuple[str, str]] = []
        for name, parameter in value._parameters.items():
            if parameter is not None:
                parts.append((name, f"Parameter {_made(parameter)}"))
        for name, buffer in value._buffers.items():
            if buffer is not None:
                parts.append((name, f"buffer {_made(buffer)}"))
        for name, module in value._modules.items():
            if module is not None:
                parts.append((name, type(module).__name__))
        count = sum(parameter.numel() for parameter in value.parameters() if has_shape(parameter))
        return ModuleValue(type(value).__name__, count, tuple(parts[:16]))
    return OtherValue(KINDS.get(type(value)) or type(value).__name__)


def has_shape(tensor: Any) -> bool:
    """Whether a tensor can be asked for its shape: not a parameter of a lazy module before its first call, nor rows of
    several lengths."""
    return not hasattr(tensor, "materialize") and not tensor.is_nested


def _made(tensor: Any) -> str:
    shape = shape_text(tensor.shape) if has_shape(tensor) else "[?]"
    return f"{shape} {_short(tensor.dtype)}"


def shape_text(shape: Any) -> str:
    return "[" + " ".join(map(str, shape)) + "]"


def _short(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


class Recorder:
    """Collects what the probes saw and hands it on, new facts soon and then at most every `FLUSH_SECONDS`."""

    def __init__(self, torch: Any, ignored: object, publish: Callable[[tuple[Fact, ...]], None]) -> None:
        self._torch = torch
        self._tensor, self._module_class = torch.Tensor, torch.nn.Module
        self._ignored = ignored
        self._publish = publish
        self._facts: dict[Place, dict[Any, Value | None]] = {}
        self._modules: dict[int, tuple[weakref.ref[Any], tuple[Any, ...], ModuleValue]] = {}
        self._fresh: set[Place] = set()
        self._origins: dict[int, tuple[weakref.ref[Any], Span]] = {}
        self._last: dict[Place, tuple[Any, int]] = {}
        self._steps: dict[Span, Step] = {}
        self._pause = FIRST_SECONDS
        self._next_flush = 0.0
        self.evidence: Evidence = "preview"
        self.loops_until = float("inf")
        self.left = False
        """Whether a loop was left early: what fails afterwards may fail of that alone."""
        self._evidence: dict[Place, Evidence] = {}
        self._measures: dict[Place, Statistics] = {}
        self._found = 0
        self._turns: dict[Place, tuple[int, int]] = {}
        builtins.__dict__[TURNS] = self.turns
        builtins.__dict__[AGAIN] = self.again
        builtins.__dict__[SEEN] = self.seen
        builtins.__dict__[MADE] = self.made

    def seen(self, place: Place, value: Any) -> Any:
        if isinstance(value, self._tensor) and has_shape(value):
            # The key is what a fact shows, in the cheapest form that tells two facts apart.
            key: Any = (value.shape, value.dtype, value.device, value.requires_grad, type(value))
            self._last[place] = key, id(value)
        elif isinstance(value, self._module_class) and "_parameters" in value.__dict__:
            key = self._module(value)
            self._last[place] = key, id(value)
        elif value is self._ignored:
            return value
        else:
            key = type(value)
        values = self._facts.get(place)
        if values is None:
            values = self._facts[place] = {}
        if key not in values:
            if not values:
                self._measure(place, value)
            kept = len(values) < MAX_VALUES
            values[key] = (key if isinstance(key, ModuleValue) else summarize(value, self._torch)) if kept else None
            self._fresh.add(place)
            self._evidence[place] = self.evidence
            self._found += 1
        if self._fresh and time.monotonic() > self._next_flush:
            self.flush()
        return value

    def _measure(self, place: Place, value: Any) -> None:
        """Look at the elements of what passes first at a place, where they are what a run would have."""
        if self.evidence == "preview" and isinstance(value, self._tensor):
            found = statistics(value, MEASURED)
            if found is not None:
                self._measures[place] = found

    def made(self, place: Place, value: Any) -> Any:
        if isinstance(value, (self._tensor, self._module_class)):
            known = self._origins.get(id(value))
            if known is None or known[0]() is not value:
                self._origins[id(value)] = (weakref.ref(value), Span(*place[1:]))
        return self.seen(place, value)

    def _module(self, module: Any) -> ModuleValue:
        """A module's summary, made again only when its parts are others than before."""
        parts = (
            *map(id, module._modules.values()),
            *((id(one), one.dtype) for one in module._buffers.values() if one is not None),
            *((id(one), one.dtype) for one in module.parameters()),
        )
        known = self._modules.get(id(module))
        if known is not None and known[0]() is module and known[1] == parts:
            return known[2]
        summary = summarize(module, self._torch)
        assert isinstance(summary, ModuleValue)
        if all(map(has_shape, module.parameters())):  # else it becomes another at its first call
            self._modules[id(module)] = (weakref.ref(module), parts, summary)
        return summary

    @property
    def on_shapes(self) -> bool:
        """Whether there are no values, but shapes and dtypes only."""
        return self.evidence != "preview"

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

    def again(self, place: Place) -> bool:
        """Whether the `while` at `place` takes another turn."""
        found, idle = self._turns.get(place, (-1, 0))
        idle = idle + 1 if found == self._found else 0
        self._turns[place] = (self._found, idle)
        return not self._leaves(idle)

    def _leaves(self, idle: int) -> bool:
        if idle < IDLE_TURNS or time.process_time() < self.loops_until:
            return False
        self.assume()
        self.left = True
        return True

    def instrument(self, tree: ast.Module, source: Source, steps: dict[Span, Step] | None = None) -> ast.Module:
        """Put probes into a tree whose positions are still Hy's. `steps` fills with what its expressions do."""
        steps = {} if steps is None else steps
        for node in ast.walk(tree):
            # Hy leaves some without an end, as the value of a `match` whose clause ends in a statement; the end of the
            # node around it may lie before their beginning.
            if isinstance(node, (ast.expr, ast.stmt)) and node.end_lineno is None:
                node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
        probed: ast.Module = Instrument(source, steps).visit(tree)
        self.learn(steps)
        return ast.fix_missing_locations(probed)

    def learn(self, steps: dict[Span, Step]) -> None:
        """What expressions do that will be evaluated."""
        self._steps.update(steps)

    def origin(self, value: object) -> Span | None:
        """The expression that made a tensor or module, where one of the document did."""
        known = self._origins.get(id(value))
        return known[1] if known is not None and known[0]() is value else None

    def reached(self, span: Span) -> bool:
        """Whether anything passed at just this place."""
        return place_of(span) in self._facts

    def origin_of(self, identity: int) -> Span | None:
        """The same, of the living object of an identity."""
        known = self._origins.get(identity)
        return known[1] if known is not None and known[0]() is not None else None

    def step(self, span: Span) -> Step | None:
        """What the expression at `span` does with what."""
        return self._steps.get(span)

    def last(self, span: Span) -> tuple[Value | None, int]:
        """The tensor or module that passed last at `span`, and its identity; (None, 0) if it was neither."""
        key, identity = self._last.get(place_of(span), (None, 0))
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

    def silence(self) -> None:
        """Tell nothing any more."""
        self._publish = lambda facts: None

    def flush(self) -> None:
        if self._fresh:
            facts = []
            for place in sorted(self._fresh):
                values = self._facts[place]
                kept = tuple(value for value in values.values() if value is not None)
                evidence, found = self._evidence[place], self._measures.get(place)
                facts.append(Fact(Span(*place[1:]), kept, len(values), evidence, statistics=found))
            self._fresh.clear()
            self._publish(tuple(facts))
        self._pause = min(2 * self._pause, FLUSH_SECONDS)
        self._next_flush = time.monotonic() + self._pause
