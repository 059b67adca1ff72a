"""The processes of a run on several: named pipes to each, and one result of all of theirs.

Torch's launcher closes every descriptor that it does not know, so a rank finds its pipes by name, in a folder of the
run's own that goes with it.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace

from mino_lsp.types import Failed, Finished, FormStarted, Problem, RanksFailed, RunResult, Span
from mino_lsp.worker import blame

NAMES = ("messages", "stdout", "stderr")


def path(folder: str, rank: int, name: str) -> str:
    return os.path.join(folder, f"{rank}.{name}")


def open_pipes(folder: str, count: int) -> tuple[dict[int, tuple[int, str]], tuple[int, ...]]:
    """Make the pipes of `count` ranks: the ends to read, by descriptor with rank and name, and the ends to write.

    Whoever starts the ranks keeps the latter open, so that no pipe ends before the last of them does.
    """
    reading, writing = {}, []
    for rank in range(count):
        for name in NAMES:
            os.mkfifo(path(folder, rank, name), 0o600)
            descriptor = os.open(path(folder, rank, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.set_blocking(descriptor, True)
            reading[descriptor] = (rank, name)
            writing.append(os.open(path(folder, rank, name), os.O_WRONLY | os.O_CLOEXEC))
    return reading, tuple(writing)


class Ranks:
    """What the ranks of one run said."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._results: dict[int, RunResult | Failed] = {}
        self._ended: set[int] = set()
        self._at: dict[int, Span] = {}
        self._failures: tuple[tuple[int, int], ...] = ()

    def hear(self, rank: int, message: object) -> None:
        if isinstance(message, FormStarted):
            self._at[rank] = message.span
        elif isinstance(message, Finished) and isinstance(message.result, (RunResult, Failed)):
            self._results[rank] = message.result
            if isinstance(message.result, Failed) or message.result.at:
                self._ended.add(rank)

    def failed(self, message: RanksFailed) -> None:
        self._failures = message.failures

    def result(self, stopped: bool, code: int) -> RunResult | Failed | None:
        """The result of all, with the first cause of a failure; None where no rank came up and another reason is
        known (an exit code, or that the run was stopped)."""
        refused = [result for result in self._results.values() if isinstance(result, Failed)]
        if refused:
            return refused[0]
        came_up = {rank: result for rank, result in self._results.items() if isinstance(result, RunResult)}
        if len(came_up) < self._count and not stopped and not code:
            return Failed(_too_few(self._count, len(came_up)))
        if not came_up:
            return None
        problems = () if stopped else self._first_cause(came_up)
        devices = [came_up[rank].device for rank in sorted(came_up)]
        first = came_up[min(came_up)]
        peak = max(result.device_peak for result in came_up.values())
        return replace(first, device=", ".join(dict.fromkeys(devices)), device_peak=peak, problems=problems)

    def _first_cause(self, came_up: dict[int, RunResult]) -> tuple[Problem, ...]:
        """A rank that was killed comes first: it could not say so, and what others then met follows from it. Then
        whoever ended first with a problem."""
        ends = (-signal.SIGTERM, -signal.SIGINT)
        for rank, code in self._failures:
            if rank not in self._ended and code not in ends:
                return (_of(rank, blame.crash(self._at.get(rank, Span(0, 0)), code)),)
        failed = sorted((result.at, rank) for rank, result in came_up.items() if result.problems and result.at)
        errors = [rank for _, rank in failed if any(problem.severity == "error" for problem in came_up[rank].problems)]
        if errors:
            return tuple(_of(errors[0], problem) for problem in came_up[errors[0]].problems)
        return came_up[failed[0][1]].problems if failed else ()


def _too_few(asked: int, came: int) -> str:
    there = "none came up" if came == 0 else f"only {came} came up"
    return (
        f"{asked} processes were asked for and {there}, although the launcher ended without an error: look at "
        "mino.run.prefix and mino.run.torchrun."
    )


def _of(rank: int, problem: Problem) -> Problem:
    return replace(problem, message=f"Process {rank}: {problem.message}")
