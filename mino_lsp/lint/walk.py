"""A walk over a piece that calls the checks: only on code, and only where it is certain what a call means.

Quoted forms are data. Of a call of a macro that nobody knows, nothing within is judged. A step of a thread lacks an
argument, so it is not judged itself, but what is in it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mino_lsp.analysis import KNOWN, OPAQUE, Macros, mangle
from mino_lsp.lint import arity, bindings, control, definitions, models
from mino_lsp.lint.findings import CHECKS, Call, Finding, at, bare, is_name
from mino_lsp.syntax import Form, Kind
from mino_lsp.syntax.kinds import PREFIXES
from mino_lsp.syntax.nodes import Piece, Within

assert arity and bindings and control and definitions and models  # they register their checks

CODE, INNER, TEMPLATE = 0, -1, 1
"""How a form is looked at: as code; as code that is no call by itself; from 1 on, as data under so many quasiquotes."""

# Macros whose arguments are code, beside hy's and mino's.
_TRANSPARENT = frozenset(
    f"hyrule:{name}"
    for name in (
        *("defmain", "unless", "case", "ecase", "branch", "ebranch", "do-n", "list-n", "lif", "block", "loop"),
        *("ap-if", "ap-each", "ap-each-while", "ap-map", "ap-map-when", "ap-filter", "ap-reject", "ap-dotimes"),
        *("ap-first", "ap-last", "ap-reduce", "ap-when", "ap-with"),
    )
)
_NO_CODE = frozenset(
    {
        *("hy:quote", "hy:import", "hy:require", "hy:global", "hy:nonlocal", "hy:pragma", "hy:py", "hy:pys"),
        *("hy:export", "hy:deftype", "hy:defreader", "hy:quasiquote", "hy:unquote", "hy:unquote-splice"),
        *("mino:spec/tensor", "mino:spec/search", "mino:spec/replace"),
    }
)
_STEPS = frozenset(
    {
        *(f"hyrule:{name}" for name in ("->", "->>", "doto", "some->")),
        *(*models.THREADS, *models.CONDITIONAL),
    }
)
_MUS = frozenset({"mino:defmu", "mino:mu"})
# What stands in these within a mu is none of its code, or not looked at by it.
_APART = frozenset({Kind.UNQUOTE, Kind.UNQUOTE_SPLICE, Kind.FIELD})
_COMPARISONS = frozenset(f"hy:{name}" for name in ("=", "<", ">", "<=", ">=", "is"))
_CLAUSES = frozenset({"except", "except*", "else", "finally"})
_SEES_ALL = frozenset({"locals", "vars", "eval", "exec", "hy.eval", "py", "pys"})
_known: Within[tuple[Macros, Seen]] = Within()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the walk over a piece has found wrong, and the calls of names that are for sure no macros; the places are
    relative to the piece."""

    findings: tuple[Finding, ...] = ()
    calls: tuple[Call, ...] = ()


def seen(piece: Piece, macros: Macros) -> Seen:
    """What there is to say of a piece that can be read, kept as long as the piece is."""
    known = _known.get(piece)
    if known is None or known[0] is not macros:
        known = _known[piece] = (macros, _Walk(piece, macros).run() if not piece.problems else Seen())
    return known[1]


def _is_read(form: Form, key: str) -> bool:
    """Whether reader macros stand in what a check looks at within an argument: vectors, and the clauses of a `try`."""
    if form.kind is not Kind.VECTOR and not (key == "hy:try" and form.head_name in _CLAUSES):
        return False
    return any(one.kind is Kind.READER_MACRO or _precedes_read(one) or _is_read(one, "") for one in form.forms)


def _without_patterns(clauses: tuple[Form, ...]) -> Iterator[Form]:
    """The guards and bodies of a `match`: what looks like a call in a pattern is a class and what is in it."""
    at, count = 1, len(clauses)
    while at < count:
        if clauses[at].text == ":as" and at + 1 < count and clauses[at + 1].kind is Kind.SYMBOL:
            at += 2
        if at + 2 < count and clauses[at].text == ":if":
            yield clauses[at + 1]
            at += 2
        if at < count:
            yield clauses[at]
        at += 2


def _precedes_read(form: Form) -> bool:
    """Whether it is a prefix of what a reader macro reads, as in `'#foo bar`: what is read stands after it."""
    while form.kind in PREFIXES and form.forms:
        form = form.forms[-1]
        if form.kind is Kind.READER_MACRO:
            return True
    return False


def _count(places: Sequence[int], extent: range) -> int:
    """How many of some nodes, in order, lie within another."""
    return bisect_left(places, extent.stop) - bisect_left(places, extent.start)


class _Walk:
    def __init__(self, piece: Piece, macros: Macros) -> None:
        self._piece, self._macros = piece, macros
        self._found: list[Finding] = []
        self._calls: list[Call] = []
        self._waiting: list[tuple[Form, int]] = []
        self._components: set[str] = set()  # of the mus that are passed

    def run(self) -> Seen:
        tops = tuple(Form(self._piece, 0, index) for index in self._piece.nodes.children(-1))
        self._waiting = self._code([top for top in tops if top.is_form])
        while self._waiting:
            self._visit(*self._waiting.pop())
        found = sorted(self._found, key=lambda finding: (finding.start, finding.end))
        return Seen(tuple(found), tuple(self._calls))

    def _code(self, forms: Sequence[Form], mode: int = CODE) -> list[tuple[Form, int]]:
        """The forms with how to look at them; nothing after a reader macro that may read what it likes."""
        found: list[tuple[Form, int]] = []
        for form in forms:
            if form.kind is Kind.READER_MACRO:
                if self._macros.reader(form.text[1:]) == OPAQUE:
                    self._reader(form)
                    return found
                continue
            # Of prefixes within each other the outermost has told it of all.
            if (form.parent is None or form.parent.kind not in PREFIXES) and _precedes_read(form):
                return found
            found.append((form, mode))
        return found

    def _reader(self, form: Form) -> None:
        name = form.text[1:]
        if self._macros.lacks_reader(name):
            known = KNOWN.readers("hyrule") or {}
            hint = f": write (require hyrule :readers [{name}])" if name in known else ""
            self._found.append(at(form, "unknown-reader", f"There is no reader macro `{name}` here{hint}."))

    def _visit(self, form: Form, mode: int) -> None:
        kind = form.kind
        if mode >= TEMPLATE:
            self._template(form, mode)
        elif kind is Kind.LIST:
            self._list(form, mode)
        elif kind is Kind.QUASIQUOTE:
            self._waiting += self._code(form.forms, TEMPLATE)
        elif kind in (Kind.UNQUOTE, Kind.UNQUOTE_SPLICE):
            message = f"Nothing is quoted here with ` that this {kind.value} could be for."
            self._found.append(Finding(form.start, form.start + len(kind.value), "stray-unquote", message))
        elif kind is not Kind.QUOTE:
            if kind is Kind.DICT:
                self._dictionary(form)
            self._waiting += self._code(form.forms)

    def _template(self, form: Form, level: int) -> None:
        kind = form.kind
        if kind is Kind.QUASIQUOTE:
            level += 1
        elif kind in (Kind.UNQUOTE, Kind.UNQUOTE_SPLICE):
            level -= 1
        self._waiting += self._code(form.forms, level if level >= TEMPLATE else CODE)

    def _threaded(self, form: Form) -> bool:
        """Whether a form stands in a thread, which may put it where an empty list is no call."""
        parent = form.parent
        head = parent.forms[0] if parent is not None and parent.kind is Kind.LIST else None
        return head is not None and self._key(head.text) in _STEPS

    def _dictionary(self, form: Form) -> None:
        parts = form.forms
        if any(part.kind in (Kind.UNPACK_ITERABLE, Kind.READER_MACRO) for part in parts):
            return
        plain = [part for part in parts if part.kind is not Kind.UNPACK_MAPPING]
        if len(plain) % 2:
            self._found.append(at(plain[-1], "odd-dict", "This dictionary has a key without a value."))

    def _list(self, form: Form, mode: int) -> None:
        parts = form.forms
        pairs = self._code(parts)
        if not parts:
            if mode == CODE and not self._threaded(form):
                message = "There is nothing to call in (): for an empty list write [], for an empty tuple #()."
                self._found.append(at(form, "empty-call", message))
            return
        plain = sum(part.kind is not Kind.READER_MACRO for part in parts)
        if not pairs or len(pairs) < plain:
            self._waiting += pairs[1:]
            return
        forms = tuple(one for one, _ in pairs)
        head = forms[0]
        name = head.text if head.kind is Kind.SYMBOL else ""
        key = self._key(name) if name else ""
        if key == OPAQUE:
            return
        if key in _MUS:
            self._components |= models.components(form, form.end)
        if mode == CODE and (name or head.kind is not Kind.KEYWORD):
            call = Call(form, head, name, key, forms[1:], self._is_function)
            if name and not key and not name.startswith("."):
                self._calls.append(call)
            if key and self._is_component(head):
                if self._macros.in_scope(mangle(name)):
                    self._found.append(models.macro_component(head))
            # What a reader macro makes of the forms after it is not what they are counted as.
            elif not any(_is_read(one, key) for one in call.args):
                for check in CHECKS.get(key, ()):
                    self._found += check(call)
            if key == "hy:let":
                self._unused(call)
        if key == "mino:geta" and mode == INNER and self._is_given_first(form):
            self._found += [] if any(_is_read(one, key) for one in forms) else models.indices(forms[1:])
        if key == "hy:." and mode == INNER:  # a step, whose object a thread may put in
            self._waiting += [(one, INNER) for one in forms[1:]]
        else:
            self._waiting += self._inner(key, forms)

    def _is_given_first(self, step: Form) -> bool:
        """Whether a form stands in a thread that puts a value before its arguments."""
        around = next((one for one in step.ancestors if one.kind is not Kind.VECTOR), None)
        key = self._key(around.head_name) if around is not None else ""
        return key in _STEPS and not key.endswith(">>")

    def _is_component(self, head: Form) -> bool:
        """Whether the head of a call is the name of a component of a mu around it."""
        mangled = mangle(head.text)
        if mangled not in self._components:
            return False
        for one in head.ancestors:
            key = self._key(one.head_name)
            if one.kind in _APART or key == "mino:mino/live":
                return False
            if key in _MUS and mangled in models.components(one, head.start):
                return True
        return False

    def _unused(self, call: Call) -> None:
        """Names that a `let` binds and that stand nowhere else in it, where nothing in it may use them unseen."""
        if not call.args or call.args[0].kind is not Kind.VECTOR:
            return
        symbols, hiding = self._places
        extent = call.form.extent
        if _count(hiding, extent):
            return
        for target in call.args[0].forms[::2]:
            name = bare(target)
            if is_name(name) and not name.text.startswith("_") and _count(symbols[mangle(name.text)], extent) == 1:
                self._found.append(
                    Finding(name.start, name.end, "unused-local", f"`{name.text}` is bound and not used.", "hint")
                )

    @cached_property
    def _places(self) -> tuple[dict[str, list[int]], list[int]]:
        """The nodes of the piece where each name stands, by its first part, and those that may use names unseen."""
        symbols: dict[str, list[int]] = {}
        hiding: list[int] = []
        for index in range(len(self._piece.nodes.kind)):
            form = Form(self._piece, 0, index)
            if form.kind is Kind.SYMBOL:
                name = form.text.partition(".")[0] or "." if form.text.strip(".") else form.text
                symbols.setdefault(mangle(name), []).append(index)
            elif form.kind is Kind.READER_MACRO or (form.kind is Kind.LIST and self._hides(form.head_name)):
                hiding.append(index)
        return symbols, hiding

    def _hides(self, head: str) -> bool:
        return head in _SEES_ALL or (bool(head) and self._key(head) == OPAQUE)

    def _key(self, name: str) -> str:
        """The key of the macro that a head calls; empty for a function, opaque where that is not certain."""
        if name.startswith(".") and name.strip("."):
            return ""
        key = self._macros.head(mangle(name))
        if key is None:
            return OPAQUE if self._macros.blind else ""
        return key

    def _is_function(self, name: str) -> bool:
        return bool(name) and self._key(name) == ""

    def _inner(self, key: str, forms: tuple[Form, ...]) -> list[tuple[Form, int]]:
        """What is in a call, and how to look at it."""
        args = forms[1:]
        if key in _NO_CODE or (key.startswith("hyrule:") and key not in _TRANSPARENT and key not in _STEPS):
            return []
        if key in _STEPS:
            return self._steps(key, args)
        if key == "hyrule:defmain":
            return [(one, CODE) for one in args if one is not args[0] or one.kind is Kind.VECTOR]
        if key == "hy:.":
            return [(args[0], CODE), *((one, INNER) for one in args[1:])] if args else []
        if key == "hy:match" and len(args) > 2:
            return [(args[0], CODE), *((one, CODE) for one in _without_patterns(args[1:]))]
        if key in ("hy:lfor", "hy:gfor", "hy:sfor", "hy:dfor", "hy:match") and len(args) < 3:
            return []  # without a clause, Hy does not look at the rest
        if key in _COMPARISONS and len(args) == 1:
            return []  # it is True, and Hy drops what is compared
        if key in ("hy:try", "hy:while", "hy:for"):
            return [(one, INNER if one.head_name in _CLAUSES else CODE) for one in args]
        return [(one, CODE) for one in (args if key else forms)]

    def _steps(self, key: str, args: tuple[Form, ...]) -> list[tuple[Form, int]]:
        found = []
        for index, one in enumerate(args):
            is_step = index > 0 and (key not in models.CONDITIONAL or index % 2 == 0)
            if is_step and one.kind is Kind.VECTOR:
                found += [(each, INNER) for each in one.forms]
            else:
                found.append((one, INNER if is_step else CODE))
        return found
