"""What is left of a run's models when it has ended: their trees, what their parameters hold, and which never learnt.

A run's expressions are not probed. Two things are watched that cost it nothing it would notice: the end of each module,
for a model usually ends with the function that trained it, and the steps of optimizers, where gradients are to be seen.
"""

from __future__ import annotations

import gc
from typing import Any

import torch
from torch import nn
from torch.optim import optimizer as optimizers
from torch.utils.weak import WeakIdKeyDictionary

from mino_lsp.types import Fact, Model, Problem, Span, Statistics, Value
from mino_lsp.worker.elements import statistics
from mino_lsp.worker.probe import shape_text, summarize
from mino_lsp.worker.source import Source
from mino_lsp.worker.trees import Written, whole

MOST_ROOTS, MOST_NAMED = 16, 4


class Models:
    """The models of one run. Made before its program begins."""

    def __init__(self, source: Source) -> None:
        self._written = Written(source)
        self._models: dict[tuple[Any, ...], Model] = {}
        self._values: dict[Span, dict[Value, tuple[Any, ...]]] = {}
        self._statistics: dict[Span, Statistics] = {}
        self._problems: dict[Span, Problem] = {}
        self._within: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._learnt: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._missing: WeakIdKeyDictionary = WeakIdKeyDictionary()
        # A function, which a class turns into a method; a method of ours would stay one of ours.
        nn.Module.__del__ = lambda module: self._end(module)
        optimizers.register_optimizer_step_pre_hook(self._step)

    def read(self, form: Any) -> None:
        """Note where the mus and the components of a form are written."""
        self._written.read(form)

    def told(self) -> tuple[tuple[Model, ...], tuple[Fact, ...], tuple[Problem, ...]]:
        """The models, what their components hold, and warnings. Called when the program has ended."""
        alive = [value for value in gc.get_objects() if issubclass(type(value), nn.Module)]
        inner = {id(part) for module in alive if whole(module) for part in module.modules() if part is not module}
        for module in alive:
            if id(module) not in inner:
                self._end(module)
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
        """A module is about to end, or the program has: keep what is to be told of it."""
        if self._within.get(module) or not whole(module):
            return
        parts = list(module.named_modules())
        for _, part in parts[1:]:
            self._within[part] = True
        parameters = list(module.named_parameters())
        shape = (type(module).__name__, *((name, parameter.shape) for name, parameter in parameters))
        if not parameters or (shape not in self._models and len(self._models) >= MOST_ROOTS):
            return
        self._models[shape] = self._written.tree(type(module).__name__, module)
        self._look(module)
        self._warn(module, parameters)

    # ---- what is told

    def _look(self, module: Any) -> None:
        """What the components of the document's mus hold."""
        for _, part in module.named_modules():
            kind = type(part).__name__
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
            found = self._written.at(type(owner).__name__, part) or found
            owner = getattr(owner, part, None)
        return found
