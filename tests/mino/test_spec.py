"""Specs: what conforms, and the problems of what does not."""

import pickle
import threading

import hy
import pytest
import torch
from torch import nn

import mino
from mino import check

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
    with check.temporary():
        run(SPECS)
        yield run


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


def test_the_registry_is_listed_looked_up_and_changed_back(specs):
    before = specs("(spec/registry)")
    assert hy.models.Keyword("rank1") in before and ":rank1" in before and ":rank9" not in before
    specs("(setv old (spec/registry :rank1))")
    specs("(spec/def :rank1 (fn [x] False))")
    assert not specs("(spec/valid? :rank1 (torch.ones 3))")
    assert before[":rank1"] is specs("old") is not check.registered(":rank1")
    specs("(spec/def :rank1 old)")
    assert specs("(spec/valid? :rank1 (torch.ones 3))")
    specs("(spec/undef :rank1 :rank2)")
    assert ":rank1" not in check.registered()
    check.restore(before)
    assert specs("(spec/valid? :rank1 (torch.ones 3))")
    assert dict(check.registered()) == dict(before)


def test_a_spec_may_be_defined_after_what_refers_to_it_and_redefined(specs):
    specs("(spec/def :later-user (spec/coll-of :later))")
    with pytest.raises(LookupError, match="no spec is registered as :later"):
        specs("(spec/valid? :later-user [1])")
    specs("(spec/def :later int)")
    assert specs("(spec/valid? :later-user [1])")
    specs("(spec/def :later str)")
    assert not specs("(spec/valid? :later-user [1])")


def test_specs_are_frozen_values(specs):
    one, other = specs("[(spec/and :a (spec/tensor [n 3])) (spec/and :a (spec/tensor [n 3]))]")
    assert one == other and hash(one) == hash(other) and one != specs("(spec/and :a (spec/tensor [n 4]))")
    with pytest.raises(AttributeError):
        one.specs = ()


def test_values_that_hold_themselves_are_checked_to_an_end(specs):
    specs("(spec/def :nest (spec/coll-of :nest))")
    specs("(setv ring []) (.append ring [ring])")
    assert specs("(spec/valid? :nest ring)")
    specs("(.append (get ring 0) 3)")
    (problem,) = specs("(spec/explain-data :nest ring)")[:1]
    assert problem.in_[-1] == 1


def test_assertions_are_off_until_they_are_switched_on(specs):
    assert specs("(spec/check-asserts)") is False
    assert specs('(spec/assert :rank1 "a")') == "a"
    try:
        assert specs("(spec/check-asserts True)") is True
        with pytest.raises(mino.SpecError, match="expected :rank1"):
            specs('(spec/assert :rank1 "a")')
        specs("(setv calls [])")
        specs("(spec/assert int (do (.append calls 1) 3))")
        assert specs("calls") == [1]
    finally:
        specs("(spec/check-asserts False)")


def test_forms_and_descriptions(specs):
    specs("(spec/def :pos (spec/and int (fn [x] (> x 0))))")
    assert hy.repr(specs("(spec/form :pos)")) == "'(spec/and int (fn [x] (> x 0)))"
    assert hy.repr(specs("(spec/describe :pos)")) == "'(spec/and int (> x 0))"
    assert hy.repr(specs("(spec/form (spec/or :a :pos :b (spec/tensor [n …] :dtype :float)))")) == (
        "'(spec/or :a :pos :b (spec/tensor [n …] :dtype :float))"
    )


def test_python_calls_the_same_functions():
    with check.temporary():
        check.define(":size", check.and_(int, lambda size: size > 0))
        check.define("layer", check.parameters(weight=check.tensor(["n", "d"]), bias=check.tensor(["n"])))
        assert check.valid(":layer", nn.Linear(2, 3)) and check.valid(hy.models.Keyword("size"), 3)
        assert not check.valid(":size", 0)
        assert check.conform(check.keys({"learning_rate": float}), {"learning-rate": 0.1}) == {"learning-rate": 0.1}


def test_many_threads_define_check_and_undefine(specs):
    failures = []

    def work(number):
        try:
            for turn in range(200):
                check.define(f":thread-{number}", check.spec(int))
                assert check.valid(f":thread-{number}", turn)
                assert len(check.registered()) >= 5
                check.undefine(f":thread-{number}")
        except Exception as error:  # noqa: BLE001 - told below, in the thread of the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and not any(str(keyword).startswith(":thread") for keyword in check.registered())


def test_an_assertion_expands_to_one_test_of_a_flag_around_the_check(specs):
    expansion = specs.expand("(spec/assert :rank1 (f x))")
    name = expansion.split("(setv ")[1].split(" ")[0]
    assert expansion == (
        f"(do (setv {name} (f x)) (when _mino_check.asserting"
        f' (_mino_check.assert- ":rank1" {name} #(None 1 14 1 19))) {name})'
    )
