"""What of a Python package a name means, and what the reader of packages tells of it, in Hy's words."""

from __future__ import annotations

from typing import Protocol

from mino_lsp.analysis.describe import Described, prose
from mino_lsp.analysis.document import Names
from mino_lsp.analysis.index import Document
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import Definition, DefinitionKind
from mino_lsp.syntax import Kind


class Python(Protocol):
    """What is known of Python packages by now."""

    def describe(self, module: str, path: str) -> tuple[str, str, str] | None:
        """Kind, signature and documentation; None while they are looked up, empty where nothing is known."""


class Unknown:
    """Python packages of which nothing is known."""

    def describe(self, module: str, path: str) -> tuple[str, str, str] | None:
        return "", "", ""


def python_at(document: Document, python: Python, offset: int) -> Described | None:
    """What stands at a place, if it is of a Python package and something is known of it: of a dotted name, as far as
    the part that is there."""
    forms = document.tree.path_at(offset)
    if not forms or forms[-1].kind is not Kind.SYMBOL:
        return None
    whole = forms[-1].text
    written = whole[: (whole + ".").index(".", offset - forms[-1].start)]
    root, _, path = written.partition(".")
    names = document.names
    target = python_target(names, names.lookup(mangle(root), offset), path, offset) if root else None
    if target is None:
        return None
    kind, signature, doc = python.describe(*target) or ("", "", "")
    if not kind:
        return None
    origin = ".".join(part for part in target if part)
    return Described(written, kind, parameters_of(signature) if signature else None, prose(doc), f"`{origin}`")


def parameters_of(signature: str) -> tuple[str, ...]:
    """The parameters of a Python signature as Hy writes them: `zeros(size: int, *, out=None)` has `size` and
    `[out None]`. Of several signatures, those of the first."""
    inside = signature.partition("(")[2]
    parts, depth, quote = [""], 0, ""
    for letter in inside:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            if not depth:
                break
            depth -= 1
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return tuple(filter(None, (_written(part.strip()) for part in parts)))


def _written(parameter: str) -> str:
    if parameter in ("", "*", "/"):
        return ""
    name, _, default = parameter.partition("=")
    name = name.partition(":")[0].strip()
    if name.startswith("**"):
        return f"#** {name[2:]}"
    if name.startswith("*"):
        return f"#* {name[1:]}"
    return f"[{name} {default.strip()}]" if default else name


def python_target(
    names: Names, definition: Definition | None, path: str, offset: int, depth: int = 3
) -> tuple[str, str] | None:
    """The module and the path in it of what a name is bound to, where it comes from an import."""
    if definition is None:
        return None
    path = mangle(path) if path else ""
    source = definition.source
    if source is not None and not source.module.startswith("."):
        if definition.kind is DefinitionKind.IMPORT:
            return mangle(source.module), ".".join(part for part in (mangle(source.name), path) if part)
        if definition.name == source.module.partition(".")[0] and "." in source.module:
            return definition.mangled, path
        return mangle(source.module), path
    if definition.value and depth and source is None:
        root, _, rest = definition.value.partition(".")
        made = names.lookup(root, offset)
        if made is not None and made.start != definition.start:
            inner = python_target(names, made, rest, offset, depth - 1)
            if inner is not None and inner[1]:
                return inner[0], f"{inner[1]}()" + (f".{path}" if path else "")
    return None
