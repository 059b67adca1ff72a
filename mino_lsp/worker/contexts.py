"""Warm processes for expansion: each has evaluated what decides the macros of a document above a place, and answers
for as long as that stays the same.

Such a process never expands anything itself. It keeps one child ready, which takes one request, answers it and ends:
every expansion starts from the same clean state, and none waits for a fork. What a child dies of, its parent dies of
too, and the warden reports it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from mino_lsp.types import (
    Answer,
    ExpandRequest,
    Expansion,
    ExpansionRequest,
    Failed,
    Finished,
    FormStarted,
    FrameReader,
    Limits,
    Span,
    SurveyRequest,
    frame,
)
from mino_lsp.worker import blame
from mino_lsp.worker.job import GRACE_SECONDS, NEVER, Job

MOST = 4
"""Contexts that wait for another request; the one that has waited longest goes first."""

IDLE_SECONDS = 120.0
SENDING_SECONDS = 0.02
"""How often a request that a process could not take at once is tried again."""

CLOSED_SECONDS = 0.2
"""How long a context whose document is closed may take for the answer that it is at. Its end is that of all that it
has evaluated, so it is worth a moment."""

_DECIDING = r"require|import|def(?:macro|reader)[^\s()\[\]]*|eval-and-compile|eval-when-compile|do-mac|pragma"
_DECIDES = re.compile(rf"\((?:{_DECIDING})[\s)]")
_DEFINES = re.compile(r"\((?:def|setv\s|fn\s)")
_MACRO = re.compile(r"\(defmacro[^\s()\[\]]*\s+([^\s()\[\]]+)")

Key = tuple[Any, ...]


def deciding(text: str, forms: tuple[Span, ...], before: int) -> tuple[Span, ...]:
    """The top-level forms above an offset that may decide what a macro call below means: those that require or define
    macros, be it in a `do`, and the calls of macros that this text defines."""
    found: list[Span] = []
    own: set[str] = set()
    for span in forms:
        if span.end > before:
            break
        form = text[span.start : span.end]
        head = head_of(form)
        if _DECIDES.match(form) or head in own or (_DECIDES.search(form) and not _DEFINES.match(form)):
            found.append(span)
            own.update(_MACRO.findall(form))
    return tuple(found)


def head_of(form: str) -> str:
    """The head of a form that is a call, empty of another."""
    return (form[1:].split(None, 1) or [""])[0].rstrip(")") if form.startswith("(") else ""


def is_evaluated(form: str) -> bool:
    """Whether a form that decides is executed too, not compiled only."""
    return _DECIDES.match(form) is not None


def start_of(request: ExpansionRequest) -> int:
    """The start of the first top-level form that a request is about."""
    if isinstance(request, SurveyRequest):
        return request.wanted[0].start if request.wanted else 0
    at = request.offset if isinstance(request, ExpandRequest) else request.span.start
    return next((span.start for span in request.forms if span.start <= at <= span.end), at)


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
            request = _receive(channel)
            if request is None:
                os._exit(0)
            resource.setrlimit(resource.RLIMIT_CPU, (first.limits.cpu, first.limits.cpu + 1))
            _send(channel, Finished(request.job, answer(request, context, lambda told: _send(channel, told))))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            signal.signal(-code, signal.SIG_DFL)
            os.kill(parent, -code)
        if code != 0 or _at_end(channel):
            os._exit(abs(code))


def _receive(channel: int) -> Any:
    """The next request, and not a byte of the one after it; None at the end."""
    head = _exactly(channel, 4)
    if not head:
        return None
    return FrameReader().feed(head + _exactly(channel, int.from_bytes(head, "big")))[0]


def _exactly(channel: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = os.read(channel, count - len(data))
        if not more:
            return b""
        data += more
    return data


def _at_end(channel: int) -> bool:
    end = socket.socket(fileno=os.dup(channel))
    try:
        return end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    finally:
        end.close()


def _send(channel: int, message: Any) -> None:
    data = frame(message)
    while data:
        data = data[os.write(channel, data) :]


# ---- in the warden


class Context(Job):
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

    def _reach(self, limit: str, number: int) -> None:
        if not self._limit:
            self._limit = limit
            self._kill_at = time.monotonic() + GRACE_SECONDS

    def finish(self) -> None:
        """Answer what it was at; the end of one that was idle is nobody's concern."""
        code = os.waitstatus_to_exitcode(self._status)
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
        limit = self._limit or ("cpu" if code == -signal.SIGXCPU else "")
        problem = blame.limit(limit, self._span, limits) if limit else blame.crash(self._span, code)
        text = request.text[self._span.start : self._span.end]
        return Expansion(head_of(text), self._span, text, (), (for_expansion(problem),))


_STOPPED = Failed("It was stopped.")


def for_expansion(problem: Any) -> Any:
    """A problem of a preview's in the words of an expansion."""
    told = problem.message.replace("The preview", "The expansion").replace(" Nothing below was evaluated.", "")
    told = re.sub(r"\Aexpanding macro (\S+)\s+", r"The macro `\1` raised ", told)
    return replace(problem, message=told.replace("The program", "A macro"))


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
