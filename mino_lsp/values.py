"""How a value is written for a person: one line, shapes as the language writes them."""

from __future__ import annotations

from mino_lsp.types import Fact, ModuleValue, OtherValue, Statistics, TensorValue, Value

_BYTES = {"float64": 8, "int64": 8, "complex64": 8, "complex128": 16, "float32": 4, "int32": 4, "float16": 2}
_BYTES |= {"bfloat16": 2, "int16": 2, "int8": 1, "uint8": 1, "bool": 1}


def shape(value: TensorValue) -> str:
    return "[" + " ".join(map(str, value.shape)) + "]"


def shapes(fact: Fact, most: int = 4) -> str:
    """The distinct shapes of the tensors of a fact, dtype and device only where unusual; empty if there are none.
    A question mark follows what is assumed."""
    told: list[str] = []
    for value in fact.values:
        if isinstance(value, TensorValue):
            text = shape(value) + "".join(f" {part}" for part in _unusual(value))
            if text not in told:
                told.append(text)
    more = [] if len(told) <= most and fact.distinct <= len(fact.values) else ["…"]
    mark = " ?" if fact.evidence == "assumed" else ""
    return " | ".join([*told[:most], *more]) + mark if told else ""


def _unusual(value: TensorValue) -> list[str]:
    return [*([value.dtype] if value.dtype != "float32" else []), *([value.device] if value.device != "cpu" else [])]


def line(value: Value) -> str:
    """One value in one line of Markdown."""
    match value:
        case TensorValue():
            return _tensor(value)
        case ModuleValue():
            return f"`{value.name}` module · {value.parameters:,} parameters"
        case OtherValue():
            return f"`{value.type}`"


def _tensor(value: TensorValue) -> str:
    count = 1
    for size in value.shape:
        count *= size
    parts = [f"`{shape(value)}` {value.dtype}", value.device]
    if value.role:
        parts.append(value.role)
    if value.requires_grad:
        parts.append("requires grad")
    parts.append(f"{count:,} element{'' if count == 1 else 's'}")
    if value.dtype in _BYTES:
        parts.append(size_text(count * _BYTES[value.dtype]))
    return " · ".join(parts)


def statistics(found: Statistics) -> str:
    """What a tensor's elements are, in one line."""
    parts = []
    if found.elements == 1 and found.least == found.least:
        parts = [f"{found.mean:.4g}"]
    elif found.least == found.least:
        parts += [f"mean {found.mean:.4g}", f"deviation {found.deviation:.4g}"]
        parts += [f"from {found.least:.4g} to {found.most:.4g}"]
    parts += [f"**{found.nan:,} NaN**"] if found.nan else []
    parts += [f"{found.infinite:,} infinite"] if found.infinite else []
    return " · ".join(parts)


def size_text(count: int) -> str:
    """Bytes, as a person says them."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
