"""Rename: a symbol's new name, everywhere in the workspace that it is known to stand."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, pairwise

from mino_lsp.analysis import DefinitionKind, Document, Occurrence, Role, mangle, names_of
from mino_lsp.analysis.links import Named, Place, everywhere, named_at
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Span


class Impossible(Exception):
    """A symbol that cannot be renamed, or a name that it cannot have: a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """What is to be replaced where, and by what. `text` differs where the name is aliased."""

    document: Document
    span: Span
    text: str


_NAME = re.compile(r"""[^\s()\[\]{}";'`~:#.,][^\s()\[\]{}";'`~.]*""")
_RESERVED = {"None", "True", "False", "_", "...", "."}


def prepare_rename(snapshot: Snapshot, offset: int) -> Span:
    """The name that would be replaced. Raises `Impossible`."""
    _, occurrence = _renamable(snapshot, offset)
    return Span(occurrence.start, occurrence.end)


def rename(snapshot: Snapshot, offset: int, name: str) -> list[Renaming]:
    """Every replacement. Raises `Impossible`."""
    named, _ = _renamable(snapshot, offset)
    name = name.removeprefix(":") if named.symbol.space == "spec" else name
    if _NAME.fullmatch(name) is None or name in _RESERVED or _is_number(name):
        raise Impossible(f"{name!r} is not a name in Hy.")
    places = [place for place in everywhere(named, snapshot.index) if _means_it(named, place)]
    renamings = [Renaming(place.document, Span(place.occurrence.start, place.occurrence.end), name) for place in places]
    if mangle(name) != named.symbol.mangled:
        _refuse_clashes(named, renamings, name)
    return renamings


def _renamable(snapshot: Snapshot, offset: int) -> tuple[Named, Occurrence]:
    found = named_at(snapshot.document, offset, snapshot.index)
    if found is None:
        raise Impossible("There is no name here that this workspace defines.")
    named, occurrence = found
    if not named.definitions:
        raise Impossible("This name is not defined in this workspace.")
    if named.source is not None:
        first = named.definitions[0]
        if not named.source.name and first.mangled == mangle(named.source.module.partition(".")[0]):
            raise Impossible("This is the name of a module: rename its file, or give it another with :as.")
        if named.source.name and mangle(named.source.name) == first.mangled:
            raise Impossible(f"This name belongs to {named.source.module}, which is not in this workspace.")
    return named, occurrence


def _means_it(named: Named, place: Place) -> bool:
    """Quoted symbols are data; in a template, those that can hardly be anything else are renamed too."""
    if place.occurrence.role is not Role.DATA:
        return True
    text = place.document.tree.source
    before = text[max(place.occurrence.start - 1, 0) : place.occurrence.start]
    firm = {DefinitionKind.FUNCTION, DefinitionKind.MACRO, DefinitionKind.CLASS, DefinitionKind.MU}
    return before == "(" and any(one.kind in firm for one in named.definitions)


def _refuse_clashes(named: Named, renamings: list[Renaming], name: str) -> None:
    """Refuse a name after which something would not mean what it means now."""
    documents = {one.document.uri: one.document for one in renamings}
    if named.symbol.space == "spec":
        if any(one.mangled == mangle(name) for each in documents.values() for one in each.names.module_names("spec")):
            raise Impossible(f"There is a spec :{name} already.")
        return
    for uri, document in documents.items():
        edits = sorted((one.span for one in renamings if one.document.uri == uri), key=lambda span: span.start)
        clash = _clash(document, edits, named.symbol.mangled, name)
        if clash is not None:
            line = document.line(clash)
            file = uri.rpartition("/")[2]
            raise Impossible(f"With that name, something else would be meant in {line} of {file}.")


def _clash(document: Document, edits: list[Span], old: str, name: str) -> int | None:
    """An offset at which a name is bound otherwise once the edits are made."""
    between = [document.tree.text(one.end, other.start) for one, other in pairwise(edits)]
    tree = document.tree.edit(edits[0].start, edits[-1].end, name.join(["", *between, ""]))
    before, after = document.names, names_of(tree, document.modules)
    starts = [edit.start for edit in edits]
    widths = list(accumulate((len(name) - (edit.end - edit.start) for edit in edits), initial=0))

    def there(offset: int) -> int:
        return offset + widths[bisect_left(starts, offset)]

    if len(before.references) != len(after.references) or len(before.definitions) != len(after.definitions):
        return edits[0].start
    for now, then in zip(before.references, after.references, strict=True):
        bound = there(now.definition.start) if now.definition is not None else None
        if bound != (then.definition.start if then.definition is not None else None):
            return now.reference.start
    new = mangle(name)
    known: set[int] = set()
    for definition in before.definitions:
        if definition.mangled in (new, old) and definition.start not in known:
            one = before.symbol_at(definition.start)
            other = after.symbol_at(there(definition.start))
            if one is not None and other is not None:
                same = [each.start for each in before.definitions_of(one[0])]
                if [there(start) for start in same] != [each.start for each in after.definitions_of(other[0])]:
                    return definition.start
                known.update(same)
    return None


def _is_number(name: str) -> bool:
    try:
        complex(name.replace("_", ""))
    except ValueError:
        return False
    return True
