"""Mangling is Hy's own, character for character."""

from __future__ import annotations

import hy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mino_lsp.analysis import mangle

SYMBOLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=" \t\n\r\f\v()[]{}\";'`~."), min_size=1, max_size=12
)


@given(SYMBOLS)
def test_one_part(name: str) -> None:
    assert mangle(name) == hy.mangle(name)


@given(st.lists(SYMBOLS, min_size=2, max_size=4))
def test_dotted(parts: list[str]) -> None:
    assert mangle(".".join(parts)) == hy.mangle(".".join(parts))


@pytest.mark.parametrize(
    "name", ["linear-to-hidden", "spec/def", "valid?", "->", "-", "--x", "_-x", "|->", "λ", "a.b-c"]
)
def test_names_that_are_common_here(name: str) -> None:
    assert mangle(name) == hy.mangle(name)
