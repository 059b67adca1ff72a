"""Threads against an evaluator of ten lines that knows nothing of expansions: values, and the calls in their order."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mino.steps import EXPANSIONS

NAMES = ["f", "g", "h", "F.relu"]
CASES = 1000

atoms = st.sampled_from(["x", "y", "z", "1", "2"])
tests = st.sampled_from(["True", "False", "p", "q"])
names = st.sampled_from(NAMES)
calls = st.tuples(names, st.lists(atoms, max_size=2)).map(lambda call: (call[0], *call[1]))
steps = names | calls
values = atoms | calls.map(lambda call: (call[0], *call[1:]))


def lists(elements, size=None):
    return st.lists(elements, min_size=size or 1, max_size=size or 3)


@st.composite
def threads(draw, macro):
    kind = macro.rstrip(">-")
    if kind == "cond":
        return [draw(values), *draw(st.lists(st.tuples(tests, steps), max_size=6))]
    if kind == "*":
        return [draw(values | lists(values)), *draw(st.lists(steps | lists(steps), max_size=6))]
    if kind == "|":
        width = draw(st.integers(1, 3))
        return [draw(values | lists(values, width)), *draw(st.lists(steps | lists(steps, width), max_size=6))]
    return [draw(values), *draw(st.lists(steps, max_size=6))]


def written(form):
    """The text of a form: lists in brackets, calls in parentheses, pairs of `cond->` beside each other."""
    if isinstance(form, list):
        return f"[{' '.join(map(written, form))}]"
    return f"({' '.join(form)})" if isinstance(form, tuple) else form


class Reference:
    """What each macro means, a line each; `log` holds the heads of the calls as they come."""

    def __init__(self, last):
        self.last, self.log = last, []

    def call(self, step, given):
        head, *own = step if isinstance(step, tuple) else (step,)
        self.log.append(head)
        return f"({' '.join([head, *own, *given] if self.last else [head, *given, *own])})"

    def start(self, form):
        if isinstance(form, list):
            return [self.start(each) for each in form]
        return self.call(form, []) if isinstance(form, tuple) else form

    def simple(self, value, step):
        return self.call(step, [value])

    def broadcast(self, value, step):
        given = value if isinstance(value, list) else [value]
        return [self.call(each, given) for each in step] if isinstance(step, list) else self.call(step, given)

    def inline(self, value, step):
        if not isinstance(value, list) and not isinstance(step, list):
            return self.call(step, [value])
        width = len(value if isinstance(value, list) else step)
        value, step = (each if isinstance(each, list) else [each] * width for each in (value, step))
        return [self.call(one, [each]) for one, each in zip(step, value, strict=True)]

    def conditional(self, value, pair):
        return self.call(pair[1], [value]) if pair[0] in ("True", "p") else value


RULES = {"": "simple", "*": "broadcast", "|": "inline", "=": "simple", "cond": "conditional"}


def shown(value):
    return f"[{' '.join(map(shown, value))}]" if isinstance(value, list) else str(value)


@pytest.mark.parametrize("macro", EXPANSIONS)
def test_a_thread_has_the_value_and_the_calls_of_its_meaning(run, macro):
    log = []

    class Opaque:
        def __init__(self, name):
            self.name = name

        def __call__(self, *given):
            log.append(self.name)
            return f"({' '.join([self.name, *map(shown, given)])})"

    run.module.__dict__.update({name: Opaque(name) for name in NAMES if "." not in name})
    run.module.F = type("F", (), {"relu": Opaque("F.relu")})
    run.module.__dict__.update({"x": "x", "y": "y", "z": "z", "p": True, "q": False})
    rule = RULES[macro.rstrip(">-")]

    @settings(max_examples=CASES, deadline=None)
    @given(threads(macro))
    def check(thread):
        first, *rest = thread
        reference = Reference(macro.endswith("->>"))
        value = reference.start(first)
        for step in rest:
            value = getattr(reference, rule)(value, step)
        parts = [" ".join(map(written, step)) if rule == "conditional" else written(step) for step in rest]
        log.clear()
        assert shown(run(f"({' '.join([macro, written(first), *parts])})")) == shown(value)
        # Branches of |-> are independent: a step of one may come before an earlier step of another.
        assert Counter(log) == Counter(reference.log) if rule == "inline" else log == reference.log

    check()
