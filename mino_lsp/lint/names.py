"""Checks of names: what nothing binds, what nothing uses, and calls that do not fit what they call.

All of them ask for certainty: where a macro that nobody knows may bind, use or change a name, nothing is said.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from mino_lsp.analysis import (
    Definition,
    DefinitionKind,
    Import,
    KeywordRole,
    Modules,
    Names,
    Reference,
    Resolution,
    Role,
    Signature,
    mangle,
)
from mino_lsp.analysis.model import ParameterKind
from mino_lsp.lint.findings import Call, Finding, counted
from mino_lsp.lint.runs import Stretch, symbols_in
from mino_lsp.syntax import Kind

_VALUES = frozenset({Role.READ, Role.CALL, Role.WRITE})
_HOMES = ("mino.mu", "mino.thread", "mino.spec", "hyrule")


def nearest(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant; empty if nothing is near."""
    letters, least = set(name), 0.375 * len(name) - 1e-9  # a ratio of 0.75 needs so many letters in common, of both
    near = sorted(
        one
        for one in known
        if abs(len(one) - len(name)) <= 2
        and len(one) - len(set(one) - letters) >= least + 0.375 * len(one)
        and one != name
    )
    found = get_close_matches(name, near, n=1, cutoff=0.75)
    return found[0] if found else ""


def guess(near: str) -> str:
    """The same, as the end of a sentence."""
    return f"; did you mean `{near}`?" if near else "."


def undefined(names: Names, unresolved: Iterable[Reference]) -> Iterator[Finding]:
    """Names that certainly nothing binds, and macros of mino that nothing requires."""
    known: set[str] = set()
    suggestions = 10
    for reference in unresolved:
        end = reference.start + len(reference.name)
        home = _required_from(names, reference)
        if home:
            if reference.mangled not in names.visible(reference.start):
                told = f"The macro `{reference.name}` is not required: write (require {home} [{reference.name}])."
                yield Finding(reference.start, end, "missing-require", told)
        elif reference.role in _VALUES:
            known = known or names.spelled() | set(dir(builtins))
            near = ""
            if suggestions > 0:
                local = {definition.name for definition in names.visible(reference.start).values()}
                near = nearest(reference.name, known | local)
            suggestions -= 1
            told = f"Nothing here is named `{reference.name}`{guess(near)}"
            yield Finding(reference.start, end, "undefined-name", told, instead=near)


def _required_from(names: Names, reference: Reference) -> str:
    """The module of a macro that is called; also where its name is bound elsewhere, so that it is taken for that."""
    homes = _HOMES if reference.role is Role.MACRO else _HOMES[:-1] if reference.role is Role.CALL else ()
    return next((one for one in homes if reference.mangled in (names.modules.macros(one) or {})), "")


# ---- calls


def misfits(names: Names, modules: Modules, start: int, one: Stretch) -> Iterator[Finding]:
    """Calls in a stretch, which starts at an offset, of functions and mus of the document, and of functions of others
    of the workspace, with the wrong number of arguments, or with unknown ones. Places are relative to the stretch."""
    if not names.certain:
        return
    known = {
        name: _as_at_home(definition, modules)
        for name in one.called & names.bound
        if (definition := names.only(name)) is not None
    }
    known.update(_members(names, modules, one))
    for place, calls in one.calls:
        for call in calls:
            definition = known.get(mangle(call.name))
            if definition is None or definition.signature is None or definition.decorated:
                continue
            if definition.kind not in (DefinitionKind.FUNCTION, DefinitionKind.MU):
                continue
            fits = _components if definition.kind is DefinitionKind.MU else _arguments
            for finding in fits(call, definition, definition.signature):
                if not _calls(names, start + place + call.head.start, definition):
                    continue
                if "." not in call.name or not _may_be_set(names, mangle(call.name)):
                    yield finding.shifted(place)


def _as_at_home(definition: Definition, modules: Modules) -> Definition:
    """What is imported, as the function that it is where it comes from, if that is known for sure."""
    if definition.kind is not DefinitionKind.IMPORT or definition.source is None:
        return definition
    signature = modules.function(definition.source.module, mangle(definition.source.name))
    return replace(definition, kind=DefinitionKind.FUNCTION, signature=signature) if signature else definition


def _members(names: Names, modules: Modules, one: Stretch) -> Iterator[tuple[str, Definition]]:
    """The functions of modules of the workspace that a stretch calls as `module.function`, by what it calls them."""
    for name in one.called:
        root, _, path = name.partition(".")
        definition = names.only(root) if path and root in names.bound else None
        if definition is None or definition.kind is not DefinitionKind.MODULE or definition.source is None:
            continue
        module = definition.source.module
        if "." in module and definition.start == definition.form_start:
            continue  # only the first part of its name is bound
        signature = modules.function(module, path)
        if signature is not None:
            told = f"{definition.name}.{path}"
            yield name, replace(definition, name=told, kind=DefinitionKind.FUNCTION, signature=signature)


def _may_be_set(names: Names, dotted: str) -> bool:
    """Whether the function of a module stands where it is not called: another may be put in its place."""
    return any(
        piece.text[place - 1 : place] != "("
        for run in names.runs
        for piece in run.pieces
        for place in symbols_in(piece).get(dotted, ())
    )


def _calls(names: Names, offset: int, definition: Definition) -> bool:
    """Whether the head at an offset is for sure what a definition binds."""
    use = names.use_at(offset + 1)
    if use is None or use.symbol is None or use.definition is None or use.resolution is not Resolution.RESOLVED:
        return False
    return use.reference.certain and use.definition.start == definition.start


def _given(call: Call) -> tuple[int, list[tuple[str, int, int]]] | None:
    """How many arguments are given by position, and the keywords with their places; None where that is not known."""
    count, keywords, index = 0, [], 0
    while index < len(call.args):
        one = call.args[index]
        if one.kind in (Kind.UNPACK_ITERABLE, Kind.UNPACK_MAPPING, Kind.READER_MACRO):
            return None
        if one.kind is Kind.KEYWORD:
            keywords.append((one.text[1:], one.start, one.end))
            index += 1
        else:
            count += 1
        index += 1
    return count, keywords


def _arguments(call: Call, definition: Definition, signature: Signature) -> Iterator[Finding]:
    given = _given(call)
    if given is None:
        return
    count, keywords = given
    takers = (ParameterKind.POSITIONAL, ParameterKind.KEYWORD_ONLY)
    known = {mangle(one.name): one.name for one in signature.parameters if one.kind in takers}
    for name, start, end in keywords:
        if mangle(name) not in known and not signature.takes_any_keyword:
            near = nearest(name, known.values())
            told = f"`{definition.name}` has no parameter `{name}`{guess(near)}"
            yield Finding(start, end, "unknown-argument", told, instead=near and f":{near}")
            return
    most = signature.most
    if most is not None and count > most:
        told = f"`{definition.name}` takes at most {counted(most, 'argument')} by position; it is given {count}."
        yield call.at_head("call-arity", told)
        return
    named = {mangle(name) for name, _, _ in keywords}
    lacking = [
        one.name
        for place, one in enumerate(signature.parameters)
        if one.kind in (ParameterKind.POSITIONAL, ParameterKind.POSITIONAL_ONLY)
        and not one.optional
        and place >= count
        and mangle(one.name) not in named
    ]
    if lacking:
        listed = ", ".join(f"`{name}`" for name in lacking)
        yield call.at_head("call-arity", f"`{definition.name}` needs {listed}, which this call does not give.")


def _components(call: Call, definition: Definition, signature: Signature) -> Iterator[Finding]:
    given = _given(call)
    if given is None:
        return
    known = {mangle(one.name): one.name for one in signature.parameters}
    for name, start, end in given[1]:
        if mangle(name) not in known:
            listed = " ".join(known.values())
            near = nearest(name, known.values())
            told = f"`{definition.name}` has no component `{name}`{guess(near)} It has: {listed}."
            yield Finding(start, end, "unknown-component", told, instead=near and f":{near}")


# ---- specs


def unknown_specs(names: Names) -> Iterator[Finding]:
    """Spec keywords that nothing registers, in a document that imports nothing that could."""
    if not any(entry.requires and entry.module == "mino.spec" for entry in names.imports):
        return
    if not names.certain or not all(_registers_nothing(entry) for entry in names.imports):
        return
    defined = {use.mangled: use.name for use in names.specs if use.role is KeywordRole.DEFINES_SPEC}
    for use in names.specs:
        if use.role is KeywordRole.SPEC and use.certain and use.mangled not in defined:
            found = get_close_matches(use.name, sorted(defined.values()), n=1, cutoff=0.75)
            if found:
                told = f"No spec is named :{use.name}; did you mean :{found[0]}?"
                yield Finding(use.start, use.end, "unknown-spec", told, instead=f":{found[0]}")


def _registers_nothing(entry: Import) -> bool:
    root = entry.module.partition(".")[0]
    return root in ("torch", "numpy", "hy", "hyrule", "mino") or root in sys.stdlib_module_names


# ---- what nothing uses


def _places(start: int, one: Stretch, mangled: str) -> Iterator[int]:
    for base, piece in zip(one.run.starts, one.run.pieces, strict=True):
        for place in symbols_in(piece).get(mangled, ()):
            yield start + base + place


def unused(names: Names, modules: Modules, stretched: Sequence[tuple[int, Stretch]]) -> Iterator[Finding]:
    """Imported and required names that stand nowhere else in the document."""
    if not names.certain or not names.imports:
        return
    if any("__all__" in one.symbols or "py" in one.symbols or "pys" in one.symbols for _, one in stretched):
        return

    def used(name: str, entry: Import) -> bool:
        mangled = mangle(name)
        return any(
            not entry.form_start <= place < entry.form_end
            for start, one in stretched
            if mangled in one.symbols
            for place in _places(start, one, mangled)
        )

    for entry in names.imports:
        if not entry.requires and modules.registers(entry.module):
            continue
        code = "unused-require" if entry.requires else "unused-import"
        for one in entry.names or ():
            if not used(one.alias, entry) and not one.alias.startswith("_"):
                told = f"`{one.alias}` is {'required' if entry.requires else 'imported'} and not used."
                yield Finding(one.alias_start, one.alias_end, code, told, "hint")
        if entry.star and entry.requires:
            brought = names.modules.macros(entry.module)
            reads = entry.star_readers or entry.readers
            if brought and not reads and not any(used(name, entry) for name in brought):
                told = f"None of the macros of `{entry.module}` is used."
                yield Finding(entry.start, entry.end, code, told, "hint")
        elif entry.prefix and not entry.requires and not used(entry.prefix.partition(".")[0], entry):
            told = f"`{entry.prefix}` is imported and not used."
            yield Finding(entry.start, entry.end, code, told, "hint")


# ---- what hides what


def hidden(names: Names, stretched: Sequence[tuple[int, Stretch]]) -> Iterator[Finding]:
    """Macros of mino that `*` of a later require hides: hyrule has threads of the same names, which keep no place for
    their steps, so that a traceback of a run points at the whole thread."""
    ours: dict[str, str] = {}
    for entry in names.imports:
        if not entry.requires:
            continue
        known = names.modules.macros(entry.module) or {}
        brought = known.keys() if entry.star else {mangle(one.alias) for one in entry.names or ()}
        if entry.module.partition(".")[0] == "mino":
            ours.update(dict.fromkeys(brought, entry.module))
            continue
        lost = [name for name in ours if name in brought and any(name in one.symbols for _, one in stretched)]
        if lost and entry.star:
            listed = ", ".join(f"`{known[name].partition(':')[2]}`" for name in lost)
            told = f"This hides {listed} of `{ours[lost[0]]}`: a run's traceback points at the step only of those. "
            yield Finding(entry.start, entry.end, "hidden-macro", f"{told}Write `{entry.module} *` before it.", "hint")
        ours = {name: home for name, home in ours.items() if name not in brought}
