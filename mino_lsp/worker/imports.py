"""What a document imports from its own workspace: read as the editor has it, and probed like the document itself.

Everything else is imported as ever. Nothing is written: a file that is imported in a preview leaves no byte code.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any

import hy
from hy.compiler import hy_compile
from hy.reader import HyReader

from mino_lsp.worker.probe import Recorder
from mino_lsp.worker.source import Sources

_FOREIGN = ("site-packages", "dist-packages", ".venv")

_preloaded: frozenset[str] = frozenset()


def preload() -> None:
    """Import what most documents require of Mino, once for all of them."""
    global _preloaded
    before = set(sys.modules)
    for name in ("mino.module", "mino.mu", "mino.thread", "mino.spec"):
        importlib.import_module(name)
    _preloaded = frozenset(name for name in set(sys.modules) - before if name.startswith("mino."))


class Finder:
    """Finds the modules whose files lie in the folder `root`, before Python's own finders do.

    `texts` are the unsaved texts of files by path; `imported` fills with the files that were loaded. Without a recorder
    nothing is probed, and only files whose text is not the one that was saved are found.
    """

    def __init__(self, root: str, texts: Mapping[str, str], sources: Sources, recorder: Recorder | None = None) -> None:
        self._root = os.path.realpath(root) if root else ""
        self._texts = texts
        self._sources = sources
        self._recorder = recorder
        self.imported: list[str] = []
        for name in _preloaded:
            if self._is_ours(getattr(sys.modules.get(name), "__file__", None)):
                del sys.modules[name]  # it is Mino itself that is being written

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader) or not self._is_ours(spec.origin):
            return None
        assert spec.origin is not None
        if self._recorder is None and not self._is_unsaved(spec.origin):
            return None
        loader = _Loader(name, spec.origin, self._load)
        return importlib.util.spec_from_file_location(
            name, spec.origin, loader=loader, submodule_search_locations=spec.submodule_search_locations
        )

    def _is_ours(self, origin: str | None) -> bool:
        if origin is None or not self._root:
            return False
        path = os.path.realpath(origin)
        inside = path.startswith(self._root + os.sep)
        return inside and not any(part in _FOREIGN for part in path[len(self._root) :].split(os.sep))

    def _is_unsaved(self, path: str) -> bool:
        text = self._texts.get(path)
        if text is None:
            return False
        with open(path, "rb") as file:
            return file.read() != text.encode("utf-8")

    def _load(self, name: str, path: str) -> types.CodeType:
        """The code of a file, with probes if it is Hy. Raises what reading and compiling it raises."""
        self.imported.append(path)
        text = self._texts.get(path)
        if text is None:
            with open(path, "rb") as file:
                data = file.read()
            text = data.decode("utf-8") if path.endswith(".hy") else importlib.util.decode_source(data)
        source = self._sources.add(text, path)
        if not path.endswith(".hy"):
            code: types.CodeType = compile(text, path, "exec", dont_inherit=True)
            return code
        forms = hy.read_many(text, filename=path, reader=HyReader(), skip_shebang=True)
        tree: Any = hy_compile(forms, sys.modules[name], filename=path, source=text)
        assert isinstance(tree, ast.Module)
        if self._recorder is not None:
            tree = self._recorder.instrument(tree, source)
        source.correct(tree)
        code = compile(tree, path, "exec", dont_inherit=True)
        return code


class _Loader(SourceFileLoader):
    """Compiles anew at each import: what is kept beside a file has no probes, and speaks of what was saved."""

    def __init__(self, name: str, path: str, load: Callable[[str, str], types.CodeType]) -> None:
        super().__init__(name, path)
        self._load = load

    def get_code(self, fullname: str) -> types.CodeType:
        return self._load(fullname, self.path)
