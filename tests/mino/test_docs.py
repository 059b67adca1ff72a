"""The pages of the library: every block of Hy runs, and has the values and the errors that it says.

In a block, `;=> text` is what `hy.repr` gives for the form before it; `;!! text` is part of the error that it raises.
"""

import importlib
import re
from pathlib import Path

import hy
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["mu.md", "reversion.md", "spec.md", "thread.md", "tutorial.md"]
MODULES = {"mu.md": "mino.mu", "spec.md": "mino.spec", "thread.md": "mino.thread"}

EXPECTATION = re.compile(r"^(?P<form>.*?)\s*;(?P<kind>=>|!!) (?P<expected>.*)$")
FENCE = re.compile(r"^```hy\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(block):
    """The forms of a block in order, each with what is expected of it, if anything: `(text, kind, expected)`."""
    pending = []
    for line in block.splitlines():
        match = EXPECTATION.match(line)
        pending.append(match["form"] if match else line)
        if match:
            yield "\n".join(pending), match["kind"], match["expected"]
            pending = []
    yield "\n".join(pending), None, None


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs_and_says_the_truth(run, page):
    text = (DOCS / page).read_text(encoding="utf-8")
    run.module.__dict__["_hy_macros"] = {}
    blocks = FENCE.findall(text)
    assert len(blocks) > 5
    checked = 0
    for block in blocks:
        for form, kind, expected in examples(block):
            checked += kind is not None
            if kind == "!!":
                with pytest.raises((SyntaxError, ValueError, TypeError, LookupError)) as caught:
                    run(form)
                assert expected in str(caught.value), form
            else:
                value = run(form)
                if kind:
                    assert hy.repr(value) == expected or repr_of_size(value) == expected, form
    assert checked > 5


def repr_of_size(value):
    """How the pages write a `torch.Size`."""
    return f"(torch.Size {hy.repr(list(value))})" if type(value).__name__ == "Size" else None


@pytest.mark.parametrize("page", MODULES)
def test_every_macro_has_a_section_that_agrees_with_its_docstring(page):
    module = importlib.import_module(MODULES[page])
    text = (DOCS / page).read_text(encoding="utf-8")
    headings = " ".join(line for line in text.splitlines() if line.startswith("## "))
    for name in module._hy_export_macros:
        macro = module._hy_macros[name]
        assert f"`{hy.unmangle(name)}`" in headings, hy.unmangle(name)
        assert len(macro.__doc__.split("\n")[0]) <= 120


DOCSTRING_EXAMPLE = re.compile(r"^ +(\([^;]+?\))\s+; (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", MODULES.values())
def test_the_expansions_in_docstrings_are_those_of_the_macros(run, name):
    module = importlib.import_module(name)
    examples = [pair for macro in module._hy_macros.values() for pair in DOCSTRING_EXAMPLE.findall(macro.__doc__ or "")]
    if name == "mino.thread":
        assert len(examples) >= 9
    for form, expansion in examples:
        found = re.sub(r"\(do \(setv (\S+) (.*?)\) (.*)\)$", r"\3", run.expand(form))
        assert re.sub(r"_hy_gensym_step_\d+", "x", found) == expansion
