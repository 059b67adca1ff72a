"""What `mino check` prints: the problems of files as text with excerpts, as JSON, and as SARIF 2.1.0.

Lines and columns are counted from 1, columns in code points; an end is the place after the last character.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mino_lsp.format.widths import advance
from mino_lsp.syntax import Text
from mino_lsp.types import Problem, Severity, Span

_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "information": "note", "hint": "note"}
_WIDEST = 160


@dataclass(frozen=True, slots=True)
class Checked:
    """A file and its problems; or why it could not be checked."""

    name: str
    text: Text
    problems: tuple[Problem, ...] = ()
    failure: str = ""


def located(name: str, text: Text, problem: Problem) -> str:
    """A problem in one line, which editors and terminals can jump to."""
    line, column = text.position(problem.span.start, "utf-32")
    return f"{name}:{line + 1}:{column + 1}: {problem.severity}: {problem.message} [{problem.code}]"


def as_text(files: Sequence[Checked]) -> str:
    """Each problem with its line, and a caret under each column that it covers there."""
    parts = []
    for file in files:
        for problem in file.problems:
            parts.append(located(file.name, file.text, problem))
            parts += _excerpt(file.text, problem.span)
            for related in problem.related:
                line, column = file.text.position(related.span.start, "utf-32")
                parts.append(f"  {file.name}:{line + 1}:{column + 1}: {related.message}")
    return "".join(f"{part}\n" for part in parts)


def _excerpt(text: Text, span: Span) -> list[str]:
    number = text.position(span.start, "utf-32")[0]
    start, end = text.line_span(number)
    first = max(start, span.start - _WIDEST // 2)
    line = text.slice(first, min(end, first + _WIDEST)).replace("\t", " ")
    shown = "".join(character if character.isprintable() else " " for character in line)
    before = advance(0, shown[: span.start - first])
    covered = advance(0, shown[span.start - first : max(span.end, span.start + 1) - first])
    gutter = f"{number + 1:>5} | "
    return [f"{gutter}{shown}", f"{' ' * (len(gutter) - 2)}| {' ' * before}{'^' * max(covered, 1)}"]


def region(text: Text, span: Span) -> dict[str, int]:
    """A span as lines and columns."""
    start, end = text.position(span.start, "utf-32"), text.position(span.end, "utf-32")
    return {"line": start[0] + 1, "column": start[1] + 1, "endLine": end[0] + 1, "endColumn": end[1] + 1}


def problem_as_json(name: str, text: Text, problem: Problem) -> dict[str, Any]:
    """A problem of the file that is called `name`."""
    return {
        "file": name,
        **region(text, problem.span),
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "related": [{**region(text, one.span), "message": one.message} for one in problem.related],
    }


def as_json(files: Sequence[Checked]) -> str:
    """`{problems: [{file, line, column, endLine, endColumn, severity, code, message, related}], unchecked}`."""
    problems = [problem_as_json(file.name, file.text, problem) for file in files for problem in file.problems]
    unchecked = [{"file": file.name, "reason": file.failure} for file in files if file.failure]
    return _dumped({"problems": problems, "unchecked": unchecked})


def as_sarif(files: Sequence[Checked], version: str) -> str:
    """One run of SARIF 2.1.0, as code scanning takes it."""
    codes = sorted({problem.code for file in files for problem in file.problems})
    failures = [file for file in files if file.failure]
    invocation = {
        "executionSuccessful": not failures,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": file.failure}, "locations": [_location(file.name)]}
            for file in failures
        ],
    }
    run = {
        "tool": {"driver": {"name": "mino", "version": version, "rules": [{"id": code} for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(file, problem, codes) for file in files for problem in file.problems],
    }
    return _dumped({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def _result(file: Checked, problem: Problem, codes: list[str]) -> dict[str, Any]:
    return {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": _LEVELS[problem.severity],
        "message": {"text": problem.message},
        "locations": [_location(file.name, region(file.text, problem.span))],
    }


def _location(name: str, region: dict[str, int] | None = None) -> dict[str, Any]:
    path = Path(name)
    place: dict[str, Any] = {"artifactLocation": {"uri": path.as_uri() if path.is_absolute() else _relative(path)}}
    if region is not None:
        names = {"line": "startLine", "column": "startColumn"}
        place["region"] = {names.get(name, name): number for name, number in region.items()}
    return {"physicalLocation": place}


def _relative(path: Path) -> str:
    return quote(path.as_posix())


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
