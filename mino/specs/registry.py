"""The registry: keyword → spec, and keyword → generator.

Writers replace whole dictionaries under a lock, so readers need none, and a snapshot is the dictionary itself.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hy.models import Keyword

from mino.specs.names import keyword_text, meant, written
from mino.specs.problems import Place, UnknownSpec

if TYPE_CHECKING:
    from mino.specs.engine import Spec


@dataclass(frozen=True, slots=True)
class Generator:
    """A function that makes values of a spec, and where it was written."""

    function: Callable[..., Any]
    where: Place | None = None


class Snapshot(Mapping[Any, Any]):
    """What was registered at one moment. Keys are keywords, as `:name` in Hy or the text ":name"."""

    def __init__(self, registered: Mapping[str, Spec], made_by: Mapping[str, Generator]) -> None:
        self.specs, self.generators = MappingProxyType(dict(registered)), MappingProxyType(dict(made_by))

    def __getitem__(self, keyword: str | Keyword) -> Spec:
        text = keyword_text(keyword)
        return self.specs[text] if text in self.specs else self.specs[keyword_text(written(keyword))]

    def __iter__(self) -> Iterator[Keyword]:
        return (Keyword(text[1:]) for text in self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    def __repr__(self) -> str:
        return f"<{len(self)} specs: {' '.join(sorted(self.specs))}>"


_lock = threading.RLock()
specs: dict[str, Spec] = {}
generators: dict[str, Generator] = {}


def find(keyword: str) -> Spec | None:
    """The spec registered under a keyword's text, or None."""
    return specs.get(keyword)


def lookup(keyword: str, where: Place | None = None) -> Spec:
    """The spec registered under `keyword` (with its colon). Raises `UnknownSpec`, which names the nearest."""
    found = specs.get(keyword)
    if found is None:
        near = meant(keyword, specs)
        advice = "" if near else f": define it with (spec/def {keyword} spec)"
        raise UnknownSpec(f"no spec is registered as {keyword}{near or advice}", where)
    return found


def generator(keyword: str) -> Generator | None:
    """The generator of a spec, if it has one."""
    return generators.get(keyword)


def define(keyword: str | Keyword, spec: Spec) -> Spec:
    """Registers `spec` under `keyword`, in the place of what was there, and gives it back."""
    global specs
    with _lock:
        specs = {**specs, keyword_text(keyword): spec}
    return spec


def define_generator(keyword: str | Keyword, made_by: Generator) -> None:
    """Registers the function that makes values of the spec `keyword`."""
    global generators
    with _lock:
        generators = {**generators, keyword_text(keyword): made_by}


def undefine(*keywords: str | Keyword) -> None:
    """Removes specs and their generators. Raises `UnknownSpec` for one that is not there, and then removes none."""
    global specs, generators
    texts = [keyword_text(keyword) for keyword in keywords]
    with _lock:
        for text in texts:
            lookup(text)
        specs = {text: spec for text, spec in specs.items() if text not in texts}
        generators = {text: made_by for text, made_by in generators.items() if text not in texts}


def snapshot() -> Snapshot:
    """What is registered now."""
    with _lock:
        return Snapshot(specs, generators)


def restore(earlier: Snapshot) -> None:
    """Puts the registry back to an earlier state."""
    global specs, generators
    with _lock:
        specs, generators = dict(earlier.specs), dict(earlier.generators)


@contextlib.contextmanager
def temporary() -> Iterator[Snapshot]:
    """A context after which the registry is as it was before."""
    before = snapshot()
    try:
        yield before
    finally:
        restore(before)
