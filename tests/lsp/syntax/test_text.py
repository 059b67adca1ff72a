"""Positions, lines and edits of a text."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mino_lsp.syntax import Encoding, Text

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
_BITS = ["a", "é", "€", "𝕏", "\n", "\r", "\r\n", "\f", "\v", "\x85", "\u2028", "\x00", "\ud83d", "\ude00", "line\n"]
sources = st.lists(st.one_of(st.sampled_from(_BITS), st.text(max_size=3)), max_size=30).map("".join)
edits = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6), sources), max_size=5)


def lines_of(source: str) -> list[str]:
    return re.split(r"\r\n|\n|\r", source)


@given(sources)
def test_lines_are_those_of_lsp(source: str) -> None:
    text = Text(source)
    assert [source[slice(*text.line_span(line))] for line in range(text.line_count)] == lines_of(source)


@given(sources, st.sampled_from(ENCODINGS))
def test_offset_inverts_position(source: str, encoding: Encoding) -> None:
    text = Text(source)
    for offset in range(len(source) + 1):
        within_ending = source[offset - 1 : offset + 1] == "\r\n" and offset > 0
        assert text.offset(*text.position(offset, encoding), encoding) == offset - within_ending


@given(sources)
def test_hy_positions(source: str) -> None:
    text = Text(source)
    line, column = 1, 1
    for offset, character in enumerate([*source, ""]):
        assert text.hy_position(offset) == (line, column)
        assert text.hy_offset(line, column) == offset
        line, column = (line + 1, 1) if character == "\n" else (line, column + 1)


@settings(max_examples=150)
@given(sources, edits, st.sampled_from([1, 7, 4096]))
def test_edits_equal_a_new_text(source: str, changes: list[tuple[int, int, str]], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mino_lsp.syntax.text._CHUNK", chunk)
        text = Text(source)
        for start, size, new in changes:
            start = min(start, len(source))
            source = source[:start] + new + source[start + size :]
            text = text.edit(start, start + size, new)
            fresh = Text(source)
            assert text.source == source and len(text) == len(source)
            assert text.line_count == fresh.line_count == len(lines_of(source))
            for offset in range(len(source) + 1):
                assert text.position(offset) == fresh.position(offset)
                assert text.hy_position(offset) == fresh.hy_position(offset)
            assert text.slice(2, 9) == source[2:9]


@pytest.mark.parametrize(
    ("source", "line", "character", "encoding", "expected"),
    [
        ("ab\ncd", 0, 99, "utf-16", 2),  # an over-long column is the end of its line
        ("ab\r\ncd", 0, 99, "utf-16", 2),
        ("ab\ncd", 1, 99, "utf-16", 5),
        ("ab\ncd", 9, 0, "utf-16", 5),  # a line past the end is the end
        ("ab\n", 1, 0, "utf-16", 3),
        ("", 0, 5, "utf-8", 0),
        ("a𝕏b", 0, 2, "utf-16", 1),  # within a surrogate pair
        ("a𝕏b", 0, 3, "utf-16", 2),
        ("a𝕏b", 0, 4, "utf-8", 1),  # within four bytes
        ("a𝕏b", 0, 5, "utf-8", 2),
        ("aéb", 0, 2, "utf-8", 1),
        ("𝕏𝕏𝕏", 0, 5, "utf-16", 2),
        ("\ud83d\ude00x", 0, 2, "utf-16", 2),  # two lone surrogates, not a pair
        ("a\fb\u2028c", 0, 4, "utf-16", 4),  # neither ends a line
        ("ab", -1, 5, "utf-16", 0),
        ("ab", 0, -5, "utf-8", 0),
    ],
)
def test_offset(source: str, line: int, character: int, encoding: Encoding, expected: int) -> None:
    assert Text(source).offset(line, character, encoding) == expected


def test_a_text_never_changes() -> None:
    text = Text("a\nb")
    assert text.edit(0, 1, "xyz\n") == Text("xyz\n\nb")
    assert text == Text("a\nb") and text.line_count == 2


def test_ten_megabytes_on_one_line() -> None:
    text = Text("x𝕏" * 5_000_000).edit(5, 5, "y")
    assert text.line_count == 1
    assert text.position(10_000_001) == (0, 15_000_001)
    assert text.offset(0, 15_000_001) == 10_000_001
