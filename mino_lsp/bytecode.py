"""Compiles what every start loads to byte code: pip does it for Python's modules only, and not for a checkout's.

Without it hyrule alone costs each start of a worker a second, and our own modules cost the server a sixth of its.
"""

from __future__ import annotations

import importlib.util
import py_compile
import warnings
from pathlib import Path

HY_PACKAGES = ("hy", "hyrule", "mino")
PYTHON_PACKAGES = ("mino", "mino_lsp")


def compile_modules() -> int:
    """Write the byte code of Mino's modules and of the Hy modules of `HY_PACKAGES` for the running interpreter.

    Returns how many modules there are. Raises `py_compile.PyCompileError` for one that does not compile, `OSError`
    where the byte code cannot be written.
    """
    import hy  # noqa: F401 - teaches Python's loader to read Hy

    warnings.simplefilter("ignore")  # Hy's own core warns that it shadows itself
    files = [*_files(HY_PACKAGES, "*.hy"), *_files(PYTHON_PACKAGES, "*.py")]
    for file in files:
        py_compile.compile(str(file), doraise=True)
    return len(files)


def _files(packages: tuple[str, ...], pattern: str) -> list[Path]:
    specs = [importlib.util.find_spec(package) for package in packages]
    folders = [folder for spec in specs if spec is not None for folder in spec.submodule_search_locations or []]
    return [file for folder in folders for file in sorted(Path(folder).rglob(pattern))]
