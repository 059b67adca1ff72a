"""The guide to specs: every block of Hy runs, with the values and the errors that it says, and its Python runs too."""

import importlib.util
import re
from pathlib import Path

import torch

from mino import check

HERE = Path(__file__)
PAGE = HERE.parents[2] / "docs" / "spec-guide.md"


def test_every_block_of_the_guide_runs_and_says_the_truth(run):
    found = importlib.util.spec_from_file_location("pages", HERE.with_name("test_docs.py"))
    pages = importlib.util.module_from_spec(found)
    found.loader.exec_module(pages)
    with check.temporary():
        pages.test_every_block_runs_and_says_the_truth(run, PAGE.name)
    check.unstrument()


def test_the_python_of_the_guide_runs(capsys):
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    with check.temporary():
        exec(block, {"torch": torch})
    assert "does not conform to :layer" in capsys.readouterr().out
