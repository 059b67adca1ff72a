"""Random numbers on shapes alone: those of a run as long as that is affordable, then none that pass for them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import _disable_current_modes

from mino_lsp import types as t
from mino_lsp.worker.fake import Shapes
from mino_lsp.worker.patches import Patches

DRAWING = [
    lambda: torch.empty(64, 64).uniform_(),
    lambda: torch.empty(64).normal_(),
    lambda: nn.Linear(64, 64),
    lambda: nn.Embedding(100, 64),
    lambda: nn.LSTM(12, 12),
    lambda: nn.Conv2d(3, 32, 5),
    lambda: nn.init.orthogonal_(torch.empty(40, 40)),
    lambda: nn.functional.dropout(torch.ones(100, 100)),
    lambda: torch.randn(8, 16),
    lambda: torch.rand(80, 16),
    lambda: torch.randint(100, ()),
    lambda: torch.randperm(2000),
    lambda: torch.randint_like(torch.zeros(3000), 10),
    lambda: torch.bernoulli(torch.full((50, 50), 0.5)),
    lambda: torch.normal(torch.zeros(50, 50), 1.0),
    lambda: torch.empty(5000, dtype=torch.float64).exponential_(),
]


def position() -> bytes:
    with _disable_current_modes():
        return bytes(torch.default_generator.get_state().numpy())


def test_the_generator_stands_where_it_does_in_a_run():
    def positions() -> list[bytes]:
        torch.manual_seed(5)
        found = []
        for draw in DRAWING:
            draw()
            found.append(position())
        return found

    expected = positions()
    shapes = Shapes()
    with torch.random.fork_rng(devices=[]), Patches() as patches:
        shapes.draws.enter(patches)
        with shapes:
            first, again = positions(), positions()
    assert first == expected
    assert again == expected


def told(preview, text: str, name: str) -> tuple[list[str], str]:
    answer = preview("(import torch torch.nn :as nn)\n" + text, way="heavy")
    assert answer.problems == []
    start = answer.text.rindex(f"{name} (")
    return answer.at(name, answer.text[:start].count(name)), answer.facts[t.Span(start, start + len(name))].evidence


SIZED = "(setv z (torch.zeros (int (torch.randint 1000 #()))))"
SMALL, LARGE = "(nn.Linear 64 64)\n", "(nn.Linear 6000 6000)\n"


def size(seed: int, after: str) -> str:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if after == SMALL:
            nn.Linear(64, 64)
        return f"[{int(torch.randint(1000, ()))}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(torch.manual-seed 3)\n" + SMALL, (size(3, SMALL), "shapes only")),
        ("(torch.manual-seed :seed 3)\n" + LARGE, ("[1]", "assumed")),
        ("(torch.manual-seed 3)\n" + LARGE + "(torch.manual-seed 4)\n", (size(4, ""), "shapes only")),
    ],
)
def test_a_size_that_is_drawn(preview, text, expected):
    assert told(preview, text + SIZED, "z") == ([expected[0]], expected[1])


LOADED = """(import torch.utils.data [DataLoader random-split])
(torch.manual-seed 3)
(setv model (nn.Linear 6000 6000))
(defclass Data []
  (defn __len__ [self] 20)
  (defn __getitem__ [self i] (torch.ones {size})))
(defn together [items] (nn.utils.rnn.pad-sequence items :batch-first True))
(setv #(some others) (random-split (Data) [12 8]))
(for [batch (DataLoader some :batch-size 4 :shuffle True :collate-fn together)]
  (setv seen (* batch 2)))
"""


@pytest.mark.parametrize(("size", "evidence"), [("(+ i 1)", "assumed"), ("7", "shapes only")])
def test_the_order_of_items_is_known_only_where_they_are_alike(preview, size, evidence):
    text = LOADED.replace("{size}", size)
    shapes, found = told(preview, text, "seen")
    assert found == evidence
    assert size != "7" or shapes == ["[4 7]"]
