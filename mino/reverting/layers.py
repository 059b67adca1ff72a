"""Modules of torch.nn as calls of their constructors.

The arguments are read off attributes of the same names. Whether the call describes the module is not assumed: it is
made, on the meta device, and compared with the module.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from mino.reverting.irreversible import Irreversible
from mino.reverting.literals import same
from mino.specs.foreign import Raised, attempt


@dataclass
class Call:
    """The call of a class: its arguments are values, and further calls."""

    made: type[nn.Module]
    given: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)

    def on_meta(self) -> nn.Module:
        """The module that the call makes, without its elements; what it is given as modules, it has blank."""
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.made(*map(_blank, self.given), **{name: _blank(each) for name, each in self.named.items()})

    def parts(self) -> Iterator[Any]:
        """The arguments, and what stands in those that are containers."""
        for value in (*self.given, *self.named.values()):
            yield value
            if isinstance(value, list | dict):
                yield from value.values() if isinstance(value, dict) else value


def _blank(value: Any) -> Any:
    if isinstance(value, Call):
        return value.on_meta()
    if type(value) is list:
        return [_blank(each) for each in value]
    if isinstance(value, dict):
        return type(value)((key, _blank(each)) for key, each in value.items())
    if isinstance(value, nn.Parameter):
        return nn.Parameter(torch.empty_like(value, device="meta"), value.requires_grad)
    if isinstance(value, nn.Module):
        return nn.Module()
    if isinstance(value, torch.Tensor):
        return torch.empty_like(value, device="meta")
    return "meta" if isinstance(value, torch.device) else value


def public_name(made: type) -> str | None:
    """The name of a class of torch.nn; nothing for other classes."""
    if getattr(nn, made.__name__, None) is made:
        return f"torch.nn.{made.__name__}"
    own = made.__module__.startswith("torch.nn.modules.") and "." not in made.__qualname__
    found = getattr(sys.modules.get(made.__module__), made.__name__, None)
    return f"{made.__module__}.{made.__name__}" if own and found is made else None


def described(module: nn.Module) -> tuple[Call, nn.Module]:
    """The call that makes the module, and what it makes on the meta device. Raises `Irreversible`, whose sentence lacks
    its subject, where none does."""
    problem: str | None = None
    for call in _calls(module):
        built = attempt(call.on_meta)
        if isinstance(built, Raised):
            problem = f"is a {call.made.__name__} whose attributes do not fit together ({built})"
            continue
        problem = differing(built, module)
        if problem is None:
            return call, built
    raise Irreversible(problem)


def _calls(module: nn.Module) -> Iterator[Call]:
    """The calls that may make the module, those with fewer arguments first. Raises `Irreversible` for a class whose
    constructor's arguments are not known."""
    made = type(module)
    if public_name(made) is None:
        raise Irreversible(f"is a {made.__module__}.{made.__qualname__}, whose constructor's arguments are not known")
    if made in _WHOLE:
        yield Call(made, _WHOLE[made](module))
        return
    if made in (nn.TransformerEncoder, nn.TransformerDecoder):
        yield _stack(module)
        return
    for concise in (True, False):
        yield _call(module, concise)


def _call(module: nn.Module, concise: bool) -> Call:
    call = Call(type(module))
    for parameter in _parameters(type(module)):
        name, default = parameter.name, parameter.default
        value = _argument(module, name)
        if value is _UNKNOWN:
            if default is parameter.empty:
                raise Irreversible(f"is a {type(module).__name__}, which does not tell its {name}")
            continue
        value = _concise(module, name, value, default) if concise else value
        if default is parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY:
            call.given.append(value)
        elif default is parameter.empty or not same(value, default):
            call.named[name] = value
    return call


def _parameters(made: type[nn.Module]) -> list[inspect.Parameter]:
    """The parameters of a constructor; that of the recurrent layers stands in their base class."""
    recurrent = issubclass(made, nn.RNNBase) and made is not nn.RNNBase
    found = inspect.signature(nn.RNNBase if recurrent else made).parameters.values()
    known = [each for each in found if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    known = [each for each in known if not (recurrent and each.name == "mode")]
    if made is nn.RNN:
        known.append(inspect.Parameter("nonlinearity", inspect.Parameter.KEYWORD_ONLY, default="tanh"))
    return known


_UNKNOWN = object()


def _argument(module: nn.Module, name: str) -> Any:
    """What the module was given as the argument `name`, as far as it tells."""
    for made in type(module).__mro__:
        if name in _READ.get(made.__name__, {}):
            return _READ[made.__name__][name](module)
    if name in ("dtype", "device"):
        return _factory(module, name)
    held: list[Mapping[str, Any]] = [module.__dict__, module._buffers, module._parameters, module._modules]
    value = next((each[name] for each in held if name in each), _UNKNOWN)
    if name == "bias" and not isinstance(value, bool) and value is not _UNKNOWN:
        return value is not None
    return value


def _concise(module: nn.Module, name: str, value: Any, default: Any) -> Any:
    """`value` as one would write it: its default where it follows from that, a number for a tuple of equal ones."""
    if default is None and name == "stride" and same(value, module.kernel_size):
        return None
    if default is None and name in ("kdim", "vdim") and value == module.embed_dim:
        return None
    if type(value) is tuple and value and all(same(each, value[0]) for each in value) and name != "output_size":
        return value[0]
    return value


def _factory(module: nn.Module, name: str) -> Any:
    """The dtype or the device of a module's tensors, where it is not the one that everything has."""
    tensors = [*module.parameters(), *module.buffers()]
    first = next((each for each in tensors if each.is_floating_point() or each.is_complex()), None)
    if first is None:
        return _UNKNOWN
    if name == "device":
        return first.device if first.device.type != "cpu" or torch.get_default_device().type != "cpu" else _UNKNOWN
    return first.dtype if {first.dtype, torch.get_default_dtype()} != {torch.float32} else _UNKNOWN


def _layer(module: Any) -> Any:
    """A layer of a transformer; one without layers tells nothing."""
    for stack in (module.encoder, module.decoder):
        if len(getattr(stack, "layers", ())) and type(stack.layers[0]) in _LAYERS:
            return stack.layers[0]
    raise Irreversible("is a Transformer without a layer of torch.nn, which does not tell its arguments")


def _activation(layer: Any) -> Any:
    return layer.activation


def _read_layer(name: str) -> Callable[[Any], Any]:
    return lambda module: _LAYER[name](_layer(module))


_LAYERS = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)

_LAYER: dict[str, Callable[[Any], Any]] = {
    "d_model": lambda layer: layer.self_attn.embed_dim,
    "nhead": lambda layer: layer.self_attn.num_heads,
    "dim_feedforward": lambda layer: layer.linear1.out_features,
    "dropout": lambda layer: layer.dropout.p,
    "activation": _activation,
    "layer_norm_eps": lambda layer: layer.norm1.eps,
    "batch_first": lambda layer: layer.self_attn.batch_first,
    "norm_first": lambda layer: layer.norm_first,
    "bias": lambda layer: layer.linear1.bias is not None,
}

# Arguments that are kept otherwise than under their own names, by the name of a class.
_READ: dict[str, dict[str, Callable[[Any], Any]]] = {
    **{layer.__name__: _LAYER for layer in _LAYERS},
    "Transformer": {
        **{name: _read_layer(name) for name in _LAYER if name != "batch_first"},
        "num_encoder_layers": lambda module: len(getattr(module.encoder, "layers", ())),
        "num_decoder_layers": lambda module: len(getattr(module.decoder, "layers", ())),
    },
    "MultiheadAttention": {
        "bias": lambda module: module.in_proj_bias is not None,
        "add_bias_kv": lambda module: module.bias_k is not None,
    },
    "AdaptiveLogSoftmaxWithLoss": {"cutoffs": lambda module: list(module.cutoffs[:-1])},
    "RNNCellBase": {"num_chunks": lambda module: module.weight_ih.shape[0] // module.hidden_size},
    "PairwiseDistance": {"p": lambda module: module.norm},
    "LinearCrossEntropyLoss": {
        "in_features": lambda module: module.linear.in_features,
        "bias": lambda module: module.linear.bias is not None,
    },
}


def _stack(module: Any) -> Call:
    """A stack of transformer layers is made of one layer, which it copies."""
    if not len(module.layers):
        raise Irreversible(f"is a {type(module).__name__} without layers, whose constructor takes one")
    call = Call(type(module), [_first(module.layers[0]), module.num_layers])
    if module.norm is not None:
        call.named["norm"] = module.norm
    if isinstance(module, nn.TransformerEncoder):
        call.named |= {name: False for name in ("enable_nested_tensor", "mask_check") if not getattr(module, name)}
    return call


def _first(layer: nn.Module) -> Call:
    try:
        return described(layer)[0]
    except Irreversible as error:
        raise Irreversible(f"has a first layer that {error}") from None


def _sequence(module: Any) -> list[Any]:
    held = dict(module._modules)
    numbered = list(held) == [str(index) for index in range(len(held))]
    return list(held.values()) if numbered else [OrderedDict(held)]


def _parameter_dict(module: Any) -> list[Any]:
    held = dict(module.items())
    return [held if list(held) == sorted(held) else OrderedDict(held)]


# Containers are made of their parts.
_WHOLE: dict[type[nn.Module], Callable[[Any], list[Any]]] = {
    nn.Sequential: _sequence,
    nn.ModuleList: lambda module: [list(module)] if len(module) else [],
    nn.ModuleDict: lambda module: [dict(module._modules)] if len(module) else [],
    nn.ParameterList: lambda module: [list(module)] if len(module) else [],
    nn.ParameterDict: lambda module: _parameter_dict(module) if len(module) else [],
}


# What every module has, and what follows from its parameters or only says how it is called.
_PLAIN = {*nn.Module().__dict__, "_compiled_call_impl", "_is_torch_compile", "_flat_weights", "_flat_weight_refs"}

_HOOKS = tuple(name for name in nn.Module().__dict__ if name.endswith("_hooks"))


def differing(built: nn.Module, module: nn.Module) -> str | None:
    """What about a module, its tensors and sub-modules left out, is not as in the one that its call makes."""
    if type(built) is not type(module):
        return f"is a {type(module).__name__}"
    for name in _HOOKS:
        if _registered(built, name) != _registered(module, name):
            return f"has {name.strip('_').replace('_', ' ')}"
    one, other = _attributes(built), _attributes(module)
    for name in sorted({*one, *other}):
        if name not in one:
            return f"was given an attribute {name}"
        if name not in other or not same(one[name], other[name]):
            return f"was given another {name}"
    for kind, names, theirs in (
        ("parameters", built._parameters, module._parameters),
        ("buffers", built._buffers, module._buffers),
        ("sub-modules", built._modules, module._modules),
    ):
        if list(names) != list(theirs):
            return f"has other {kind}: {', '.join(theirs) or 'none'}"
    if built._non_persistent_buffers_set != module._non_persistent_buffers_set:
        return "has other buffers that are saved"
    return None


def _registered(module: nn.Module, name: str) -> list[str]:
    return [getattr(hook, "__qualname__", type(hook).__qualname__) for hook in getattr(module, name).values()]


def _attributes(module: nn.Module) -> dict[str, Any]:
    return {
        name: value
        for name, value in module.__dict__.items()
        if name not in _PLAIN and not isinstance(value, torch.utils.hooks.RemovableHandle)
    }


def unexpected(module: nn.Module, names: set[str]) -> str | None:
    """What about a module of no call, whose parts have these names, its parts do not say."""
    for name in _HOOKS:
        if getattr(module, name):
            return f"has {name.strip('_').replace('_', ' ')}"
    for name in (*_attributes(module), *module._parameters, *module._buffers, *module._modules):
        if name not in names:
            return f"was given {name}, which is no component"
    return None
