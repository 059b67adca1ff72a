"""What a progress bar reads from a program's output."""

from __future__ import annotations

import pytest

from mino_lsp.drawn import Drawn

CASES = [
    ("", "", None),
    ("loss 0.45\n", "loss 0.45", None),
    ("accuracy 93.1%\n", "accuracy 93.1%", None),
    (" 45%|████▌     | 45/100 [00:01<00:01]", "45%|████▌     | 45/100 [00:01<00:01]", 45),
    ("\r 10%|#   | \r 20%|##  | ", "20%|##  |", 20),
    ("\x1b[32m 7%\x1b[0m|#|", "7%|#|", 7),
    ("Training ━━━━━━━━ 62%", "Training ━━━━━━━━ 62%", 62),
    ("epoch 3/10\nloss 1.5\n", "loss 1.5", 30),
    ("Epoch 3 of 10: loss 1", "Epoch 3 of 10: loss 1", 30),
    ("Epoch: 3/10", "Epoch: 3/10", 30),
    ("Epoch [3/10], loss", "Epoch [3/10], loss", 30),
    ("[3/10] loss 2\n", "[3/10] loss 2", 30),
    ("Epoch 3/10\n 50%|##  |", "50%|##  |", 25),
    ("epoch 12/10\n", "epoch 12/10", None),
    ("epoch 0/0\n", "epoch 0/0", None),
    ("shape [64 10], ratio 3/10\n", "shape [64 10], ratio 3/10", None),
    ("100%|####|\ndone\n", "done", None),
]


@pytest.mark.parametrize(("printed", "line", "percentage"), CASES)
def test_the_last_line_and_the_share(printed: str, line: str, percentage: int | None) -> None:
    drawn = Drawn()
    # in whatever pieces it comes
    for at in range(0, len(printed), 3):
        drawn.add(printed[at : at + 3])
    assert drawn.look() == (line, percentage)


def test_an_epoch_is_remembered_while_other_lines_go_by() -> None:
    drawn = Drawn()
    drawn.add("Epoch 2/4\n")
    assert drawn.look()[1] == 50
    drawn.add("x" * 10_000 + "\n")
    assert drawn.look()[1] == 50
