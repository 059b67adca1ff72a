"""Signature help: what the call around the cursor takes, and which of it is being written."""

from __future__ import annotations

from dataclasses import dataclass

from mino_lsp.analysis import mangle
from mino_lsp.analysis.describe import callee
from mino_lsp.analysis.python_targets import Python, Unknown, python_at
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind

_FIRST = frozenset({"->", "=->", "some->", "cond->", "doto"})
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class SignatureHelp:
    """`parameters` are spans within the label; `active` is the index of one of them, None past the last."""

    label: str
    parameters: tuple[tuple[int, int], ...]
    active: int | None
    doc: str


def signature_help(snapshot: Snapshot, offset: int, python: Python | None = None) -> SignatureHelp | None:
    """Of the innermost call that anything is known of."""
    path = snapshot.tree.path_at(offset)
    for at, form in reversed(list(enumerate(path))[-_DEEPEST:]):
        head = form.head if form.kind is Kind.LIST else None
        if head is None or head.kind is not Kind.SYMBOL or not head.end < offset <= form.end or _is_after(form, offset):
            continue
        found = callee(snapshot.document, head.end, snapshot.index)
        told = found[0] if found is not None else python_at(snapshot.document, python or Unknown(), head.end)
        if told is None or told.parameters is None:
            continue
        threaded = at > 0 and path[at - 1].head_name in _FIRST and path[at - 1].forms[1:2] != (form,)
        parameters = told.parameters or ()
        return _help(told.name, parameters, told.doc, _active(form, offset, parameters, threaded))
    return None


def _is_after(form: Form, offset: int) -> bool:
    """Whether the offset is right after the closing bracket."""
    return offset == form.end and form.text.endswith(")") and form.text.count("(") > 0 and _closed(form)


def _closed(form: Form) -> bool:
    children = form.children
    return not children or children[-1].end < form.end


def _help(name: str, parameters: tuple[str, ...], doc: str, active: int | None) -> SignatureHelp:
    label, spans = f"({name}", []
    for parameter in parameters:
        spans.append((len(label) + 1, len(label) + 1 + len(parameter)))
        label += f" {parameter}"
    return SignatureHelp(f"{label})", tuple(spans), active, doc)


def _active(form: Form, offset: int, parameters: tuple[str, ...], threaded: bool) -> int | None:
    """The parameter that the argument at the offset is for. A keyword and what follows it are for that of its name."""
    names = [_name(one) for one in parameters]
    position, keyword = int(threaded), ""
    for argument in form.forms[1:]:
        if argument.start > offset:
            break
        here = offset <= argument.end
        if argument.kind is Kind.KEYWORD:
            keyword = mangle(argument.text[1:]) or ":"
            if here:
                break
        elif here:
            break
        elif keyword:
            keyword = ""
        else:
            position += 1
    if keyword:
        if keyword in names:
            return names.index(keyword)
        return next((at for at, one in enumerate(parameters) if one.startswith("#** ")), None)
    for at, parameter in enumerate(parameters):
        if parameter.startswith("#* "):
            return at if at <= position else position
    return position if position < len(parameters) and not parameters[position].startswith("#** ") else None


def _name(parameter: str) -> str:
    bare = parameter.removeprefix("#** ").removeprefix("#* ").lstrip("[")
    return mangle(bare.split(" ")[0].rstrip("]") or "_")
