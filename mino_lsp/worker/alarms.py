"""What Python says beside the exceptions that it raises, as problems at the document's expression: warnings, once for
each place, and what ended a thread.

A warning often tells more than an error would: torch's says when two sizes that differ are silently broadcast.
"""

from __future__ import annotations

import re
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mino_lsp.types import Change, Fix, Limits, Problem, Related, Span
from mino_lsp.worker import blame
from mino_lsp.worker.explain import Failure, Given, as_written, sizes
from mino_lsp.worker.failure import failure_of, related
from mino_lsp.worker.source import Source, Trace

if TYPE_CHECKING:
    from mino_lsp.worker.probe import Recorder

_OF_THIS_MACHINE = re.compile(r"CUDA is not available|no accelerator is found|CUDA initialization", re.I)
"""A preview uses no accelerator; a run would not be warned."""

_BROADCAST = re.compile(r"Using a target size \(.*\) that is different to the input size")


class Alarms:
    """Collects the warnings of the forms of one document, and what its threads failed at."""

    def __init__(self, source: Source, recorder: Recorder, limits: Limits) -> None:
        self.source = source
        self._recorder, self._limits = recorder, limits
        self._told: set[tuple[Span, str]] = set()
        self._waiting: list[Problem] = []

    def listen(self) -> None:
        """Hear what Python would show of a program by default, but each time: the place decides what was told."""
        warnings.resetwarnings()
        warnings.simplefilter("always")
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("always", category=DeprecationWarning, module="__main__")
        warnings.showwarning = self._hear
        threading.excepthook = self._hear_of_thread

    def take(self) -> tuple[Problem, ...]:
        """What was heard since the last time."""
        heard, self._waiting = tuple(self._waiting), []
        return heard

    def _hear(self, message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        frame, below = _caller(sys._getframe(1), self.source.path)
        span = self.source.frame_span(frame) if frame is not None else None
        text = str(message)
        if span is None or (span, category.__name__) in self._told or _OF_THIS_MACHINE.search(text):
            return
        self._told.add((span, category.__name__))
        failure = failure_of(text, span, Trace(frame, tuple(below)), self.source, self._recorder)
        if _BROADCAST.search(text) and len(failure.tensors) >= 2:
            self._waiting.append(_broadcast(failure, span))
        else:
            said = f"{category.__name__}: {as_written(text)}"
            self._waiting.append(Problem("warning", "warning", said, span))

    def _hear_of_thread(self, end: Any) -> None:
        """Python prints such an exception and goes on: what fails for it later would be taken for the cause."""
        error = end.exc_value
        if error is not None and not isinstance(error, SystemExit):
            nowhere = Span(0, 0)
            found = blame.problems(error, nowhere, self.source, self._recorder, self._limits)
            self._waiting += [problem for problem in found if problem.span != nowhere]


def _caller(frame: types.FrameType | None, path: str) -> tuple[types.FrameType | None, list[types.FrameType]]:
    """The innermost frame of the document, and those below it, outermost first."""
    below: list[types.FrameType] = []
    while frame is not None and frame.f_code.co_filename != path:
        below.insert(0, frame)
        frame = frame.f_back
    return frame, below


def _broadcast(failure: Failure, span: Span) -> Problem:
    """A loss of two sizes: each element of one meets each of the other."""
    prediction, target = failure.tensors[:2]
    whole = _together(prediction.shape, target.shape)
    message = (
        f"{failure.step} of {prediction.told()} and {target.told()} broadcasts both to {sizes(whole)}: "
        "each of one meets each of the other. Give both one shape."
    )
    told: tuple[Related, ...] = related(failure, span)
    return Problem("warning", "warning", message, span, told, tuple(_reshaped(prediction, target)))


def _together(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple(n if m == 1 else m for m, n in pairs)


def _reshaped(prediction: Given, target: Given) -> Iterator[Fix]:
    """The last dimension of size 1 that one has and the other lacks."""
    if not target.expression:
        return
    if prediction.shape == (*target.shape, 1):
        text = f"(.unsqueeze {target.text} -1)"
        yield Fix(f"Unsqueeze {target.name} to {sizes(prediction.shape)}", (Change(target.span, text),))
    elif target.shape == (*prediction.shape, 1):
        text = f"(.squeeze {target.text} -1)"
        yield Fix(f"Squeeze {target.name} to {sizes(prediction.shape)}", (Change(target.span, text),))
