"""The warden: has torch, hy and mino imported, and forks a disposable process for each job. It never runs user code.

One thread, one loop.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import time
from typing import Any, get_args

from mino_lsp.types import (
    Answer,
    CloseRequest,
    Credit,
    EvalRequest,
    ExpansionRequest,
    Failed,
    Finished,
    FrameReader,
    PreviewRequest,
    Request,
    StopRequest,
)
from mino_lsp.worker import greeting, linux
from mino_lsp.worker.contexts import Context, Contexts
from mino_lsp.worker.documents import Document, PreviewJob, key_of
from mino_lsp.worker.forked import Forked
from mino_lsp.worker.pipe import send

IDLE_SECONDS = 600.0
MOST_DOCUMENTS = 6
"""Of how many documents something is kept between their previews."""

SETTLED_SECONDS = 0.2
"""How long nothing is asked before the warden uses the time to import what only some programs need."""


class Warden:
    """The loop over the server's requests, the jobs' pipes and the ends of their processes. `stdin` is what runs
    read as their standard input, -1 for nothing."""

    def __init__(self, requests: int, answers: int, pure: bool, stdin: int) -> None:
        self._pure, self._stdin = pure, stdin
        self._requests, self._answers = requests, answers
        self._reader = FrameReader()
        self._selector = selectors.DefaultSelector()
        self._jobs: dict[int, Forked] = {}
        self._contexts = Contexts(self._start_context)
        self._documents: dict[str, Document] = {}
        self._waiting: dict[str, PreviewRequest] = {}
        self._open = True

    def serve(self) -> int:
        linux.adopt_orphans()
        waker, woken = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(waker, selectors.EVENT_READ, lambda: os.read(waker, 4096))
        self._selector.register(self._requests, selectors.EVENT_READ, self._read_requests)
        # What is alive now lives as long as the warden: the children share its pages for as long as nobody counts them.
        gc.collect()
        gc.freeze()
        idle_since = time.monotonic()
        warm = self._pure
        try:
            while self._open:
                if not warm and not self._busy() and not self._selector.select(SETTLED_SECONDS):
                    warm = True
                    greeting.warm_up_further()
                    # What was kept before would import it again and again.
                    for path in list(self._documents):
                        self._close(path)
                    gc.freeze()
                now = time.monotonic()
                idle_since = now if self._busy() else idle_since
                wakes = [idle_since + IDLE_SECONDS, *(job.next_deadline() for job in self._jobs.values())]
                for key, _ in self._selector.select(max(0.0, min(wakes) - now)):
                    if key.fd in self._selector.get_map():
                        key.data()
                        idle_since = time.monotonic()
                for number, job in list(self._jobs.items()):
                    self._attend(number, job)
                if not self._busy() and time.monotonic() - idle_since >= IDLE_SECONDS:
                    break
        except BrokenPipeError:
            pass  # the server is gone
        finally:
            for document in self._documents.values():
                document.end()
            for job in self._jobs.values():
                job.kill()
                job.wait()
            linux.end_strays(set())
        return 0

    def _read_requests(self) -> None:
        data = os.read(self._requests, 1 << 16)
        if not data:
            self._open = False
            return
        for message in self._reader.feed(data):
            self._take(message)

    def _take(self, message: Request) -> None:
        job = self._jobs.get(message.job)
        if isinstance(message, StopRequest):
            if job is not None:
                job.stop(message.grace)
            self._contexts.stop(message.job, message.grace)
            for request in [request for request in self._waiting.values() if request.job == message.job]:
                self._give_up(request)
        elif isinstance(message, CloseRequest):
            self._close(message.path)
            self._contexts.close(message.path)
        elif isinstance(message, Credit):
            if job is not None:
                job.credit(message.amount)
                self._watch(job)
        elif self._pure and not (isinstance(message, get_args(ExpansionRequest)) and message.pure):
            send(self._answers, Finished(message.job, Failed("This worker runs no code of a document.")))
        elif isinstance(message, get_args(ExpansionRequest)):
            self._contexts.ask(message)
        elif isinstance(message, PreviewRequest):
            self._preview(message)
        elif isinstance(message, EvalRequest):
            document = self._documents.get(message.path)
            going_on = document.go_on(message, self._answer) if document is not None else None
            self._begin(going_on or Forked.start(message, self._answer))
        else:
            self._begin(Forked.start(message, self._answer, self._stdin))

    def _answer(self, answer: Answer) -> None:
        send(self._answers, answer)

    def _begin(self, job: Forked) -> None:
        self._jobs[job.id] = job
        self._watch(job)

    # ---- previews

    def _preview(self, request: PreviewRequest) -> None:
        """Evaluate a document, once the evaluation of it that is under way has been stopped."""
        document = self._documents.get(request.path)
        if document is not None and document.job is not None:
            document.job.give_way()
            if request.path in self._waiting:
                self._give_up(self._waiting[request.path])
            self._waiting[request.path] = request
            return
        if document is not None and not (document.alive and document.key == key_of(request)):
            self._close(request.path)
        if request.path not in self._documents:
            idle = [path for path, known in self._documents.items() if known.job is None]
            if len(self._documents) >= MOST_DOCUMENTS and idle:
                self._close(min(idle, key=lambda path: self._documents[path].used))
            self._documents[request.path] = Document(request, self._selector)
        self._begin(self._documents[request.path].evaluate(request, self._answer))

    def _give_up(self, request: PreviewRequest) -> None:
        del self._waiting[request.path]
        self._answer(Finished(request.job, Failed("It was stopped.")))

    def _close(self, path: str) -> None:
        """End all that is kept of a document."""
        if path in self._waiting:
            self._give_up(self._waiting[path])
        document = self._documents.get(path)
        if document is not None and document.job is not None:
            document.job.give_way()
            document.forgotten = True
        elif document is not None:
            del self._documents[path]
            document.end()
            self._sweep()

    def _ended(self, job: PreviewJob) -> None:
        """What comes after a document's job: itself from nothing, where it is doubtful; else what waits for it."""
        path = job.request.path
        document = self._documents[path]
        document.job = None
        # What waits was asked for after the end of this one was, be it by closing the document: it is not given up.
        waiting = self._waiting.pop(path, None)
        doubtful = job.doubtful()
        evaluation = job.request if isinstance(job.request, EvalRequest) else None
        if (doubtful and evaluation is None) or document.forgotten or not document.alive:
            self._close(path)
        if doubtful and evaluation is not None:
            self._begin(Forked.start(evaluation, self._answer))
        elif doubtful and isinstance(job.request, PreviewRequest) and waiting is None:
            self._preview(job.request)
        else:
            job.finish()
        if waiting is not None:
            self._preview(waiting)

    def _busy(self) -> bool:
        return any(not isinstance(job, Context) or job.busy for job in self._jobs.values())

    def _start_context(self, request: ExpansionRequest) -> Context:
        context = Context.start(request, lambda answer: send(self._answers, answer))
        self._jobs[-context.pid] = context
        self._watch(context)
        return context

    def _watch(self, job: Forked) -> None:
        """Have the selector watch just those pipes of a job that may be read now."""
        wanted = job.readable()
        for descriptor in job.descriptors():
            watched = descriptor in self._selector.get_map()
            if descriptor in wanted and not watched:
                self._selector.register(descriptor, selectors.EVENT_READ, self._reading(job, descriptor))
            elif descriptor not in wanted and watched:
                self._selector.unregister(descriptor)

    def _reading(self, job: Forked, descriptor: int) -> Any:
        def read() -> None:
            if not job.read(descriptor):
                self._selector.unregister(descriptor)
                job.close(descriptor)
            self._watch(job)

        return read

    def _attend(self, number: int, job: Forked) -> None:
        """Enforce a job's deadlines, and bury it once its process has ended and all it wrote was read."""
        job.enforce()
        document = self._documents.get(job.request.path) if isinstance(job, PreviewJob) else None
        if document is not None:
            document.attend()
        if job.reap():
            if document is not None:
                document.sweep()
            self._sweep()
        if job.ended and not job.descriptors():
            del self._jobs[number]
            if isinstance(job, PreviewJob):
                self._ended(job)
            else:
                job.finish()
            if isinstance(job, Context):
                self._contexts.forget(job)

    def _sweep(self) -> None:
        jobs = {job.pid for job in self._jobs.values() if not job.ended}
        linux.end_strays(jobs | {document.pid for document in self._documents.values() if document.alive})
