"""What a preview told is carried over to edited text: facts follow forms that move, and a changed form has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mino_lsp.alike import alike
from mino_lsp.report import Live, Report, carry_over
from mino_lsp.types import Change, Fact, Fix, Problem, Related, Span

from .documents import fact, report, snapshot, span, tensor

TEXT = "(a x)\n(b y)\n(c z)\n"


def check(new: str, expected: dict[str, bool]) -> Live:
    """Of a report that knows of x, y and z, what is still known where in the new text."""
    told = report(TEXT, *(fact(TEXT, name, tensor(ord(name))) for name in "xyz"))
    live = carry_over(told, 2, snapshot(new).forms)
    found = {new[place.start : place.end]: place for place in live.facts}
    assert {name: name in found for name in "xyz"} == expected
    for name, place in found.items():
        assert live.facts[place].span == place and live.facts[place].values == (tensor(ord(name)),)
        assert live.reached(place)
    return live


ALL = {"x": True, "y": True, "z": True}


@pytest.mark.parametrize(
    ("new", "expected", "current"),
    [
        (TEXT, ALL, True),
        # what stands around the forms does not matter
        ("; é𝒳\n\n" + TEXT + "; end", ALL, True),
        (TEXT.replace("\n", "\r\n   "), ALL, True),
        # nor how they are laid out
        ("(a\n  x)\n( b ; é𝒳 (\n y)\n(c z )\n", ALL, True),
        # a new form
        ("(new)\n" + TEXT, ALL, False),
        ("(a x)\n(new)\n(b y)\n(c z)", ALL, False),
        # a changed form, at each place
        (TEXT.replace("(a", "(aa"), {**ALL, "x": False}, False),
        (TEXT.replace("(b", "(bb"), {**ALL, "y": False}, False),
        (TEXT.replace("(c", "(cc"), {**ALL, "z": False}, False),
        # a form that is gone
        ("(a x)\n(c z)\n", {**ALL, "y": False}, False),
        ("", dict.fromkeys("xyz", False), False),
        # two changes at once
        ("(new)\n(b y)\n(cc z)", {**ALL, "x": False, "z": False}, False),
        ("(aa x)\n(b y)\n(cc z)\n(more)", {**ALL, "x": False, "z": False}, False),
        # half-typed
        ("(a x)\n(b y\n(c z)\n", {**ALL, "y": False}, False),
    ],
)
def test_carrying_over(new: str, expected: dict[str, bool], current: bool) -> None:
    assert check(new, expected).current is current


def test_nothing_is_known_before_the_first_preview() -> None:
    assert snapshot(TEXT).live == Live()
    assert snapshot(TEXT).live.version is None


def test_problems_move_with_what_they_are_about() -> None:
    related = (Related(span(TEXT, "x"), "in x"), Related(span(TEXT, "y"), "in y"))
    problems = tuple(
        Problem("exception", "error", name, span(TEXT, name), related if name == "z" else ()) for name in "yz"
    )
    told = report(TEXT, problems=problems)
    new = TEXT.replace("(b", "(bb")
    live = carry_over(told, 2, snapshot(new).forms)
    (problem,) = live.problems
    assert (problem.message, new[problem.span.start : problem.span.end]) == ("z", "z")
    assert [item.message for item in problem.related] == ["in x"]
    assert new[problem.related[0].span.start : problem.related[0].span.end] == "x"


def test_within() -> None:
    live = carry_over(
        report(TEXT, *(fact(TEXT, name, tensor()) for name in ("x", "(b y)", "y", "z"))), 1, snapshot(TEXT).forms
    )
    found = [TEXT[known.span.start : known.span.end] for known in live.within(span(TEXT, "(b y)"))]
    assert found == ["(b y)", "y"]
    assert [known.span for known in live.within(Span(0, len(TEXT)))] == sorted(live.facts)
    assert live.within(Span(1, 1)) == []


def test_what_was_not_evaluated_is_not_reached() -> None:
    live = carry_over(report(TEXT, evaluated=TEXT.index("(c"), stopped="It hung."), 1, snapshot(TEXT).forms)
    assert [live.reached(span(TEXT, name)) for name in "xyz"] == [True, True, False]
    assert live.stopped == "It hung."


# ---- laws

FORMS = st.sampled_from(["(a x)", "(b)", "x", '"s"', "; c", "#_ d", "(a\n x)", "'q", "𝒳", "[1 (f 2)]", ")", "(", '"'])
TEXTS = st.lists(FORMS, max_size=8).map("\n".join)


def everything(text: str) -> Report:
    """A report that knows a fact of every node of a text, and a problem of every form."""
    document = snapshot(text)
    facts = {Span(s, e): Fact(Span(s, e), (tensor(s, e),), 1) for s, e, form in document.tree.walk() if form.is_form}
    problems = tuple(Problem("exception", "error", source, at) for source, at in document.forms)
    return Report(1, document.forms, facts, problems, len(text), True)


def _within_forms(told: Report) -> set[Span]:
    """The places of a report's facts but those in what is discarded."""
    return {at for at in told.facts if any(form.contains(at) for _, form in told.forms)}


@given(TEXTS, st.data())
def test_after_any_edit_what_is_carried_over_is_about_the_same_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    new = text[:start] + data.draw(TEXTS) + text[end:]
    told = everything(text)
    live = carry_over(told, 2, snapshot(new).forms)
    for place, known in live.facts.items():
        old = known.values[0]
        assert alike(new[place.start : place.end], text[old.shape[0] : old.shape[1]])
        assert any(at.contains(place) for _, at in snapshot(new).forms)
    for problem in live.problems:
        assert alike(new[problem.span.start : problem.span.end], problem.message)
    assert live.places == tuple(sorted(live.facts))
    if live.current:
        assert len(live.facts) == len(_within_forms(told))


@given(TEXTS, TEXTS, TEXTS)
def test_an_edit_before_and_one_after_leave_what_is_between(before: str, kept: str, after: str) -> None:
    if any(snapshot(text).tree.problems or "#_" in text for text in (before, kept, after)):
        return
    middle = f"(unique 1)\n{kept}\n(unique 2)"
    told = everything(f"(first 1)\n{before}\n{middle}\n{after}\n(last 1)")
    new = f"(first 2)\n{middle}\n(last 2)"
    live = carry_over(told, 2, snapshot(new).forms)
    whole = everything(new)
    at = span(new, middle)
    assert {place for place in live.facts if at.contains(place)} >= {
        place for place in _within_forms(whole) if at.contains(place)
    }


@given(TEXTS)
def test_unchanged_text_keeps_everything(text: str) -> None:
    told = everything(text)
    live = carry_over(told, 1, snapshot(text).forms)
    assert live.current and dict(live.facts) == {at: told.facts[at] for at in _within_forms(told)}
    assert live.problems == told.problems


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_put_between_takes_nothing(before: str, between: str, after: str) -> None:
    """Where both halves and what is put between them are whole forms, all facts of both are kept."""
    if any(snapshot(text).tree.problems for text in (before, between, after)) or "#_" in before + between:
        return
    told = everything(f"{before}\n{after}")
    live = carry_over(told, 2, snapshot(f"{before}\n{between}\n{after}").forms)
    assert len(live.facts) == len(_within_forms(told))


def test_a_fix_moves_with_the_forms_that_it_changes() -> None:
    fix = Fix("Make it 1", (Change(span(TEXT, "x"), "1"), Change(span(TEXT, "z"), "1")))
    problem = Problem("shape", "error", "no", span(TEXT, "y"), fixes=(fix,))
    told = report(TEXT, problems=(problem,))
    new = "; moved\n" + TEXT
    (moved,) = carry_over(told, 2, snapshot(new).forms).problems
    assert [new[change.span.start : change.span.end] for change in moved.fixes[0].changes] == ["x", "z"]
    (left,) = carry_over(told, 2, snapshot(TEXT.replace("(c", "(cc")).forms).problems
    assert left.fixes == ()


@pytest.mark.parametrize(("new", "kept"), [("(a\n (f x))", True), ("(a (f  x))", False), ("( a (f x) ; x\n )", True)])
def test_a_fix_that_writes_again_what_it_replaces_needs_that_as_it_was(new: str, kept: bool) -> None:
    text = "(a (f x))"
    fix = Fix("Take its transpose", (Change(span(text, "(f x)"), "(.t (f x))"),))
    told = report(text, problems=(Problem("shape", "error", "no", span(text, "(f x)"), fixes=(fix,)),))
    (problem,) = carry_over(told, 2, snapshot(new).forms).problems
    assert [new[change.span.start : change.span.end] for one in problem.fixes for change in one.changes] == (
        ["(f x)"] if kept else []
    )
