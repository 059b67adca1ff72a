"""Specs that a mu's components carry: checked when bound, at calls while instrumented, and otherwise not there."""

import copy
import pickle

import pytest
import torch
from torch import nn

import mino
from mino import check

LINEAR = """
(import torch torch.nn :as nn)
(spec/def :bias (spec/tensor [d]))
(defmu Linear [x #^ (spec/tensor [n d] :dtype :float) weights #^ (spec/nilable :bias) the-bias]
  "A linear map."
  (-> x (@ weights) (+ the-bias)))
(defmu Checked [#^ (spec/tensor [batch n]) x #^ (spec/tensor [n d]) weights] (-> x (@ weights)))
(defn learnable [#* sizes] (nn.Parameter (torch.ones #* sizes)))
"""


@pytest.fixture
def linear(run):
    with check.temporary():
        run(LINEAR)
        yield run
        check.unstrument()


BOUND = [
    (
        "(Linear :weights (learnable 10 32) :the-bias (learnable 10))",
        """The components bound to Linear do not conform to its specs.
  the-bias: expected :bias, (spec/tensor [d]); found Parameter [10] float32, rank 1 (d is 32 by weights, 10 by the-bias)
    expected [d]
    found    [10]
              ^^ d is 32 by weights, 10 by the-bias""",
    ),
    (
        "(bind (Linear :weights (learnable 10 32)) :the-bias (learnable 1 32))",
        """The components bound to Linear do not conform to its specs.
  the-bias: expected :bias, (spec/tensor [d]); found Parameter [1 32] float32, rank 2 (rank 2, not 1)
    expected [d]
    found    [1 32]
             ^^^^^^ rank 2, not 1""",
    ),
    (
        "(Linear :weights (torch.arange 3))",
        """\
The components bound to Linear do not conform to its specs.
  weights: expected (spec/tensor [n d] :dtype :float); found Tensor [3] int64, rank 1 (rank 1, not 2; \
its dtype is torch.int64, not :float)
    expected [n d]
    found    [3]
             ^^^ rank 1, not 2""",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text"), BOUND)
def test_what_is_bound_is_checked(linear, form, text):
    with pytest.raises(mino.SpecError) as caught:
        linear(form)
    assert str(caught.value) == text
    assert isinstance(caught.value.problems[0].object, torch.Tensor)
    assert caught.value.problems[0].where.line == (4 if "weights:" in text else 3)


def test_what_conforms_is_bound_as_ever(linear):
    model = linear("(Linear :weights (learnable 10 32))")
    bound = linear("(bind m :the-bias (learnable 32))", m=model)
    assert set(bound.state_dict()) == {"weights", "the_bias"} and set(model.state_dict()) == {"weights"}
    assert linear("(bind m :the-bias None)", m=model).the_bias is None
    assert type(bound).__doc__ == "A linear map."
    for other in (copy.deepcopy(bound), pickle.loads(pickle.dumps(bound))):
        assert torch.equal(other(torch.ones(2, 10)), bound(torch.ones(2, 10)))


def test_calls_are_checked_only_while_instrumented(linear):
    model = linear("(Checked :weights (learnable 3 4))")
    made = type(model)
    with pytest.raises(RuntimeError):
        model(torch.ones(2, 5))
    with linear("(spec/instrument Checked)") as names:
        assert names == (f"{made.__module__}.Checked",)
        assert model(torch.ones(2, 3)).shape == (2, 4)
        with pytest.raises(mino.SpecError) as caught:
            model(torch.ones(2, 5))
        with pytest.raises(mino.SpecError):
            model(x=torch.ones(5))
        with pytest.raises(mino.SpecError, match="n is 3 by x, 5 by weights"):
            model(torch.ones(2, 3), torch.ones(5, 4))
    assert str(caught.value) == (
        "Checked was called with components that do not conform to its specs.\n"
        "  weights: expected (spec/tensor [n d]); found Parameter [3 4] float32, rank 2 (n is 5 by x, 3 by weights)\n"
        "    expected [n d]\n"
        "    found    [3 4]\n"
        "              ^ n is 5 by x, 3 by weights"
    )
    assert "__call__" not in made.__dict__
    with pytest.raises(RuntimeError):
        model(torch.ones(2, 5))


def test_hooks_and_subclasses_are_instrumented_too(linear):
    model = linear("(do (defclass Sub [Checked]) (Sub :weights (learnable 3 4)))")
    seen = []
    model.register_forward_hook(lambda *_: seen.append(1))
    with check.instrument("Check*"):
        model(torch.ones(2, 3))
        with pytest.raises(mino.SpecError):
            model(torch.ones(2, 5))
    assert seen == [1]


def test_a_mu_without_specs_has_none_to_pay_for(linear):
    plain = linear("(mu [x w] (-> x (@ w)))")
    assert type(plain).__specs__ is None and "__specs__" not in type(plain).__dict__
    assert type(linear("(Checked)")).__call__ is nn.Module.__call__


def test_shapes_are_checked_while_torch_compiles(linear):
    model = linear("(Checked :weights (learnable 3 4))")
    with check.instrument("Checked"):
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        assert compiled(torch.ones(2, 3)).shape == (2, 4)
        with pytest.raises(Exception, match="SpecError"):
            compiled(torch.ones(2, 5))
        torch._dynamo.reset()


def test_assertions_are_compiled_too(linear):
    linear("(spec/check-asserts True)")
    try:
        linear("(setv wanted (spec/and (spec/tensor [b 3] :min 9 :requires-grad True) (fn [x] (/ 1 0))))")
        linear("(defn f [x] (spec/assert wanted x) (* 2 x))")
        compiled = torch.compile(linear("f"), fullgraph=True, backend="eager")
        assert compiled(torch.ones(2, 3)).shape == (2, 3)
    finally:
        check.check_asserts(False)
        torch._dynamo.reset()


def test_a_class_that_was_defined_anew_is_instrumented_with_the_earlier_one(linear):
    earlier = linear("(Checked :weights (learnable 3 4))")
    linear("(defmu Checked [#^ (spec/tensor [batch n]) x #^ (spec/tensor [n d]) weights] (-> x (@ weights)))")
    later = linear("(Checked :weights (learnable 3 4))")
    with check.instrument("Checked"):
        for model in (earlier, later):
            with pytest.raises(mino.SpecError):
                model(torch.ones(2, 5))
    assert all("__call__" not in type(model).__dict__ for model in (earlier, later))
