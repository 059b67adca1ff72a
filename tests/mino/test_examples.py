"""The examples run as they stand and learn, and torch compiles and exports their models."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import hy  # noqa: F401 - makes Hy files importable
import pytest
import torch

from mino.check import generate

EXAMPLES = Path(__file__).parents[2] / "examples"

# How a model of each example is made, and what it is called with.
MODELS = {
    "feed_forward": (lambda m: m.NeuralNetwork(10, 32, 1), lambda: (torch.randn(5, 10),)),
    "spec_network": (lambda m: generate(":FeedForwardNeuralNetwork", 10, 32, 1), lambda: (torch.randn(5, 10),)),
    "convolutional_classifier": (lambda m: m.classifier(2), lambda: (torch.randn(3, 1, 8, 8),)),
    "residual_mlp": (lambda m: m.network(1, 16, 3, 1), lambda: (torch.randn(5, 1),)),
    "recurrent_cell": (lambda m: m.recurrent(2, 8, 1), lambda: (torch.rand(3, 4, 2),)),
    "data_parallel": (lambda m: m.network(16), lambda: (torch.randn(5, 2),)),
    "transformer": (lambda m: m.transformer(8, 4, 16, 2, 1), lambda: (torch.randint(0, 8, (2, 4)),)),
    "variational_auto_encoder": (lambda m: m.auto_encoder(2, 8, 2), lambda: (torch.randn(4, 2), torch.randn(4, 2))),
}


def output(name):
    return subprocess.run(
        [str(Path(sys.executable).with_name("hy")), f"{name}.hy"],
        cwd=EXAMPLES,
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ).stdout.splitlines()


def model_and_inputs(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.hy")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    make, inputs = MODELS[name]
    torch.manual_seed(0)
    return make(module), inputs()


def test_every_example_is_here_and_begins_with_what_it_shows():
    assert {file.stem for file in EXAMPLES.glob("*.hy")} == set(MODELS)
    for file in EXAMPLES.glob("*.hy"):
        assert file.read_text(encoding="utf-8").startswith(";; ")


@pytest.mark.parametrize("name", MODELS)
def test_it_learns(name):
    losses = [float(line.rpartition(" ")[2]) for line in output(name) if "Loss:" in line]
    assert len(losses) >= 20
    assert losses[-1] < losses[0] / 1.2
    if name in ("feed_forward", "spec_network"):
        assert len(losses) == 100
        assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("name", MODELS)
def test_its_model_compiles_and_exports(name):
    model, inputs = model_and_inputs(name)
    expected = model(*inputs)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*inputs), expected)
    torch.testing.assert_close(torch.export.export(model, inputs).module()(*inputs), expected)


@pytest.mark.parametrize("name", MODELS)
def test_its_model_is_revived_from_its_expression(name, revive):
    model, inputs = model_and_inputs(name)
    revive(model, *inputs)


@pytest.mark.skipif(
    not shutil.which("g++") and os.environ.get("CI") != "true", reason="torch's default backend needs a C++ compiler"
)
def test_the_default_backend_gives_the_same_outputs():
    model, inputs = model_and_inputs("feed_forward")
    torch.testing.assert_close(torch.compile(model, fullgraph=True)(*inputs), model(*inputs))
