# ruff: noqa: E501 - whole messages, as they are printed
"""What people read: the messages for twelve broken models, and for specs that are wrong themselves, as whole texts."""

import io
import pickle

import pytest

from mino import check

NETWORK = """
(import torch torch.nn :as nn)
(defn learnable [#* sizes] (nn.Parameter (torch.ones #* sizes)))
(spec/def :learnable (fn [x] x.requires-grad)
          :rank1 (fn [x] (-> x .size len (= 1)))
          :matrix (spec/tensor [n d] :dtype :float)
          :Linear (spec/parameters weights (spec/and :learnable :matrix) bias (spec/and :learnable :rank1 (spec/tensor [d])))
          :activation (spec/enum "relu" "gelu" "tanh")
          :Norm (spec/buffers running-mean (spec/tensor [c]) running-var (spec/tensor [c] :min 0 :finite True))
          :Network (spec/modules hidden :Linear output :Linear)
          :Deep (spec/and (spec/module) (spec/components layers (spec/coll-of :Linear :min-count 1)))
          :Wired (spec/modules hidden (spec/parameters weights (spec/tensor [n h]))
                               output (spec/parameters weights (spec/tensor [h m])))
          :Embedding (spec/module nn.Embedding :num-embeddings 10 :padding-idx None)
          :layer (spec/or :linear :Linear :norm :Norm :nothing (spec/module nn.Identity))
          :settings (spec/keys activation :activation  sizes (spec/coll-of int)  dropout (spec/nilable float)))
(defmu Linear [x weights bias] (-> x (@ weights) (+ bias)))
(defmu Network [x hidden output] (-> x hidden torch.tanh output))
(setv linear (Linear :weights (learnable 10 32) :bias (learnable 32)))
(setv network (Network :hidden linear :output (Linear :weights (learnable 32 1) :bias (learnable 1))))
"""

BROKEN = [
    ("a bias of rank 2", "(spec/conform :Network (bind network :output (bind linear :bias (learnable 1 32))))", """\
module Network does not conform to :Network.
  output.bias: expected :rank1, (-> x .size len (= 1)); found Parameter [1 32] float32, rank 2
"""),
    ("sizes that disagree", "(spec/conform :Linear (bind linear :bias (learnable 10)))", """\
module Linear does not conform to :Linear.
  bias: expected (spec/tensor [d]); found Parameter [10] float32, rank 1 (d is 32 by weights, 10 by bias)
    expected [d]
    found    [10]
              ^^ d is 32 by weights, 10 by bias
"""),
    ("layers that do not fit", "(spec/conform :Wired (bind network :output (Linear :weights (learnable 30 1))))", """\
module Network does not conform to :Wired.
  output.weights: expected (spec/tensor [h m]); found Parameter [30 1] float32, rank 2 (h is 32 by hidden.weights, 30 by output.weights)
    expected [h  m]
    found    [30 1]
              ^^ h is 32 by hidden.weights, 30 by output.weights
"""),
    ("weights that are integers", "(spec/conform :matrix (torch.arange 12))", """\
Tensor [12] int64, rank 1 does not conform to :matrix.
  expected :matrix, (spec/tensor [n d] :dtype :float); found Tensor [12] int64, rank 1 (rank 1, not 2; its dtype is torch.int64, not :float)
    expected [n d]
    found    [12]
             ^^^^ rank 1, not 2
"""),
    ("no gradients", "(spec/conform :Linear (Linear :weights (learnable 10 32) :bias (nn.Parameter (torch.ones 32) False)))", """\
module Linear does not conform to :Linear.
  bias: expected :learnable, x.requires-grad; found Parameter [32] float32, rank 1, without gradients
"""),
    ("a buffer for a parameter", "(spec/conform :Linear (Linear :weights (torch.ones 10 32)))", """\
module Linear does not conform to :Linear.
  weights: expected a parameter; found Tensor [10 32] float32, rank 2 (it is a buffer: spec/buffers looks there)
  bias: expected a parameter; found nothing (module Linear has no parameter of this name)
"""),
    ("another module's names", "(spec/conform :Network (bind network :hidden (nn.Linear 10 32)))", """\
module Network does not conform to :Network.
  hidden.weights: expected a parameter; found nothing (module Linear has no parameter of this name; did you mean weight?)
"""),
    ("statistics gone wrong", "(spec/conform :Norm (let [norm (nn.BatchNorm1d 3)] (setv (get norm.running-var 1) -1.0) norm))", """\
module BatchNorm1d does not conform to :Norm.
  running-var: expected (spec/tensor [c] :min 0 :finite True); found Tensor [3] float32, rank 1 (1 of 3 elements is below 0)
"""),
    ("one layer of a list", "(spec/conform :Deep (let [m (nn.Module)] (setv m.layers (nn.ModuleList [linear (bind linear :bias (learnable 3))])) m))", """\
module Module does not conform to :Deep.
  layers.1.bias: expected (spec/tensor [d]); found Parameter [3] float32, rank 1 (d is 32 by layers.1.weights, 3 by layers.1.bias)
    expected [d]
    found    [3]
              ^ d is 32 by layers.1.weights, 3 by layers.1.bias
"""),
    ("no branch of an or", "(spec/conform :layer (bind linear :bias (learnable 1 32)))", """\
module Linear does not conform to :layer.
  bias: expected :rank1, (-> x .size len (= 1)); found Parameter [1 32] float32, rank 2 (of the branches of spec/or, :linear came furthest)
"""),
    ("an embedding of another size", "(spec/conform :Embedding (nn.Embedding 11 4 :padding-idx 0))", """\
module Embedding does not conform to :Embedding.
  num-embeddings: expected 10; found 11
  padding-idx: expected None; found 0
"""),
    ("settings misspelt", '(spec/conform :settings {"activatoin" "relu"  "sizes" [10 "32" 1]  "dropout" 1})', """\
dict of 3 items does not conform to :settings.
  activation: expected :activation, (spec/enum "relu" "gelu" "tanh"); found nothing (dict of 3 items has no key activation; did you mean activatoin?)
  sizes.1: expected int; found '32'
    {'sizes' [10 '32' 1] …}
                 ^^^^
  dropout: expected float; found 1
    {'dropout' 1 …}
               ^
"""),
]  # fmt: skip


@pytest.fixture
def network(run):
    with check.temporary():
        run(NETWORK)
        yield run


@pytest.mark.parametrize(("what", "form", "text"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_model(network, what, form, text):
    with pytest.raises(check.SpecError) as caught:
        network(form)
    assert str(caught.value) + "\n" == text


def test_a_problem_is_data(network):
    (problem,) = network("(spec/explain-data :Network (bind network :output (bind linear :bias (learnable 1 32))))")
    assert problem["path"] == (
        ":Network", "spec/modules", "output", ":Linear", "spec/parameters", "bias", "spec/and", ":rank1"
    )  # fmt: skip
    assert problem["via"] == (":Network", ":Linear", ":rank1")
    assert problem["in"] == ("output", "bias") == getattr(problem, "in")
    assert network("#((:in p) p.in (:pred p) (get p \"val\"))", p=problem) == (
        ("output", "bias"), ("output", "bias"), "(-> x .size len (= 1))", "Parameter [1 32] float32, rank 2",
    )  # fmt: skip
    assert problem["reason"] is None and problem["where"].line == 5
    assert problem.object.shape == (1, 32)
    with pytest.raises(KeyError, match="a problem has path, via, in, pred, val, reason, where; it has no pth"):
        problem["pth"]


def test_an_error_prints_the_same_after_pickling(network):
    for _, form, text in BROKEN:
        with pytest.raises(check.SpecError) as caught:
            network(form)
        error = pickle.loads(pickle.dumps(caught.value))
        assert str(error) + "\n" == text and error.problems == caught.value.problems


def test_the_branches_of_an_or_that_came_equally_far_are_all_told(network):
    with pytest.raises(check.SpecError) as caught:
        network("(spec/conform (spec/or :number int :name str :sizes (spec/coll-of int)) 3.5)")
    assert str(caught.value) == (
        "3.5 does not conform to (spec/or :number int :name str :sizes (spec/coll-of int)).\n"
        "  expected (spec/or :number int :name str :sizes (spec/coll-of int)); found 3.5\n"
        "    :number: expected int\n"
        "    :name: expected str\n"
        "    :sizes: expected a collection"
    )
    assert [problem.path[:2] for problem in caught.value.problems[0].alternatives] == [
        ("spec/or", ":number"), ("spec/or", ":name"), ("spec/or", ":sizes")
    ]  # fmt: skip


def test_every_place_that_fixed_a_name_is_told(network):
    network("(setv spec (spec/dict-of str (spec/tensor [n])))")
    (problem,) = network('(spec/explain-data spec (dfor [k n] [#("a" 3) #("b" 3) #("c" 3) #("d" 4)] k (torch.ones n)))')
    assert problem.reason == "n is 3 by a, b and c, 4 by d"


def test_explain_prints_and_is_coloured_on_a_terminal_only(network, capsys, monkeypatch):
    assert network("(spec/explain :rank1 (torch.ones 3))") is None
    network("(spec/explain (spec/tensor [batch 10]) (torch.ones 32 12))")
    assert capsys.readouterr().out == (
        "Tensor [3] float32, rank 1 conforms to :rank1.\n"
        "Tensor [32 12] float32, rank 2 does not conform to (spec/tensor [batch 10]).\n"
        "  expected (spec/tensor [batch 10]); found Tensor [32 12] float32, rank 2 (axis 1 is 12, not 10)\n"
        "    expected [batch 10]\n"
        "    found    [32    12]\n"
        "                    ^^ 12, not 10\n"
        "    as <string>:1:15 says\n"
    )
    monkeypatch.setattr("mino.check.sys.stdout", _Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    network('(spec/explain int "a")')
    monkeypatch.setenv("NO_COLOR", "1")
    network('(spec/explain int "a")')
    assert check.sys.stdout.getvalue() == (
        "'a' does not conform to int.\n  expected \033[32mint\033[0m; found \033[31m'a'\033[0m\n"
        "\033[2m    as <string>:1:15 says\033[0m\n"
        "'a' does not conform to int.\n  expected int; found 'a'\n    as <string>:1:15 says\n"
    )


class _Terminal(io.StringIO):
    def isatty(self):
        return True


COLLECTIONS = [
    ("(spec/coll-of int)", '[1 2 "three" 4]', ["[1 2 'three' 4]", "     ^^^^^^^"]),
    ("(spec/coll-of int)", '[1 2 3 4 5 "six" 7 8 9 10]', ["[… 4 5 'six' 7 8 …]", "       ^^^^^"]),
    ("(spec/dict-of str int)", '{"a" 1  2 2}', ["{2 …}", " ^ the key itself"]),
    ("(spec/keys a (spec/tuple int int))", '{"b" 3  "a" #(1 "x")}', ["{'a' #(1 'x') …}", "        ^^^"]),
    ("(spec/coll-of (spec/tensor [3]))", "[(torch.ones 3) (torch.ones 4)]", ["[3]", "[4]", " ^ 4, not 3"]),
]


@pytest.mark.parametrize(("spec", "value", "marked"), COLLECTIONS)
def test_the_part_that_is_wrong_is_marked(network, spec, value, marked):
    with pytest.raises(check.SpecError) as caught:
        network(f"(spec/conform {spec} {value})")
    lines = [line.strip() for line in str(caught.value).split("\n")[2:]]
    texts = [line.removeprefix("expected").removeprefix("found").strip() for line in lines]
    assert texts == [line.strip() for line in marked]
    text, carets = str(caught.value).split("\n")[-2:]
    (start, end), *_ = caught.value.problems[0].mark.ranges
    assert carets.index("^") - (len(text) - len(caught.value.problems[0].mark.found)) == start < end


class Stubborn:
    @property
    def size(self):
        raise RuntimeError("not now")

    def __repr__(self):
        raise RuntimeError("not me")


BAD = [
    # a form, the kind of its error, and the text
    ("(spec/valid? :lerned 1)", LookupError, "no spec is registered as :lerned; did you mean :learnable? (<string>:1:14)"),
    ("(spec/valid? :xyz 1)", LookupError, "no spec is registered as :xyz: define it with (spec/def :xyz spec) (<string>:1:14)"),
    ("(spec/valid? (spec/and :rank1 (spec/not :rank1x)) (torch.ones 3))", LookupError,
     "no spec is registered as :rank1x; did you mean :rank1? (<string>:1:41)"),
    ("(spec/undef :rank1x)", LookupError, "no spec is registered as :rank1x; did you mean :rank1?"),
    ("(spec/registry :rank1x)", LookupError, "no spec is registered as :rank1x; did you mean :rank1?"),
    ("(spec/def :a 3)", TypeError,
     "a spec is a keyword, a predicate or a form such as (spec/and …); found 3 (<string>:1:14)"),
    ("(spec/and int None)", TypeError,
     "a spec is a keyword, a predicate or a form such as (spec/and …); found None: (spec/undef …) takes a spec away "
     "(<string>:1:15)"),
    ("(spec/conform (fn [x] (/ 1 0)) 3)", ValueError,
     "3 does not conform to (/ 1 0).\n  expected (/ 1 0); found 3 (ZeroDivisionError: division by zero)"),
    ("(spec/conform (fn [] True) 3)", ValueError,
     "3 does not conform to True.\n  expected True; found 3 "
     "(TypeError: <lambda>() takes 0 positional arguments but 1 was given)"),
    ("(spec/conform (fn [x] (> x 0)) (torch.ones 3))", ValueError,
     "Tensor [3] float32, rank 1 does not conform to (> x 0).\n  expected (> x 0); found Tensor [3] float32, rank 1 "
     "(the predicate gave a Tensor [3] bool, rank 1: reduce it to one truth, with .all or .any)"),
    ("(do (spec/def :a :b  :b (spec/and :a)) (spec/valid? :a 1))", ValueError,
     "the specs :a → :b → :a refer to each other and never go into the value: put what goes into it between them, "
     "such as (spec/coll-of :a) or (spec/modules name :a) (<string>:1:35)"),
    ("(do (spec/def :l (spec/cat :rest :l)) (spec/valid? :l [1]))", ValueError,
     "checking against :l went deeper than Python allows: the value is nested too deeply, or a spec makes new "
     "values of it without end (<string>:1:52)"),
    ("(do (spec/def :nest (spec/coll-of :nest)) (spec/valid? :nest deep))", ValueError,
     "checking against :nest went deeper than Python allows: the value is nested too deeply, or a spec makes new "
     "values of it without end (<string>:1:56)"),
    ("(spec/conform (spec/keys size int) stubborn)", ValueError,
     "Stubborn does not conform to (spec/keys size int).\n"
     "  size: expected int; found nothing (reading it raised RuntimeError: not now)"),
    ("(spec/conform (spec/coll-of int) stubborn)", ValueError,
     "Stubborn does not conform to (spec/coll-of int).\n  expected a collection; found Stubborn"),
    ("(spec/conform (spec/tensor [n]) stubborn)", ValueError,
     "Stubborn does not conform to (spec/tensor [n]).\n  expected (spec/tensor [n]); found Stubborn"),
    ("(spec/conform :Linear stubborn)", ValueError,
     "Stubborn does not conform to :Linear.\n  expected :Linear, a module with parameters; found Stubborn"),
    ("(spec/conform (spec/module nn.Linear) stubborn)", ValueError,
     "Stubborn does not conform to (spec/module Linear).\n  expected a Linear; found Stubborn"),
    ("(spec/conform (spec/enum 1) stubborn)", ValueError,
     "Stubborn does not conform to (spec/enum 1).\n  expected 1; found Stubborn"),
    ("(spec/conform str stubborn)", ValueError,
     "Stubborn does not conform to str.\n  expected str; found Stubborn"),
    ("(spec/tensor [n] :dtype :flaot)", ValueError,
     ":flaot is neither a dtype nor a kind of them (:float :int :complex :bool :number); did you mean :float?"),
    ("(spec/tensor [n] :device \"gpu\")", ValueError, 'a device is such as "cpu", "cuda" or "cuda:1"; found \'gpu\''),
    ("(spec/tensor [n ~(- 1)])", ValueError, "an axis has a size of 0 or more; found -1: write _ for any size"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "kind", "text"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_is_told_with_its_place_and_what_to_write(network, form, kind, text):
    deep = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(kind) as caught:
        network(form, stubborn=Stubborn(), deep=deep)
    assert str(caught.value) == text


REFUSED = [
    ("(spec/def :a int :b)", "`:b` of `spec/def` has no spec: write (spec/def :name spec …)", 18),
    ("(spec/def a int)", "`a` of `spec/def` is not a keyword: write (spec/def :name spec …)", 11),
    ("(spec/undef a)", "`a` of `spec/undef` is not a keyword: write :name", 13),
    ("(spec/not int str)", "`spec/not` needs one spec; it was given 2", 1),
    ("(spec/nilable)", "`spec/nilable` needs one spec; it was given 0", 1),
    ("(spec/and)", "`spec/and` needs a spec; it was given 0", 1),
    ("(spec/coll-of)", "`spec/coll-of` needs a spec of its items", 1),
    ("(spec/coll-of :count 3)", "`spec/coll-of` needs a spec of its items", 1),
    ("(spec/dict-of str)", "`spec/dict-of` needs a spec of its keys and one of its values", 1),
    ("(spec/coll-of int :cuont 3)", "`:cuont` is no option of `spec/coll-of`; did you mean :count?", 19),
    ("(spec/coll-of int :count)", "`:count` of `spec/coll-of` has no value: write one after it", 19),
    ("(spec/keys a int :reqs [:a])",
     "`:reqs` is no option of `spec/keys`; did you mean :req?", 18),
    ("(spec/keys :req :a)", "`:req` of `spec/keys` is a list of keywords: write :req [:name …]", 17),
    ("(spec/cat x int)", "`x` of `spec/cat` is not a keyword: write (spec/cat :name spec …)", 11),
    ("(spec/parameters :a int)",
     "`:a` of `spec/parameters` is not a component's name: write (spec/parameters name spec …)", 18),
    ("(spec/tensor 3)", "`3` is no shape: write (spec/tensor [n 10 _ …] …)", 14),
    ("(spec/tensor [n (f 1)])",
     "`(f 1)` is no axis: an axis is a size, a name, _, … or ~expression for a size to compute", 17),
    ("(spec/tensor [… n ...])",
     "`[… n ...]` has more than one …: which axes are whose could not be told", 14),
    ("(spec/tensor [n] :dtpye torch.float32)", "`:dtpye` is no option of `spec/tensor`; did you mean :dtype?", 18),
    ("(spec/enum)", '`spec/enum` needs a value: write (spec/enum "relu" "tanh")', 1),
    ("(spec/valid? :a)", "`spec/valid?` was given 1 forms: write (spec/valid? spec value)", 1),
    ("(spec/assert :a)", "`spec/assert` takes a spec and a value: write (spec/assert spec value)", 1),
    ("(spec/defgen :a 3)",
     "`spec/defgen` needs a keyword, a list of arguments and a body: write (spec/defgen :name [argument …] body…)", 1),
    ("(spec/defun f :agrs int)", "`:agrs` is no option of `spec/defun`; did you mean :args?", 15),
]  # fmt: skip


@pytest.mark.parametrize(("form", "sentence", "column"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_form_that_is_refused(network, form, sentence, column):
    found, line, start, *_ = network.error(form)
    assert (found, line, start) == (sentence, 1, column)
