"""What the macros of mino and hyrule do to names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mino_lsp.analysis import core_forms
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import DefinitionKind, KeywordRole, ScopeKind, Signature
from mino_lsp.analysis.reading import (
    ANNOTATION,
    DICT,
    KEYWORD,
    LIST,
    STRINGS,
    SYMBOL,
    TUPLE,
    UNPACK_ITERABLE,
    UNQUOTE,
    UNQUOTE_SPLICE,
    VECTOR,
    Reading,
)
from mino_lsp.analysis.scopes import HANDLERS, Walk, handles

# ---- mino.mu


@handles("mino:defmu")
def defmu(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) < 2 or walk.kind[parts[1]] != SYMBOL:
        walk.visit_all(parts[1:])
        return
    if len(parts) < 3:
        walk.define(parts[1], DefinitionKind.MU, form, signature=Signature())
        return
    signature, places = _components(walk, parts[2])
    name = walk.define(parts[1], DefinitionKind.MU, form, signature=signature, doc=walk.doc(parts[3:]))
    walk.components[name] = _body(walk, form, parts[2], places, parts[3:])


@handles("mino:mu")
def mu(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) > 1:
        _, places = _components(walk, parts[1])
        _body(walk, form, parts[1], places, parts[2:])


def _body(walk: Walk, form: int, vector: int, places: list[tuple[int, int]], body: list[int]) -> list[int]:
    """A body, in which the mu itself is `self`, unless that is bound there; answers the definitions of components."""
    with walk.function(form, vector, places, DefinitionKind.COMPONENT) as components:
        walk.visit_all(body)
        scope = walk.scopes[walk.scope]
        scope.implicit = frozenset({"self"} - scope.names.keys())
    return components


def _components(walk: Walk, vector: int) -> tuple[Signature, list[tuple[int, int]]]:
    """Components; an annotation is a spec."""
    for one in walk.forms(vector) if walk.kind[vector] == VECTOR else []:
        if walk.kind[one] == ANNOTATION:
            for type_ in walk.forms(one)[:1]:
                if walk.kind[type_] == KEYWORD:
                    walk.keyword(type_, KeywordRole.SPEC)
    return walk.parameters(vector, DefinitionKind.COMPONENT)


@handles("mino:bind")
def bind(walk: Walk, form: int, parts: list[int]) -> None:
    """Keywords are components of the mu, where it is a name or made on the spot."""
    made = ""
    for one in parts[1:2]:
        made = mangle(walk.text_of(one)) if walk.kind[one] == SYMBOL else walk.made_by(one)
    walk.arguments(parts, made)


@handles("mino:geta")
def geta(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:2])
    for axis in parts[2:]:
        for one in walk.forms(axis) if walk.kind[axis] == VECTOR else [axis]:
            if not walk.is_keyword(one, ":"):
                walk.visit(one)


# ---- threads


THREADS = ["->", "->>", "*->", "*->>", "|->", "|->>", "=->", "=->>"]


FIRST = ["->", "|->", "=->"]
"""Threads that put one value first, which is the object where a step is `(. name)`."""


@handles(*(f"mino:{name}" for name in FIRST))
def thread(walk: Walk, form: int, parts: list[int]) -> None:
    _thread(walk, parts, _visit_attributes)


@handles(*(f"mino:{name}" for name in THREADS if name not in FIRST))
def other_thread(walk: Walk, form: int, parts: list[int]) -> None:
    """The others make names of what they put after the object, so one with a step `(. name)` says nothing of names."""
    if any(_is_attribute(walk, one) for step in parts[2:] for one in _branches(walk, step)):
        _opaque_all(walk, parts[1:])
    else:
        _thread(walk, parts, Walk.visit)


@handles("hyrule:->", "hyrule:->>", "hyrule:some->", "hyrule:doto")
def thread_of_hyrule(walk: Walk, form: int, parts: list[int]) -> None:
    """To these `(. name)` is a function, as `name` is."""
    _thread(walk, parts, Walk.visit)


def _thread(walk: Walk, parts: list[int], attributes: Callable[[Walk, int], None]) -> None:
    for value in parts[1:2]:
        steps(walk, [value], attributes) if walk.kind[value] == VECTOR else walk.visit(value)
    steps(walk, parts[2:], attributes)


@handles("mino:cond->")
def conditional_thread(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:2])
    walk.visit_all(parts[2::2])
    steps(walk, parts[3::2], _visit_attributes)


@handles("mino:cond->>")
def other_conditional_thread(walk: Walk, form: int, parts: list[int]) -> None:
    if any(_is_attribute(walk, step) for step in parts[3::2]):
        _opaque_all(walk, parts[1:])
    else:
        conditional_thread(walk, form, parts)


def steps(walk: Walk, forms: Sequence[int], attributes: Callable[[Walk, int], None]) -> None:
    """Steps: names of functions or macros, calls that lack an argument, attributes, or lists of steps."""
    for form in forms:
        if walk.kind[form] == VECTOR:
            if walk.descend(form):
                steps(walk, walk.forms(form), attributes)
                walk.ascend()
        elif _is_attribute(walk, form):
            attributes(walk, form)
        elif walk.kind[form] == LIST and _binds(walk, form):
            walk.taint()
            walk.opaque(form)
        else:
            walk.head_or_value(form)


def _branches(walk: Walk, step: int) -> list[int]:
    """The steps that are written in a list, or the one that is not."""
    return Reading.forms(walk, step) if walk.kind[step] == VECTOR else [step]


def _is_attribute(walk: Walk, step: int) -> bool:
    """Whether a step is `(. …)` and not just another way to write a dotted name."""
    if walk.head_of(step) != ".":
        return False
    rest = Reading.forms(walk, step)[1:]
    return len(rest) == 1 or any(walk.kind[one] != SYMBOL or "." in walk.text_of(one) for one in rest)


def _visit_attributes(walk: Walk, step: int) -> None:
    """`(. name [index])` as a step whose object is what the thread puts in."""
    if walk.descend(step):
        head, *rest = walk.forms(step)
        walk.refer_macro(head, walk.text_of(head))
        core_forms.members(walk, rest)
        walk.ascend()


def _opaque_all(walk: Walk, forms: Sequence[int]) -> None:
    for form in forms:
        walk.opaque(form)


def _binds(walk: Walk, form: int) -> bool:
    """Whether a step is a call of a macro whose arguments are more than values: with one put in, they mean others."""
    head = walk.head_of(form)
    key = walk.macro(mangle(head)) if head else None
    return key is not None and key in HANDLERS and key not in _TRANSPARENT


# ---- mino.spec

COMBINING = ["and", "not", "nand", "nilable", "tuple"]
USING = ["gen", "conform", "valid?", "explain", "explain-data", "assert", "describe", "form"]


@handles("mino:spec/def")
def spec_def(walk: Walk, form: int, parts: list[int]) -> None:
    for at, one in enumerate(parts[1:]):
        if at % 2 or walk.kind[one] != KEYWORD:
            spec(walk, one)
            continue
        walk.keyword(one, KeywordRole.DEFINES_SPEC)
        until = parts[at + 2] if at + 2 < len(parts) else one
        _define_spec(walk, one, until)


def _define_spec(walk: Walk, keyword: int, until: int) -> None:
    name = walk.text_of(keyword)[1:]
    if name:
        start = walk.start[keyword] + 1
        place = (walk.start[keyword], walk.end[until])
        definition = walk.define_text(name, start, walk.end[keyword], DefinitionKind.SPEC, *place, scope=0)
        mangled = walk.definitions[definition].mangled
        walk.scopes[0].names[mangled].remove(definition)  # its name is a keyword's, and no variable's


@handles("mino:spec/defgen")
def spec_defgen(walk: Walk, form: int, parts: list[int]) -> None:
    for one in parts[1:2]:
        walk.keyword(one, KeywordRole.GENERATES_SPEC) if walk.kind[one] == KEYWORD else walk.visit(one)
    core_forms.function_of(walk, form, parts[2:])


@handles("mino:spec/defun")
def spec_defun(walk: Walk, form: int, parts: list[int]) -> None:
    """Specs of a function, which may be defined elsewhere; with parameters after its name it is defined here."""
    at = 2 if len(parts) > 2 and walk.kind[parts[2]] == VECTOR else 1
    heading, rest = parts[1 : at + 1], parts[at + 1 :]
    if len(heading) > 1 and len(rest) > 1 and walk.kind[rest[0]] in STRINGS:
        heading.append(rest.pop(0))
    while rest and walk.kind[rest[0]] == KEYWORD:
        walk.keyword(rest[0], KeywordRole.OTHER)
        for one in rest[1:2]:
            spec(walk, one)
        rest = rest[2:]
    if len(heading) > 1 and walk.kind[heading[0]] == SYMBOL:
        core_forms.define_function(walk, form, heading[0], [*heading[1:], *rest], DefinitionKind.FUNCTION)
    else:
        _opaque_all(walk, heading)
        walk.visit_all(rest)


@handles("mino:spec/parameters", "mino:spec/modules", "mino:spec/buffers", "mino:spec/components")
def spec_held(walk: Walk, form: int, parts: list[int]) -> None:
    for at, one in enumerate(parts[1:]):
        if at % 2 == 0 and walk.kind[one] == SYMBOL:
            walk.member(one)
        else:
            spec(walk, one)


@handles(*(f"mino:spec/{name}" for name in COMBINING), "mino:spec/undef", "mino:spec/registry")
def spec_combination(walk: Walk, form: int, parts: list[int]) -> None:
    for one in parts[1:]:
        spec(walk, one)


@handles("mino:spec/or", "mino:spec/cat")
def spec_tagged(walk: Walk, form: int, parts: list[int]) -> None:
    """Pairs of a tag and a spec; of `spec/or`, two forms and what are not all tags are specs."""
    tags = parts[1::2]
    plain = walk.text_of(parts[0]).endswith("or") and (len(parts) <= 3 or len(parts) % 2 == 0)
    if plain or not all(walk.kind[tag] == KEYWORD for tag in tags):
        tags = []
    for one in parts[1:]:
        walk.keyword(one, KeywordRole.OTHER) if one in tags else spec(walk, one)


@handles("mino:spec/coll-of", "mino:spec/dict-of")
def spec_collection(walk: Walk, form: int, parts: list[int]) -> None:
    """Specs of what it holds, then options."""
    specs = 2 if walk.text_of(parts[0]).endswith("dict-of") else 1
    for one in parts[1 : 1 + specs]:
        spec(walk, one)
    walk.arguments([parts[0], *parts[1 + specs :]], "")


@handles("mino:spec/keys")
def spec_keys(walk: Walk, form: int, parts: list[int]) -> None:
    """Names, each with a spec; then lists of keywords that are specs, whose names may be cut at a `/`."""
    at = 1
    while at + 1 < len(parts) and walk.kind[parts[at]] == SYMBOL:
        spec(walk, parts[at + 1])
        at += 2
    for one in parts[at:]:
        for listed in walk.forms(one) if walk.kind[one] == VECTOR else []:
            spec(walk, listed)


@handles("mino:spec/tensor")
def spec_tensor(walk: Walk, form: int, parts: list[int]) -> None:
    """A shape, whose names are those of axes, and options; only what is unquoted in it is evaluated."""
    for one in parts[1:]:
        if walk.kind[one] == VECTOR:
            for axis in walk.forms(one):
                if walk.kind[axis] in (UNQUOTE, UNQUOTE_SPLICE):
                    walk.visit(axis)
        elif walk.kind[one] != KEYWORD:
            walk.visit(one)


@handles("mino:spec/module")
def spec_module(walk: Walk, form: int, parts: list[int]) -> None:
    for at, one in enumerate(parts[1:]):
        if walk.kind[one] == KEYWORD and at % 2:
            walk.keyword(one, KeywordRole.OTHER)
        else:
            spec(walk, one)


@handles("mino:spec/enum")
def spec_enum(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all([one for one in parts[1:] if walk.kind[one] != KEYWORD])


@handles(*(f"mino:spec/{name}" for name in USING))
def spec_use(walk: Walk, form: int, parts: list[int]) -> None:
    for one in parts[1:2]:
        spec(walk, one)
    walk.arguments([parts[0], *parts[2:]], "")


def spec(walk: Walk, form: int) -> None:
    if walk.kind[form] == KEYWORD:
        walk.keyword(form, KeywordRole.SPEC)
    else:
        walk.visit(form)


# ---- hyrule: functions and macros


@handles("hyrule:defmain")
def defmain(walk: Walk, form: int, parts: list[int]) -> None:
    core_forms.function_of(walk, form, parts[1:])


@handles("hyrule:loop")
def loop(walk: Walk, form: int, parts: list[int]) -> None:
    core_forms.function_of(walk, form, parts[1:])


@handles("hyrule:defmacro!", "hyrule:defmacro-kwargs")
def defmacro(walk: Walk, form: int, parts: list[int]) -> None:
    """`defmacro!` makes names of `g!…` symbols anywhere in it: what is in its scope is not all to be seen."""
    if len(parts) < 3 or walk.kind[parts[1]] != SYMBOL:
        walk.visit_all(parts[1:])
        return
    signature, places = walk.parameters(parts[2], DefinitionKind.PARAMETER)
    walk.define(parts[1], DefinitionKind.MACRO, form, scope=0, signature=signature, doc=walk.doc(parts[3:]))
    with walk.function(form, parts[2], places):
        symbols = {walk.text_of(one) for one in range(form, walk.stop[form]) if walk.kind[one] == SYMBOL}
        symbols |= {f"g!{name[2:]}" for name in symbols if name.startswith("o!")}
        walk.scopes[walk.scope].implicit = frozenset(mangle(name) for name in symbols if name.startswith("g!"))
        walk.visit_all(parts[3:])


@handles("hyrule:def-gensyms")
def def_gensyms(walk: Walk, form: int, parts: list[int]) -> None:
    for one in parts[1:]:
        walk.assign(one, one)


@handles("hyrule:meth", "hyrule:ameth")
def meth(walk: Walk, form: int, parts: list[int]) -> None:
    """`@name` is an attribute of the implicit `self`."""
    named = walk.text_of(parts[0]).rpartition(".")[2] == "meth"
    _, name, rest = core_forms.heading(walk, parts[1:], named)
    if not rest:
        return
    signature, places = walk.parameters(rest[0], DefinitionKind.PARAMETER)
    if name is not None:
        walk.define(name, DefinitionKind.METHOD, form, signature=signature, doc=walk.doc(rest[1:]))
    with walk.function(form, rest[0], places):
        ats = {walk.text_of(one) for one in range(form, walk.stop[form]) if walk.kind[one] == SYMBOL}
        names = {mangle(text.partition(".")[0]) for text in ats if text[0] == "@" and len(text) > 1}
        names |= {mangle(text[1:]) for text in ats if text[0] == "@" and len(text) > 1}
        walk.scopes[walk.scope].implicit = frozenset(names | {"self"})
        walk.visit_all(rest[1:])


@handles("hyrule:seq")
def seq(walk: Walk, form: int, parts: list[int]) -> None:
    core_forms.function_of(walk, form, parts[1:])


@handles("hyrule:defseq")
def defseq(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) > 1 and walk.kind[parts[1]] == SYMBOL:
        walk.define(parts[1], DefinitionKind.VARIABLE, form, doc=walk.doc(parts[3:]))
        core_forms.function_of(walk, form, parts[2:])
    else:
        walk.visit_all(parts[1:])


# ---- hyrule: destructuring


@handles("hyrule:setv+", "hyrule:dict=:")
def setv_plus(walk: Walk, form: int, parts: list[int]) -> None:
    for target, value in zip(parts[1::2], parts[2::2], strict=False):
        walk.visit(value)
        destructure(walk, target, form)


@handles("hyrule:let+")
def let_plus(walk: Walk, form: int, parts: list[int]) -> None:
    if len(parts) < 2:
        return
    with walk.within(ScopeKind.LET, walk.start[parts[1]], walk.end[form]):
        bindings = walk.forms(parts[1])
        for target, value in zip(bindings[::2], bindings[1::2], strict=False):
            walk.visit(value)
            destructure(walk, target, value, local=True)
        walk.visit_all(parts[2:])


@handles("hyrule:fn+", "hyrule:defn+")
def defn_plus(walk: Walk, form: int, parts: list[int]) -> None:
    named = walk.text_of(parts[0]).rpartition(".")[2] == "defn+"
    decorated, name, rest = core_forms.heading(walk, parts[1:], named)
    if name is not None:
        walk.define(name, DefinitionKind.FUNCTION, form, doc=walk.doc(rest[1:]), decorated=decorated)
    if rest:
        with walk.within(ScopeKind.FUNCTION, walk.start[rest[0]], walk.end[form]):
            destructure(walk, rest[0], rest[0], local=True)
            walk.visit_all(rest[1:])


def destructure(walk: Walk, target: int, form: int, local: bool = False) -> None:
    """A pattern of hyrule's: `[a b :& rest :as all]`, `{name :key  :keys [c d]  :or {c 1}}`, `(a b)`."""
    if walk.descend(target):
        _destructure(walk, target, form, local)
        walk.ascend()


def _destructure(walk: Walk, target: int, form: int, local: bool) -> None:
    kind = walk.kind[target]
    if kind == SYMBOL:
        if local and walk.scopes[walk.scope].kind is ScopeKind.LET:
            core_forms.bind_until(walk, target, form)
        elif local:
            walk.define(target, DefinitionKind.PARAMETER, target, scope=walk.scope)
        else:
            walk.assign(target, form)
    elif kind == DICT:
        forms = walk.forms(target)
        for name, key in zip(forms[::2], forms[1::2], strict=False):
            if walk.kind[name] != KEYWORD:
                destructure(walk, name, form, local)
                if walk.kind[key] != KEYWORD:
                    walk.visit(key)
            elif walk.is_keyword(name, ":or"):
                walk.visit_all(walk.forms(key)[1::2])
            elif walk.kind[key] == SYMBOL:
                destructure(walk, key, form, local)
            else:
                for one in walk.forms(key):
                    destructure(walk, one, form, local)
    elif kind in (VECTOR, LIST, TUPLE, UNPACK_ITERABLE):
        for one in walk.forms(target):
            if walk.kind[one] != KEYWORD:
                destructure(walk, one, form, local)


# ---- hyrule: anaphora and control


ANAPHORIC = ["if", "each", "each-while", "map", "map-when", "filter", "reject", "dotimes", "first", "last", "when"]


@handles(*(f"hyrule:ap-{name}" for name in [*ANAPHORIC, "with", "reduce"]), "hyrule:branch", "hyrule:ebranch")
def anaphoric(walk: Walk, form: int, parts: list[int]) -> None:
    """`it` is bound in all of it, which is more than is meant, but takes no name from anywhere else."""
    with walk.within(ScopeKind.LET, walk.start[form], walk.end[form]) as scope:
        scope.implicit = frozenset({"it", "acc", "else"})
        walk.visit_all(parts[1:])


@handles("hyrule:case", "hyrule:ecase")
def case(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all([one for one in parts[1:] if not walk.is_symbol(one, "else")])


@handles("hyrule:block")
def block(walk: Walk, form: int, parts: list[int]) -> None:
    with walk.within(ScopeKind.LET, walk.start[form], walk.end[form]) as scope:
        scope.implicit = frozenset({"block_ret", "block_ret_from"})
        walk.visit_all(parts[1:])


@handles("hyrule:cfor")
def cfor(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:2])
    core_forms.comprehend(walk, form, parts[2:], 1)


@handles("hyrule:as->")
def as_thread(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:2])
    for name in parts[2:3]:
        walk.assign(name, name)
    walk.visit_all(parts[3:])


@handles("hyrule:ncut")
def ncut(walk: Walk, form: int, parts: list[int]) -> None:
    walk.visit_all(parts[1:2])
    walk.indices(parts[2:])


@handles("hyrule:pun")
def pun(walk: Walk, form: int, parts: list[int]) -> None:
    for one in range(form, walk.stop[form]):
        if walk.kind[one] == KEYWORD and walk.text_of(one).startswith(":!"):
            walk.use_text(one, walk.text_of(one)[2:], 2)
    walk.visit_all(parts[1:])


@handles("hyrule:comment")
def comment(walk: Walk, form: int, parts: list[int]) -> None:
    """Nothing in it is code."""


@handles("hyrule:smacrolet", "hyrule:sqlexec", "hy:defop")
def unseen(walk: Walk, form: int, parts: list[int]) -> None:
    walk.taint()
    for one in parts[1:]:
        walk.opaque(one)


# Handlers that only evaluate arguments, so that a value put first or last among them changes nothing.
_TRANSPARENT = frozenset(
    {
        *(f"mino:{name}" for name in [*THREADS, "cond->", "cond->>", "bind", "geta"]),
        *(f"mino:spec/{name}" for name in USING),
        *("hyrule:->", "hyrule:->>", "hyrule:some->", "hyrule:doto", "hyrule:ncut", "hy:."),
    }
)
