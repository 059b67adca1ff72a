"""What a process imports before it takes a job, and what it then says of itself: its versions, or why it cannot serve.

Nothing of a user's is touched.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import types
from pathlib import Path

from mino_lsp.types import PROTOCOL, Ready, Refused


def greet(pure: bool) -> Ready | Refused:
    """Import what the jobs need, and say what was found."""
    python = f"{sys.executable} -m pip install"
    versions = {}
    for name in ("hy", "hyrule") if pure else ("hy", "hyrule", "torch"):
        try:
            versions[name] = str(getattr(importlib.import_module(name), "__version__", "?"))
        except ImportError as error:
            why = f"{sys.executable} has no {name}" if error.name == name else f"{name} cannot be imported: {error}"
            return Refused(f"{why}. Previews and runs need it.", f"{python} minotauro")
    if not versions["hy"].startswith("1."):
        return Refused(
            f"{sys.executable} has Hy {versions['hy']}; Mino needs 1.3 or newer.", f"{python} -U 'hy>=1.3,<2'"
        )
    spec = importlib.util.find_spec("mino")
    if spec is None:
        return Refused(f"{sys.executable} has no mino. Previews and runs need it.", f"{python} minotauro")
    folder = Path((spec.submodule_search_locations or [""])[0])
    if not (folder / "mu.hy").exists():
        message = f"The package mino in {folder} is another project of that name, not Mino."
        return Refused(message, f"{sys.executable} -m pip uninstall mino && {python} minotauro")
    warm_up(pure)
    notes = () if _has_byte_code("hyrule") and _has_byte_code("mino.mu") else (_NO_BYTE_CODE,)
    return Ready(PROTOCOL, sys.executable, versions, notes)


_NO_BYTE_CODE = "Hy's modules have no byte code here, so every start compiles them again. `mino setup` writes it once."


def _has_byte_code(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.cached is not None and os.path.exists(spec.cached)


def warm_up(pure: bool) -> None:
    """Import what the tasks use, so that none pays for it."""
    import hy
    import hyrule  # noqa: F401 - most programs require it
    from hy.compiler import hy_compile

    from mino_lsp.worker import expand  # noqa: F401

    if not pure:
        from mino_lsp.worker import devices, imports, inspecting, launch, session  # noqa: F401

        imports.preload()
    # The first use of the compiler costs as much as the next hundred.
    hy_compile(hy.read_many('(defn f [x] (setv y (+ x 1)) (print f"{y}"))'), "mino")
    _require_quickly()
    # Hy's `eval` asks for this, and the first time Python looks up the file of each module for it.
    inspect.stack()


def _require_quickly() -> None:
    """Hy's `require` wants the frame that called it. Python's `inspect.stack` reads the source lines of all frames for
    that, which takes longer than all else that a `require` does."""
    from hy import macros

    quick = types.ModuleType("inspect", inspect.__doc__)
    quick.__dict__.update(vars(inspect), stack=_stack)
    macros.inspect = quick


def _stack(context: int = 0) -> list[inspect.FrameInfo]:
    """The frames that called this, without source lines."""
    frames, frame = list[inspect.FrameInfo](), inspect.currentframe()
    while frame is not None and (frame := frame.f_back) is not None:
        code = frame.f_code
        frames.append(inspect.FrameInfo(frame, code.co_filename, frame.f_lineno, code.co_name, None, None))
    return frames


def warm_up_further() -> None:
    """Import what torch imports by itself at the first step of an optimizer, or at the first operator on shapes alone:
    seconds that no task should pay."""
    import torch._dynamo  # noqa: F401

    from mino_lsp.worker import fake

    fake.warm_up()
    inspect.stack()
