"""The Hy files of a workspace: what each defines for others, kept up to date, and their texts when asked for.

Files are read and never run. What cannot be read, or is too much, is left out: a workspace is never waited for.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mino_lsp.analysis.document import Names, names_of
from mino_lsp.analysis.environment import KNOWN, OPAQUE, Modules
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import Definition, DefinitionKind, KeywordRole, KeywordUse, Signature
from mino_lsp.syntax import Text, Tree, read
from mino_lsp.uris import path_of, uri_of

MAX_FILES, MAX_FOLDERS, MAX_BYTES = 2_000, 20_000, 1_000_000
_SKIPPED = {"__pycache__", "node_modules", "site-packages", "dist", "build"}
_WORD = re.compile(r"[^\s()\[\]{}\";'`~.:,#]+")
_KEPT = 24
_REGISTERING = {KeywordRole.DEFINES_SPEC, KeywordRole.GENERATES_SPEC}


@dataclass(frozen=True)
class Document:
    """A text that is open or on disk, under its URI, as others see it; of a notebook the program, with the cells of Hy
    in it, each from one offset to another."""

    uri: str
    text: Text
    tree: Tree
    modules: Modules
    cells: tuple[tuple[int, int], ...] = ()

    def line(self, offset: int) -> str:
        """How a user is told of the line at an offset."""
        line = self.text.position(offset, "utf-32")[0]
        if not self.cells:
            return f"line {line + 1}"
        for number, (start, end) in enumerate(self.cells, 1):
            if start <= offset <= end:
                return f"line {line - self.text.position(start, 'utf-32')[0] + 1} of Hy cell {number}"
        return "a cell of Python" if offset >= self.cells[0][0] else "what the kernel gives"

    @property
    def names(self) -> Names:
        return names_of(self.tree, self.modules)


@dataclass(frozen=True)
class Exports:
    """What a module gives those that import it or require it. `blind`: it may give more. `functions` are those of which
    the parameters are known for sure; `specs`: importing it registers some, as that of one of `imports` may."""

    macros: frozenset[str]
    readers: frozenset[str]
    names: frozenset[str]
    blind: bool
    functions: Mapping[str, Signature]
    specs: bool
    imports: frozenset[str]


@dataclass(frozen=True)
class Indexed:
    """A file of the workspace: what it defines outside of functions, and every word in it, mangled."""

    uri: str
    stamp: tuple[int, int]
    definitions: tuple[Definition, ...]
    words: frozenset[str]
    exports: Exports


class Index:
    """The files under the roots and beside the documents outside of them, the open documents before what is on disk.
    `generation` counts changes of what one module gives to others."""

    def __init__(self) -> None:
        self.roots: list[Path] = []
        self.folders: list[Path] = []
        self.generation = 0
        self._files: dict[str, Indexed] = {}
        self._open: dict[str, tuple[Text, Tree, tuple[tuple[int, int], ...]]] = {}
        self._indexed_open: dict[str, tuple[Tree, Indexed]] = {}
        self._texts: OrderedDict[str, tuple[tuple[int, int], Text, Tree]] = OrderedDict()
        self._modules: dict[str, _Surroundings] = {}

    # ---- keeping up

    def scan(self) -> Iterator[None]:
        """Index what lies under the roots, a file a step: whoever drives it can do other things between."""
        found = 0
        for path in chain(_hy_files(self.roots), *map(_hy_files_in, self.folders)):
            if found >= MAX_FILES:
                return
            found += path is not None
            if path is not None:
                self.update(path)
            yield

    def prune(self, roots: Iterable[Path], folders: Iterable[Path] = ()) -> None:
        """These are the roots now, and the folders of documents that lie under none of them, of which only the files in
        them count, not those further below. Forget the other files."""
        self.roots, self.folders = list(roots), list(folders)
        for uri in list(self._files):
            path = Path(path_of(uri))
            if path.parent not in self.folders and not any(path.is_relative_to(root) for root in self.roots):
                before = self._files.pop(uri)
                self._texts.pop(uri, None)
                self._note(before, None)

    def update(self, path: str) -> None:
        """A file was made, changed or deleted."""
        uri = uri_of(path)
        stamp = _stamp(path)
        before = self._files.get(uri)
        if stamp is None:
            self._files.pop(uri, None)
            self._texts.pop(uri, None)
            self._note(before, None)
            return
        if before is not None and before.stamp == stamp:
            return
        source = _source(path)
        if source is None:
            return
        after = self._files[uri] = _index(uri, stamp, source, read(source))
        self._note(before, after)

    def opened(self, uri: str, text: Text, tree: Tree, cells: tuple[tuple[int, int], ...] = ()) -> None:
        """A document is open, with this text now."""
        self._open[uri] = (text, tree, cells)

    def closed(self, uri: str) -> None:
        self._open.pop(uri, None)
        before = self._indexed_open.pop(uri, None)
        self._note(before[1] if before is not None else None, self._files.get(uri))

    def _note(self, before: Indexed | None, after: Indexed | None) -> None:
        if (before.exports if before is not None else None) != (after.exports if after is not None else None):
            self.generation += 1
            self._modules.clear()

    # ---- asking

    def modules(self, uri: str) -> Modules:
        """The modules as the document at `uri` finds them; the same object until what they give changes."""
        found = self._modules.get(uri)
        if found is None:
            found = self._modules[uri] = _Surroundings(self, uri)
        return found

    def files(self) -> Iterator[Indexed]:
        """All there is, open documents as they are now."""
        for uri in list(self._open):
            yield self._of_open(uri)
        for uri, indexed in list(self._files.items()):
            if uri not in self._open:
                yield indexed

    def _of_open(self, uri: str) -> Indexed:
        _, tree, _ = self._open[uri]
        known = self._indexed_open.get(uri)
        if known is None or known[0] is not tree:
            indexed = _index(uri, (0, 0), tree.source, tree)
            self._note(known[1] if known is not None else self._files.get(uri), indexed)
            known = self._indexed_open[uri] = (tree, indexed)
        return known[1]

    def indexed(self, uri: str) -> Indexed | None:
        return self._of_open(uri) if uri in self._open else self._files.get(uri)

    def document(self, uri: str) -> Document | None:
        """The text of an open document or of a file that is indexed."""
        if uri in self._open:
            text, tree, cells = self._open[uri]
            return Document(uri, text, tree, self.modules(uri), cells)
        indexed = self._files.get(uri)
        if indexed is None:
            return None
        known = self._texts.get(uri)
        if known is None or known[0] != indexed.stamp:
            source = _source(path_of(uri))
            if source is None:
                return None
            known = self._texts[uri] = (indexed.stamp, Text(source), read(source))
            while len(self._texts) > _KEPT:
                self._texts.popitem(last=False)
        self._texts.move_to_end(uri)
        return Document(uri, known[1], known[2], self.modules(uri))

    def registers(self, uri: str | None, passed: set[str]) -> bool:
        """Whether a file registers specs when it is imported, or one that it imports does, but for those passed."""
        if uri is None or uri in passed or (indexed := self.indexed(uri)) is None:
            return False
        passed.add(uri)
        exports = indexed.exports
        return exports.specs or any(self.registers(self.resolve(one, uri), passed) for one in exports.imports)

    def resolve(self, module: str, importer: str) -> str | None:
        """The URI of the Hy file that a module's name means in the document at a URI."""
        bare = module.lstrip(".")
        dots = len(module) - len(bare)
        folder = Path(path_of(importer)).parent
        bases = [folder.joinpath(*([".."] * (dots - 1)))] if dots else [folder, *self.roots]
        parts = [mangle(part) for part in bare.split(".") if part]
        for base in bases:
            place = os.path.normpath(base.joinpath(*parts))
            for path in (f"{place}.hy", os.path.join(place, "__init__.hy")) if parts else ():
                uri = uri_of(path)
                if uri in self._open or uri in self._files:
                    return uri
            if not parts and uri_of(os.path.join(place, "__init__.hy")) in self._files:
                return uri_of(os.path.join(place, "__init__.hy"))
        return None


class _Surroundings:
    """`Modules` as one document finds them: the workspace's before those that are known."""

    def __init__(self, index: Index, uri: str) -> None:
        self._index, self._uri = index, uri
        self._known: dict[str, Exports | None] = {}

    def _exports(self, module: str) -> Exports | None:
        if module not in self._known:
            uri = self._index.resolve(module, self._uri)
            indexed = self._index.indexed(uri) if uri is not None and uri != self._uri else None
            self._known[module] = indexed.exports if indexed is not None else None
        return self._known[module]

    def macros(self, module: str) -> dict[str, str] | None:
        exports = self._exports(module)
        if exports is None:
            return KNOWN.macros(module)
        return None if exports.blind else dict.fromkeys(exports.macros, OPAQUE)

    def readers(self, module: str) -> dict[str, str] | None:
        exports = self._exports(module)
        return KNOWN.readers(module) if exports is None else dict.fromkeys(exports.readers, OPAQUE)

    def names(self, module: str) -> frozenset[str] | None:
        exports = self._exports(module)
        if exports is None:
            return KNOWN.names(module)
        return None if exports.blind else exports.names

    def registers(self, module: str) -> bool:
        return self._index.registers(self._index.resolve(module, self._uri), {self._uri})

    def function(self, module: str, mangled: str) -> Signature | None:
        if module.partition(".")[0] in sys.stdlib_module_names:
            return None
        exports = self._exports(module)
        return exports.functions.get(mangled) if exports is not None else None


def _index(uri: str, stamp: tuple[int, int], source: str, tree: Tree) -> Indexed:
    """Read for itself: what it requires from others of the workspace does not change what it is known to define."""
    names = names_of(tree)
    kinds = {DefinitionKind.METHOD, DefinitionKind.FIELD, DefinitionKind.COMPONENT}
    listed = tuple(one for one in names.definitions if (one.scope == 0 or one.kind in kinds) and one.source is None)
    exports = Exports(
        frozenset(one.mangled for one in names.module_names("macro")),
        frozenset(one.name for one in names.module_names("reader")),
        frozenset(one.mangled for one in names.module_names()),
        not names.certain,
        _functions(names) if names.certain else {},
        any(_registers(use) for _, piece in names.pieces() for use in piece.keywords),
        frozenset(entry.module for entry in names.imports if not entry.requires and entry.scope == 0),
    )
    words = set(_WORD.findall(source)) if tree.is_read else ()
    return Indexed(uri, stamp, listed, frozenset(map(mangle, words)), exports)


def _functions(names: Names) -> dict[str, Signature]:
    """The functions of a module that nothing decorates and nothing binds anew."""
    return {
        one.mangled: one.signature
        for one in names.module_names()
        if one.kind is DefinitionKind.FUNCTION and one.signature is not None and not one.decorated
        if names.only(one.mangled) is not None
    }


def _registers(use: KeywordUse) -> bool:
    """Whether a spec, or what generates it, is registered as the module is imported."""
    return use.role in _REGISTERING and use.scope == 0 and use.certain


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _source(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        return data.decode("utf-8") if len(data) <= MAX_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None


def _hy_files(roots: list[Path]) -> Iterator[str | None]:
    """The paths of the Hy files under the roots, in the order of names; None for each folder that was looked through.
    Links to folders are not followed, so none is met twice."""
    waiting, folders = [str(root) for root in reversed(roots)], 0
    seen: set[str] = set()
    while waiting and folders < MAX_FOLDERS:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        folders += 1
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        below = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED:
                    below.append(entry.path)
            elif entry.name.endswith(".hy"):
                yield entry.path
        waiting += reversed(below)
        yield None


def _hy_files_in(folder: Path) -> Iterator[str]:
    """The paths of the Hy files in a folder, and not further below: it may be a home or the root of the disk."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    yield from (entry.path for entry in entries if entry.name.endswith(".hy"))
