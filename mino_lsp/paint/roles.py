"""A walk over one piece that gives each word its role."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from mino_lsp.paint import words
from mino_lsp.syntax.kinds import KINDS, PREFIXES, SEQUENCES, Kind
from mino_lsp.syntax.nodes import Piece

TYPES = (
    *("comment", "string", "number", "keyword", "operator", "macro", "function", "method"),
    *("class", "namespace", "parameter", "variable", "property"),
)
MODIFIERS = ("declaration", "definition", "readonly")
_TYPE = {name: number for number, name in enumerate(TYPES)}
_DECLARATION, _DEFINITION, _READONLY = 1, 2, 4

_ATOMS = {
    Kind.COMMENT: "comment",
    Kind.SHEBANG: "comment",
    Kind.NUMBER: "number",
    Kind.KEYWORD: "property",
    Kind.STRING: "string",
    Kind.BYTES: "string",
    Kind.BRACKET_STRING: "string",
    Kind.READER_MACRO: "macro",
}


class Stroke(NamedTuple):
    start: int
    end: int
    type: int
    modifiers: int = 0


@dataclass(slots=True)
class _Open:
    """A node whose children come next. ``role`` says what they are: of ``code``, ``parameters``, ``parameter`` (a name
    with its default), ``bindings``, ``targets`` of a binding, ``string``."""

    kind: Kind
    stop: int
    end: int
    role: str
    head: str = ""
    named: bool = False
    vectors: int = 0
    count: int = 0
    typed: bool = False  # of an annotation: whether its type comes next
    done: int = 0  # in an f-string: up to where it is painted
    names: list[str] = field(default_factory=list)


def paint(piece: Piece) -> list[Stroke]:
    """The strokes of a piece, in order and without overlap."""
    return _Walk(piece).strokes


class _Walk:
    def __init__(self, piece: Piece) -> None:
        self.text = piece.text
        self.strokes: list[Stroke] = []
        self.parameters: Counter[str] = Counter()
        ground = _Open(Kind.WHITESPACE, len(piece.nodes.kind) + 1, len(piece.text), "code")
        self.open = [ground]
        nodes = piece.nodes
        index, count = 0, len(nodes.kind)
        while index < count:
            while index >= self.open[-1].stop:
                self._leave()
            kind, start, end = KINDS[nodes.kind[index]], nodes.start[index], nodes.end[index]
            if kind is Kind.DISCARD:
                self._stroke(start, end, "comment")
                index = nodes.stop[index]
                continue
            self._child(kind, start, end, nodes.stop[index])
            index += 1
        while len(self.open) > 1:
            self._leave()

    def _stroke(self, start: int, end: int, name: str, modifiers: int = 0) -> None:
        if self.strokes:
            start = max(start, self.strokes[-1].end)
        if end > start:
            self.strokes.append(Stroke(start, end, _TYPE[name], modifiers))

    def _leave(self) -> None:
        left = self.open.pop()
        if left.kind is Kind.FSTRING:
            self._stroke(left.done, left.end, "string")
        elif left.kind is Kind.FIELD and self.open[-1].kind is Kind.FSTRING:
            self.open[-1].done = left.end - 1
        for name in left.names:
            self.parameters[name] -= 1

    def _child(self, kind: Kind, start: int, end: int, stop: int) -> None:
        around = self.open[-1]
        if around.typed:
            around.typed = False
            if kind is Kind.SYMBOL:
                self._name(self.text[start:end], start, end, "class")
                return
            around = _Open(Kind.WHITESPACE, stop, end, "code")
        if kind is Kind.SYMBOL:
            self._symbol(around, start, end)
        elif kind in _ATOMS:
            self._stroke(start, end, _ATOMS[kind], _READONLY if kind is Kind.KEYWORD else 0)
        elif kind in SEQUENCES:
            self.open.append(_Open(kind, stop, end, self._role(around, kind)))
        elif kind in PREFIXES:
            self._stroke(start, start + len(kind.value), "operator")
            inner = _Open(kind, stop, end, around.role, around.head, around.named, around.vectors, around.count)
            inner.typed = kind is Kind.ANNOTATION
            self.open.append(inner)
        elif kind is Kind.FSTRING:
            self.open.append(_Open(kind, stop, end, "string", done=start))
        elif kind is Kind.FIELD:
            if around.kind is Kind.FSTRING:
                self._stroke(around.done, start + 1, "string")
            self.open.append(_Open(kind, stop, end, "code", done=start))
        if kind not in (Kind.COMMENT, Kind.ERROR):
            around.count += 1

    def _role(self, around: _Open, kind: Kind) -> str:
        """What the children of a sequence are."""
        if around.role == "parameters":
            return "parameter"
        if around.role in ("bindings", "targets") and around.count % 2 == 0 and kind is not Kind.LIST:
            return "targets"
        if kind is not Kind.VECTOR or around.kind is not Kind.LIST or around.role != "code":
            return "code"
        head, first = around.head, around.vectors == 0
        if head in words.BINDERS and around.count == 1:
            return "bindings"
        defines = head in words.FUNCTIONS or head in words.MACROS or head == "defmu"
        if (defines and around.named and first) or (head in words.LAMBDAS and first):
            around.vectors += 1
            return "parameters"
        return "code"

    def _symbol(self, around: _Open, start: int, end: int) -> None:
        name = self.text[start:end]
        role = around.role
        if name in words.CONSTANTS:
            self._stroke(start, end, "keyword")
        elif role == "parameters" or (role == "parameter" and around.count == 0):
            self._parameter(around, name, start, end)
        elif role == "targets" or (role == "bindings" and around.count % 2 == 0):
            self._stroke(start, end, "variable", _DECLARATION)
        elif around.kind is Kind.LIST and around.count == 0:
            around.head = name
            self._head(name, start, end)
        elif around.head and not around.named and self._definition(around, name, start, end):
            return
        elif around.head in words.SETTERS and around.count % 2 == 1:
            self._stroke(start, end, "variable", _DEFINITION)
        else:
            self._name(name, start, end, "variable")

    def _parameter(self, around: _Open, name: str, start: int, end: int) -> None:
        if name in ("/", "*"):
            self._stroke(start, end, "operator")
            return
        self._stroke(start, end, "parameter", _DECLARATION)
        owner = next((one for one in reversed(self.open) if one.kind is Kind.LIST and one.vectors), None)
        if owner is not None:
            owner.names.append(name)
            self.parameters[name] += 1

    def _definition(self, around: _Open, name: str, start: int, end: int) -> bool:
        """The name that a defining form gives something."""
        kinds = ((words.FUNCTIONS, "function"), (words.MACROS, "macro"), (words.CLASSES, "class"))
        for heads, named in kinds:
            if around.head in heads:
                self._stroke(start, end, named, _DEFINITION)
                for one in self.open[-2:]:
                    one.named = True
                return True
        return False

    def _head(self, name: str, start: int, end: int) -> None:
        if name in words.KEYWORDS:
            self._stroke(start, end, "keyword")
        elif name in words.OPERATORS:
            self._stroke(start, end, "operator")
        elif name in words.KNOWN_MACROS or name.startswith("spec/"):
            self._stroke(start, end, "macro")
        else:
            self._name(name, start, end, "function")

    def _name(self, name: str, start: int, end: int, role: str) -> None:
        """A name, dotted or not; ``role`` is that of a plain one."""
        if self.parameters[name]:
            self._stroke(start, end, "parameter")
            return
        before, dot, last = name.rpartition(".")
        if not dot or not last:
            self._stroke(start, end, "class" if role == "function" and last[:1].isupper() else role)
            return
        split = end - len(last)
        if before.strip("."):
            first = before.partition(".")[0]
            self._stroke(start, split - 1, "parameter" if self.parameters[first] else "namespace")
        called = "method" if not before.strip(".") else "function"
        plain = called if role == "function" else ("method" if not before else "property")
        self._stroke(split, end, "class" if last[:1].isupper() else plain)
