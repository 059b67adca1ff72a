"""Generators: what a spec generates conforms to it, repeatably, under fake tensors too."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses import FakeTensorMode

from mino import check
from mino.specs.construction import Making
from mino.specs.generators import constructed

AXES = st.lists(st.one_of(st.integers(0, 4), st.sampled_from(["n", "d", "k", "_"])), max_size=4)


@st.composite
def patterns(draw):
    axes = draw(AXES)
    if draw(st.booleans()):
        axes.insert(draw(st.integers(0, len(axes))), "…")
    return axes


@st.composite
def tensors(draw):
    dtype = draw(st.sampled_from([None, ":float", ":int", ":bool", ":complex", torch.float16, torch.uint8]))
    bounds = draw(st.sampled_from([{}, {"min": 0, "max": 3}, {"finite": True}])) if dtype in (None, ":float") else {}
    grad = draw(st.sampled_from([None, True, False])) if dtype in (None, ":float") else None
    return check.tensor(draw(patterns()), dtype=dtype, requires_grad=grad, **bounds)


def specs():
    leaves = st.one_of(
        tensors(),
        st.sampled_from([int, str, float, bool]).map(check.spec),
        st.lists(st.integers(), min_size=1, max_size=3).map(lambda values: check.enum(*values)),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda each: check.tuple_(*each)),
            st.lists(inner, min_size=1, max_size=3).map(lambda each: check.or_(*each)),
            st.lists(inner, min_size=1, max_size=3).map(
                lambda each: check.or_(*((f":t{index}", one) for index, one in enumerate(each)))
            ),
            st.lists(inner, max_size=3).map(
                lambda each: check.cat(*((f":c{index}", one) for index, one in enumerate(each)))
            ),
            st.dictionaries(st.sampled_from(["a", "b-c", "d"]), inner, max_size=3).map(check.keys),
            inner.map(check.nilable),
            inner.map(lambda one: check.coll_of(one, max_count=3)),
            inner.map(lambda one: check.dict_of(str, one, max_count=2)),
            inner.map(lambda one: check.and_(one, lambda value: True)),
        ),
        max_leaves=6,
    )


@settings(max_examples=200, deadline=None)
@given(specs(), st.integers(0, 1000))
def test_what_a_spec_generates_conforms_to_it(spec, seed):
    value = constructed(spec, Making(random.Random(seed)))
    assert check.explain_data(spec, value) == ()
    check.conform(spec, value)


@settings(max_examples=100, deadline=None)
@given(specs(), st.integers(0, 1000))
def test_a_seed_makes_the_same_value_again(spec, seed):
    assert repr(check.generate(spec, seed=seed)) == repr(check.generate(spec, seed=seed))


@settings(max_examples=100, deadline=None)
@given(specs(), specs(), st.integers(0, 1000))
def test_a_value_conforms_or_has_problems_and_never_both(one, other, seed):
    value = check.generate(other, seed=seed)
    problems = check.explain_data(one, value)
    assert check.valid(one, value) is not bool(problems)
    assert all(str(problem) and problem.path is not None for problem in problems)


@settings(max_examples=100, deadline=None)
@given(patterns(), st.lists(st.integers(0, 4), max_size=5))
def test_a_pattern_matches_as_a_search_through_all_its_readings_does(axes, sizes):
    assert check.valid(check.tensor(axes), torch.empty(sizes)) is _matches(axes, sizes, {})


def _matches(axes, sizes, names):
    if not axes:
        return not sizes
    first, *rest = axes
    if first == "…":
        return any(_matches(rest, sizes[count:], dict(names)) for count in range(len(sizes) + 1))
    if not sizes or (isinstance(first, int) and first != sizes[0]):
        return False
    if isinstance(first, str) and first != "_" and names.setdefault(first, sizes[0]) != sizes[0]:
        return False
    return _matches(rest, sizes[1:], names)


@pytest.fixture
def table(run):
    with check.temporary():
        run("""
(import torch)
(spec/def :odd (fn [n] (% n 2))  :bias (spec/and (spec/tensor [n] :dtype :float) (fn [x] (-> x .size len (= 1)))))
(spec/defgen :odd [n [times 2]] (+ 1 (* times n)))
(spec/def :tree (spec/or :leaf int :node (spec/coll-of :tree)))
(spec/def :endless (spec/tuple :endless))
(spec/def :settings (spec/keys :req-un [:odd] :opt-un [:bias]))
""")
        yield run


BAD = [
    ("(spec/gen :odd)", TypeError, "the generator of :odd takes [n [times …]], and was given 0 arguments"),
    ("(spec/gen :odd 1 2 3)", TypeError, "(too many positional arguments): write (spec/gen :odd n [times …]) ("),
    ("(spec/gen :odd :m 1)", TypeError, "and was given :m (missing a required argument: 'n')"),
    ("(spec/gen :odd 1 :times 1)", ValueError, "2, made by the generator of :odd, does not conform to :odd."),
    ("(spec/gen :even)", LookupError, "no spec is registered as :even"),
    ("(spec/gen :endless)", LookupError, ":endless refers to itself in every value that could be made of it"),
    ("(spec/gen (fn [x] True))", LookupError, "True has no generator: register it under a keyword, and define one"),
    ("(spec/gen (spec/and int (fn [x] False)))", LookupError, "none of 100 values of int conforms to"),
    ("(spec/gen (spec/tensor [n]) 3)", TypeError, "the sizes of names are keywords, such as :n 3"),
    ("(spec/gen :settings)", TypeError, "the generator of :odd takes [n [times …]], and was given 0 arguments"),
]


@pytest.mark.parametrize(("form", "kind", "text"), BAD)
def test_what_cannot_be_made(table, form, kind, text):
    with pytest.raises(kind) as caught:
        table(form)
    assert text in str(caught.value)


def test_a_generator_that_makes_wrong_data_is_reported_as_such(table):
    table("(spec/defgen :odd [] 4)")
    with pytest.raises(check.SpecError) as caught:
        table("(spec/gen :odd)")
    assert str(caught.value) == (
        "4, made by the generator of :odd, does not conform to :odd.\n  expected :odd, (% n 2); found 4"
    )


def test_names_have_one_size_throughout_a_value_and_can_be_given(table):
    x, w = table("(spec/gen (spec/tuple (spec/tensor [batch n]) (spec/tensor [n 4])) :batch 7)")
    assert x.shape[0] == 7 and x.shape[1] == w.shape[0] and w.shape[1] == 4
    assert table("(spec/gen :bias :n 5)").shape == (5,)


def test_seeds_leave_the_random_state_as_it_was(table):
    torch.manual_seed(5)
    random.seed(5)
    expected = torch.rand(1), random.random()
    torch.manual_seed(5)
    random.seed(5)
    one = table("(spec/gen (spec/tensor [n 3]) :seed 1)")
    assert (torch.rand(1), random.random()) == expected
    assert torch.equal(one, table("(spec/gen (spec/tensor [n 3]) :seed 1)"))


def test_recursive_specs_are_made_to_an_end(table):
    assert all(table(f"(spec/valid? :tree (spec/gen :tree :seed {seed}))") for seed in range(50))


def test_generators_work_under_fake_tensors(table):
    with FakeTensorMode():
        table("(setv pair (spec/tuple (spec/tensor [n 3] :min 0 :finite True) (spec/tensor [3] :requires-grad True)))")
        x, w = table("(spec/gen pair :seed 0)")
        assert type(x).__name__ == "FakeTensor" and w.requires_grad
        assert table("(spec/valid? (spec/and (spec/tensor [_ 3]) (fn [x] (> (.item (.sum x)) 0))) x)", x=x)
    with pytest.raises(check.SpecError), FakeTensorMode():
        table("(spec/conform (spec/tensor [_ 4]) (torch.ones 2 3))")


def test_a_device_without_a_number_is_any_of_its_type():
    with FakeTensorMode():
        there = torch.empty(3, device="cuda")
    assert check.valid(check.tensor(device="cuda"), there) and check.valid(check.tensor(device="cuda:0"), there)
    assert not check.valid(check.tensor(device="cuda:1"), there) and not check.valid(check.tensor(device="cpu"), there)
