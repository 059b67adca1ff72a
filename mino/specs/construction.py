"""Values made of what specs say, for each kind of spec that can be turned around.

The sizes of names of axes are drawn once for all of a value, so that they agree throughout it. Tensors and modules are
made in `samples`.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

from hy.models import Keyword

from mino.specs import registry
from mino.specs.engine import Failed, Named, Predicate, Scope, Spec
from mino.specs.generator_calls import called
from mino.specs.logic import And, Enum, Nilable, Or
from mino.specs.mappings import DictOf, Keys
from mino.specs.problems import NoGenerator
from mino.specs.sequences import Cat, CollOf, Row, spliced

TRIES = 100
_DEEP = 6
_LARGEST = 8


class Making:
    """What is known while one value is made: the source of chance, and the sizes of names."""

    def __init__(self, chance: random.Random, sizes: dict[str, int] | None = None) -> None:
        self.chance = chance
        self.sizes = dict(sizes or {})
        self.depth = 0

    def size(self, name: str) -> int:
        return self.sizes.setdefault(name, self.chance.randint(1, _LARGEST))


class TooDeep(Exception):
    """A spec that refers to itself was followed far enough: another branch is to be taken."""


@functools.singledispatch
def made(found: Any, making: Making) -> Any:
    """A value by construction."""
    raise none(found)


@made.register
def _(found: Named, making: Making) -> Any:
    generator = registry.generators.get(found.keyword)
    if generator is not None:
        return called(found, generator, (), {})
    if making.depth >= _DEEP:
        raise TooDeep
    making.depth += 1
    try:
        return made(registry.lookup(found.keyword, found.where), making)
    except NoGenerator as error:
        raise none(found) from error
    finally:
        making.depth -= 1


@made.register
def _(found: Predicate, making: Making) -> Any:
    chance = making.chance
    simple: dict[Any, Callable[[], Any]] = {
        int: lambda: chance.randint(-10, 10),
        float: lambda: chance.uniform(-10, 10),
        bool: lambda: chance.random() < 0.5,
        str: lambda: "".join(chance.choices("abcdefghij", k=chance.randint(0, 6))),
        complex: lambda: complex(chance.uniform(-10, 10), chance.uniform(-10, 10)),
        type(None): lambda: None,
    }
    if not isinstance(found.function, type) or found.function not in simple:
        raise none(found)
    return simple[found.function]()


@made.register
def _(found: And, making: Making) -> Any:
    """Values of the first part that can be made, until one conforms to all."""
    maker = next((part for part in found.specs if _can(part, making)), None)
    if maker is None:
        raise none(found)
    names = dict(making.sizes)
    for _attempt in range(TRIES):
        making.sizes = dict(names)
        value = made(maker, making)
        scope = Scope()
        scope.names = dict(making.sizes)
        if type(found.check(value, scope)) is not Failed:
            making.sizes = scope.names
            return value
    raise NoGenerator(
        f"none of {TRIES} values of {maker.written(True)} conforms to {found.written(True)}: register it under a "
        "keyword and give that a generator with (spec/defgen :keyword [argument…] body…)"
    )


@made.register
def _(found: Or, making: Making) -> Any:
    branches = [branch for _, branch in found.branches]
    making.chance.shuffle(branches)
    return _first(found, branches, making)


@made.register
def _(found: Nilable, making: Making) -> Any:
    if making.chance.random() < 0.25:
        return None
    try:
        return made(found.spec, making)
    except TooDeep:
        return None


@made.register
def _(found: Enum, making: Making) -> Any:
    return making.chance.choice(found.values)


@made.register
def _(found: CollOf, making: Making) -> Any:
    items: list[Any] = []
    for _attempt in range(TRIES):
        try:
            items = [made(found.spec, making) for _ in range(_count(found.size, making))]
        except TooDeep:
            if found.size.min_count or found.size.count:
                raise
            items = []
        kind = found.size.kind
        value = kind.function(items) if isinstance(kind, Predicate) and isinstance(kind.function, type) else items
        if found.size.wrong(value, items, Scope()) is None:
            return value
    raise none(found)


@made.register
def _(found: DictOf, making: Making) -> Any:
    for _attempt in range(TRIES):
        value = {made(found.key, making): made(found.value, making) for _ in range(_count(found.size, making))}
        if found.size.wrong(value, list(value), Scope()) is None:
            return value
    raise none(found)


@made.register
def _(found: Keys, making: Making) -> Any:
    kept = [key for key in found.keys if key.required or making.chance.random() < 0.5]
    return {Keyword(key.name) if "/" in key.name else key.name: made(key.spec, making) for key in kept}


@made.register
def _(found: Row, making: Making) -> Any:
    return tuple(made(part, making) for part in found.specs)


@made.register
def _(found: Cat, making: Making) -> Any:
    items: list[Any] = []
    for _, part in found.parts:
        inner = spliced(part)
        items += made(inner, making) if inner is not None else [made(part, making)]
    return items


def _first(whole: Spec, branches: list[Spec], making: Making) -> Any:
    deep = False
    for branch in branches:
        sizes = dict(making.sizes)
        try:
            return made(branch, making)
        except TooDeep:
            deep = True
        except NoGenerator:
            pass
        making.sizes = sizes
    raise TooDeep if deep else none(whole)


def _can(part: Spec, making: Making) -> bool:
    """Whether a value of `part` can be made."""
    trial = Making(random.Random(0), making.sizes)
    trial.depth = making.depth
    try:
        made(part, trial)
    except NoGenerator:
        return False
    return True


def _count(size: Any, making: Making) -> int:
    if size.count is not None:
        return int(size.count)
    least = size.min_count or 0
    return making.chance.randint(least, least + 4 if size.max_count is None else size.max_count)


def none(found: Any) -> NoGenerator:
    keyword = found.keyword if isinstance(found, Named) else None
    define = f"(spec/defgen {keyword or ':keyword'} [argument…] body…)"
    how = f"define one with {define}" if keyword else f"register it under a keyword, and define one with {define}"
    return NoGenerator(f"{found.written(True)} has no generator: {how}", getattr(found, "where", None))
