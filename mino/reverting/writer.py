"""A whole model as one form: what hangs where, and what is shared.

The model is gone through twice: first each part is counted, then it is written, and what was met more than once is
bound in a `let` around the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import hy
import torch
from hy.models import Expression, Integer, List, Object, String, Symbol
from torch import nn

from mino.forms import call, method
from mino.module import Mu
from mino.reverting import captures, layers, literals
from mino.reverting.irreversible import Irreversible, raising
from mino.reverting.layers import Call
from mino.reverting.tensors import Tensors
from mino.specs.foreign import Raised, attempt
from mino.summary import summary

IT = Symbol("it")


def whole(model: nn.Module, *, strict: bool) -> Object:
    """The form of a model. What cannot be written raises `Irreversible`, or, if not `strict`, is a form that does."""
    counting = Writer(model, strict)
    counting.module(model, "model")
    writer = Writer(model, strict, counting)
    made = writer.module(model, "model")
    return call("let", List(writer.bindings), made) if writer.bindings else made


class Writer:
    """Writes the parts of one model. Without another that `counted` them, it counts them."""

    def __init__(self, model: nn.Module, strict: bool, counted: Writer | None = None) -> None:
        self.bindings: list[Object] = []
        self._strict = strict
        self._counting = counted is None
        self._counts: Counter[int] = counted._counts if counted else Counter()
        # What was counted lives on, so that nothing else has its id.
        self._kept: list[Any] = counted._kept if counted else []
        self._tensors: Tensors = counted._tensors if counted else Tensors(model)
        self._names: dict[int, Symbol] = {}
        self._open: set[int] = set()
        self._evaluating = False

    # ---- parts: each is met here

    def module(self, module: nn.Module, path: str) -> Any:
        return self._part(self._module, module, path)

    def value(self, value: Any, path: str) -> Any:
        """A value that is no sub-module: what is done to the modules around it does not reach what is in it."""
        evaluating, self._evaluating = self._evaluating, False
        try:
            return self._any(value, path)
        finally:
            self._evaluating = evaluating

    def _any(self, value: Any, path: str) -> Any:
        if issubclass(type(value), nn.Module):
            return self.module(value, path)
        if issubclass(type(value), torch.Tensor):
            return self._part(self._tensors.written, value, path)
        return self._part(self._value, value, path)

    def _part(self, write: Callable[[Any, str], Object], value: Any, path: str) -> Any:
        key, can_be_shared = id(value), issubclass(type(value), nn.Module | torch.Tensor | list | dict | set)
        if key in self._names:
            return self._names[key]
        if key in self._open and can_be_shared:
            return self._failed(Irreversible(f"{path} contains itself"))
        if can_be_shared and not self._first(value):
            return IT
        self._open.add(key)
        made = attempt(write, value, path)
        self._open.discard(key)
        if isinstance(made, Raised):
            known = isinstance(made.error, Irreversible)
            return self._failed(made.error if known else Irreversible(f"{path} cannot be read off: {made}"))
        if can_be_shared and self._shared(value):
            self._names[key] = Symbol(f"shared-{len(self._names) + 1}")
            self.bindings += [self._names[key], made]
            return self._names[key]
        return made

    def _first(self, value: Any) -> bool:
        """Counts a part; whether it is to be gone into, which is once while parts are counted."""
        if self._counting:
            self._kept.append(value)
            self._counts[id(value)] += 1
        return not self._counting or self._counts[id(value)] == 1

    def _shared(self, value: Any) -> bool:
        return not self._counting and self._counts[id(value)] > 1

    def _failed(self, error: Exception) -> Object:
        if self._strict:
            raise error
        return raising(error)

    # ---- values and classes

    def _value(self, value: Any, path: str) -> Object:
        made = literals.literal(value, lambda part: self._any(part, path))
        if made is None and isinstance(value, type) and issubclass(value, Mu):
            made = call("type", self._class(value, path))
        made = literals.reference(value) if made is None else made
        if made is None:
            raise Irreversible(f"{path} is {_told(value)}, which cannot be written as an expression")
        return made

    def _class(self, made: type[Mu], path: str) -> Object:
        """The form of a class of mus, with what it captured bound around it."""
        try:
            known = captures.written(made)
            values = captures.values(made, known.reads)
        except Irreversible as error:
            raise Irreversible(f"{path}: {error}") from None
        full = {
            name: module
            for name, value in values.items()
            if name not in known.ambiguous and (module := literals.torch_module(value)) is not None
        }
        form = captures.renamed(known.form, full)
        if form is None:
            form, full = known.form, {}
        bindings: list[Object] = []
        for name, value in values.items():
            if name not in full:
                variable = hy.unmangle(name)
                bindings += [Symbol(variable), self.value(value, f"{path} captures {variable}: {variable}")]
        return call("let", List(bindings), form) if bindings else form

    # ---- modules

    def _module(self, module: nn.Module, path: str) -> Object:
        flags = {each.training for each in module.modules()}
        evaluated = flags == {False} and not self._evaluating
        evaluating, self._evaluating = self._evaluating, self._evaluating or evaluated
        try:
            made, steps = (self._mu(module, path), []) if isinstance(module, Mu) else self._layer(module, path)
        finally:
            self._evaluating = evaluating
        if len(flags) == 2 and not module.training:
            steps = [*steps, _set(_attribute(IT, "training"), Symbol("False"))]
        made = call("let", List([IT, made]), *steps, IT) if steps else made
        return method("eval", made) if evaluated else made

    def _mu(self, mu: Mu, path: str) -> Object:
        made = self._class(type(mu), path)
        problem = layers.unexpected(mu, set(map(hy.mangle, mu.__components__)))
        if problem:
            raise Irreversible(f"{path} {problem}")
        bound: list[Object] = []
        for name, value in _components(mu):
            where = f"{path}.{name}"
            form = self.module(value, where) if isinstance(value, nn.Module) else self.value(value, where)
            bound += [literals.keyword(name), form]
        return call("bind", made, *bound) if bound else made

    def _layer(self, module: nn.Module, path: str) -> tuple[Object, list[Object]]:
        """The call of a module's constructor, and the forms that then change what it made, which is `it`."""
        try:
            described, built = layers.described(module)
        except Irreversible as error:
            raise Irreversible(f"{path} {error}") from None
        places = {id(part): where for part, where in _places(module, path)}
        made = self._call(described, lambda value: self._any(value, places.get(id(value), path)))
        device = described.named.get("device", torch.device("cpu"))
        given = {id(value) for value in described.parts()}
        steps, frozen = _split(self._steps(built, module, IT, path, given, device))
        if frozen and not any(each.requires_grad for each in module.parameters()):
            made, frozen = method("requires-grad_", made, Symbol("False")), []
        return made, [*steps, *frozen]

    def _call(self, described: Call, write: Callable[[Any], Object]) -> Object:
        def argument(value: Any) -> Object:
            if isinstance(value, Call):
                return self._call(value, write)
            # The lists and mappings of parts are those that containers are made of.
            made = literals.literal(value, argument) if isinstance(value, list | dict) else None
            return write(value) if made is None else made

        name = layers.public_name(described.made)
        assert name is not None
        named = [part for key, value in described.named.items() for part in (literals.keyword(key), argument(value))]
        return call(name, *map(argument, described.given), *named)

    def _steps(
        self, built: nn.Module, module: nn.Module, place: Object, path: str, given: set[int], device: torch.device
    ) -> Iterator[tuple[str, Object]]:
        """What is still to be done to a module that its constructor made as `built`: `("set", form)` and
        `("frozen", form)`."""
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            there = _item(module, place, name)
            old = built._parameters[name] if name in module._parameters else built._buffers[name]
            if tensor is None:
                if old is not None:
                    yield "set", _set(there, Symbol("None"))
            elif id(tensor) in given or not self._first(tensor) or self._counting:
                continue
            elif self._shared(tensor) or not self._tensors.made_alike(old, tensor, device):
                yield "set", _set(there, self._any(tensor, f"{path}.{name}"))
            else:
                self._tensors.check_memory(tensor, f"{path}.{name}")
                if old is not None and old.requires_grad != tensor.requires_grad:
                    yield "frozen", method("requires-grad_", there, Symbol(str(tensor.requires_grad)))
        for name, child in module._modules.items():
            if child is None or id(child) in given:
                continue
            there, where = _item(module, place, name), _child(module, path, name)
            old_child = built._modules[name]
            if old_child is None or layers.differing(old_child, child) or self._shared(child):
                yield "set", _set(there, self.module(child, where))
            elif self._first(child):
                if not child.training and not self._evaluating:
                    yield "set", _set(_attribute(there, "training"), Symbol("False"))
                yield from self._steps(old_child, child, there, where, given, device)


def _told(value: Any) -> str:
    if callable(value) and isinstance(attempt(getattr, value, "__name__", None), str):
        return f"the {summary(value)}"
    return f"a value of the class {type(value).__name__}"


def _components(mu: Mu) -> list[tuple[str, Any]]:
    """What is bound, by mangled name: in the order of the components, where the state has that order too."""
    names = [hy.mangle(component) for component in mu.__components__]
    kinds: list[dict[str, Any]] = [mu._parameters, mu._buffers, mu._modules]
    kinds.append({name: value for name, value in mu.__dict__.items() if name in names})
    bound = {name: value for kind in kinds for name, value in kind.items()}
    ordered = [name for name in names if name in bound]
    if any(list(kind) != [name for name in ordered if name in kind] for kind in kinds[:3]):
        ordered = list(bound)
    return [(name, bound[name]) for name in ordered]


def _places(module: nn.Module, path: str) -> Iterator[tuple[Any, str]]:
    for name, part in (*module._modules.items(), *module._parameters.items(), *module._buffers.items()):
        yield part, _child(module, path, name)


def _child(module: nn.Module, path: str, name: str) -> str:
    """Where a part hangs, as one writes it in Python: `model.layers[2]`."""
    if isinstance(module, nn.ModuleDict | nn.ParameterDict):
        return f'{path}["{name}"]'
    return f"{path}[{name}]" if isinstance(module, _NUMBERED) and name.isdecimal() else f"{path}.{name}"


_NUMBERED = (nn.Sequential, nn.ModuleList, nn.ParameterList)


def _item(module: nn.Module, place: Object, name: str) -> Object:
    """The place of a sub-module: `it.layers`, `(. it layers [0])`."""
    if isinstance(module, nn.ModuleDict | nn.ParameterDict):
        return _chain(place, List([String(name)]))
    if isinstance(module, _NUMBERED) and name.isdecimal():
        return _chain(place, List([Integer(int(name))]))
    return _attribute(place, name)


def _attribute(place: Object, name: str) -> Object:
    if not name.isidentifier():
        raise Irreversible(f"a part named {name!r} has no place that Hy can write")
    return _chain(place, Symbol(hy.unmangle(name)))


def _chain(place: Object, link: Object) -> Object:
    before = list(place)[1:] if isinstance(place, Expression) else [place]
    return Expression([Symbol("."), *before, link])


def _set(place: Object, value: Object) -> Object:
    return call("setv", place, value)


def _split(steps: Iterator[tuple[str, Object]]) -> tuple[list[Object], list[Object]]:
    found = list(steps)
    return [form for kind, form in found if kind == "set"], [form for kind, form in found if kind == "frozen"]
