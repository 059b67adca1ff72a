"""Specs of functions: of their arguments, of what they return, and of how the two are related.

A contract is checked at calls while its function is instrumented, and by `exercise`. The names of axes are those of
one check: `n` in the arguments is `n` in the result.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import hy

from mino.specs import generators, messages
from mino.specs.construction import Making
from mino.specs.engine import Failed, Predicate, Scope, Spec, spec
from mino.specs.foreign import Raised, attempt
from mino.specs.generators import seeded
from mino.specs.names import meant
from mino.specs.problems import NoGenerator, Place, Problem, SpecError, UnknownSpec
from mino.specs.sequences import Cat
from mino.summary import summary


@dataclass(frozen=True, slots=True)
class Contract:
    """The specs of a function, which is known by the names of its module and of itself."""

    module: str
    name: str
    args: Spec | None = None
    ret: Spec | None = None
    relation: Predicate | None = None
    where: Place | None = None

    @property
    def key(self) -> str:
        return f"{self.module}.{self.name}"

    @property
    def written_name(self) -> str:
        return str(hy.unmangle(self.name))


_lock = threading.Lock()
contracts: dict[str, Contract] = {}


def define(
    module: str,
    name: str,
    args: Any = None,
    ret: Any = None,
    relation: Any = None,
    where: Place | None = None,
) -> Contract:
    """Registers the specs of the function `name` of a module, which may be defined later, in the place of others."""
    global contracts
    arguments = None if args is None else spec(args)
    if isinstance(arguments, Cat):
        arguments = replace(arguments, named=True)
    related = None if relation is None else spec(relation)
    if related is not None and not isinstance(related, Predicate):
        raise TypeError(f"the :fn of {hy.unmangle(name)} is a function of a call; found {related.written(True)}")
    made = Contract(module, hy.mangle(name), arguments, None if ret is None else spec(ret), related, where)
    with _lock:
        contracts = {**contracts, made.key: made}
    return made


def of(function: Any) -> Contract:
    """The contract of a function, or of its key. Raises `UnknownSpec`, which names the nearest."""
    key = (
        function if isinstance(function, str) else f"{_text(function, '__module__')}.{_text(function, '__qualname__')}"
    )
    if key not in contracts:
        shown = hy.unmangle(key.rpartition(".")[2])
        near = meant(key, contracts)
        advice = near or f": define one with (spec/defun {shown} :args … :ret …)"
        raise UnknownSpec(f"{shown} has no spec of its arguments and its result{advice}")
    return contracts[key]


def called(contract: Contract, function: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The value of a call whose arguments and result are checked. Raises `SpecError` for what does not conform."""
    signature = attempt(inspect.signature, function)
    if isinstance(signature, inspect.Signature):
        bound = attempt(signature.bind, *given) if not named else attempt(lambda: signature.bind(*given, **named))
        if not isinstance(bound, inspect.BoundArguments):
            return function(*given, **named)  # which tells what is wrong with such a call
        bound.apply_defaults()
        items = [*bound.args, *([bound.kwargs] if bound.kwargs else [])]
    else:
        items = [*given, *([named] if named else [])]
    scope = Scope()
    conformed = arguments(contract, items, scope)
    returned = function(*given, **named)
    result(contract, conformed, returned, scope)
    return returned


def arguments(contract: Contract, items: list[Any], scope: Scope) -> Any:
    """The conformed arguments."""
    if contract.args is None:
        return items
    conformed = contract.args.check(items, scope)
    if type(conformed) is Failed:
        name = contract.written_name
        raise _error(f"The arguments of {name} do not conform to its :args.", conformed.under(":args"), contract)
    return conformed


def result(contract: Contract, conformed: Any, returned: Any, scope: Scope) -> None:
    """Checks what a call returned, and the relation of it to the arguments."""
    name = contract.written_name
    if contract.ret is not None:
        scope.at.append("result")
        checked = contract.ret.check(returned, scope)
        scope.at.pop()
        if type(checked) is Failed:
            raise _error(f"What {name} returned does not conform to its :ret.", checked.under(":ret"), contract)
        returned = checked
    if contract.relation is not None:
        call = {"args": conformed, "ret": returned}
        checked = contract.relation.check(call, scope)
        if type(checked) is Failed:
            failed = checked.under(":fn")
            what = f"the result {summary(returned)}"
            problems = tuple(replace(problem, val=what, object=None) for problem in failed.problems)
            raise _error(f"What {name} returned does not fit its arguments.", Failed(problems), contract)


def exercise(what: Any, count: int = 10, *, seed: Any = None) -> list[tuple[Any, Any]]:
    """Of a function, `count` calls on arguments that were made of its spec: pairs of arguments and result, all checked.
    Of a spec, `count` values made of it, each with what it conforms to.
    """
    from mino import check

    is_spec = not callable(what) and not (isinstance(what, str) and what in contracts)
    if is_spec:
        with seeded(seed) as chance:
            found = spec(what)
            return [(value, check.conform(found, value)) for value in (_one(found, chance) for _ in range(count))]
    contract = of(what)
    function = _function(contract) if isinstance(what, str) else inspect.unwrap(what)
    if contract.args is None:
        raise NoGenerator(f"{contract.written_name} has no :args to make arguments of: add them to its spec/defun")
    pairs = []
    with seeded(seed) as chance:
        for _ in range(count):
            given = tuple(_one(contract.args, chance))
            pairs.append((given, _tried(contract, function, given)))
    return pairs


def _tried(contract: Contract, function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    result = attempt(called, contract, function, given, {})
    if isinstance(result, Raised):
        told = ", ".join(map(summary, given))
        result.error.add_note(f"spec/exercise had called {contract.written_name} with {told}.")
        raise result.error
    return result


def _one(found: Spec, chance: Any) -> Any:
    return generators.constructed(found, Making(chance))


def _function(contract: Contract) -> Callable[..., Any]:
    found: Any = sys.modules[contract.module]
    for name in contract.name.split("."):
        found = getattr(found, name)
    unwrapped: Callable[..., Any] = inspect.unwrap(found)
    return unwrapped


def _error(sentence: str, failed: Failed, contract: Contract) -> SpecError:
    problems: tuple[Problem, ...] = failed.problems
    return SpecError(sentence, (messages.located(problem, None) for problem in problems))


def _text(function: Any, name: str) -> str:
    found = attempt(getattr, function, name)
    return found if isinstance(found, str) else type(function).__name__
