"""What `[tool.mino]` in a folder's `pyproject.toml` says. Nothing there may choose what runs: nobody was asked."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from pathlib import Path

from mino_lsp.settings import Settings

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was at one moment."""

    stamp: tuple[int, int]
    disabled: tuple[str, ...]


_read: dict[Path, _Read] = {}


def applied(settings: Settings, root: Path) -> Settings:
    """The settings with what the folder's `pyproject.toml` adds: codes of diagnostics that are switched off."""
    disabled = _disabled(root / "pyproject.toml")
    return replace(settings, disabled=(*settings.disabled, *disabled)) if disabled else settings


def _disabled(path: Path) -> tuple[str, ...]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return ()  # a pipe or a device would be read for ever
        stamp = (status.st_mtime_ns, status.st_size)
        known = _read.get(path)
        if known is None or known.stamp != stamp:
            known = _read[path] = _Read(stamp, _parsed(path.read_bytes()) if status.st_size < _LARGEST else ())
        return known.disabled
    except (OSError, ValueError):  # a folder's name with a NUL in it is no path
        return ()


def _parsed(data: bytes) -> tuple[str, ...]:
    """The codes under `diagnostics.disable`; none of a file that is no TOML, or says something else there."""
    import tomllib  # most folders have no such file, and starting should not wait for it

    try:
        told: object = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return ()
    for name in ("tool", "mino", "diagnostics", "disable"):
        told = told.get(name) if isinstance(told, dict) else None
    return tuple(code for code in told if isinstance(code, str)) if isinstance(told, list) else ()
