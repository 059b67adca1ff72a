"""Twenty-eight un-annotated tensor expressions of the usual kinds, in `expressions.hy`: is what a preview shows of each
what a real run of it observes? `python -m tests.worker.expressions` prints that, for each way.

The run is a plain one of the whole file, in a process of its own; each expression is previewed by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mino_lsp import types as t
from tests.worker.truth import observe

FILE = Path(__file__).with_name("expressions.hy")
HEADING = ";;; "

Outcome = Literal["right", "not known", "wrong"]
Observed = dict[t.Span, set[tuple[tuple[int, ...], str, str]]]


@dataclass(frozen=True)
class Expression:
    """A program that ends in an expression to be looked at, and what a run observes at which place of it."""

    name: str
    text: str
    real: Observed


def read() -> list[Expression]:
    whole = FILE.read_text("utf-8")
    head, *parts = whole.split("\n" + HEADING)
    observed, found, at = observe(FILE), [], len(head)
    for part in parts:
        name, _, program = part.partition("\n")
        start = at + len(f"\n{HEADING}{name}")
        at += len(f"\n{HEADING}{part}")
        moved = len(head) - start
        inside = {
            t.Span(span.start + moved, span.end + moved): values
            for span, values in observed.items()
            if start <= span.start < at
        }
        above = {span: values for span, values in observed.items() if span.end <= len(head)}
        found.append(Expression(name, f"{head}\n{program}", above | inside))
    return found


def judge(expression: Expression, answers: Iterable[object]) -> tuple[Outcome, list[str]]:
    """What a preview made of an expression, and the places that it is not right at.

    Right is where every tensor that a run observes is shown as it is, unreservedly; a place without a fact, or with one
    that is assumed, is not known; wrong is what is shown unreservedly and no run observes.
    """
    told = [answer for answer in answers if isinstance(answer, t.Facts)]
    facts = {fact.span: fact for answer in told for fact in answer.facts}
    wrong: list[str] = []
    not_known = [one.message for answer in told for one in answer.problems if one.severity == "error"]
    for span, fact in facts.items():
        values = {(v.shape, v.dtype, v.device) for v in fact.values if isinstance(v, t.TensorValue)}
        if fact.evidence != "assumed" and not values <= expression.real.get(span, set()):
            wrong.append(f"{expression.text[span.start : span.end]}: {values}, not {expression.real.get(span)}")
    for span, real in expression.real.items():
        fact = facts.get(span)
        values = {(v.shape, v.dtype, v.device) for v in fact.values if isinstance(v, t.TensorValue)} if fact else set()
        if fact is None or fact.evidence == "assumed" or not real <= values:
            not_known.append(f"{expression.text[span.start : span.end]}: {real}")
    return ("wrong", wrong) if wrong else ("not known", not_known) if not_known else ("right", [])
