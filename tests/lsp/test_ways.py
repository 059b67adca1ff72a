"""What is too much for a preview with real tensors is previewed on shapes, and so it is from the second time on."""

from __future__ import annotations

from pathlib import Path

from .editor import Editor

BIG = """(import torch)
(setv layer (torch.nn.Linear 4096 4096)  x (torch.ones 2048 4096))
(for [_ (range 60)] (setv x (layer x)))
(setv m (torch.nn.Sequential #* (lfor _ (range 30) (torch.nn.Linear 8000 8000))))
(setv out (m (torch.ones 3 8000)))
(abs out)
"""


async def test_a_document_that_is_too_much_is_previewed_on_shapes(editor: Editor, root: Path) -> None:
    document = await editor.open(root / "big.hy", BIG).previewed()
    shown = await document.hover("(abs out)")
    assert "`[3 8000]`" in shown and "shapes only" in shown
    assert await document.diagnostics() == []


SLOW = "import time\nend = time.process_time() + 1.6\nwhile time.process_time() < end:\n    pass\n"


async def test_real_tensors_are_tried_once_more_where_they_took_too_long(editor: Editor, root: Path) -> None:
    """A busy machine takes more CPU time for the same: once is no reason to show less for good."""
    (root / "slow.py").write_text(SLOW)
    text = "(import torch slow)\n(setv x (torch.ones 2 3))\n"
    document = await editor.open(root / "main.hy", text).previewed()
    assert "shapes only" in await document.hover("(torch.ones 2 3)")
    (root / "slow.py").write_text("")
    document.replace("ones 2 3", "ones 4 3")
    await document.previewed()
    shown = await document.hover("(torch.ones 4 3)")
    assert "`[4 3]`" in shown and "shapes only" not in shown


async def test_what_was_seen_with_values_is_not_said_otherwise_without_them(editor: Editor, root: Path) -> None:
    """Up to where real tensors were too much, what they showed is what a run has."""
    (root / "slow.py").write_text(SLOW)
    (root / "other.hy").write_text("(import torch)\n(setv sparse (.to-sparse (torch.eye 3)))\n")
    text = """(import torch other)
(setv n (torch.count-nonzero (torch.randn 4000)))
(setv x (torch.ones (int n) 2))
(setv s (.to-sparse (torch.eye 4)))
(import slow)
(setv y (* x 2))
(@ y (torch.ones 3 3))
"""
    document = await editor.open(root / "main.hy", text).previewed()
    assert "`[4000 2]`" in (shown := await document.hover("(torch.ones (int n) 2)")) and "assumed" not in shown
    assert [one for one in await document.blamed() if one[0] != "unused-import"] == [
        ("shape", "(@ y (torch.ones 3 3))")
    ]
