"""Example inputs: what `(mino/live …)` gives a model, and what the specs of its components make where nothing does.

They are evaluated in a fork of the session, so that what follows in the document is as in a run, which evaluates none.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import hy
from hy.models import Expression, Symbol

from mino_lsp.types import Span
from mino_lsp.worker.source import Source

_SEED = 0
"""The same example each time: shapes that change while one types would be noise."""


def live(form: Any, module: types.ModuleType) -> tuple[Any, ...] | None:
    """The arguments of a `(mino/live …)`; None where `form` is anything else."""
    if not isinstance(form, Expression) or not form or form[0] != Symbol("mino/live"):
        return None
    macro = vars(module).get("_hy_macros", {}).get(hy.mangle("mino/live"))
    return tuple(form[1:]) if getattr(macro, "__module__", None) == "mino.mu" else None


def apart(work: Callable[[int], None], hear: Callable[[bytes], None]) -> int:
    """Do `work` in a fork of this process; it is given a descriptor, and `hear` what it writes there. Returns the exit
    code of the fork, negative for a signal, as `subprocess` does."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            work(writing)
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    process = os.pidfd_open(pid)
    ended = 0
    try:
        # Until it ends, and not until the pipe is closed: what it has started may hold that open.
        os.set_blocking(reading, False)
        waiting = True
        while waiting:
            waiting = process not in select.select([reading, process], [], [])[0]
            with contextlib.suppress(BlockingIOError):
                while data := os.read(reading, 1 << 16):
                    hear(data)
        ended, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    finally:
        os.close(reading)
        os.close(process)
        if not ended:  # a limit was reached, and told to the process that the warden knows: this one
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def uncalled(module: types.ModuleType, source: Source, reached: Callable[[Span], bool]) -> Iterator[tuple[Any, Span]]:
    """The classes of mus of the document that nothing called, and whose components all have specs; with the place of
    what the procedure returns. `reached` says whether a value passed at just this place."""
    from mino import Mu

    for kind in list(vars(module).values()):
        if not isinstance(kind, type) or not issubclass(kind, Mu) or kind.__specs__ is None:
            continue
        code = kind.__dict__["forward"].__code__ if "forward" in kind.__dict__ else None
        specified = {name for name, _, _ in kind.__specs__.specs}
        if code is None or code.co_filename != source.path or not specified.issuperset(kind.__components__):
            continue
        places = _places(code, source)
        if places and not any(map(reached, places)):
            yield kind, places[-1]


def components(kind: Any) -> dict[str, Any]:
    """A value for each component of a mu, as its specs make them. Raises what a generator raises, or its absence."""
    from mino.specs.construction import Making, made

    making = Making(random.Random(_SEED))
    return {key: made(one, making) for _, key, one in kind.__specs__.specs}


def _places(code: types.CodeType, source: Source) -> list[Span]:
    """Where the parts of a procedure stand; not those that the macro made, which stand at its opening parenthesis."""
    spans = [
        source.code_span(line, end_line, column, end_column)
        for line, end_line, column, end_column in code.co_positions()
        if line is not None and end_line is not None and column is not None and end_column is not None
    ]
    return [span for span in spans if source.text[span.start : span.end] not in ("", "(")]
