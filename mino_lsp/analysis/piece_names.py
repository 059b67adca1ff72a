"""What is known of the names of one piece of text."""

from __future__ import annotations

from dataclasses import dataclass, field

from mino_lsp.analysis.model import Definition, Import, KeywordUse, Reference, ScopeKind

MODULE_LEVEL, IMPLICIT = -1, -2
"""What a reference is resolved to within a piece where it is to none of its inner definitions: left to the whole
document, or to what a form around it always binds."""


@dataclass(slots=True)
class Scope:
    """A region in which names are bound. `implicit` are names that have no definition in the text."""

    kind: ScopeKind
    parent: int  # -1 of the module's
    start: int
    end: int
    certain: bool = True
    names: dict[str, list[int]] = field(default_factory=dict)  # mangled, to definitions in the order of the text
    declared: dict[str, str] = field(default_factory=dict)  # mangled, to "global" or "nonlocal"
    implicit: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False, weakref_slot=True)
class PieceNames:
    """The names of a piece; offsets are relative to it. `targets` says of each reference what it is resolved to: an
    index of a definition, `MODULE_LEVEL` or `IMPLICIT`. `asked` are the macros it was read with."""

    scopes: list[Scope]
    definitions: list[Definition]
    in_order: list[int]  # of the definitions, as they stand in the text
    references: list[Reference]
    targets: list[int]
    imports: list[Import]
    keywords: list[KeywordUse]
    certain: bool
    asked: dict[str, str | None]
    components: dict[int, list[int]]  # of a mu's definition, those of its components
    readers: bool  # whether reader macros are used
