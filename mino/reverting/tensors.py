"""Tensors as forms: without their elements where `state_dict` has these, else with them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from hy.models import Integer, List, Object, String, Symbol, Tuple
from torch import nn

from mino.forms import call, method
from mino.reverting.irreversible import Irreversible
from mino.reverting.literals import keyword, literal, name_of
from mino.specs.foreign import Raised, attempt

MOST_ELEMENTS = 4096


class Tensors:
    """The tensors of one model: which of them its state has, and which share memory."""

    def __init__(self, model: nn.Module) -> None:
        self._saved = {id(tensor) for tensor, saved, _, _ in _all(model) if saved}
        self._temporary = {id(tensor) for tensor, saved, _, _ in _all(model) if not saved}
        self._overlapping = dict(_overlapping(model))

    def written(self, tensor: torch.Tensor, path: str) -> Object:
        """The form of a tensor or parameter. Raises `Irreversible`."""
        self.check(tensor, path)
        trained = isinstance(tensor, nn.Parameter)
        if not trained and type(tensor) is not torch.Tensor and type(tensor).__name__ != "FakeTensor":
            raise Irreversible(f"{path} is a {type(tensor).__name__}, a kind of tensor that no expression makes")
        made = _empty(tensor) if id(tensor) in self._saved else _filled(tensor, path)
        if trained:
            frozen = [] if tensor.requires_grad else [keyword("requires_grad"), Symbol("False")]
            return call("torch.nn.Parameter", made, *frozen)
        made = method("requires-grad_", made, Symbol("True")) if tensor.requires_grad else made
        if id(tensor) in self._temporary:
            return call("torch.nn.Buffer", made, keyword("persistent"), Symbol("False"))
        return made

    def check(self, tensor: torch.Tensor, path: str) -> None:
        """Raises `Irreversible` for a tensor that is more than its shape, dtype, device and elements."""
        kind = type(tensor)
        if kind in (nn.UninitializedParameter, nn.UninitializedBuffer):
            raise Irreversible(f"{path} has no shape yet: call the model once, so that it gets one")
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested:
            what = "quantized" if tensor.is_quantized else "nested" if tensor.is_nested else str(tensor.layout)
            raise Irreversible(f"{path} is a {what} tensor, which no expression makes")
        if tensor.grad_fn is not None:
            raise Irreversible(f"{path} was computed from other tensors, with gradients: bind it detached")
        if tensor._backward_hooks or getattr(tensor, "_post_accumulate_grad_hooks", None):
            raise Irreversible(f"{path} has a hook")
        if id(tensor) in self._temporary and id(tensor) in self._saved:
            raise Irreversible(f"{path} is a buffer that the state has from one place, and from another it has not")
        self.check_memory(tensor, path)

    def check_memory(self, tensor: torch.Tensor, path: str) -> None:
        """Raises `Irreversible` for a tensor that another one shows other elements of."""
        if id(tensor) in self._overlapping:
            raise Irreversible(f"{path} shares its memory with {self._overlapping[id(tensor)]}, and is another tensor")

    def made_alike(self, built: Any, tensor: torch.Tensor, device: torch.device) -> bool:
        """Whether the constructor that made `built`, on the meta device, makes this tensor where it is given `device`:
        the elements left out, which the state has, and whether gradients are computed."""
        if built is None or id(tensor) not in self._saved or type(built) is not _plain_type(tensor):
            return False
        if type(built) in (nn.UninitializedParameter, nn.UninitializedBuffer):
            return bool(built.dtype == tensor.dtype and tensor.device == device)
        if built.layout != tensor.layout or built.dtype != tensor.dtype or tensor.device != device:
            return False
        return bool(built.shape == tensor.shape and _order(built) == _order(tensor))


def _plain_type(tensor: torch.Tensor) -> Any:
    if type(tensor).__name__ == "FakeTensor":
        return nn.Parameter if isinstance(tensor, nn.Parameter) else torch.Tensor
    return type(tensor)


def _order(tensor: torch.Tensor) -> tuple[int, ...]:
    """How the elements lie in memory; nothing where they lie in order."""
    return () if tensor.is_contiguous() or 0 in tensor.stride() else tuple(tensor.stride())


def _factory(tensor: torch.Tensor) -> list[Object]:
    made = [keyword("dtype"), name_of(str(tensor.dtype))]
    if tensor.device.type != "cpu" or torch.get_default_device().type != "cpu":
        made += [keyword("device"), String(str(tensor.device))]
    return made


def _empty(tensor: torch.Tensor) -> Object:
    order = _order(tensor)
    shapes = (_tuple(tensor.shape), _tuple(order)) if order else (_tuple(tensor.shape),)
    return call("torch.empty-strided" if order else "torch.empty", *shapes, *_factory(tensor))


def _tuple(sizes: Any) -> Object:
    return Tuple([Integer(size) for size in sizes])


def _filled(tensor: torch.Tensor, path: str) -> Object:
    """The form of a tensor whose elements are not in the state of the model."""
    if tensor.numel() > MOST_ELEMENTS or tensor.is_complex():
        raise Irreversible(
            f"{path} is a tensor of {tensor.numel():,} elements that are not in the state of the model, too many to "
            "write: bind it as a component"
            if tensor.numel() > MOST_ELEMENTS
            else f"{path} is a tensor of complex numbers that are not in the state of the model: bind it as a component"
        )
    elements = attempt(lambda: tensor.detach().tolist())
    if isinstance(elements, Raised):
        raise Irreversible(f"{path} is a tensor whose elements are neither in the state of the model nor known")
    filled = call("torch.tensor", _written(elements), *_factory(tensor))
    if 0 in tensor.shape:
        filled = _empty(tensor)
    return method("copy_", _empty(tensor), filled) if _order(tensor) else filled


def _written(elements: Any) -> Object:
    if isinstance(elements, list):
        return List([_written(each) for each in elements])
    made = literal(elements, _written)
    assert made is not None
    return made


def _all(model: nn.Module) -> Iterator[tuple[torch.Tensor, bool, str, nn.Module]]:
    """The parameters and buffers of a model, whether its state has each, its name and its owner."""
    for path, module in model.named_modules():
        temporary = module._non_persistent_buffers_set
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is not None:
                yield tensor, name not in temporary, f"{path}.{name}" if path else name, module


def _overlapping(model: nn.Module) -> Iterator[tuple[int, str]]:
    """The tensors that lie in the memory of another one, each with the name of that."""
    spans = []
    for tensor, _, name, owner in _all(model):
        span = attempt(_span, tensor)
        if not isinstance(span, Raised) and span[1] < span[2]:
            spans.append((span, id(tensor), name, owner))
    spans.sort(key=lambda each: each[0])
    for before, after in itertools.pairwise(spans):
        overlap = before[0][0] == after[0][0] and after[0][1] < before[0][2]
        # A recurrent layer lays its own weights into one piece of memory, on some devices.
        own = before[3] is after[3] and isinstance(after[3], nn.RNNBase)
        if overlap and before[1] != after[1] and not own:
            yield after[1], f"model.{before[2]}"


def _span(tensor: torch.Tensor) -> tuple[int, int, int]:
    """The storage of a tensor, and the range of its bytes in it."""
    size = tensor.element_size()
    start = tensor.storage_offset() * size
    reach = sum((count - 1) * step for count, step in zip(tensor.shape, tensor.stride(), strict=True)) + 1
    return tensor.untyped_storage()._cdata, start, start + reach * size if tensor.numel() else start
