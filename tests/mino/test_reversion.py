"""Models as expressions: what is written, that it makes the model again, and what is refused, with its sentence."""

import gc

import hy
import pytest
import torch
import torch.nn.utils.parametrize
from torch import nn

import mino

X = torch.linspace(-1, 1, 8).reshape(2, 4)

DEFINITIONS = """
(import torch math functools torch.nn :as nn torch.nn.functional :as F)
(defmu Linear [x weights bias] (-> x (@ weights) (+ bias)))
(defn linear [n m] (Linear :weights (nn.Parameter (torch.randn n m)) :bias (nn.Parameter (torch.randn m))))
(defmu FeedForward [x linear-to-hidden linear-to-output]
  (-> x linear-to-hidden torch.sigmoid linear-to-output))
(defmu Tied [x encode decode] (-> x (@ encode) torch.tanh (@ (.t decode))))
(defmu Two [x first second] (-> x first second))
(defmu Documented [x] "Twice its input." (* 2 x))
(defmu Scaled [x scale] (* x scale))
"""

OVERVIEW = (
    "(bind (mu [x linear-to-hidden linear-to-output] (linear-to-output (torch.sigmoid (linear-to-hidden x))))"
    " :linear-to-hidden (bind (mu [x weights bias] (+ (@ x weights) bias))"
    " :weights (torch.nn.Parameter (torch.empty #(10 32) :dtype torch.float32))"
    " :bias (torch.nn.Parameter (torch.empty #(32) :dtype torch.float32)))"
    " :linear-to-output (bind (mu [x weights bias] (+ (@ x weights) bias))"
    " :weights (torch.nn.Parameter (torch.empty #(32 1) :dtype torch.float32))"
    " :bias (torch.nn.Parameter (torch.empty #(1) :dtype torch.float32))))"
)

EMPTY = "(torch.empty #(2) :dtype torch.float32)"

# A model, and its text.
WRITTEN = [
    ("(FeedForward :linear-to-hidden (linear 10 32) :linear-to-output (linear 32 1))", OVERVIEW),
    ("(Linear)", "(mu [x weights bias] (+ (@ x weights) bias))"),
    ("(Documented)", '(mu [x] "Twice its input." (* 2 x))'),
    ("(.eval (Documented))", '(.eval (mu [x] "Twice its input." (* 2 x)))'),
    # Tensors: buffers, dtypes, gradients, devices, the order in memory, those that are not saved.
    ("(Scaled :scale (torch.zeros 2))", f"(bind (mu [x scale] (* x scale)) :scale {EMPTY})"),
    (
        "(Scaled :scale (nn.Parameter (torch.zeros 2 :dtype torch.float64) :requires-grad False))",
        "(bind (mu [x scale] (* x scale)) :scale"
        " (torch.nn.Parameter (torch.empty #(2) :dtype torch.float64) :requires-grad False))",
    ),
    (
        '(Scaled :scale (torch.zeros #() :device "meta"))',
        '(bind (mu [x scale] (* x scale)) :scale (torch.empty #() :dtype torch.float32 :device "meta"))',
    ),
    (
        "(Scaled :scale (.t (torch.zeros 2 3)))",
        "(bind (mu [x scale] (* x scale)) :scale (torch.empty-strided #(3 2) #(1 3) :dtype torch.float32))",
    ),
    (
        "(Scaled :scale (nn.Buffer (torch.tensor [0.1 -0.0 NaN]) :persistent False))",
        "(bind (mu [x scale] (* x scale)) :scale"
        " (torch.nn.Buffer (torch.tensor [0.10000000149011612 -0.0 NaN] :dtype torch.float32) :persistent False))",
    ),
    (
        "(let [k (nn.Buffer (torch.tensor 1) :persistent False)] (bind (Tied) :encode k :decode k))",
        "(let [shared-1 (torch.nn.Buffer (torch.tensor 1 :dtype torch.int64) :persistent False)]"
        " (bind (mu [x encode decode] (@ (torch.tanh (@ x encode)) (.t decode))) :encode shared-1 :decode shared-1))",
    ),
    # Values.
    *(
        (f"(Scaled :scale {value})", f"(bind (mu [x scale] (* x scale)) :scale {value})")
        for value in (
            "None",
            "2",
            "-2.5",
            "True",
            '"a \\"b\\" λ\\n"',
            'b"a"',
            "[1 [#(2 3)]]",
            '{"a" 1  2 [3]}',
            "#{1}",
            "...",
            "(frozenset #{1})",
            "(slice 1 2 None)",
            "(range 1 5 2)",
            "(complex 1.0 -0.0)",
            ":a",
            "'(f x)",
            "-Inf",
            "torch.float64",
            '(torch.device "cuda:1")',
            "(torch.Size [1 2])",
            "torch.channels-last",
            "torch.relu",
            "torch.nn.functional.gelu",
            "torch.nn.ReLU",
            "hy.I.math.sqrt",
            "hy.I.math",
            "hy.I.builtins.len",
            "(mu [x] x)",
            "(type (mu [x] x))",
        )
    ),
    # What is captured; modules of torch in full, unless their name is another variable's too.
    ("(let [s 2] (mu [x] (* x s)))", "(let [s 2] (mu [x] (* x s)))"),
    ("((fn [a-b] (mu [x] (+ x a-b))) [1 2])", "(let [a-b [1 2]] (mu [x] (+ x a-b)))"),
    ("(mu [x] (F.relu x :inplace False))", "(mu [x] (torch.nn.functional.relu x :inplace False))"),
    ("(mu [x] (. F [x] (F x) F))", "(mu [x] (. torch nn functional [x] (F x) F))"),
    ("(mu [x] (let [F 1] F) (F.relu x))", "(let [F torch.nn.functional] (mu [x] (let [F 1] F) (F.relu x)))"),
    ("(mu [x] #('F (F.relu x)))", "(let [F torch.nn.functional] (mu [x] #('F (F.relu x))))"),
    ("(mu [x] (math.sqrt x))", "(let [math hy.I.math] (mu [x] (math.sqrt x)))"),
    ('(mu [x] f"{(F.relu x) :.2f}")', '(mu [x] f"{(torch.nn.functional.relu x) :.2f}")'),
    (
        '(let [w 3] (mu [x] f"{x !r :>{w}.{w}}"))',
        '(let [w 3] (mu [x] f"{(.__format__ (.format "{!r}" x) f">{w}.{w}")}"))',
    ),
    # Torch's own modules.
    ("(nn.Linear 4 3 :bias False)", "(torch.nn.Linear 4 3 :bias False)"),
    ("(.double (nn.Linear 4 3))", "(torch.nn.Linear 4 3 :dtype torch.float64)"),
    ("(.requires-grad_ (nn.Linear 4 3) False)", "(.requires-grad_ (torch.nn.Linear 4 3) False)"),
    (
        "(let [l (nn.Linear 4 3)] (.requires-grad_ l.bias False) l)",
        "(let [it (torch.nn.Linear 4 3)] (.requires-grad_ it.bias False) it)",
    ),
    (
        "(let [t (nn.TransformerEncoderLayer 4 2)] (.eval t.self-attn) t)",
        "(let [it (torch.nn.TransformerEncoderLayer 4 2)] (setv it.self-attn.training False)"
        " (setv it.self-attn.out-proj.training False) it)",
    ),
    (
        "(let [t (nn.TransformerEncoder (nn.TransformerEncoderLayer 4 2) 2)] (setv (. t layers [1] dropout p) 0.5) t)",
        "(let [it (torch.nn.TransformerEncoder (torch.nn.TransformerEncoderLayer 4 2) 2)]"
        " (setv (. it layers [1] dropout) (torch.nn.Dropout)) it)",
    ),
    (
        "(Two :first (.eval (nn.Sequential (nn.Tanh) (nn.Dropout))) :second (nn.ReLU))",
        "(bind (mu [x first second] (second (first x))) :first"
        " (.eval (torch.nn.Sequential (torch.nn.Tanh) (torch.nn.Dropout))) :second (torch.nn.ReLU))",
    ),
    (
        "(let [m (Two :first (nn.ReLU) :second (nn.Tanh))] (setv m.training False) m)",
        "(let [it (bind (mu [x first second] (second (first x))) :first (torch.nn.ReLU) :second (torch.nn.Tanh))]"
        " (setv it.training False) it)",
    ),
    (
        '(nn.Sequential ((hy.I.collections.OrderedDict) .__class__ [#("b" (nn.ReLU)) #("a" (nn.Tanh))]))'.replace(
            "((hy.I.collections.OrderedDict) .__class__", "(hy.I.collections.OrderedDict"
        ),
        '(torch.nn.Sequential (hy.I.collections.OrderedDict [#("b" (torch.nn.ReLU)) #("a" (torch.nn.Tanh))]))',
    ),
    # What is shared.
    (
        "(let [w (nn.Parameter (torch.zeros 2))] (Tied :encode w :decode w))",
        f"(let [shared-1 (torch.nn.Parameter {EMPTY})]"
        " (bind (mu [x encode decode] (@ (torch.tanh (@ x encode)) (.t decode))) :encode shared-1 :decode shared-1))",
    ),
    (
        "(let [r (nn.ReLU)] (Two :first r :second (nn.Sequential r r)))",
        "(let [shared-1 (torch.nn.ReLU)] (bind (mu [x first second] (second (first x)))"
        " :first shared-1 :second (torch.nn.Sequential shared-1 shared-1)))",
    ),
    (
        "(let [e (nn.Embedding 2 3) l (nn.Linear 3 2 :bias False)] (setv l.weight e.weight) (Two :first e :second l))",
        "(let [shared-1 (torch.nn.Parameter (torch.empty #(2 3) :dtype torch.float32))]"
        " (bind (mu [x first second] (second (first x)))"
        " :first (let [it (torch.nn.Embedding 2 3)] (setv it.weight shared-1) it)"
        " :second (let [it (torch.nn.Linear 3 2 :bias False)] (setv it.weight shared-1) it)))",
    ),
    (
        "(let [w (nn.Parameter (torch.zeros 2))] (bind (mu [x y] (* x y w)) :y w))",
        f"(let [shared-1 (torch.nn.Parameter {EMPTY})] (bind (let [w shared-1] (mu [x y] (* x y w))) :y shared-1))",
    ),
]


@pytest.fixture
def defined(run):
    torch.manual_seed(0)
    run(DEFINITIONS)
    return run


@pytest.mark.parametrize(("model", "text"), WRITTEN)
def test_what_is_written(defined, revive, model, text):
    made = defined(model)
    assert hy.repr(mino.form(made)) == f"'{text}"
    revive(made)


def test_the_text_needs_no_more_than_two_lines(defined, python):
    model = defined("(FeedForward :linear-to-hidden (linear 4 3) :linear-to-output (.double (nn.Linear 3 1)))")
    program = f"(require mino.mu *)\n(import torch)\n(setv model {hy.repr(model)})\n(print (list (.state-dict model)))"
    told = python(f"import hy\nfor form in hy.read_many({program!r}): hy.eval(form, globals())")
    assert told == f"{list(model.state_dict())}\n"


OUTPUTS = [
    "(FeedForward :linear-to-hidden (linear 4 3) :linear-to-output (linear 3 1))",
    "(let [w (nn.Parameter (torch.randn 4 3))] (Tied :encode w :decode w))",
    "(Two :first (nn.Sequential (nn.Linear 4 4) (nn.Dropout)) :second (let [s (torch.randn 4)] (mu [x] (* x s))))",
    "(Two :first (mu [x] (F.normalize x :dim 1)) :second (mu [x] (for [i (range 3)] (setv x (+ x i))) x))",
    "(Two :first (mu [x] (sum (gfor a x (.sum a)))) :second (mu [x] (let [f (fn [y] (+ x y))] (f (f 1)))))",
    "(let [k (nn.Linear 4 2)] (mu [x] (k x)))",
]


@pytest.mark.parametrize("model", OUTPUTS)
def test_the_outputs_are_the_same_bit_for_bit(defined, revive, model):
    revive(defined(model), X)


REFUSED = [
    ("(mu [x] ((fn [y] y) (undefined x)))", "model: μ reads undefined, which is not defined"),
    ("(let [f (fn [x] x)] (Two :first (mu [x] (f x))))", "model.first captures f: f is the function <lambda>, which"),
    ("(Scaled :scale (fn [x] x))", "model.scale is the function <lambda>, which cannot be written as an expression"),
    (
        "(Scaled :scale (object))",
        "model.scale is a value of the class object, which cannot be written as an expression",
    ),
    (
        "(Scaled :scale (functools.partial max 1))",
        "model.scale is a value of the class partial, which",
    ),
    ("(Scaled :scale [1 {2 (object)}])", "model.scale is a value of the class object"),
    ("(do (setv l []) (.append l l) (Scaled :scale l))", "model.scale contains itself"),
    ("(do (setv m (mu [x] (m x))) m)", "model captures m: m contains itself"),
    ("(do (setv m (Documented)) (setv m.extra 1) m)", "model was given extra, which is no component"),
    ("(do (setv m (Documented)) (setv m.extra (nn.ReLU)) m)", "model was given extra, which is no component"),
    ("(do (setv m (Documented)) (.register-forward-hook m print) m)", "model has forward hooks"),
    ('((type "Sub" #(Documented) {}))', "model: Sub is a class that extends a mu in Python, of which no form is"),
    ("(do (setv Documented.size 3) (Documented))", "model: the class Documented was given size after its definition"),
    ("(do (setv Documented.forward (fn [self x] x)) (Documented))", "model: the forward procedure of Documented was"),
    ("(do (setv n 1) (mu [x] (global n) (setv n x)))", "model: μ assigns n, which it has from outside"),
    ("(let [n 1] (mu [x] (nonlocal n) (setv n x)))", "model: the expanded procedure of μ is no form that Hy"),
    ("(let [bind 1] (mu [x] (map bind x) (.a x bind)))", None),
    ("(let [slice 1] (mu [x] (+ x slice)))", "model: μ captures a variable named slice: rename it"),
    (
        "(let [k (torch.zeros 5000)] (mu [x] (+ x k)))",
        r"model captures k: k is a tensor of 5,000 elements that are not",
    ),
    ("(let [k (nn.Linear 100 100)] (mu [x] (k x)))", r"model captures k: k.weight is a tensor of 10,000 elements"),
    (
        "(let [w (torch.zeros 4)] (Two :first w :second (.view w 2 2)))",
        "model.second shares its memory with model.first",
    ),
    (
        '(let [b (torch.ones 1) m (Two :first b :second b)] (.add m._non-persistent-buffers-set "first") m)',
        "model.first is a buffer that the state has from one place, and from another it has not",
    ),
    ("(Scaled :scale (* 2 (torch.ones 2 :requires-grad True)))", "model.scale was computed from other tensors"),
    ("(Scaled :scale (.to-sparse (torch.ones 2)))", "model.scale is a torch.sparse_coo tensor"),
    ("(Scaled :scale (nn.UninitializedParameter))", "model.scale has no shape yet: call the model once"),
    ("(let [p (nn.Parameter (torch.ones 2))] (.register-hook p print) (Scaled :scale p))", "model.scale has a hook"),
]


@pytest.mark.parametrize(("model", "said"), REFUSED)
def test_what_is_refused(defined, revive, model, said):
    made = defined(model)
    if said is None:
        revive(made)
        return
    with pytest.raises(mino.Irreversible, match=said):
        mino.form(made)
    text = hy.repr(made)
    with pytest.raises(mino.Irreversible, match=said):
        mino.revive(text)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (
            "bind",
            r"the expanded procedure of μ is no form that Hy reads and compiles \(HySyntaxError: `bind` takes pairs",
        ),
        ("geta", r"the expanded procedure of μ means something else by itself \(geta\): a macro of mino.mu or of Hy"),
    ],
)
def test_a_macro_that_hides_a_function_is_noticed(run, function, said):
    """In the namespace of a text, every name of `mino.mu` is a macro."""
    plain = type(run)("mino.thread")
    plain(f"(require mino.mu [mu]) (defn {function} [x y] (+ x y))")
    with pytest.raises(mino.Irreversible, match=said):
        mino.form(plain(f"(mu [x] ({function} x [1]))"))


def test_a_parametrized_mu_is_refused(defined):
    model = defined("(linear 4 4)")
    nn.utils.parametrize.register_parametrization(model, "weights", nn.Identity())
    with pytest.raises(mino.Irreversible, match="is a class that extends a mu in Python"):
        mino.form(model)


def test_a_part_that_cannot_be_written_raises_where_the_rest_is_written(defined):
    model = defined("(Two :first (linear 2 2) :second (Scaled :scale (object)))")
    sentence = "model.second.scale is a value of the class object, which cannot be written as an expression"
    assert f':scale (raise (hy.I.mino.Irreversible "{sentence}")))' in hy.repr(model)
    assert hy.repr(model).startswith("(bind (mu [x first second] (second (first x))) :first (bind (mu [x weights bias]")


def test_repr_never_raises(defined):
    class Odd:
        def __getattribute__(self, name):
            raise RuntimeError("odd")

    text = hy.repr(defined("Scaled")(scale=[1, Odd()]))
    told = "model.scale cannot be read off: RuntimeError: odd"
    assert text == f'(bind (mu [x scale] (* x scale)) :scale [1 (raise (hy.I.mino.Irreversible "{told}"))])'


def test_print_and_modules_of_torch_stay_as_they_are(defined):
    model = defined("(linear 2 2)")
    assert repr(model).startswith("Linear(\n  At: 0x")
    assert hy.repr(nn.Linear(2, 2)) == repr(nn.Linear(2, 2))
    assert hy.repr([model]) == f"[{hy.repr(model)}]"


def test_a_class_that_is_gone_is_forgotten(run):
    run("((mu [x] x) 1)")
    gc.collect()
    before = {*hy.core.hy_repr._registry}
    run("(for [_ (range 20)] ((mu [x] x) 1))")
    gc.collect()
    assert not {*hy.core.hy_repr._registry} - before


def test_another_default_dtype_is_written(defined, revive):
    torch.set_default_dtype(torch.float64)
    try:
        model = defined("(nn.Linear 2 2)")
        assert hy.repr(mino.form(model)) == "'(torch.nn.Linear 2 2 :dtype torch.float64)"
        assert hy.repr(mino.form(model.float())) == "'(torch.nn.Linear 2 2 :dtype torch.float32)"
    finally:
        torch.set_default_dtype(torch.float32)
    assert revive(model).weight.dtype == torch.float32


def test_what_is_no_model():
    with pytest.raises(TypeError, match=r"mino.form takes a torch.nn.Module; found 3"):
        mino.form(3)
    with pytest.raises(TypeError, match=r"mino.revive takes the form of a torch.nn.Module; this one makes 3"):
        mino.revive("(+ 1 2)")
