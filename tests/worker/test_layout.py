"""What a preview tells does not depend on how a program is laid out: so an edit in white space or in a comment, also
within a form, evaluates nothing, and shows what a preview of the new text would."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mino_lsp import types as t
from mino_lsp.format.tokens import Role, tokens
from mino_lsp.report import Live, Report, carry_over
from mino_lsp.syntax import read
from mino_lsp.worker import layout
from tests.worker import diagnosis
from tests.worker.conftest import Preview

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = [text for case in diagnosis.cases() for text in (case.mistaken, case.sound)]
TEXTS.append((EXAMPLES / "feed_forward.hy").read_text("utf-8"))

TRIVIA = [" ", "\n", "\n    ", " ; 3 (x\n", '\n; é𝒳 2 "4\n  ']


def laid_out(text: str, chance: random.Random) -> str:
    """The same program with other white space and other comments."""
    words = [
        (token.role, base + token.start, base + token.end)
        for base, piece in read(text).pieces()
        for token in tokens(piece)
        if token.role not in (Role.COMMENT, Role.END)
    ]
    written, end = "", 0
    for role, start, stop in words:
        between = text[end:start]
        if chance.random() < 0.2 and (between or role in (Role.OPEN, Role.CLOSE)):
            between = chance.choice(TRIVIA)
        written += between + text[start:stop]
        end = stop
    return written + text[end:]


def as_told(text: str, preview: Preview) -> Report:
    forms = tuple((text[form.start : form.end], t.Span(form.start, form.end)) for form in read(text).forms)
    return Report(1, forms, preview.facts, tuple(preview.problems), preview.result.evaluated, True)


def shown(live: Live, text: str) -> dict[t.Span, t.Fact]:
    """The facts; without the numbers where some are what memory happened to hold."""
    if "torch.empty" not in text:
        return dict(live.facts)
    return {span: replace(fact, statistics=None) for span, fact in live.facts.items()}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TEXTS), st.integers(0, 1 << 32))
def test_it_tells_the_same_however_a_program_is_laid_out(preview: Any, text: str, seed: int) -> None:
    new = laid_out(text, random.Random(seed))
    before, anew = as_told(text, preview(text)), as_told(new, preview(new))
    moved, fresh = carry_over(before, 1, anew.forms), carry_over(anew, 1, anew.forms)
    assert moved.current
    assert shown(moved, text) == shown(fresh, text)
    assert [without_fixes(one) for one in moved.problems] == [without_fixes(one) for one in fresh.problems]
    for mine, its in zip(moved.problems, fresh.problems, strict=True):
        # A fix that writes again what it replaces is not shown where that is laid out in another way.
        assert set(mine.fixes) <= set(its.fixes)


def without_fixes(problem: t.Problem) -> tuple[object, ...]:
    return problem.code, problem.severity, problem.message, problem.span, problem.related


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("(f x)", "(f x)"),
        ("( f ; a note\n  'x (g)[1 2] )", "(f 'x (g) [1 2])"),
        ('(f "a;b" ; "c\n  #[[d;e]] f"{x}")', '(f "a;b" #[[d;e]] f"{x}")'),
        ("#{1\n2} #(3)", "#{1 2} #(3)"),
    ],
)
def test_code_in_one_line(text: str, line: str) -> None:
    assert layout.in_one_line(text) == line == layout.in_one_line(line)
    assert len(layout.without_comments(text)) == len(text) and "note" not in layout.without_comments(text)


@pytest.mark.parametrize(
    ("text", "form"), [("x y", "x"), ("(f ; )\n x) y", "(f ; )\n x)"), ("'(a) b", "'(a)"), ("(f", "(f")]
)
def test_the_end_of_a_form(text: str, form: str) -> None:
    assert layout.end_of_form(f"x {text}", 2) == 2 + len(form)
