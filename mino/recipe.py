"""How a mu is pickled whose class no import finds: an anonymous one, or one that was defined in a function.

Its class is rebuilt from its form, in a namespace of what the form captured: the variables of enclosing functions
and the globals that its code reads. Modules among these are pickled by name, everything else as pickle does it.
"""

from __future__ import annotations

import dis
import importlib
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import hy
from hy.models import Expression, List, Object, String, Symbol

from mino.summary import summary

if TYPE_CHECKING:
    from mino.module import Mu

SCOPE = "mino.scope"
OUR_NAMES = frozenset(("_mino_unbound", "_mino_resolve"))

# Hy renames the variables of `let`, and those of `except`; a form has them as they were written.
_RENAMED = re.compile(r"_hy_(?:let|exc)_(.+)_\d+")


class Recipe:
    """The class of a mu as something that pickles. Copies of it are itself, so that copied mus share their class."""

    def __init__(self, made: type[Mu]) -> None:
        self.made = made
        self.forward = made.__dict__["forward"]

    def __reduce__(self) -> tuple[Any, ...]:
        made = self.made
        forward = made.__dict__["forward"]
        described = (made.__name__, made.__qualname__, made.__module__, made.__components__, made.__procedure__)
        return rebuild, (*described, made.__doc__), captured(forward)

    def __setstate__(self, names: Mapping[str, Any]) -> None:
        """Gives the rebuilt procedure what it captured, which may be the mu itself."""
        scope = self.made.__dict__["forward"].__globals__
        for name, value in names.items():
            scope[name] = importlib.import_module(value.name) if isinstance(value, ModuleName) else value

    def __deepcopy__(self, memo: object) -> Recipe:
        return self


class ModuleName:
    """A module, pickled as its name."""

    def __init__(self, name: str) -> None:
        self.name = name


def importable(made: type) -> bool:
    """Whether pickle finds the class where its name says that it is."""
    found: Any = sys.modules.get(made.__module__)
    for name in made.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is made


def blank(recipe: Recipe) -> Mu:
    """An instance of the recipe's class, whose state is still to be set."""
    return recipe.made.__new__(recipe.made)


def rebuild(
    name: str,
    qualname: str,
    module: str,
    components: Iterable[str],
    procedure: str,
    doc: str | None,
) -> Recipe:
    """The recipe of a class that is made again from its form, in a namespace that is still to be filled."""
    made = type(evaluated(form(components, procedure, doc), {}))
    made.__name__, made.__qualname__ = name, qualname
    made.__module__ = made.__dict__["forward"].__module__ = module
    return made.__dict__["__recipe__"]  # type: ignore[no-any-return]


def form(components: Iterable[str], procedure: str, doc: str | None = None) -> Expression:
    """The form `(mu [component…] "doc"? body…)`."""
    docstring = [String(doc)] if doc is not None else []
    return Expression(
        [Symbol("mu"), List(map(Symbol, components)), *docstring, *hy.read_many(procedure, "<the form of a mu>")]
    )


def evaluated(form: Object, names: dict[str, Any], macros: Iterable[str] = ("mino.mu", "mino.thread")) -> Any:
    """The value of `form`, in which mino's macros may be used, with `names` as its globals.

    These have no `__name__`: torch.compile would look for them in the module of that name.
    """
    scope = types.ModuleType(SCOPE)
    for module in macros:
        hy.macros.require(module, scope, assignments="EXPORTS")
    return hy.eval(form, globals=names, module=scope)


def from_form(form: Object | str, names: Mapping[str, Any] | None = None) -> Mu:
    """The mu that a form, or the text of one, makes: `from_form("(mu [x w] (-> x (@ w)))")`.

    Mino's macros may be used in it, and `names` are its globals, such as `{"torch": torch}`.
    Raises `TypeError` when its value is no mu, and what Hy raises for text that is not one form.
    """
    from mino.module import Mu

    model = hy.read(form) if isinstance(form, str) else form
    made = evaluated(model, {hy.mangle(name): value for name, value in (names or {}).items() if name != "__name__"})
    if not isinstance(made, Mu):
        raise TypeError(f"the form of a mu is (mu [component…] body…); this one makes {summary(made)}")
    return made


def captured(forward: types.FunctionType) -> dict[str, Any]:
    """What the procedure reads from around it, as something that pickles."""
    return {
        name: ModuleName(value.__name__) if isinstance(value, types.ModuleType) else value
        for name, value in around(forward).items()
    }


def around(forward: types.FunctionType) -> dict[str, Any]:
    """What the procedure reads from around it, by the names that its form has for it."""
    cells = zip(forward.__code__.co_freevars, forward.__closure__ or (), strict=True)
    names = {name: cell.cell_contents for name, cell in cells if name not in OUR_NAMES}
    names |= {name: forward.__globals__[name] for name in globals_of(forward.__code__) if name in forward.__globals__}
    return {as_written(name): value for name, value in names.items()}


def globals_of(code: types.CodeType) -> Iterator[str]:
    """The names that the code looks up in its globals, in the order in which it does."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from globals_of(constant)


def as_written(name: str) -> str:
    """A variable as its form has it."""
    renamed = _RENAMED.fullmatch(name)
    return renamed[1] if renamed else name
