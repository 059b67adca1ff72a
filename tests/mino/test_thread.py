"""The threading macros: what they expand to, what the expansions evaluate to, and where their errors point."""

import json
from pathlib import Path

import hy
import pytest

GOLDEN = json.loads((Path(__file__).parent / "golden_thread.json").read_text(encoding="utf-8"))


class Opaque:
    """A name whose value, called, is the text of the call."""

    def __init__(self, name):
        self.name = name

    def __call__(self, *arguments):
        return Opaque(f"({' '.join([self.name, *map(shown, arguments)])})")

    def __getattr__(self, name):
        return Opaque(f"{self.name}.{name}")


def shown(value):
    if isinstance(value, list):
        return f"[{' '.join(map(shown, value))}]"
    return value.name if isinstance(value, Opaque) else str(value)


OPAQUE = "x y z w b h f g inc dec relu F nn torch"
NAMES = {name: Opaque(name) for name in OPAQUE.split()} | {"p": True, "q": False}


@pytest.mark.parametrize("macro", sorted({case["macro"] for case in GOLDEN}))
def test_golden_values(run, macro):
    cases = [case for case in GOLDEN if case["macro"] == macro]
    assert len(cases) == 40
    for case in cases:
        assert shown(run(case["form"], **NAMES)) == case["value"], case["form"]


@pytest.mark.parametrize(
    ("form", "expansion"),
    [
        ("(-> x (@ weights) (+ bias))", "(+ (@ x weights) bias)"),
        ("(-> x layer torch.sigmoid F.relu)", "(F.relu (torch.sigmoid (layer x)))"),
        ("(-> x .size len (= 1))", "(= (len (.size x)) 1)"),
        ("(-> (torch.empty 3) (.normal_ :mean 0))", "(.normal_ (torch.empty 3) :mean 0)"),
        ("(-> d :key)", "(:key d)"),
        ("(-> [1 2] len)", "(len [1 2])"),
        ("(->> xs (map f) list)", "(list (map f xs))"),
        ("(*-> [x y] +)", "(+ x y)"),
        ("(*-> x [inc dec])", "[(inc x) (dec x)]"),
        ("(*->> [x y] (f a))", "(f a x y)"),
        ("(|-> [x y] [inc dec])", "[(inc x) (dec y)]"),
        ("(cond-> x)", "x"),
    ],
)  # fmt: skip
def test_expansion(run, form, expansion):
    assert run.expand(form) == expansion


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("(->)", ("`->` has nothing to thread: write (-> value step…)", 1, 1, 1, 5)),
        ("(-> x [f])", (
            "`[f]` is not a step of `->`: a step is a name or a form, such as f or (f a). "
            "Lists are threaded by *-> and |->", 1, 7, 1, 10)),
        ("(-> x 3)", ("`3` is not a step of `->`: a step is a name or a form, such as f or (f a)", 1, 7, 1, 8)),
        ("(*-> x [])", ("this list of `*->` is empty: write at least one step in it", 1, 8, 1, 10)),
        ("(|-> [x y]\n  [f g h])", (
            "`|->` threads 2 branches into a list of 3 steps: write 2 steps, one a branch", 2, 3, 2, 10)),
        ("(cond-> x a f b)", ("the test `b` of `cond->` has no form: write a step after it", 1, 15, 1, 16)),
    ],
)  # fmt: skip
def test_error(run, form, error):
    assert run.error(form) == error


def ranges(form, found):
    """The source range of each expression of `form`, by its text."""
    if isinstance(form, hy.models.Sequence):
        found[hy.repr(form).removeprefix("'")] = (
            form.start_line, form.start_column, form.end_line, form.end_column)  # fmt: skip
        for part in form:
            ranges(part, found)
    return found


def test_a_step_s_form_has_the_range_of_the_step(run):
    text = "(-> (f x)\n    (@ weights)\n    torch.sigmoid)"
    found = ranges(hy.macroexpand(hy.read(text), module=run.module), {})
    assert found["(torch.sigmoid (@ (f x) weights))"] == (3, 5, 3, 17)
    assert found["(@ (f x) weights)"] == (2, 5, 2, 15)
    assert found["(f x)"] == (1, 5, 1, 9)


@pytest.mark.parametrize("count", [64, 65, 2000])
def test_a_long_thread_runs(run, count):
    assert run(f"(-> 0 {'(+ 1) ' * count})") == count
    assert run.expand(f"(-> 0 {'(+ 1) ' * count})").startswith("(+ " if count <= 64 else "(do ")


@pytest.mark.parametrize(
    "form", ["(*-> (f) [g h] k)", "(|-> (f) [g h] k)", "(=-> (f) g h k)", "(cond-> (f) 1 g 1 h 1 k)"]
)
def test_each_step_is_called_once(run, form):
    calls = []
    steps = {name: (lambda *_, name=name: calls.append(name)) for name in "fgh"}
    run(form, k=lambda *_: None, **steps)
    assert calls == ["f", "g", "h"]
