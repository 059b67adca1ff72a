"""Completion: the names, keywords and snippets that fit at a place; their documentation when one is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from mino_lsp.analysis import Definition, DefinitionKind, KeywordRole, ParameterKind, known, mangle
from mino_lsp.analysis.describe import builtin_entry, callee, imported_entry, of_definition, of_entry
from mino_lsp.analysis.known import Entry
from mino_lsp.analysis.links import mu_of
from mino_lsp.analysis.python_targets import python_target
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.types import Span

MOST = 120
"""So many are shown; with more, the client asks again while the user types."""


class Python(Protocol):
    """What is known of Python packages by now."""

    def members(self, module: str, path: str) -> list[str] | None:
        """The attributes of `path` in a module; None while they are looked up."""


class Completion(NamedTuple):
    """`text` replaces `span`, as a snippet if it is one. `about` says to `resolve` what it is."""

    label: str
    kind: str
    detail: str
    rank: str
    text: str
    span: Span
    about: tuple[str, ...]
    snippet: bool = False


@dataclass(frozen=True, slots=True)
class Completions:
    items: list[Completion]
    incomplete: bool


_WORD = re.compile(r"""[^\s()\[\]{}"';`~,]*""")
_TEXT = {Kind.COMMENT, Kind.STRING, Kind.BYTES, Kind.BRACKET_STRING, Kind.SHEBANG}
SNIPPETS = {
    "defmu": "defmu ${1:Name} [${2:x}]\n  $0",
    "mu": "mu [${1:x}] $0",
    "defn": "defn ${1:name} [$2]\n  $0",
    "fn": "fn [${1:x}] $0",
    "defclass": "defclass ${1:Name} [$2]\n  $0",
    "defmacro": "defmacro ${1:name} [$2]\n  `($0)",
    "defmain": "defmain [#* _]\n  $0",
    "let": "let [${1:name} ${2:value}]\n  $0",
    "for": "for [${1:x} ${2:xs}]\n  $0",
    "lfor": "lfor ${1:x} ${2:xs} $0",
    "when": "when ${1:test}\n  $0",
    "if": "if ${1:test}\n    ${2:then}\n    ${3:else}",
    "try": "try\n  $1\n  (except [${2:e Exception}]\n    $0)",
    "with": "with [${1:f} ${2:manager}]\n  $0",
    "import": "import ${1:module}",
    "require": "require ${1:module} ${2:*}",
    "spec/def": "spec/def :${1:name} $0",
    "spec/defgen": "spec/defgen :${1:name} [$2]\n  $0",
}


def completions(snapshot: Snapshot, offset: int, python: Python, snippets: bool) -> Completions:
    line, _ = snapshot.text.position(offset, "utf-32")
    start, _ = snapshot.text.line_span(line)
    backwards = _WORD.match(snapshot.text.slice(start, offset)[::-1])
    word = backwards.group()[::-1] if backwards is not None else ""
    path = snapshot.tree.path_at(offset)
    if _in_text(path, offset):
        return Completions([], False)
    at = _At(snapshot, offset, word, _calls(path, offset, len(word)), snippets)
    if word.startswith(":"):
        return at.best(at.keywords(), False)
    last = word.rpartition(".")[2]
    listed = at.imported(python)
    if listed is not None:
        return at.best(*listed, last if word.strip(".") else word)
    if "." in word.strip(".") or (word.endswith(".") and word.strip(".")):
        members = at.members(python)
        return at.best(members or [], members is None, last)
    return at.best([*(at.keywords() if not word else ()), *at.names()], False)


def resolve(snapshot: Snapshot, about: tuple[str, ...]) -> str:
    """The documentation of a completion, as Markdown."""
    if about[0] == "entry":
        entry = _entry(*about[1:4])
        return of_entry(entry).markdown if entry is not None else ""
    if about[0] == "definition":
        for definition in snapshot.names.definitions:
            if definition.mangled == about[1] and definition.kind == about[2]:
                if definition.source is not None and (entry := imported_entry(definition)) is not None:
                    return of_entry(entry).markdown
                return of_definition(definition, snapshot.document, snapshot.document).markdown
    return ""


def _entry(module: str, kind: str, mangled: str) -> Entry | None:
    if module == known.CORE:
        return known.core().get(mangled)
    if module == "builtins":
        return builtin_entry(mangled)
    package = known.packages().get(module)
    if package is None:
        return None
    return {"macro": package.macros, "reader": package.readers}.get(kind, package.names).get(mangled)


def _in_text(path: tuple[Form, ...], offset: int) -> bool:
    if not path or path[-1].kind not in _TEXT:
        return bool(path) and path[-1].kind is Kind.FSTRING and path[-1].start < offset < path[-1].end
    text = path[-1]
    return text.start < offset and (offset < text.end or text.kind is Kind.COMMENT)


def _calls(path: tuple[Form, ...], offset: int, word: int) -> list[Form]:
    """The lists around an offset, innermost first, in which it is an argument or the head."""
    return [
        form for form in reversed(path) if form.is_sequence and form.start < offset - word + 1 and form.start < offset
    ]


@dataclass(frozen=True)
class _At:
    """A place: the word that was begun there, and the lists around it."""

    snapshot: Snapshot
    offset: int
    word: str
    around: list[Form]
    snippets: bool

    @cached_property
    def is_head(self) -> bool:
        before = self.offset - len(self.word)
        return before > 0 and self.snapshot.tree.text(before - 1, before) == "("

    def item(self, label: str, kind: str, detail: str, rank: int, about: tuple[str, ...], text: str = "") -> Completion:
        span = Span(self.offset - len(self.word), self.offset)
        return Completion(label, kind, detail, f"{rank}", text or label, span, about, bool(text))

    def best(self, items: Iterable[Completion], incomplete: bool, word: str | None = None) -> Completions:
        """Those that fit the word: as it begins them first, then where its characters come in order."""
        wanted = _plain(self.word if word is None else word)
        fitting: dict[str, tuple[str, Completion]] = {}
        for item in items:
            name = _plain(item.label)
            if name.startswith(wanted):
                rank = f"a{item.rank}"
            elif wanted in name:
                rank = f"b{item.rank}"
            elif _in_order(wanted, name):
                rank = f"c{item.rank}"
            else:
                continue
            if item.label not in fitting:
                fitting[item.label] = (rank, item)
        ordered = sorted(fitting.values(), key=lambda one: (one[0], one[1].label.lower()))
        ranked = [one._replace(rank=f"{at:04}") for at, (_, one) in enumerate(ordered[:MOST])]
        return Completions(ranked, incomplete or len(ordered) > MOST)

    # ---- keywords

    def keywords(self) -> Iterator[Completion]:
        """Components first, those that are not given yet before the others; then parameters, then specs."""
        call = next((form for form in self.around if form.kind is Kind.LIST), None)
        head = call.head if call is not None else None
        if call is None or head is None or head.kind is not Kind.SYMBOL or self.offset <= head.end:
            return
        snapshot = self.snapshot
        name = head.text
        if name.startswith("spec/"):
            yield from self.specs(1)
            return
        target = call.forms[1] if name == "bind" and len(call.forms) > 1 else head
        written = target.head_name if target.kind is Kind.LIST else target.text
        here = self.offset - len(self.word)
        given = {mangle(one.text[1:]) for one in call.forms if one.kind is Kind.KEYWORD and one.start != here}
        mu = mu_of(snapshot.document, mangle(written), head.start, snapshot.index) if written else None
        if mu is not None:
            document, definition = mu
            components = document.names.components(definition)
            bound = given | self._bound(written)
            for at, one in enumerate(components):
                if one.mangled not in given:
                    rank = 1 if one.mangled not in bound and at > 0 else 2
                    detail = f"component of {definition.name}"
                    yield self.item(f":{one.name}", "component", detail, rank, ("component", one.mangled))
        else:
            told = callee(snapshot.document, head.end, snapshot.index)
            signature = told[1].signature if told is not None and told[1] is not None else None
            kinds = (ParameterKind.POSITIONAL, ParameterKind.KEYWORD_ONLY)
            for parameter in signature.parameters if signature is not None else ():
                if parameter.kind in kinds and mangle(parameter.name) not in given:
                    yield self.item(f":{parameter.name}", "parameter", f"of {name}", 2, ("keyword",))
        if self.word:
            yield from self.specs(5)

    def _bound(self, name: str) -> set[str]:
        """The components that were bound where a model was made."""
        names = self.snapshot.names
        made = names.lookup(mangle(name), self.offset)
        if made is None or not made.value:
            return set()
        inside = (made.form_start, made.form_end)
        return {
            use.mangled
            for use in names.keywords
            if use.role is KeywordRole.ARGUMENT and use.call == made.value and inside[0] <= use.start <= inside[1]
        }

    def specs(self, rank: int) -> Iterator[Completion]:
        for indexed in self.snapshot.index.files():
            for one in indexed.definitions:
                if one.kind is DefinitionKind.SPEC:
                    yield self.item(f":{one.name}", "spec", "spec", rank, ("definition", one.mangled, one.kind.value))

    # ---- names

    def names(self) -> Iterator[Completion]:
        names = self.snapshot.names
        if self.is_head and self.snippets:
            for name, text in SNIPPETS.items():
                if names.macros.head(mangle(name)) is not None and not self._closes(name):
                    yield self.item(name, "snippet", "", 3, self._macro(name), text)
        inside = names.visible_inside(self.offset)
        for definition in inside.values():
            if not definition.start <= self.offset <= definition.end:
                yield self._defined(definition, 1)
        for start, definition in names.module_entries():
            if definition.mangled not in inside and not definition.start <= self.offset - start <= definition.end:
                yield self._defined(definition, 2)
        for definition in names.module_names("macro"):
            yield self._defined(definition, 2)
        for name in sorted(self._implicit()):
            yield self.item(name, "local", "", 1, ("implicit",))
        yield from self._entries(names.bound.union(inside))

    def _implicit(self) -> set[str]:
        found: set[str] = set()
        for scope in self.snapshot.names.scopes_at(self.offset):
            found |= {name for name in scope.implicit if name.isidentifier() and not name.startswith("_")}
        return found - {"reader", "else"}

    def _closes(self, name: str) -> bool:
        """Whether the call has arguments already, which a snippet would repeat."""
        return bool(self.around) and len(self.around[0].forms) > 1

    def _macro(self, name: str) -> tuple[str, ...]:
        for entry in self._known_macros():
            if entry.name == name:
                return _about(entry)
        return ("keyword",)

    def _known_macros(self) -> Iterator[Entry]:
        yield from known.core().values()
        yield from known.all_macros()

    def _defined(self, definition: Definition, rank: int) -> Completion:
        detail = definition.source.module if definition.source is not None else ""
        if definition.signature is not None:
            detail = f"[{' '.join(one.name for one in definition.signature.parameters)}]"
        about = ("definition", definition.mangled, definition.kind.value)
        return self.item(definition.name, definition.kind.value, detail, rank, about)

    def _entries(self, seen: frozenset[str]) -> Iterator[Completion]:
        macros = self.snapshot.names.macros
        for entry in known.core().values():
            yield self._of_entry(entry, 3 if self.is_head else 6)
        for package in known.packages().values():
            for mangled, entry in package.macros.items():
                if package.name != "hyrule" and macros.head(mangled) and macros.in_scope(mangled):
                    yield self._of_entry(entry, 3 if self.is_head else 6)
        for one in self.snapshot.names.imports:
            known_package = known.packages().get(mangle(one.module)) if one.star and not one.requires else None
            for entry in known_package.names.values() if known_package is not None else ():
                yield self._of_entry(entry, 4)
        for name in _builtins():
            if name not in seen:
                entry_ = builtin_entry(name)
                if entry_ is not None:
                    yield self._of_entry(entry_, 5)

    def _of_entry(self, entry: Entry, rank: int) -> Completion:
        return self.item(entry.name, entry.kind, entry.signature, rank, _about(entry))

    # ---- members and modules

    def members(self, python: Python) -> list[Completion] | None:
        """What may follow the last dot; None while that is looked up."""
        written, _, last = self.word.rpartition(".")
        root, _, path = written.partition(".")
        at = _At(self.snapshot, self.offset, last, self.around, self.snippets)
        snapshot, offset = self.snapshot, self.offset - len(self.word)
        if not root:
            return []
        definition = snapshot.names.lookup(mangle(root), offset)
        mu = mu_of(snapshot.document, mangle(root), offset, snapshot.index) if not path else None
        found: list[Completion] = []
        if mu is not None:
            components = mu[0].names.components(mu[1])
            found += [
                at.item(one.name, "component", f"component of {mu[1].name}", 1, ("keyword",)) for one in components
            ]
        target = python_target(snapshot.names, definition, path, offset)
        if target is None:
            return found
        module = target[0]
        inner = self._module_names(module, at) if not target[1] else None
        if inner is not None:
            return found + inner
        listed = python.members(*target)
        if listed is None:
            return found or None
        return found + [_python_item(at, one, *target) for one in listed]

    def _module_names(self, module: str, at: _At) -> list[Completion] | None:
        uri = self.snapshot.index.resolve(module, self.snapshot.uri)
        document = self.snapshot.index.document(uri) if uri is not None else None
        if document is not None:
            return [at._defined(one, 1) for one in document.names.module_names() if one.source is None]
        package = known.packages().get(mangle(module))
        if package is None:
            return None
        return [at._of_entry(entry, 1) for entry in package.names.values()]

    def imported(self, python: Python) -> tuple[list[Completion], bool] | None:
        """Within `import` and `require`: modules, or in the brackets after one, what it has."""
        form = next((one for one in self.around if one.kind is Kind.LIST), None)
        if form is None or form.head_name not in ("import", "require") or self.is_head:
            return None
        requires = form.head_name == "require"
        inner = self.around[0]
        if inner.kind is Kind.VECTOR:
            before = [one for one in form.forms if one.end <= inner.start and one.kind is Kind.SYMBOL]
            return self._listed(before[-1].text, requires, python) if before else ([], False)
        package, dot, last = self.word.rpartition(".")
        at = _At(self.snapshot, self.offset, last, self.around, self.snippets) if package else self
        modules = {name for name in (*known.packages(), *self._workspace_modules()) if name.startswith(package + dot)}
        below = {name[len(package + dot) :].partition(".")[0] for name in modules} if package else modules
        found = [at.item(name, "module", "", 1, ("keyword",)) for name in sorted(below)]
        path = ".".join(map(mangle, filter(None, package.split("."))))
        listed = python.members("", path) if self.word and not requires else []
        mine = {mangle(name) for name in below}
        found += [_python_item(at, one, "", path) for one in listed or () if one not in mine]
        return found, listed is None

    def _listed(self, module: str, requires: bool, python: Python) -> tuple[list[Completion], bool]:
        uri = self.snapshot.index.resolve(module, self.snapshot.uri)
        document = self.snapshot.index.document(uri) if uri is not None else None
        if document is not None:
            names = document.names.module_names("macro" if requires else "value")
            return [self._defined(one, 1) for one in names if one.source is None], False
        package = known.packages().get(mangle(module))
        if package is not None:
            entries = package.macros if requires else package.names
            return [self._of_entry(entry, 1) for entry in entries.values()], False
        listed = python.members(module, "") if not requires else []
        return [_python_item(self, one, module) for one in listed or ()], listed is None

    def _workspace_modules(self) -> Iterator[str]:
        folder = self.snapshot.uri.rpartition("/")[0] + "/"
        for indexed in self.snapshot.index.files():
            if indexed.uri.startswith(folder) and indexed.uri != self.snapshot.uri:
                name = indexed.uri.removeprefix(folder).removesuffix(".hy").removesuffix("/__init__")
                yield name.replace("/", ".").replace("_", "-")


def _about(entry: Entry) -> tuple[str, ...]:
    return ("entry", entry.module, entry.kind, mangle(entry.name))


def _builtins() -> list[str]:
    return sorted(name for name in known.BUILTINS if not name.startswith("_"))


def _python_item(at: _At, name: str, module: str, path: str = "") -> Completion:
    hyphened = name.replace("_", "-") if not name.startswith("_") else name
    label = hyphened if mangle(hyphened) == name else name
    about = ("python", module, f"{path}.{name}" if path else name)
    return at.item(label, "python", "", 7 if name.startswith("_") else 2, about)


def _plain(name: str) -> str:
    """A name as names are compared while they are typed."""
    return name.lstrip(":").lower().replace("-", "_") or name.lstrip(":")


def _in_order(wanted: str, name: str) -> bool:
    at = -1
    for character in wanted:
        at = name.find(character, at + 1)
        if at < 0:
            return False
    return True
