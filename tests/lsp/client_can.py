"""What real clients can, as they said it themselves: `scripts/record-clients` writes the files in `clients/`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.protocol import default_converter
from pytest_lsp import client_capabilities

from .editor import capabilities

RECORDED = Path(__file__).parent / "clients"


def said(name: str) -> Any:
    """The very JSON that a client sent."""
    return json.loads((RECORDED / f"{name}.json").read_text("utf-8"))["capabilities"]


def _recorded(name: str) -> lsp.ClientCapabilities:
    found: lsp.ClientCapabilities = default_converter().structure(said(name), lsp.ClientCapabilities)
    return found


CLIENTS: dict[str, Callable[[], lsp.ClientCapabilities]] = {
    "everything": capabilities,
    **{name: (lambda name=name: _recorded(name)) for name in ("vscode", "lsp-mode", "eglot", "neovim")},  # type: ignore[misc]
    # A newer one than Debian's, as pytest-lsp recorded it: it prefers UTF-8, and resolves no documentation.
    "neovim-0.11": lambda: client_capabilities("neovim@v0.11.0"),
}
