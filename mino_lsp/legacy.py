"""Programs of Hy 0.19 in the words of Hy 1: a change of the text, offered where something stands that only the old
language had. What is neither old nor around something old keeps every character."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mino_lsp.lint import lint
from mino_lsp.mending import header
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind, read
from mino_lsp.types import Change, Fix, Span

_OLD = re.compile(
    r"\(,[\s)]|[\[\s]&(?:rest|optional|kwargs|kwonly)\b|\((?:import|require)\s+\[|\(cond\s+\["
    r"|\((?:instance\?|if\*|hy-repr|name|none\?|string\?|fn/a|defn/a|yield-from)\s|hy\.(?:contrib|extra)\."
)
"""Where this matches nothing, nothing is looked for."""
_DEEPEST = 150
"""Hy compiles no deeper forms."""

_MOVED = {"hy.contrib.loop": "hyrule", "hy.extra.anaphoric": "hyrule", "hy.contrib.sequences": "hyrule"}
_CORE = ("hy.contrib.walk",)
"""What is part of the language now: `let`."""
_RENAMED = {
    "hy-repr": "hy.repr",
    "hy-eval": "hy.eval",
    "if*": "if",
    "gensym": "hy.gensym",
    "read-str": "hy.read",
    "macroexpand": "hy.macroexpand",
    "callable?": "callable",
    "keyword": "hy.models.Keyword",
}
_ONE = {
    "name": '(hy.unmangle (.lstrip (str {}) ":"))',
    "none?": "(is {} None)",
    "nil?": "(is {} None)",
    "string?": "(isinstance {} str)",
    "integer?": "(isinstance {} int)",
    "list?": "(isinstance {} list)",
    "empty?": "(= (len {}) 0)",
    "even?": "(= (% {} 2) 0)",
    "odd?": "(= (% {} 2) 1)",
    "zero?": "(= {} 0)",
    "pos?": "(> {} 0)",
    "neg?": "(< {} 0)",
    "inc": "(+ {} 1)",
    "dec": "(- {} 1)",
    "first": "(next (iter {}) None)",
    "second": "(get {} 1)",
    "yield-from": "(yield :from {})",
}
"""Functions of one argument that Hy had, by what says the same now."""
_THREADS = frozenset({"->", "->>", "*->", "*->>", "|->", "|->>", "=->", "=->>", "cond->", "cond->>", "doto"})
_PARAMETERS = {"&rest": "#*", "&kwargs": "#**", "&kwonly": "*"}


def modern(snapshot: Snapshot, within: Span | None = None) -> Fix | None:
    """The change that rewrites the document, or the top-level forms that touch `within`, for Hy 1; with requires of the
    macros that are no part of the language any more. None where nothing is old."""
    source = snapshot.text.source
    if not snapshot.tree.is_read or not _OLD.search(source) or snapshot.tree.problems:
        return None
    chosen = [one for one in snapshot.tree.forms if within is None or _touch(one, within)]
    bound = {one.name for _, piece in snapshot.names.pieces() for one in piece.definitions}
    changes = []
    for form in chosen:
        new = _written(form, bound)
        if new != form.text:
            changes.append(Change(Span(form.start, form.end), new))
    if not changes:
        return None
    title = "Rewrite this form from Hy 0.19" if within is not None else "Rewrite the file from Hy 0.19"
    return Fix(title, (*changes, *_requires(snapshot, changes)))


def _touch(form: Form, within: Span) -> bool:
    return form.start <= within.end and within.start <= form.end


def applied(source: str, changes: tuple[Change, ...] | list[Change]) -> str:
    for change in sorted(changes, key=lambda one: one.span, reverse=True):
        source = source[: change.span.start] + change.text + source[change.span.end :]
    return source


def _requires(snapshot: Snapshot, changes: list[Change]) -> Iterator[Change]:
    """Those that the rewritten text lacks."""
    tree = read(applied(snapshot.text.source, changes))
    wanted: dict[str, list[str]] = {}
    for one in lint(tree):
        if one.code == "missing-require" and (told := _LACKS.search(one.message)):
            names = wanted.setdefault(told[1], [])
            names += [told[2]] if told[2] not in names else []
    for module, names in wanted.items():
        yield header(snapshot, f"(require {module} [{' '.join(names)}])")


_LACKS = re.compile(r"\(require ([\w.]+) \[([^]]+)\]\)\.$")


# ---- forms


def _written(form: Form, bound: set[str], depth: int = 0) -> str:
    """The text of a form, rewritten. Parts for which it says nothing of its own are rewritten where they stand."""
    if depth > _DEEPEST or not form.children:
        return form.text
    parts = _changes(form, bound, depth) if form.kind in (Kind.LIST, Kind.VECTOR) else []
    for child in form.children:
        if not any(start <= child.start and child.end <= end for start, end, _ in parts):
            parts.append((child.start, child.end, _written(child, bound, depth + 1)))
    text, at = "", form.start
    for start, end, new in sorted(parts):
        text += form.text[at - form.start : start - form.start] + new
        at = end
    return text + form.text[at - form.start :]


_Parts = list[tuple[int, int, str]]


def _changes(form: Form, bound: set[str], depth: int) -> _Parts:
    if form.kind is Kind.VECTOR:
        return _parameters(form, bound, depth)
    head, args = form.head, form.forms[1:]
    if head is None or head.kind is not Kind.SYMBOL or head.text in bound:
        return []
    name = head.text

    def of(part: Form) -> str:
        return _written(part, bound, depth + 1)

    if _is_step(form):  # whose first argument stands elsewhere
        return [(head.start, head.end, _RENAMED[name])] if name in _RENAMED else []
    if name == ",":
        return [(form.start, args[0].start if args else form.end - 1, "#(")]
    if name in ("import", "require"):
        return _imports(form, args)
    if name == "instance?" and len(args) == 2:
        kind, value = args
        return [
            (head.start, head.end, "isinstance"),
            (kind.start, kind.end, of(value)),
            (value.start, value.end, of(kind)),
        ]
    if name in _ONE and len(args) == 1:
        return [(form.start, form.end, _ONE[name].format(of(args[0])))]
    if name in ("fn/a", "defn/a"):
        return [(head.start, head.end, f"{name[:-2]} :async")]
    if name in ("if", "if*"):
        return _branches(head, args)
    if name == "cut" and len(args) == 2:
        return [(args[1].end, args[1].end, " None")]
    if name == "cond" and args and all(one.kind is Kind.VECTOR and one.forms for one in args):
        return [(one.start, one.end, _clause(one, bound, depth)) for one in args]
    return [(head.start, head.end, _RENAMED[name])] if name in _RENAMED else []


def _is_step(form: Form) -> bool:
    around = form.parent
    return around is not None and around.head_name in _THREADS and form not in around.forms[:2]


def _branches(head: Form, args: tuple[Form, ...]) -> _Parts:
    """`if` had any number of branches, and none for what is not so."""
    if len(args) == 2:
        return [(head.start, head.end, "when")]
    if len(args) > 3:
        last = args[-1]
        return [(head.start, head.end, "cond"), *([(last.start, last.start, "True ")] if len(args) % 2 else [])]
    return [(head.start, head.end, "if")]


def _clause(clause: Form, bound: set[str], depth: int) -> str:
    test, *body = (_written(part, bound, depth + 1) for part in clause.forms)
    if not body:
        return f"{test} {test}"
    return f"{test} {body[0]}" if len(body) == 1 else f"{test} (do {' '.join(body)})"


def _parameters(form: Form, bound: set[str], depth: int) -> _Parts:
    """`&rest`, `&optional` and their kin in a list of parameters."""
    found: _Parts = []
    optional = False
    for part, after in zip(form.forms, (*form.forms[1:], None), strict=True):
        if part.text in _PARAMETERS:
            joined = part.text != "&kwonly" and after is not None
            end = after.start if joined and after is not None else part.end
            found.append((part.start, end, _PARAMETERS[part.text] + (" " if joined else "")))
            optional = False
        elif part.text == "&optional":
            optional = True
            found.append((part.start, after.start if after is not None else part.end, ""))
        elif optional and part.kind is Kind.SYMBOL:
            found.append((part.start, part.end, f"[{part.text} None]"))
    return found


def _imports(form: Form, entries: tuple[Form, ...]) -> _Parts:
    """The brackets around each module are gone, and those around `*`."""
    found: _Parts = []
    kept = [one for one in entries if not (one.kind is Kind.VECTOR and one.forms and one.forms[0].text in _CORE)]
    if not kept:
        return [(form.start, form.end, "")]
    for before, one in zip((form.forms[0], *entries), entries, strict=False):
        if one not in kept:
            found.append((before.end, one.end, ""))
        elif one.kind is Kind.VECTOR and one.forms:
            found.append((one.start, one.end, " ".join(_module(one.forms))))
    return found


def _module(parts: tuple[Form, ...]) -> Iterator[str]:
    first, *rest = parts
    yield _MOVED.get(first.text, first.text)
    for part in rest:
        yield "*" if part.kind is Kind.VECTOR and [one.text for one in part.forms] == ["*"] else part.text
