"""The threading macros: what they expand to, what the expansions evaluate to, and where their errors point."""

import json
import re
from pathlib import Path

import hy
import pytest
import torch

from mino.steps import EXPANSIONS

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
        ("(-> x (. shape) (. T [0]))", "(. x.shape T [0])"),
        ("(-> d :key)", "(:key d)"),
        ("(-> [1 2] len)", "(len [1 2])"),
        ("(->> xs (map f) list)", "(list (map f xs))"),
        ("(->> (+ y 1) (fn [y]))", "(fn [y] (+ y 1))"),
        ("(-> 1 ((fn [y] y)))", "((fn [y] y) 1)"),
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
        ("(|-> [x #* y] f)", (
            "`|->` cannot count the branches of `#* y`: write each branch on its own", 1, 9, 1, 13)),
        ("(-> x (fn [y] y))", (
            "`(fn [y] y)` is not a step of `->`: a step is a name or a form, such as f or (f a). "
            "To call it, write ((fn [y] y))", 1, 7, 1, 17)),
        ("(*-> x [f (mu [y] y)])", (
            "`(mu [y] y)` is not a step of `*->`: a step is a name or a form, such as f or (f a). "
            "To call it, write ((mu [y] y))", 1, 11, 1, 21)),
        ("(->> x #* fs)", (
            "`#* fs` is not a step of `->>`: a step is a name or a form, such as f or (f a)", 1, 8, 1, 13)),
        ("(-> x 'f)", ("`'f` is not a step of `->`: a step is a name or a form, such as f or (f a)", 1, 7, 1, 9)),
        ("(-> x ())", (
            "`()` is not a step of `->`: a step is a name or a form, such as f or (f a)", 1, 7, 1, 9)),
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


def long_thread(macro, count):
    step = {"cond": "True (+ 1)", "*": "[(+ 1)] +", "|": "[(+ 1)]"}.get(macro.rstrip("->"), "(+ 1)")
    return f"({macro} 0 {f'{step} ' * count})"


@pytest.mark.parametrize("macro", EXPANSIONS)
def test_two_thousand_steps_compile_and_run_and_grow_linearly(run, macro):
    assert run(long_thread(macro, 2000)) == ([2000] if "|" in macro else 2000)
    forms = [hy.macroexpand_1(hy.read(long_thread(macro, count)), module=run.module) for count in (100, 2000)]
    short, long = (len(hy.repr(form)) for form in forms)
    assert long < 25 * short


def test_a_thread_of_up_to_64_steps_is_nested(run):
    assert run(long_thread("->", 64)) == 64
    assert run.expand(long_thread("->", 64)) == f"{'(+ ' * 64}0{' 1)' * 64}"
    assert run(long_thread("->", 65)) == 65
    assert run.expand(long_thread("->", 65)).startswith("(do ")


def test_what_is_used_twice_is_bound_once(run):
    assert run("(*-> (f 1) [g h] +)", f=lambda x: x + 1, g=lambda x: 10 * x, h=lambda x: x) == 22
    names = iter("st")
    expansion = run.expand("(*-> [(f x) y #* z] [g h])")
    for variable in dict.fromkeys(re.findall(r"_hy_gensym_step_\d+", expansion)):
        expansion = expansion.replace(variable, next(names))
    assert expansion == "(do (setv s (f x)) (setv t [#* z]) [(g s y #* t) (h s y #* t)])"
    assert run("(*-> [(f 1) #* (iter [5 6])] [+ min])", f=lambda x: x) == [12, 1]


def test_a_dropout_is_sampled_once(run):
    torch.manual_seed(0)
    run("(import torch torch.nn.functional :as F)")
    for form in ("(*-> (torch.ones 1000) F.dropout [torch.clone torch.clone])",
                 "(|-> (F.dropout (torch.ones 1000)) [torch.clone torch.clone])"):  # fmt: skip
        same, other = run(form)
        assert torch.equal(same, other)
        assert 300 < same.count_nonzero() < 700


def test_threads_nest(run):
    names = {name: lambda *given, name=name: (name, *given) for name in "fgh"}
    assert run("(*-> (f 1) [(g (*-> (f 2) [g h] f)) h] f)", **names) == (
        "f",
        ("g", ("f", 1), ("f", ("g", ("f", 2)), ("h", ("f", 2)))),
        ("h", ("f", 1)),
    )


def test_a_broadcast_is_fine_in_a_comprehension_and_in_a_function(run):
    assert run("(lfor y (*-> (abs -1) [(+ 1) (+ 2)]) (* 10 y))") == [20, 30]
    assert run("((fn [x] (*-> (abs x) [(+ 1) (+ 2)])) -1)") == [2, 3]


def test_every_test_of_cond_is_evaluated_once_and_in_order(run):
    calls = []

    def log(value, name):
        calls.append(name)
        return value

    run("(cond-> (log 0 1) (log True 2) (log 3) (log False 4) (log 5) (log True 6) (log 7))", log=log)
    assert calls == [1, 2, 3, 4, 6, 7]


ONCE = ["(*-> (f) [g h] k)", "(|-> (f) [g h] k)", "(=-> (f) g h k)", "(cond-> (f) 1 g 1 h 1 k)"]


@pytest.mark.parametrize("form", ONCE)
def test_each_step_is_called_once(run, form):
    calls = []
    steps = {name: (lambda *_, name=name: calls.append(name)) for name in "fgh"}
    run(form, k=lambda *_: None, **steps)
    assert calls == ["f", "g", "h"]
