"""What Hy's core macros do to names. Forms of a shape that Hy would refuse are taken for what they most resemble."""

from __future__ import annotations

from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import DefinitionKind, KeywordRole, Role, ScopeKind, Source
from mino_lsp.analysis.reading import (
    DICT,
    KEYWORD,
    LIST,
    READER,
    STRINGS,
    SYMBOL,
    TUPLE,
    UNPACK_ITERABLE,
    UNPACK_MAPPING,
    VECTOR,
)
from mino_lsp.analysis.scopes import Walk, handles


@handles("hy:setv")
def setv(walk: Walk, form: int, parts: list[int]) -> None:
    at = 1
    while at < len(parts):
        target = parts[at]
        if walk.is_keyword(target, ":chain") and at + 2 < len(parts):
            walk.visit(parts[at + 2])
            for one in walk.forms(parts[at + 1]):
                walk.assign(one, form, parts[at + 2])
            at += 3
            continue
        value = parts[at + 1] if at + 1 < len(parts) else None
        if value is not None:
            walk.visit(value)
        walk.assign(target, form, value)
        at += 2


@handles("hy:setx")
def setx(walk: Walk, form: int, parts: list[int]) -> None:
    setv(walk, form, parts)


@handles("hy:annotate")
def annotate(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[2:])
    for target in parts[1:2]:
        walk.assign(target, form)


@handles("hy:let")
def let(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) < 2:
        return
    with walk.within(ScopeKind.LET, walk.start[parts[1]], walk.end[form]):
        bindings = walk.forms(parts[1]) if walk.kind[parts[1]] == VECTOR else []
        for target, value in zip(bindings[::2], bindings[1::2], strict=False):
            walk.visit(value)
            bind_until(walk, target, value)
        if len(bindings) % 2:
            bind_until(walk, bindings[-1], bindings[-1])
        walk.visit_all(parts[2:] if walk.kind[parts[1]] == VECTOR else parts[1:])


def bind_until(walk: Walk, target: int, value: int) -> None:
    """Bind in a `let`, from the end of the value on."""
    if walk.kind[target] == SYMBOL:
        made, visible = walk.made_by(value), walk.end[value]
        walk.define(target, DefinitionKind.LOCAL, target, scope=walk.scope, value=made, visible_from=visible)
    else:
        walk.each_target(target, lambda one: bind_until(walk, one, value))


AUGMENTED = [f"hy:{operator}=" for operator in ["+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^"]]


@handles(*AUGMENTED)
def augmented(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[2:])
    for target in parts[1:2]:
        walk.use(target, Role.WRITE) if walk.kind[target] == SYMBOL else walk.visit(target)


@handles("hy:del")
def delete(walk: Walk, form: int, parts: list[int]) -> None:
    for target in parts[1:]:
        walk.use(target, Role.WRITE) if walk.kind[target] == SYMBOL else walk.visit(target)


@handles("hy:global", "hy:nonlocal")
def declare(walk: Walk, form: int, parts: list[int]) -> None:
    word = walk.text_of(parts[0])
    home = walk.scopes[walk.function_scope(walk.scope)]
    for name in parts[1:]:
        if walk.kind[name] == SYMBOL:
            home.declared[mangle(walk.text_of(name))] = word
            walk.use(name, Role.WRITE)


# ---- functions, classes, macros


@handles("hy:fn")
def fn(walk: Walk, form: int, parts: list[int]) -> None:
    _, _, rest = heading(walk, parts[1:], named=False)
    function_of(walk, form, rest)


@handles("hy:defn")
def defn(walk: Walk, form: int, parts: list[int]) -> None:
    decorated, name, rest = heading(walk, parts[1:], named=True)
    if name is None:
        walk.visit_all(rest)
        return
    home = walk.scopes[walk.function_scope(walk.scope)]
    kind = DefinitionKind.METHOD if home.kind is ScopeKind.CLASS else DefinitionKind.FUNCTION
    define_function(walk, form, name, rest, kind, decorated)


def define_function(
    walk: Walk, form: int, name: int, rest: list[int], kind: DefinitionKind, decorated: bool = False
) -> None:
    """`rest` is the parameter list and the body."""
    if not rest:
        walk.define(name, kind, form)
        return
    signature, places = walk.parameters(rest[0], DefinitionKind.PARAMETER)
    walk.define(name, kind, form, signature=signature, doc=walk.doc(rest[1:]), decorated=decorated)
    with walk.function(form, rest[0], places):
        walk.visit_all(rest[1:])


def function_of(walk: Walk, form: int, rest: list[int]) -> None:
    if rest:
        _, places = walk.parameters(rest[0], DefinitionKind.PARAMETER)
        with walk.function(form, rest[0], places):
            walk.visit_all(rest[1:])


def heading(walk: Walk, parts: list[int], named: bool) -> tuple[bool, int | None, list[int]]:
    """What stands before a parameter list: `:async`, decorators, `:tp` and its parameters, an annotation, the name.
    Whether there are decorators, the name, and what follows."""
    at, decorated = 0, False
    name: int | None = None
    while at < len(parts):
        one = parts[at]
        if walk.is_keyword(one, ":async"):
            pass
        elif walk.is_keyword(one, ":tp") and at + 1 < len(parts):
            at += 1
            for each in walk.forms(parts[at]):
                walk.assign(each, parts[at])
        elif not named:
            break
        elif walk.kind[one] == VECTOR:
            decorated = True
            walk.visit_all(walk.forms(one))
        else:
            name = _annotated_name(walk, one)
            at += 1
            break
        at += 1
    rest = parts[at:]
    if not named and rest and walk.kind[rest[0]] != VECTOR:
        annotated = _annotated_name(walk, rest[0], VECTOR)
        rest = [annotated, *rest[1:]] if annotated is not None else rest
    return decorated, name, rest


def _annotated_name(walk: Walk, form: int, kind: int = SYMBOL) -> int | None:
    """The name, or the parameter list, in `#^ type it` or `(annotate it type)`; its type is visited."""
    if walk.kind[form] == kind:
        return form
    forms = walk.forms(form)
    if walk.head_of(form) == "annotate" and len(forms) == 3:
        forms = [forms[2], forms[1]]
    if len(forms) == 2 and walk.kind[forms[1]] == kind:
        walk.visit(forms[0])
        return forms[1]
    return None


@handles("hy:defmacro")
def defmacro(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) < 3 or walk.kind[parts[1]] != SYMBOL:
        walk.visit_all(parts[1:])
        return
    signature, places = walk.parameters(parts[2], DefinitionKind.PARAMETER)
    walk.define(parts[1], DefinitionKind.MACRO, form, scope=0, signature=signature, doc=walk.doc(parts[3:]))
    with walk.function(form, parts[2], places):
        walk.scopes[walk.scope].implicit = frozenset({"_hy_compiler"})
        walk.visit_all(parts[3:])


@handles("hy:defreader")
def defreader(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) > 1 and walk.kind[parts[1]] in (SYMBOL, READER):
        walk.define(parts[1], DefinitionKind.READER, form, scope=0, doc=walk.doc(parts[2:]))
    with walk.within(ScopeKind.FUNCTION, walk.start[form], walk.end[form]) as scope:
        scope.implicit = frozenset({mangle("&reader"), "reader"})
        walk.visit_all(parts[2:])


@handles("hy:defclass")
def defclass(walk: Walk, form: int, parts: list[int]) -> None:
    decorated, name, rest = heading(walk, parts[1:], named=True)
    if rest and walk.kind[rest[0]] == VECTOR:
        bases = walk.forms(rest[0])
        for base in bases:
            walk.keyword(base, KeywordRole.ARGUMENT) if walk.kind[base] == KEYWORD else walk.visit(base)
        rest = rest[1:]
    if name is not None:
        walk.define(name, DefinitionKind.CLASS, form, doc=walk.doc(rest), decorated=decorated)
    with walk.within(ScopeKind.CLASS, walk.start[form], walk.end[form]) as scope:
        scope.implicit = frozenset({"__module__", "__qualname__"})
        walk.visit_all(rest)


@handles("hy:deftype")
def deftype(walk: Walk, form: int, parts: list[int]) -> None:
    _, name, rest = heading(walk, parts[1:], named=True)
    walk.visit_all(rest)
    if name is not None:
        walk.define(name, DefinitionKind.TYPE, form)


# ---- loops, comprehensions, context managers, exceptions


@handles("hy:for")
def for_(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) < 2:
        return
    clauses(walk, form, walk.forms(parts[1]) if walk.kind[parts[1]] == VECTOR else [parts[1]], loop=True)
    bodies(walk, parts[2:])


@handles("hy:while")
def while_(walk: Walk, form: int, parts: list[int]) -> None:
    bodies(walk, parts[1:])


def bodies(walk: Walk, forms: list[int]) -> None:
    """Forms, with `(else …)` and `(finally …)` among them."""
    for form in forms:
        if walk.head_of(form) in ("else", "finally"):
            walk.visit_all(walk.forms(form)[1:])
        else:
            walk.visit(form)


@handles("hy:lfor", "hy:gfor", "hy:sfor")
def comprehension(walk: Walk, form: int, parts: list[int]) -> None:
    comprehend(walk, form, parts[1:], 1)


@handles("hy:dfor")
def dfor(walk: Walk, form: int, parts: list[int]) -> None:
    comprehend(walk, form, parts[1:], 1 if parts and walk.kind[parts[-1]] == UNPACK_MAPPING else 2)


def comprehend(walk: Walk, form: int, parts: list[int], finals: int) -> None:
    with walk.within(ScopeKind.COMPREHENSION, walk.start[form], walk.end[form]):
        clauses(walk, form, parts[: max(len(parts) - finals, 0)], loop=False)
        walk.visit_all(parts[max(len(parts) - finals, 0) :])


def clauses(walk: Walk, form: int, parts: list[int], loop: bool) -> None:
    """`loop`: of a `for`, whose targets are variables of the scope around."""
    at = 0
    while at < len(parts):
        word = walk.text_of(parts[at]) if walk.kind[parts[at]] == KEYWORD else ""
        if word in (":if", ":do"):
            walk.visit_all(parts[at + 1 : at + 2])
            at += 2
            continue
        at += word in (":async", ":setv")
        walk.visit_all(parts[at + 1 : at + 2])
        for target in parts[at : at + 1]:
            walk.assign(target, target) if loop else walk.bind(target, target)
        at += 2


@handles("hy:with")
def with_(walk: Walk, form: int, parts: list[int]) -> None:
    managers = walk.forms(parts[1]) if len(parts) > 1 and walk.kind[parts[1]] == VECTOR else []
    managers = [one for one in managers if not walk.is_keyword(one, ":async")]
    if len(managers) == 1:
        walk.visit(managers[0])
    else:
        for target, manager in zip(managers[::2], managers[1::2], strict=False):
            walk.visit(manager)
            walk.assign(target, target, None)
    walk.visit_all(parts[2:])


@handles("hy:try")
def try_(walk: Walk, form: int, parts: list[int]) -> None:
    for part in parts[1:]:
        if walk.head_of(part) in ("except", "except*"):
            _except(walk, walk.forms(part))
        elif walk.head_of(part) in ("else", "finally"):
            walk.visit_all(walk.forms(part)[1:])
        else:
            walk.visit(part)


def _except(walk: Walk, parts: list[int]) -> None:
    caught = walk.forms(parts[1]) if len(parts) > 1 and walk.kind[parts[1]] == VECTOR else []
    walk.visit_all(caught[-1:])
    if len(caught) == 2:
        walk.assign(caught[0], caught[0])
    walk.visit_all(parts[2:])


@handles("hy:match")
def match(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:2])
    at = 2
    while at < len(parts):
        pattern(walk, parts[at])
        at += 1
        if at + 1 < len(parts) and walk.is_keyword(parts[at], ":as"):
            walk.assign(parts[at + 1], parts[at + 1])
            at += 2
        if at + 1 < len(parts) and walk.is_keyword(parts[at], ":if"):
            walk.visit(parts[at + 1])
            at += 2
        walk.visit_all(parts[at : at + 1])
        at += 1


def pattern(walk: Walk, form: int) -> None:
    """A pattern of `match`: names in it are bound, but those of classes and dotted ones."""
    if walk.descend(form):
        _pattern(walk, form)
        walk.ascend()


def _pattern(walk: Walk, form: int) -> None:
    kind = walk.kind[form]
    if kind == SYMBOL:
        name = walk.text_of(form)
        if "." in name:
            walk.use(form)
        elif name not in ("_", "None", "True", "False"):
            walk.assign(form, form)
    elif kind in (VECTOR, TUPLE, UNPACK_ITERABLE, UNPACK_MAPPING):
        _patterns(walk, walk.forms(form))
    elif kind == DICT:
        forms = walk.forms(form)
        for at, one in enumerate(forms):
            if walk.kind[one] == UNPACK_MAPPING or at % 2:
                pattern(walk, one)
            elif walk.kind[one] != KEYWORD:
                walk.visit(one)
    elif kind == LIST:
        forms = walk.forms(form)
        if walk.head_of(form) == ".":
            walk.visit(form)
        elif walk.head_of(form) in ("|", "unpack-iterable", "unpack-mapping"):
            _patterns(walk, forms[1:])
        elif forms:
            walk.visit(forms[0])
            _patterns(walk, [one for one in forms[1:] if walk.kind[one] != KEYWORD or walk.text_of(one) == ":as"])


def _patterns(walk: Walk, forms: list[int]) -> None:
    for at, one in enumerate(forms):
        if walk.is_keyword(one, ":as"):
            continue
        if at and walk.is_keyword(forms[at - 1], ":as"):
            walk.assign(one, one)
        else:
            pattern(walk, one)


# ---- modules


@handles("hy:import")
def import_(walk: Walk, form: int, parts: list[int]) -> None:
    for entry in walk.imports(form, parts, False, walk.scope):
        walk.imports_found.append(entry)
        span = (entry.start, entry.end)
        place = (entry.start, entry.entry_end)
        if entry.names is not None:
            for one in entry.names:
                walk.define_text(
                    *(one.alias, one.alias_start, one.alias_end, DefinitionKind.IMPORT, one.start, one.alias_end),
                    source=Source(entry.module, one.name),
                )
        elif entry.alias:
            start = entry.entry_end - len(entry.alias)
            walk.define_text(
                *(entry.alias, start, entry.entry_end, DefinitionKind.MODULE, *place), source=Source(entry.module)
            )
        elif not entry.star and entry.module.strip("."):
            first = entry.module.partition(".")[0]
            if first:
                end = span[0] + len(first)
                walk.define_text(*(first, span[0], end, DefinitionKind.MODULE, *place), source=Source(entry.module))


@handles("hy:require")
def require(walk: Walk, form: int, parts: list[int]) -> None:
    for entry in walk.imports(form, parts, True, walk.scope):
        walk.imports_found.append(entry)
        listed = [(one, DefinitionKind.MACRO) for one in entry.names or ()]
        listed += [(one, DefinitionKind.READER) for one in entry.readers or ()]
        for one, kind in listed:
            walk.define_text(
                *(one.alias, one.alias_start, one.alias_end, kind, one.start, one.alias_end),
                scope=0,
                source=Source(entry.module, one.name),
            )
        if entry.prefix:
            first = entry.prefix.partition(".")[0]
            start = entry.entry_end - len(entry.alias) if entry.alias else entry.start
            walk.define_text(
                *(first, start, start + len(first), DefinitionKind.MACRO, entry.start, entry.entry_end),
                scope=0,
                source=Source(entry.module),
            )


@handles("hy:export")
def export(walk: Walk, form: int, parts: list[int]) -> None:
    macros = False
    for one in parts[1:]:
        if walk.kind[one] == KEYWORD:
            macros = walk.text_of(one) == ":macros"
        for name in walk.forms(one) if walk.kind[one] == VECTOR else []:
            if walk.kind[name] == SYMBOL:
                walk.use(name, Role.MACRO if macros else Role.READ)


@handles("hy:get-macro")
def get_macro(walk: Walk, form: int, parts: list[int]) -> None:
    for one in parts[1:]:
        if walk.kind[one] == SYMBOL:
            walk.use(one, Role.READER if walk.is_keyword(parts[1], ":reader") else Role.MACRO)


# ---- data, attributes, text


@handles("hy:quote")
def quote(walk: Walk, form: int, parts: list[int]) -> None:
    for one in parts[1:]:
        walk.data(one)


@handles("hy:quasiquote")
def quasiquote(walk: Walk, form: int, parts: list[int]) -> None:
    for one in parts[1:]:
        walk.template(one, 1)


@handles("hy:.")
def attributes(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:2])
    members(walk, parts[2:], walk.text_of(parts[1]) if len(parts) > 1 and walk.kind[parts[1]] == SYMBOL else "")


def members(walk: Walk, forms: list[int], owner: str = "") -> None:
    """What follows the object: attributes, calls of methods, indices."""
    for at, one in enumerate(forms):
        if walk.kind[one] == SYMBOL:
            walk.member(one, owner if at == 0 else "")
        elif walk.kind[one] == LIST:
            walk.arguments(walk.forms(one), "")
        else:
            walk.visit(one)


@handles("hy:chainc")
def chained_comparison(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1::2])


@handles("hy:py", "hy:pys", "hy:do-mac")
def foreign(walk: Walk, form: int, parts: list[int]) -> None:
    """Python, or code that code makes: it may bind and use any name."""
    walk.taint()
    for one in parts[1:]:
        if walk.kind[one] not in STRINGS:
            walk.opaque(one)


@handles("hy:pragma")
def pragma(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all([one for one in parts[1:] if walk.kind[one] != KEYWORD])


@handles("hy:unquote", "hy:unquote-splice", "hy:except", "hy:except*", "hy:else", "hy:finally")
def misplaced(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:])
