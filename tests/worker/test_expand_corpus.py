"""Every macro call of a corpus expands to text that means the same, and whose map tells the truth: see `corpus`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import hyrule
import pytest

ROOT = Path(__file__).parents[2]
HYRULE = Path(str(hyrule.__file__)).parent


def look(*arguments: str) -> tuple[int, str]:
    """The exit code of the command and what it prints."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.worker.corpus", *arguments]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return told.returncode, told.stdout + told.stderr


@pytest.mark.parametrize(
    "names",
    [
        ["anaphoric.hy", "control.hy", "destructure.hy"],
        ["convolutional_classifier.hy", "feed_forward.hy", "spec_network.hy", "transformer.hy"],
    ],
)
def test_each_call_means_what_it_did(names: list[str]) -> None:
    folder = HYRULE if "control.hy" in names else ROOT / "examples"
    code, told = look(*(str(folder / name) for name in names))
    assert code == 0, told
    found = re.search(r"(\d+) calls, (\d+) expanded, 0 refused, 0 wrong; (\d+) entries", told)
    assert found is not None, told
    assert found[1] == found[2] and int(found[2]) > 20 and int(found[3]) > 200


def test_what_means_something_else_is_noticed(tmp_path: Path) -> None:
    """The negative control: a macro that expands differently each time."""
    file = tmp_path / "a.hy"
    file.write_text("(eval-and-compile (setv n [0]))\n(defmacro m [] (.append n 0) (len n))\n(print (m))\n")
    code, told = look(str(file))
    assert code == 1 and "means something else" in told
