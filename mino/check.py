"""Specs for Python: the functions under the macros of `mino.spec`. Importing this module does not import torch.

Where a spec is asked for, there may be a spec, a registered keyword (`hy.models.Keyword`, or its text, ":name"), a
predicate, a class for its instances, or a set for its members.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from collections.abc import Callable
from typing import Any, TextIO

import hy
from hy.models import Keyword

from mino.specs import engine, functions, messages, registry
from mino.specs.engine import Failed, Named, Scope, Spec, spec
from mino.specs.functions import exercise
from mino.specs.generators import generate
from mino.specs.instrumenting import instrument, instrumented, unstrument
from mino.specs.making import (
    and_,
    buffers,
    cat,
    coll_of,
    components,
    dict_of,
    enum,
    keys,
    module,
    modules,
    nand,
    nilable,
    not_,
    or_,
    parameters,
    tensor,
    tuple_,
)
from mino.specs.owned import Owned, owned
from mino.specs.problems import (
    CircularSpec,
    GeneratorCall,
    Mark,
    NoGenerator,
    NoSpec,
    Place,
    Problem,
    SpecError,
    UnknownSpec,
)
from mino.specs.registry import Snapshot, lookup, restore, temporary, undefine
from mino.specs.searching import replace, search
from mino.summary import summary

__all__ = [
    "CircularSpec",
    "GeneratorCall",
    "Mark",
    "NoGenerator",
    "NoSpec",
    "Owned",
    "Place",
    "Problem",
    "Snapshot",
    "Spec",
    "SpecError",
    "UnknownSpec",
    "and_",
    "assert_",
    "buffers",
    "cat",
    "check_asserts",
    "coll_of",
    "components",
    "conform",
    "define",
    "define_function",
    "define_generator",
    "describe",
    "dict_of",
    "enum",
    "exercise",
    "explain",
    "explain_data",
    "form",
    "generate",
    "instrument",
    "instrumented",
    "keys",
    "lookup",
    "module",
    "modules",
    "nand",
    "nilable",
    "not_",
    "or_",
    "owned",
    "parameters",
    "registered",
    "replace",
    "restore",
    "search",
    "spec",
    "summary",
    "temporary",
    "tensor",
    "tuple_",
    "undefine",
    "unstrument",
    "valid",
]

WhereAt = Place | tuple[Any, ...] | None


def define(keyword: str | Keyword, definition: Any) -> Spec:
    """Registers a spec under `keyword`, in the place of what was there, and gives it back."""
    return registry.define(keyword, spec(definition))


def define_generator(keyword: str | Keyword, function: Callable[..., Any], where: WhereAt = None) -> None:
    """Registers the function that makes values of the spec `keyword`."""
    registry.define_generator(keyword, registry.Generator(function, _place(where)))


def registered(keyword: str | Keyword | None = None, where: WhereAt = None) -> Any:
    """Every spec that is registered, by keyword, as it is now; or the spec of one keyword."""
    return registry.snapshot() if keyword is None else lookup(str(keyword), _place(where))


def valid(definition: Any, value: Any, where: WhereAt = None) -> bool:
    """Whether `value` conforms."""
    return type(_checked(definition, value, where)) is not Failed


def conform(definition: Any, value: Any, where: WhereAt = None) -> Any:
    """`value` as its spec conforms it. Raises `SpecError` with every problem."""
    result = _checked(definition, value, where)
    if type(result) is Failed:
        if engine.compiling():
            raise SpecError(engine.UNTOLD)
        raise error(f"{summary(value)} does not conform to {describe_name(definition)}.", result, value)
    return result


def explain_data(definition: Any, value: Any, where: WhereAt = None) -> tuple[Problem, ...]:
    """What about `value` does not conform."""
    result = _checked(definition, value, where)
    return _located(result, value) if type(result) is Failed else ()


def explain(definition: Any, value: Any, where: WhereAt = None, file: TextIO | None = None) -> None:
    """Prints what about `value` does not conform, and where that is asked, in colour on a terminal."""
    file = file or sys.stdout
    found = explain_data(definition, value, where)
    what, name = summary(value), describe_name(definition)
    sentence = f"{what} does not conform to {name}." if found else f"{what} conforms to {name}."
    print(messages.report(sentence, found, messages.wants_colour(file), places=True), file=file)


def assert_(definition: Any, value: Any, where: WhereAt = None) -> Any:
    """`value`, if it conforms or while assertions are off. Raises `SpecError` with every problem."""
    if Used.asserting:
        conform(definition, value, where)
    return value


def check_asserts(on: bool | None = None) -> bool:
    """Switches `assert_` on or off, if asked to; whether it is on. It is off at first, as in Clojure, unless the
    environment has MINO_CHECK_ASSERTS=1."""
    if on is not None:
        Used.asserting = bool(on)
    return Used.asserting


def form(definition: Any, where: WhereAt = None) -> Any:
    """The form that makes a spec, as a Hy model; for a keyword the form of what is registered under it."""
    return hy.read(_meant(definition, where).written(False))


def describe(definition: Any, where: WhereAt = None) -> Any:
    """The form of a spec, as a Hy model, with predicates shown by what they compute."""
    return hy.read(_meant(definition, where).written(True))


def define_function(
    module: str, name: str, *, args: Any = None, ret: Any = None, fn: Any = None, where: WhereAt = None
) -> functions.Contract:
    """Registers specs of a function of a module: of its arguments, of its result, and `fn`, a predicate of both.

    `args` is a spec of the sequence of the arguments; `fn` is given `{"args": …, "ret": …}`, conformed.
    """
    return functions.define(module, name, args, ret, fn, _place(where))


def error(sentence: str, failed: Failed, value: Any) -> SpecError:
    """The error for a value that does not conform."""
    return SpecError(sentence, _located(failed, value))


def describe_name(definition: Any) -> str:
    """How a spec is called in a sentence: by its keyword, or by its form."""
    if isinstance(definition, str | Keyword):
        return str(definition)
    return spec(definition).written(True)


def _checked(definition: Any, value: Any, where: WhereAt) -> Any:
    try:
        named = _by_keyword.get(definition) if type(definition) is str else None
        return (named or _resolved(definition, where)).check(value, Scope())
    except UnknownSpec as unknown:
        raise UnknownSpec(unknown.sentence, unknown.where or _place(where)) from None
    except RecursionError:
        raise engine.too_deep(describe_name(definition), _place(where)) from None


def _resolved(definition: Any, where: WhereAt) -> Spec:
    found = spec(definition, where=where)
    if isinstance(found, Named) and type(definition) is str:
        _by_keyword[definition] = Named(found.keyword)
    return found


_by_keyword: dict[str, Named] = {}


def _meant(definition: Any, where: WhereAt) -> Spec:
    found = spec(definition, where=where)
    return lookup(found.keyword, found.where) if isinstance(found, Named) else found


def _located(failed: Failed, value: Any) -> tuple[Problem, ...]:
    return tuple(messages.located(problem, value) for problem in failed.problems)


def _place(where: WhereAt) -> Place | None:
    return Place(*where) if isinstance(where, tuple) else where


class Used:
    """What the expansions of the `spec/…` macros use: they find it among the builtins, as those of Hy find
    Hy's macros, since a name costs nanoseconds and `hy.I` microseconds. It is a class because torch.compile follows a
    class from there, and no module.
    """

    asserting = os.environ.get("MINO_CHECK_ASSERTS", "") not in ("", "0", "false")
    """Whether assertions are checked: the one flag that one which is off tests."""


for _name in __all__:
    if isinstance(globals()[_name], types.FunctionType):
        setattr(Used, _name, staticmethod(globals()[_name]))
builtins.__dict__["_mino_check"] = Used
