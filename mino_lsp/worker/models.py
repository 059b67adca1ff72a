"""What is left of a run's models when it has ended: their trees, what their parameters hold, and which never learnt.

A run's expressions are not probed. Two things are watched that cost it nothing it would notice: the end of each module,
for a model usually ends with the function that trained it, and the steps of optimizers, where gradients are to be seen.
Of models that are alike, as `bind` makes them at each turn of a loop, only some are looked at when they end; of the
others what is needed is kept until the next one ends, so that the last is always told of.
"""

from __future__ import annotations

import contextlib
import gc
from time import perf_counter as _now
from typing import Any

import torch
from torch import nn
from torch.optim import optimizer as optimizers
from torch.utils.weak import WeakIdKeyDictionary

from mino_lsp.types import Fact, Model, Problem, Span, Statistics, Value
from mino_lsp.worker.elements import statistics
from mino_lsp.worker.probe import has_shape, shape_text, summarize
from mino_lsp.worker.source import Source
from mino_lsp.worker.trees import Written, whole

MOST_ROOTS, MOST_NAMED = 16, 4

SHARE = 0.01
"""Of a run's time, so much may go into looking at models that are like one that was looked at before."""

KEPT = 1 << 22
"""Elements of a model that is kept, as the last of its shape, until it is looked at: 16 MB."""

_Shape = tuple[Any, ...]


class Models:
    """The models of one run. Made before its program begins."""

    def __init__(self, source: Source) -> None:
        self._written = Written(source)
        self._models: dict[_Shape, Model] = {}
        self._again: dict[_Shape, float] = {}
        self._waiting: dict[_Shape, tuple[type, dict[str, Any]]] = {}
        self._last: tuple[type | None, float, list[int]] = (None, 0.0, [])
        self._values: dict[Span, dict[Value, tuple[Any, ...]]] = {}
        self._statistics: dict[Span, Statistics] = {}
        self._problems: dict[Span, Problem] = {}
        self._within: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._maybe_within: set[int] = set()
        self._learnt: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._missing: WeakIdKeyDictionary = WeakIdKeyDictionary()
        # A function, which a class turns into a method; a method of ours would stay one of ours.
        end = self._end
        nn.Module.__del__ = lambda module: end(module)
        optimizers.register_optimizer_step_pre_hook(self._step)

    def read(self, form: Any) -> None:
        """Note where the mus and the components of a form are written."""
        self._written.read(form)

    def told(self) -> tuple[tuple[Model, ...], tuple[Fact, ...], tuple[Problem, ...]]:
        """The models, what their components hold, and warnings. Called when the program has ended."""
        for shape, (kind, held) in list(self._waiting.items()):
            self._look_later(shape, kind, held)
        alive = [value for value in gc.get_objects() if issubclass(type(value), nn.Module)]
        inner = {id(part) for module in alive if whole(module) for part in module.modules() if part is not module}
        for module in alive:
            if id(module) not in inner and self._is_root(module):
                self._tell(module, self._shape(_parts(module)))
        facts = tuple(
            Fact(span, tuple(values), len(values), statistics=self._statistics.get(span))
            for span, values in sorted(self._values.items())
        )
        problems = tuple(self._problems[span] for span in sorted(self._problems))
        return tuple(self._models.values()), facts, problems

    # ---- while it runs

    def _step(self, optimizer: Any, arguments: Any, keywords: Any) -> None:
        """Note which parameters have a gradient at a step; those that have had one are not looked at again."""
        if torch.compiler.is_compiling():
            return
        groups, waiting = self._missing.get(optimizer, (0, []))
        if groups != len(optimizer.param_groups):
            waiting = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        elif not waiting:
            return  # as soon as may be: a small model takes a quarter of a millisecond for a step
        for parameter in waiting:
            if parameter.grad is not None:
                self._learnt[parameter] = True
        waiting = [parameter for parameter in waiting if parameter.grad is None]
        self._missing[optimizer] = (len(optimizer.param_groups), waiting)

    def _end(self, module: Any) -> None:
        """A module is about to end: keep what is to be told of it, or what that needs."""
        kind, until, identity = self._last
        began = _now()
        if kind is type(module) and began < until and _identity(module) == identity:
            return  # as soon as may be, here too
        if not self._is_root(module):
            return
        parts = _parts(module)
        for part in parts[1:]:
            self._within[part] = True
            self._maybe_within.add(id(part))
        shape = self._shape(parts)
        if not shape:
            return
        if began < self._again.get(shape, 0.0):
            self._keep_for_later(shape, module, parts)
            return
        self._waiting.pop(shape, None)
        self._last = (None, 0.0, [])
        self._tell(module, shape)
        now = _now()
        self._again[shape] = now + (now - began) / SHARE

    def _is_root(self, module: Any) -> bool:
        """Whether a module can be asked and is none that was part of another."""
        if not whole(module) or (id(module) in self._maybe_within and module in self._within):
            self._maybe_within.discard(id(module))
            return False
        return True

    def _shape(self, parts: list[Any]) -> _Shape:
        """What the models have in common of which one entry is made: the class and its parameters. Nothing where there
        are none, or where there are enough models already."""
        held = [(name, _size(one)) for part in parts for name, one in part._parameters.items() if one is not None]
        found = (type(parts[0]).__name__, *held)
        return found if held and (found in self._models or len(self._models) < MOST_ROOTS) else ()

    def _keep_for_later(self, shape: _Shape, module: Any, parts: list[Any]) -> None:
        """Keep the parts of a module that ends, and not the module, whose end is the program's."""
        held = [one for part in parts for kept in (part._parameters, part._buffers) for one in kept.values()]
        if sum([one.numel() for one in held if one is not None and _size(one) is not None]) <= KEPT:
            kept = {name: vars(module)[name] for name in ("_parameters", "_buffers", "_modules")}
            self._waiting[shape] = type(module), kept
            self._last = type(module), self._again[shape], _identity(module)

    def _look_later(self, shape: _Shape, kind: type, held: dict[str, Any]) -> None:
        """Tell of a module that has ended, in the shape of another one that has its parts."""
        with contextlib.suppress(TypeError):  # a class that inherits a type of C's cannot be made this way
            module: Any = object.__new__(kind)
            vars(module).update(held)
            self._tell(module, shape)
            vars(module).clear()  # so that its own end is none

    def _tell(self, module: Any, shape: _Shape) -> None:
        """Note all that is told of a model."""
        if shape:
            self._models[shape] = self._written.tree(type(module).__name__, module)
            self._look(module)
            self._warn(module, list(module.named_parameters()))

    # ---- what is told

    def _look(self, module: Any) -> None:
        """What the components of the document's mus hold."""
        for _, part in module.named_modules():
            kind = type(part)
            own = self._written.at(kind)
            if own is None:
                continue
            self._keep(own, part)
            for name in (*part._parameters, *part._buffers, *part._modules):
                place = self._written.at(kind, name)
                value = getattr(part, name, None)
                if place is not None and value is not None:
                    self._keep(place, value)

    def _keep(self, place: Span, value: Any) -> None:
        summary = summarize(value, torch)
        self._values.setdefault(place, {})[summary] = ()
        if isinstance(value, torch.Tensor) and (found := statistics(value)) is not None:
            self._statistics[place] = found

    def _warn(self, module: Any, parameters: list[tuple[str, Any]]) -> None:
        """A parameter that never got a gradient, where others of its model did: at its component."""
        asking = [(name, one) for name, one in parameters if one.requires_grad]
        never = [(name, one) for name, one in asking if one.grad is None and one not in self._learnt]
        if len(never) == len(asking):
            return
        named: dict[Span, list[str]] = {}
        for name, parameter in never:
            place = self._component(module, name)
            if place is not None:
                named.setdefault(place, []).append(f"{name} {shape_text(parameter.shape)}")
        for place, names in named.items():
            some = names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"]
            which = f"The parameter {names[0]}" if len(names) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"
            told = f"{which} of {type(module).__name__} never got a gradient in this run"
            hint = f"while others did: does the loss depend on {'it' if len(names) == 1 else 'them'}?"
            self._problems[place] = Problem("no-gradient", "warning", f"{told}, {hint}", place)

    def _component(self, module: Any, name: str) -> Span | None:
        """The component of a mu of the document that a parameter is, or is within; the innermost."""
        found, owner = None, module
        for part in name.split("."):
            found = self._written.at(type(owner), part) or found
            owner = getattr(owner, part, None)
        return found


def _parts(module: Any) -> list[Any]:
    """A module and those within it, each once. Torch's own way takes longer than a small model does."""
    parts, known = [module], {id(module)}
    for part in parts:
        for inner in part._modules.values():
            if inner is not None and id(inner) not in known and whole(inner):
                known.add(id(inner))
                parts.append(inner)
    return parts


def _identity(module: Any) -> list[int]:
    """What tells a module from another of its class that has not the very same tensors and modules."""
    own = module.__dict__
    if "_modules" not in own:
        return []
    parameters, buffers, modules = own["_parameters"], own["_buffers"], own["_modules"]
    return [*map(id, parameters.values()), 0, *map(id, buffers.values()), 0, *map(id, modules.values())]


def _size(tensor: Any) -> Any:
    """The shape of a tensor that has one. Of what most parameters are it is known without asking."""
    known = type(tensor) is nn.Parameter and not tensor.is_nested
    return tensor.shape if known or has_shape(tensor) else None
