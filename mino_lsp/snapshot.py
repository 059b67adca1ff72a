"""A document as it was at one moment: what every feature is a function of. Immutable."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mino_lsp.report import Live, Report, carry_over
from mino_lsp.settings import Settings
from mino_lsp.syntax import Text, Tree
from mino_lsp.types import Environment, Span


@dataclass(frozen=True)
class Snapshot:
    """`root` is the folder whose trust and interpreter count; `device` what a run would use, empty while unknown;
    `trusted` whether the user lets its code run; `unavailable` why nothing runs although it is trusted."""

    uri: str
    version: int
    text: Text
    tree: Tree
    root: Path
    settings: Settings
    trusted: bool = False
    device: str = ""
    unavailable: str = ""
    report: Report | None = None

    @cached_property
    def path(self) -> str:
        return path_of(self.uri)

    @cached_property
    def forms(self) -> tuple[tuple[str, Span], ...]:
        """The top-level forms, as text and place."""
        source = self.text.source
        return tuple((source[form.start : form.end], Span(form.start, form.end)) for form in self.tree.forms)

    @cached_property
    def live(self) -> Live:
        """What the last preview knows of this text."""
        return carry_over(self.report, self.version, self.forms)

    @property
    def environment(self) -> Environment:
        """The environment of previews and runs of this document."""
        cwd = self.settings.cwd or str(self.root)
        return Environment(os.path.join(self.root, cwd), self.settings.args, self.settings.env)

    def with_report(self, report: Report | None) -> Snapshot:
        return replace(self, report=report)


def path_of(uri: str) -> str:
    """The path of a `file:` URI; of another (an unsaved document), a name that no file has."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return f"<{uri}>"
    path = unquote(parts.path)
    if os.name == "nt" and path[:1] == "/":
        path = path[1:]
    return path
