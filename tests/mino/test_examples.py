"""The examples run as they stand, and train."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def output(name):
    command = [str(Path(sys.executable).with_name("hy")), name]
    return subprocess.run(command, cwd=EXAMPLES, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("name", ["feed_forward.hy", "spec_network.hy"])
def test_the_loss_falls_over_a_hundred_epochs(name):
    lines = output(name)
    assert lines[:2] == ["Loading Model + Data...", "Training..."]
    losses = [float(line.rpartition(" ")[2]) for line in lines[2:]]
    assert len(losses) == 100
    assert losses == sorted(losses, reverse=True)
