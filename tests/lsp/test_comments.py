"""An edit that changes no form evaluates nothing: what an evaluation tells by the clock stays as it was."""

from __future__ import annotations

import re
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
        # within a form
        ("; within", "; within it"),
        ("  ; within\n", ""),
        ("(setv clock\n", "(setv\n\n    clock ; the time\n"),
        ("(torch.ones (time.monotonic-ns) 0)", "(torch.ones\n  (time.monotonic-ns)\n  0 ; é𝒳 (\n  )"),
        ("(import torch time)", "( import torch\n\ttime )"),
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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(import torch", "(import os torch"),
        ("-ns) 0", "-ns) 0 0"),
        ("-ns) 0", "-ns) 0 #_ x"),
    ],
)
async def test_an_edit_of_a_form_evaluates(editor: Editor, root: Path, old: str, new: str) -> None:
    before, after = await check(editor, root / "code.hy", lambda document: document.replace(old, new))
    assert after != before and "0]" in after


async def test_an_edit_in_a_comment_interrupts_nothing(editor: Editor, root: Path) -> None:
    """The clock is told before the last form has ended, whose evaluation goes on and then speaks of the new text."""
    document = editor.open(root / "running.hy", TEXT + "(do ; wait\n  (time.sleep 1.5))\n(setv end clock)\n")
    await editor.until(lambda: editor.statuses and editor.statuses[-1].get("line") == 8)
    before = await document.hover("clock")
    assert "0]" in before
    document.replace("; within", "; within it, and\n\n")
    document.replace("; wait", "")
    await document.previewed()
    assert await document.hover("clock") == before.replace("preview, still going on", "preview")
    assert re.findall(r"\[\d+ 0\]", before) == re.findall(r"\[\d+ 0\]", await document.hover("end"))


async def test_where_it_stopped_is_told_in_the_lines_of_the_new_text(editor: Editor, root: Path) -> None:
    text = "(import torch)\n(setv x\n  (torch.ones 2))\n(import os)\n(os._exit 3)\n"
    document = await editor.open(root / "lines.hy", text).previewed()
    await editor.until(lambda: editor.statuses[-1]["state"] == "stopped" and editor.statuses[-1]["line"] == 5)
    document.replace("(setv x\n", "; more\n(setv x ; lines\n\n")
    await document.previewed()
    document.replace("3)", "4)")
    await document.previewed()
    await editor.until(lambda: editor.statuses[-1]["state"] == "stopped" and editor.statuses[-1]["line"] == 7)
    assert "[2]" in await document.hover("x ;")
    (problem,) = [one for one in await document.diagnostics() if one.code == "exit"]
    assert problem.range.start.line == 6
