"""What is too much for a preview with real tensors is previewed on shapes, and so it is the next time."""

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
