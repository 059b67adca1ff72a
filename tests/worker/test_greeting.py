"""What a worker prepares before its first job leaves Hy as it is."""

from __future__ import annotations

from typing import Any

import hy
import pytest
from hy import macros

from mino_lsp.worker import greeting


def test_a_require_still_finds_who_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macros, "inspect", macros.inspect)
    greeting._require_quickly()
    namespace: dict[str, Any] = {"__name__": "somewhere"}
    exec("from hy.macros import require\ndef f(): require('mino.thread', None, 'ALL')", namespace)
    namespace["f"]()
    assert hy.mangle("->") in namespace["_hy_macros"]
