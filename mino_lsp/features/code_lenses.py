"""Code lenses: Run, Preview and Stop above a program's `defmain`; above a `defmu` how large its instances are; above a
`spec/def` how often it is broken. The last two tell something and do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mino_lsp.analysis.mangling import mangle
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.types import ModuleValue, Span

MOST_SIZES = 4


@dataclass(frozen=True, slots=True)
class Lens:
    """Without a command, it is mere text."""

    span: Span
    title: str
    command: str = ""
    arguments: tuple[dict[str, object], ...] = ()


def code_lenses(snapshot: Snapshot) -> list[Lens]:
    modules: list[ModuleValue] | None = None
    lenses: list[Lens] = []
    for form in snapshot.tree.forms:
        if form.kind is not Kind.LIST:
            continue
        head = form.head_name
        if head == "defmain":
            lenses += _program(snapshot, form)
        elif head == "defmu":
            modules = _modules(snapshot) if modules is None else modules
            lenses += _instances(modules, form)
        elif head == "spec/def":
            lenses += _broken(snapshot, form)
    return lenses


def _at(form: Form) -> Span:
    """The parenthesis and the head of a form."""
    assert form.head is not None
    return Span(form.start, form.head.end)


def _program(snapshot: Snapshot, form: Form) -> Iterator[Lens]:
    title = f"▶ Run on {snapshot.device}" if snapshot.device else "▶ Run"
    document: dict[str, object] = {"uri": snapshot.uri}
    if not snapshot.cells:
        yield Lens(_at(form), title, "mino.run", (document,))
    yield Lens(_at(form), "Preview", "mino.preview", (document,))
    for run in snapshot.runs:
        yield Lens(_at(form), "■ Stop", "mino.stop", ({"run": run},))


def _modules(snapshot: Snapshot) -> list[ModuleValue]:
    """The distinct modules that the preview saw, in the order in which they first passed in the text."""
    seen = (value for fact in snapshot.live.facts.values() for value in fact.values)
    return list(dict.fromkeys(value for value in seen if isinstance(value, ModuleValue)))


def _instances(modules: list[ModuleValue], form: Form) -> Iterator[Lens]:
    """How many parameters the instances of a mu have. Instances that look the same are counted once: what passes in a
    program is known by its looks."""
    parts = form.forms
    if len(parts) < 3 or parts[1].kind is not Kind.SYMBOL:
        return
    name, components = mangle(parts[1].text), {mangle(part.text) for listed in parts[2:3] for part in listed.walk()}
    mine = [one for one in modules if one.name == name and components.issuperset(mangle(k) for k, _ in one.components)]
    if not mine:
        return
    sizes = sorted({one.parameters for one in mine}, reverse=True)
    shown = [f"{size:,}" for size in sizes[:MOST_SIZES]] + ["…"] * (len(sizes) > MOST_SIZES)
    told = f"{' | '.join(shown)} parameter{'' if sizes == [1] else 's'}"
    yield Lens(_at(form), told + (f" · {len(mine)} different instances" if len(mine) > 1 else ""))


def _broken(snapshot: Snapshot, form: Form) -> Iterator[Lens]:
    """How many of the broken specs fail at a predicate that stands in this form."""
    whole = Span(form.start, form.end)
    problems = {*snapshot.live.problems, *snapshot.ran.problems}
    count = sum(
        problem.code == "spec" and any(whole.contains(related.span) for related in problem.related)
        for problem in problems
    )
    if count:
        yield Lens(_at(form), "1 value violates this" if count == 1 else f"{count} values violate this")
