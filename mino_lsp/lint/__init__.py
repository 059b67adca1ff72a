"""Checks of the text alone: what Hy, hyrule and mino would refuse, found while it is typed. Nothing is run.

``lint(tree) -> tuple[Finding, ...]`` in the order of the text. What is not certain is not reported: zero false alarms
are worth more than one more finding. `docs/diagnostics.md` lists the codes.
"""

from mino_lsp.lint.findings import Finding, brief
from mino_lsp.lint.report import lint

__all__ = ["Finding", "brief", "lint"]
