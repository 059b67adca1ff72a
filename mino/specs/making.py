"""The functions that make specs, for the macros and for Python. Specs of modules and tensors import torch when made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hy.models import Keyword

from mino.specs.engine import Spec, spec
from mino.specs.logic import And, Enum, Nand, Nilable, Not, Or
from mino.specs.mappings import DictOf, Key, Keys
from mino.specs.names import keyword_text, written
from mino.specs.problems import NoSpec, Place
from mino.specs.sequences import Cat, CollOf, Row, Size

WhereAt = Place | tuple[Any, ...] | None
# A name and a spec, and where the name was written; or a mapping of names to specs.
Parts = tuple[Any, ...] | Mapping[str, Any]


def and_(*specs: Any, where: WhereAt = None) -> Spec:
    """Values that conform to all of `specs`, in order, each given what the one before made of the value."""
    return And(tuple(map(spec, specs)), place(where))


def or_(*branches: Any, where: WhereAt = None) -> Spec:
    """Values that conform to one of the branches: specs, or tagged ones, `(":tag", spec)`."""
    made = [_tagged(each) if isinstance(each, tuple) else (None, spec(each)) for each in branches]
    return Or(tuple(made), place(where))


def not_(one: Any, where: WhereAt = None) -> Spec:
    """Values that do not conform."""
    return Not(spec(one), place(where))


def nand(*specs: Any, where: WhereAt = None) -> Spec:
    """Values that do not conform to all of `specs`."""
    return Nand(tuple(map(spec, specs)), place(where))


def nilable(one: Any, where: WhereAt = None) -> Spec:
    """None, and values that conform."""
    return Nilable(spec(one), place(where))


def enum(*values: Any, where: WhereAt = None) -> Spec:
    """One of `values`."""
    return Enum(values, place(where))


def coll_of(
    one: Any,
    *,
    kind: Any = None,
    count: int | None = None,
    min_count: int | None = None,
    max_count: int | None = None,
    distinct: bool = False,
    where: WhereAt = None,
) -> Spec:
    """Collections whose items all conform, of a kind (a class or a predicate) and a size."""
    return CollOf(spec(one), _size(kind, count, min_count, max_count, distinct), place(where))


def dict_of(
    key: Any,
    value: Any,
    *,
    kind: Any = None,
    count: int | None = None,
    min_count: int | None = None,
    max_count: int | None = None,
    where: WhereAt = None,
) -> Spec:
    """Mappings whose keys and whose values all conform."""
    return DictOf(spec(key), spec(value), _size(kind, count, min_count, max_count, False), place(where))


def keys(
    *parts: Parts,
    req: Iterable[str | Keyword] = (),
    opt: Iterable[str | Keyword] = (),
    req_un: Iterable[str | Keyword] = (),
    opt_un: Iterable[str | Keyword] = (),
    where: WhereAt = None,
) -> Spec:
    """Mappings with these keys, and objects with these attributes.

    `parts` are names with specs. `req` and `opt` are keywords that are both the key and its spec; of those of `req_un`
    and `opt_un` the key is what follows the `/`.
    """
    at = place(where)
    made = [Key(name, one, True, here or at) for name, one, here in pairs(parts)]
    groups = ((req, True, True), (req_un, True, False), (opt, False, True), (opt_un, False, False))
    for keywords, required, whole in groups:
        for text in map(keyword_text, keywords):
            name = text[1:] if whole else text.rpartition("/")[2].removeprefix(":")
            made.append(Key(written(name), spec(text, where=at), required, at))
    return Keys(tuple(made), at)


def tuple_(*specs: Any, where: WhereAt = None) -> Spec:
    """Sequences of exactly these items."""
    return Row(tuple(map(spec, specs)), place(where))


def cat(*parts: Any, where: WhereAt = None) -> Spec:
    """Sequences of named items, `(":name", spec)`, conformed to a dictionary."""
    return Cat(tuple(_tagged(each) for each in parts), place(where))


def tensor(
    axes: Iterable[Any] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool | None = None,
    min: float | None = None,
    max: float | None = None,
    finite: bool = False,
    where: WhereAt = None,
) -> Spec:
    """Tensors whose shape matches the pattern: sizes, names, "_" for any size and "…" for any number of axes.

    A name has one size throughout a check. `dtype` is a dtype, a kind (":float", ":int", ":bool", ":complex",
    ":number"), or a list of these; a device without a number is any of its type; elements lie between `min` and
    `max`, and are finite if `finite`. Raises `ValueError` for an axis, a dtype or a device that is none.
    """
    from mino.specs import samples, shapes, tensors  # noqa: F401 - samples makes tensors generable

    text, wanted = tensors.dtypes(dtype) if dtype is not None else (None, None)
    return tensors.Tensor(
        shapes.pattern(list(axes)) if axes is not None else None,
        text,
        wanted,
        tensors.device(device) if device is not None else None,
        requires_grad,
        min,
        max,
        finite,
        place(where),
    )


def parameters(*parts: Parts, where: WhereAt = None, **named: Any) -> Spec:
    """Modules whose parameters of these names conform."""
    return _held("parameters", (*parts, named), where)


def modules(*parts: Parts, where: WhereAt = None, **named: Any) -> Spec:
    """Modules whose sub-modules of these names conform."""
    return _held("modules", (*parts, named), where)


def buffers(*parts: Parts, where: WhereAt = None, **named: Any) -> Spec:
    """Modules whose buffers of these names conform."""
    return _held("buffers", (*parts, named), where)


def components(*parts: Parts, where: WhereAt = None, **named: Any) -> Spec:
    """Modules whose components of these names conform, be they parameters, buffers, modules or attributes."""
    return _held("components", (*parts, named), where)


def module(kind: type | None = None, *parts: Parts, where: WhereAt = None, **named: Any) -> Spec:
    """Modules, of the class `kind` where one is given, whose attributes conform; a plain value stands for itself."""
    from mino.specs import models, samples  # noqa: F401 - samples makes modules generable

    if kind is not None and not isinstance(kind, type):
        raise NoSpec(f"spec/module takes a class and :attribute spec pairs; found {kind!r} for a class", place(where))
    made = [models.part(name, one, here) for name, one, here in pairs((*parts, named), literal=True)]
    return models.Module(kind, tuple(made), place(where))


def pairs(parts: Iterable[Parts], literal: bool = False) -> list[tuple[str, Spec, Place | None]]:
    """Names with their specs and places; with `literal`, a number, a text or None is the spec of itself."""
    made = []
    for each in parts:
        entries = each.items() if isinstance(each, Mapping) else [each]
        for name, one, *at in entries:
            value = enum(one) if literal and _is_literal(one) else spec(one)
            made.append((written(name), value, place(at[0]) if at else None))
    return made


def place(where: WhereAt) -> Place | None:
    return Place(*where) if isinstance(where, tuple) else where


def _held(kind: str, parts: Iterable[Parts], where: WhereAt) -> Spec:
    from mino.specs import models

    return models.Held(kind, tuple(models.part(name, one, at) for name, one, at in pairs(parts)), place(where))


def _size(kind: Any, count: int | None, least: int | None, most: int | None, distinct: bool) -> Size:
    return Size(None if kind is None else spec(kind), count, least, most, distinct)


def _tagged(pair: tuple[Any, ...]) -> tuple[str, Spec]:
    tag, one, *_ = pair
    return keyword_text(tag), spec(one)


def _is_literal(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, bool | int | float | tuple)
        or (isinstance(value, str) and not value.startswith(":"))
    )
