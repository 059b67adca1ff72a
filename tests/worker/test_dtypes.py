"""On shapes alone an operator takes the dtypes that it takes of numbers, and refuses the others."""

from __future__ import annotations

import contextlib
import itertools
import logging
import warnings
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from mino_lsp.worker.fake import Shapes

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.int32, torch.bool, torch.complex64]

OPERATORS: list[tuple[Any, list[tuple[int, ...]]]] = [
    (torch.matmul, [(3, 4), (4, 5)]),
    (torch.matmul, [(3, 4), (4,)]),
    (torch.matmul, [(2, 3, 4), (2, 4, 5)]),
    (torch.matmul, [(2, 3, 4), (4, 5)]),
    (F.linear, [(3, 4), (5, 4)]),
    (lambda x, y: F.linear(x, y, y[:, 0]), [(3, 4), (5, 4)]),
    (lambda x, y: F.linear(x, x, y), [(4, 4), (4,)]),
    (lambda x, y: x.addmm_(y, y), [(4, 4), (4, 4)]),
    (lambda x, y: F.conv2d(x, y), [(2, 3, 9, 9), (5, 3, 3, 3)]),
    (lambda x, y: F.conv1d(x, x[:, :, :3], y), [(2, 2, 9), (2,)]),
    (lambda x, y: F.layer_norm(x, (4,), y, y), [(3, 4), (4,)]),
    (lambda x, y: F.group_norm(x, 2, y, y), [(3, 4, 5), (4,)]),
    (lambda x, y: F.batch_norm(x, y, y, y, y), [(3, 4), (4,)]),
    (lambda x, y: F.instance_norm(x, weight=y, bias=y), [(3, 4, 5), (4,)]),
    (torch.matmul, [(0, 1), (1, 0)]),
    (F.linear, [(0, 4), (5, 4)]),
    (lambda x, y: F.layer_norm(x, (4,), y, y), [(0, 4), (4,)]),
    (F.cross_entropy, [(0, 4), (0,)]),
    (F.embedding, [(0,), (7, 4)]),
    (F.embedding, [(3,), (7, 4)]),
    (torch.index_select, [(3, 4), (), (3,)]),
    (lambda x, y: x[y], [(3, 4), (3,)]),
    (lambda x, y: x.gather(1, y), [(3, 4), (3, 4)]),
    (lambda x, y: x.scatter(1, y, x), [(3, 4), (3, 4)]),
    (lambda x, y: x.index_add(0, y, x), [(3, 4), (3,)]),
    (lambda x, y: x.masked_fill(y, 1), [(3, 4), (3, 4)]),
    (F.cross_entropy, [(3, 4), (3,)]),
    (F.cross_entropy, [(3, 4), (3, 4)]),
    (F.binary_cross_entropy, [(3,), (3,)]),
    (F.binary_cross_entropy_with_logits, [(3,), (3,)]),
    (F.mse_loss, [(3,), (3,)]),
    (F.l1_loss, [(3,), (3,)]),
    (torch.cdist, [(3, 4), (5, 4)]),
    (torch.bitwise_and, [(3,), (3,)]),
    (torch.maximum, [(3,), (3,)]),
    (lambda x, y: x.mul_(y), [(3,), (3,)]),
    (lambda x, y: x.div_(y), [(3,), (3,)]),
    (lambda x, y: torch.lerp(x, y, 0.5), [(3,), (3,)]),
    (torch.rand_like, [(3,)]),
    (torch.bernoulli, [(3,)]),
    (torch.mean, [(3,)]),
    (lambda x: F.max_pool2d(x, 2), [(1, 2, 4, 4)]),
    (lambda x: F.interpolate(x, scale_factor=2), [(1, 2, 4, 4)]),
    *((each, [(3, 3)]) for each in (torch.linalg.svd, torch.linalg.qr, torch.det)),
    *((each, [(3,)]) for each in (torch.relu, F.gelu, F.silu, F.softplus, torch.abs, torch.floor, torch.sqrt)),
    *((lambda x, each=each: each(x, dim=-1), [(3, 4)]) for each in (F.softmax, F.log_softmax, torch.cumsum)),
]

ERRORS = (RuntimeError, IndexError, ValueError, TypeError)


def refusal(operator: Any, shapes: list[tuple[int, ...]], dtypes: tuple[torch.dtype, ...]) -> str:
    """What an operator says of tensors whose values are not known; empty where it takes them."""
    tensors = [torch.ones(shape, dtype=dtype) if shape else 0 for shape, dtype in zip(shapes, dtypes, strict=True)]
    for tensor in tensors:
        with contextlib.suppress(AttributeError):
            tensor.constant = None
    try:
        with warnings.catch_warnings(action="ignore"):
            operator(*tensors)
    except ERRORS as error:
        return str(error).partition("\n")[0] or type(error).__name__
    return ""


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize(("operator", "shapes"), OPERATORS)
def test_the_dtypes_that_an_operator_takes(operator, shapes):
    for dtypes in itertools.product(DTYPES, repeat=len(shapes)):
        expected = refusal(operator, shapes, dtypes)
        with Shapes():
            found = [refusal(operator, shapes, dtypes) for _ in range(2)]
        assert [bool(each) for each in found] == [bool(expected)] * 2, (dtypes, expected, found)


def test_the_words_are_those_of_a_run():
    mixed = torch.float64, torch.float32
    for operator, shapes in OPERATORS[:2] + [one for one in OPERATORS if one[0] in (F.binary_cross_entropy, F.linear)]:
        with Shapes():
            found = refusal(operator, shapes, mixed)
        assert found == refusal(operator, shapes, mixed)


def test_what_is_too_large_for_memory_is_refused_as_well():
    with Shapes():
        x, weights = torch.ones(1 << 20, 1 << 20, dtype=torch.float64), torch.ones(1 << 20, 1 << 20)
        with pytest.raises(RuntimeError, match="float"):
            F.linear(x, weights)
        with pytest.raises(RuntimeError, match="Double"):
            F.conv2d(x.view(1, 1, 1 << 20, 1 << 20), weights[:3, :3].reshape(1, 1, 3, 3))
        with pytest.raises(RuntimeError, match="target dtype"):
            F.cross_entropy(weights, torch.zeros(1 << 20, dtype=torch.int32))


def test_no_random_number_is_drawn_for_it():
    state = torch.random.get_rng_state()
    with Shapes():
        torch.full((4096,), 1).to(torch.float64).mul(torch.ones(4096)).bernoulli()
        with pytest.raises(RuntimeError):
            torch.rand_like(torch.ones(1 << 19, dtype=torch.int64))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("layer", "computes in float32; it was given the result of (* 2) [64 3000] float64"),
        ("(@ w)", "float64"),
    ],
)
def test_the_step_is_marked_where_dtypes_do_not_go_together(preview, step, told):
    text = f"""(require mino.thread [->])
(import torch torch [nn])
(setv layer (nn.Linear 3000 400)  x (torch.zeros 64 3000 :dtype torch.float64)  w (torch.ones 3000 7))
(-> x (* 2) {step} torch.relu)"""
    found = preview(text, way="heavy")
    [problem] = found.problems
    assert (problem.code, text[problem.span.start : problem.span.end]) == ("dtype", step)
    assert told in problem.message
    assert found.at("(* 2)") == ["[64 3000]"]


WANTED = [
    ("(F.cross-entropy x (.int j))", "int64 labels", "(.long (.int j))"),
    ("(F.embedding i x)", "int64 indices", "(.long i)"),
    ("(.gather x 1 i)", "int64 indices", "(.long i)"),
    ("(.index-add x 0 j x)", "int64 indices", "(.long j)"),
    ("(.masked-fill x i 1)", "truth values", "(.bool i)"),
    ("(torch.where x x i)", "truth values", "(.bool x)"),
    ("(F.linear x i)", "they must have one dtype", "(.float i)"),
]


@pytest.mark.parametrize("way", ["light", "heavy"])
@pytest.mark.parametrize(("step", "wanted", "fix"), WANTED)
def test_which_dtype_is_wanted_is_said(preview, step, wanted, fix, way):
    text = f"""(import torch torch.nn.functional :as F)
(setv x (torch.randn 40 100)  i (torch.randn 40 100 :dtype torch.float64)  j (torch.randn 40))
{step}"""
    [problem] = preview(text, way=way).problems
    assert (problem.code, text[problem.span.start : problem.span.end]) == ("dtype", step)
    assert wanted in problem.message
    [[change]] = [one.changes for one in problem.fixes]
    assert change.text == fix
