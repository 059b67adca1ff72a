"""The names of one piece in the making: its scopes, what is bound in them, and what is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mino_lsp.analysis.environment import Macros
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import (
    Definition,
    DefinitionKind,
    Import,
    KeywordRole,
    KeywordUse,
    Reference,
    Role,
    ScopeKind,
    Signature,
    Source,
)
from mino_lsp.analysis.piece_names import IMPLICIT, MODULE_LEVEL, Scope
from mino_lsp.analysis.reading import Reading
from mino_lsp.syntax.nodes import Piece

CONSTANTS = frozenset({"None", "True", "False", "...", "&reader"})


class Binding(Reading):
    """The scope that is open, and how a name is bound or used in it."""

    def __init__(self, piece: Piece, macros: Macros) -> None:
        super().__init__(piece)
        self.macros = macros
        self.asked: dict[str, str | None] = {}
        self.scopes = [Scope(ScopeKind.MODULE, -1, 0, len(piece.text))]
        self.scope = 0
        self.definitions: list[Definition] = []
        self.references: list[Reference] = []
        self.imports_found: list[Import] = []
        self.keywords: list[KeywordUse] = []
        self.components: dict[int, list[int]] = {}
        self.certain = True  # whether what is seen now is seen for sure

    # ---- scopes

    @contextmanager
    def within(self, kind: ScopeKind, start: int, end: int) -> Iterator[Scope]:
        outer = self.scope
        scope = Scope(kind, outer, start, end)
        self.scopes.append(scope)
        self.scope = len(self.scopes) - 1
        yield scope
        self.scope = outer

    def function_scope(self, scope: int) -> int:
        """The nearest scope of Python's own: a function's, a class' or the module's."""
        while self.scopes[scope].kind in (ScopeKind.LET, ScopeKind.COMPREHENSION):
            scope = self.scopes[scope].parent
        return scope

    # ---- binding names

    def define(
        self,
        index: int,
        kind: DefinitionKind,
        form: int,
        *,
        scope: int | None = None,
        signature: Signature | None = None,
        doc: str = "",
        value: str = "",
        visible_from: int = 0,
        decorated: bool = False,
    ) -> int:
        """Bind the name of a symbol in a scope, by default where `defn` would. Answers the definition's index."""
        name, start, end = self.text_of(index), self.start[index], self.end[index]
        return self.define_text(
            *(name, start, end, kind, self.start[form], self.end[form]),
            scope=scope,
            signature=signature,
            doc=doc,
            value=value,
            visible_from=visible_from,
            decorated=decorated,
        )

    def define_text(
        self,
        name: str,
        start: int,
        end: int,
        kind: DefinitionKind,
        form_start: int,
        form_end: int,
        *,
        scope: int | None = None,
        signature: Signature | None = None,
        doc: str = "",
        value: str = "",
        source: Source | None = None,
        visible_from: int = 0,
        decorated: bool = False,
    ) -> int:
        mangled = mangle(name)
        if scope is None:
            scope = self.function_scope(self.scope)
            declared = self.scopes[scope].declared.get(mangled)
            if declared == "global":
                scope = 0
            if scope != self.scope and self._bound_by_let(mangled):
                self.taint(all_around=False)
        definition = Definition(
            *(name, mangled, kind, start, end, form_start, form_end, scope, signature, doc, value, source),
            *(visible_from, decorated),
        )
        self.definitions.append(definition)
        if kind not in (DefinitionKind.MACRO, DefinitionKind.READER):
            self.scopes[scope].names.setdefault(mangled, []).append(len(self.definitions) - 1)
        return len(self.definitions) - 1

    def _bound_by_let(self, mangled: str) -> bool:
        scope = self.scope
        while self.scopes[scope].kind in (ScopeKind.LET, ScopeKind.COMPREHENSION):
            if mangled in self.scopes[scope].names or mangled in self.scopes[scope].implicit:
                return True
            scope = self.scopes[scope].parent
        return False

    def made_by(self, value: int | None) -> str:
        """The mangled head of a call."""
        head = self.head_of(value) if value is not None else ""
        return mangle(head) if head and not head.startswith(".") else ""

    def taint(self, all_around: bool = True) -> None:
        """Something here may bind names that cannot be seen: in the function around, or anywhere."""
        scope = self.scope
        while scope >= 0:
            self.scopes[scope].certain = False
            if not all_around and self.scopes[scope].kind is ScopeKind.FUNCTION:
                return
            scope = self.scopes[scope].parent

    # ---- using names

    def use(self, index: int, role: Role = Role.READ) -> None:
        name = self.text_of(index)
        if name in CONSTANTS:
            return
        if "." in name:
            self._use_dotted(index, name, role)
        else:
            self._refer(name, index, self.start[index], role)

    def _use_dotted(self, index: int, name: str, role: Role) -> None:
        bare = name.lstrip(".")
        if not bare:
            return
        start = self.start[index]
        owner = ""
        if bare == name:
            first, _, bare = name.partition(".")
            self._refer(first, index, start, role, path=bare)
            owner, start = first, start + len(first) + 1
        else:
            start += len(name) - len(bare)
        member = bare.partition(".")[0]
        if member and self.certain:
            self._refer(member, index, start, Role.MEMBER, path=bare[len(member) + 1 :], owner=owner)

    def use_text(self, index: int, name: str, after: int) -> None:
        """A name within a node that is no symbol, so many characters after its start."""
        self._refer(name, index, self.start[index] + after, Role.READ)

    def member(self, index: int, owner: str = "") -> None:
        """A symbol that names a component or an attribute."""
        self._refer(self.text_of(index), index, self.start[index], Role.MEMBER, owner=owner)

    def _refer(self, name: str, node: int, start: int, role: Role, path: str = "", owner: str = "") -> None:
        self.references.append(
            Reference(
                *(name, mangle(name), start, start + len(name), self.scope, role, node, path, owner, self.certain)
            )
        )

    def keyword(self, index: int, role: KeywordRole, call: str = "") -> None:
        name = self.text_of(index)[1:]
        if name:
            start, end = self.start[index], self.end[index]
            self.keywords.append(KeywordUse(name, mangle(name), start, end, role, call, self.scope, self.certain))

    def _target(self, reference: Reference) -> int:
        """What a reference is resolved to within the piece."""
        if reference.role in (Role.MACRO, Role.READER, Role.MEMBER):
            return MODULE_LEVEL
        at, mangled, crossed = reference.scope, reference.mangled, False
        while at > 0:
            scope = self.scopes[at]
            declared = scope.declared.get(mangled)
            if declared == "global":
                return MODULE_LEVEL
            if mangled in scope.implicit:
                return IMPLICIT
            if not declared and not (crossed and scope.kind is ScopeKind.CLASS):
                found = scope.names.get(mangled)
                if found and scope.kind is ScopeKind.LET:
                    found = [one for one in found if self._holds(self.definitions[one], reference)][-1:]
                if found:
                    return found[0]
            crossed = crossed or scope.kind is ScopeKind.FUNCTION
            at = scope.parent
        return MODULE_LEVEL

    def _holds(self, definition: Definition, reference: Reference) -> bool:
        return definition.visible_from <= reference.start
