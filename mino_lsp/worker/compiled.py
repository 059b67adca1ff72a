"""Code of forms that were compiled before, kept in files beside a document's checkpoints: what stands below an edit is
not compiled again.

What a form compiles to depends on its text and on what was required above it. Code is kept of forms whose macros are
all of installed packages and known to look at nothing but their forms: a macro of the user's may do anything. Where the
form stands elsewhere by now, its code is told: lines count from that of each function's beginning, and the places of
probes are tuples that say of themselves what they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hy
from hy.models import Object, Sequence, Symbol

from mino_lsp.types import Span
from mino_lsp.worker.instrument import PLACE
from mino_lsp.worker.pure import PURE
from mino_lsp.worker.steps import Operand, Step

MOST = 500
"""Files that are kept; with more, all go."""

_AT_COMPILING = frozenset(
    {"require", "defmacro", "defreader", "eval_and_compile", "eval_when_compile", "do_mac", "pragma", "R"}
)
"""What does something when it is compiled, or names macros otherwise than by what was required (`hy.R`)."""

# As they are before anything of a user's could replace them.
_open, _read, _write, _close = os.open, os.read, os.write, os.close
_rename, _list, _remove, _make = os.rename, os.listdir, os.remove, os.mkdir


@dataclass(frozen=True, slots=True)
class Compiled:
    """A form's code, and what its expressions do with what (`steps.py`)."""

    code: types.CodeType
    steps: dict[Span, Step]


class Kept:
    """The code that is kept of one document, in a folder of its own."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._count: int | None = None

    def key(self, form: Any, text: str, module: types.ModuleType, future: int) -> str:
        """What the code of a form depends on, which is compiled with the flags `future`; empty where it is not kept."""
        if form.start_column != 1 or module.__dict__.get("_hy_reader_macros"):
            return ""
        homes = {name: _home(macro) for name, macro in module.__dict__.get("_hy_macros", {}).items()}
        names = _symbols(form)
        if names & _AT_COMPILING or any(not home and (name in names or "." in name) for name, home in homes.items()):
            return ""
        known = repr((sorted(homes.items()), text, future))
        return hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()

    def find(self, key: str, start: int, line: int) -> Compiled | None:
        """The code of a form that stands at an offset and on a line by now."""
        with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
            return _moved(marshal.loads(_contents(os.path.join(self._folder, key))), start, line)
        return None

    def keep(self, key: str, compiled: Compiled, start: int, line: int) -> bool:
        """Keep the code of a form for those that come after this process. False where that cannot be done."""
        if any(name.startswith("_hy_gensym") for code in _codes(compiled.code) for name in code.co_names):
            return False  # a global of the module's, of a name that another process may give to something else
        steps = [(span.start, span.end, step.name, step.function, [_plain(one) for one in step.operands])
                 for span, step in compiled.steps.items()]  # fmt: skip
        with contextlib.suppress(OSError, ValueError):
            self._make_room()
            path = os.path.join(self._folder, key)
            written = f"{path}.{os.getpid()}"
            descriptor = _open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                _write(descriptor, marshal.dumps((compiled.code, steps, start, line)))
            finally:
                _close(descriptor)
            _rename(written, path)
            return True
        return False

    def _make_room(self) -> None:
        if self._count is None:
            with contextlib.suppress(FileExistsError):
                _make(self._folder)
            self._count = len(_list(self._folder))
        self._count += 1
        if self._count > MOST:
            for name in _list(self._folder):
                _remove(os.path.join(self._folder, name))
            self._count = 0


_KNOWN = {module: frozenset(map(hy.mangle, names)) for module, names in PURE.items()}


def _home(macro: Any) -> str:
    """The module of a macro that looks at nothing but its forms; empty for all others."""
    module, name = getattr(macro, "__module__", None) or "", getattr(macro, "__name__", "")
    return str(module) if module.startswith("hy.core.") or name in _KNOWN.get(module, ()) else ""


def _symbols(form: Any) -> set[str]:
    found: set[str] = set()
    waiting = [form]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Symbol):
            found.add(hy.mangle(one))
        elif isinstance(one, Sequence):
            waiting += [part for part in one if isinstance(part, Object)]
    return found


def _contents(path: str) -> bytes:
    descriptor = _open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(iter(lambda: _read(descriptor, 1 << 20), b""))
    finally:
        _close(descriptor)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _codes(each)


def _plain(operand: Operand) -> tuple[Any, ...]:
    span = operand.span
    return (span.start, span.end, operand.variable, operand.keyword, operand.constant, operand.threaded, operand.listed)


def _moved(told: Any, start: int, line: int) -> Compiled:
    code, steps, was_at, was_on = told
    by, down = start - was_at, line - was_on

    def moved(code: types.CodeType) -> types.CodeType:
        constants = tuple(map(of_constant, code.co_consts))
        return code.replace(co_consts=constants, co_firstlineno=code.co_firstlineno + down)

    def of_constant(value: Any) -> Any:
        if isinstance(value, types.CodeType):
            return moved(value)
        is_place = type(value) is tuple and len(value) == 3 and value[0] == PLACE
        return (PLACE, value[1] + by, value[2] + by) if is_place else value

    def operand(first: int, last: int, *more: Any) -> Operand:
        return Operand(Span(first + by, last + by), *more)

    return Compiled(
        moved(code) if by or down else code,
        {
            Span(first + by, last + by): Step(name, function, tuple(operand(*one) for one in operands))
            for first, last, name, function, operands in steps
        },
    )
