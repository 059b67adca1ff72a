"""Plain text of our Markdown: the marks go, what they mark stays, and code stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mino_lsp.plaintext import plain


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("```hy\n(* 2 *x*)\n```\n- `[10 32]` float32\n\n*preview*", "(* 2 *x*)\n- [10 32] float32\n\npreview"),
        ("```python\nf(a, *b)\n```", "f(a, *b)"),
        ("told\n\n---\n\n**bold** and 2 * 3 * 4", "told\n\nbold and 2 * 3 * 4"),
        ("*No shapes (command `mino.trust`).*", "No shapes (command mino.trust)."),
        ("`#* rest` and `#** more`", "#* rest and #** more"),
        ("*a* `*` *b*", "a * b"),
        ("", ""),
    ],
)
def test_the_marks_go(markdown: str, text: str) -> None:
    assert plain(markdown) == text


@given(st.text(alphabet="ab`*-\n\0 (", max_size=60))
def test_any_text_has_a_plain_one(markdown: str) -> None:
    shown = plain(markdown)
    assert [letter for letter in shown if letter in "ab("] == [letter for letter in markdown if letter in "ab("]
