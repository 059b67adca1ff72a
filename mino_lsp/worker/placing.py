"""Places for what a macro makes of forms that stand in the text.

Hy gives everything that a macro builds the place of the whole call. But a form that has the head of a written one, as
the steps of hyrule's `->` have, is what became of that one: it stands where that stands, and so does its value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import hy.macros
from hy.models import Expression, Sequence, Symbol, replace_hy_obj

from mino_lsp.worker.patches import Patches
from mino_lsp.worker.written import Place, is_dotted, place_of


def enter(patches: Patches) -> None:
    """Have Hy's expander give places so."""
    patches.set(hy.macros, "replace_hy_obj", _replaced)


def _replaced(made: Any, call: Any) -> Any:
    if isinstance(made, Sequence) and place_of(call) is not None:
        parts = list(_parts(made))
        built = [one for one in parts if _is_call(one) and place_of(one) is None and place_of(one[0]) is not None]
        if built:
            _place(built, Counter(map(place_of, parts)), call)
    return replace_hy_obj(made, call)


def _place(built: list[Any], seen: Counter[Place | None], call: Any) -> None:
    """Give places to expressions that a macro built around a head that has one. `seen` is how often something with a
    place is in what the macro made."""
    written = {place_of(part): part for part in call[1:] if type(part) is Symbol or is_dotted(part)}
    for part in call[1:]:
        written |= {place_of(one[0]): one for one in _parts(part) if _is_call(one)}
    for part in built:
        head = place_of(part[0])
        there = written.get(head)
        # What is used twice, or is still there itself, has become nothing else.
        if there is not None and seen[head] == 1 and (place_of(there) == head or not seen[place_of(there)]):
            part.replace(there, recursive=False)


def _is_call(form: Any) -> bool:
    return type(form) is Expression and len(form) > 0 and not is_dotted(form)


def _parts(form: Any) -> Iterator[Any]:
    """A form and all within it; dotted names are names."""
    waiting = [form]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, Sequence) and not is_dotted(one):
            waiting += one
