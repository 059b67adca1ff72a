"""mu, defmu and bind: how components are bound, given and missed, and how mus print."""

import inspect
import pickle
import pydoc

import hy
import pytest
import torch
from torch import nn

import mino
from mino.reserved import RESERVED

LINEAR = '(defmu Linear [x weights bias] "A linear transformation." (-> x (@ weights) (+ bias)))'


@pytest.fixture
def linear(run):
    run(LINEAR)
    return run("(Linear :weights w :bias b)", w=nn.Parameter(torch.ones(2, 3)), b=torch.zeros(3))


def test_bound_components_are_used_and_may_be_given(linear):
    x = torch.ones(1, 2)
    assert torch.equal(linear(x), torch.full((1, 3), 2.0))
    assert torch.equal(linear(x, bias=torch.ones(3)), torch.full((1, 3), 3.0))
    assert torch.equal(linear(x, torch.zeros(2, 3), torch.ones(3)), torch.ones(1, 3))
    assert torch.equal(linear(x), torch.full((1, 3), 2.0))


def test_what_is_bound_is_registered_by_its_kind(run):
    model = run(
        "(bind (mu [x a-parameter a-module a-tensor a-number a-none] x)"
        " :a-parameter p :a-module m :a-tensor t :a-number 3 :a-none None)",
        p=nn.Parameter(torch.ones(1)), m=nn.Tanh(), t=torch.ones(2),
    )  # fmt: skip
    assert list(model._parameters) == ["a_parameter"]
    assert list(model._modules) == ["a_module"]
    assert list(model._buffers) == ["a_tensor"]
    assert (model.a_number, model.a_none) == (3, None)


def test_none_is_a_value(run):
    model = run("(bind (mu [x bias] (if (is bias None) x bias)) :bias None)")
    assert model(1) == 1
    assert model(1, bias=2) == 2
    assert run("(mu [x y] y)")(1, None) is None


def test_bind_makes_a_new_mu_that_shares_what_was_bound(linear):
    other = mino.bind(linear, bias=torch.ones(3))
    assert other is not linear
    assert other.weights is linear.weights
    assert torch.equal(linear.bias, torch.zeros(3))
    assert torch.equal(other(torch.ones(1, 2)), torch.full((1, 3), 3.0))
    assert type(other) is type(linear)


def test_missing_components_are_one_error_that_names_them_all(run):
    run(LINEAR)
    with pytest.raises(ValueError) as caught:
        run("((Linear :bias 1))")
    assert str(caught.value) == (
        "Linear [x weights bias] was called without its components x, weights: "
        "give a value in the call, or bind one with (bind m :x … :weights …)"
    )


def test_an_unknown_component_is_a_type_error_that_names_the_nearest(linear):
    for attempt in (lambda: mino.bind(linear, wieghts=1), lambda: type(linear)(wieghts=1)):
        with pytest.raises(TypeError) as caught:
            attempt()
        assert str(caught.value) == (
            "Linear has no component wieghts: its components are [x weights bias]; did you mean weights?"
        )


def test_constructing_by_position_says_what_to_write(linear):
    with pytest.raises(TypeError) as caught:
        type(linear)(1, 2)
    assert str(caught.value) == "Linear is constructed with its components by keyword: write (Linear :bias …)"


@pytest.mark.parametrize(
    ("body", "procedure"),
    [
        ("(-> x (f (-> y g)) h)", "(h (f x (g y)))"),
        ("(when x (-> x f))", "(when x (f x))"),
        ("(lfor a [(-> x f)] (-> a g))", "(lfor a [(f x)] (g a))"),
        ("'(-> x f)", "'(-> x f)"),
        ("(. x (bind (-> y f)) [(-> y g)])", "(. x (bind (f y)) [(g y)])"),
        ("(. x (-> 1))", "(. x (-> 1))"),
        ("(mu [y] (-> y f))", "(mu [y] (f y))"),
        ("{(-> x f) #((-> y g))}", "{(f x) #((g y))}"),
        ('"text" (setv z (-> x f)) z', "(setv z (f x)) z"),
    ],
)
def test_the_procedure_is_shown_expanded(run, body, procedure):
    assert run(f"(mu [x y] {body})").__procedure__ == procedure


def test_bind_of_what_is_no_mu():
    with pytest.raises(TypeError, match="bind takes a mu and components by keyword; Tanh is no mu"):
        mino.bind(nn.Tanh(), x=1)


def test_bind_of_a_class_of_mus(linear):
    with pytest.raises(TypeError, match=r"Linear is a class of mus: write \(Linear :component value …\)"):
        mino.bind(type(linear), bias=1)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("(defmu)", ("`defmu` needs a name: write (defmu Name [x …] body…)", 1, 1, 1, 8)),
        ("(defmu A x)", ("a mu needs a list of components: write (defmu Name [x …] body…)", 1, 10, 1, 11)),
        ("(defmu A [x])", (
            "this mu has no body: write what it computes, (defmu Name [x] body…)", 1, 1, 1, 14)),
        ("(mu [x y\n x] x)", ("the component `x` is there twice: write each component once", 2, 2, 2, 3)),
        ("(mu [a-b a_b] 1)", ("the component `a_b` is there twice: write each component once", 1, 10, 1, 13)),
        ("(mu [x [y 3]] x)", (
            "`[y 3]` is not a component: a component is a symbol; give it a value with (bind m :name value)",
            1, 8, 1, 13)),
        ("(mu [self] 1)", (
            "`self` is the name of the mu itself: choose another for the component", 1, 6, 1, 10)),
        ("(mu [x type] 1)", (
            "`type` is the name of an attribute of every torch.nn.Module: choose another for the component",
            1, 8, 1, 12)),
        ("(mu [None] 1)", (
            "`None` is a constant, not a name for a component: choose another", 1, 6, 1, 10)),
        ("(mu [x lambda] 1)", (
            "`lambda` is a keyword of Python's, which cannot name a component for all of torch: choose another",
            1, 8, 1, 14)),
        ("(mu [x * y] 1)", (
            "`*` is not a component: a component is given by position or by keyword; leave it out", 1, 8, 1, 9)),
        ("(mu [x / y] 1)", (
            "`/` is not a component: a component is given by position or by keyword; leave it out", 1, 8, 1, 9)),
        ("(bind m #* w)", (
            "`bind` takes pairs of a component's keyword and a value; `#* w` is no keyword: "
            "write (bind m :component #* w)", 1, 9, 1, 13)),
        ("(bind)", ("`bind` needs a mu: write (bind m :component value …)", 1, 1, 1, 7)),
        ("(bind m :a)", ("`:a` of `bind` has no value: write one after it", 1, 9, 1, 11)),
        ("(bind m a 1)", (
            "`bind` takes pairs of a component's keyword and a value; `a` is no keyword: write (bind m :component a)",
            1, 9, 1, 10)),
        ("(mu [x mu] (mu x))", (
            "`mu` is a component and a macro too, and here Hy would expand the macro: "
            "rename the component, or hand its value to another name and call that", 1, 12, 1, 18)),
        ("(mu [x mu] (-> x mu))", (
            "`mu` is a component and a macro too, and here Hy would expand the macro: "
            "rename the component, or hand its value to another name and call that", 1, 18, 1, 20)),
    ],
)  # fmt: skip
def test_macro_error(run, form, error):
    assert run.error(form) == error


def test_a_component_named_like_a_macro_is_a_value(run):
    assert run("(mu [x mu] (+ x mu))")(1, 2) == 3


def test_reserved_names_are_those_of_the_installed_torch():
    module = nn.Module()
    names = {*dir(module), *nn.Module.__annotations__}
    assert {name for name in names if not name.startswith("__")} <= RESERVED
    assert "self" in RESERVED


def test_components_may_carry_a_spec(run):
    model = run("(mu [x #^ :matrix weights] (@ x weights))")
    assert model.__components__ == ("x", "weights")


def test_printing(run):
    run(LINEAR + "(defmu Forward [x first-layer] (-> x first-layer torch.sigmoid))")
    inner = run("(Linear :weights w :bias b)", w=nn.Parameter(torch.ones(10, 32)), b=torch.zeros(32))
    model = run("(Forward :first-layer inner)", inner=inner)
    assert (
        repr(model)
        == f"""\
Forward(
  At: {id(model):#x}
  C: [x first-layer]
  λ: (torch.sigmoid (first-layer x))
  (first_layer): Linear(
    At: {id(inner):#x}
    C: [x weights bias]
    λ: (+ (@ x weights) bias)
    weights: (Parameter :size [10 32] :dtype torch.float32)
    bias: (Buffer :size [32] :dtype torch.float32)
  )
)"""
    )


def test_the_class_is_an_ordinary_one(run, linear):
    cls = type(linear)
    assert (cls.__name__, cls.__qualname__, cls.__module__) == ("Linear", "Linear", run.module.__name__)
    assert cls.__doc__ == "A linear transformation."
    assert cls.forward.__qualname__ == "Linear.forward"
    assert issubclass(cls, mino.Mu)


def test_the_sentinel_copies_and_pickles_as_itself():
    assert pickle.loads(pickle.dumps(mino.UNBOUND)) is mino.UNBOUND


def test_a_body_may_call_a_function_named_forward(run):
    model = run("(defn forward [x] (* 10 x)) (mu [x] (forward ((fn [] x))))")
    assert model(2) == 20
    assert type(model).forward.__code__.co_name == type(model).forward.__name__ == "forward"


def test_bind_takes_a_mapping(run):
    assert run('(bind (mu [x a-b c] [x a-b c]) :c 1 #** {"a-b" 2})')(0) == [0, 2, 1]


def test_what_is_bound_anew_keeps_its_place(run):
    model = run("(bind (mu [x w m b] x) :w p :b p :m n)", p=nn.Parameter(torch.ones(1)), n=nn.Linear(1, 1))
    other = mino.bind(model, w=nn.Parameter(torch.zeros(1)))
    assert [name for name, _ in other.named_parameters()] == ["w", "b", "m.weight", "m.bias"]
    assert torch.equal(other.w, torch.zeros(1))


def test_an_uninitialized_parameter_is_printed(run):
    model = run("(bind (mu [x w] x) :w w)", w=nn.UninitializedParameter())
    assert "w: (Parameter :size ? :dtype torch.float32)" in repr(model)
    model.w = nn.Parameter(torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]))
    assert "w: (Parameter :size ? :dtype torch.float32)" in repr(model)


def test_geta(run):
    x = torch.arange(120).reshape(2, 3, 4, 5)
    assert torch.equal(run("(geta x [:] [1] [1 :] [0 4 2])", x=x), x[:, 1, 1:, 0:4:2])
    assert torch.equal(run("(geta x ... [: 2] None)"), x[..., :2, None])
    assert run.error("(geta x [1 2 3 4])") == (
        "`[1 2 3 4]` is no slice: write [:], [i], [start :], [: stop], [start stop] or [start stop step]",
        1, 9, 1, 18)  # fmt: skip
    assert run.error("(geta x : 1)") == ("`:` alone is no index: write [:] for all of an axis", 1, 9, 1, 10)
    for form, written in (("[:2]", "[: 2]"), ("[::2]", "[: : 2]"), ("[1:]", "[1 :]"), ("[1:3]", "[1 : 3]")):
        sentence = f"Hy reads `{form[1:-1]}` as one name: write {written}"
        assert run.error(f"(geta x {form})") == (sentence, 1, 10, 1, 8 + len(form))


def test_apply(run):
    dataset = run("(mino/apply [1 2 3] (fn [x] (* 2 x)))")
    assert isinstance(dataset, torch.utils.data.Dataset)
    assert (len(dataset), dataset[1], list(dataset)) == (3, 4, [2, 4, 6])
    with pytest.raises(TypeError, match="mino/apply needs something sized and indexable; int has no length"):
        run("(mino/apply 3 f)", f=len)
    told = "`mino/apply` takes two forms, and here {}: write (mino/apply items function)"
    assert run.error("(mino/apply 1)") == (told.format("is 1"), 1, 1, 1, 15)
    assert run.error("(mino/apply)") == (told.format("are 0"), 1, 1, 1, 13)
    assert run.error("(mino/apply 1 f 3)") == (told.format("are 3"), 1, 17, 1, 18)


def test_torch_compile(linear):
    compiled = torch.compile(linear, fullgraph=True, backend="eager")
    x = torch.ones(1, 2)
    assert torch.equal(compiled(x), linear(x))


def test_signatures(run, linear):
    assert str(inspect.signature(type(linear))) == "(*, x=UNBOUND, weights=UNBOUND, bias=UNBOUND)"
    assert str(inspect.signature(linear)) == (
        "(x, weights=<Parameter [2 3] float32, rank 2>, bias=<Tensor [3] float32, rank 1>)"
    )
    assert str(inspect.signature(run("(bind (mu [x y] x) :x 1)"))) == "(x=<1>, y=UNBOUND)"


def test_help(linear):
    shown = pydoc.plain(pydoc.render_doc(type(linear)))
    assert "Linear(*, x=UNBOUND, weights=UNBOUND, bias=UNBOUND)" in shown
    assert "A linear transformation." in shown


def test_hyphenated_components(run):
    model = run("(bind (mu [x linear-to-hidden] (linear-to-hidden x)) :linear-to-hidden f)", f=abs)
    assert run("m.linear-to-hidden", m=model) is model.linear_to_hidden is abs
    assert model(-1) == 1
    assert model(-1, linear_to_hidden=float) == -1.0


def test_bind_keeps_state_but_no_hooks_and_no_compiled_call(linear):
    linear.eval().register_forward_hook(lambda *_: 1 / 0)
    linear._compiled_call_impl = lambda *_: 1 / 0
    other = mino.bind(linear)
    assert not other.training
    assert torch.equal(other(torch.ones(1, 2)), torch.full((1, 3), 2.0))


def test_binding_another_kind_replaces(linear):
    other = mino.bind(linear, weights=torch.ones(2, 3))
    assert not list(other.parameters())
    assert set(other.state_dict()) == {"weights", "bias"}
    assert mino.bind(other, bias=None).bias is None
    assert set(mino.bind(other, bias=None).state_dict()) == {"weights"}


def test_a_non_persistent_buffer_stays_one(run):
    model = run("(bind (mu [x b] x) :b t)", t=nn.Buffer(torch.ones(1), persistent=False))
    assert list(model._buffers) == ["b"]
    assert not model.state_dict()
    assert not mino.bind(model).state_dict()
    assert set(mino.bind(model, b=torch.ones(1)).state_dict()) == {"b"}


CAPTURING = """
(import torch.nn.functional :as F)
(setv factor 3)
(defn make [shift] (let [power 2] (mu [x] "A polynomial." (-> x (** power) (* factor) (+ shift) F.relu))))
"""


def test_an_anonymous_mu_is_pickled_with_what_it_captured(run):
    run(CAPTURING)
    model = run("(make 1)")
    text = pickle.dumps([model, model, run("(make 2)")])
    del run.module.factor
    first, same, second = pickle.loads(text)
    assert first is same
    x = torch.tensor(2.0)
    assert (first(x), second(x)) == (13, 14)
    assert type(first).__doc__ == "A polynomial."
    assert pickle.loads(pickle.dumps(first))(x) == 13


def test_mus_of_one_class_are_of_one_class_after_pickling(run):
    run("(setv m (mu [x w] (* x w)))")
    one, other = pickle.loads(pickle.dumps(run("[(bind m :w 1) (bind m :w 2)]")))
    assert type(one) is type(other)
    assert (one(3), other(3)) == (3, 6)


@pytest.mark.parametrize(
    "definition",
    [
        "(setv factorial (mu [n] (if (< n 2) 1 (* n (factorial (- n 1))))))",
        "(defn make [] (setv own (mu [n] (if (< n 2) 1 (* n (own (- n 1)))))) own) (setv factorial (make))",
        "(setv odd (mu [n] (if n (factorial (- n 1)) 1)) factorial (mu [n] (if (< n 2) 1 (* n (factorial (- n 1))))))",
    ],
)
def test_a_mu_that_calls_itself_is_pickled(run, definition):
    run(definition)
    text = pickle.dumps(run("factorial"))
    del run.module.factorial
    assert pickle.loads(text)(5) == 120


def test_a_mu_defined_in_a_function_is_pickled(run):
    model = run("(defn make [] (defmu Local [x] (+ x 1)) (Local)) (make)")
    other = pickle.loads(pickle.dumps(model))
    assert other(1) == 2
    assert type(other).__qualname__ == "make.<locals>.Local"


def test_from_form():
    model = mino.from_form("(mu [x w] (-> x (@ w) torch.relu))", {"torch": torch})
    assert torch.equal(model(torch.ones(1, 2), -torch.ones(2, 2)), torch.zeros(1, 2))
    assert mino.from_form(hy.read("(bind (mu [x k] (* x k)) :k 2)"))(3) == 6
    with pytest.raises(TypeError, match=r"the form of a mu is \(mu \[component…\] body…\); this one makes 3"):
        mino.from_form("(+ 1 2)")


def test_a_mu_from_a_form_is_compiled_and_exported():
    model = torch.nn.Sequential(mino.from_form("(mu [x] (-> x (* k)))", {"k": torch.tensor(3.0), "__name__": "torch"}))
    x = torch.ones(2)
    assert torch.equal(torch.compile(model, fullgraph=True, backend="eager")(x), 3 * x)
    assert torch.equal(torch.compile(model[0], fullgraph=True, backend="eager")(x), 3 * x)
    assert torch.equal(torch.export.export(model, (x,)).module()(x), 3 * x)


def test_a_compiled_mu_reads_what_it_captured_before_it_was_pickled(run):
    text = pickle.dumps(run("(mu [x] (* x k))", k=torch.tensor(3.0)))
    run.module.k = torch.tensor(100.0)
    model = nn.Sequential(pickle.loads(text))
    assert type(model[0]).__module__ == type(model[0]).forward.__module__ == run.module.__name__
    x = torch.ones(2)
    assert torch.equal(torch.compile(model, fullgraph=True, backend="eager")(x), 3 * x)


def test_geta_for_python():
    x = torch.arange(24).reshape(2, 3, 4)
    assert torch.equal(mino.geta(x, ..., [1], [0, 4, 2]), x[..., 1, 0:4:2])
    with pytest.raises(ValueError, match=r"\[1, 2, 3, 4\] is no slice"):
        mino.geta(x, [1, 2, 3, 4])


def test_a_body_of_several_forms_and_of_a_single_string(run):
    assert run("(mu [x] (setv y (+ x 1)) (* y 2))")(1) == 4
    assert run('(mu [x] "text")')(1) == "text"


def test_a_body_may_use_the_mu_itself(run):
    assert run("(.eval (mu [x] (if self.training x None)))")(1) is None


def test_a_class_whose_name_is_no_python_name_is_pickled_by_that_name(run):
    model = run("(defmu my-net? [x] (+ x 1)) (my-net?)")
    assert type(model).__name__ == "my-net?"
    assert repr(model).startswith("my-net?(")
    assert type(pickle.loads(pickle.dumps(model))) is type(model)


def test_a_parametrized_component_cannot_be_bound(linear):
    nn.utils.parametrizations.weight_norm(linear, "weights")
    before = linear.weights
    with pytest.raises(TypeError, match=r"computes its weights \(it is parametrized\): bind it before that"):
        mino.bind(linear, weights=nn.Parameter(torch.zeros(2, 3)))
    assert torch.equal(linear.weights, before)


def test_a_component_that_a_subclass_computes_cannot_be_bound(linear):
    computing = type("Computing", (type(linear),), {"weights": property(lambda self: torch.eye(2))})
    with pytest.raises(
        TypeError, match=r"^Computing computes its weights \(it is a property of the class\), so it can"
    ):
        computing(weights=1)


def test_a_subclass_s_extra_representation_is_printed(linear):
    shown = type("Sub", (type(linear),), {"extra_repr": lambda self: "more"})
    assert repr(shown()).splitlines()[-2:] == ["  more", ")"]


def test_geta_compiles(run):
    model = run("(mu [x] (geta x [:] [1] [1 :] ...))")
    x = torch.arange(24).reshape(2, 3, 4)
    assert torch.equal(torch.compile(model, fullgraph=True, backend="eager")(x), x[:, 1, 1:])
