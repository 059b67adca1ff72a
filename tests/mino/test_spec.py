"""Specs: what conforms, and the problems of what does not."""

import pickle

import pytest
import torch
from torch import nn

import mino

SPECS = """
(import torch)
(defmu Linear [x weights bias] (-> x (@ weights) (+ bias)))
(spec/def :tensor (fn [x] (isinstance x torch.Tensor))
          :learnable (fn [x] x.requires_grad)
          :rank1 (fn [x] (-> x .size len (= 1)))
          :rank2 (fn [x] (-> x .size len (= 2))))
(spec/def :Linear (spec/parameters weights (spec/and :tensor :learnable :rank2)
                                   bias (spec/and :tensor :learnable :rank1)))
(spec/def :Net (spec/modules the-layer :Linear))
(spec/defgen :Linear [#* sizes]
  (Linear :weights (torch.nn.Parameter (torch.randn 3 2))
          :bias (torch.nn.Parameter (torch.randn #* sizes))))
"""


@pytest.fixture
def specs(run):
    run(SPECS)
    return run


def test_generated_values_conform(specs):
    model = specs("(spec/gen :Linear 2)")
    assert specs("(spec/valid? :Linear m)", m=model) is True
    assert specs("(spec/conform :Linear m)") is model


def test_a_generator_s_value_is_checked(specs):
    with pytest.raises(mino.SpecError) as caught:
        specs("(spec/gen :Linear 1 32)")
    assert str(caught.value) == (
        "module Linear, made by the generator of :Linear, does not conform to :Linear.\n"
        "  bias: expected :rank1, (-> x .size len (= 1)); found Parameter [1 32] float32, rank 2"
    )
    (problem,) = caught.value.problems
    assert problem.via == (":Linear", ":rank1")
    assert problem.in_ == ("bias",)
    assert problem.path == (":Linear", "spec/parameters", "bias", "spec/and", ":rank1")
    assert (problem.where.line, problem.where.column) == (6, 18)
    assert problem.object.shape == (1, 32)


def test_problems_are_collected_across_components_and_lead_into_modules(specs):
    model = specs(
        "(bind (mu [x the-layer] (the-layer x)) :the-layer (Linear :bias (torch.zeros 2) :weights w))",
        w=nn.Parameter(torch.ones(3)),
    )
    with pytest.raises(ValueError) as caught:
        specs("(spec/conform :Net m)", m=model)
    assert [str(problem) for problem in caught.value.problems] == [
        "the-layer.weights: expected :rank2, (-> x .size len (= 2)); found Parameter [3] float32, rank 1",
        "the-layer.bias: expected a parameter; found Tensor [2] float32, rank 1"
        " (it is a buffer: spec/buffers looks there)",
    ]


def test_a_predicate_that_raises_has_failed(specs):
    with pytest.raises(mino.SpecError) as caught:
        specs("(spec/conform :rank1 3)")
    assert str(caught.value.problems[0]) == (
        "expected :rank1, (-> x .size len (= 1)); found 3 (AttributeError: 'int' object has no attribute 'size')"
    )


def test_problems_pickle_without_the_object(specs):
    with pytest.raises(mino.SpecError) as caught:
        specs("(spec/conform :tensor [1])")
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.problems == caught.value.problems
    assert str(error) == str(caught.value)
    assert error.problems[0].object is None


def test_an_unknown_keyword_names_the_nearest(specs):
    with pytest.raises(LookupError, match=r"no spec is registered as :tenser; did you mean :tensor\?"):
        specs("(spec/valid? :tenser 1)")
    with pytest.raises(LookupError, match=r":tensor has no generator: define one with"):
        specs("(spec/gen :tensor)")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("(spec/def :a)", ("`:a` of `spec/def` has no spec: write (spec/def :name spec …)", 1, 11, 1, 13)),
        ("(spec/def a 1)", ("`a` of `spec/def` is not a keyword: write (spec/def :name spec …)", 1, 11, 1, 12)),
        ("(spec/modules :a 1)", (
            "`:a` of `spec/modules` is not a component's name: write (spec/modules name spec …)", 1, 15, 1, 17)),
        ("(spec/gen)", ("`spec/gen` needs a spec, such as a keyword", 1, 1, 1, 11)),
    ],
)  # fmt: skip
def test_macro_error(specs, form, error):
    assert specs.error(form) == error
