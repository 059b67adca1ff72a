"""What operators of torch's are like whatever they are given, worked out once for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

_ARITHMETIC = frozenset({"add", "sub", "rsub", "mul", "div", "pow", "lerp", "addcmul", "addcdiv"})

_VALUES_DECIDE = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape, torch.Tag.inplace_view)


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """An operator, compared by its identity: its own hash is worked out by Python each time."""

    func: Any
    draws: bool
    """Whether it draws random numbers."""
    mutates: bool
    """Whether it writes to what it is given."""
    written_to: tuple[str, ...]
    """The arguments that take what it makes, as `out` does."""
    shapes_decide: bool
    """Whether the metadata of what it makes rests on that of its inputs alone."""
    calculates: bool
    """Whether it calculates with the real numbers that it is given and nothing else: those of an optimizer change with
    each step."""
    compares: bool
    """Whether it answers if two tensors have the same values."""
    profiles: bool
    """Whether it is what optimizers tell torch's profiler: no operator on tensors."""


def traits_of(func: Any) -> Traits:
    """The traits of an operator, or of what torch treats as one."""
    found = _known.get(id(func))
    if found is None:
        found = _known[id(func)] = _worked_out(func)
    return found


_known: dict[int, Traits] = {}
"""By identity: what is kept is never another's."""


def _worked_out(func: Any) -> Traits:
    if not isinstance(func, torch._ops.OpOverload):
        return Traits(func, False, False, (), False, False, False, False)
    schema, tags = func._schema, func.tags
    name = schema.name.partition("::")[2]
    written_to = tuple(argument.name for argument in schema.arguments if argument.is_out)
    shapes_decide = (
        func.namespace in ("aten", "prims")
        and not name.startswith(("lift", "as_strided", "set_", "resize"))
        and name != "_local_scalar_dense"
        and not written_to  # it gets the size that it needs
        and (func is torch.ops.aten.index.Tensor or not any(tag in tags for tag in _VALUES_DECIDE))
    )
    return Traits(
        func,
        draws=torch.Tag.nondeterministic_seeded in tags,
        mutates=schema.is_mutable,
        written_to=written_to,
        shapes_decide=shapes_decide,
        calculates=name.removesuffix("_") in _ARITHMETIC,
        compares=func in (torch.ops.aten.equal.default, torch.ops.aten.allclose.default),
        profiles=func.namespace == "profiler" and name.startswith("_record_function_"),
    )
