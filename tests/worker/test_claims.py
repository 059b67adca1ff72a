"""Claimed devices: the device that a program puts a tensor on is told, on a machine without it; two in one operator are
the error that a run would give, at its step."""

from __future__ import annotations

import pytest

from mino_lsp import types as t

HEAD = """(import torch io copy  torch [nn]  torch.nn.functional :as F)
(require mino.mu * mino.thread *)
"""


def devices(preview, text: str, place: str, device: str = "cpu", nth: int = 0) -> list[str]:
    told = preview(HEAD + text, device=device)
    assert told.problems == []
    start = -1
    for _ in range(nth + 1):
        start = told.text.index(place, start + 1)
    fact = told.facts[t.Span(start, start + len(place))]
    return [value.device for value in fact.values if isinstance(value, t.TensorValue)]


PUT = [
    # what is evaluated, where to look, on which device it is; for the CPU
    ('(torch.randn 3 :device "cuda")', "cuda:0"),
    ('(torch.zeros 3 :device "cuda:1")', "cuda:1"),
    ('(torch.tensor [1.0 2.0] :device "cuda")', "cuda:0"),
    ('(torch.as-tensor [1 2] :device (torch.device "cuda" 1))', "cuda:1"),
    ('(torch.arange 3 :device "mps")', "mps:0"),
    ('(.to (torch.ones 3) "xpu")', "xpu:0"),
    ('(.to (torch.ones 3) :device "cuda" :dtype torch.float16)', "cuda:0"),
    ('(.to (torch.ones 3) (torch.ones 2 :device "cuda:1"))', "cuda:1"),
    ("(.cuda (torch.ones 3))", "cuda:0"),
    ("(.cuda (torch.ones 3) 1)", "cuda:1"),
    ("(.cpu (.cuda (torch.ones 3)))", "cpu"),
    ("(.half (.cuda (torch.ones 3)))", "cuda:0"),
    ("(.to (.cuda (torch.ones 3)) torch.int64)", "cuda:0"),
    ("(+ 1 (.cuda (torch.ones 3)))", "cuda:0"),
    ("(+ (torch.tensor 1.0) (.cuda (torch.ones 3)))", "cuda:0"),
    ("(get (.cuda (torch.ones 3)) (torch.tensor [0 1]))", "cuda:0"),
    ("(torch.zeros-like (.cuda (torch.ones 3)))", "cuda:0"),
    ('(torch.zeros-like (.cuda (torch.ones 3)) :device "cpu")', "cpu"),
    ("(.new-zeros (.cuda (torch.ones 3)) 2)", "cuda:0"),
    ("(.new-tensor (.cuda (torch.ones 3)) [1.0])", "cuda:0"),
    ("(F.one-hot (.cuda (torch.tensor [0 1])) 3)", "cuda:0"),
    ("(.view (.cuda (torch.ones 4)) 2 2)", "cuda:0"),
    ('(getattr (.cuda (nn.Linear 2 3)) "weight")', "cuda:0"),
    ('(getattr (nn.Linear 2 3 :device "cuda") "bias")', "cuda:0"),
    ('(next (.parameters (.to (nn.Sequential (nn.Linear 2 3)) "cuda:1")))', "cuda:1"),
    ('(get ((.cuda (nn.LSTM 3 4)) (torch.ones 5 2 3 :device "cuda")) 0)', "cuda:0"),
    ('(getattr (copy.deepcopy (.cuda (nn.Linear 2 2))) "weight")', "cuda:0"),
    ("((torch.vmap (fn [x] (* x 2))) (.cuda (torch.ones 4 3)))", "cuda:0"),
    ("((torch.func.grad (fn [x] (.sum (* x x)))) (.cuda (torch.ones 3)))", "cuda:0"),
    ('(torch.randn 3 :device "cuda" :generator (.manual-seed (torch.Generator :device "cuda") 1))', "cuda:0"),
    ("(.to-sparse (.cuda (torch.eye 3)))", "cuda:0"),
    ("(.pin-memory (torch.ones 3))", "cpu"),
    ("(get (.unbind (torch.nested.nested-tensor [(.cuda (torch.ones 2))] :layout torch.jagged)) 0)", "cuda:0"),
]


@pytest.mark.parametrize(("form", "device"), PUT)
def test_a_tensor_is_where_the_program_put_it(preview, form, device):
    assert devices(preview, form, form) == [device]


PROGRAMS = [
    # a program; a place in it; the device there
    ('(with [_ (torch.device "cuda")] (setv x (torch.zeros 3)  y (torch.tensor 2.0)))\n(* x y)', "(* x y)", "cuda:0"),
    ('(torch.set-default-device "cuda:1")\n(torch.zeros 3)', "(torch.zeros 3)", "cuda:1"),
    (
        '(setv m (.cuda (nn.Linear 3 1)))\n(.backward (.sum (m (torch.ones 2 3 :device "cuda"))))\nm.weight.grad',
        "m.weight.grad",
        "cuda:0",
    ),
    ("(setv x (torch.ones 3 :requires-grad True))\n(.backward (.sum (.cuda x)))\nx.grad", "x.grad", "cpu"),
    (
        "(setv b (io.BytesIO))\n(torch.save (.cuda (torch.ones 3)) b)\n(.seek b 0)\n(torch.load b)",
        "(torch.load b)",
        "cuda:0",
    ),
    (
        '(setv b (io.BytesIO))\n(torch.save (.cuda (torch.ones 3)) b)\n(.seek b 0)\n(torch.load b :map-location "cpu")',
        '(torch.load b :map-location "cpu")',
        "cpu",
    ),
    (
        "(setv m (.cuda (nn.Linear 3 1)))\n(.load-state-dict m (.state-dict (nn.Linear 3 1)))\nm.weight",
        "m.weight",
        "cuda:0",
    ),
    (
        "(setv m (.cuda (nn.TransformerEncoderLayer 16 4)) x (torch.ones 2 3 16))\n(m (.cuda x))",
        "(m (.cuda x))",
        "cuda:0",
    ),
    ("(defn f [x] (-> x (@ x)))\n(f (.cuda (torch.ones 2 2)))", "(@ x)", "cuda:0"),
    (
        '(setv y (.cuda (torch.ones 3)))\n(assert (= [y.is-cuda y.device.type] [True "cuda"]))\n(abs y)',
        "(abs y)",
        "cuda:0",
    ),
]


@pytest.mark.parametrize(("text", "place", "device"), PROGRAMS)
def test_devices_in_programs(preview, text, place, device):
    assert devices(preview, text, place, nth=text.count(place) - 1) == [device]


OPTIMIZERS = ["Adam", "SGD", "AdamW", "RMSprop", "Adagrad", "LBFGS", "NAdam", "Adadelta"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_step_on_a_claimed_device(preview, name):
    text = f"""
(setv m (.cuda (nn.Linear 3 1))  o (torch.optim.{name} (.parameters m) :lr 0.1))
(defn closure [] (.zero-grad o) (setv loss (.mean (m (torch.ones 4 3 :device "cuda")))) (.backward loss) loss)
(for [_ (range 2)] (.step o closure))
(nn.utils.clip-grad-norm- (.parameters m) 1.0)
(get (list (.parameters m)) 0)
"""
    assert devices(preview, text, "(get (list (.parameters m)) 0)") == ["cuda:0"]


def test_mixed_precision(preview):
    text = """
(setv m (.cuda (nn.Linear 3 1))  o (torch.optim.SGD (.parameters m) :lr 0.1)  s (torch.amp.GradScaler "cuda"))
(with [_ (torch.autocast "cuda" :dtype torch.float16)] (setv y (m (torch.ones 4 3 :device "cuda"))))
(assert (= y.dtype torch.float16))
(.backward (.scale s (.mean y)))
(.unscale- s o) (.step s o) (.update s)
(abs y)
"""
    assert devices(preview, text, "(abs y)", device="cuda") == ["cuda:0"]


CLASHES = [
    ("(+ x (torch.ones 3))", ("cuda:0", "cpu")),
    ("(+ (torch.ones 3) x)", ("cuda:0", "cpu")),
    ("(@ x (torch.ones 3))", ("cuda:0", "cpu")),
    ('(+ x (torch.ones 3 :device "cuda:1"))', ("cuda:0", "cuda:1")),
    ("(torch.cat [x (torch.ones 3)])", ("cuda:0", "cpu")),
    ("((.cuda (nn.Linear 3 2)) (torch.ones 1 3))", ("cuda:0", "cpu")),
    ("((nn.Linear 3 2) x)", ("cuda:0", "cpu")),
    ("((.cuda (nn.Embedding 5 2)) (torch.tensor [1]))", ("cuda:0", "cpu")),
    ("(F.cross-entropy (.cuda (torch.ones 4 5)) (torch.zeros 4 :dtype torch.long))", ("cuda:0", "cpu")),
    ("(.add- (torch.tensor 0.0) (.sum x))", ("cuda:0", "cpu")),
    ("(get (torch.ones 3) (.cuda (torch.tensor [0])))", ("same device as the indexed tensor (cpu)",)),
    ("(.numpy x)", ("can't convert cuda:0 device type tensor to numpy",)),
    ('(torch.randn 3 :generator (torch.Generator :device "cuda"))', ("Expected a 'cpu' device type for generator",)),
]


@pytest.mark.parametrize(("form", "found"), CLASHES)
def test_two_devices_in_one_operator_are_an_error(preview, form, found):
    told = preview(f"{HEAD}(setv x (.cuda (torch.ones 3)))\n{form}\n")
    (problem,) = told.problems
    assert (problem.severity, told.text[problem.span.start : problem.span.end]) == ("error", form)
    assert all(device in problem.message for device in found)


def test_operators_on_meta_go_beside_a_claimed_device(preview):
    """Torch makes jagged tensors with one."""
    told = preview(HEAD + "(.cuda (torch.ones 2))\n(torch.nested.nested-tensor [(torch.ones 2)] :layout torch.jagged)")
    assert told.problems == []
    clash = '(+ (.cuda (torch.ones 3)) (torch.ones 3 :device "meta"))'
    assert preview(HEAD + clash).blamed() == [("device", clash)]


def test_a_clash_is_reported_at_its_step(preview):
    told = preview(HEAD + "(defn f [x w] (-> x (* 2) (@ w) torch.relu))\n(f (.cuda (torch.ones 2 3)) (torch.ones 3 4))")
    assert [told.text[problem.span.start : problem.span.end] for problem in told.problems] == ["(@ w)"]


ANSWERS = """
(setv there {there})
(assert (= (torch.cuda.is-available) there))
(assert (= (torch.cuda.device-count) {count}))
(assert (= (torch.accelerator.is-available) there))
(assert (= (torch.cuda.current-device) 0))
(torch.cuda.synchronize) (torch.cuda.manual-seed-all 1) (torch.cuda.empty-cache) (torch.cuda.set-device 0)
(assert (= (torch.cuda.max-memory-allocated) 0))
(with [_ (torch.cuda.stream (torch.cuda.Stream))] (.record (torch.cuda.Event :enable-timing True)))
(with [_ (torch.cuda.device 1)] (assert (= (torch.cuda.current-device) 1)))
(setv chosen (if (torch.cuda.is-available) "cuda" "cpu"))
(.to (torch.ones 3 :device "cpu") chosen)
"""


@pytest.mark.parametrize(
    ("device", "count", "chosen"), [("cpu", 0, "cpu"), ("cuda", 1, "cuda:0"), ("cuda:1", 2, "cuda:0")]
)
def test_what_is_available_is_the_configured_device(preview, device, count, chosen):
    text = ANSWERS.format(there=count > 0, count=count)
    last = '(.to (torch.ones 3 :device "cpu") chosen)'
    assert devices(preview, text, last, device) == [chosen]


def test_the_configured_device_is_the_default_one_as_in_a_run(preview):
    assert devices(preview, "(torch.ones 3)", "(torch.ones 3)", "cuda:1") == ["cuda:1"]
    assert devices(preview, "(torch.ones 3)", "(torch.ones 3)", "mps") == ["mps:0"]


def test_loaders_with_workers_load_in_the_preview(preview):
    text = """
(import torch.utils.data [DataLoader TensorDataset])
(setv loader (DataLoader (TensorDataset (torch.ones 8 3)) 2 :shuffle True :num-workers 2 :persistent-workers True
                         :pin-memory True))
(for [_ (range 2)] (for [[b] loader] (setv moved (.cuda b :non-blocking True))))
(assert (= loader.num-workers 2))
moved
"""
    assert devices(preview, text, "moved", nth=1) == ["cuda:0"]
