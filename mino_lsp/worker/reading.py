"""Which files a session has read, and what they were like: a checkpoint is of no use when one of them has changed."""

from __future__ import annotations

import itertools
import os
import sys
from typing import Any

EVENTS = ("open", "os.listdir", "os.scandir")

State = list[int] | None
"""Time of change in nanoseconds, size in bytes and number of a file; None where there is none."""


def state_of(path: str) -> State:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_size, status.st_ino]


class FilesRead:
    """Listens to what the interpreter opens, from now on and in all forks; what is installed is not listed."""

    def __init__(self, scratch: str) -> None:
        self._seen: dict[str, State] = {}
        installed = [sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)]
        installed += [folder for folder in sys.path if os.path.basename(folder) in ("site-packages", "dist-packages")]
        # Modules are listed in the order in which they came: those after this one are to be told of.
        sys.modules[__name__] = sys.modules.pop(__name__)
        self._passed_over = tuple(folder + os.sep for folder in (*installed, "/proc", "/dev", "/sys", scratch))
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and isinstance(arguments[0], (str, bytes)):
            self._add(os.path.abspath(os.fsdecode(arguments[0])))

    def _add(self, path: str) -> None:
        if path not in self._seen and not path.startswith(self._passed_over):
            self._seen[path] = state_of(path)

    def so_far(self) -> dict[str, State]:
        """The files that were read, and as they were then. A module that was loaded from byte code is listed too."""
        # A fork's memory is copied where it is looked at, so that all modules take longer than the fork.
        for name in list(itertools.takewhile(lambda name: name != __name__, reversed(sys.modules))):
            path = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(path, str):
                self._add(os.path.abspath(path))
        return dict(self._seen)
