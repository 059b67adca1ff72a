"""How a job is stopped at a limit, wherever the user's code is, and from when its CPU time counts.

What Mino itself does before, as torch's fake tensors take a second when they are needed first, is not the user's: it is
not interrupted, and its time is not taken from them.
"""

from __future__ import annotations

import signal

from mino_lsp.worker import blame

STARTING_SECONDS = 60
"""Time that a job may use, and take, before the user's code begins, beside that which is theirs."""


class Stopped(BaseException):
    """A limit was reached, which the text names: raised by a signal's handler wherever the user's code is."""

    raised = False
    """Whether that has ever happened in this process, which may have left anything half done."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        Stopped.raised = True


reached: list[Stopped] = []
"""What was raised: code that catches everything, or that nobody called, as `__del__`, loses it."""


def prepare() -> None:
    """From here on a limit that is reached is noted, and interrupts nothing."""
    _handle(_note)


def begin(seconds: int) -> float:
    """The user's code begins, with so many seconds of CPU time. Returns those that were used before."""
    _handle(_stop)
    try:
        import resource
    except ImportError:
        return 0.0
    before = resource.getrusage(resource.RUSAGE_SELF)
    used = before.ru_utime + before.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = max(1, round(used + seconds))
    # Who ignores the signal is killed soon after; not where the process is used again, which has no such limit.
    most = hard if hard == resource.RLIM_INFINITY else min(soft + 1, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, most), most))
    return used


def _handle(handler: object) -> None:
    for number in blame.LIMIT_SIGNALS.values():
        signal.signal(number, handler)  # type: ignore[arg-type]


def _note(number: int, frame: object) -> None:
    reached.append(Stopped(next(name for name, limit in blame.LIMIT_SIGNALS.items() if limit == number)))


def _stop(number: int, frame: object) -> None:
    _note(number, frame)
    raise reached[-1]
