"""What decides the macros at a place of a document, and what is told of a macro that did not come to an end."""

from __future__ import annotations

import re
from dataclasses import replace

from mino_lsp.types import ExpandRequest, Expansion, ExpansionRequest, Problem, Span, SurveyRequest

_DECIDING = r"require|import|def(?:macro|reader)[^\s()\[\]]*|eval-and-compile|eval-when-compile|do-mac|pragma"
_DECIDES = re.compile(rf"\((?:{_DECIDING})[\s)]")
_DEFINES = re.compile(r"\((?:def|setv\s|fn\s)")
_MACRO = re.compile(r"\(defmacro[^\s()\[\]]*\s+([^\s()\[\]]+)")


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


def for_expansion(problem: Problem) -> Problem:
    """A problem of a preview's in the words of an expansion."""
    told = problem.message.replace("The preview", "The expansion").replace(" Nothing below was evaluated.", "")
    told = re.sub(r"\Aexpanding macro (\S+)\s+", r"The macro `\1` raised ", told)
    return replace(problem, message=told.replace("The program", "A macro"))


def unfinished(request: ExpandRequest, at: Span, problem: Problem) -> Expansion:
    """The answer where a macro did not come to an end: a problem at its call."""
    text = request.text[at.start : at.end]
    return Expansion(head_of(text), at, text, (), (for_expansion(problem),))
