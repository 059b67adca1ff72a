"""Which folders' code may be run. Kept in the user's state, never in a workspace, and revocable."""

from __future__ import annotations

import json
import os
import sys
from functools import lru_cache
from pathlib import Path

QUESTION = (
    "Mino can show shapes, broken specs and errors in {folder} while you type. To do so it runs the code of the "
    "documents you open there, macros included, in a process that cannot write files or use the network, and with that "
    "folder's own interpreter. Do you trust it?"
)
TRUST, NOT_NOW = "Trust this folder", "Not now"


def state_file() -> Path:
    """Where trust is remembered."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "mino" / "trust.json"


def is_trusted(folder: Path) -> bool:
    """Whether the user said so of this very folder or of one above it. A file that cannot be read trusts nobody."""
    trusted = _read()
    folder = folder.resolve()
    return any(str(parent) in trusted for parent in (folder, *folder.parents))


def remember(folder: Path, trusted: bool) -> None:
    """Trust a folder from now on, or no longer, nor what is trusted because of a folder above it.

    Raises `OSError` where the state cannot be written.
    """
    import tempfile  # with all that it brings a tenth of our share of the start, and seldom used

    folder = folder.resolve()
    folders = _read() | {str(folder)} if trusted else _read() - {str(above) for above in (folder, *folder.parents)}
    file = state_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix="trust-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as new:
        json.dump({"folders": sorted(folders)}, new, indent=1)
    os.replace(name, file)


def _read() -> frozenset[str]:
    """The folders in the state file, as it is now."""
    file = state_file()
    try:
        status = file.stat()
        return _folders(file, status.st_mtime_ns, status.st_size, status.st_ino)
    except OSError:
        return frozenset()


@lru_cache(maxsize=1)
def _folders(file: Path, *_: int) -> frozenset[str]:
    """The folders in a file that has not changed since: whether one is trusted is asked at each keystroke."""
    try:
        told = json.loads(file.read_text("utf-8"))
        return frozenset(str(folder) for folder in told["folders"])
    except (ValueError, KeyError, TypeError):
        return frozenset()
