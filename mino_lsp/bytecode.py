"""Compiles the Hy modules that every start of a worker loads to byte code, which pip does for Python's modules only.

Without it hyrule alone costs each start a second.
"""

from __future__ import annotations

import importlib.util
import py_compile
import warnings
from pathlib import Path

PACKAGES = ("hy", "hyrule", "mino")


def compile_modules() -> int:
    """Write the byte code of every Hy module of `PACKAGES` for the running interpreter. Returns how many there are.

    Raises `py_compile.PyCompileError` for a module that does not compile, `OSError` where it cannot be written.
    """
    import hy  # noqa: F401 - teaches Python's loader to read Hy

    warnings.simplefilter("ignore")  # Hy's own core warns that it shadows itself
    compiled = 0
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec is not None else []:
            for file in sorted(Path(folder).rglob("*.hy")):
                py_compile.compile(str(file), doraise=True)
                compiled += 1
    return compiled
