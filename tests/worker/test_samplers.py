"""Shuffled loaders under another default device. "meta" stands for an accelerator: nothing can be drawn there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys, torch
from torch.utils.data import DataLoader, RandomSampler, SubsetRandomSampler, random_split
from mino_lsp.worker import samplers
numbers = list(range(10))
torch.set_default_device("meta")
if sys.argv[1] == "ours":
    samplers.follow_generators()
torch.manual_seed(0)
collate = list
print(sorted(RandomSampler(numbers)), sorted(RandomSampler(numbers, replacement=True, num_samples=3)) != [])
print(sorted(SubsetRandomSampler(numbers)))
cpu = torch.Generator().manual_seed(0)
print(sorted(sum(DataLoader(numbers, batch_size=4, shuffle=True, generator=cpu, collate_fn=collate), [])))
print(sorted(sum(DataLoader(numbers, batch_size=4, shuffle=True, collate_fn=collate), [])))
print([len(part) for part in random_split(numbers, [7, 3], generator=cpu)])
print(torch.empty(3).device)
"""


@pytest.mark.parametrize("whose", ["ours", "torch's"])
def test_what_is_drawn_is_where_its_generator_is(whose: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, whose], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    if whose == "ours":
        every = str(list(range(10)))
        assert told.stdout.splitlines() == [f"{every} True", every, every, every, "[7, 3]", "meta"], told.stderr
    else:
        assert told.returncode != 0
