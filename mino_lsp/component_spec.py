"""A component's spec, written from the shapes that a preview saw there."""

from __future__ import annotations

from mino_lsp.mending import header
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Kind
from mino_lsp.types import Change, Fix, Span, TensorValue


def add_spec(snapshot: Snapshot, offset: int) -> Fix | None:
    """The change that gives the component at `offset` the spec of what passed there: a size that differed between
    instances or calls is `_`. None for a component that has a spec, and where nothing of one rank passed."""
    path = snapshot.tree.path_at(offset)
    if len(path) < 3 or path[-1].kind is not Kind.SYMBOL or path[-2].kind is not Kind.VECTOR:
        return None
    name, listed, mu = path[-1], path[-2], path[-3]
    if mu.head_name not in ("defmu", "mu") or listed not in mu.forms[1:3]:
        return None
    place = Span(name.start, name.end)
    fact = snapshot.live.facts.get(place)
    shapes = [value.shape for value in fact.values if isinstance(value, TensorValue)] if fact is not None else []
    if fact is None or not shapes or len(shapes) < fact.distinct or len({len(one) for one in shapes}) > 1:
        return None
    sizes = [str(seen[0]) if len(set(seen)) == 1 else "_" for seen in zip(*shapes, strict=True)]
    spec = f"(spec/tensor [{' '.join(sizes)}])"
    changes = [Change(Span(name.start, name.start), f"#^ {spec} ")]
    required = any(one.requires and one.module == "mino.spec" and one.star for one in snapshot.names.imports)
    if not required:
        changes.insert(0, header(snapshot, "(require mino.spec *)"))
    return Fix(f"Add the spec {spec} to `{name.text}`", tuple(changes))
