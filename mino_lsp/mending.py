"""Fixes of what the text shows to be wrong, where only one change can be meant: what is not used removed, a module
imported, a bracket closed."""

from __future__ import annotations

from collections.abc import Sequence

from mino_lsp.analysis import Import
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.syntax.kinds import CLOSER
from mino_lsp.types import Change, Fix, Problem, Span

MODULES = {
    "torch": "torch",
    "nn": "torch.nn :as nn",
    "F": "torch.nn.functional :as F",
    "optim": "torch.optim :as optim",
    "np": "numpy :as np",
    **{
        name: name
        for name in ("argparse", "collections", "copy", "functools", "itertools", "json", "logging", "math", "operator")
    },
    **{name: name for name in ("os", "pathlib", "pickle", "random", "re", "subprocess", "sys", "time", "typing")},
}
"""What a name stands for that everybody gives to the same module, as `import` takes it."""

_ATOMS = {Kind.SYMBOL, Kind.NUMBER, Kind.STRING, Kind.BYTES, Kind.KEYWORD, Kind.BRACKET_STRING}


def mended(snapshot: Snapshot, problem: Problem) -> tuple[Fix, ...]:
    """The fixes that the text alone gives; none where it could be meant otherwise."""
    match problem.code:
        case "unused-import" | "unused-require":
            found = _without_import(snapshot, problem.span)
        case "unused-local":
            found = _without_local(snapshot, problem.span)
        case "undefined-name":
            found = _imported(snapshot, problem.span)
        case "unclosed":
            found = _closed(snapshot, problem.span)
        case _:
            found = None
    return (found,) if found is not None else ()


def header(snapshot: Snapshot, form: str) -> Change:
    """`form` on a line of its own after the imports and requires at the top, or before the first form."""
    top = list(snapshot.tree.forms)
    last = None
    for one in top:
        if one.head_name not in ("import", "require"):
            break
        last = one
    if last is not None:
        return Change(Span(last.end, last.end), f"\n{form}")
    at = top[0].start if top else len(snapshot.text)
    return Change(Span(at, at), f"{form}\n")


# ---- what is not used


def _without_import(snapshot: Snapshot, span: Span) -> Fix | None:
    for entry in snapshot.names.imports:
        if (entry.start, entry.end) == (span.start, span.end):
            return _removed(snapshot, _of_entry(snapshot, entry))
        names = entry.names or ()
        for index, one in enumerate(names):
            if (one.alias_start, one.alias_end) == (span.start, span.end):
                if len(names) == 1:
                    whole = not entry.readers and not entry.star_readers
                    return _removed(snapshot, _of_entry(snapshot, entry)) if whole else None
                places = [Span(each.start, each.alias_end) for each in names]
                return _removed(snapshot, _one_of(places, index))
    return None


def _of_entry(snapshot: Snapshot, entry: Import) -> Span | None:
    """An entry of an import, or all of the form where it is the only one. Not within another form, which may give what
    the import gives."""
    form = Span(entry.form_start, entry.form_end)
    if all(span != form for _, span in snapshot.forms):
        return None
    entries = [one for one in snapshot.names.imports if one.form_start == entry.form_start]
    if len(entries) > 1:
        places = [Span(one.start, one.entry_end) for one in entries]
        return _one_of(places, entries.index(entry))
    source = snapshot.text.source
    begins = form.start == 0 or source[form.start - 1] == "\n"
    return Span(form.start, form.end + (begins and source[form.end : form.end + 1] == "\n"))


def _one_of(places: Sequence[Span], index: int) -> Span:
    """One of several places, with the space up to the next, or for the last one from the one before."""
    if index + 1 < len(places):
        return Span(places[index].start, places[index + 1].start)
    return Span(places[index - 1].end if index else places[index].start, places[index].end)


def _removed(snapshot: Snapshot, span: Span | None) -> Fix | None:
    """The fix that takes a span away, unless a comment would go with it."""
    if span is None:
        return None
    text = snapshot.text.slice(span.start, span.end)
    return Fix(f"Remove {' '.join(text.split())}", (Change(span, ""),)) if ";" not in text else None


def _without_local(snapshot: Snapshot, span: Span) -> Fix | None:
    """What `let` binds and nobody uses: without its value, where that does nothing; else by a name that says so."""
    path = snapshot.tree.path_at(span.start)
    bindings = next((form for form in reversed(path[:-1]) if form.kind is Kind.VECTOR), None)
    parts = bindings.forms if bindings is not None else ()
    index = next((n for n, one in enumerate(parts) if one.start == span.start), None)
    if index is not None and index % 2 == 0 and index + 1 < len(parts) and parts[index + 1].kind in _ATOMS:
        pairs = [Span(one.start, value.end) for one, value in zip(parts[::2], parts[1::2], strict=False)]
        return _removed(snapshot, _one_of(pairs, index // 2))
    name = snapshot.text.slice(span.start, span.end)
    if any(form.kind is Kind.SYMBOL and form.text == f"_{name}" for form in path[0].walk()):
        return None
    return Fix(f"Change it to _{name}: it is not used", (Change(span, f"_{name}"),))


# ---- what is missing


def _imported(snapshot: Snapshot, span: Span) -> Fix | None:
    name = snapshot.text.slice(span.start, span.end).partition(".")[0]
    module = MODULES.get(name)
    if module is None or any(entry.prefix == name for entry in snapshot.names.imports):
        return None
    return Fix(f"Add (import {module})", (header(snapshot, f"(import {module})"),))


_MANY = 50  # errors, among which where a form ends is a guess, and each guess reads the text again


def _closed(snapshot: Snapshot, span: Span) -> Fix | None:
    """The closer, where the form ends by indentation, if with it that bracket is right and no other wrong."""
    form = next((one for one in snapshot.tree.path_at(span.start) if one.start == span.start), None)
    closer = CLOSER.get(form.kind.value) if form is not None else None
    if form is None or closer is None:
        return None
    before = snapshot.tree.problems
    if len(before) > _MANY or any(form.start < one.start < form.end for one in before):
        return None  # what is within it comes first
    at = _last(form)
    after = snapshot.tree.edit(at, at, closer).problems
    if len(after) >= len(before) or any(one.start == span.start for one in after):
        return None
    line = snapshot.document.line(at)
    return Fix(f"Close it with {closer} at the end of {line}", (Change(Span(at, at), closer),))


def _last(form: Form) -> int:
    """The end of the last form in a form; comments after it are beyond."""
    return form.forms[-1].end if form.forms else form.start + len(form.kind.value)
