"""How problems print: a line for each, the part that is wrong marked under it, in colour where that is wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TextIO

from mino.specs.foreign import Raised, attempt
from mino.specs.mappings import is_mapping
from mino.specs.problems import Mark, Problem
from mino.summary import summary

_BOLD, _RED, _GREEN, _DIM, _END = "\033[1m", "\033[31m", "\033[32m", "\033[2m", "\033[0m"
_WIDTH = 100


def line(problem: Problem) -> str:
    """`bias: expected :rank1, (-> x .size len (= 1)); found Parameter [1 32] float32, rank 2`."""
    return _line(problem, _plain)


def report(sentence: str, problems: Iterable[Problem], colour: bool = False, places: bool = False) -> str:
    """The sentence, then every problem with what is wrong marked; with `places`, where its predicate is written."""
    paint = _coloured if colour else _plain
    lines = [sentence]
    for problem in problems:
        lines += [f"  {each}" for each in _told(problem, paint)]
        if places and problem.where is not None:
            lines.append(paint(f"    as {problem.where} says", _DIM))
    return "\n".join(lines)


def located(problem: Problem, root: Any) -> Problem:
    """The problem with its part of `root` marked, if `root` is a collection and nothing is marked yet."""
    if problem.mark is not None or not problem.in_:
        return problem
    shown = attempt(_within, root, problem.in_)
    if isinstance(shown, Raised) or shown is None:
        return problem
    text, start, end = shown
    return replace(problem, mark=Mark(text, ((start, end),))) if len(text) <= _WIDTH else problem


def wants_colour(stream: TextIO) -> bool:
    """Whether `stream` is a terminal whose user has not said NO_COLOR."""
    return "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb" and bool(stream.isatty())


def _plain(text: str, *codes: str) -> str:
    return text


def _coloured(text: str, *codes: str) -> str:
    return f"{''.join(codes)}{text}{_END}"


def _line(problem: Problem, paint: Any) -> str:
    key = f"{paint('.'.join(map(_key, problem.in_)), _BOLD)}: " if problem.in_ else ""
    reason = f" ({problem.reason})" if problem.reason else ""
    return f"{key}expected {paint(_expected(problem), _GREEN)}; found {paint(problem.val, _RED)}{reason}"


def _expected(problem: Problem) -> str:
    """The predicate, after its keyword where it is registered under one itself."""
    named = problem.via and problem.path and problem.path[-1] == problem.via[-1]
    return ", ".join([*([problem.via[-1]] if named else []), problem.pred])


def _told(problem: Problem, paint: Any) -> list[str]:
    lines = [_line(problem, paint), *_marked(problem.mark, paint)]
    if problem.alternatives and problem.pred.startswith("(spec/or "):
        lines += [f"  {_branch(each)}{_alone(each, problem, paint)}" for each in problem.alternatives]
    return lines


def _branch(problem: Problem) -> str:
    """The tag of the branch that a problem is of, `:int: `: what follows `spec/or` on the path."""
    tag = problem.path[1] if problem.path[:1] == ("spec/or",) else ""
    return f"{tag}: " if tag.startswith(":") else ""


def _alone(problem: Problem, whole: Problem, paint: Any) -> str:
    if problem.in_ == whole.in_ and not problem.reason:
        return f"expected {paint(_expected(problem), _GREEN)}"
    rest = replace(problem, in_=problem.in_[len(whole.in_) :])
    return _line(rest, paint)


def _marked(mark: Mark | None, paint: Any) -> list[str]:
    if mark is None:
        return []
    carets = "".join(
        "^" if any(start <= column < end for start, end in mark.ranges) else " " for column in range(len(mark.found))
    ).rstrip()
    note = f"{paint(carets, _RED)} {mark.note}".rstrip()
    if mark.expected is None:
        return [f"  {mark.found}", f"  {note}"]
    return [f"  expected {mark.expected}", f"  found    {mark.found}", f"           {note}"]


def _key(key: Any) -> str:
    return key if isinstance(key, str) else summary(key)


def _within(value: Any, keys: Sequence[Any]) -> tuple[str, int, int] | None:
    """The value with the part that `keys` lead to, and the columns of that part; the rest of it is left out."""
    if not keys:
        text = summary(value)
        return text, 0, len(text)
    key, *rest = keys
    if isinstance(value, Mapping) or is_mapping(value):
        return _entry(value, key, rest)
    if isinstance(value, list | tuple) and isinstance(key, int) and 0 <= key < len(value):
        inner = _within(value[key], rest)
        if inner is None:
            return None
        before = _few(value[:key])
        after = _few(value[key + 1 :], last=True)
        opening = "[" if isinstance(value, list) else "#("
        return _joined(opening, before, inner, after, "]" if opening == "[" else ")")
    return None


def _entry(value: Any, key: Any, rest: Sequence[Any]) -> tuple[str, int, int] | None:
    from hy import mangle
    from hy.models import Keyword

    spellings = [key, *([Keyword(key), mangle(key)] if isinstance(key, str) and key else [])]
    actual = next((each for each in spellings if each in value), None)
    if actual is None:
        return None
    inner = _within(value[actual], rest)
    if inner is None:
        return None
    others = ["…"] if len(value) > 1 else []
    return _joined("{", [summary(actual)], inner, others, "}")


def _few(items: Sequence[Any], last: bool = False) -> list[str]:
    """The neighbours of the part: short ones as they are, many as an ellipsis."""
    kept = items[:2] if last else items[-2:]
    shown = ["…" if len(summary(each)) > 12 else summary(each) for each in kept]
    more = ["…"] if len(items) > 2 else []
    return shown + more if last else more + shown


def _joined(
    opening: str, before: list[str], inner: tuple[str, int, int], after: list[str], closing: str
) -> tuple[str, int, int]:
    head = opening + "".join(f"{each} " for each in before)
    tail = "".join(f" {each}" for each in after) + closing
    return head + inner[0] + tail, len(head) + inner[1], len(head) + inner[2]
