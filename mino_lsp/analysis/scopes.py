"""The names of one piece: what it binds, what it uses, and in which scope, as Hy 1.3 has them.

`Walk` goes through a piece once, in the order of evaluation. What each special form does to names is in
`core_forms` and `package_forms`; here is what they share. Nothing is evaluated and no macro is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mino_lsp.analysis.binding import CONSTANTS, Binding
from mino_lsp.analysis.environment import OPAQUE, Macros
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import (
    DefinitionKind,
    KeywordRole,
    Parameter,
    ParameterKind,
    Role,
    ScopeKind,
    Signature,
)
from mino_lsp.analysis.piece_names import PieceNames, Scope
from mino_lsp.analysis.reading import (
    ANNOTATION,
    DICT,
    FIELD,
    FSTRING,
    KEYWORD,
    LIST,
    QUASIQUOTE,
    QUOTE,
    READER,
    SET,
    SYMBOL,
    TUPLE,
    UNPACK_ITERABLE,
    UNPACK_MAPPING,
    UNQUOTE,
    UNQUOTE_SPLICE,
    VECTOR,
)
from mino_lsp.syntax.nodes import Piece

_MAX_DEPTH = 120  # Hy itself compiles no call nested deeper than about 150
_MAX_NODES = 100_000
# Functions that may bind or use names of which nothing is to be seen.
_BLINDING = frozenset({"eval", "exec", "globals", "locals", "vars", "hy.eval", "hy.I.builtins.exec"})
_CONTAINERS = frozenset({VECTOR, DICT, SET, TUPLE, UNPACK_ITERABLE, UNPACK_MAPPING, FSTRING, FIELD, UNQUOTE})
_PREFIXES = frozenset({QUOTE, QUASIQUOTE, UNQUOTE, UNQUOTE_SPLICE, UNPACK_ITERABLE, UNPACK_MAPPING})

Handler = Callable[["Walk", int, list[int]], None]
HANDLERS: dict[str, Handler] = {}
"""What a macro does to names, by its key. One without a handler evaluates its arguments, like a function."""


def handles(*keys: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(keys, handler))
        return handler

    return register


class Walk(Binding):
    def __init__(self, piece: Piece, macros: Macros) -> None:
        super().__init__(piece, macros)
        self._read_as: dict[int, str] = {}
        self._has_readers = READER in self.kind
        self._depth = 0

    def run(self) -> PieceNames:
        for form in self.forms(-1):
            self.visit(form)
        targets = [self._target(reference) for reference in self.references]
        order = sorted(range(len(targets)), key=lambda at: self.references[at].start)
        return PieceNames(
            self.scopes,
            self.definitions,
            sorted(range(len(self.definitions)), key=lambda at: self.definitions[at].start),
            [self.references[at] for at in order],
            [targets[at] for at in order],
            self.imports_found,
            sorted(self.keywords, key=lambda use: use.start),
            self.scopes[0].certain,
            self.asked,
            self.components,
            any(reference.role is Role.READER for reference in self.references),
        )

    # ---- forms

    def forms(self, index: int) -> list[int]:
        """As Hy would see them: a reader macro that is known is put aside, another spoils what is certain."""
        found = super().forms(index)
        if self._has_readers and any(self._reader_in(one) is not None for one in found):
            found = list(self._without_readers(found))
        return found

    def _reader_in(self, index: int) -> int | None:
        """A reader macro, also where a prefix such as `#*` stands before it: what it reads follows that."""
        while self.kind[index] in _PREFIXES:
            inner = super().forms(index)
            if not inner:
                return None
            index = inner[-1]
        return index if self.kind[index] == READER else None

    def _without_readers(self, found: list[int]) -> Iterator[int]:
        waiting = ""
        for one in found:
            reader = self._reader_in(one)
            if reader is None:
                if waiting:
                    self._read_as[one] = waiting
                    waiting = ""
                yield one
                continue
            name = self.text_of(reader)[1:]
            waiting = self.macros.reader(name)
            self._refer(name, reader, self.start[reader] + 1, Role.READER)
            if waiting == OPAQUE:
                waiting = ""
                self.taint()
            elif any(self.kind[index] in (QUOTE, QUASIQUOTE) for index in range(one, reader)):
                waiting = OPAQUE  # what it reads is data

    def visit(self, index: int) -> None:
        if self._read_as and index in self._read_as:
            self._visit_read(index, self._read_as.pop(index))
            return
        kind = self.kind[index]
        if kind == SYMBOL:
            self.use(index)
        elif kind == LIST:
            if self._depth >= _MAX_DEPTH:
                self.opaque(index)
                return
            self._depth += 1
            self._call(index)
            self._depth -= 1
        elif kind in _CONTAINERS or kind == UNQUOTE_SPLICE:
            if self._depth >= _MAX_DEPTH:
                self.opaque(index)
                return
            self._depth += 1
            for form in self.forms(index):
                self.visit(form)
            self._depth -= 1
        elif kind == KEYWORD:
            self.keyword(index, KeywordRole.OTHER)
        elif kind == ANNOTATION:
            if self.descend(index):
                self._annotated(index)
                self.ascend()
        elif kind == QUOTE:
            self.data(index)
        elif kind == QUASIQUOTE:
            for form in self.forms(index):
                self.template(form, 1)

    def _annotated(self, index: int) -> None:
        """`#^ type name` where nothing takes it: the name is declared, and not read."""
        forms = self.forms(index)
        self.visit_all(forms[:1])
        for target in forms[1:]:
            self.assign(target, index)

    def descend(self, index: int) -> bool:
        """Go one level down into a node; where that is too deep, take all in it as a macro's that is not known."""
        if self._depth >= _MAX_DEPTH:
            self.opaque(index)
            return False
        self._depth += 1
        return True

    def ascend(self) -> None:
        self._depth -= 1

    def visit_all(self, forms: list[int]) -> None:
        for form in forms:
            self.visit(form)

    def _visit_read(self, index: int, key: str) -> None:
        """A form that stands behind a reader macro of hyrule's."""
        if key == "hyrule:%":
            with self.within(ScopeKind.FUNCTION, self.start[index], self.end[index]) as scope:
                numbered = [self.text_of(one) for one in range(index, self.stop[index]) if self.kind[one] == SYMBOL]
                names = {mangle(name.partition(".")[0]) for name in numbered if name[0] == "%" and len(name) > 1}
                scope.implicit = frozenset(names)
                self.visit(index)
        elif key == "hyrule:s":
            self.indices([index])
        elif key != "hyrule:/":
            self.opaque(index)

    def indices(self, forms: list[int]) -> None:
        """Forms of which a symbol or a keyword with a colon is a slice."""
        for form in forms:
            if self.kind[form] == LIST and self.head_of(form) == ":":
                self.visit_all(self.forms(form)[1:])
            elif not (self.kind[form] in (SYMBOL, KEYWORD) and ":" in self.text_of(form)):
                self.visit(form)

    def _call(self, index: int) -> None:
        parts = self.forms(index)
        if not parts:
            return
        head = parts[0]
        if self.kind[head] != SYMBOL or head in self._read_as:
            self.visit(head)
            self.arguments(parts, "")
            return
        name = self.text_of(head)
        if name[0] == "." and name.strip("."):
            self.use(head)
            self.arguments(parts, "")
            return
        mangled = mangle(name)
        key = self.macro(mangled)
        if key is None:
            self.use(head, Role.CALL)
            self.arguments(parts, mangled)
            if mangled in _BLINDING:
                self.taint()
            return
        self.refer_macro(head, name)
        handler = HANDLERS.get(key)
        if key == OPAQUE:
            self.opaque_call(parts, mangled)
        elif handler is not None:
            handler(self, index, parts)
        else:
            self.arguments(parts, mangled)

    def macro(self, mangled: str) -> str | None:
        key = self.macros.head(mangled)
        self.asked[mangled] = key
        return key

    def refer_macro(self, head: int, name: str) -> None:
        start = self.start[head]
        if "." in name and name.strip("."):
            root = name.partition(".")[0]
            self._refer(root, head, start, Role.MACRO, path=name[len(root) + 1 :])
        else:
            self._refer(name, head, start, Role.MACRO)

    def arguments(self, parts: list[int], call: str) -> None:
        """The arguments of a call: forms, and keywords with a form after each."""
        for form in parts[1:]:
            if self.kind[form] == KEYWORD:
                self.keyword(form, KeywordRole.ARGUMENT, call)
            else:
                self.visit(form)

    def head_or_value(self, index: int) -> None:
        """A form where a bare name may be that of a macro, as a step of a thread is."""
        if self.kind[index] == SYMBOL:
            name = self.text_of(index)
            if not name.startswith(".") and self.macro(mangle(name)) is not None:
                self.refer_macro(index, name)
                return
        self.visit(index)

    # ---- what cannot be seen through

    def opaque_call(self, parts: list[int], mangled: str) -> None:
        """A call of a macro that may do anything with its arguments."""
        self.taint(not self.macros.stays_local(mangled))
        for form in parts[1:]:
            self.opaque(form)

    def opaque(self, index: int) -> None:
        """Every symbol in a form may be a name here, or may not."""
        before, self.certain = self.certain, False
        for one in range(index, self.stop[index]):
            if self.kind[one] == SYMBOL:
                self.use(one)
            elif self.kind[one] == KEYWORD:
                self.keyword(one, KeywordRole.OTHER)
        self.certain = before

    def data(self, index: int) -> None:
        """A quoted form: its symbols are data, which a macro or `eval` may use as names."""
        before, self.certain = self.certain, False
        for one in range(index, self.stop[index]):
            if self.kind[one] == SYMBOL:
                self.use(one, Role.DATA)
        self.certain = before

    def template(self, index: int, level: int) -> None:
        """A quasiquoted form: data, but for what is unquoted."""
        kind, before = self.kind[index], self.certain
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.data(index)
        elif kind == SYMBOL:
            self.certain = False
            self.use(index, Role.DATA)
            self.certain = before
        elif kind in (UNQUOTE, UNQUOTE_SPLICE) or self.head_of(index) in ("unquote", "unquote-splice"):
            for form in super().forms(index)[kind == LIST :]:
                self.visit(form) if level == 1 else self.template(form, level - 1)
        else:
            deeper = level + (kind == QUASIQUOTE or self.head_of(index) == "quasiquote")
            for form in super().forms(index):
                self.template(form, deeper)
        self._depth -= 1

    # ---- binding names

    def assign(self, target: int, form: int, value: int | None = None) -> None:
        """What `setv` does to a target: binds its names, where a `let` around does not bind them already."""
        kind = self.kind[target]
        if kind == SYMBOL:
            name = self.text_of(target)
            if "." in name or name in CONSTANTS:
                self.use(target)
                return
            mangled = mangle(name)
            home = self.function_scope(self.scope)
            if self._bound_by_let(mangled) or self.scopes[home].declared.get(mangled) == "nonlocal":
                self.use(target, Role.WRITE)
                return
            what = DefinitionKind.FIELD if self.scopes[home].kind is ScopeKind.CLASS else DefinitionKind.VARIABLE
            self.define(target, what, form, value=self.made_by(value))
        else:
            self.each_target(target, lambda one: self.assign(one, form))

    def bind(self, target: int, form: int, value: int | None = None) -> None:
        """What `let` and comprehensions do to a target: bind its names in the scope that is open."""
        if self.kind[target] == SYMBOL:
            where = self.end[form] if self.scopes[self.scope].kind is ScopeKind.LET else 0
            made = self.made_by(value)
            self.define(target, DefinitionKind.LOCAL, form, scope=self.scope, value=made, visible_from=where)
        else:
            self.each_target(target, lambda one: self.bind(one, form))

    def each_target(self, target: int, take: Callable[[int], None]) -> None:
        if self.descend(target):
            self._each_target(target, take)
            self.ascend()

    def _each_target(self, target: int, take: Callable[[int], None]) -> None:
        kind = self.kind[target]
        if kind in (VECTOR, TUPLE, UNPACK_ITERABLE):
            for one in self.forms(target):
                take(one)
        elif kind == ANNOTATION:
            forms = self.forms(target)
            for one in forms[:-1]:
                self.visit(one)
            for one in forms[1:]:
                take(one)
        elif kind == LIST and self.head_of(target) in ("annotate", "unpack-iterable"):
            forms = self.forms(target)
            self.refer_macro(forms[0], self.text_of(forms[0]))
            for one in forms[1:2]:
                take(one)
            self.visit_all(forms[2:])
        elif kind != KEYWORD:
            self.visit(target)

    # ---- functions

    def parameters(self, vector: int, kind: DefinitionKind) -> tuple[Signature, list[tuple[int, int]]]:
        """The signature of a parameter list, and the symbol and the form of each parameter. Defaults and annotations
        are visited: they belong to the scope around."""
        found: list[Parameter] = []
        places: list[tuple[int, int]] = []
        keyword_only = False
        for form in self.forms(vector) if self.kind[vector] == VECTOR else []:
            inner, annotation = form, ""
            if self.kind[form] == ANNOTATION:
                forms = self.forms(form)
                if len(forms) < 2:
                    continue
                self.visit_annotation(forms[0])
                annotation, inner = self.text_of(forms[0]), forms[1]
            elif self.head_of(form) == "annotate" and len(self.forms(form)) == 3:
                _, inner, type_ = self.forms(form)
                self.visit_annotation(type_)
                annotation = self.text_of(type_)
            default, optional, what = "", False, ParameterKind.POSITIONAL
            if self.kind[inner] == VECTOR and self.forms(inner):
                first, *rest = self.forms(inner)
                self.visit_all(rest)
                default = " ".join(self.text_of(one) for one in rest)
                inner, optional = first, True
            elif self.kind[inner] in (UNPACK_ITERABLE, UNPACK_MAPPING) and self.forms(inner):
                what = ParameterKind.REST if self.kind[inner] == UNPACK_ITERABLE else ParameterKind.REST_KEYWORDS
                inner = self.forms(inner)[0]
            if self.kind[inner] != SYMBOL:
                self.visit(inner)
                continue
            name = self.text_of(inner)
            if name == "/" and inner == form:
                found = [
                    Parameter(p.name, ParameterKind.POSITIONAL_ONLY, p.default, p.annotation, p.optional) for p in found
                ]
                continue
            if name == "*" and inner == form:
                keyword_only = True
                continue
            if what is ParameterKind.POSITIONAL and keyword_only:
                what = ParameterKind.KEYWORD_ONLY
            keyword_only = keyword_only or what is ParameterKind.REST
            found.append(Parameter(name, what, default, annotation, optional))
            places.append((inner, form))
        return Signature(tuple(found)), places

    def visit_annotation(self, form: int) -> None:
        """A type, or a component's spec."""
        self.visit(form)

    @contextmanager
    def function(
        self, form: int, vector: int, places: list[tuple[int, int]], kind: DefinitionKind = DefinitionKind.PARAMETER
    ) -> Iterator[list[int]]:
        """The scope of a function whose parameters `parameters` gave; yields their definitions."""
        with self.within(ScopeKind.FUNCTION, self.start[vector], self.end[form]):
            yield [self.define(symbol, kind, place, scope=self.scope) for symbol, place in places]


def names_of_piece(piece: Piece, macros: Macros) -> PieceNames:
    """The names of a piece; of one that no person wrote, none."""
    if len(piece.nodes.kind) > _MAX_NODES:
        whole = Scope(ScopeKind.MODULE, -1, 0, len(piece.text), certain=False)
        return PieceNames([whole], [], [], [], [], [], [], False, {}, {}, False)
    return Walk(piece, macros).run()
