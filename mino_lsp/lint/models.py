"""The forms of mino: mus, threads and specs."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence
from itertools import pairwise

from mino_lsp.analysis import mangle
from mino_lsp.lint.findings import Call, Finding, at, bare, checks, is_name, shown
from mino_lsp.lint.reserved import RESERVED
from mino_lsp.syntax import Form, Kind

_HELD = ("spec/parameters", "spec/modules", "spec/buffers", "spec/components")
_USES = ("spec/valid?", "spec/conform", "spec/explain", "spec/explain-data", "spec/assert")


@checks("mino:defmu")
def defmu(call: Call) -> Iterator[Finding]:
    if not call.args or not is_name(call.args[0]):
        found = f"`{shown(call.args[0])}` is no name for a mu" if call.args else "`defmu` needs a name"
        place = call.args[0] if call.args else call.head
        yield at(place, "definition-name", f"{found}: write (defmu Name [x …] form …).")
        return
    yield from _mu(call, call.args[1:], "(defmu Name [x …] form …)")


@checks("mino:mu")
def mu(call: Call) -> Iterator[Finding]:
    yield from _mu(call, call.args, "(mu [x …] form …)")


def _mu(call: Call, args: Sequence[Form], example: str) -> Iterator[Finding]:
    if not args or args[0].kind is not Kind.VECTOR:
        message = f"A mu needs its components in brackets here: write {example}."
        yield at(args[0] if args else call.head, "components", message)
        return
    seen: set[str] = set()
    for one in args[0].forms:
        name = bare(one)
        if not is_name(name) or name.text in ("*", "/"):
            message = (
                f"`{shown(one)}` is no component: a component is a name; give it a value with (bind mu :name value)."
            )
            yield at(one, "component", message)
        elif owner := _owner(name.text):
            yield at(name, "component", f"`{name.text}` is {owner}: choose another name for the component.")
        elif mangle(name.text) in seen:
            yield at(name, "duplicate-component", f"The component `{name.text}` is there twice.")
        seen.add(mangle(name.text))
    if len(args) == 1:
        yield call.at_head("mu-body", f"This mu has no body: write what it computes, {example}.")


def _owner(name: str) -> str:
    """Whose a name is that no component can have; empty where one can."""
    mangled = mangle(name)
    if mangled == "self":
        return "the mu itself"
    if keyword.iskeyword(mangled):
        return "a keyword of Python's"
    if mangled in RESERVED or (mangled.startswith("__") and mangled.endswith("__")):
        return "an attribute of every torch.nn.Module"
    return ""


def components(mu: Form, offset: int) -> frozenset[str]:
    """The mangled names of a mu's components, where its body begins before an offset; not those that it cannot have."""
    vector = next((one for one in mu.forms[1:3] if one.kind is Kind.VECTOR), None)
    if vector is None or offset < vector.end:
        return frozenset()
    names = [bare(one).text for one in vector.forms]
    return frozenset(mangle(name) for name in names if not _owner(name) and name not in ("*", "/"))


def macro_component(head: Form) -> Finding:
    message = f"`{head.text}` is a component and a macro too, and here Hy would expand the macro: rename the component."
    return at(head, "component-macro", message)


@checks("mino:geta")
def geta(call: Call) -> Iterator[Finding]:
    if len(call.args) < 2:
        message = "`geta` needs a value and an index for each axis: write (geta x [:] [1])."
        yield call.at_head("arity", message)
    yield from indices(call.args[1:])


def indices(axes: Sequence[Form]) -> Iterator[Finding]:
    """What is wrong with the forms of `geta` that stand for an axis each."""
    for axis in axes:
        if axis.kind is Kind.VECTOR:
            yield from _axis(axis)
        elif axis.text == ":":
            yield at(axis, "axis", "`:` alone is no index: write [:] for all of an axis.")


def _axis(axis: Form) -> Iterator[Finding]:
    parts = axis.forms
    for one in parts:
        if _is_one_name(one):
            apart = " ".join(one.text.replace(":", " : ").split())
            yield at(one, "axis", f"Hy reads `{one.text}` as one name: write [{apart}].")
            return
    if not _is_slice([one.text == ":" for one in parts]):
        forms = "[:], [i], [start :], [: stop], [start stop] or [start stop step]"
        yield at(axis, "axis", f"`{shown(axis)}` is no slice: write {forms}.")


def _is_one_name(form: Form) -> bool:
    """Whether a name has a colon in it, where a slice was meant."""
    if form.kind is Kind.SYMBOL:
        return ":" in form.text and "." not in form.text
    return form.kind is Kind.KEYWORD and form.text != ":"


def _is_slice(colons: Sequence[bool]) -> bool:
    """Whether forms are an index or a slice; said of each is whether it is a colon."""
    count = sum(colons)
    if not count:
        return 1 <= len(colons) <= 3
    beside = any(not one and not other for one, other in pairwise(colons))
    return count <= 2 and not beside


@checks("mino:mino/apply")
def apply(call: Call) -> Iterator[Finding]:
    count = len(call.args)
    if count != 2:
        message = f"`mino/apply` takes two forms and is given {count or 'none'}: write (mino/apply items function)."
        yield at(call.args[2] if count > 2 else call.head, "arity", message)


@checks("mino:bind")
def bind(call: Call) -> Iterator[Finding]:
    if not call.args:
        yield call.at_head("arity", "`bind` needs a mu: write (bind mu :component value …).")
        return
    pairs = [form for form in call.args[1:] if form.kind is not Kind.UNPACK_MAPPING]
    for key in pairs[::2]:
        if key.kind is not Kind.KEYWORD:
            message = f"`{shown(key)}` is no keyword: `bind` takes pairs, (bind mu :component value …)."
            yield at(key, "bind-pairs", message)
            return
    if len(pairs) % 2:
        yield at(pairs[-1], "bind-pairs", f"{pairs[-1].text} has no value: write one after it.")


THREADS = tuple(f"mino:{name}" for name in ("->", "->>", "*->", "*->>", "|->", "|->>", "=->", "=->>"))
CONDITIONAL = ("mino:cond->", "mino:cond->>")


@checks(*THREADS, *CONDITIONAL)
def thread(call: Call) -> Iterator[Finding]:
    if not call.args:
        yield call.at_head("arity", f"`{call.name}` has nothing to thread: write ({call.name} value step …).")
    elif call.key in CONDITIONAL and len(call.args) % 2 == 0:
        test = call.args[-1]
        yield at(test, "odd-cond-thread", f"The test `{shown(test)}` of `{call.name}` has no step: write one after it.")


_NO_STEPS = frozenset({Kind.VECTOR, Kind.DICT, Kind.SET, Kind.TUPLE, Kind.STRING, Kind.NUMBER})


@checks("mino:->", "mino:->>", "mino:=->", "mino:=->>", *CONDITIONAL)
def steps(call: Call) -> Iterator[Finding]:
    for form in call.args[2::2] if call.key in CONDITIONAL else call.args[1:]:
        if form.kind in _NO_STEPS:
            hint = " Lists are threaded by *-> and |->." if form.kind is Kind.VECTOR else ""
            message = (
                f"`{shown(form)}` is no step of `{call.name}`: a step is a name or a call, such as f or (f a).{hint}"
            )
            yield at(form, "thread-step", message)


@checks("mino:|->", "mino:|->>")
def widths(call: Call) -> Iterator[Finding]:
    """Lists that thread in parallel have one width."""
    width = 0
    for form in call.args:
        if form.kind is not Kind.VECTOR:
            continue
        parts = form.forms
        if any(part.kind in (Kind.UNPACK_ITERABLE, Kind.READER_MACRO) for part in parts):
            return
        if width and len(parts) != width:
            message = f"`{call.name}` threads {width} branches into {len(parts)}: write one step for each branch."
            yield at(form, "thread-width", message)
            return
        width = len(parts)


@checks("mino:spec/def")
def define(call: Call) -> Iterator[Finding]:
    yield from _pairs(call, call.args, (Kind.KEYWORD,), "keyword", ":name")


@checks(*(f"mino:{name}" for name in _HELD))
def held(call: Call) -> Iterator[Finding]:
    yield from _pairs(call, call.args, (Kind.SYMBOL, Kind.STRING, Kind.NUMBER), "component's name", "name")


@checks("mino:spec/cat")
def cat(call: Call) -> Iterator[Finding]:
    yield from _pairs(call, call.args, (Kind.KEYWORD,), "keyword", ":name")


def _pairs(call: Call, args: Sequence[Form], kinds: tuple[Kind, ...], what: str, example: str) -> Iterator[Finding]:
    write = f"write ({call.name} {example} spec …)."
    for name in args[::2]:
        if name.kind not in kinds:
            yield at(name, "spec-pairs", f"`{shown(name)}` is no {what}: {write}")
            return
    if len(args) % 2:
        yield at(args[-1], "spec-pairs", f"`{shown(args[-1])}` has no spec: {write}")


@checks("mino:spec/defgen")
def generator(call: Call) -> Iterator[Finding]:
    args = call.args
    if len(args) < 3 or args[0].kind is not Kind.KEYWORD or args[1].kind is not Kind.VECTOR:
        message = "`spec/defgen` needs a keyword, parameters and a body: write (spec/defgen :name [x …] form …)."
        yield call.at_head("spec-generator", message)


@checks(*(f"mino:{name}" for name in _USES))
def use(call: Call) -> Iterator[Finding]:
    if len(call.args) != 2:
        yield call.at_head("arity", f"`{call.name}` takes a spec and a value: write ({call.name} spec value).")


@checks("mino:spec/not", "mino:spec/nilable")
def one(call: Call) -> Iterator[Finding]:
    if len(call.args) != 1:
        yield call.at_head("arity", f"`{call.name}` takes one spec: write ({call.name} spec).")


@checks("mino:spec/and", "mino:spec/or", "mino:spec/nand", "mino:spec/enum", "mino:spec/gen")
def some(call: Call) -> Iterator[Finding]:
    if not call.args:
        yield call.at_head("arity", f"`{call.name}` needs a form: write ({call.name} spec …).")
