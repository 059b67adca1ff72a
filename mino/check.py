"""The spec engine: what a spec is, how a value is checked, and failure as data. It does not import torch."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import hy
from hy.models import Keyword

from mino.summary import summary


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form stands: lines and columns as Hy counts them, from 1, the end included."""

    file: str | None
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Problem:
    """One way in which a value does not conform.

    `path` leads through the specs and `via` through their registered keywords; `in_` holds the keys into the value,
    `pred` the text of the predicate, `val` a summary of what was found, and `object` that value itself, which is
    neither compared nor pickled.
    """

    path: tuple[str, ...]
    via: tuple[str, ...]
    in_: tuple[str, ...]
    pred: str
    val: str
    reason: str | None = None
    where: Place | None = None
    object: Any = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "object": None}

    def __str__(self) -> str:
        key = f"{'.'.join(self.in_)}: " if self.in_ else ""
        expected = ", ".join([*self.via[-1:], self.pred])
        reason = f" ({self.reason})" if self.reason else ""
        return f"{key}expected {expected}; found {self.val}{reason}"


class SpecError(ValueError):
    """A value does not conform to a spec; `problems` says in what."""

    def __init__(self, sentence: str, problems: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.sentence = sentence
        super().__init__(sentence, self.problems)

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {problem}" for problem in self.problems)])


class UnknownSpec(LookupError):
    """A keyword that names no spec."""


@dataclass(frozen=True, slots=True)
class Trail:
    """How a check came to a value: through which specs, which keywords and which keys."""

    path: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    in_: tuple[str, ...] = ()

    def through(self, part: str) -> Trail:
        return Trail((*self.path, part), self.via, self.in_)

    def named(self, keyword: str) -> Trail:
        return Trail((*self.path, keyword), (*self.via, keyword), self.in_)

    def into(self, key: str) -> Trail:
        return Trail((*self.path, key), self.via, (*self.in_, key))

    def problem(self, pred: str, value: Any, reason: str | None = None, where: Place | None = None) -> Problem:
        return Problem(self.path, self.via, self.in_, pred, summary(value), reason, where, value)


Outcome = tuple[Any, list[Problem]]


class Spec(Protocol):
    """Anything that can check a value."""

    def check(self, value: Any, trail: Trail) -> Outcome:
        """The conformed value, and the problems; with problems the value means nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Predicate:
    """A function that is true of the values that conform."""

    function: Callable[[Any], Any]
    text: str
    where: Place | None = None

    def check(self, value: Any, trail: Trail) -> Outcome:
        holds, reason = _ask(self.function, value)
        return value, [] if holds else [trail.problem(self.text, value, reason, self.where)]


@dataclass(frozen=True, slots=True)
class Named:
    """A registered spec, looked up when a value is checked."""

    keyword: str

    def check(self, value: Any, trail: Trail) -> Outcome:
        return lookup(self.keyword).check(value, trail.named(self.keyword))


@dataclass(frozen=True, slots=True)
class And:
    """All of the specs, in order, each given what the one before made of the value; the first failure ends it."""

    specs: tuple[Spec, ...]

    def check(self, value: Any, trail: Trail) -> Outcome:
        trail = trail.through("spec/and")
        for spec in self.specs:
            value, problems = spec.check(value, trail)
            if problems:
                return value, problems
        return value, []


@dataclass(frozen=True, slots=True)
class Held:
    """A module whose parameters, or sub-modules, conform; what is found in all of them is reported."""

    kind: str
    specs: tuple[tuple[str, Spec, Place | None], ...]

    def check(self, value: Any, trail: Trail) -> Outcome:
        trail = trail.through(f"spec/{self.kind}")
        registered = getattr(value, f"_{self.kind}", None)
        if registered is None:
            return value, [trail.problem(f"a module with {self.kind}", value)]
        problems: list[Problem] = []
        for name, spec, where in self.specs:
            problems += self._component(value, registered.get(hy.mangle(name)), name, spec, where, trail.into(name))
        return value, problems

    def _component(
        self, owner: Any, found: Any, name: str, spec: Spec, where: Place | None, trail: Trail
    ) -> list[Problem]:
        if found is None:
            other = getattr(owner, hy.mangle(name), None)
            reason = f"{summary(owner)} has no {self.kind.removesuffix('s')} of this name"
            return [trail.problem(f"one of its {self.kind}", other, reason, where)]
        return spec.check(found, trail)[1]


_registry: dict[str, Spec] = {}
_generators: dict[str, Callable[..., Any]] = {}


def spec(value: Any, text: str = "", where: tuple[Any, ...] | None = None) -> Spec:
    """The spec that `value` stands for: a spec, a registered keyword (or its text, ":name"), or a predicate.

    `text` is the predicate's form, and `where` the arguments of its `Place`. Raises `TypeError` for anything else.
    """
    if isinstance(value, Keyword) or (isinstance(value, str) and value.startswith(":")):
        return Named(str(value))
    if hasattr(value, "check"):
        found: Spec = value
        return found
    if callable(value):
        name = text or getattr(value, "__name__", type(value).__name__)
        return Predicate(value, name, Place(*where) if where else None)
    raise TypeError(f"a spec is a keyword, a predicate or a form such as (spec/and …); found {summary(value)}")


def define(keyword: str | Keyword, definition: Spec) -> None:
    """Registers `definition` under `keyword`, in the place of what was there."""
    _registry[str(keyword)] = definition


def define_generator(keyword: str | Keyword, generator: Callable[..., Any]) -> None:
    """Registers the function that makes values of the spec `keyword`."""
    _generators[str(keyword)] = generator


def lookup(keyword: str) -> Spec:
    """The spec registered under `keyword` (with its colon). Raises `UnknownSpec`, which names the nearest."""
    if keyword not in _registry:
        raise UnknownSpec(f"no spec is registered as {keyword}{_nearest(keyword, _registry)}")
    return _registry[keyword]


def both(*specs: Spec) -> Spec:
    """A spec of values that conform to all of `specs`."""
    return And(specs)


def parameters(*specs: tuple[str, Spec, tuple[Any, ...] | None]) -> Spec:
    """A spec of modules whose parameters of these names conform."""
    return Held("parameters", _placed(specs))


def modules(*specs: tuple[str, Spec, tuple[Any, ...] | None]) -> Spec:
    """A spec of modules whose sub-modules of these names conform."""
    return Held("modules", _placed(specs))


def problems(definition: Any, value: Any) -> tuple[Problem, ...]:
    """What about `value` does not conform."""
    return tuple(spec(definition).check(value, Trail())[1])


def valid(definition: Any, value: Any) -> bool:
    """Whether `value` conforms."""
    return not problems(definition, value)


def conform(definition: Any, value: Any) -> Any:
    """`value` as its spec conforms it. Raises `SpecError` with every problem."""
    conformed, found = spec(definition).check(value, Trail())
    if found:
        raise SpecError(f"{summary(value)} does not conform to {_name(definition)}.", found)
    return conformed


def generate(definition: Any, *arguments: Any, **keywords: Any) -> Any:
    """A value from the generator of a spec, which it is checked against.

    Raises `UnknownSpec` when the spec has no generator, and `SpecError` when what it made does not conform.
    """
    keyword = _name(definition)
    if keyword not in _generators:
        lookup(keyword)
        raise UnknownSpec(f"{keyword} has no generator: define one with (spec/defgen {keyword} [argument…] body…)")
    value = _generators[keyword](*arguments, **keywords)
    found = problems(definition, value)
    if found:
        raise SpecError(f"{summary(value)}, made by the generator of {keyword}, does not conform to {keyword}.", found)
    return value


def _name(definition: Any) -> str:
    return str(definition) if isinstance(definition, str | Keyword) else getattr(definition, "text", "this spec")


def _nearest(keyword: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(keyword, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _placed(specs: Iterable[tuple[str, Spec, tuple[Any, ...] | None]]) -> tuple[tuple[str, Spec, Place | None], ...]:
    return tuple((name, one, Place(*where) if where else None) for name, one, where in specs)


def _ask(function: Callable[[Any], Any], value: Any) -> tuple[bool, str | None]:
    """Whether the predicate holds; one that raises has failed, with its error as the reason."""
    try:
        return bool(function(value)), None
    except Exception as error:  # noqa: BLE001 - the one place where a user's predicate is called
        return False, f"{type(error).__name__}: {error}"
