"""Code that may never end: interrupted after a while, so that what does not depend on it goes on. What does not let
itself be interrupted, as a loop in C, reaches the limits of its process.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType

from mino_lsp.types import Limits

SHARE = 0.8
"""Of what is left of the limits, for one piece of code: importing a large package takes most of them."""


class GivenUp(BaseException):
    """It took too long; the text says how long it went on. No `Exception`: those are what user code catches."""

    raised = False
    """Whether that has ever happened in this process, which may have left anything half done."""


class Patience:
    """What several pieces of code may use together. Each may use most of what those before it left."""

    def __init__(self, limits: Limits) -> None:
        self._cpu, self._wall = float(limits.cpu), limits.wall

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """Interrupts what is done within it with `GivenUp`, wherever that is; where the system has timers for that."""
        if not hasattr(signal, "setitimer"):
            yield
            return
        began, began_cpu = time.monotonic(), time.process_time()
        cpu, wall = SHARE * self._cpu, SHARE * self._wall
        told = {
            signal.SIGPROF: f"it had used {cpu:.1f} s of CPU time",
            signal.SIGALRM: f"it had taken {wall:.1f} s",
        }

        def give_up(number: int, frame: FrameType | None) -> None:
            GivenUp.raised = True
            raise GivenUp(told[signal.Signals(number)])

        before = {number: signal.signal(number, give_up) for number in told}
        signal.setitimer(signal.ITIMER_PROF, cpu)
        signal.setitimer(signal.ITIMER_REAL, wall)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)
            # Never nothing, which a timer would take for no limit.
            self._cpu = max(0.01, self._cpu - (time.process_time() - began_cpu))
            self._wall = max(0.01, self._wall - (time.monotonic() - began))
