"""A class of mus as the form `(mu [component…] body…)`, and the names that it reads from around it.

The form is compiled again, by itself, and must read no other names than the class does: a macro may have hidden a
function, or a text may not say what its form did. So what is written is what is computed.
"""

from __future__ import annotations

import builtins
import dis
import re
import types
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hy
from hy.models import Expression, Object, Sequence, Symbol

from mino import recipe
from mino.forms import is_dotted
from mino.procedure import QUOTES
from mino.reverting.irreversible import Irreversible
from mino.reverting.literals import USED
from mino.specs.foreign import Raised, attempt

if TYPE_CHECKING:
    from mino.module import Mu

# What `define` writes into a class; `__call__` is there while calls are instrumented.
_NAMES = """
    __module__ __qualname__ __doc__ __annotations__ __components__ __procedure__ __specs__ __recipe__ __call__ forward
"""
_OURS = frozenset(_NAMES.split())
# Names that Hy makes, and those that an editor's preview puts around every expression.
_NUMBERED = re.compile(r"(_hy_(?:gensym|anon_var)_.*?)_?\d+")
_FORMATS = {"format", "__format__"}  # of `procedure.readable`
_PROBE = re.compile(r"__mino_\w+__")


@dataclass(frozen=True)
class Written:
    """The form of a class, the names that it reads and are not its own, and those that are also bound in its body."""

    form: Expression
    reads: tuple[str, ...]
    ambiguous: frozenset[str]


_known: weakref.WeakKeyDictionary[type, Written] = weakref.WeakKeyDictionary()


def written(made: type[Mu]) -> Written:
    """The form of a class of mus. Raises `Irreversible` where its form does not say what it computes."""
    _check_unchanged(made)
    found = _known.get(made)
    if found is None:
        found = _known[made] = _written(made)
    return found


def _check_unchanged(made: type[Mu]) -> None:
    name = made.__name__
    if "__recipe__" not in made.__dict__:
        raise Irreversible(f"{name} is a class that extends a mu in Python, of which no form is known")
    if made.__dict__["forward"] is not made.__recipe__.forward:
        raise Irreversible(f"the forward procedure of {name} was replaced after its definition")
    more = sorted({*made.__dict__} - _OURS)
    if more:
        raise Irreversible(f"the class {name} was given {', '.join(more)} after its definition")


def _written(made: type[Mu]) -> Written:
    name, forward = made.__name__, made.__dict__["forward"]
    form = attempt(recipe.form, made.__components__, made.__procedure__, made.__doc__)
    again = form if isinstance(form, Raised) else attempt(_alone, form)
    if isinstance(again, Raised):
        raise Irreversible(f"the expanded procedure of {name} is no form that Hy reads and compiles ({again})")
    changing = sorted(_rebinds(forward.__code__))
    if changing:
        raise Irreversible(f"{name} assigns {', '.join(changing)}, which it has from outside")
    others = sorted(map(hy.unmangle, (_names(again) ^ _names(forward.__code__)) - _FORMATS))
    if others:
        raise Irreversible(
            f"the expanded procedure of {name} means something else by itself ({', '.join(others)}): "
            "a macro of mino.mu or of Hy has one of its names"
        )
    reads = dict.fromkeys(_reads(again))
    return Written(form, tuple(reads), frozenset(_bound(again)) & {*reads})


def _alone(form: Expression) -> types.CodeType:
    """The code of the procedure, compiled where nothing is defined."""
    forward: types.FunctionType = type(recipe.evaluated(form, {}, macros=("mino.mu",))).__dict__["forward"]
    return forward.__code__


def values(made: type[Mu], reads: tuple[str, ...]) -> dict[str, Any]:
    """What the names mean to the class now, those left out that mean it everywhere.

    Raises `Irreversible` for one that has no value.
    """
    forward = made.__dict__["forward"]
    around: Any = attempt(recipe.around, forward)
    if isinstance(around, Raised):
        raise Irreversible(f"{made.__name__} captures a variable that has no value yet")
    found: dict[str, Any] = {}
    for name in reads:
        value = around.get(name, hy if name == "hy" else _NOTHING)
        if value is _NOTHING:
            if not hasattr(builtins, name):
                raise Irreversible(f"{made.__name__} reads {hy.unmangle(name)}, which is not defined")
        elif name in ("torch", "hy") and getattr(value, "__name__", "") == name:
            continue
        elif name in USED:
            raise Irreversible(f"{made.__name__} captures a variable named {hy.unmangle(name)}: rename it")
        else:
            found[name] = value
    return found


_NOTHING = object()


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _names(code: types.CodeType) -> set[str]:
    """Every name in the code, those that Hy made without their numbers."""
    return {
        _plain(name)
        for each in _codes(code)
        for name in (*each.co_names, *each.co_varnames, *each.co_freevars, *each.co_cellvars)
        if not _PROBE.fullmatch(name)
    }


def _plain(name: str) -> str:
    made = _NUMBERED.fullmatch(name)
    return made[1] if made else recipe.as_written(name)


def _bound(code: types.CodeType) -> set[str]:
    """The names that are variables of the code itself."""
    return {recipe.as_written(name) for each in _codes(code) for name in (*each.co_varnames, *each.co_cellvars)}


def _reads(code: types.CodeType) -> Iterator[str]:
    """The names that the code has from outside, in the order in which it reads them."""
    for each in _codes(code):
        instructions = list(dis.get_instructions(each))
        own = {instruction.argval for instruction in instructions if instruction.opname == "STORE_NAME"}
        for instruction in instructions:
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and instruction.argval not in own:
                yield instruction.argval


def _rebinds(code: types.CodeType) -> Iterator[str]:
    """The variables from outside that the code assigns or deletes."""
    for each in _codes(code):
        for instruction in dis.get_instructions(each):
            name = instruction.argval
            if instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") or (
                instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and name in code.co_freevars
            ):
                yield recipe.as_written(name)


def renamed(form: Object, names: Mapping[str, Object]) -> Object | None:
    """`form` with each of the names, where it is read as a variable, written as another form; nothing where that
    cannot be done, since one of them is within a quoted form."""
    if isinstance(form, Symbol):
        return names.get(str(hy.mangle(form)), form)
    if not isinstance(form, Sequence) or not form:
        return form
    if form[0] in QUOTES:
        return None if {*map(hy.mangle, _symbols(form))} & {*names} else form
    if isinstance(form, Expression) and form[0] == Symbol("."):
        return _renamed_chain(form, names)
    return _like(form, [renamed(part, names) for part in form])


def _renamed_chain(form: Expression, names: Mapping[str, Object]) -> Object | None:
    """In `(. object name (method argument…) [index])`, names and methods are attributes."""
    dot, *parts = form
    new = [renamed(part, names) if index == 0 else _renamed_link(part, names) for index, part in enumerate(parts)]
    first = new[0] if new else None
    if first is not None and is_dotted(first) and str(form[1]) != "None":
        new[:1] = first[1:]
    return _like(form, [dot, *new])


def _renamed_link(part: Object, names: Mapping[str, Object]) -> Object | None:
    if isinstance(part, Symbol):
        return part
    if isinstance(part, Expression) and part:
        return _like(part, [part[0], *(renamed(each, names) for each in part[1:])])
    return renamed(part, names)


def _like(form: Any, parts: list[Object | None]) -> Object | None:
    """A sequence of the kind of `form`; f-strings keep what they are beside their parts."""
    if any(part is None for part in parts):
        return None
    made = type(form)(parts)
    for name in ("brackets", "conversion", "expression", "is_tstring"):
        if hasattr(form, name):
            setattr(made, name, getattr(form, name))
    return made


def _symbols(form: Object) -> Iterator[str]:
    if isinstance(form, Symbol):
        yield str(form)
    elif isinstance(form, Sequence):
        for part in form:
            yield from _symbols(part)
