"""Whatever the text, its names are found without an error and in bounded time."""

from __future__ import annotations

import time

import pytest

from mino_lsp.analysis import names_of
from mino_lsp.syntax import read

DEEP = [
    *("(", "`(~", "(let [", 'f"{', "#^ ", "#* ", "'", "(fn ", "(setv [", "(match x (| ", "(match x [", "(. x "),
    *("(require hyrule *) (setv+ {[", "(require mino.thread *) (-> x [", "(require mino.spec *) (spec/and "),
    *("(try (except [", "(fn [[", "(defmu N [#^ "),
]


@pytest.mark.parametrize("opening", DEEP)
def test_however_deep_it_is_nested(opening: str) -> None:
    first, _, rest = opening.rpartition(") ")
    prefix = f"{first}) " if first else ""
    before, _, last = rest.rpartition("x ")
    check(prefix + (f"{before}x " if before else "") + last * 5000)
    check(prefix + rest * 3000)


@pytest.mark.parametrize(
    "text", ["(setv x 1) " * 400_000, "(setv x 1) " * 200_000, "(setv \x00 1) \ud800", "x" * 10**6]
)
def test_however_long_it_is(text: str) -> None:
    check(text)


def check(text: str) -> None:
    tree = read(text)
    began = time.monotonic()
    names = names_of(tree)
    assert len(names.definitions) >= 0
    assert list(names.unresolved()) is not None
    names.symbol_at(len(text) // 2)
    names.visible(len(text) // 2)
    assert time.monotonic() - began < 10
