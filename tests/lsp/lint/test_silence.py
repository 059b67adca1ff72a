"""What is not reported: by a comment, by the project's settings, or because there is too much of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mino_lsp import project
from mino_lsp.features.diagnostics import MOST, diagnostics
from mino_lsp.settings import Settings

from ..documents import snapshot


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(if 1) ; mino: ignore[arity]", []),
        ("(if 1) ; mino: ignore", []),
        ("(if 1) ; mino: ignore[odd-cond, arity] it is a test", []),
        ("(if 1) ; mino: ignore[odd-cond]", ["arity"]),
        ("(if 1) ; mino: ignored", ["arity"]),
        ("; mino: ignore[arity]\n(do\n  (if 1)\n  (not))\n(not)", ["arity"]),
        ("(do\n  ;; mino: ignore[arity]\n  (not)\n  (not))", ["arity"]),
        ('(if "mino: ignore[arity]")', ["arity"]),
        # what cannot be read, too
        ("; mino: ignore[unclosed]\n(f", []),
    ],
)
def test_comments(text: str, expected: list[str]) -> None:
    assert [problem.code for problem in diagnostics(snapshot(text))] == expected


def test_codes_are_switched_off() -> None:
    assert diagnostics(snapshot("(not) (f", disabled=("arity", "unclosed"))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[tool.mino.diagnostics]\ndisable = ["arity", "odd-cond"]', ("arity", "odd-cond")),
        ("[tool.mino]\ndiagnostics = 3", ()),
        ("[tool", ()),
        ("[tool.other]", ()),
    ],
)
def test_of_a_project(tmp_path: Path, text: str, expected: tuple[str, ...]) -> None:
    assert project.applied(Settings(), tmp_path, trusted=False) == (Settings(), [])
    (tmp_path / "pyproject.toml").write_text(text)
    settings, _ = project.applied(Settings(disabled=("a",)), tmp_path, trusted=False)
    assert settings.disabled == ("a", *expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (";; mino: preview off\n(f)", True),
        ("(f)\n; mino: preview off  \n", True),
        ("(f) ; mino: preview off", True),
        ("(f ; mino: preview off\n)", False),
        ('"; mino: preview off"', False),
        ("; mino: preview offline\n; mino: preview", False),
        (";;; a file with mino: preview off in it", False),
    ],
)
def test_previews_of_a_file(text: str, expected: bool) -> None:
    assert snapshot(text).previews_off is expected


def test_so_many_and_no_more() -> None:
    for text in ("(not)\n" * 3000, ")" * 3000):
        found = diagnostics(snapshot(text))
        assert len(found) == MOST + 1
        assert found[-1].code == "too-many" and "2,000 more" in found[-1].message
