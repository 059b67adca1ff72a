"""Warm processes for expansion: each has evaluated what decides the macros of a document above a place, and answers
for as long as that stays the same.

Such a process never expands anything itself. It keeps one child ready, which takes one request, answers it and ends:
every expansion starts from the same clean state, and none waits for a fork. What a child dies of, its parent dies of
too, and the warden reports it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from mino_lsp.types import (
    Answer,
    ExpandRequest,
    Expansion,
    ExpansionRequest,
    Failed,
    Finished,
    FormStarted,
    Limits,
    Span,
    frame,
)
from mino_lsp.worker import blame
from mino_lsp.worker.deciding import deciding, start_of, unfinished
from mino_lsp.worker.forked import Forked
from mino_lsp.worker.job import GRACE_SECONDS, NEVER
from mino_lsp.worker.pipe import receive, send

MOST = 4
"""Contexts that wait for another request; the one that has waited longest goes first."""

IDLE_SECONDS = 120.0
SENDING_SECONDS = 0.02
"""How often a request that a process could not take at once is tried again."""

CLOSED_SECONDS = 0.2
"""How long a context whose document is closed may take for the answer that it is at. Its end is that of all that it
has evaluated, so it is worth a moment."""

Key = tuple[Any, ...]


def key_of(request: ExpansionRequest) -> Key:
    """Requests with one key are answered from one context."""
    above = deciding(request.text, request.forms, start_of(request))
    environment = request.environment
    place = (environment.cwd, environment.args, tuple(sorted(environment.env.items())), request.unconfined)
    files = (request.stamp, request.root, request.texts)
    forms = tuple(request.text[span.start : span.end] for span in above)
    return (request.path, request.pure, files, place, request.limits, forms)


# ---- in the context's processes


def serve(first: ExpansionRequest, channel: int, evaluate: Callable[[], Any], answer: Callable[..., Any]) -> NoReturn:
    """Evaluate the context once, then have a new child answer each request that comes, until there are no more."""
    import gc
    import resource

    context = evaluate()
    gc.collect()
    gc.freeze()
    while True:
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            from mino_lsp.worker import linux

            linux.die_with_parent(parent, signal.SIGKILL)
            context.warm_up()
            request = receive(channel)
            if request is None:
                os._exit(0)
            resource.setrlimit(resource.RLIMIT_CPU, (first.limits.cpu, first.limits.cpu + 1))
            send(channel, Finished(request.job, answer(request, context, lambda told: send(channel, told))))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            signal.signal(-code, signal.SIG_DFL)
            os.kill(parent, -code)
        if code != 0 or _at_end(channel):
            os._exit(abs(code))


def _at_end(channel: int) -> bool:
    end = socket.socket(fileno=os.dup(channel))
    try:
        return end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    finally:
        end.close()


# ---- in the warden


class Context(Forked):
    """A context's process as the warden knows it: a job that takes request after request."""

    @classmethod
    def channel(cls) -> tuple[int, int]:
        ours, theirs = socket.socketpair()
        return ours.detach(), theirs.detach()

    def __init__(self, request: ExpansionRequest, answer: Callable[[Answer], None]) -> None:
        super().__init__(request, answer)
        self._waiting: deque[ExpansionRequest] = deque()
        self._current: ExpansionRequest | None = None
        self._asked = NEVER
        self._unsent = b""
        self._leaving = False
        self._dismissed = False
        self.idle_since = time.monotonic()

    @property
    def leaving(self) -> bool:
        """Whether it will answer nothing more."""
        return self.ended or self._leaving

    @property
    def busy(self) -> bool:
        return self._current is not None

    def ask(self, request: ExpansionRequest) -> None:
        self._dismissed = False
        self._waiting.append(request)
        self._next()

    def dismiss(self) -> None:
        """Nothing more will be asked, and what was asked is wanted no more."""
        self._dismissed = True
        for request in [*self._waiting, *([self._current] if self._current is not None else [])]:
            self.give_up(request.job, CLOSED_SECONDS)

    def concerns(self, job: int) -> bool:
        return any(one.job == job for one in (self._current, *self._waiting) if one is not None)

    def give_up(self, job: int, grace: float) -> None:
        """The answer to one request is wanted no more: it is not begun, or stopped after `grace` seconds."""
        for request in [one for one in self._waiting if one.job == job]:
            self._waiting.remove(request)
            self._answer(Finished(job, _STOPPED))
        if self._current is not None and self._current.job == job and not self._limit:
            self._stopped = True
            self._kill_at = min(self._kill_at, time.monotonic() + grace)

    def left(self) -> list[ExpansionRequest]:
        """What it was asked and never began."""
        return list(self._waiting)

    def _next(self) -> None:
        if self._current is None and self._waiting and not self.ended:
            self._current = self._waiting.popleft()
            self._span = Span(start_of(self._current), start_of(self._current))
            self._asked = time.monotonic()
            self._unsent = frame(self._current)
            self._send_on()
        self.idle_since = time.monotonic()

    def _send_on(self) -> None:
        """Send what the process takes without waiting for it: it may be evaluating yet."""
        channel = next((one for one, stream in self._streams.items() if stream is None), None)
        if channel is None or not self._unsent:
            return
        gone = (BlockingIOError, BrokenPipeError, ConnectionResetError)
        with contextlib.suppress(*gone), socket.socket(fileno=os.dup(channel)) as end:
            while self._unsent:
                self._unsent = self._unsent[end.send(self._unsent, socket.MSG_DONTWAIT) :]

    def _hear(self, message: Answer, rank: int | None = None) -> None:
        if isinstance(message, FormStarted):
            self._span = message.span
        elif isinstance(message, Finished) and self._current is not None:
            self._answer(Finished(self._current.job, message.result))
            self._current = None
            if self._stopped:
                self._stopped, self._kill_at = False, NEVER
            self._next()

    def next_deadline(self) -> float:
        limits = self._limits or Limits()
        wall = self._asked + limits.wall if self.busy and not self._limit else NEVER
        idle = NEVER if self.busy else self._idle_until()
        sending = time.monotonic() + SENDING_SECONDS if self._unsent else NEVER
        return NEVER if self.ended else min(wall, idle, sending, self._kill_at)

    def enforce(self) -> None:
        now = time.monotonic()
        limits = self._limits or Limits()
        if self.ended:
            return
        self._send_on()
        if self.busy and not self._limit and now >= self._asked + limits.wall:
            self._limit = "time"
            self._kill_at = now
        if now >= self._kill_at or (not self.busy and now >= self._idle_until()):
            self._kill_at = NEVER
            self._leaving = True
            self.kill()

    def _idle_until(self) -> float:
        return self.idle_since + (0.0 if self._dismissed else IDLE_SECONDS)

    def _reach(self, limit: str) -> None:
        if not self._limit:
            self._limit = limit
            self._kill_at = time.monotonic() + GRACE_SECONDS

    def finish(self) -> None:
        """Answer what it was at; the end of one that was idle is nobody's concern."""
        code = self._code
        request = self._current
        if request is None:
            return
        if self._stopped or not isinstance(request, ExpandRequest):
            self._answer(Finished(request.job, _STOPPED))
        else:
            self._answer(Finished(request.job, self._unfinished(request, code)))

    def _unfinished(self, request: ExpandRequest, code: int) -> Expansion:
        """A macro that did not come to an end is a problem at its call."""
        limits = self._limits or Limits()
        limit = self._limit or ("cpu" if blame.is_cpu_limit(code) else "")
        problem = blame.limit(limit, self._span, limits) if limit else blame.crash(self._span, code)
        return unfinished(request, self._span, problem)


_STOPPED = Failed("It was stopped.")


class Contexts:
    """The contexts of a warden. `start` starts a process for one, `answer` takes what the server should hear."""

    def __init__(self, start: Callable[[ExpansionRequest], Context]) -> None:
        self._start = start
        self._contexts: dict[Key, Context] = {}

    def ask(self, request: ExpansionRequest) -> None:
        """Have a request answered by the context that fits, which becomes the last to go."""
        key = key_of(request)
        context = self._contexts.pop(key, None)
        if context is None or context.leaving:
            context = self._start(request)
        self._contexts[key] = context
        context.ask(request)
        idle = [one for one, context in self._contexts.items() if not context.busy]
        for old in idle[: max(0, len(self._contexts) - MOST)]:
            self._contexts.pop(old).kill()

    def close(self, path: str) -> None:
        """End what answers requests about a document that is closed."""
        for key, context in self._contexts.items():
            if key[0] == path:
                context.dismiss()

    def stop(self, job: int, grace: float) -> None:
        """The answer to a request is wanted no more."""
        for context in self._contexts.values():
            if context.concerns(job):
                context.give_up(job, grace)

    def forget(self, context: Context) -> None:
        """A context has ended: what it was asked and did not begin is begun anew."""
        self._contexts = {key: one for key, one in self._contexts.items() if one is not context}
        for request in context.left():
            self.ask(request)
