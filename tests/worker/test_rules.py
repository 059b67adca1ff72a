"""What operators make of shapes is what they make of numbers: metadata, views, values that are known, and errors."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode

from mino_lsp.worker.fake import Shapes, known, warm_up

CASES = 100

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

ERRORS = (RuntimeError, IndexError, NotImplementedError, ValueError, TypeError)

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.complex64]

LAYOUTS: list[Any] = [
    lambda x: x,
    lambda x: x.transpose(0, -1),
    lambda x: x[..., 1:],
    lambda x: x[::2],
    lambda x: x.unsqueeze(1),
    lambda x: x.expand(2, *x.shape),
    lambda x: x.conj(),
    lambda x: x.select(0, -1),
]

OF_ONE: list[Any] = [
    lambda x: x.view(-1),
    lambda x: x.view(x.shape[0], -1),
    lambda x: torch.ops.aten._unsafe_view(x, [x.numel()]),
    lambda x: x.transpose(0, 1),
    lambda x: x.t(),
    lambda x: x.permute(*reversed(range(x.dim()))),
    lambda x: x.expand(3, *x.shape),
    lambda x: x.expand(-1, 4),
    lambda x: x.select(1, 1),
    lambda x: x[:, 1:3],
    lambda x: x.squeeze(),
    lambda x: x.squeeze(1),
    lambda x: x.unsqueeze(-1),
    lambda x: x.unbind(0),
    lambda x: x.split(2),
    lambda x: x.detach(),
    lambda x: x.clone(),
    lambda x: x * 2,
    lambda x: x * 2.5,
    lambda x: x + True,
    lambda x: x / 3,
    lambda x: 1 - x,
    lambda x: torch.ops.aten.mul.Scalar(x, 0.5),
    *(torch.relu, F.gelu, F.silu, torch.tanh, torch.sigmoid, torch.exp, torch.neg),
    lambda x: torch.ops.aten._safe_softmax(x, -1),
    lambda x: F.layer_norm(x, x.shape[-1:]),
    lambda x: F.layer_norm(x, x.shape[-2:]),
    lambda x: F.layer_norm(x, (3,)),
    lambda x: x.mul_(2),
    lambda x: x.div_(2).sub_(1),
    lambda x: x.zero_(),
    lambda x: x.fill_(2),
    lambda x: x.fill_(2.5),
    lambda x: x.sqrt(),
]

OF_TWO: list[Any] = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x, y: torch.mm(x, y),
    lambda x, y: torch.mm(x, x.t()),
    lambda x, y: torch.bmm(x, y),
    lambda x, y: torch.bmm(x, x.transpose(1, 2)),
    lambda x, y: F.linear(x, x, y),
    lambda x, y: torch.addmm(y, x, x.t()),
    lambda x, y: torch.addmm(x[0], x, x.t()),
    lambda x, y: torch.addmm(x.t()[0], x.t(), x),
    lambda x, y: F.layer_norm(x, y.shape, y, y),
    lambda x, y: F.layer_norm(x, x.shape[-1:], x[0], x[0]),
    lambda x, y: x.add_(y),
    lambda x, y: x.add_(x),
    lambda x, y: x.copy_(y),
    lambda x, y: x.lerp_(y, 0.5),
    lambda x, y: x.addcdiv_(y, y, value=2),
    lambda x, y: x.addcmul_(x, y),
    lambda x, y: torch.add(x, x, out=y),
]

shapes = st.lists(st.sampled_from([0, 1, 1, 2, 3, 4]), min_size=0, max_size=3)
layouts = st.lists(st.sampled_from(LAYOUTS), max_size=2)
modes = st.sampled_from([contextlib.nullcontext, torch.no_grad, torch.inference_mode])
tensors = st.tuples(shapes, st.sampled_from(DTYPES), layouts)


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL)


def made(operator: Any, drawn: Any, mode: Any, forgotten: bool) -> tuple[Any, Any]:
    """What an operator makes of tensors, described, and the values, where they are known; or that it fails."""
    try:
        inputs = [tensor(*each) for each in drawn]
    except ERRORS:
        return "no such tensors", ()
    for each in inputs if forgotten else ():
        each.constant = None
    try:
        with mode():
            out = operator(*inputs)
    except ERRORS:
        return "an error", ()
    outs = out if isinstance(out, tuple) else (out,)
    # Torch's fake tensors forget in inference mode whose memory it is that a tensor with known values looks at.
    looked_at = inputs if mode is not torch.inference_mode else []
    storages = [each.untyped_storage()._cdata for each in looked_at]
    described = [
        (
            *(
                tuple(y.shape),
                y.stride() if y.numel() else (),
                y.storage_offset(),
                y.dtype,
                y.is_conj(),
                y.is_inference(),
            ),
            *([y is each for each in inputs], [y.untyped_storage()._cdata == one for one in storages]),
        )
        for y in outs
    ]
    return described, [known(y) for y in (*outs, *inputs)]


def tensor(shape: list[int], dtype: torch.dtype, layout: list[Any]) -> Any:
    size = 1
    for length in shape:
        size *= length
    x = torch.arange(size).reshape(shape).to(dtype)
    for change in layout:
        x = change(x)
    return x


def agree(operator: Any, drawn: Any, mode: Any) -> None:
    expected, values = made(operator, drawn, mode, False)
    with FakeTensorMode():
        torchs, _ = made(operator, drawn, mode, False)
    with Shapes():
        for forgotten in (True, False, True, False):
            found, seen = made(operator, drawn, mode, forgotten)
            if found != expected:
                assert found == torchs  # which has other strides for what lies in memory in a way of its own
                continue
            for value, real in zip(seen, values, strict=True):
                assert value is None or torch.equal(value.nan_to_num(), real.nan_to_num())


@pytest.mark.parametrize("operator", OF_ONE)
@settings(max_examples=CASES, deadline=None)
@given(tensors, modes)
def test_operators_of_one_tensor(operator, drawn, mode):
    agree(operator, [drawn], mode)


@pytest.mark.parametrize("operator", OF_TWO)
@settings(max_examples=CASES, deadline=None)
@given(tensors, tensors, st.booleans(), modes)
def test_operators_of_two_tensors(operator, first, second, same, mode):
    agree(operator, [first, first if same else (second[0], first[1], second[2])], mode)


def test_the_first_operator_makes_what_the_next_does():
    """A rule and torch's own way leave the same behind."""
    with Shapes():
        x = torch.randn(64, 48)
        assert known(x) is None
        for _ in range(2):
            written = torch.empty(0)
            torch.add(x, x, out=written)
            assert written.shape == (64, 48)


def test_no_number_is_drawn_while_nothing_is_asked():
    """Or a preview before it would not show what one after it shows."""
    state = torch.random.get_rng_state()
    warm_up()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_was_written_to_is_forgotten_where_it_is_looked_at_too():
    with Shapes():
        x, small = torch.randn(2000), torch.zeros(1)
        view, other = small[:], torch.zeros(1)
        assert known(view) is not None
        torch.sum(x, dim=0, keepdim=True, out=small)
        assert (known(small), known(view)) == (None, None) and known(other) is not None


def test_a_copy_is_like_what_it_was_copied_from(preview):
    """With its layout and its values, of a program's own fake tensors too."""
    told = preview(
        """(import copy torch)
(import torch._subclasses.fake_tensor [FakeTensorMode])
(setv wide (torch.nn.Parameter (.t (torch.zeros 3000 2)))  small (torch.tensor [2 3]))
(setv [wide-too small-too] (copy.deepcopy [wide small]))
(torch.ones (.tolist small-too))
(assert (= (.stride wide-too) (.stride wide)))
(assert (and wide-too.requires-grad (isinstance wide-too torch.nn.Parameter)))
(with [_ (FakeTensorMode)] (setv own (copy.deepcopy (torch.zeros 5 4))))
own""",
        way="heavy",
    )
    assert told.problems == []
    assert told.at("(torch.ones (.tolist small-too))") == ["[2 3]"]
    assert told.at("own", 1) == ["[5 4]"]
