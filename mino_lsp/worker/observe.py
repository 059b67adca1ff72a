"""An observed run: every expression is probed as in a preview, and besides tells what its values are made of.

The first step that produced a NaN is marked, with what went into it. An infinity is none: masks are made of them; it is
told where a NaN came of it.
"""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from mino_lsp.types import Fact, Problem, Related, Span, Statistics
from mino_lsp.worker.elements import statistics
from mino_lsp.worker.instrument import Place, place_of
from mino_lsp.worker.probe import Recorder, has_shape, shape_text

SHARE = 0.25
"""Of the time that an observed run takes, so much may go into statistics that are not the first of their place."""

KEPT = 1 << 20
"""Elements of a tensor that is kept, as the last at its place, until the next one passes there."""


class Observer(Recorder):
    """A recorder that counts, measures, and looks for the first NaN."""

    def __init__(self, ignored: object, publish: Callable[[tuple[Fact, ...]], None]) -> None:
        super().__init__(torch, ignored, lambda facts: publish(tuple(map(self._measured, facts))))
        self._passes: dict[Place, int] = {}
        self._held: dict[Place, Any] = {}
        self._infinite: Span | None = None
        self._making = False
        self._bad_gradient: tuple[str, Statistics] | None = None
        self._began, self._spent = time.perf_counter(), 0.0
        self.first_nan: Problem | None = None
        nn.modules.module.register_module_parameter_registration_hook(self._watch_gradient)

    def seen(self, place: Place, value: Any) -> Any:
        if torch.compiler.is_compiling():
            return value
        made, self._making = self._making, False
        self._observe(place, value, made)
        return super().seen(place, value)

    def made(self, place: Place, value: Any) -> Any:
        if torch.compiler.is_compiling():
            return value
        # What is made is then seen.
        self._making = True
        return super().made(place, value)

    def finish(self) -> None:
        """Publish the last word on every place."""
        self._fresh.update(place for place in self._passes if place in self._facts)
        for place, value in self._held.items():
            if (found := statistics(value)) is not None:
                self._measures[place] = found
        self.flush()

    def _measured(self, fact: Fact) -> Fact:
        return replace(fact, passes=self._passes.get(place_of(fact.span), 0))

    def _measure(self, place: Place, value: Any) -> None:
        """Nothing: what passed last is measured, not what passed first."""

    def _observe(self, place: Place, value: Any, made: bool) -> None:
        span = Span(*place[1:])
        self._passes[place] = self._passes.get(place, 0) + 1
        if self._bad_gradient is not None and self.first_nan is None and made:
            name, gradient = self._bad_gradient
            told = f"The first NaN came in this step, in the gradient of {name}: {_counted(gradient)}."
            self.first_nan = Problem("nan", "warning", told, span, self._inputs(span))
        if not isinstance(value, torch.Tensor) or not has_shape(value):
            return
        began = time.perf_counter()
        first = place not in self._measures
        if first or self._spent < SHARE * (began - self._began):
            found = statistics(value)
            if found is not None:
                self._measures[place] = found
                self._check(found, value, span, made)
        elif self.first_nan is None and (found := _not_finite(value)) is not None:
            self._check(found, value, span, made)
        if value.numel() <= KEPT:
            self._held[place] = value.detach()
        self._spent += time.perf_counter() - began

    def _check(self, found: Statistics, value: Any, span: Span, made: bool) -> None:
        if found.infinite and not found.nan and self._infinite is None and made:
            self._infinite = span
        if not found.nan or self.first_nan is not None:
            return
        inputs = self._inputs(span)
        shape = shape_text(value.shape)
        if made:
            went = ", ".join(item.message for item in inputs)
            told = f"The first NaN was made here: {_counted(found)} of {shape}."
            told += f" What went in: {went}." if went else ""
        else:
            counted = f"{_counted(found)} of {shape}"
            told = f"The first NaN was found here, in a value that no step of this file made: {counted}."
        if self._infinite is not None and any("infinite" in item.message for item in inputs):
            inputs = (*inputs, Related(self._infinite, "where the first infinity was made"))
        self.first_nan = Problem("nan", "warning", told, span, inputs)

    def _inputs(self, span: Span) -> tuple[Related, ...]:
        """The tensors that went into the expression at `span`, with what they were made of."""
        found = []
        step = self.step(span)
        names = _variables()
        for operand in step.operands if step is not None else ():
            place = place_of(operand.span)
            if operand.variable in names:
                # What stands at its place may be another value: that of the dotted name, or of the step itself.
                value = names[operand.variable]
                value = value if isinstance(value, torch.Tensor) and has_shape(value) else None
                measure = None
            elif operand.span == span:
                continue
            else:
                value, measure = self._held.get(place), self._measures.get(place)
            measure = statistics(value) if value is not None else measure
            if measure is not None:
                shape = f"{shape_text(value.shape)} " if value is not None else ""
                found.append(Related(operand.span, shape + _range(measure)))
        return tuple(found)

    def _watch_gradient(self, module: Any, name: str, parameter: Any) -> None:
        """Have a parameter say when its gradient is no number any more."""
        if (
            isinstance(parameter, nn.Parameter)
            and has_shape(parameter)
            and parameter.requires_grad
            and parameter.is_leaf
        ):
            parameter.register_post_accumulate_grad_hook(lambda one: self._look_at_gradient(name, one))

    def _look_at_gradient(self, name: str, parameter: Any) -> None:
        if self.first_nan is None and self._bad_gradient is None and parameter.grad is not None:
            found = _not_finite(parameter.grad)
            if found is not None and found.nan:
                self._bad_gradient = (name, found)


def _variables() -> dict[str, Any]:
    """The variables of the code that is being observed, where it is now."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") in (__name__, Recorder.__module__):
        frame = frame.f_back
    return {**frame.f_globals, **frame.f_locals} if frame is not None else {}


def _not_finite(value: Any) -> Statistics | None:
    """The statistics of a tensor that has an element which is no finite number."""
    if not value.is_floating_point() or value.is_meta or value.layout != torch.strided:
        return None
    if torch._C._functorch.is_functorch_wrapped_tensor(value) or bool(value.detach().isfinite().all()):
        return None
    return statistics(value)


def _counted(found: Statistics) -> str:
    return f"{found.nan:,} of {found.elements:,} element{'' if found.elements == 1 else 's'}"


def _range(found: Statistics) -> str:
    parts = [f"from {found.least:.4g} to {found.most:.4g}"] if found.least == found.least else []
    parts += [f"{found.infinite:,} infinite"] if found.infinite else []
    parts += [f"{found.nan:,} NaN"] if found.nan else []
    return ", ".join(parts)
