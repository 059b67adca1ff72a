"""Every form of the specs, as a table: what conforms and to what, what doesn't, and the exact problems."""

import hy
import pytest
import torch

from mino import check

# Spec, value, and either what it conforms to ("=" for the value itself) or the problems, as (in, pred, reason).
SAME = "="
TABLE = [
    # predicates, classes, sets, keywords
    ("int", "3", SAME),
    ("int", "'a", [((), "int", None)]),
    ("(fn [x] (> x 2))", "3", SAME),
    ("(fn [x] (> x 2))", "2", [((), "(> x 2)", None)]),
    ("callable", "3", [((), "callable", None)]),
    ("#{1 2}", "2", SAME),
    (":int", "3", SAME),
    (":int", "3.0", [((), "int", None)]),
    # and: in order, up to the first failure, conformed values handed on
    ("(spec/and int (fn [x] (> x 2)))", "3", SAME),
    ("(spec/and int (fn [x] (> x 2)))", "2", [((), "(> x 2)", None)]),
    ('(spec/and int (fn [x] (/ 1 0)))', '"a"', [((), "int", None)]),
    ("(spec/and (spec/or :i int :s str) (fn [pair] (= (get pair 0) :i)))", "3", "#(:i 3)"),
    ("(spec/and (spec/or :i int :s str) (fn [pair] (= (get pair 0) :i)))", '"a"', [((), "(= (get pair 0) :i)", None)]),
    # or: the first that holds, tagged or plain
    ("(spec/or :i int :s str)", '"a"', '#(:s "a")'),
    ("(spec/or :int str)", '"a"', SAME),
    ("(spec/or :int :str)", "3", SAME),
    ("(spec/or int str float)", "3.0", SAME),
    ("(spec/or :i int :s str)", "3.5", [((), "(spec/or :i int :s str)", None)]),
    (
        "(spec/or :i int :l (spec/coll-of int))",
        "[1 2.5]",
        [((1,), "int", "of the branches of spec/or, :l came furthest")],
    ),
    # not, nand, nilable, enum
    ("(spec/not int)", "3.0", SAME),
    ("(spec/not int)", "3", [((), "(spec/not int)", None)]),
    ("(spec/nand int (fn [x] (> x 2)))", "2", SAME),
    ("(spec/nand int (fn [x] (> x 2)))", '"a"', SAME),
    ("(spec/nand int (fn [x] (> x 2)))", "3", [((), "(spec/nand int (> x 2))", "it conforms to all of them")]),
    ("(spec/nilable int)", "None", SAME),
    ("(spec/nilable int)", "3", SAME),
    ("(spec/nilable int)", "3.0", [((), "int", None)]),
    ('(spec/enum "relu" :gelu 1)', ":gelu", SAME),
    ('(spec/enum "relu" :gelu 1)', "True", [((), '(spec/enum "relu" :gelu 1)', None)]),
    ('(spec/enum "relu" "tanh")', '"tahn"', [((), '(spec/enum "relu" "tanh")', "did you mean tanh?")]),
    # collections
    ("(spec/coll-of int)", "[]", SAME),
    ("(spec/coll-of int)", "#(1 2)", SAME),
    ("(spec/coll-of int)", "(range 3)", SAME),
    ("(spec/coll-of (spec/or :i int :s str))", '#(1 "a")', '#(#(:i 1) #(:s "a"))'),
    ("(spec/coll-of int)", '[1 "a" 2 None]', [((1,), "int", None), ((3,), "int", None)]),
    ("(spec/coll-of int)", '"abc"', [((), "a collection", None)]),
    ("(spec/coll-of int)", "{1 2}", [((), "a collection", None)]),
    ("(spec/coll-of int)", "(torch.arange 3)", [((), "a collection", None)]),
    ("(spec/coll-of int :kind list)", "#(1)", [((), "a collection of kind list", "it is of another kind")]),
    ("(spec/coll-of int :count 2)", "[1]", [((), "a collection of 2 items", "it has 1 item")]),
    ("(spec/coll-of int :min-count 1)", "[]", [((), "a collection of at least 1 item", "it has 0 items")]),
    ("(spec/coll-of int :max-count 1)", "[1 2]", [((), "a collection of at most 1 item", "it has 2 items")]),
    ("(spec/coll-of int :distinct True)", "[1 1]", [((), "a collection of distinct items", "an item is there twice")]),
    ("(spec/coll-of (spec/coll-of int))", "[[1] [2 None]]", [((1, 1), "int", None)]),
    ("(spec/dict-of str int)", '{"a" 1}', SAME),
    ("(spec/dict-of str (spec/or :i int :s str))", '{"a" 1}', '{"a" #(:i 1)}'),
    ("(spec/dict-of str int)", '{"a" 1.5  2 2}', [(("a",), "int", None), ((2,), "str", None)]),
    ("(spec/dict-of str int :min-count 1)", "{}", [((), "a mapping of at least 1 item", "it has 0 items")]),
    ("(spec/dict-of str int)", "[1]", [((), "a mapping", None)]),
    ("(spec/tuple int str)", '[1 "a"]', SAME),
    ("(spec/tuple int (spec/or :i int :s str))", "#(1 2)", "#(1 #(:i 2))"),
    ("(spec/tuple int str)", "[1]", [((), "(spec/tuple int str)", "it has 1 item, not 2")]),
    ("(spec/tuple int str)", '["a" 1]', [((0,), "int", None), ((1,), "str", None)]),
    ("(spec/tuple int str)", '"ab"', [((), "a sequence of 2 items", None)]),
    ("(spec/cat :x int :y str)", '[1 "a"]', '{"x" 1  "y" "a"}'),
    ("(spec/cat :x int :rest (spec/cat :y int :z int))", "[1 2 3]", '{"x" 1  "rest" {"y" 2  "z" 3}}'),
    ("(spec/cat :x int :rest :pair)", '[1 2 "a"]', '{"x" 1  "rest" {"first" 2  "second" "a"}}'),
    ("(spec/cat :x int :y str)", "[1]", [((), "str", "the sequence ended before :y, after 1 item")]),
    ("(spec/cat :x int)", "[1 2 3]", [((), "(spec/cat :x int)", "2 items too many, from index 1 on")]),
    ("(spec/cat :x int :y str)", "[1 2]", [((1,), "str", None)]),
    # keys, of mappings by any way to write a name, and of attributes
    ("(spec/keys learning-rate float)", '{"learning-rate" 0.1}', SAME),
    ("(spec/keys learning-rate float)", '{"learning_rate" 0.1  "more" 1}', SAME),
    ("(spec/keys learning-rate float)", "{:learning-rate 0.1}", SAME),
    ("(spec/keys learning_rate float)", "{:learning-rate 0.1}", SAME),
    ("(spec/keys real float  imag float)", "1j", SAME),
    ("(spec/keys real int)", "1j", [(("real",), "int", None)]),
    ("(spec/keys lr (spec/or :f float :i int))", '{"lr" 1  "more" 2}', '{"lr" #(:i 1)  "more" 2}'),
    ("(spec/keys :req-un [:adam/lr])", '{"lr" 0.1}', SAME),
    ("(spec/keys :req [:adam/lr])", "{:adam/lr 0.1}", SAME),
    ("(spec/keys :opt-un [:adam/lr])", "{}", SAME),
    ("(spec/keys :opt-un [:adam/lr])", '{"lr" 1}', [(("lr",), "float", None)]),
    ("(spec/keys a int)", '{"a" 1  "adam/lr" "fast"}', SAME),
    (
        "(spec/keys momentum float  lr float)",
        '{"momentun" 0.9}',
        [
            (("momentum",), "float", "dict of 1 item has no key momentum; did you mean momentun?"),
            (("lr",), "float", "dict of 1 item has no key lr"),
        ],
    ),
    ("(spec/keys a int)", '{"" 1}', [(("a",), "int", "dict of 1 item has no key a")]),
    ("(spec/keys reel float)", "1j", [(("reel",), "float", "1j has no attribute reel; did you mean real?")]),
    # modules
    ("(spec/parameters weight (spec/tensor [out in]) bias (spec/tensor [out]))", "(nn.Linear 2 3)", SAME),
    (
        "(spec/parameters weights int)",
        "(nn.Linear 2 3)",
        [(("weights",), "a parameter", "module Linear has no parameter of this name; did you mean weight?")],
    ),
    (
        "(spec/parameters running-mean int)",
        "(nn.BatchNorm1d 3)",
        [(("running-mean",), "a parameter", "it is a buffer: spec/buffers looks there")],
    ),
    (
        "(spec/parameters eps int)",
        "(nn.BatchNorm1d 3)",
        [(("eps",), "a parameter", "it is an attribute: spec/components looks there")],
    ),
    ("(spec/parameters weight int)", "3", [((), "a module with parameters", None)]),
    ("(spec/parameters bias (spec/nilable (spec/tensor [_])))", "(nn.Linear 2 3 :bias False)", SAME),
    ("(spec/buffers running-mean (spec/tensor [n]) running_var (spec/tensor [n]))", "(nn.BatchNorm1d 3)", SAME),
    ("(spec/modules 0 (spec/module nn.Linear))", "(nn.Sequential (nn.Linear 2 3))", SAME),
    ('(spec/modules "0" (spec/module nn.Linear))', "(nn.Sequential (nn.Linear 2 3))", SAME),
    ("(spec/components weight (spec/tensor [_ 2]) in-features int)", "(nn.Linear 2 3)", SAME),
    ("(spec/components in-features str)", "(nn.Linear 2 3)", [(("in-features",), "str", None)]),
    (
        "(spec/components in-faetures str)",
        "(nn.Linear 2 3)",
        [(("in-faetures",), "a component", "module Linear has no component of this name; did you mean in-features?")],
    ),
    ("(spec/module)", "(nn.Linear 2 3)", SAME),
    ("(spec/module)", "3", [((), "a module", None)]),
    ("(spec/module nn.Linear :in-features 2 :training bool)", "(nn.Linear 2 3)", SAME),
    ("(spec/module nn.Linear :in-features 3)", "(nn.Linear 2 3)", [(("in-features",), "3", None)]),
    ("(spec/module nn.Linear :bias None)", "(nn.Linear 2 3 :bias False)", SAME),
    ("(spec/module nn.Conv2d)", "(nn.Linear 2 3)", [((), "a Conv2d", None)]),
    ("(spec/coll-of (spec/module nn.Linear))", "(nn.ModuleList [(nn.Linear 2 3)])", SAME),
    ("(spec/dict-of str (spec/module nn.Linear))", '(nn.ModuleDict {"a" (nn.Linear 2 3)})', SAME),
]  # fmt: skip

NAMES = """
(import torch torch.nn :as nn)
(spec/def :int int :str str :adam/lr float :pair (spec/cat :first int :second str))
"""


@pytest.fixture
def table(run):
    with check.temporary():
        run(NAMES)
        yield run


@pytest.mark.parametrize(("spec", "value", "expected"), TABLE)
def test_a_row_of_the_table(table, spec, value, expected):
    table(f"(setv the-value {value})")
    problems = table(f"(spec/explain-data {spec} the-value)")
    assert table(f"(spec/valid? {spec} the-value)") is not bool(problems)
    if isinstance(expected, str):
        assert problems == ()
        conformed = table(f"(spec/conform {spec} the-value)")
        if expected == SAME:
            assert conformed is table("the-value")
        else:
            assert hy.repr(conformed) == hy.repr(table(expected))
    else:
        assert [(problem.in_, problem.pred, problem.reason) for problem in problems] == expected
        with pytest.raises(check.SpecError) as caught:
            table(f"(spec/conform {spec} the-value)")
        assert list(map(str, caught.value.problems)) == list(map(str, problems))


@pytest.mark.parametrize("spec", sorted({row[0] for row in TABLE}))
def test_the_form_of_a_spec_makes_that_spec(table, spec):
    made = table(f"(spec/and {spec})").specs[0]
    if "fn" not in spec and "nn." not in spec:
        assert table(f"(spec/and {hy.repr(check.form(made)).removeprefix(chr(39))})").specs[0] == check.spec(
            table("(spec/registry " + spec + ")") if spec.startswith(":") else made
        )
    assert hy.repr(table(f"(spec/describe {spec})"))


def test_a_qualified_keyword_of_a_mapping_must_conform_to_its_spec(table):
    (problem,) = table('(spec/explain-data (spec/keys a int) {"a" 1  :adam/lr "fast"})')
    assert (problem.in_, problem.via) == ((hy.models.Keyword("adam/lr"),), (":adam/lr",))
    assert str(problem) == ":adam/lr: expected :adam/lr, float; found 'fast'"


TENSORS = [
    # spec, shape (or a value), what is wrong
    ("[]", "[]", None),
    ("[2 3]", "[2 3]", None),
    ("[2 3]", "[2 4]", "axis 1 is 4, not 3"),
    ("[2 3]", "[3 4]", "axis 0 is 3, not 2; axis 1 is 4, not 3"),
    ("[n]", "[7]", None),
    ("[3]", "[7]", "7, not 3"),
    ("[n n]", "[4 4]", None),
    ("[n n]", "[4 5]", "n is 4 by axis 0, 5 by another axis"),
    ("[_ _]", "[4 5]", None),
    ("[n m]", "[4]", "rank 1, not 2"),
    ("[…]", "[]", None),
    ("[… n]", "[2 3 4]", None),
    ("[... 4]", "[2 3 4]", None),
    ("[n … n]", "[4 1 2 4]", None),
    ("[n … n]", "[4 1 2 5]", "n is 4 by axis 0, 5 by another axis"),
    ("[n … 3 m]", "[2 9 9 4 5]", "axis 3 is 4, not 3"),
    ("[n … n]", "[4]", "rank 1, not at least 2"),
    ("[~(+ 1 2)]", "[3]", None),
    ("[n 0]", "[3 0]", None),
    ("[n] :dtype torch.float32", "[3]", None),
    ("[n] :dtype :float", "[3]", None),
    ("[n] :dtype :int", "[3]", "its dtype is torch.float32, not :int"),
    ("[n] :dtype [torch.float16 :complex]", "[3]", "its dtype is torch.float32, not [torch.float16 :complex]"),
    (":dtype :int", "(torch.arange 3)", None),
    (":dtype :bool", "(torch.ones 2 :dtype torch.bool)", None),
    (':device "cpu"', "[3]", None),
    (':device "cuda"', "[3]", "it is on cpu, not on cuda"),
    (':device "meta"', '(torch.empty 3 :device "meta")', None),
    (":requires-grad True", "[3]", "it does not require gradients"),
    (":requires-grad False", "(nn.Parameter (torch.ones 3))", "it requires gradients"),
    (":min 0 :max 1", "(torch.rand 5)", None),
    (":min 0", "(torch.tensor [1.0 -1.0 -2.0])", "2 of 3 elements are below 0"),
    (":max 1", "(torch.tensor [1.0 2.5])", "1 of 2 elements is above 1"),
    (":finite True", '(torch.tensor [1.0 (float "nan")])', "1 of 2 elements is not finite"),
    (":min 0", '(torch.empty 3 :device "meta")', None),
    ("[3]", "3", "no tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "value", "wrong"), TENSORS)
def test_a_row_of_the_table_of_tensors(table, spec, value, wrong):
    table(f"(setv x {f'(torch.ones {value})' if value.startswith('[') else value})")
    problems = table(f"(spec/explain-data (spec/tensor {spec}) x)")
    if wrong is None:
        assert problems == ()
    elif wrong == "no tensor":
        assert str(problems[0]) == "expected (spec/tensor [3]); found 3"
    else:
        assert [problem.reason for problem in problems] == [wrong]


def test_names_agree_across_one_check(table):
    table("(setv two (spec/tuple (spec/tensor [n d]) (spec/tensor [d])))")
    assert table("(spec/valid? two [(torch.ones 3 4) (torch.ones 4)])")
    (problem,) = table("(spec/explain-data two [(torch.ones 3 4) (torch.ones 5)])")
    assert problem.reason == "d is 4 by 0, 5 by 1"
    table("(spec/def :matrix (spec/tensor [n d]) :vector (spec/tensor [d]))")
    assert not table("(spec/valid? (spec/tuple :matrix :vector) [(torch.ones 3 4) (torch.ones 5)])")


def test_a_branch_that_fails_binds_no_names(table):
    table("(setv either (spec/tuple (spec/or (spec/tensor [n 9]) (spec/tensor [_ n])) (spec/tensor [n])))")
    assert table("(spec/valid? either [(torch.ones 3 4) (torch.ones 4)])")
    assert not table("(spec/valid? either [(torch.ones 3 4) (torch.ones 3)])")
    table("(setv apart (spec/tuple (spec/not (spec/tensor [n 9])) (spec/tensor [n])))")
    assert table("(spec/valid? apart [(torch.ones 3 4) (torch.ones 4)])")


def test_the_names_of_a_registered_spec_of_a_module_are_its_own(table):
    table("(spec/def :L (spec/parameters weight (spec/tensor [o i]) bias (spec/tensor [o])))")
    table('(setv net (nn.ModuleDict {"a" (nn.Linear 2 3) "b" (nn.Linear 3 4)}))')
    assert table("(spec/valid? (spec/modules a :L b :L) net)")
    inline = (
        "(spec/modules a (spec/parameters weight (spec/tensor [h i])) b (spec/parameters weight (spec/tensor [o h])))"
    )
    assert table(f"(spec/valid? {inline} net)")
    (problem,) = table(f"(spec/explain-data {inline.replace('[o h]', '[h o]')} net)")
    assert problem.reason == "h is 3 by a.weight, 4 by b.weight"


def test_parametrized_and_shared_parameters(table):
    layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 3))
    assert table("(spec/valid? (spec/parameters weight (spec/tensor [3 2])) layer)", layer=layer)
