"""One job of the warden's: what comes through its pipes, its deadlines, and how its end is told.

How its process is started, reached and waited for is another file's.
"""

from __future__ import annotations

import codecs
import os
import signal
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from mino_lsp.types import (
    Answer,
    EvalRequest,
    Evaluation,
    ExpandRequest,
    Facts,
    Failed,
    Finished,
    FormStarted,
    FrameReader,
    Limits,
    Output,
    PreviewRequest,
    PreviewResult,
    Problem,
    RanksFailed,
    Request,
    Result,
    RunRequest,
    RunResult,
    Span,
    Stream,
)
from mino_lsp.worker import blame, ranks
from mino_lsp.worker.deciding import unfinished
from mino_lsp.worker.stopping import STARTING_SECONDS

WINDOW = 256 * 1024
"""Characters of a run's output that may be under way to the editor before the warden stops reading."""

GRACE_SECONDS = 0.5
"""How long a session that reached a limit may take to say where it is."""

NEVER = float("inf")


class Job(ABC):
    """What the warden knows of a process that does a job. `answer` takes what the server should hear."""

    def __init__(self, request: Request, answer: Callable[[Answer], None]) -> None:
        self.id = request.job
        self.request = request
        self.ended = False
        self._answer = answer
        self._streams: dict[int, Stream | None] = {}
        self._rank_of: dict[int, int] = {}
        self._rank_frames: dict[int, FrameReader] = {}
        self._ranks: ranks.Ranks | None = None
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}
        self._frames = FrameReader()
        self._result: Result | None = None
        self._span = Span(0, 0)
        self._started = time.monotonic()
        self._evaluating_since = 0.0
        self._kill_at = NEVER
        self._limit = ""
        self._stopped = False
        self._stopped_at = 0.0
        self._printed = 0
        self._under_way = 0
        self._code = 0
        self._used = 0.0
        self._peak = 0
        self._limits = getattr(request, "limits", None)
        several = isinstance(request, RunRequest) and (request.nproc > 1 or bool(request.torchrun))
        self._scratch = tempfile.mkdtemp(prefix="mino-") if several else ""
        if several:
            self._ranks = ranks.Ranks(request.nproc)  # type: ignore[union-attr]

    def _open_ranks(self, count: int) -> tuple[int, ...]:
        """Read from the pipes of each rank too. Returns the ends that the job's process keeps open."""
        reading, writing = ranks.open_pipes(self._scratch, count)
        for descriptor, (rank, name) in reading.items():
            self._rank_of[descriptor] = rank
            self._streams[descriptor] = None if name == "messages" else name  # type: ignore[assignment]
            self._decoders[descriptor] = codecs.getincrementaldecoder("utf-8")("replace")
            self._rank_frames[descriptor] = FrameReader()
        return writing

    # ---- pipes

    def listen(self, messages: int, out: int, err: int) -> None:
        """Take these for the reading ends of its pipes."""
        self._streams |= {messages: None, out: "stdout", err: "stderr"}
        for descriptor in (out, err):
            self._decoders[descriptor] = codecs.getincrementaldecoder("utf-8")("replace")

    def descriptors(self) -> list[int]:
        """The pipes that are still open."""
        return list(self._streams)

    def readable(self) -> set[int]:
        """The pipes that may be read: not the output of a run that is too far ahead of the editor."""
        held = isinstance(self.request, RunRequest) and self._under_way >= WINDOW
        return {descriptor for descriptor, stream in self._streams.items() if stream is None or not held}

    def credit(self, amount: int) -> None:
        self._under_way -= amount

    def take(self, descriptor: int, data: bytes) -> bool:
        """Take what came through a pipe. False at its end."""
        stream = self._streams[descriptor]
        if stream is None:
            try:
                for message in self._rank_frames.get(descriptor, self._frames).feed(data):
                    self._hear(message, self._rank_of.get(descriptor))
            except ValueError:
                # The user's code wrote to a descriptor that is not its own: nothing more it says can be believed.
                self.kill()
                return False
        elif isinstance(self.request, RunRequest):
            text = self._decoders[descriptor].decode(data, final=not data)
            if text:
                self._under_way += len(text)
                self._answer(Output(self.id, stream, text, self._rank_of.get(descriptor)))
        else:
            self._printed += len(data)
            if self._limits and self._printed > self._limits.output:
                self._reach("output")
        return bool(data)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)
        del self._streams[descriptor]

    def _hear(self, message: Answer, rank: int | None = None) -> None:
        if self._ranks is not None and (rank is not None or isinstance(message, RanksFailed)):
            self._hear_rank(self._ranks, message, rank)
        elif isinstance(message, Finished):
            self._result = message.result
        else:
            if isinstance(message, FormStarted):
                self._evaluating_since = self._evaluating_since or time.monotonic()
                self._span = message.span
            self._answer(message)

    def _hear_rank(self, all_: ranks.Ranks, message: Answer, rank: int | None) -> None:
        if isinstance(message, RanksFailed):
            all_.failed(message)
        elif rank is not None:
            all_.hear(rank, message)
            if rank == 0 and isinstance(message, Facts):
                self._answer(message)

    # ---- limits and ends

    def next_deadline(self) -> float:
        return NEVER if self.ended else min(self._wall(), self._kill_at)

    def _wall(self) -> float:
        """When it will have taken too long. A preview's time begins with its first form: what its process imports
        before that is none of the user's code."""
        if not self._limits or self._limit:
            return NEVER
        wall: float = self._limits.wall
        if isinstance(self.request, PreviewRequest) and not self._evaluating_since:
            return self._started + wall + STARTING_SECONDS
        return (self._evaluating_since or self._started) + wall

    def enforce(self) -> None:
        now = time.monotonic()
        if self.ended:
            return
        if now >= self._wall():
            self._reach("time")
        if now >= self._kill_at:
            self._kill_at = NEVER
            self.kill()

    def _reach(self, limit: str) -> None:
        """Have the process say where it is, if the system has a signal for that, and end it."""
        if not self._limit and not self.ended:
            self._limit = limit
            number = blame.LIMIT_SIGNALS.get(limit)
            self._kill_at = time.monotonic() + (GRACE_SECONDS if number else 0.0)
            if number:
                self._signal(number, group=False)

    def stop(self, grace: float) -> None:
        """Interrupt, and kill after `grace` seconds. What has ended by itself was not stopped."""
        if self.ended or self._has_exited():
            return
        self._stopped = True
        self._stopped_at = time.monotonic()
        if grace > 0:
            self._signal(signal.SIGINT, group=True)
        self._kill_at = min(self._kill_at, time.monotonic() + grace)

    @abstractmethod
    def kill(self) -> None:
        """End the process and all of its group at once."""

    @abstractmethod
    def _has_exited(self) -> bool:
        """Whether the process is over, be it told of or not."""

    @abstractmethod
    def _signal(self, number: int, group: bool) -> None:
        """Send a signal to the process or to its group; nothing where it has just ended."""

    def finish(self) -> None:
        """Report the end. A process that did not finish is a finding, not an accident."""
        code = self._code
        seconds = time.monotonic() - self._started
        if isinstance(self.request, RunRequest):
            self._answer(Finished(self.id, self._run_result(code, seconds)))
        elif self._result is not None:
            self._answer(Finished(self.id, self._result))
        elif self._stopped:
            self._answer(Finished(self.id, Failed("It was stopped.")))
        else:
            self._finish_unfinished(code, seconds)

    def _finish_unfinished(self, code: int, seconds: float) -> None:
        limits = self._limits or Limits()
        limit = self._limit or ("cpu" if blame.is_cpu_limit(code) or self._used >= limits.cpu else "")
        problem = blame.limit(limit, self._span, limits) if limit else blame.crash(self._span, code)
        if isinstance(self.request, PreviewRequest):
            self._answer(Facts(self.id, (), (problem,)))
            self._answer(Finished(self.id, PreviewResult(seconds, self._span.end, problem.message, limit=limit)))
        elif isinstance(self.request, EvalRequest):
            self._answer(Finished(self.id, Evaluation("", "", None, "", (blame.of_evaluation(problem),))))
        elif isinstance(self.request, ExpandRequest):
            self._answer(Finished(self.id, unfinished(self.request, self._span, problem)))
        else:
            self._answer(Finished(self.id, Failed(blame.of_evaluation(problem).message)))

    def _run_result(self, code: int, seconds: float) -> RunResult | Failed:
        shell_code = code if code >= 0 else 128 - code
        told = self._result
        if self._ranks is not None and not isinstance(told, Failed):
            told = self._ranks.result(self._stopped, shell_code)
        if isinstance(told, Failed) and not self._stopped:
            return told
        unit = 1 if sys.platform == "darwin" else 1024
        peak = self._peak * unit
        result = told if isinstance(told, RunResult) else self._unreported()
        if self._stopped and 0 < result.at < self._stopped_at:
            # Its program had ended: what was interrupted is the end of its process.
            return replace(result, seconds=seconds, peak_memory=peak)
        if code < 0 and not self._stopped:
            result = replace(result, problems=(*result.problems, blame.crash(self._span, code)))
        return replace(result, exit_code=shell_code, seconds=seconds, peak_memory=peak, stopped=self._stopped)

    def _unreported(self) -> RunResult:
        """What is known of a program that told nothing: a command in front of it may have closed its pipe."""
        assert isinstance(self.request, RunRequest)
        problems: tuple[Problem, ...] = ()
        if self.request.prefix and not self._stopped:
            told = (
                f"The program did not report that it began behind {self.request.prefix[0]} (setting mino.run.prefix): "
                "only its output and its exit code are known, and nothing of its device."
            )
            problems = (Problem("run-unreported", "warning", told, Span(0, 0)),)
        return RunResult(self.request.device, 0, 0.0, 0, False, problems)
