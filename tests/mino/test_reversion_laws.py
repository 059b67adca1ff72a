"""For models of every shape: what is revived has the same state, sharing and outputs, and the same expression."""

import hy
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import mino

DEFINITIONS = """
(import torch torch.nn.functional :as F)
(defmu Two [x first second] (+ (first x) (-> x second F.relu)))
(defmu Affine [x weights bias] (-> x (@ weights) (+ bias)))
(defmu Steps [x steps] (for [step steps] (setv x (step x))) x)
(defn scaled [k] (mu [x] (* x k)))
(defn within [layer] (mu [x] (let [y (layer x)] (+ x y))))
"""

LAYERS = [
    lambda: nn.Linear(2, 2),
    lambda: nn.Linear(2, 2, bias=False),
    lambda: nn.LayerNorm(2),
    lambda: nn.Tanh(),
    lambda: nn.Dropout(0.5),
    lambda: nn.TransformerEncoderLayer(2, 1, 3, batch_first=True),
]


@st.composite
def models(draw, names):
    """A nest of mus, containers and layers, of which any part may hang at several places."""
    made, tensors = [], []

    def part(depth):
        if made and draw(st.integers(0, 3)) == 0:
            return draw(st.sampled_from(made))
        kind = draw(st.sampled_from(["layer", "affine", "scaled", *(["two", "sequential", "steps"] if depth else [])]))
        made.append(kinds[kind](depth))
        return made[-1]

    def parts(depth):
        return [part(depth - 1) for _ in range(draw(st.integers(0, 3)))]

    def tensor(*shape):
        old = [each for each in tensors if tuple(each.shape) == shape]
        if old and draw(st.booleans()):
            return draw(st.sampled_from(old))
        tensors.append(
            draw(st.sampled_from([nn.Parameter, lambda t: nn.Buffer(t, persistent=False), nn.Buffer]))(
                torch.randn(*shape)
            )
        )
        return tensors[-1]

    kinds = {
        "layer": lambda _: draw(st.sampled_from(LAYERS))(),
        "affine": lambda _: names["Affine"](weights=tensor(2, 2), bias=tensor(2)),
        "scaled": lambda _: names["scaled"](draw(st.sampled_from([2, -0.5, torch.tensor([1.0, 2.0])]))),
        "two": lambda depth: names["Two"](first=part(depth - 1), second=part(depth - 1)),
        "sequential": lambda depth: nn.Sequential(*parts(depth)),
        "steps": lambda depth: names["Steps"](steps=nn.ModuleList(parts(depth))),
    }
    model = kinds[draw(st.sampled_from(["two", "sequential", "steps"]))](3)
    for module in model.modules():
        module.training = draw(st.booleans()) if draw(st.booleans()) else module.training
    for parameter in model.parameters():
        parameter.requires_grad = draw(st.integers(0, 2)) > 0
    return model


@pytest.fixture
def names(run):
    run(DEFINITIONS)
    return run.module.__dict__


@pytest.mark.filterwarnings("ignore")
def test_a_model_is_revived_from_its_expression(names, revive):
    @settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
    @given(models(names))
    def law(model):
        revive(model, torch.linspace(-1, 1, 8).reshape(2, 2, 2))

    law()


@pytest.mark.filterwarnings("ignore")
def test_only_what_is_captured_and_trained_is_no_part_of_the_state(names):
    """A layer that a body captures is written with its elements; one that hangs in the model too, without."""
    layer = nn.Linear(2, 2)
    captured = names["within"](layer)
    assert ":dtype torch.float32)" in hy.repr(captured) and "(torch.tensor [[" in hy.repr(captured)
    assert "torch.tensor" not in hy.repr(mino.form(names["Two"](first=captured, second=layer)))


# Texts of procedures: whatever Hy writes of a form, it reads as that form.
ATOMS = st.one_of(
    st.integers(-5, 5).map(hy.models.Integer),
    st.floats(allow_nan=False).map(hy.models.Float),
    st.text(max_size=4).map(hy.models.String),
    st.binary(max_size=3).map(hy.models.Bytes),
    st.sampled_from(["x", "a-b", "f?", "λ", "...", "+"]).map(hy.models.Symbol),
    st.sampled_from(["k", "a-b"]).map(hy.models.Keyword),
)


def sequences(parts):
    return st.one_of(
        st.lists(parts, max_size=3).map(hy.models.List),
        st.lists(parts, max_size=3).map(hy.models.Tuple),
        st.lists(parts, min_size=1, max_size=3).map(hy.models.Expression),
        parts.map(lambda part: hy.models.Expression([hy.models.Symbol("quote"), part])),
        st.lists(st.one_of(st.text(max_size=4).map(hy.models.String), parts.map(component)), max_size=3).map(fstring),
    )


def component(part):
    return hy.models.FComponent([part], conversion=None)


def fstring(parts):
    """Texts that follow one another are one, as they are read."""
    joined = []
    for part in parts:
        if joined and isinstance(part, hy.models.String) and isinstance(joined[-1], hy.models.String):
            joined[-1] = hy.models.String(joined[-1] + part)
        elif part != hy.models.String(""):
            joined.append(part)
    return hy.models.FString(joined)


@settings(max_examples=200, deadline=None)
@given(st.recursive(ATOMS, sequences, max_leaves=8))
def test_hy_reads_what_it_writes(form):
    text = hy.repr(form)
    assert hy.repr(hy.read(text.removeprefix("'") if text[:1] == "'" else text)) == text
    assert same(hy.read(text.removeprefix("'")), form)


def same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, hy.models.Sequence):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
