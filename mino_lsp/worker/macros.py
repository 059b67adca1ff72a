"""What decides the macros at a place of a document: of a module in which the forms above it that require or define
macros were evaluated, or, without trust, what is known of those forms by reading them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import hy
from hy.reader import HyReader

from mino_lsp.types import ExpansionRequest, FormStarted, Problem, Span
from mino_lsp.worker import blame, lexical
from mino_lsp.worker.deciding import deciding, head_of, is_evaluated, start_of
from mino_lsp.worker.patience import GivenUp, Patience
from mino_lsp.worker.pure import PureMacros
from mino_lsp.worker.source import Source
from mino_lsp.worker.written import place_of, walk

_SAMPLE = """(do (defmu M [x w b] (-> x (@ w) (+ b) F.relu .size))
    (defn f [x #* xs] "doc" (let [y (cond (is x None) 1 True (get xs 0))]
      (for [i (range 3)] (when (> i y) (print f"{i}" :end "")))
      (with [_ (open "a")] (setv z [(lfor j xs :if j {"a" j}) #(1 2)])))))"""
"""A form of the usual kind."""


class Macros:
    """The macros that are there at a place."""

    def __init__(self, path: str, pure: bool) -> None:
        self.path, self.reader = path, HyReader()
        self.pure = PureMacros() if pure else None
        self.module: ModuleType = ModuleType("__main__") if pure else _main_module(path)
        self._given_up: dict[int, GivenUp] = {}

    @classmethod
    def above(cls, request: ExpansionRequest, publish: Callable[[Any], None]) -> Macros:
        """Those of the first form that a request is about."""
        macros = cls(request.path, request.pure)
        if not request.pure:
            _find_unsaved(request)
        patience = Patience(request.limits)
        for index, span in enumerate(deciding(request.text, request.forms, start_of(request))):
            publish(FormStarted(request.job, span))
            given_up = macros.evaluate(request.text[span.start : span.end], patience)
            if given_up is not None:
                macros._given_up[index] = given_up
        return macros

    def read(self, text: str) -> Any:
        """The form that is all of a text. Raises `SyntaxError`."""
        with HyReader.using_reader(self.reader, create=False):
            return hy.read(text, filename=self.path, reader=self.reader)

    def evaluate(self, text: str, patience: Patience) -> GivenUp | None:
        """Take a form into account. One that fails, or that takes too long, which is returned, defines nothing; what is
        below may be expanded all the same."""
        try:
            form = self.read(text)
            if self.pure is not None:
                self.pure.take(form)
                return None
            from mino_lsp.worker.session import compile_form

            with patience.limited():
                code = compile_form(form, self.module, Source(text, self.path), self.reader)
                if is_evaluated(text):
                    exec(code, self.module.__dict__)
        except (Exception, GivenUp) as error:  # noqa: BLE001 - the user's form
            given_up = blame.behind(error, GivenUp)
            return given_up if isinstance(given_up, GivenUp) else None
        return None

    def problems(self, request: ExpansionRequest) -> tuple[Problem, ...]:
        """The forms above that took too long, where they stand in the text of a request."""
        above = deciding(request.text, request.forms, start_of(request)) if self._given_up else ()
        return tuple(given_up(error, above[index], request.text) for index, error in self._given_up.items())

    def names(self) -> frozenset[str]:
        if self.pure is not None:
            return frozenset(self.pure.names())
        return frozenset(vars(self.module).get("_hy_macros", {}))

    def compile(self, form: Any, text: str, wanted: set[Any], on_call: Callable[[Any], None]) -> lexical.Compilation:
        with HyReader.using_reader(self.reader, create=False):
            return lexical.compile_watched(form, self.module, self.path, text, wanted, on_call=on_call)

    def warm_up(self) -> None:
        """Touch what every expansion uses, before there is anything to expand: the memory that a fork shares is the
        process' own only once it was written to."""
        if self.pure is None:
            from mino import mu, thread

            module = ModuleType("warm")
            module.__dict__["_hy_macros"] = {**vars(thread)["_hy_macros"], **vars(mu)["_hy_macros"]}
            form = hy.read(_SAMPLE)
            wanted = {place for part in walk(form) if (place := place_of(part)) is not None}
            lexical.compile_watched(form, module, "", _SAMPLE, wanted)


def given_up(error: GivenUp, span: Span, text: str) -> Problem:
    """A form that took too long, as a problem at it; what is below was expanded without it."""
    told = f"`{head_of(text[span.start : span.end])}` was given up here: {error}. What it defines is not known below."
    return Problem("expansion-limit", "warning", told, span)


def _find_unsaved(request: ExpansionRequest) -> None:
    """Have what is required from files that are open in the editor be what stands there."""
    if request.texts:
        from mino_lsp.worker.imports import Finder
        from mino_lsp.worker.source import Sources

        sys.meta_path.insert(0, Finder(request.root, dict(request.texts), Sources(Source(request.text, request.path))))


def _main_module(path: str) -> ModuleType:
    from mino_lsp.worker.session import main_module

    return main_module(path)
