"""The base class of every mu, and what its macros call. Importing this module imports torch."""

from __future__ import annotations

import difflib
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

import hy
import torch
from hy.core import hy_repr
from torch import nn

from mino import columns, printing, recipe
from mino.check import Owned
from mino.signatures import Signature
from mino.unbound import UNBOUND

Forward = Callable[..., Any]
Factory = Callable[[object, Callable[..., Any]], Forward]


class Registered(weakref.ref[type]):
    """A class as a key that finds it, and does not keep it: one may be made at each call of a procedure."""

    def __eq__(self, other: object) -> bool:
        return self is other or self() is other

    __hash__ = weakref.ref.__hash__


def _forget(gone: weakref.ref[type]) -> None:
    hy_repr._registry.pop(gone, None)


def _expression(mu: Mu) -> str:
    from mino import reversion

    return reversion.written(mu)


class Mu(nn.Module):  # type: ignore[misc]  # mypy does not read torch
    """A module whose forward procedure was written as `(mu [component…] body…)`.

    Constructing one takes components by keyword, as `bind` does. Calling one takes components in their order
    or by keyword; those that the call lacks are the bound ones.
    """

    __components__: ClassVar[tuple[str, ...]] = ()
    __procedure__: ClassVar[str] = ""
    __recipe__: ClassVar[recipe.Recipe]
    __specs__: ClassVar[Owned | None] = None
    __signature__ = Signature()

    def __init_subclass__(cls, **named: Any) -> None:
        """`hy.repr` looks at the very class of what it writes, so each is registered."""
        super().__init_subclass__(**named)
        hy.repr_register(Registered(cls, _forget), _expression)

    def __init__(self, /, *values: Any, **components: Any) -> None:
        """Binds components, by keyword. Raises `TypeError` for values without one, and for unknown components."""
        super().__init__()
        if values:
            raise TypeError(_positional(self))
        _register(self, components)

    def __repr__(self) -> str:
        return printing.shown(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        made = type(self)
        reduced: tuple[Any, ...] = super().__reduce_ex__(protocol)
        if "__recipe__" not in made.__dict__ or recipe.importable(made):
            return reduced
        return recipe.blank, (made.__recipe__,), *reduced[2:]


M = TypeVar("M", bound=Mu)


def define(
    factory: Factory,
    name: str,
    components: Iterable[str],
    procedure: str,
    doc: str | None = None,
    specs: Owned | None = None,
) -> type[Mu]:
    """The class of a mu: `factory` is what the macro made of its body, `procedure` is its text, `specs` are those that
    its components carry.

    Raises `TypeError` when a component has the name of an attribute that every module has.
    """
    components = tuple(components)
    for component in components:
        if hasattr(Mu, hy.mangle(component)):
            raise TypeError(f"{name}: a component cannot be named {component}, which every torch.nn.Module has")
    forward = factory(UNBOUND, resolve)
    scope, _, _ = factory.__qualname__.rpartition(".")
    within = f"{scope}." if scope else ""
    forward.__name__, forward.__qualname__ = "forward", f"{within}{name}.forward"
    forward.__module__ = forward.__module__ or recipe.SCOPE
    forward.__doc__ = doc
    code = columns.corrected(forward.__code__, factory.__code__)
    forward.__code__ = code.replace(co_name=forward.__name__, co_qualname=forward.__qualname__)
    namespace = {
        "__module__": forward.__module__,
        # The name by which the class is found, as pickle does; its __name__ is the one that was written.
        "__qualname__": f"{within}{hy.mangle(name)}",
        "__doc__": doc,
        "__components__": components,
        "__procedure__": procedure,
        "forward": forward,
        **({"__specs__": specs} if specs is not None else {}),
    }
    made: type[Mu] = type(name, (Mu,), namespace)
    made.__recipe__ = recipe.Recipe(made)
    return made


def resolve(mu: Mu, name: str, *given: object) -> Any:
    """What is bound to the component `name` of `mu`, in a call that was `given` the components.

    Raises one `ValueError` that names every component that is neither given nor bound.
    """
    if name in mu._parameters:
        return mu._parameters[name]
    if name in mu._buffers:
        return mu._buffers[name]
    if name in mu._modules:
        return mu._modules[name]
    if is_bound(mu, name):
        return getattr(mu, name)
    raise ValueError(_missing(mu, given))


def is_bound(mu: nn.Module, name: str) -> bool:
    """Whether `mu` has a component of this (mangled) name; a parametrized one is an attribute of the class."""
    return (
        name in mu.__dict__
        or name in mu._parameters
        or name in mu._buffers
        or name in mu._modules
        or hasattr(type(mu), name)
    )


def bind(mu: M, /, **components: Any) -> M:
    """A new mu with these components bound too; it shares what was bound before, and `mu` is unchanged.

    A parameter becomes a parameter of the new mu, a module a sub-module, another tensor a buffer, and anything
    else an attribute. Hooks watch one object, so they stay with it.

    Raises `TypeError` when `mu` is no mu, or has no such component.
    """
    if isinstance(mu, type) and issubclass(mu, Mu):
        raise TypeError(f"{mu.__name__} is a class of mus: write ({mu.__name__} :component value …)")
    if not isinstance(mu, Mu):
        raise TypeError(f"bind takes a mu and components by keyword; {type(mu).__name__} is no mu")
    bound = mu.__new__(type(mu))
    nn.Module.__init__(bound)
    fresh = {*bound.__dict__, "_compiled_call_impl"}
    bound.__dict__.update({name: value for name, value in mu.__dict__.items() if name not in fresh})
    bound.training = mu.training
    bound._parameters.update(mu._parameters)
    bound._buffers.update(mu._buffers)
    bound._non_persistent_buffers_set.update(mu._non_persistent_buffers_set)
    bound._modules.update(mu._modules)
    _register(bound, components)
    return bound


def _register(mu: Mu, components: dict[str, Any]) -> None:
    names = {hy.mangle(component): component for component in mu.__components__}
    for key, value in components.items():
        name = hy.mangle(key)
        if name not in names:
            raise TypeError(_unknown(mu, key))
        if isinstance(getattr(type(mu), name, None), property):
            raise TypeError(_computed(mu, name, names[name]))
        kinds = ((nn.Parameter, mu._parameters), (nn.Module, mu._modules), (torch.Tensor, mu._buffers))
        kept = next((held for kind, held in kinds if isinstance(value, kind)), mu.__dict__)
        for held in (mu.__dict__, mu._parameters, mu._buffers, mu._modules):
            if held is not kept:
                held.pop(name, None)
        mu._non_persistent_buffers_set.discard(name)
        if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter | nn.Buffer):
            mu.register_buffer(name, value)
        else:
            setattr(mu, name, value)
    if mu.__specs__ is not None:
        mu.__specs__.bound(mu)


def _positional(mu: Mu) -> str:
    name, components = type(mu).__name__, mu.__components__
    example = f" :{components[-1]} …" if components else ""
    return f"{name} is constructed with its components by keyword: write ({name}{example})"


def _computed(mu: Mu, name: str, written: str) -> str:
    computes = f"{type(mu).__name__} computes its {written}"
    if nn.utils.parametrize.is_parametrized(mu, name):
        return f"{computes} (it is parametrized): bind it before that"
    return f"{computes} (it is a property of the class), so it cannot be bound"


def _unknown(mu: Mu, key: str) -> str:
    written = hy.unmangle(hy.mangle(key))
    components = mu.__components__
    near = difflib.get_close_matches(written, components, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{type(mu).__name__} has no component {written}: its components are [{' '.join(components)}]{hint}"


def _missing(mu: Mu, given: Iterable[object]) -> str:
    names = [
        component
        for component, value in zip(mu.__components__, given, strict=True)
        if value is UNBOUND and not is_bound(mu, hy.mangle(component))
    ]
    what = "component" if len(names) == 1 else "components"
    return (
        f"{type(mu).__name__} [{' '.join(mu.__components__)}] was called without its {what} {', '.join(names)}: "
        f"give a value in the call, or bind one with (bind m {' '.join(f':{name} …' for name in names)})"
    )
