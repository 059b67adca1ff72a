"""Code as data: the sub-forms that conform to a spec, found and replaced."""

import hy
import pytest

from mino import check

CALLS = "(spec/cat :function (spec/enum 'relu 'tanh) :x hy.models.Object)"
FOUND = [
    (CALLS, "'(+ (relu x) (tanh (relu 3)))", "['(relu x) '(tanh (relu 3)) '(relu 3)]"),
    ("hy.models.Integer", "'(+ 1 [2 {3 4}])", "['1 '2 '3 '4]"),
    ("(spec/enum 'x)", "'x", "['x]"),
    ("(spec/enum 'x)", '"(f x)"', "['x]"),
    ("(spec/enum 'z)", "'(f x)", "[]"),
    ("(spec/enum 'x)", "(mu [x w] (-> x (@ w)))", "['x 'x]"),
]
REPLACED = [
    (CALLS, "'(+ (relu x) (tanh (relu 3)))", "(fn [form] `(gelu ~(get form 1)))", "'(+ (gelu x) (gelu (relu 3)))"),
    ("(spec/enum 'x)", "'(f x [x])", "'(g y)", "'(f (g y) [(g y)])"),
    ("(spec/enum 'x)", "'(f y)", "'z", "'(f y)"),
    ("hy.models.Integer", "'(f 1 2)", "(fn [n] (+ n 1))", "'(f 2 3)"),
    ("(spec/enum 'w)", "(mu [x w] (-> x (@ w)))", "'weights", "'(mu [x weights] (@ x weights))"),
]


@pytest.mark.parametrize(("spec", "form", "found"), FOUND)
def test_search(run, spec, form, found):
    assert hy.repr(run(f"(spec/search {spec} {form})")) == hy.repr(run(found))


@pytest.mark.parametrize(("spec", "form", "by", "expected"), REPLACED)
def test_replace(run, spec, form, by, expected):
    assert hy.repr(run(f"(spec/replace {spec} {form} {by})")) == hy.repr(run(expected))


def test_what_is_replaced_keeps_its_place_and_the_form_is_unchanged():
    form = hy.read("(f x (g x))")
    new = check.replace(check.enum(hy.models.Symbol("x")), form, hy.models.Symbol("y"))
    assert hy.repr(form) == "'(f x (g x))" and hy.repr(new) == "'(f y (g y))"
    assert [(each.start_column, each.end_column) for each in (new[1], new[2], new[2][1])] == [(4, 4), (6, 10), (9, 9)]


def test_a_model_is_revived_from_what_replaced_it(run):
    import torch

    import mino

    new = run("(spec/replace (spec/enum '+) (mu [x w] (+ x w)) '*)")
    x = torch.tensor([2.0, 3.0])
    assert torch.equal(mino.from_form(new)(x, x), x * x)


def test_what_is_no_form(run):
    with pytest.raises(TypeError, match="what is searched is a quoted form, the text of one, or a mu; found 3"):
        run("(spec/search int 3)")
