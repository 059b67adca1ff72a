"""A document as it was at one moment: what every feature is a function of. Immutable."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from mino_lsp.analysis import Document, Index, Names
from mino_lsp.imported import Borrowed
from mino_lsp.lint.silence import previews_off
from mino_lsp.report import Live, Report, carry_over
from mino_lsp.settings import Settings
from mino_lsp.surveyed import Calls
from mino_lsp.syntax import Text, Tree
from mino_lsp.types import Environment, Span
from mino_lsp.uris import path_of as path_of


@dataclass(frozen=True)
class Snapshot:
    """`root` is the folder whose trust and interpreter count; `device` what a run would use, empty while unknown;
    `trusted` whether the user lets its code run; `unavailable` why nothing runs although it is trusted; `paused`
    whether previews are; `runs` which runs of it are under way; `borrowed` what previews of other documents told of it;
    `calls` what its macro calls expand to, as far as known; `index` the files of the workspace, which goes on with the
    time; `cells` where the cells of Hy of a notebook stand, whose program this then is."""

    uri: str
    version: int
    text: Text
    tree: Tree
    root: Path
    settings: Settings
    trusted: bool = False
    device: str = ""
    unavailable: str = ""
    paused: bool = False
    runs: tuple[int, ...] = ()
    report: Report | None = None
    borrowed: tuple[Borrowed, ...] = ()
    run_report: Report | None = None
    calls: Calls = field(default_factory=Calls)
    index: Index = field(default_factory=Index)
    cells: tuple[tuple[int, int], ...] = ()

    @property
    def is_nowhere(self) -> bool:
        """Whether it is a notebook that was never saved."""
        return bool(self.cells) and not self.uri.startswith("file:")

    @cached_property
    def path(self) -> str:
        return path_of(self.uri)

    @property
    def document(self) -> Document:
        return Document(self.uri, self.text, self.tree, self.index.modules(self.uri), self.cells)

    @property
    def names(self) -> Names:
        """What is defined and used in it."""
        return self.document.names

    @cached_property
    def previews_off(self) -> bool:
        """Whether the file says that it is not to be previewed."""
        return previews_off(self.tree, self.text)

    @cached_property
    def forms(self) -> tuple[tuple[str, Span], ...]:
        """The top-level forms, as text and place."""
        source = self.text.source
        return tuple((source[form.start : form.end], Span(form.start, form.end)) for form in self.tree.forms)

    @cached_property
    def live(self) -> Live:
        """What the last preview knows of this text."""
        live = carry_over(self.report, self.version, self.forms) if self.report is not None else Live()
        for other in self.borrowed:
            live = live.joined(carry_over(other.report, self.version, self.forms), other.of)
        return live

    @cached_property
    def ran(self) -> Live:
        """What the last run told of this very text; nothing once the document has changed."""
        told = carry_over(self.run_report, self.version, self.forms) if self.run_report is not None else Live()
        return told if told.current else Live()

    @property
    def environment(self) -> Environment:
        """The environment of previews and runs of this document. A notebook's kernel works in its folder."""
        cwd = self.settings.cwd or (os.path.dirname(self.path) if self.cells and not self.is_nowhere else "")
        return Environment(os.path.join(self.root, cwd), self.settings.args, self.settings.env)

    def expansion_of(self, call: Span) -> str | None:
        """What a macro call expands to, on one line; empty where that cannot be told, None where it was not asked."""
        for text, form in self.forms:
            if form.contains(call) and text in self.calls.by_form:
                there = call.shift(-form.start)
                return next((one.text for one in self.calls.by_form[text] if one.span == there), "")
        return None

    def with_report(self, report: Report | None) -> Snapshot:
        return replace(self, report=report)
