"""Values made of specs: by their generators, or by construction; what is made is checked against its spec.

The sizes of names of axes are drawn once for all of a value, so that they agree throughout it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import hy
from hy.models import Keyword

from mino.specs import registry
from mino.specs.engine import Failed, Named, Predicate, Scope, Spec, spec
from mino.specs.foreign import attempt
from mino.specs.logic import And, Enum, Nilable, Or
from mino.specs.mappings import DictOf, Keys
from mino.specs.names import written
from mino.specs.problems import GeneratorCall, NoGenerator, SpecError
from mino.specs.sequences import Cat, CollOf, Row, spliced
from mino.summary import summary

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


@contextlib.contextmanager
def seeded(seed: Any) -> Iterator[random.Random]:
    """A source of chance. With a seed, Python's and torch's own are seeded too, and are afterwards as before."""
    if seed is None:
        yield random.Random()
        return
    torch: Any = sys.modules.get("torch")
    state = random.getstate()
    with contextlib.ExitStack() as stack:
        if torch is not None:
            devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
            stack.enter_context(torch.random.fork_rng(devices))
            torch.manual_seed(seed)
        random.seed(seed)
        stack.callback(random.setstate, state)
        yield random.Random(seed)


def generate(definition: Any, *arguments: Any, seed: Any = None, **options: Any) -> Any:
    """A value of a spec. The arguments are those of its generator; of a spec without one, keywords are sizes of names.

    With a `seed` the same value is made again. Raises `NoGenerator` for a spec that no value can be made of,
    `GeneratorCall` for arguments that its generator does not take, and `SpecError` when what the generator made does
    not conform.
    """
    with seeded(seed) as chance:
        found = spec(definition)
        generator = registry.generators.get(found.keyword) if isinstance(found, Named) else None
        if generator is not None and isinstance(found, Named):
            takes_seed = "seed" in _parameters(generator.function)
            if takes_seed and seed is not None:
                options["seed"] = seed
            return _called(found, generator, arguments, options)
        if arguments:
            told = f"{found.written(True)} has no generator to give arguments to; it was given {len(arguments)}"
            raise GeneratorCall(f"{told}: the sizes of names are keywords, such as :n 3")
        return constructed(found, Making(chance, {written(name): size for name, size in options.items()}))


def constructed(found: Spec, making: Making) -> Any:
    """A value made by construction, checked."""
    try:
        value = made(found, making)
    except TooDeep:
        raise NoGenerator(f"{found.written(True)} refers to itself in every value that could be made of it") from None
    _checked(found, value, "by construction")
    return value


@functools.singledispatch
def made(found: Any, making: Making) -> Any:
    """A value by construction."""
    raise _none(found)


@made.register
def _(found: Named, making: Making) -> Any:
    generator = registry.generators.get(found.keyword)
    if generator is not None:
        return _called(found, generator, (), {})
    if making.depth >= _DEEP:
        raise TooDeep
    making.depth += 1
    try:
        return made(registry.lookup(found.keyword, found.where), making)
    except NoGenerator as error:
        raise _none(found) from error
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
        raise _none(found)
    return simple[found.function]()


@made.register
def _(found: And, making: Making) -> Any:
    """Values of the first part that can be made, until one conforms to all."""
    maker = next((part for part in found.specs if _can(part, making)), None)
    if maker is None:
        raise _none(found)
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
    raise _none(found)


@made.register
def _(found: DictOf, making: Making) -> Any:
    for _attempt in range(TRIES):
        value = {made(found.key, making): made(found.value, making) for _ in range(_count(found.size, making))}
        if found.size.wrong(value, list(value), Scope()) is None:
            return value
    raise _none(found)


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
    raise TooDeep if deep else _none(whole)


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


def _called(found: Named, generator: registry.Generator, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    keyword = found.keyword
    registry.lookup(keyword, found.where)
    signature = attempt(inspect.signature, generator.function)
    if isinstance(signature, inspect.Signature):
        try:
            signature.bind(*arguments, **options)
        except TypeError as error:
            names = " ".join(_written_parameters(signature))
            told = f"the generator of {keyword} takes [{names}], and was given {_given(arguments, options)}"
            call = f"(spec/gen {keyword}{' ' if names else ''}{names})"
            raise GeneratorCall(f"{told} ({error}): write {call}", generator.where) from None
    value = generator.function(*arguments, **options)
    _checked(found, value, f"by the generator of {keyword}")
    return value


def _checked(found: Spec, value: Any, how: str) -> None:
    from mino import check

    problems = check.explain_data(found, value)
    if problems:
        raise SpecError(f"{summary(value)}, made {how}, does not conform to {found.written(True)}.", problems)


def _none(found: Any) -> NoGenerator:
    keyword = found.keyword if isinstance(found, Named) else None
    define = f"(spec/defgen {keyword or ':keyword'} [argument…] body…)"
    how = f"define one with {define}" if keyword else f"register it under a keyword, and define one with {define}"
    return NoGenerator(f"{found.written(True)} has no generator: {how}", getattr(found, "where", None))


def _parameters(function: Callable[..., Any]) -> list[str]:
    signature = attempt(inspect.signature, function)
    return list(signature.parameters) if isinstance(signature, inspect.Signature) else []


def _written_parameters(signature: inspect.Signature) -> Iterator[str]:
    marks: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "#* ", inspect.Parameter.VAR_KEYWORD: "#** "}
    for name, parameter in signature.parameters.items():
        shown = f"{marks.get(parameter.kind, '')}{hy.unmangle(name)}"
        yield shown if parameter.default is parameter.empty else f"[{shown} …]"


def _given(arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
    parts = []
    if arguments or not options:
        parts.append(f"{len(arguments)} {'argument' if len(arguments) == 1 else 'arguments'}")
    parts += [f":{hy.unmangle(name)}" for name in options]
    return ", ".join(parts)
