"""Values as forms: what a model keeps beside its parameters and modules. Only exact types are written, since a
subclass may mean something else."""

from __future__ import annotations

import builtins
import enum
import math
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import hy
import torch
from hy.models import Dict, Expression, Float, Integer, Keyword, List, Object, Set, String, Symbol, Tuple, as_model

from mino.forms import call, dotted
from mino.specs.foreign import Raised, attempt

# Modules that `import torch` has made attributes of it; names in them are written in full.
_PARTS = """
    nn nn.functional nn.init nn.utils nn.utils.rnn linalg fft special autograd distributions optim func utils.data amp
    sparse signal random cuda backends
"""
_TORCH = ("torch", *(f"torch.{name}" for name in _PARTS.split()))

# The names that forms of values use; a captured variable of such a name would hide them.
USED = frozenset(("torch", "hy", "slice", "range", "frozenset", "bytearray", "complex", "dict", "type", "setattr"))

Write = Callable[[Any], Object]


def literal(value: Any, write: Write) -> Object | None:
    """The form of a plain value, whose parts `write` writes; nothing for what has none."""
    kind = type(value)
    if value is None or value is Ellipsis or kind is bool:
        return Symbol("..." if value is Ellipsis else str(value))
    if kind in (int, str, bytes, float) or kind is Keyword:
        return _atom(value)
    if kind is complex:
        return call("complex", Float(value.real), Float(value.imag))
    if kind is bytearray:
        return call("bytearray", as_model(bytes(value)))
    if kind in _SEQUENCES:
        return _SEQUENCES[kind]([write(each) for each in value])
    if kind is frozenset:
        return call("frozenset", Set([write(each) for each in value]))
    if kind is dict:
        return Dict([write(part) for pair in value.items() for part in pair])
    if kind is slice or kind is range:
        return call(kind.__name__, *(write(each) for each in (value.start, value.stop, value.step)))
    if kind is OrderedDict:
        pairs = [Tuple([write(part) for part in pair]) for pair in value.items()]
        return call("hy.I.collections.OrderedDict", List(pairs))
    if isinstance(value, Object):
        return Expression([Symbol("quote"), value])
    return of_torch(value)


_SEQUENCES: dict[type, type] = {list: List, tuple: Tuple, set: Set}


def _atom(value: Any) -> Object:
    """Hy reads `-1` and `NaN` as numbers, as it writes them."""
    made: Object = value if type(value) is Keyword else as_model(value)
    return made


def of_torch(value: Any) -> Object | None:
    """The form of one of torch's own values that are no tensors: a dtype, a device, a size and so on."""
    if type(value) in (torch.dtype, torch.memory_format, torch.layout):
        return name_of(str(value))
    if type(value) is torch.device:
        return call("torch.device", String(str(value)))
    if type(value) is torch.Size:
        return call("torch.Size", List(map(Integer, value)))
    return None


def name_of(name: str) -> Object:
    """A dotted name as one writes it in Hy: `torch.nn.functional.max-pool2d`."""
    return dotted(".".join(hy.unmangle(part) for part in name.split(".")))


def keyword(name: str) -> Keyword:
    """The keyword of a parameter: `:batch-first`."""
    return Keyword(hy.unmangle(name))


def torch_module(value: Any) -> Object | None:
    """The full name of a module of torch that `import torch` brings; nothing for everything else."""
    if not isinstance(value, types.ModuleType) or value.__name__ not in _TORCH:
        return None
    return name_of(value.__name__) if sys.modules.get(value.__name__) is value else None


def reference(value: Any) -> Object | None:
    """The name by which an import finds a module, function, class or member of an enumeration; nothing for what none
    finds: what was defined in a function, or in a program that is run, which is `__main__`."""
    if isinstance(value, types.ModuleType):
        return _name_of_module(value)
    if isinstance(value, enum.Enum):
        owner = reference(type(value))
        return Expression([Symbol("."), owner, Symbol(value.name)]) if owner is not None else None
    if not isinstance(value, type) and not isinstance(value, _NAMED):
        return None
    name = getattr(value, "__name__", "")
    if getattr(builtins, name, None) is value:
        return dotted(f"hy.I.builtins.{name}")
    for home, name in _candidates(value):
        module = sys.modules.get(home)
        if home != "__main__" and module is not None and _found(module, name) is value:
            known = _name_of_module(module)
            if known is not None:
                return _joined(known, name)
    return None


_NAMED = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    type(torch.ops.aten.relu),
    type(torch.ops.aten.relu.default),
)


def _candidates(value: Any) -> list[tuple[str, str]]:
    """Where a value may be found: the public names of torch first, then where it says that it is defined."""
    module = attempt(getattr, value, "__module__", None)
    qualname = attempt(getattr, value, "__qualname__", None)
    name = attempt(getattr, value, "__name__", None)
    if isinstance(name, Raised) or not isinstance(name, str):
        return []
    found = [(home, name) for home in _TORCH]
    found += [(home, _short(name)) for home in ("torch.special", "torch.linalg", "torch.fft", "torch.nn.functional")]
    found += [("torch", f"Tensor.{name}")]
    found += [("torch.nn.functional", alias) for alias in _dispatched(value)]
    if isinstance(module, str) and isinstance(qualname, str) and "<" not in qualname:
        found.append((module, qualname))
    return found


def _short(name: str) -> str:
    """`norm` of `linalg_norm`, as torch calls the functions of its sub-modules in C."""
    return name.partition("_")[2]


def _dispatched(value: Any) -> list[str]:
    """The public names of torch's functions that dispatch on a flag, which all say that they are called `fn`."""
    if getattr(value, "__module__", None) != "torch.nn.functional" or value.__name__ != "fn":
        return []
    return [name for name, each in vars(torch.nn.functional).items() if each is value and name[0] != "_"]


def _found(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = attempt(getattr, found, part, None)
    return found


def _name_of_module(module: types.ModuleType) -> Object | None:
    """`torch.nn.functional`, or `hy.I.os/path`, which imports the module where it is evaluated."""
    name = module.__name__
    if name == "__main__" or sys.modules.get(name) is not module:
        return None
    return torch_module(module) or dotted(f"hy.I.{'/'.join(hy.unmangle(part) for part in name.split('.'))}")


def _joined(known: Object, name: str) -> Object:
    parts = [Symbol(hy.unmangle(part)) for part in name.split(".")]
    first = list(known)[1:] if isinstance(known, Expression) else [known]
    return Expression([Symbol("."), *first, *parts])


def same(one: Any, other: Any) -> bool:
    """Whether two values of attributes are the same for a module: equal, and of one type, in all their parts."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is dict:
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, torch.Tensor | torch.nn.Module):
        return False
    return attempt(lambda: one == other) is True
