"""Search and replace in code: the sub-forms of a form that conform to a spec.

A form is a quoted form or the text of one; of a mu it is the form that makes it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import hy
from hy.models import Object, Sequence, as_model

from mino.forms import place
from mino.specs.engine import Failed, Scope, Spec, spec
from mino.specs.problems import NoSpec
from mino.summary import summary


def search(definition: Any, code: Any) -> list[Any]:
    """The sub-forms of `code` that conform, itself among them, in the order in which they are written."""
    found = spec(definition)
    return [each for each in _each(form_of(code)) if _conforms(found, each)]


def replace(definition: Any, code: Any, by: Any) -> Any:
    """`code` with each sub-form that conforms replaced: by a form, or by what a function makes of it.

    The outermost is replaced, and what replaced it is not searched again. Forms that stay keep their places in the
    source, and what is new has the place of what it replaced. `code` itself is unchanged.
    """
    found = spec(definition)
    make: Callable[[Any], Any] = by if callable(by) and not isinstance(by, Object) else lambda _: by
    return _replaced(found, form_of(code), make)


def form_of(code: Any) -> Any:
    """The form that is meant. Raises `TypeError` for what is none."""
    if isinstance(code, Object):
        return code
    if isinstance(code, str):
        return hy.read(code)
    if hasattr(type(code), "__procedure__"):
        from mino.recipe import form

        return form(code.__components__, code.__procedure__)
    raise NoSpec(f"what is searched is a quoted form, the text of one, or a mu; found {summary(code)}")


def _each(form: Any) -> Iterator[Any]:
    yield form
    if isinstance(form, Sequence):
        for part in form:
            yield from _each(part)


def _replaced(found: Spec, form: Any, make: Callable[[Any], Any]) -> Any:
    if _conforms(found, form):
        return place(copy.copy(as_model(make(form))), form)
    if not isinstance(form, Sequence):
        return form
    parts = [_replaced(found, part, make) for part in form]
    if all(new is old for new, old in zip(parts, form, strict=True)):
        return form
    return place(type(form)(parts), form)


def _conforms(found: Spec, form: Any) -> bool:
    return type(found.check(form, Scope())) is not Failed
