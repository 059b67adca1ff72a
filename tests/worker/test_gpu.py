"""Runs on an accelerator. They need an NVIDIA GPU; where there is none, each says so and is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mino_lsp import types as t
from tests.worker.conftest import Worker

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU (torch.cuda)")

TRAINS = """\
(import torch)
(setv model (torch.nn.Linear 64 1) optimizer (torch.optim.SGD (.parameters model) :lr 0.1))
(setv data (torch.utils.data.TensorDataset (torch.randn 32 64) (torch.randn 32 1)))
(for [#(x y) (torch.utils.data.DataLoader data :batch-size 8 :shuffle True)]
  (.zero-grad optimizer)
  (.backward (.mean (** (- (model x) y) 2)))
  (.step optimizer))
(print model.weight.device)
"""


@pytest.fixture
def run(worker: Worker, tmp_path: Path) -> Any:
    def go(text: str, device: str = "auto", **options: Any) -> tuple[Any, str]:
        path = tmp_path / "program.hy"
        path.write_text(text)
        job = worker.job()
        worker.send(t.RunRequest(job, str(path), device, t.Environment(str(tmp_path)), **options))
        answers = worker.collect(job)
        return answers[-1].result, "".join(one.text for one in answers if isinstance(one, t.Output))

    return go


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_it_trains_there_and_its_memory_is_told(run, device):
    result, out = run(TRAINS, device)
    assert result.exit_code == 0, out
    assert result.device == ("cuda" if device == "cuda" else "cuda:0")
    assert out.splitlines()[-1] == "cuda:0" and result.device_peak > 0


def test_two_runs_after_each_other(run):
    assert [run(TRAINS)[0].exit_code for _ in range(2)] == [0, 0]


def test_a_device_that_is_not_there_is_refused_with_the_list(run):
    result, out = run('(print "ran")', f"cuda:{torch.cuda.device_count()}")
    assert isinstance(result, t.Failed) and "cuda:0 (" in result.message and "cpu (" in result.message and out == ""


def test_running_out_of_its_memory_is_survived(run):
    text = "(import torch)\n(setv x (torch.empty 4000000000000))"
    result, _ = run(text)
    (problem,) = result.problems
    assert problem.code == "out-of-memory" and problem.message.startswith("The device ran out of memory here: ")
    assert text[problem.span.start : problem.span.end] == "(torch.empty 4000000000000)"
    assert run(TRAINS)[0].exit_code == 0


def test_more_processes_than_devices_are_refused(run):
    many = torch.cuda.device_count()
    result, _ = run('(print "ran")', "cuda", nproc=many + 1)
    assert isinstance(result, t.Failed) and f"{many + 1} processes need a cuda device each" in result.message


def test_one_process_a_device(run):
    many = torch.cuda.device_count()
    if many < 2:
        pytest.skip("needs two NVIDIA GPUs")
    text = "(import torch torch.distributed :as dist)\n(dist.init-process-group)\n(setv t (torch.ones 1))\n"
    result, out = run(text + "(dist.all-reduce t)\n(print (.item t) t.device)", "cuda", nproc=2)
    assert result.exit_code == 0 and "2.0 cuda:0" in out and "2.0 cuda:1" in out
