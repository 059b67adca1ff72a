"""What a preview tells: values by place, problems where they are, in every kind of form."""

from __future__ import annotations

import pytest
import torch

from mino_lsp import types as t
from tests.worker.conftest import EXAMPLES

HEAD = "(import torch)\n(require mino.mu * mino.thread * mino.spec *)\n"

MATCH = "(match 1\n 1 abc\n 2 (raise (ValueError))\n 3"
STATEMENTS = (
    "(raise)",
    "(return)",
    "(setv a 1)",
    "(for [i []] i)",
    "(break)",
    "(assert 1)",
    "(import os)",
    "(del abc)",
)
"""With one at its end, Hy leaves the value of a clause without an end of its place."""

VALUES = [
    # what is evaluated, where to look, what passed there
    ("(setv y (torch.ones 2 3))", "y", ["[2 3]"]),
    ("(defn f [x w] (-> x (@ w)))\n(f (torch.ones 2 3) (torch.ones 3 4))", "(@ w)", ["[2 4]"]),
    ("(defn f [abc] (* abc 2))\n(f (torch.ones 2))\n(f (torch.ones 3))", "abc", ["[2]", "[3]"]),
    ("(for [item (torch.ones 3 2)] item)", "item", ["[2]"]),
    ("(for [[n item] (enumerate (torch.ones 3 2))] n)", "item", ["[2]"]),
    ("(setv #(first [rest #* more]) #((torch.ones 4) [(torch.ones 5) 1]))", "rest", ["[5]"]),
    ("(defmacro m [x] `(do (setv #(a b) ~x) a))\n(setv y (m #((torch.ones 2) 1)))", "(m #((torch.ones 2) 1))", ["[2]"]),
    ("(lfor item (torch.ones 3 2) (.sum item))", "(.sum item)", ["[]"]),
    ("(let [inner (torch.ones 5)] inner)", "inner", ["[5]"]),
    ("(with [_ (torch.no-grad)] (setv z (torch.ones 4)))", "(torch.ones 4)", ["[4]"]),
    ("(setv z (if True (torch.ones 1) (torch.ones 2)))", "(torch.ones 1)", ["[1]"]),
    ('(print f"{(torch.ones 7)}")', "(torch.ones 7)", ["[7]"]),
    ("(setv é 1  y (torch.ones 6))", "(torch.ones 6)", ["[6]"]),
    ('(setv s "日本語"  y (torch.ones 6))', "(torch.ones 6)", ["[6]"]),
    ("(defclass A [] (setv t (torch.ones 2 2)))", "(torch.ones 2 2)", ["[2 2]"]),
    ("(defn :async f [] (torch.ones 9))\n(import asyncio)\n(asyncio.run (f))", "(torch.ones 9)", ["[9]"]),
    ("(defmu M [x w] (-> x (@ w)))\n((M :w (torch.ones 3 4)) (torch.ones 2 3))", "w", ["[3 4]"]),
    ("((mu [x] (-> x torch.relu)) (torch.ones 2))", "torch.relu", ["[2]"]),
    ("(defmacro twice [f] `(do ~f ~f))\n(twice (torch.ones 8))", "(torch.ones 8)", ["[8]"]),
    ("(try (torch.ones 2) (except [e Exception] None))", "(torch.ones 2)", ["[2]"]),
    ("(match 1  1 (torch.ones 3))", "(torch.ones 3)", ["[3]"]),
    ("(setv m (torch.nn.Linear 2 3))", "(torch.nn.Linear 2 3)", ["Linear"]),
    # What has no shape, or none yet, is no error.
    ("(setv lazy (torch.nn.LazyLinear 3))\nlazy.weight", "lazy.weight", ["UninitializedParameter"]),
    ("(setv lazy (torch.nn.LazyLinear 3))\n(lazy (torch.ones 2 4))\nlazy.weight", "lazy.weight", ["[3 4]"]),
    ("(setv abc (torch.nested.nested-tensor [(torch.ones 2)] :layout torch.jagged))", "abc", ["NestedTensor"]),
    # Variables are shown where they are written.
    ("(setv #(one two) [(torch.ones 2) (torch.ones 3)])", "two", ["[3]"]),
    ("(setv [one [_ #* more]] [1 [(torch.ones 2) 3]])", "_", ["[2]"]),
    ("(let [#(one two) [(torch.ones 2) (torch.ones 3)]] None)", "one", ["[2]"]),
    ("(for [#(i item) (enumerate (torch.ones 3 2))] None)", "item", ["[2]"]),
    ("(lfor [i item] (enumerate (torch.ones 3 2)) (+ i 1))", "item", ["[2]"]),
    ("(list (gfor item (torch.ones 3 2) :if False item))", "item", ["[2]"]),
    ("(dfor item (torch.ones 3 2)  (do (setv k 1) k) 1)", "item", ["[2]"]),
    ("(import contextlib)\n(with [caught (contextlib.nullcontext (torch.ones 4))] None)", "caught", ["[4]"]),
    ("(print (setx abc (torch.ones 4)))", "abc", ["[4]"]),
    ('(.update (globals) {(+ "a" "bc") 1.0})\n(+= abc (torch.ones 4))', "abc", ["[4]"]),
    ("(setv #^ torch.Tensor abc (torch.ones 4))", "abc", ["[4]"]),
    ("(import types)\n(setv it (types.SimpleNamespace))\n(setv it.w (torch.ones 4))", "it.w", ["[4]"]),
    ("(match (torch.ones 4)  caught 1)", "caught", ["[4]"]),
    ("((fn [abc] 1) (torch.ones 4))", "abc", ["[4]"]),
    *((f"(defn f [abc] (for [_ [1]] {MATCH} {one}\n _ 3)))\n(f (torch.ones 4))", "abc", ["[4]"]) for one in STATEMENTS),
    ("(defn f [[abc (torch.ones 4)]] None)", "(torch.ones 4)", ["[4]"]),
    ("(defn mark [t] (fn [f] f))\n(defn [(mark (torch.ones 4))] f [])", "(torch.ones 4)", ["[4]"]),
    ("(defn f [x] (cut x (+ 1 1) None))\n(f (torch.ones 4))", "(+ 1 1)", ["int"]),
    # A module is no module yet before torch's own constructor was called.
    ("(defclass M [torch.nn.Module] (defn __init__ [self] (.__init__ (super)) (setv self.a 1)))\n(M)", "self", ["M"]),
]


@pytest.mark.parametrize(("text", "place", "values"), VALUES)
def test_what_passes_at_a_place_is_recorded(preview, text, place, values):
    told = preview(HEAD + text)
    assert told.blamed() == []
    assert told.at(place) == values


def test_a_lazy_module_is_told_of_again_once_it_is_made(preview):
    told = preview(
        "(import torch)\n(setv net (torch.nn.Sequential (torch.nn.LazyLinear 3)))\n(net (torch.ones 2 4))\nnet"
    )
    modules = [fact.values for span, fact in sorted(told.facts.items()) if told.text[span.start : span.end] == "net"]
    assert told.problems == []
    assert [[module.parameters for module in values] for values in modules] == [[0], [0], [15]]


def test_distinct_values_are_kept_to_a_number_and_counted(preview):
    told = preview(HEAD + "(for [n (range 20)] (torch.ones n))")
    fact = next(fact for span, fact in told.facts.items() if told.text[span.start : span.end] == "(torch.ones n)")
    assert (len(fact.values), fact.distinct) == (8, 20)


BLAMED = [
    ("(+ (torch.ones 3) (torch.ones 4))", [("shape", "(+ (torch.ones 3) (torch.ones 4))")]),
    (
        '(setv s "日本" f (fn [x b] (-> x (* 2) (+ b))))\n(f (torch.ones 3) (torch.ones 4))',
        [("shape", "(+ b)")],
    ),
    ("(setv a 1)\n(print (/ 1 (- a 1)))", [("exception", "(/ 1 (- a 1))")]),
    ("(undefined-name 1)", [("undefined-name", "undefined-name")]),
    ('(raise (ValueError "no"))\n(undefined-name 1)', [("exception", '(raise (ValueError "no"))')]),
    ('(defmacro m [] (raise (ValueError "no")))\n(setv a 1)\n(m)', [("exception", "(m)")]),
    ("(import no-such-module)", [("exception", "(import no-such-module)")]),
    ("(input)", [("preview-input", "(input)")]),
    ('(print "a")\n(open "out.txt" "w")', []),
    ('(import subprocess) (subprocess.run ["true"])', [("preview-refused", '(subprocess.run ["true"])')]),
    ('(import os) (os.system "true")', []),
    ("(import sys) (sys.exit 3) (print 1)", []),
    ("(defn f [] (f)) (f)", [("exception", "(f)")]),
]


FOLLOWING = [
    # what follows from a form that a preview does not bring to its end is no error; another mistake is
    '(setv r (subprocess.run ["ls"]))\n(print r.returncode)',
    '(setv data None)\n(setv data (.check-output subprocess ["ls"]))\n(.split data)',
    '(defn ask [] (subprocess.run ["ls"]))\n(setv #(a [b c]) (ask))\n(defn use [] (+ b 1))\n(use)',
    "(setv n (int (input)))\n(setv m (* n 2))\n(print m)",
    '(with [p (subprocess.Popen ["ls"])] (setv q p))\n(print q)',
    '(subprocess.run ["ls"])\n(import json)\n(json.dumps 1)',
]


@pytest.mark.parametrize("text", FOLLOWING)
def test_what_follows_from_what_was_refused_is_no_error(preview, text):
    told = preview(HEAD + "(import subprocess)\n" + text + "\n(setv z (torch.ones 3))\n(@ z (torch.ones 4))")
    (hint, error) = told.problems
    assert (hint.severity, error.code) == ("hint", "shape")
    assert told.at("z") == ["[3]"]


@pytest.mark.parametrize(("text", "blamed"), BLAMED)
def test_a_problem_is_reported_at_the_narrowest_place(preview, text, blamed):
    assert preview(HEAD + text).blamed() == blamed


def test_a_shape_error_names_its_operands(preview):
    told = preview(HEAD + "(defn f [x b] (-> x (+ b)))\n(f (torch.ones 2 3) (torch.ones 7))")
    (problem,) = told.problems
    assert problem.message.startswith("+ of x [2 3] and b [7]: aligned from the right, 3 meets 7;")
    assert [(told.text[item.span.start : item.span.end], item.message) for item in problem.related] == [
        ("x", "x: [2 3] float32"),
        ("(torch.ones 2 3)", "x: [2 3] float32, made here"),
        ("b", "b: [7] float32"),
        ("(torch.ones 7)", "b: [7] float32, made here"),
    ]


def test_a_broken_spec_is_blamed_on_what_made_the_component(preview):
    text = (EXAMPLES / "spec_network.hy").read_text().replace("torch.empty #(f-out)", "torch.empty #(1 f-out)")
    told = preview(text)
    (problem,) = told.problems
    assert problem.code == "spec"
    assert ":rank1" in problem.message and "[1 32]" in problem.message
    component = text.index("(-> (torch.empty #(1 f-out))")
    end = text.index(")))", component) + 2
    assert component <= problem.span.start and problem.span.end <= end


def test_an_error_leaves_the_forms_below_their_values(preview):
    told = preview(HEAD + "(undefined-name)\n(torch.ones 5)\n(also-undefined)")
    assert told.at("(torch.ones 5)") == ["[5]"]
    assert told.blamed() == [("undefined-name", "undefined-name")]


def test_the_example_shows_both_layers(preview):
    told = preview((EXAMPLES / "feed_forward.hy").read_text())
    assert told.problems == [] and told.result.stopped == ""
    assert told.at("weights", 0) == ["[10 32]", "[32 1]"]
    assert told.at("(+ bias)") == ["[100 32]", "[100 1]"]


def test_the_environment_is_that_of_a_program(preview, tmp_path):
    (tmp_path / "beside.hy").write_text("(setv there 3)\n(setv name __name__)")
    (tmp_path / "cuda.py").write_text("raise SystemError('hid a module of torch')")
    text = """
(import sys os beside)
(assert (= __name__ "__main__"))
(assert (= __file__ (get sys.argv 0)))
(assert (= (cut sys.argv 1 None) ["--epochs" "3"]))
(assert (= (get sys.path 0) (os.path.dirname __file__)))
(assert (= (os.getcwd) (os.path.dirname __file__)))
(assert (= (get os.environ "FROM_SETTINGS") "yes"))
(assert (= beside.name "beside"))
(assert (not-in "MY_API_KEY" os.environ))
(import torch)
(torch.ones 3)
"""
    told = preview(text, args=("--epochs", "3"), env={"FROM_SETTINGS": "yes", "MY_API_KEY": "secret"})
    assert told.problems == []


def test_nothing_of_one_preview_is_left_to_the_next(preview):
    assert preview("(setv left 1)\n(import builtins)\n(setv builtins.left 1)").problems == []
    assert preview("(print left)").blamed() == [("undefined-name", "left")]


READER = '(defreader up (.upper (.parse-one-form &reader)))\n(setv s #up "abc")\n(assert (= s "ABC"))'


def test_a_form_may_define_how_the_next_is_read(preview):
    assert preview(READER).problems == []


@pytest.mark.parametrize("text", ["", "   \n", "; only a comment", "#!/usr/bin/env hy\n(setv a 1)", "\f(setv a 1)\r\n"])
def test_texts_with_little_in_them(preview, text):
    told = preview(text)
    assert told.problems == [] and told.result.stopped == ""


@pytest.mark.parametrize(("text", "code"), [("(setv a 1)\n(foo", "syntax"), ("#nosuchreader 1", "syntax")])
def test_what_hy_cannot_read_is_a_problem(preview, text, code):
    assert [problem.code for problem in preview(text).problems] == [code]


def test_looking_changes_nothing(preview):
    text = """
(import torch)
(setv model (torch.nn.Sequential (torch.nn.Linear 3 3) (torch.nn.BatchNorm1d 3)))
(.eval model)
(torch.manual-seed 1)
(setv before (torch.get-rng-state))
(setv state (lfor v (.values (.state-dict model)) (.clone v)))
model
(setv alias model)
(assert (torch.equal before (torch.get-rng-state)))
(assert (not model.training))
(assert (all (gfor [a b] (zip state (.values (.state-dict model))) (torch.equal a b))))
"""
    assert preview(text).problems == []


def test_what_tensors_are_made_of(preview):
    """The elements of what passes first, also under the user's own modes, which see nothing of the looking."""
    text = """(import torch)
(import torch.utils._python_dispatch [TorchDispatchMode])
(setv seen [])
(defclass Counting [TorchDispatchMode]
  (defn __torch_dispatch__ [self function types [args #()] [kwargs None]]
    (.append seen (str function))
    (function #* args #** (or kwargs {}))))
(torch.manual-seed 0)
(with [_ (Counting)]
  (for [n [1 2 3]]
    (setv grown (* n (torch.arange 4.0)))))
(setv drawn (torch.randn 3)
      counted (len seen))
(when (!= counted 6) (raise (ValueError (str seen))))
(setv mixed (torch.tensor [1 3 (float "inf") (float "nan")])
      mask (torch.ones 3 :dtype torch.bool)
      empty (torch.empty 0)
      large (torch.ones 300 300)
      freed (torch.ones 4))
(.resize_ (.untyped-storage freed) 0)
(setv again freed)"""
    told = preview(text)
    assert told.errors() == []

    def measured(name: str) -> t.Statistics | None:
        start = text.index(f" {name} ") + 1
        return told.facts[t.Span(start, start + len(name))].statistics

    torch.manual_seed(0)
    drawn = torch.randn(3).double()
    mean, least, most = (pytest.approx(float(one)) for one in (drawn.mean(), drawn.min(), drawn.max()))
    assert measured("drawn") == t.Statistics(3, mean, pytest.approx(float(drawn.std(correction=0))), least, most, 0, 0)
    assert measured("grown") == t.Statistics(4, 1.5, pytest.approx(1.118, abs=1e-3), 0, 3, 0, 0)
    assert measured("mixed") == t.Statistics(4, 2, 1, 1, 3, 1, 1)
    assert [measured(name) for name in ("mask", "empty", "large", "again")] == [None] * 4


def test_on_shapes_alone_nothing_is_made_of_anything(preview):
    told = preview("(import torch)\n(setv x (torch.ones 3))", way="heavy")
    assert [fact.statistics for fact in told.facts.values()] == [None] * len(told.facts)


@pytest.mark.parametrize("head", ["", "(import __future__ [annotations])\n"])
def test_annotations_are_what_the_program_makes_of_them(preview, head):
    told = preview(head + '(defn f [#^ int x] x)\n(setv kind (get (. f __annotations__) "x"))\n(setv wanted kind)')
    assert told.errors() == [] and told.at("kind") == (["str"] if head else ["type"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("((A) 1 :wieghts 2)", "A has no component wieghts; did you mean weights? It has x weights train?."),
        ("((A) 1 :trian? 2)", "A has no component trian?; did you mean train?? It has x weights train?."),
        ("((A) 1 :ww 2)", "A has no component ww. It has x weights train?."),
    ],
)
def test_a_component_that_does_not_exist_in_a_call(preview, call, message):
    told = preview(HEAD + "(defmu A [x weights train?] (+ x weights))\n" + call)
    assert told.blamed() == [("unknown-component", call)] and told.errors() == [message]


ARGUMENTS = """(import argparse torch)
(defn main []
  (setv parser (argparse.ArgumentParser))
  (.add-argument parser "data")
  (setv given (.parse-args parser)))
(main)
(torch.ones 3)"""


def test_missing_arguments_are_a_hint(preview):
    told = preview(ARGUMENTS)
    assert told.blamed() == [("preview-arguments", "(.parse-args parser)")]
    sentence = "The preview ended this form here: the following arguments are required: data."
    assert told.problems[0].message == f"{sentence} The setting run.args gives arguments."
    assert told.at("(torch.ones 3)") == ["[3]"]
    assert preview(ARGUMENTS, args=("a",)).problems == []
    assert preview("(import sys)\n(sys.exit 2)").problems == []


def test_a_module_is_what_it_has_become(preview):
    text = """(import torch.nn :as nn)
(setv net (nn.Sequential (nn.Linear 8 1000)))
(setv (get net 0) (nn.Linear 8 10))
(setv changed net)
(.double changed)
(setv doubled changed)"""
    told = preview(text)

    def seen(name: str) -> t.ModuleValue:
        start = text.index(f"(setv {name}") + 6
        (value,) = told.facts[t.Span(start, start + len(name))].values
        return value

    assert [seen(name).parameters for name in ("net", "changed", "doubled")] == [9000, 90, 90]
    text = """(import torch.nn :as nn)
(setv one (nn.Linear 8 10))
(setv two (.double one))"""
    told = preview(text)
    assert [value for _, value in seen("one").components] == ["Parameter [10 8] float32", "Parameter [10] float32"]
    assert [value for _, value in seen("two").components] == ["Parameter [10 8] float64", "Parameter [10] float64"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("(F.conv2d (torch.ones 1 3 8 8) (torch.ones 4 2 3 3))", "to have 2 channels, but got 3 channels instead."),
        ("(.gather (torch.ones 3 4) 1 (torch.zeros 5 2 :dtype torch.long))", "Size does not match at dimension 0"),
        ("(+ (torch.ones 3 4) (torch.ones 3 5))", "aligned from the right, 4 meets 5"),
    ],
)
def test_only_what_is_broadcast_is_told_of_broadcasting(preview, form, said):
    told = preview(f"(import torch torch.nn.functional :as F)\n{form}")
    assert told.blamed() == [("shape", form)] and said in told.errors()[0]


def test_one_mistake_is_told_once(preview):
    told = preview("(import torch torch.nn.functional :as F)\n(F.mse-loss (torch.ones 4 1) (torch.ones 3 2))")
    assert [problem.severity for problem in told.problems] == ["error"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            "(torch.nn.Linear 3 4 :biass False)",
            "Linear has no argument biass; did you mean bias? It takes in-features out-features bias device dtype.",
        ),
        ("(.sum (torch.ones 2) :dims 1)", "sum has no argument dims; did you mean dim? It takes dtype dim keepdim."),
    ],
)
def test_an_argument_of_torch_s_that_does_not_exist(preview, call, message):
    told = preview(HEAD + call)
    assert told.blamed() == [("unknown-argument", call)] and told.errors() == [message]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("(x.shape 0)", "exception", "(x.shape 0)"),
        ('(torch.nn.Linear 2 "x")', "exception", '(torch.nn.Linear 2 "x")'),
        ("(F.binary-cross-entropy (* x 1.5) x)", "exception", "(F.binary-cross-entropy (* x 1.5) x)"),
        ("(.item x)", "shape", "(.item x)"),
    ],
)
def test_only_what_is_a_matter_of_shapes_is_called_one(preview, text, code, place):
    told = preview(HEAD + "(import torch.nn.functional :as F)\n(setv x (torch.ones 2 3))\n" + text)
    assert told.blamed() == [(code, place)]


def test_what_ends_a_thread_is_the_cause_of_what_fails_without_it(preview):
    text = """(import threading)
(setv out [])
(defn work [] (.append out (@ (torch.ones 2 3) (torch.ones 4 3))))
(setv t (threading.Thread :target work))
(.start t) (.join t)
(setv s (torch.zeros 5))
(print (.sum (get out 0)))"""
    told = preview(HEAD + text)
    assert told.blamed() == [("shape", "(@ (torch.ones 2 3) (torch.ones 4 3))")]
    assert told.at("s", told.text.count("s", 0, told.text.index("s (torch.zeros"))) == ["[5]"]
