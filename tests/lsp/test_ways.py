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
