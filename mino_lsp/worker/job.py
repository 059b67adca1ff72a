"""One job of the warden's: a forked process, its pipes, its deadlines, and how it ends."""

from __future__ import annotations

import codecs
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from mino_lsp.types import (
    Answer,
    EvalRequest,
    Evaluation,
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
from mino_lsp.worker import blame, child, ranks

WINDOW = 256 * 1024
"""Characters of a run's output that may be under way to the editor before the warden stops reading."""

GRACE_SECONDS = 0.5
"""How long a session that reached a limit may take to say where it is."""

NEVER = float("inf")


class Job:
    """A process and what the warden knows of it. `answer` takes what the server should hear."""

    def __init__(self, request: Request, answer: Callable[[Answer], None]) -> None:
        self.id = request.job
        self.request = request
        self.pid = 0
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
        self._kill_at = NEVER
        self._limit = ""
        self._stopped = False
        self._stopped_at = 0.0
        self._printed = 0
        self._under_way = 0
        self._status = 0
        self._used = 0.0
        self._peak = 0
        self._limits = getattr(request, "limits", None)
        several = isinstance(request, RunRequest) and (request.nproc > 1 or bool(request.torchrun))
        self._scratch = tempfile.mkdtemp(prefix="mino-") if several else ""
        if several:
            self._ranks = ranks.Ranks(request.nproc)  # type: ignore[union-attr]

    @classmethod
    def start(cls, request: Request, answer: Callable[[Answer], None]) -> Self:
        """Do `request` in a fork of this process."""
        job = cls(request, answer)
        if job._limits:
            job._scratch = tempfile.mkdtemp(prefix="mino-")
        messages, out, err = cls.channel(), os.pipe(), os.pipe()
        writing = job._open_ranks(request.nproc) if job._ranks and isinstance(request, RunRequest) else ()
        parent = os.getpid()
        # An interrupt waits until the child is one: before that it would take the warden's course.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        job.pid = os.fork()
        if job.pid == 0:
            child.enter(request, messages[1], out[1], err[1], parent, job._scratch, writing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for descriptor in (*writing, messages[1], out[1], err[1]):
            os.close(descriptor)
        job.listen(messages[0], out[0], err[0])
        return job

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

    @classmethod
    def channel(cls) -> tuple[int, int]:
        """What the job's messages come through: its end and the process's."""
        return os.pipe()

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

    def read(self, descriptor: int) -> bool:
        """Take what a pipe holds. False at its end."""
        stream = self._streams[descriptor]
        try:
            data = self._receive(descriptor) if stream is None else os.read(descriptor, 1 << 16)
        except ConnectionResetError:
            return False  # its process ended before it had read all that it was told
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
                self._reach("output", blame.LIMIT_SIGNALS["output"])
        return bool(data)

    def _receive(self, descriptor: int) -> bytes:
        return os.read(descriptor, 1 << 16)

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
        wall = self._started + self._limits.wall if self._limits and not self._limit else NEVER
        return NEVER if self.ended else min(wall, self._kill_at)

    def enforce(self) -> None:
        now = time.monotonic()
        if self.ended:
            return
        if self._limits and now >= self._started + self._limits.wall:
            self._reach("time", blame.LIMIT_SIGNALS["time"])
        if now >= self._kill_at:
            self._kill_at = NEVER
            self.kill()

    def _reach(self, limit: str, number: int) -> None:
        if not self._limit and not self.ended:
            self._limit = limit
            self._kill_at = time.monotonic() + GRACE_SECONDS
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

    def kill(self) -> None:
        self._signal(signal.SIGKILL, group=True)
        self._signal(signal.SIGKILL, group=False)

    def _signal(self, number: int, group: bool) -> None:
        if self.ended:
            return
        # It may have just ended, or not yet made its group.
        with contextlib.suppress(ProcessLookupError):
            if group:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, number)
                    return
            os.kill(self.pid, number)

    def wait(self) -> None:
        """Block until the process has ended: only after it was killed."""
        if not self.ended:
            _, self._status, usage = os.wait4(self.pid, 0)
            self._used, self._peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
            self.ended = True
        shutil.rmtree(self._scratch, ignore_errors=True)

    def reap(self) -> bool:
        """True when the process was found to have ended just now. What is left of its group ends first."""
        if self.ended or not self._has_exited():
            return False
        self._signal(signal.SIGKILL, group=True)
        self.wait()
        return True

    def _has_exited(self) -> bool:
        # Left unburied, so that its number, which is its group's too, belongs to nobody else yet.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def finish(self) -> None:
        """Report the end. A process that did not finish is a finding, not an accident."""
        code = os.waitstatus_to_exitcode(self._status)
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
        limit = self._limit or ("cpu" if code == -signal.SIGXCPU or self._used >= limits.cpu else "")
        problem = blame.limit(limit, self._span, limits) if limit else blame.crash(self._span, code)
        if isinstance(self.request, PreviewRequest):
            self._answer(Facts(self.id, (), (problem,)))
            self._answer(Finished(self.id, PreviewResult(seconds, self._span.end, problem.message, limit=limit)))
        elif isinstance(self.request, EvalRequest):
            self._answer(Finished(self.id, Evaluation("", "", None, "", (blame.of_evaluation(problem),))))
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
