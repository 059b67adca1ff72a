"""From an exception to a problem at the narrowest place that explains it.

A frame of the document's wins over torch's or ours; a broken spec is blamed on the expression that made the component;
what a preview refused or ran out of is no error of the user's.
"""

from __future__ import annotations

import errno
import signal
import types
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mino_lsp.types import Limits, Problem, Related, Span
from mino_lsp.worker.explain import Failure, as_written, explain
from mino_lsp.worker.layout import end_of_form
from mino_lsp.worker.source import Source, Sources, Trace

if TYPE_CHECKING:
    from mino_lsp.worker.probe import Recorder


LIMIT_SIGNALS: dict[str, int] = {
    limit: getattr(signal, name)
    for limit, name in (("cpu", "SIGXCPU"), ("time", "SIGALRM"), ("output", "SIGXFSZ"))
    if hasattr(signal, name)
}
"""How a session is told which limit it reached. It has a moment to say where it is; then it is killed. A system without
such signals kills it at once."""


class Unreadable(Exception):
    """Hy's reader could not read on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def unreadable(error: SyntaxError, source: Source) -> Problem:
    """Why the reader gave up."""
    at = source.offset(error.lineno or 1, error.offset or 1)
    return Problem("syntax", "error", _sentence(error.msg), Span(at, min(at + 1, len(source.text))))


def problems(
    error: BaseException, form: Span, source: Source, recorder: Recorder | None, limits: Limits
) -> tuple[Problem, ...]:
    """The problems that an exception of the user's code stands for. `form` is where, if nothing narrower is known."""
    # Only here: the warden loads this module before it knows whether there is a torch.
    from mino import SpecError
    from mino_lsp.worker.failure import failure_of, related
    from mino_lsp.worker.misnamed import wrong_name

    span, trace = _narrowest(error, form, source)
    if isinstance(error, SpecError):
        return tuple(_broken_spec(problem, span, source, recorder) for problem in error.problems)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return (limit("memory", span, limits),)
    if _refused(error):
        message = "The preview stopped here: it may not write files, connect, or start programs. A run may."
        return (Problem("preview-refused", "hint", message, span),)
    if isinstance(error, EOFError) and "reading a line" in str(error):
        return (Problem("preview-input", "hint", "The preview stopped here: it has no standard input.", span),)
    if recorder is not None and recorder.on_shapes:
        from mino_lsp.worker.beyond import is_beyond

        if is_beyond(error):
            return (Problem("preview-shapes", "information", _ON_SHAPES, span),)
    if trace.below and _is_resolving(trace.below[-1]):
        return (Problem("missing-component", "error", _sentence(str(error)), span),)
    misnamed = wrong_name(error, span, trace, source)
    if misnamed is not None:
        return (misnamed,)
    if recorder is None:
        return (Problem("exception", "error", _exception_text(error), span),)
    failure = failure_of(str(error), span, trace, source, recorder)
    told = related(failure, span)
    explained = explain(failure) if isinstance(error, _TORCH_RAISES) and _of_torch(trace, failure) else None
    # A call that Python or torch does not take at all is no matter of shapes, whatever words it is told in.
    if explained is not None and not (isinstance(error, TypeError) and explained.code == "shape"):
        return (Problem(explained.code, "error", explained.message, span, told, explained.fixes),)
    return (Problem("exception", "error", _exception_text(error), span, told),)


_ON_SHAPES = (
    "The preview stopped here: with values, the program takes too long for it, and without them torch cannot do this. "
    "A run may."
)

_TORCH_RAISES = (RuntimeError, ValueError, IndexError, AssertionError, TypeError)


def _of_torch(trace: Trace, failure: Failure) -> bool:
    """Whether it was torch that refused what it was given here: below are frames of its own only, and ours that claim
    devices; or none, at an operator on tensors."""
    if trace.below:
        packages = {str(frame.f_globals.get("__name__", "")).partition(".")[0] for frame in trace.below}
        return packages <= {"torch", "mino_lsp"}
    return bool(failure.tensors) or failure.of_torch


def elsewhere(error: BaseException, sources: Sources) -> tuple[str, Problem] | None:
    """The file that the document imported and the problem there, where an exception came from one. The problem's span
    is of that file."""
    from hy.errors import HyLanguageError

    uncompiled = sources.of_path(getattr(error, "filename", None) or "")
    if uncompiled is not None and uncompiled.base and isinstance(error, (SyntaxError, HyLanguageError)):
        start = uncompiled.offset(error.lineno or 1, error.offset or 1)
        span = Span(start, min(start + 1, len(uncompiled.text)))
        return _there(error, uncompiled, _compile_time(error, uncompiled) or span.shift(uncompiled.base))
    frames: list[types.TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    for trace in reversed(frames):
        source = sources.of_path(trace.tb_frame.f_code.co_filename)
        if source is not None:
            place = source.frame_span(trace.tb_frame, trace.tb_lasti)
            return None if source.base == 0 or place is None else _there(error, source, place)
    return None


def _there(error: BaseException, source: Source, span: Span) -> tuple[str, Problem]:
    span = span.shift(-source.base)
    return source.path, Problem("exception", "error", _exception_text(error), span)


def arguments(end: SystemExit, form: Span, source: Source) -> tuple[Problem, ...]:
    """What a program says that ends because of its arguments: a hint, for a preview has those of `run.args`."""
    trace = end.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    frames = [] if trace is None else [trace.tb_frame, trace.tb_frame.f_back]
    names = [frame for frame in frames if frame is not None and frame.f_globals.get("__name__") == "argparse"]
    said = next((frame.f_locals["message"] for frame in names if isinstance(frame.f_locals.get("message"), str)), "")
    if not said or end.code != 2:
        return ()
    told = f"The preview ended this form here: {said.strip().partition('error: ')[2] or said.strip()}."
    span = _narrowest(end, form, source)[0]
    return (Problem("preview-arguments", "hint", f"{told} The setting run.args gives arguments.", span),)


def of_example(problem: Problem) -> Problem:
    """A problem that only an example found, which nobody wrote."""
    message = f"This fails when it is called with components that conform to its specs. {problem.message}"
    return replace(problem, code="example", severity="information", message=message)


def of_evaluation(problem: Problem) -> Problem:
    """A problem of a form that was evaluated by itself, in words for that."""
    return replace(problem, message=problem.message.replace("The preview", "The evaluation"))


def _gigabytes(count: int) -> str:
    return f"{count / 1024**3:.3g} GB" if count >= 1024**3 else f"{count / 1024**2:.3g} MB"


def limit(kind: str, span: Span, limits: Limits) -> Problem:
    """A limit that was reached, said where it was reached. It is not an error: long programs are."""
    what = {
        "cpu": f"it had used {limits.cpu} s of CPU time",
        "time": f"it had taken {limits.wall:g} s",
        "output": f"it had printed {limits.output:,} bytes",
        "memory": f"it needed more than {_gigabytes(limits.memory)} of memory",
    }[kind]
    message = f"The preview stopped here: {what}. Nothing below was evaluated."
    return Problem("preview-limit", "information", message, span)


def is_cpu_limit(code: int) -> bool:
    """Whether it was the limit of CPU time that ended a process with this exit code."""
    return code < 0 and -code == LIMIT_SIGNALS.get("cpu")


def limit_of(problem: Problem) -> str:
    """Which limit a problem made by `limit` speaks of."""
    told = {"of CPU time": "cpu", "it had taken": "time", "it had printed": "output", "of memory": "memory"}
    return next(kind for words, kind in told.items() if words in problem.message)


def crash(span: Span, status: int) -> Problem:
    """The end of a session's process that neither finished nor was stopped. `status` is negative for a signal."""
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        told = {"SIGSEGV": "a segmentation fault", "SIGABRT": "an abort", "SIGKILL": "killed, perhaps for memory"}
        why = f" ({told[name]})" if name in told else ""
        return Problem("crash", "error", f"The program crashed here with {name}{why}.", span)
    message = f"The program ended its process here with exit code {status}, as os._exit does."
    return Problem("exit", "warning", message, span)


def behind(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The exception of a kind that `error` is or came from: Hy's compiler wraps whatever is raised while it expands."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def stopped_at(stop: BaseException, form: Span, source: Source) -> Span:
    """Where the user's code was when a limit's signal came."""
    return _narrowest(stop, form, source)[0]


def _narrowest(error: BaseException, form: Span, source: Source) -> tuple[Span, Trace]:
    """The place in the innermost frame that is the document's, with that frame and those below it."""
    found: Span | None = None
    frame: types.FrameType | None = None
    outside: tuple[Span | None, types.FrameType | None] = (None, None)
    below: list[types.FrameType] = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == source.path:
            at = source.frame_span(trace.tb_frame, trace.tb_lasti)
            if at is not None:
                outside = found, frame
                found, frame, below = at, trace.tb_frame, []
            if found and isinstance(error, RecursionError):
                break  # where it began: the innermost call is as good as any other
        else:
            below.append(trace.tb_frame)
        trace = trace.tb_next
    if below and _is_resolving(below[-1]) and outside[0] is not None:
        found, frame = outside  # a mu that lacks components: the call that did not give them
    return found or _compile_time(error, source) or form, Trace(frame, tuple(below))


def _is_resolving(frame: types.FrameType) -> bool:
    """Whether a frame is mino's, looking for a component of a mu that is called."""
    return frame.f_code.co_name == "resolve" and frame.f_globals.get("__name__") == "mino.module"


def _compile_time(error: BaseException, source: Source) -> Span | None:
    """The place that Hy's compiler names for an error in a macro or in its own forms."""
    from hy.errors import HyLanguageError

    if not isinstance(error, HyLanguageError) or getattr(error, "filename", None) != source.path:
        return None
    line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
    if not line or not column:
        return None
    start = source.offset(line, column)
    arrow = getattr(error, "arrow_offset", None)
    # Of a form of several lines Hy tells no end.
    end = start + arrow + 1 if arrow and arrow > 0 else end_of_form(source.text, start)
    end = min(end, len(source.text))
    return Span(start, end).shift(source.base)


def _broken_spec(problem: Any, span: Span, source: Source, recorder: Recorder | None) -> Problem:
    made = recorder.origin(problem.object) if recorder is not None else None
    made = made if made is not None and source.holds(made) else None
    told = [Related(span, "checked here")] if made is not None and made != span else []
    where = problem.where
    if where is not None and where.file == source.path:
        start = source.offset(where.line, where.column)
        end = source.offset(where.end_line, where.end_column + 1)
        told.append(Related(Span(start, end), "the predicate that is not met"))
    return Problem("spec", "error", str(problem), made or span, tuple(told))


def _refused(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EXDEV):
        return True
    if type(error).__name__ == "OperationalError":  # of sqlite, which writes past Python
        return "unable to open database file" in str(error) or "readonly database" in str(error)
    return isinstance(error, RuntimeError) and "Permission denied" in str(error)


def _exception_text(error: BaseException) -> str:
    from hy.errors import HyLanguageError

    if isinstance(error, HyLanguageError):
        return _sentence(error.msg)
    if isinstance(error, RecursionError):
        return "RecursionError: calls within calls, deeper than Python allows: what ends this recursion?"
    text = as_written(str(error)) if isinstance(error, RuntimeError) else str(error).strip()
    return _sentence(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."
