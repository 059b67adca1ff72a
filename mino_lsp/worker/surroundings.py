"""What surrounds a user's program: environment variables, working directory, arguments, streams.

Nothing here needs more than Python has on every system.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from typing import Any

from mino_lsp.types import Environment

PREVIEW_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "MPLBACKEND": "Agg",
    "WANDB_MODE": "disabled",
}

_SECRET = ("TOKEN", "KEY", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS")


class Unusable(Exception):
    """The environment that was asked for cannot be had; the text says why."""


UNCONFINED = "Previews are off here: this system cannot keep them from writing files (see preview.unconfined)."


def take_on(environment: Environment, path: str) -> None:
    """The environment that a preview, a run and `hy FILE` in a terminal share.

    Raises `Unusable` where the working directory cannot be entered.
    """
    os.environ.update(environment.env)
    try:
        os.chdir(environment.cwd)
    except OSError as error:
        told = f"The working directory {environment.cwd} cannot be entered: {error.strerror}. See mino.run.cwd."
        raise Unusable(told) from error
    # Only now, after torch was imported: a file of the user's named like one of torch's modules must not hide it.
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path, *environment.args]


def look_only(environment: Environment, path: str, temporary: str) -> None:
    """Take an environment on as a preview does: without secrets, and with a folder of its own for what is temporary.

    Raises `Unusable` as `take_on` does.
    """
    take_on(environment, path)
    for name in list(os.environ):
        if any(part in _SECRET for part in name.upper().split("_")):
            del os.environ[name]
    os.environ.update(PREVIEW_ENVIRONMENT, TMPDIR=temporary)
    tempfile.tempdir = temporary
    sys.dont_write_bytecode = True


class Kept(io.FileIO):
    """A descriptor that remembers what is written to it while `keeping`."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.keeping = False
        self.kept = bytearray()

    def write(self, data: Any) -> int:
        if self.keeping:
            self.kept += data
        return super().write(data)


def keep_output() -> Kept:
    """Standard output anew, so that what a form prints can be told apart."""
    kept = Kept(1)
    buffer = io.BufferedWriter(kept)
    sys.stdout = io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return kept


def open_streams() -> None:
    """Python's streams anew on their descriptors: in UTF-8, and each line out as soon as it is printed."""
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
