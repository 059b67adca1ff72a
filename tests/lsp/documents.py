"""Snapshots for the tests of features as the pure functions that they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mino_lsp.report import Report
from mino_lsp.settings import Settings
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, read
from mino_lsp.types import Fact, OtherValue, Problem, Span, TensorValue, Value


def tensor(*shape: int, dtype: str = "float32", device: str = "cpu", grad: bool = False) -> TensorValue:
    return TensorValue(shape, dtype, device, grad, "")


def span(text: str, place: str, nth: int = 0) -> Span:
    """Where the nth `place` stands in `text`."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(place, at + 1)
    return Span(at, at + len(place))


def fact(text: str, place: str, *values: Value, nth: int = 0, distinct: int | None = None) -> Fact:
    return Fact(span(text, place, nth), values, len(values) if distinct is None else distinct)


def snapshot(text: str, version: int = 1, **known: Any) -> Snapshot:
    """A document; `known` are fields of `Snapshot` or of `Settings`."""
    of_settings = {name: known.pop(name) for name in list(known) if name not in Snapshot.__dataclass_fields__}
    known.setdefault("trusted", True)
    return Snapshot("file:///w/main.hy", version, Text(text), read(text), Path("/w"), Settings(**of_settings), **known)


def report(
    text: str,
    *facts: Fact,
    problems: tuple[Problem, ...] = (),
    evaluated: int | None = None,
    stopped: str = "",
    finished: bool = True,
    version: int = 1,
) -> Report:
    """What a preview of `text` told."""
    forms = snapshot(text).forms
    known = {fact.span: fact for fact in facts}
    return Report(version, forms, known, problems, len(text) if evaluated is None else evaluated, finished, stopped)


def other(name: str) -> OtherValue:
    return OtherValue(name)
