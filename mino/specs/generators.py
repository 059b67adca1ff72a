"""Values made of specs: by their generators, or by construction; what is made is checked against its spec."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

from mino.specs import registry
from mino.specs.construction import Making, TooDeep, made
from mino.specs.engine import Named, Spec, spec
from mino.specs.generator_calls import called, checked, parameters
from mino.specs.names import written
from mino.specs.problems import GeneratorCall, NoGenerator


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
            takes_seed = "seed" in parameters(generator.function)
            if takes_seed and seed is not None:
                options["seed"] = seed
            return called(found, generator, arguments, options)
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
    checked(found, value, "by construction")
    return value
