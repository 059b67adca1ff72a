"""The checks find nothing in what the documentation and the examples show, but for the mistakes that a page makes on
purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mino_lsp.lint import lint
from mino_lsp.syntax import read

ROOT = Path(__file__).parents[3]
FENCE = re.compile(r"^```hy\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# As in tests/mino/test_docs.py: the form before this is refused, and no part of the page's program.
MISTAKE, VALUE = re.compile(r";!! "), re.compile(r";=> ")
PAGES = [path for path in sorted((ROOT / "docs").glob("*.md")) if FENCE.search(path.read_text("utf-8"))]


def program(page: str) -> str:
    """The blocks of a page, which are one program, without the mistakes."""
    return "\n".join(form for block in FENCE.findall(page) for form in _right(block))


def _right(block: str) -> Iterator[str]:
    pending: list[str] = []
    for line in block.splitlines():
        pending.append(line)
        if MISTAKE.search(line):
            text = "\n".join(pending)
            yield text[: [start for start, piece in read(text).pieces() if piece.text.startswith("(")][-1]]
            pending = []
        elif VALUE.search(line):
            yield "\n".join(pending)
            pending = []
    yield "\n".join(pending)


def told(source: str) -> list[str]:
    tree = read(source)
    assert not tree.problems
    return [f"{source[one.start : one.end]}: {one.message}" for one in lint(tree) if one.severity != "hint"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages(path: Path) -> None:
    assert told(program(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.hy")), ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    assert told(path.read_text("utf-8")) == []


def test_a_mistake_on_a_page_is_found() -> None:
    assert len(PAGES) > 5
    page = "```hy\n(prnt 1) ;!! no name\n(prnt 2)\n```\n"
    assert told(program(page)) == ["prnt: Nothing here is named `prnt`; did you mean `print`?"]
