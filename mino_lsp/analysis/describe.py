"""What can be said of a name: its signature, its documentation, and where it is from."""

from __future__ import annotations

import builtins
import inspect
import re
from dataclasses import dataclass
from functools import lru_cache

from mino_lsp.analysis import known
from mino_lsp.analysis.index import Document, Index
from mino_lsp.analysis.known import Entry
from mino_lsp.analysis.links import Named, named_at
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import Definition, DefinitionKind, Parameter, ParameterKind, Role, Use
from mino_lsp.syntax import Kind, read

_ROLE = re.compile(r":(?:hy|py):\w+:(?=`)|:\w+:(?=`)")


@dataclass(frozen=True, slots=True)
class Described:
    """`parameters` is None for what is not called. `origin` is a sentence's end: "of hyrule.control", "line 3"."""

    name: str
    kind: str
    parameters: tuple[str, ...] | None
    doc: str
    origin: str

    @property
    def title(self) -> str:
        if self.parameters is None:
            return self.name
        return f"({' '.join((self.name, *self.parameters))})"

    @property
    def markdown(self) -> str:
        told = [f"```hy\n{self.title}\n```", f"*{self.kind}{', ' + self.origin if self.origin else ''}*", self.doc]
        return "\n\n".join(part for part in told if part)


def described_at(document: Document, offset: int, index: Index) -> Described | None:
    """What stands at a place, if it is a name that anything is known of."""
    found = named_at(document, offset, index)
    if found is not None and found[0].definitions:
        return of_named(found[0], document)
    use = document.names.use_at(offset)
    entry = entry_of(document, use) if use is not None else None
    return of_entry(entry) if entry is not None else None


def of_named(named: Named, seen_from: Document) -> Described:
    best = next((one for one in named.definitions if one.doc or one.signature), named.definitions[0])
    if best.source is not None:
        entry = imported_entry(best)
        if entry is not None:
            return of_entry(entry)
        whole = f"{best.source.module}.{best.source.name}" if best.source.name else best.source.module
        return Described(best.name, "imported", None, "", f"`{whole}`")
    return of_definition(best, named.document, seen_from)


def of_definition(definition: Definition, document: Document, seen_from: Document) -> Described:
    line = document.line(definition.start)
    file = document.uri.rpartition("/")[2]
    origin = line if document.uri == seen_from.uri else f"{line} of {file}"
    name, doc = definition.name, prose(definition.doc)
    parameters = None
    if definition.signature is not None:
        parameters = tuple(map(written, definition.signature.parameters))
        if definition.kind is DefinitionKind.MU:
            parameters = tuple(one.name for one in definition.signature.parameters)
    elif definition.kind is DefinitionKind.SPEC:
        name = f":{name}"
        form = document.tree.text(definition.form_start, definition.form_end)
        doc = f"```hy\n{form}\n```"
    return Described(name, definition.kind.value, parameters, doc, origin)


def of_entry(entry: Entry) -> Described:
    where = "of Hy's core" if entry.module == known.CORE else f"of `{entry.module}`"
    kind = "reader macro" if entry.kind == "reader" else entry.kind
    name = f"#{entry.name}" if entry.kind == "reader" else entry.name
    parameters = parameters_of(entry.signature) if entry.signature and entry.kind != "reader" else None
    return Described(name, kind, parameters, prose(entry.doc), where)


def written(parameter: Parameter) -> str:
    if parameter.kind is ParameterKind.REST:
        return f"#* {parameter.name}"
    if parameter.kind is ParameterKind.REST_KEYWORDS:
        return f"#** {parameter.name}"
    return f"[{parameter.name} {parameter.default}]" if parameter.default else parameter.name


@lru_cache(maxsize=512)
def parameters_of(signature: str) -> tuple[str, ...]:
    """The parameters in `[a [b 1] #* rest]`, as text."""
    for form in read(signature).forms:
        if form.kind is Kind.VECTOR:
            return tuple(one.text for one in form.forms)
    return ()


def prose(doc: str) -> str:
    """Documentation in reStructuredText as Markdown, as far as it is common in Hy: literal blocks and roles."""
    lines: list[str] = []
    source = doc.split("\n")
    at = 0
    while at < len(source):
        line = source[at]
        at += 1
        if not line.rstrip().endswith("::") or line.lstrip().startswith(".."):
            lines.append(_inline(line))
            continue
        lines += [shown for shown in (_inline(line.rstrip().removesuffix("::").rstrip()),) if shown]
        if lines and not lines[-1].endswith((":", ".")):
            lines[-1] += ":"
        block: list[str] = []
        while at < len(source) and (not source[at].strip() or source[at][0] == " "):
            block.append(source[at])
            at += 1
        lines += ["", "```hy", *inspect.cleandoc("\n".join(["", *block])).split("\n"), "```", ""]
    return "\n".join(lines).strip()


def _inline(line: str) -> str:
    return _ROLE.sub("", line).replace("``", "`")


# ---- entries


def entry_of(document: Document, use: Use) -> Entry | None:
    """What is known of a name that the document does not define."""
    reference = use.reference
    names = document.names
    whole = f"{reference.mangled}.{mangle(reference.path)}" if reference.path else reference.mangled
    if reference.role in (Role.MACRO, Role.DATA):
        return macro_entry(names.macros.head(whole) or "")
    if reference.role is Role.READER:
        return macro_entry(names.macros.reader(reference.name), readers=True)
    if use.definition is not None:
        return imported_entry(use.definition)
    if reference.role is Role.MEMBER:
        owner = names.lookup(mangle(reference.owner), reference.start) if reference.owner else None
        if owner is not None and owner.kind is DefinitionKind.MODULE and owner.source is not None:
            package = known.packages().get(owner.source.module)
            return package.names.get(reference.mangled) if package is not None else None
        return None
    for entry in reversed(names.imports):
        package = known.packages().get(mangle(entry.module)) if entry.star and not entry.requires else None
        if package is not None and reference.mangled in package.names:
            return package.names[reference.mangled]
    return builtin_entry(reference.mangled)


def imported_entry(definition: Definition) -> Entry | None:
    """What is known of what an import or a require takes."""
    source = definition.source
    package = known.packages().get(mangle(source.module)) if source is not None else None
    if package is None or source is None:
        return None
    if not source.name:
        return Entry(package.name, "module", package.name, "", package.doc)
    kinds = {DefinitionKind.MACRO: package.macros, DefinitionKind.READER: package.readers}
    return kinds.get(definition.kind, package.names).get(mangle(source.name))


def macro_entry(key: str, readers: bool = False) -> Entry | None:
    """The macro with a key such as `hyrule:loop`."""
    module, _, name = key.partition(":")
    if module == known.CORE and not readers and mangle(name) in known.core():
        return known.core()[mangle(name)]
    for package in known.packages().values():
        if package.name.partition(".")[0] == module:
            entry = (package.readers if readers else package.macros).get(mangle(name))
            if entry is not None:
                return entry
    return None


@lru_cache(maxsize=256)
def builtin_entry(name: str) -> Entry | None:
    """One of Python's builtins. Those of the server's interpreter: they are the same in all."""
    value = getattr(builtins, name, None)
    if value is None:
        return None
    kind = "class" if isinstance(value, type) else "function"
    return Entry(name, kind, "builtins", _python_signature(value), inspect.getdoc(value) or "")


def _python_signature(value: object) -> str:
    try:
        parameters = inspect.signature(value).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    parts = []
    for one in parameters:
        name = one.name.replace("_", "-") if one.name.strip("_") else one.name
        marks: dict[object, str] = {one.VAR_POSITIONAL: "#* ", one.VAR_KEYWORD: "#** "}
        default = "" if one.default is one.empty else f"{one.default!r}"
        default = "…" if "<" in default else default.replace("'", '"')
        parts.append(f"[{name} {default}]" if default else marks.get(one.kind, "") + name)
    return f"[{' '.join(parts)}]"


def callee(document: Document, offset: int, index: Index) -> tuple[Described, Definition | None] | None:
    """What the head of a call at an offset calls; for a class, how it is constructed."""
    found = named_at(document, offset, index)
    if found is None or not found[0].definitions:
        told = described_at(document, offset, index)
        return (told, None) if told is not None and told.parameters is not None else None
    named = found[0]
    best = next((one for one in named.definitions if one.signature), named.definitions[0])
    if best.kind is DefinitionKind.CLASS:
        for one in named.document.names.definitions:
            if one.mangled == "__init__" and best.form_start < one.start < best.form_end and one.signature:
                told = of_definition(one, named.document, document)
                parameters = (told.parameters or ())[1:]
                return Described(best.name, "class", parameters, prose(best.doc), told.origin), None
    if not best.signature and best.value:
        made = document.names.lookup(best.value, offset)
        if made is not None and made.kind is DefinitionKind.MU:
            best = made
    told = of_named(Named(named.document, named.symbol, (best,), best.source), document)
    return (told, best) if told.parameters is not None else None
