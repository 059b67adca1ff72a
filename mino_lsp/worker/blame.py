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
from mino_lsp.worker.source import Source, Sources

if TYPE_CHECKING:
    from mino_lsp.worker.probe import Recorder


LIMIT_SIGNALS = {"cpu": signal.SIGXCPU, "time": signal.SIGALRM, "output": signal.SIGXFSZ}
"""How a session is told which limit it reached. It has a moment to say where it is; then it is killed."""


class Unreadable(Exception):
    """Hy's reader could not read on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def unreadable(error: SyntaxError, source: Source) -> Problem:
    """Why the reader gave up."""
    at = source.offset(error.lineno or 1, error.offset or 1)
    return Problem("syntax", "error", _sentence(error.msg), Span(at, min(at + 1, len(source.text))))


def problems(error: BaseException, form: Span, source: Source, recorder: Recorder | None) -> tuple[Problem, ...]:
    """The problems that an exception of the user's code stands for. `form` is where, if nothing narrower is known."""
    from mino import SpecError

    span = _narrowest(error, form, source)
    if isinstance(error, SpecError):
        return tuple(_broken_spec(problem, span, source, recorder) for problem in error.problems)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return (limit("memory", span, Limits()),)
    if _refused(error):
        message = "The preview stopped here: it may not write files, connect, or start programs. A run may."
        return (Problem("preview-refused", "hint", message, span),)
    if isinstance(error, EOFError):
        return (Problem("preview-input", "hint", "The preview stopped here: it has no standard input.", span),)
    related = _operands(span, recorder)
    return (Problem("exception", "error", _exception_text(error, related), span, related),)


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
            place = _position(trace, source)
            return None if source.base == 0 or place is None else _there(error, source, place)
    return None


def _there(error: BaseException, source: Source, span: Span) -> tuple[str, Problem]:
    span = span.shift(-source.base)
    return source.path, Problem("exception", "error", _exception_text(error, ()), span)


def of_example(problem: Problem) -> Problem:
    """A problem that only an example found, which nobody wrote."""
    message = f"This fails when it is called with components that conform to its specs. {problem.message}"
    return replace(problem, code="example", severity="information", message=message)


def of_evaluation(problem: Problem) -> Problem:
    """A problem of a form that was evaluated by itself, in words for that."""
    return replace(problem, message=problem.message.replace("The preview", "The evaluation"))


def limit(kind: str, span: Span, limits: Limits) -> Problem:
    """A limit that was reached, said where it was reached. It is not an error: long programs are."""
    what = {
        "cpu": f"it had used {limits.cpu} s of CPU time",
        "time": f"it had taken {limits.wall:g} s",
        "output": f"it had printed {limits.output:,} bytes",
        "memory": f"it needed more than {limits.memory / 1024**3:g} GB of memory",
    }[kind]
    message = f"The preview stopped here: {what}. Nothing below was evaluated."
    return Problem("preview-limit", "information", message, span)


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
    return _narrowest(stop, form, source)


def _narrowest(error: BaseException, form: Span, source: Source) -> Span:
    found = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == source.path:
            found = _position(trace, source) or found
            if found and isinstance(error, RecursionError):
                break  # where it began: the innermost call is as good as any other
        trace = trace.tb_next
    return found or _compile_time(error, source) or form


def _position(trace: types.TracebackType, source: Source) -> Span | None:
    for index, position in enumerate(trace.tb_frame.f_code.co_positions()):
        if index == trace.tb_lasti // 2:
            line, end_line, column, end_column = position
            if line is None or end_line is None or column is None or end_column is None:
                return None
            return source.code_span(line, end_line, column, end_column)
    return None


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
    end = min(start + (arrow if arrow and arrow > 0 else 0) + 1, len(source.text))
    return Span(start, end).shift(source.base)


def _broken_spec(problem: Any, span: Span, source: Source, recorder: Recorder | None) -> Problem:
    made = recorder.origin(problem.object) if recorder is not None else None
    made = made if made is not None and source.holds(made) else None
    related = [Related(span, "checked here")] if made is not None and made != span else []
    where = problem.where
    if where is not None and where.file == source.path:
        start = source.offset(where.line, where.column)
        end = source.offset(where.end_line, where.end_column + 1)
        related.append(Related(Span(start, end), "the predicate that is not met"))
    return Problem("spec", "error", str(problem), made or span, tuple(related))


def _refused(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EXDEV):
        return True
    if type(error).__name__ == "OperationalError":  # of sqlite, which writes past Python
        return "unable to open database file" in str(error) or "readonly database" in str(error)
    return isinstance(error, RuntimeError) and "Permission denied" in str(error)


def _operands(span: Span, recorder: Recorder | None) -> tuple[Related, ...]:
    if recorder is None:
        return ()
    return tuple(Related(at, text) for at, text in recorder.operands(span))


def _exception_text(error: BaseException, related: tuple[Related, ...]) -> str:
    from hy.errors import HyLanguageError

    if isinstance(error, HyLanguageError):
        text = error.msg
    else:
        text = str(error).strip()
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    text = _sentence(text)
    if isinstance(error, RuntimeError) and related:
        text += " The operands are " + ", ".join(item.message for item in related) + "."
    return text


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."
