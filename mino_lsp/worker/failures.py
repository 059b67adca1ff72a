"""What a run failed at, as a problem at its form: what a preview takes for a limit of its own is an error in a run."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import torch

from mino_lsp.types import Limits, Problem, Span
from mino_lsp.worker import blame
from mino_lsp.worker.source import Source

if TYPE_CHECKING:
    from mino_lsp.worker.probe import Recorder

_CPU = re.compile(r"you tried to allocate (\d+) bytes")
_DEVICE = re.compile(
    r"Tried to allocate ([\d.]+ \w+)\.(?: (.*?) has a total capacity of ([\d.]+ \w+) of which ([\d.]+ \w+))?"
)


def problems(error: BaseException, form: Span, source: Source, recorder: Recorder | None) -> tuple[Problem, ...]:
    """The problems that an exception of a run's program stands for. `form` is where, if nothing narrower is known."""
    span = blame.stopped_at(error, form, source)
    memory = out_of_memory(error)
    if memory:
        return (Problem("out-of-memory", "error", memory, span),)
    if isinstance(error, EOFError) and str(error) in ("", "EOF when reading a line"):  # at a terminal it says nothing
        return (Problem("run-input", "error", f"The program asked for input here, and {_no_input()}.", span),)
    if isinstance(error, (OSError, RuntimeError)):
        # A preview may not write; a run that may not either has a reason of its own.
        text = f"{type(error).__name__}: {error}".strip()
        refused = isinstance(error, PermissionError) or "Permission denied" in text
        if refused:
            return (Problem("exception", "error", text if text.endswith(".") else f"{text}.", span),)
    return blame.problems(error, form, source, recorder, Limits())


def _no_input() -> str:
    """Why there was none. What is run in an editor has the null device for its input, and so has every process but the
    first."""
    if int(os.environ.get("LOCAL_RANK", "0")):
        return "of several processes only number 0 has any"
    if os.path.samestat(os.fstat(0), os.stat(os.devnull)):
        return "its standard input is empty: a run in an editor has none, `mino run` in a terminal has the terminal's"
    return "there was none left"


def out_of_memory(error: BaseException) -> str:
    """A sentence that says what was being allocated; empty where memory did not run out."""
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError):
        found = _DEVICE.search(text)
        if not found:
            return f"The device ran out of memory here: {' '.join(text.split())}"
        size, name, total, free = found.groups()
        left = f"; {free} of the {total} of {name} were free" if name else ""
        return f"The device ran out of memory here: {size} were to be allocated{left}."
    if found := _CPU.search(text):
        return f"Memory ran out here: {_size(int(found[1]))} were to be allocated for a tensor{_free()}."
    if isinstance(error, MemoryError):
        what = f"{text[0].lower()}{text[1:]}" if text else "Python cannot tell for how much"
        return f"Memory ran out here: {what}{_free()}."
    return ""


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.4g} TB"


def _free() -> str:
    """How much memory there is left, on Linux."""
    if sys.platform != "linux":
        return ""
    with open("/proc/meminfo") as told:
        sizes = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in told}
    return f"; {_size(sizes.get('MemAvailable', 0))} of {_size(sizes['MemTotal'])} were free"
