"""An edit that changes no form evaluates nothing: what an evaluation tells by the clock stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .editor import Document, Editor

# The first size is another one in every evaluation: it counts nanoseconds.
TEXT = """(import torch time)

; above
(setv clock
  ; within
  (torch.ones (time.monotonic-ns) 0))
(setv after (torch.ones 1))  ; beside
"""


async def check(editor: Editor, path: Path, edit: Callable[[Document], None]) -> tuple[str, str]:
    """What a hover tells of the clock before and after an edit, when there is a report of either version."""
    document = await editor.open(path, TEXT).previewed()
    before = await document.hover("clock")
    assert "0]" in before
    edit(document)
    await document.previewed()
    return before, await document.hover("clock")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("; above", "; above it, in other words"),
        ("; above\n", ""),
        ("\n\n;", "\n\n\n\n; (setv x 1)\n;"),
        ("  ; beside", ""),
        ("(import", "; first\n(import"),
        ("1))  ; beside", "1)) "),
    ],
)
async def test_an_edit_in_a_comment_evaluates_nothing(editor: Editor, root: Path, old: str, new: str) -> None:
    before, after = await check(editor, root / "comment.hy", lambda document: document.replace(old, new))
    assert after == before


async def test_a_comment_that_is_typed_evaluates_nothing(editor: Editor, root: Path) -> None:
    def type_(document: Document) -> None:
        for letter in "\n; (setv x":
            document.change(len(document.text), len(document.text), letter)

    before, after = await check(editor, root / "typed.hy", type_)
    assert after == before


@pytest.mark.parametrize(("old", "new"), [("(import torch", "(import os torch"), ("-ns) 0", "-ns) 0 0")])
async def test_an_edit_of_a_form_evaluates(editor: Editor, root: Path, old: str, new: str) -> None:
    before, after = await check(editor, root / "code.hy", lambda document: document.replace(old, new))
    assert after != before and "0]" in after
