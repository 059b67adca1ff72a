"""What `[tool.mino]` in a folder's `pyproject.toml` sets, for all who work in the folder, whatever their editor.

It is laid over what the client told. As nobody was asked for it, it chooses nothing of what runs, and how, before the
folder is trusted, and never whether it is trusted, or that previews may do without the system's confinement.
"""

from __future__ import annotations

import difflib
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mino_lsp.settings import NAMES, Settings, merge, unknown

NAME = "pyproject.toml"

_LARGEST = 1_000_000
_OF_THE_USER = {"trust", "preview.unconfined"}
_HARMLESS = {name for name in NAMES if name.partition(".")[0] in ("diagnostics", "format", "inlayHints")}


@dataclass(slots=True)
class _Read:
    """A file as it was at one moment; `laid` is what it made last of which settings, trusted or not."""

    stamp: tuple[int, int]
    table: Any
    unreadable: str
    laid: tuple[Settings, bool, Settings, list[str]] | None = None


_read: dict[Path, _Read] = {}


def applied(settings: Settings, root: Path, trusted: bool) -> tuple[Settings, list[str]]:
    """The settings with those of the folder's `pyproject.toml` laid over them, and a sentence for each that cannot be
    used."""
    path = root / NAME
    known = _known(path)
    if known is None:
        return settings, []
    if known.laid is None or known.laid[0] is not settings or known.laid[1] is not trusted:
        allowed = NAMES - _OF_THE_USER if trusted else _HARMLESS
        now, complaints = merge(settings, known.table, allowed, f"{path}: the setting tool.mino.")
        complaints += [_unknown(path, name) for name in unknown(known.table)]
        now = _joined(settings, now)
        known.laid = (settings, trusted, now, [known.unreadable] if known.unreadable else complaints)
    return known.laid[2:]


def _joined(settings: Settings, now: Settings) -> Settings:
    """Codes that are switched off add up: a project's do not switch the user's on again."""
    if now.disabled is settings.disabled:
        return now
    return replace(now, disabled=(*settings.disabled, *now.disabled))


def _unknown(path: Path, name: str) -> str:
    near = difflib.get_close_matches(name, NAMES, 1)
    guess = f"; did you mean {near[0]}?" if near else "."
    return f"{path}: there is no setting tool.mino.{name}{guess} It was passed over."


def _known(path: Path) -> _Read | None:
    """The file, read again when it has changed; None where there is none that can be read in bounded time."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None  # a pipe or a device would be read for ever
        stamp = (status.st_mtime_ns, status.st_size)
        known = _read.get(path)
        if known is None or known.stamp != stamp:
            data = path.read_bytes() if status.st_size < _LARGEST else b""
            known = _read[path] = _Read(stamp, *_parsed(path, data))
        return known
    except (OSError, ValueError):  # a folder's name with a NUL in it is no path
        return None


def _parsed(path: Path, data: bytes) -> tuple[Any, str]:
    """The table `tool.mino`; else nothing, and why."""
    import tomllib  # most folders have no such file, and starting should not wait for it

    try:
        told: Any = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, f"{path} cannot be read, so what it sets for Mino was passed over: {error}."
    for name in ("tool", "mino"):
        told = told.get(name) if isinstance(told, dict) else None
    return told, ""
