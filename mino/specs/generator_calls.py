"""Calls of the generators that are registered: with arguments that they take, and with what they make checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import hy

from mino.specs import registry
from mino.specs.engine import Named, Spec
from mino.specs.foreign import attempt
from mino.specs.problems import GeneratorCall, SpecError
from mino.summary import summary


def called(found: Named, generator: registry.Generator, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
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
    checked(found, value, f"by the generator of {keyword}")
    return value


def checked(found: Spec, value: Any, how: str) -> None:
    from mino import check

    problems = check.explain_data(found, value)
    if problems:
        raise SpecError(f"{summary(value)}, made {how}, does not conform to {found.written(True)}.", problems)


def parameters(function: Callable[..., Any]) -> list[str]:
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
