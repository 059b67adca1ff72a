"""`spec/tensor`: what a tensor's shape, dtype, device and requires-grad are, and between which bounds its elements lie.

Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from hy.models import Keyword

from mino.specs.engine import Failed, Scope, compiling, form
from mino.specs.foreign import Raised, attempt
from mino.specs.names import meant
from mino.specs.problems import Mark, Place
from mino.specs.shapes import ANY, REST, Axis, mismatch

_Tensor = torch.Tensor

KINDS = {
    "float": lambda dtype: dtype.is_floating_point,
    "int": lambda dtype: not (dtype.is_floating_point or dtype.is_complex or dtype is torch.bool),
    "complex": lambda dtype: dtype.is_complex,
    "bool": lambda dtype: dtype is torch.bool,
    "number": lambda dtype: dtype is not torch.bool,
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor. What is None is not asked. `dtypes` are those that conform, `dtype` is how they were written."""

    axes: tuple[Axis, ...] | None = None
    dtype: str | None = None
    dtypes: frozenset[Any] | None = field(default=None, repr=False)
    device: torch.device | None = None
    requires_grad: bool | None = None
    least: float | None = None
    most: float | None = None
    finite: bool = False
    where: Place | None = field(default=None, compare=False)
    # What follows from the rest, computed once: sizes and names by the index of their axis.
    _sizes: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    _names: tuple[tuple[int, str], ...] = field(init=False, repr=False, compare=False)
    _rest: bool = field(init=False, repr=False, compare=False)
    _plain: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        axes = tuple(enumerate(self.axes or ()))
        bounds = (self.requires_grad, self.least, self.most, self.finite or None)
        derived = {
            "_sizes": tuple((index, axis) for index, axis in axes if isinstance(axis, int)),
            "_names": tuple((index, axis) for index, axis in axes if isinstance(axis, str) and axis != ANY),
            "_rest": REST in (self.axes or ()),
            "_plain": all(bound is None for bound in bounds),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def check(self, value: Any, scope: Scope) -> Any:
        """The check without a word about what is wrong: this is what is paid when all is well."""
        if not isinstance(value, _Tensor):
            return scope.fails(self.written(True), value, None, self.where)
        if self._rest:
            return self._failure(value, scope)
        if self.axes is not None:
            sizes = value.shape
            if len(sizes) != len(self.axes):
                return self._failure(value, scope)
            for index, size in self._sizes:
                if sizes[index] != size:
                    return self._failure(value, scope)
            if self._names:
                names = scope.names
                for index, name in self._names:
                    size = sizes[index]
                    if names.setdefault(name, size) != size:
                        return self._failure(value, scope)
                scope.used.append((self.axes, sizes, tuple(scope.at)))
        if self.dtypes is not None and value.dtype not in self.dtypes:
            return self._failure(value, scope)
        if self.device is not None and not _same_device(self.device, value.device):
            return self._failure(value, scope)
        if self._plain or compiling() or self._values(value) is None:
            return value
        return self._failure(value, scope)

    def _failure(self, value: Any, scope: Scope) -> Any:
        """The failure with its reasons; the value, if there is none after all."""
        if compiling() and not self._rest:
            return Failed(())
        reasons: list[str] = []
        mark: Mark | None = None
        score = 1
        if self.axes is not None:
            wrong = mismatch(self.axes, value.shape, scope)
            if wrong is None:
                score += 1 + len(value.shape)
            else:
                reasons.append(wrong.reason)
                mark, score = wrong.mark, score + wrong.score
        if self.dtypes is not None and value.dtype not in self.dtypes:
            reasons.append(f"its dtype is {_short(value.dtype)}, not {self.dtype}")
        if self.device is not None and not _same_device(self.device, value.device):
            reasons.append(f"it is on {value.device}, not on {self.device}")
        told = None if self._plain or compiling() else self._values(value)
        if told:
            reasons.append(told)
        if not reasons:
            return value
        return scope.fails(self.written(True), value, "; ".join(reasons), self.where, mark, score)

    def _values(self, value: Any) -> str | None:
        """What is wrong with requires-grad or with the elements; fake tensors have no elements to be wrong."""
        if self.requires_grad is not None and value.requires_grad is not self.requires_grad:
            return f"it {'does not require' if self.requires_grad else 'requires'} gradients"
        tests = (
            (self.least, "below", lambda: value < self.least),
            (self.most, "above", lambda: value > self.most),
            (True if self.finite else None, "not finite", lambda: ~torch.isfinite(value)),
        )
        for bound, what, test in tests:
            count = None if bound is None else attempt(lambda test=test: int(test().sum()))
            if isinstance(count, Raised) and not (count.undecided or value.is_meta):
                return f"comparing it raised {count}"
            if isinstance(count, int) and count:
                told = what if bound is True else f"{what} {bound:g}"
                return f"{count} of {value.numel()} elements {'is' if count == 1 else 'are'} {told}"
        return None

    def written(self, short: bool) -> str:
        options = {
            "dtype": self.dtype,
            "device": f'"{self.device}"' if self.device is not None else None,
            "requires-grad": self.requires_grad,
            "min": self.least,
            "max": self.most,
            "finite": self.finite or None,
        }
        axes = f"[{' '.join(map(str, self.axes))}]" if self.axes is not None else ""
        return form("spec/tensor", axes, *(f":{name} {value}" for name, value in options.items() if value is not None))


def dtypes(wanted: Any) -> tuple[str, frozenset[Any]]:
    """How dtypes are written, and which they are: a dtype, a kind such as `:float`, or a list of these.

    Raises `ValueError` for what is neither, with the nearest kind.
    """
    if isinstance(wanted, torch.dtype):
        return str(wanted), frozenset([wanted])
    if isinstance(wanted, Keyword | str):
        name = str(wanted).removeprefix(":").removeprefix("torch.")
        if name in KINDS:
            return f":{name}", frozenset(filter(KINDS[name], _all()))
        one = getattr(torch, name, None)
        if isinstance(one, torch.dtype):
            return str(one), frozenset([one])
        kinds = " ".join(f":{kind}" for kind in KINDS)
        raise ValueError(f"{wanted} is neither a dtype nor a kind of them ({kinds}){meant(f':{name}', kinds.split())}")
    if isinstance(wanted, Iterable):
        each = [dtypes(one) for one in wanted]
        return f"[{' '.join(text for text, _ in each)}]", frozenset().union(*(one for _, one in each))
    raise ValueError(f"a dtype is such as torch.float32, or a kind such as :float; found {wanted!r}")


def device(wanted: Any) -> torch.device:
    """The device. Raises `ValueError` for what names none."""
    made = attempt(torch.device, wanted)
    if isinstance(made, Raised):
        raise ValueError(f'a device is such as "cpu", "cuda" or "cuda:1"; found {wanted!r}')
    return made


def _all() -> Sequence[Any]:
    return [each for each in vars(torch).values() if isinstance(each, torch.dtype)]


def _same_device(wanted: torch.device, found: torch.device) -> bool:
    return wanted.type == found.type and (wanted.index is None or wanted.index == found.index)


def _short(dtype: torch.dtype) -> str:
    return str(dtype)
