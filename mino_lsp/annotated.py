"""What `mino shapes` prints: a file with the sizes beside its lines, or every fact as JSON.

Lines and columns are counted from 1, columns in code points; an end is the place after the last character.
"""

from __future__ import annotations

import json
from typing import Any

from mino_lsp.checking import problem_as_json, region
from mino_lsp.features import inlay_hints
from mino_lsp.snapshot import Snapshot
from mino_lsp.types import Fact, ModuleValue, OtherValue, Problem, Span, Statistics, TensorValue, Value

WIDTH = 72
MOST_TEXT = 200
"""Characters of an expression that stand beside its values."""


def as_text(snapshot: Snapshot) -> str:
    """The source, and beside each line the sizes of the components and variables that it names, and after its steps."""
    text = snapshot.text
    everywhere, told = Span(0, len(text)), dict[int, list[str]]()
    names = [*inlay_hints.components(snapshot, everywhere), *inlay_hints.bindings(snapshot, everywhere)]
    for name in sorted(names, key=lambda name: name.start):
        if sizes := inlay_hints.sizes_of(snapshot, name):
            told.setdefault(_line(snapshot, name.start), []).append(f"{name.text} {sizes}")
    for hint in inlay_hints.after_steps(snapshot, everywhere):
        told.setdefault(_line(snapshot, hint.offset), []).append(hint.label)
    lines = [text.slice(*text.line_span(line)) for line in range(text.line_count)]
    if lines and not lines[-1]:
        lines.pop()
    for number, beside in told.items():
        lines[number] = f"{lines[number]:<{WIDTH}}  ; {', '.join(beside)}"
    return "".join(f"{line}\n" for line in lines)


def _line(snapshot: Snapshot, offset: int) -> int:
    return snapshot.text.position(offset, "utf-32")[0]


def as_json(name: str, snapshot: Snapshot, problems: list[Problem]) -> str:
    """`{file, facts: [{line, column, endLine, endColumn, text, values, distinct, evidence, statistics?}], problems,
    stopped}`."""
    facts = sorted(snapshot.live.facts.values(), key=lambda fact: (fact.span.start, -fact.span.end))
    told = {
        "file": name,
        "facts": [_fact(snapshot, fact) for fact in facts],
        "problems": [problem_as_json(name, snapshot.text, problem) for problem in problems],
        "stopped": snapshot.live.stopped,
    }
    return json.dumps(told, indent=2) + "\n"


def _fact(snapshot: Snapshot, fact: Fact) -> dict[str, Any]:
    source = snapshot.text.source[fact.span.start : fact.span.end]
    return {
        **region(snapshot.text, fact.span),
        "text": source if len(source) <= MOST_TEXT else source[: MOST_TEXT - 1] + "…",
        "values": [_value(value) for value in fact.values],
        "distinct": fact.distinct,
        "evidence": fact.evidence,
        **({"statistics": _statistics(fact.statistics)} if fact.statistics is not None else {}),
    }


def _statistics(found: Statistics) -> dict[str, Any]:
    """JSON has no NaN: where no element is finite there is no mean."""
    told = {"mean": found.mean, "deviation": found.deviation, "least": found.least, "most": found.most}
    return {**(told if found.mean == found.mean else {}), "nan": found.nan, "infinite": found.infinite}


def _value(value: Value) -> dict[str, Any]:
    match value:
        case TensorValue(shape, dtype, device, requires_grad, role):
            told = {"shape": list(shape), "dtype": dtype, "device": device, "requiresGrad": requires_grad}
            return {"kind": "tensor", **told, **({"role": role} if role else {})}
        case ModuleValue(name, parameters, components):
            parts = [{"name": part, "value": summary} for part, summary in components]
            return {"kind": "module", "type": name, "parameters": parameters, "components": parts}
        case OtherValue(kind):
            return {"kind": "other", "type": kind}
