"""What lives when a document has been evaluated: its models, a model as an S-expression, a spec."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import hy
from hy.models import Keyword
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from mino_lsp.types import FormStarted, Inspection, InspectRequest, Problem, Span
from mino_lsp.worker import blame
from mino_lsp.worker.evaluate import Namespace, told
from mino_lsp.worker.trees import Written, whole

MOST_MODELS = 64
LONGEST_TEXT = 1_000_000
"""Characters of an expression that somebody may want to see."""


class _Living:
    """The modules that were called, which would end with the function that made them, and those with a name."""

    def __init__(self) -> None:
        self._called: dict[int, nn.Module] = {}
        self._within: set[int] = set()
        register_module_forward_pre_hook(self._call)

    def _call(self, module: nn.Module, arguments: object) -> None:
        if id(module) not in self._called and id(module) not in self._within and len(self._called) < MOST_MODELS:
            self._called[id(module)] = module
            self._within.update(id(part) for part in module.modules() if part is not module)

    def models(self, namespace: dict[str, Any]) -> Iterator[tuple[str, nn.Module]]:
        """Each model that is no part of another: by its name at the top level, else by its class."""
        named = [(hy.unmangle(name), value) for name, value in namespace.items() if _is_model(value)]
        called = [(type(module).__name__, module) for module in self._called.values()]
        every = [*named, *called][:MOST_MODELS]
        inner = {id(part) for _, module in every for part in module.modules() if part is not module}
        seen: set[int] = set()
        for name, module in every:
            if id(module) not in inner and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def find(self, name: str, namespace: dict[str, Any]) -> nn.Module | None:
        """What has the name at the top level, else the last one that was called of the class of that name."""
        value = namespace.get(hy.mangle(name)) if name else None
        if _is_model(value):
            return value
        of_class = [one for one in self._called.values() if type(one).__name__ == hy.mangle(name)]
        return of_class[-1] if of_class else None


def _is_model(value: Any) -> bool:
    return issubclass(type(value), nn.Module) and whole(value)


def inspect(request: InspectRequest, publish: Callable[[Any], None]) -> Inspection:
    """Evaluate the document in silence, then look. Publishes nothing but at which form it is."""
    namespace = Namespace.empty(request, request.above)
    written, living = Written(namespace.source), _Living()
    found: list[Problem] = []
    place = Span(0, 0)
    try:
        for form in namespace.forms():
            place = namespace.source.span(form)
            publish(FormStarted(request.job, place))
            written.read(form)
            found += namespace.problems_of(functools.partial(namespace.run, form), place)
            if any(problem.code == "preview-limit" for problem in found):
                break
    except blame.Unreadable as error:
        found.append(error.problem)
    seen = [Inspection()]
    names = namespace.module.__dict__
    found += namespace.problems_of(lambda: seen.append(_look(request, living, written, names)), place)
    return replace(seen[-1], problems=told(tuple(found)))


def _look(request: InspectRequest, living: _Living, written: Written, names: dict[str, Any]) -> Inspection:
    if request.subject == "spec":
        return _spec(request.name)
    if request.subject == "model" and not request.name:
        return Inspection(tuple(written.tree(name, model) for name, model in living.models(names)))
    model = living.find(request.name, names)
    if model is None:
        return Inspection(missing=_missing(request.name, living, names))
    if request.subject == "model":
        return Inspection((written.tree(request.name, model),))
    text = str(hy.repr(model))
    if len(text) > LONGEST_TEXT:
        return Inspection(missing=f"`{request.name}` as an expression has {len(text):,} characters, too many to show.")
    return Inspection(text=text)


def _missing(name: str, living: _Living, names: dict[str, Any]) -> str:
    there = [one for one, _ in living.models(names)]
    if hy.mangle(name) in names:
        told = f"`{name}` is no model: it is {_with_article(type(names[hy.mangle(name)]).__name__)}."
    else:
        told = f"No model is called `{name}`."
    return f"{told} There is {', '.join(there)}." if there else f"{told} There is none in this document."


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[:1].lower() in "aeiou" else f"a {kind}"


def _spec(keyword: str) -> Inspection:
    from mino import check
    from mino.specs.problems import UnknownSpec

    try:
        form, described = check.form(Keyword(keyword[1:])), check.describe(Keyword(keyword[1:]))
    except UnknownSpec as error:
        sentence = str(error.args[0])
        return Inspection(missing=sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith("?") else "."))
    return Inspection(text=hy.repr(form).removeprefix("'"), described=hy.repr(described).removeprefix("'"))
