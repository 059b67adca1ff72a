"""Which heads are macros in a document, and which of them can be seen through.

A macro is known by a key: `hy:let`, `hyrule:loop`, `mino:defmu`; or it is `OPAQUE`: somebody's own, which may bind
whatever it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from mino_lsp.analysis import known
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import Definition, DefinitionKind, Import, Signature
from mino_lsp.analysis.reading import LIST, READER, SYMBOL, Reading
from mino_lsp.syntax.nodes import Piece

OPAQUE = "?"

# A component is no name of the document: in its mu, calls are judged by whether the macro is in scope.
_NO_VALUES = {DefinitionKind.MACRO, DefinitionKind.READER, DefinitionKind.SPEC, DefinitionKind.COMPONENT}

DEFINING = {"defmacro", "defmacro!", "defmacro/g!", "defmacro-kwargs"}


class Modules(Protocol):
    """What is known of other modules. `importer` is the path of the document that asks, for relative names."""

    def macros(self, module: str) -> dict[str, str] | None:
        """The keys of a module's macros by their mangled names; None where the module is not known."""

    def readers(self, module: str) -> dict[str, str] | None: ...

    def names(self, module: str) -> frozenset[str] | None:
        """The mangled names that `(import module *)` brings; None where they are not known."""

    def registers(self, module: str) -> bool:
        """Whether importing a module of the workspace registers specs, so that it is used although no name is."""

    def function(self, module: str, mangled: str) -> Signature | None:
        """The parameters of a function of a module of the workspace; None where they are not known for sure."""


class KnownModules:
    """Hy's own, hyrule's and mino's."""

    def macros(self, module: str) -> dict[str, str] | None:
        package = known.packages().get(mangle(module))
        return {name: key_of(entry) for name, entry in package.macros.items()} if package is not None else None

    def readers(self, module: str) -> dict[str, str] | None:
        package = known.packages().get(mangle(module))
        return {entry.name: key_of(entry) for entry in package.readers.values()} if package is not None else None

    def names(self, module: str) -> frozenset[str] | None:
        package = known.packages().get(mangle(module))
        return frozenset(package.names) | package.others if package is not None else None

    def registers(self, module: str) -> bool:
        return False

    def function(self, module: str, mangled: str) -> Signature | None:
        return None


def key_of(entry: known.Entry) -> str:
    return f"{entry.module.partition('.')[0]}:{entry.name}"


KNOWN = KnownModules()
_CORE = {mangled: f"hy:{entry.name}" for mangled, entry in known.core().items()}
_HOMES = ("mino.mu", "mino.thread", "mino.spec")
# Understood also where nothing requires them yet, nor binds their names: so somebody writes who has just begun.
_EXPECTED = {
    mangled: key_of(entry) for package in _HOMES for mangled, entry in known.packages()[package].macros.items()
}
_EXPECTED["defmain"] = "hyrule:defmain"
_SPELLED = "|".join(re.escape(key.partition(":")[2]) for key in _EXPECTED.values())
_NOT_CALLED = re.compile(rf"(?:^|(?<=[\s\[{{])|(?<=#\*))(?:{_SPELLED})(?=[\s()\[\]{{}}\";]|$)")


@dataclass(frozen=True, slots=True)
class Declared:
    """The macros that a piece brings: by requiring them, and by defining them. The latter are True where what they
    expand to may concern more than the function they are called in. `bound` are those of its own names that are those
    of macros which are understood without being required."""

    requires: tuple[Import, ...]
    macros: tuple[tuple[str, bool], ...]
    readers: tuple[str, ...]
    bound: frozenset[str] = frozenset()


_NOTHING = Declared((), (), ())


def declared(piece: Piece) -> Declared:
    text = piece.text
    if "require" not in text and "defmac" not in text and "defreader" not in text:
        return _NOTHING
    reading = Reading(piece)
    requires: list[Import] = []
    macros: list[tuple[str, bool]] = []
    readers: list[str] = []
    for index, kind in enumerate(reading.kind):
        if kind != LIST:
            continue
        head = reading.head_of(index)
        if head == "require":
            requires += reading.imports(index, reading.forms(index), True, 0)
        elif head in DEFINING or head == "defreader":
            parts = reading.forms(index)
            if len(parts) > 1 and reading.kind[parts[1]] in (SYMBOL, READER):
                name = reading.text_of(parts[1])
                if head == "defreader":
                    readers.append(name)
                else:
                    macros.append((mangle(name), "global" in reading.text_of(index)))
    return Declared(tuple(requires), tuple(macros), tuple(readers))


def may_bind_expected(piece: Piece) -> bool:
    """Whether a name of a macro that is understood without being required stands where it may be bound."""
    return _NOT_CALLED.search(piece.text) is not None


def bound_as_expected(definitions: Iterable[Definition]) -> frozenset[str]:
    """Those of the names that are defined that are those of macros which are understood without being required. What
    is imported out of their own modules may still be meant to be required."""
    return frozenset(
        one.mangled
        for one in definitions
        if one.mangled in _EXPECTED
        and one.kind not in _NO_VALUES
        and not (one.source is not None and one.source.module in (*_HOMES, "hyrule"))
    )


class Macros:
    """The macros in scope in a document. `blind`: a module that is not known may have brought any others."""

    def __init__(self, told: Iterable[Declared], modules: Modules) -> None:
        self._heads: dict[str, str] = {}
        self._readers: dict[str, str] = {}
        self._prefixes: set[str] = set()
        self._local: set[str] = set()
        self.blind = False
        self.blind_readers = False  # a module that is not known may have brought any reader macros
        told = list(told)
        self._bound = frozenset[str]().union(*(one.bound for one in told))
        for one in told:
            for entry in one.requires:
                self._require(entry, modules)
        for one in told:
            for name, concerns_all in one.macros:
                self._heads[name] = OPAQUE
                (self._local.discard if concerns_all else self._local.add)(name)
            for name in one.readers:
                self._readers[name] = OPAQUE
        self._bound -= self._heads.keys()  # what is required comes first

    def _require(self, entry: Import, modules: Modules) -> None:
        found = modules.macros(entry.module)
        for one in entry.names or ():
            self._heads[mangle(one.alias)] = (found or {}).get(mangle(one.name), OPAQUE)
        if entry.star:
            self.blind = self.blind or found is None
            self._heads.update(found or {})
        elif entry.prefix:
            prefix = mangle(entry.prefix)
            self._prefixes.add(prefix)
            self._heads.update({f"{prefix}.{name}": key for name, key in (found or {}).items()})
        readers = modules.readers(entry.module)
        for one in entry.readers or ():
            self._readers[one.alias] = (readers or {}).get(one.name, OPAQUE)
        if entry.star_readers:
            self.blind_readers = self.blind_readers or readers is None
            self._readers.update(readers or {})

    def same(self, other: Macros) -> bool:
        """Whether both answer alike, wherever the macros were declared."""
        mine, others = (
            (one._heads, one._readers, one._prefixes, one._local, one._bound, one.blind, one.blind_readers)
            for one in (self, other)
        )
        return mine == others

    def head(self, mangled: str) -> str | None:
        """The key of the macro that a head calls; None where it calls none."""
        key = self._heads.get(mangled) or _CORE.get(mangled)
        if key is None and mangled not in self._bound:
            key = _EXPECTED.get(mangled)
        if key is None and "." in mangled:
            if mangled.startswith("hy.R."):
                return _one_shot(mangled)
            if mangled.rpartition(".")[0] in self._prefixes:
                return OPAQUE
        return key

    def in_scope(self, mangled: str) -> bool:
        """Whether a macro is there, and not only understood."""
        return mangled in self._heads or mangled in _CORE or "." in mangled

    def reader(self, name: str) -> str:
        return self._readers.get(name, OPAQUE)

    def lacks_reader(self, name: str) -> bool:
        """Whether there is certainly no reader macro of that name."""
        return name not in self._readers and not self.blind_readers

    def stays_local(self, mangled: str) -> bool:
        """Whether what a macro binds, it binds in the function that calls it."""
        return mangled in self._local


def _one_shot(mangled: str) -> str:
    """The key of `hy.R.module.macro`."""
    module, _, name = mangled.removeprefix("hy.R.").rpartition(".")
    entries = KNOWN.macros(module.replace("/", ".")) or {}
    return entries.get(name, OPAQUE)
