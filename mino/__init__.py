"""Mino: PyTorch models as S-expressions, for Hy.

The macros are required from `mino.mu`, `mino.thread` and `mino.spec`; the functions under them are here, for
Python. Importing this package does not import torch: the first name that needs it does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mino.unbound import UNBOUND

if TYPE_CHECKING:
    from mino.check import Problem, SpecError
    from mino.dataset import apply
    from mino.indexing import geta
    from mino.module import Mu, bind
    from mino.recipe import from_form
    from mino.reversion import form, revive
    from mino.reverting.irreversible import Irreversible

__all__ = [
    "UNBOUND",
    "Irreversible",
    "Mu",
    "Problem",
    "SpecError",
    "apply",
    "bind",
    "form",
    "from_form",
    "geta",
    "revive",
]

_HOMES = {
    "Irreversible": "mino.reverting.irreversible",
    "Mu": "mino.module",
    "Problem": "mino.check",
    "SpecError": "mino.check",
    "apply": "mino.dataset",
    "bind": "mino.module",
    "form": "mino.reversion",
    "from_form": "mino.recipe",
    "geta": "mino.indexing",
    "revive": "mino.reversion",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mino' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext mino` in a notebook: the cell magic `%%hy`, and tracebacks that point at the failing step."""
    importlib.import_module("mino.notebook").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext mino`."""
    importlib.import_module("mino.notebook").unload(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
