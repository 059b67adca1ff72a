"""Hy's own reader beside ours: what both say about the same text, in one notation.

A form is ``(name, start, end, parts)`` with offsets in code points. Of an f-string only the fields are compared: Hy
gives the text between them positions that mean nothing.
"""

import hy
from hy.models import (
    Bytes,
    Complex,
    Dict,
    Expression,
    FComponent,
    Float,
    FString,
    Integer,
    Keyword,
    List,
    Set,
    String,
    Symbol,
    Tuple,
)

from mino_lsp.syntax import Form, Kind, Text, read

Shape = tuple[str, int, int, tuple["Shape", ...]]

_SEQUENCES = {
    Kind.LIST: "Expression",
    Kind.VECTOR: "List",
    Kind.DICT: "Dict",
    Kind.SET: "Set",
    Kind.TUPLE: "Tuple",
    Kind.FSTRING: "FString",
    Kind.FIELD: "FComponent",
}
_PREFIXES = {
    Kind.QUOTE: "quote",
    Kind.QUASIQUOTE: "quasiquote",
    Kind.UNQUOTE: "unquote",
    Kind.UNQUOTE_SPLICE: "unquote-splice",
    Kind.UNPACK_ITERABLE: "unpack-iterable",
    Kind.UNPACK_MAPPING: "unpack-mapping",
    Kind.ANNOTATION: "annotate",
}
_LEAVES = {Kind.STRING: "String", Kind.BRACKET_STRING: "String", Kind.BYTES: "Bytes", Kind.NUMBER: "Number"}


def hy_shapes(source: str) -> list[Shape] | None:
    """What Hy reads, or None where it refuses."""
    text = Text(source)
    try:
        models = list(hy.read_many(source, skip_shebang=True))
    except (hy.errors.HySyntaxError, EOFError, RecursionError):
        return None
    return [_of_model(model, text) for model in models]


def our_shapes(source: str) -> list[Shape]:
    return [_of_form(form) for form in read(source).forms]


def _of_model(model: hy.models.Object, text: Text) -> Shape:
    start = text.hy_offset(model.start_line, model.start_column)
    end = text.hy_offset(model.end_line, model.end_column) + 1
    parts: tuple[Shape, ...] = ()
    if isinstance(model, (Expression, List, Dict, Set, Tuple, FString, FComponent)):
        parts = tuple(_of_model(part, text) for part in _parts(model))
        return type(model).__name__, start, end, parts
    if isinstance(model, (Integer, Float, Complex)):
        return "Number", start, end, ()
    if isinstance(model, (Symbol, Keyword)):
        return f"{type(model).__name__} {model if isinstance(model, Symbol) else model.name}", start, end, ()
    assert isinstance(model, (String, Bytes)), model
    return type(model).__name__, start, end, ()


def _parts(model: hy.models.Sequence) -> list[hy.models.Object]:
    """What is in a model, without the literal text of an f-string and of a field's format."""
    if not isinstance(model, (FString, FComponent)):
        return list(model)
    form = list(model[:1]) if isinstance(model, FComponent) else []
    return form + [part for part in model[len(form) :] if isinstance(part, FComponent)]


def _of_form(form: Form) -> Shape:
    start, end, parts = form.start, form.end, tuple(_of_form(part) for part in form.forms)
    if form.kind in _SEQUENCES:
        return _SEQUENCES[form.kind], start, end, parts
    if form.kind in _PREFIXES:
        inner = parts[::-1] if form.kind is Kind.ANNOTATION else parts
        return "Expression", start, end, ((f"Symbol {_PREFIXES[form.kind]}", start, end, ()), *inner)
    if form.kind is Kind.KEYWORD:
        return f"Keyword {form.text[1:]}", start, end, ()
    if form.kind is Kind.SYMBOL:
        return _of_symbol(form.text, start, end)
    return _LEAVES.get(form.kind, form.kind.name), start, end, ()


def _of_symbol(name: str, start: int, end: int) -> Shape:
    bare = name.lstrip(".")
    if "." not in name or not bare:
        return f"Symbol {name}", start, end, ()
    dots = name[: len(name) - len(bare)]
    names = [*((dots, "None") if dots else (".",)), *bare.split(".")]
    return "Expression", start, end, tuple((f"Symbol {part}", start, end, ()) for part in names)
