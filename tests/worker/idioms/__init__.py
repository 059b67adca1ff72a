"""Training idioms as people write them, in `idioms.hy`: each must go through a preview without ending it and without a
false error. `python -m tests.worker.idioms` prints how many do, in each way."""

from __future__ import annotations

from pathlib import Path

HEADING = ";;; "


def read() -> dict[str, str]:
    """The programs by their names, each with what stands above the first heading."""
    head, *parts = Path(__file__).with_name("idioms.hy").read_text("utf-8").split("\n" + HEADING)
    return {name: f"{head}\n{program}" for name, _, program in (part.partition("\n") for part in parts)}
