"""Expansion without trust: macros of Mino's and hyrule's that are known to be pure functions of their arguments.

No code of a document's runs: what a name means is read from the `require`s, and only these functions are called. Each
was read for what it does at expansion: it builds forms, and neither evaluates, compiles nor expands one, opens a file,
nor imports by a name that comes from its arguments.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import hy
from hy.compiler import HyASTCompiler
from hy.models import Expression, Keyword, List, Symbol

from mino_lsp.worker.written import is_dotted

THREADS = ("->", "->>", "*->", "*->>", "|->", "|->>", "=->", "=->>", "cond->", "cond->>")

PURE: dict[str, tuple[str, ...]] = {
    "mino.thread": THREADS,
    # A mu's body is expanded by the macros of its module; the module that they are given here has none.
    "mino.mu": ("defmu", "mu", "bind", "mino/apply", "geta"),
    "hyrule.anaphoric": (
        *("ap-if", "ap-each", "ap-each-while", "ap-map", "ap-map-when", "ap-filter", "ap-reject"),
        *("ap-dotimes", "ap-first", "ap-last", "ap-reduce", "ap-when", "ap-with"),
    ),
    "hyrule.argmove": ("->", "->>", "as->", "some->", "doto"),
    "hyrule.collections": ("ncut",),
    "hyrule.control": (
        *("branch", "ebranch", "case", "ecase", "cfor", "do-n", "defmain", "lif", "list-n", "loop", "unless"),
        "block",
    ),
    "hyrule.misc": ("comment", "of"),
    "hyrule.oop": ("meth", "ameth"),
    "hyrule.sequences": ("seq", "defseq"),
}
"""Not among them: what expands or evaluates its arguments (hyrule's `setv+`, `let+`, `smacrolet`, `pun`, `sqlexec`,
`defmacro!` and its kin), and the `spec/…` macros, which look for what a name means in the module that is compiled."""

NEEDS_TRUST = (
    "Without trust only macros of Mino's and hyrule's that are known to be pure are expanded, and this is none of "
    "them: expanding any other runs code (command mino.trust)."
)

Step = Callable[[Any], Any]


class PureMacros:
    """What the macro names of a document mean, as far as its `require`s say so."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, str]] = {name: ("mino.thread", name) for name in THREADS}
        self._compiler = HyASTCompiler(ModuleType("pure"))

    def take(self, form: Any) -> None:
        """Heed a form of the document that requires or defines macros."""
        if not isinstance(form, Expression) or not form or not isinstance(form[0], Symbol):
            return
        if form[0] == Symbol("require"):
            self._require(list(form[1:]))
        elif form[0].startswith("defmacro") and len(form) > 1:
            self._names.pop(str(form[1]), None)
        elif form[0] in (Symbol("do"), Symbol("eval-and-compile"), Symbol("eval-when-compile")):
            for part in form[1:]:
                self.take(part)

    def _require(self, entries: list[Any]) -> None:
        while entries:
            module = _module(entries.pop(0))
            prefix, chosen = module, None
            while entries and (isinstance(entries[0], (Keyword, List)) or entries[0] == Symbol("*")):
                what = entries.pop(0)
                if what == Keyword("as") and entries:
                    prefix = str(entries.pop(0))
                elif what == Keyword("readers") and entries:
                    entries.pop(0)
                elif isinstance(what, List) or what == Symbol("*"):
                    chosen = what
            if chosen is None:
                self._names.update({f"{prefix}.{name}": (home, name) for name, home in _pure_macros(module).items()})
            else:
                self._choose(module, chosen)

    def _choose(self, module: str, chosen: Any) -> None:
        pure = _pure_macros(module)
        if not isinstance(chosen, List):
            self._names.update({name: (home, name) for name, home in pure.items()})
            return
        names = list(map(str, chosen))
        while names:
            name = alias = names.pop(0)
            if names[:1] == [":as"]:
                alias, names = names[1], names[2:]
            self._names.pop(alias, None)
            if name in pure:
                self._names[alias] = (pure[name], name)

    def step(self, form: Any) -> Any:
        """One step; a form that is not the call of a pure macro is returned as it is."""
        head = form[0] if isinstance(form, Expression) and form else None
        name = str(head) if isinstance(head, Symbol) else ""
        if head is not None and is_dotted(head):
            name = ".".join(map(str, head[1:]))
        if name.startswith("hy.R."):
            module, _, name = name.removeprefix("hy.R.").rpartition(".")
            home = _pure_macros(module).get(name, "")
        else:
            home, name = self._names.get(name, ("", ""))
        if not home:
            return form
        macro = vars(importlib.import_module(home))["_hy_macros"][hy.mangle(name)]
        self._compiler.this = form
        first = [self._compiler] if macro.__code__.co_varnames[:1] == ("_hy_compiler",) else []
        return hy.as_model(macro(*first, *form[1:])).replace(form)

    def names(self) -> Iterable[str]:
        return self._names


def _module(form: Any) -> str:
    return ".".join(map(str, form[1:])) if is_dotted(form) else str(form)


def _pure_macros(module: str) -> dict[str, str]:
    """The pure macros that a module gives, each with its home."""
    if module == "hyrule":
        return {name: home for home, names in PURE.items() if home.startswith("hyrule.") for name in names}
    return dict.fromkeys(PURE.get(module, ()), module)
