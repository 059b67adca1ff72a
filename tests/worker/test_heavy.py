"""The heavy way: shapes without values; what is not known can be printed and calculated with, and is assumed where it
decides; small values stay known."""

from __future__ import annotations

import pytest
import torch

from mino_lsp import types as t
from mino_lsp.worker.fake import Shapes, known
from mino_lsp.worker.unknown import Undecided, UnknownFloat, UnknownInt

HEAD = """(import torch copy io json math sys  torch [nn]  torch.nn.functional :as F)
(require mino.mu * mino.thread *)
(setv big (torch.randn 64 1000)  wide (nn.Linear 1000 5)  loss (.mean (wide big)))
"""


def told(preview, text: str, place: str) -> tuple[list[str], str]:
    answer = preview(HEAD + text, way="heavy")
    assert answer.problems == []
    start = answer.text.rindex(place)
    fact = answer.facts[t.Span(start, start + len(place))]
    return answer.at(place, answer.text.count(place) - 1), fact.evidence


SHAPES = [
    # a program, a place in it, the shape there, on what evidence
    ("(wide big)", "(wide big)", "[64 5]", "shapes only"),
    (
        '(print f"{(.item loss) :.3f}" loss (round (* 2 (.item loss)) 2))\n(wide big)',
        "(wide big)",
        "[64 5]",
        "shapes only",
    ),
    ('(json.dumps {"loss" (.item loss)})\n(wide big)', "(wide big)", "[64 5]", "shapes only"),
    ("(when (< (.item loss) 1) (print 1))\n(torch.ones 7)", "(torch.ones 7)", "[7]", "assumed"),
    ("(if (> loss 1) (torch.ones 2) (torch.ones 3))\n(torch.ones 7)", "(torch.ones 7)", "[7]", "assumed"),
    ('(when (torch.isnan loss) (raise (ValueError "nan")))\n(torch.ones 7)', "(torch.ones 7)", "[7]", "assumed"),
    ("(when (> (.item loss) 10) (sys.exit 1))\n(torch.ones 7)", "(torch.ones 7)", "[7]", "assumed"),
    ("(assert (torch.isfinite loss))\n(torch.ones 7)", "(torch.ones 7)", "[7]", "assumed"),
    ("(while (> (.item loss) 0.1) (setv loss (* loss 0.9)))\n(torch.ones 7)", "(torch.ones 7)", "[7]", "assumed"),
    ("(float loss)\n(torch.ones 7)", "(torch.ones 7)", "[7]", "assumed"),
    (
        "(get big (> (get big #((slice None) 0)) 0))",
        "(get big (> (get big #((slice None) 0)) 0))",
        "[64 1000]",
        "assumed",
    ),
    # small values are known
    (
        "(get (torch.ones 8 3) (torch.tensor [True False True False False False False True]))",
        None,
        "[3 3]",
        "shapes only",
    ),
    ("(torch.nonzero (torch.tensor [1 0 2]))", None, "[2 1]", "shapes only"),
    ("(torch.ones (int (.max (torch.tensor [2 4]))))", None, "[4]", "shapes only"),
    ("(torch.ones (len (.tolist (torch.randperm 50))))", None, "[50]", "shapes only"),
    ("(torch.unique (torch.tensor [1 1 2]))", None, "[2]", "shapes only"),
    ("(torch.repeat-interleave (torch.ones 2 3) (torch.tensor [1 2]) :dim 0)", None, "[3 3]", "shapes only"),
]


@pytest.mark.parametrize(("text", "place", "shape", "evidence"), SHAPES)
def test_shapes_without_values(preview, text, place, shape, evidence):
    assert told(preview, text, place or text) == ([shape], evidence)


def test_a_model_of_any_size_is_only_looked_at(preview):
    text = "(setv m (nn.Sequential #* (lfor _ (range 20) (nn.Linear 20000 20000))))\n(m (torch.ones 3 20000))"
    assert told(preview, text, "(m (torch.ones 3 20000))") == (["[3 20000]"], "shapes only")


def test_a_copy_of_a_model_shares_its_mode(preview):
    text = "(setv m (nn.TransformerEncoder (nn.TransformerEncoderLayer 16 4 :batch-first True) 2))\n(.eval m)\n"
    text += "(m (torch.ones 2 5 16))"
    assert told(preview, text, "(m (torch.ones 2 5 16))") == (["[2 5 16]"], "shapes only")


LAZY = """(setv net (nn.Sequential (nn.LazyConv2d 4 3) (nn.LazyBatchNorm2d))  alike (copy.deepcopy (get net 0)))
(.half (.cuda net))
(.backward (.sum (net (.half (.cuda (torch.ones 8 3 32 32))))))
(alike (torch.ones 1 5 9 9))
(abs (. (get net 0) weight grad))"""


@pytest.mark.parametrize("way", ["light", "heavy"])
def test_lazy_layers_are_moved_copied_and_initialized(preview, way):
    answer = preview(HEAD + LAZY, way=way)
    assert answer.problems == []
    assert answer.at("(alike (torch.ones 1 5 9 9))") == ["[1 4 7 7]"]
    start = answer.text.index("(abs")
    (value,) = answer.facts[t.Span(start, len(answer.text))].values
    assert (value.shape, value.dtype, value.device) == ((4, 3, 3, 3), "float16", "cuda:0")


def test_devices_are_claimed_in_the_heavy_way_too(preview):
    text = "(setv g (.cuda wide)  out (g (.cuda big)))\n(.backward (.sum out))\n(abs g.weight.grad)"
    answer = preview(HEAD + text, way="heavy")
    assert answer.problems == []
    start = answer.text.index("(abs")
    assert [value.device for value in answer.facts[t.Span(start, len(answer.text))].values] == ["cuda:0"]
    (problem,) = preview(HEAD + "((.cuda wide) big)", way="heavy").problems
    assert "big [64 1000] is on cpu" in problem.message and "on cuda:0" in problem.message


def test_a_shape_error_is_one_in_the_heavy_way(preview):
    answer = preview(HEAD + "(defn f [x] (-> x (* 2) (@ (torch.ones 7 5))))\n(f big)", way="heavy")
    assert answer.blamed() == [("shape", "(@ (torch.ones 7 5))")]


def test_what_is_saved_is_read_back(preview):
    text = "(setv b (io.BytesIO))\n(torch.save (.state-dict wide) b)\n(.seek b 0)\n(setv s (torch.load b))\n"
    text += '(.load-state-dict wide s)\n(abs (get s "weight"))'
    assert told(preview, text, '(abs (get s "weight"))') == (["[5 1000]"], "shapes only")


LOOP = """(import torch)
(setv n 0)
({head}
  (setv x (torch.ones 3))
  (for [_ (range 200000)] None)
  (+= n 1))
(torch.ones 7)
"""


@pytest.mark.parametrize("head", ["for [_ (range 100000)]", "while (< n 1000000)"])
@pytest.mark.parametrize("way", ["light", "heavy"])
def test_a_loop_that_tells_nothing_new_is_left(preview, head, way):
    text = LOOP.replace("{head}", head)
    answer = preview(text, t.Limits(cpu=2), way=way)
    assert answer.problems == []
    start = text.index("(torch.ones 7)")
    assert answer.facts[t.Span(start, start + len("(torch.ones 7)"))].evidence == "assumed"


def test_a_loop_that_builds_is_not_left(preview):
    text = "(import torch)\n(setv m (torch.nn.Sequential #* (lfor n (range 1 40) (torch.nn.Linear 8 8))))\n(len m)"
    answer = preview(text + "\n(assert (= (len m) 39))", way="heavy")
    assert answer.problems == []


def test_the_limit_that_was_reached_is_told(preview):
    answer = preview("(setv n 0)\n(defn f [] (+ n 1))\n(lfor _ (range 1000000000) (f))", t.Limits(cpu=1))
    assert answer.result.limit == "cpu"


@pytest.mark.parametrize("number", [UnknownFloat(1.0), UnknownInt(1)])
def test_unknown_numbers_stay_unknown(number):
    for result in (number + 1, 1 + number, number * 2.0, -number, abs(number), number / 3, 3 / number, number**2):
        assert type(result) in (UnknownFloat, UnknownInt)
    assert type(number / 2) is UnknownFloat
    assert isinstance(number < 2, Undecided) and isinstance(number == 1, Undecided)
    assert f"{number:.2f}" == "1.00"


def test_a_decision_takes_the_side_that_neither_raises_nor_exits():
    unsure = Undecided()

    def checked(flag):
        if flag:
            raise ValueError
        return "passed"

    def required(flag):
        if not flag:
            raise ValueError
        return "passed"

    def looped(flag):
        turns = 0
        while flag:
            turns += 1
            if turns > 5:
                return "endless"
        return "left"

    def until(flag):
        for turns in range(6):
            while True:
                turns += 1
                if not flag:
                    break
                if turns > 9:
                    return "endless"
        return "left"

    def repeated(flag):
        turns = 0
        while True:
            turns += 1
            if flag:
                return "left"
            if turns > 5:
                return "endless"

    def each(flag):
        found = 0
        for _ in range(3):
            if not flag:
                return "left"
            found += 1
        return found

    assert (checked(unsure), required(unsure), looped(unsure)) == ("passed", "passed", "left")
    assert (until(unsure), repeated(unsure), each(unsure)) == ("left", "left", 3)
    assert unsure


@pytest.mark.parametrize("way", ["light", "heavy"])
def test_numbers_are_drawn_until_they_lie_between_bounds(preview, way):
    """As vision transformers begin with."""
    text = "(setv w (nn.init.trunc-normal- (torch.empty 400 300) :std 0.02))\n(torch.clone w)"
    answer = preview(HEAD + text, way=way)
    assert answer.problems == [] and answer.at("(torch.clone w)") == ["[400 300]"]
    start = answer.text.index("(torch.clone w)")
    assert answer.facts[t.Span(start, len(answer.text))].evidence != "assumed"


OPERATORS = [
    lambda x: x @ x.t(),
    lambda x: x.t(),
    lambda x: x[3:, ::2],
    lambda x: x.view(8, -1).split(3),
    lambda x: torch.nn.functional.layer_norm(x, x.shape[-1:], torch.ones(x.shape[-1])),
    lambda x: x.add_(1),
    lambda x: x.to(torch.float64).addcdiv(x, x, value=0.5),
    lambda x: x.max(dim=0),
    lambda x: x.expand(2, *x.shape).contiguous(),
    lambda x: torch.nn.functional.conv1d(x[None], torch.ones(5, x.shape[0], 3)),
    lambda x: x.unsqueeze_(0),
    lambda x: torch.view_as_complex(x.reshape(x.shape[0], -1, 2)).conj(),
]


def described(x: torch.Tensor, out: object) -> list[object]:
    """All of an operator's outputs but their values; and where it writes or looks at its input, that."""
    outs = out if isinstance(out, tuple) else (out,)
    storage = x.untyped_storage()._cdata
    return [
        (y.shape, y.stride(), y.storage_offset(), y.dtype, y.is_conj(), y is x, y.untyped_storage()._cdata == storage)
        for y in outs
    ]


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_makes_the_same_when_it_is_remembered(operator):
    x = torch.randn(64, 48)
    expected = described(x, operator(x))
    with Shapes():
        for _ in range(3):
            x = torch.randn(64, 48)
            assert described(x, operator(x)) == expected


def test_what_is_remembered_forgets_what_was_written_over():
    with Shapes():
        for _ in range(2):
            small, large = torch.zeros(3), torch.randn(64, 48)
            assert known(small) is not None
            small.add_(large.sum())
            assert known(small) is None


def test_what_rests_on_values_is_not_remembered():
    with Shapes():
        x, some, all_ = torch.randn(64, 48), torch.arange(64) < 5, torch.arange(64) < 64
        assert [x[mask].shape[0] for mask in (some, all_, some)] == [5, 64, 5]
        assert [len(torch.arange(0.0, end)) for end in (3.0, 5.0)] == [3, 5]
        # The numbers of arithmetic differ at each step of an optimizer: their kind decides.
        assert [(x.long() * number).dtype for number in (2, 2.5)] == [torch.int64, torch.float32]


UNDECIDED = """(import torch json torch.nn :as nn)
(setv model (nn.Linear 4 3)
      v (.item (.sum (model (torch.ones 1 4))))
      right (> v 0)
      correct 0)
(for [i (range 3)]
  (+= correct (= (.item (.argmax (model (torch.randn 1 4)))) i)))
(setv share (/ correct 3)
      total (sum (gfor i (range 3) (= v i)))
      text (json.dumps {"ok" right})
      known (isinstance right int)
      numbers [(int right) (float right) (* 1.0 right) (round v) (int v)]
      both (torch.tensor [right False])
      one (torch.as_tensor right))
(print f"{share :.2f} {right} {total}")"""


@pytest.mark.parametrize("way", ["light", "heavy"])
def test_what_is_not_known_is_calculated_with(preview, way):
    """How many were right, say; and it is shown as what a run has in its place."""
    told = preview(UNDECIDED, way=way)
    assert told.problems == []
    assert [told.at(name) for name in ("share", "total", "right")] == [["float"], ["int"], ["bool"]]
    kinds = {}
    for name in ("both", "one"):
        start = UNDECIDED.index(f" {name} (") + 1
        (kinds[name],) = told.facts[t.Span(start, start + len(name))].values
    assert (kinds["both"].shape, kinds["both"].dtype) == ((2,), "bool")
    assert (kinds["one"].shape, kinds["one"].dtype) == ((), "bool")


@pytest.mark.parametrize("way", ["light", "heavy"])
def test_what_was_left_early_makes_no_error(preview, way):
    """What a loop gathers is shorter then, and what is made of it fails where a run would not."""
    text = """(import torch time)
(setv gathered [])
(for [_ (range 1000000)]
  (.append gathered 1)
  (time.process-time))
(when (!= (len gathered) 1000000) (raise (ValueError "too few")))
(setv after (torch.ones 3))"""
    told = preview(text, limits=t.Limits(cpu=1), way=way)
    assert told.problems == [] and told.at("after") == ["[3]"]
    start = text.index("after")
    assert told.facts[t.Span(start, start + 5)].evidence == "assumed"


SOUND = [
    # a program that a run evaluates without an error, and the shape of its `out`
    ("(setv m (pickle.loads (pickle.dumps (nn.Linear 2 3))) out (m (torch.ones 4 2)))", "[4 3]"),
    ('(setv m (pickle.loads (pickle.dumps {"w" big})) out (get m "w"))', "[64 1000]"),
    ("(setv out ((torch.func.jacfwd (fn [x] (** x 3))) (torch.ones 3)))", "[3 3]"),
    (
        '(with [_ (torch.device "meta")] (setv m (nn.Linear 9 4)))\n'
        '(setv out ((.to-empty m :device "cpu") (torch.ones 2 9)))',
        "[2 4]",
    ),
    (
        "(try (D.Normal 0.0 -1.0) (except [e ValueError] (setv refused True)))\n(setv out (torch.ones (int refused)))",
        "[1]",
    ),
    ("(setv n (D.Normal (.mean big 1) (torch.ones 64)) out (.log-prob n (.sample n [5])))", "[5 64]"),
    ('(setv m (match (. (type big) __name__) "Tensor" (torch.ones 3) _ (torch.ones 5)) out (* m 2))', "[3]"),
]

IMPORTS = "(import pickle  torch.distributions :as D)\n"


@pytest.mark.parametrize("way", ["light", "heavy"])
@pytest.mark.parametrize(("text", "shape"), SOUND)
def test_what_a_run_can_do_is_done_on_shapes(preview, text, shape, way):
    answer = preview(HEAD + IMPORTS + text, way=way)
    assert [one for one in answer.problems if one.severity != "warning"] == []
    assert answer.at("out", answer.text.count("out") - 1) == [shape]


BEYOND = [
    "(setv made (torch.nested.nested-tensor [(torch.ones 3 4) (torch.ones 5 4)] :layout torch.jagged))",
    "(setv made (torch.istft (torch.stft (torch.ones 400) 32 :window (torch.ones 32) :return-complex True) 32))",
    "(defclass Named [torch.Tensor])\n(setv made (.as-subclass (torch.ones 2 3) Named))",
    "(setv made (.to-sparse (torch.eye 3)))",
]


@pytest.mark.parametrize("text", BEYOND)
def test_what_torch_cannot_do_on_shapes_is_no_error(preview, text):
    """Nor is what follows from it; what does not shows its shapes and its mistakes."""
    below = "\n(defn use [] (* made 2))\n(use)\n(setv made.n 1)\n(setv after (torch.ones 7))\n(@ after big)"
    answer = preview(HEAD + text + below, way="heavy")
    told = [(one.code, one.severity) for one in answer.problems if one.severity != "warning"]
    assert told == [("preview-shapes", "information"), ("shape", "error")]
    assert answer.at("after") == ["[7]"]
    assert [one for one in preview(HEAD + text, way="light").problems if one.severity == "error"] == []


@pytest.mark.parametrize(
    ("data", "lengths", "said"),
    [
        ("(torch.ones 2 5 3)", "[3 5]", "sorted in decreasing order"),
        ("(torch.ones 2 5 3)", "[5 4 3]", "but got 3 (batch_size=2)"),
        ("(torch.ones 2 5 3)", "[5 0]", "greater than 0"),
    ],
)
@pytest.mark.parametrize("way", ["light", "heavy"])
def test_lengths_that_cannot_be_packed(preview, data, lengths, said, way):
    text = f"(nn.utils.rnn.pack-padded-sequence {data} (torch.tensor {lengths}) :batch-first True)"
    (problem,) = preview(HEAD + text, way=way).problems
    assert said in problem.message and problem.severity == "error"


@pytest.mark.parametrize("call", ["(big.itm)", "(.sum big :dims 1)"])
def test_a_tensor_is_called_one(preview, call):
    assert "FakeTensor" not in preview(HEAD + call, way="heavy").problems[0].message
