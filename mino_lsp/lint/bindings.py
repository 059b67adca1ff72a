"""Forms that bind names: `setv`, `let`, `for` and its kin, `with`; and what can be bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mino_lsp.lint.findings import CONSTANTS, Call, Finding, at, bare, checks, is_name, shown
from mino_lsp.syntax import Form, Kind

_VALUES = {
    **dict.fromkeys((Kind.NUMBER, Kind.STRING, Kind.BYTES, Kind.BRACKET_STRING, Kind.FSTRING), "a literal"),
    **dict.fromkeys((Kind.KEYWORD,), "a keyword"),
    **dict.fromkeys((Kind.DICT, Kind.SET), "a collection"),
}


def target(form: Form, call: Call) -> Iterator[Finding]:
    """Whether something can be assigned to a form."""
    form = bare(form)
    kind = form.kind
    if kind in (Kind.VECTOR, Kind.TUPLE):
        for part in form.forms:
            yield from target(part.forms[0] if _unpacked(part) else part, call)
    elif kind in _VALUES or (kind is Kind.SYMBOL and form.text in CONSTANTS):
        named = _VALUES.get(kind, "a constant")
        yield at(form, "target", f"`{shown(form)}` is {named}: `{call.name}` needs a name to bind.")
    elif kind is Kind.LIST and call.function(form.head_name):
        message = f"`{shown(form)}` is a call, and nothing can be assigned to it: `{call.name}` needs a name to bind."
        yield at(form, "target", message)


def _unpacked(form: Form) -> bool:
    return form.kind is Kind.UNPACK_ITERABLE and bool(form.forms)


@checks("hy:setv")
def setv(call: Call) -> Iterator[Finding]:
    args, index = call.args, 0
    while index < len(args):
        one = args[index]
        if one.text == ":chain":
            if index + 2 < len(args):
                for part in args[index + 1].forms:
                    yield from target(part, call)
            index += 3
            continue
        if index + 1 == len(args):
            yield at(one, "odd-setv", f"`{shown(one)}` has no value: `{call.name}` takes pairs of a name and a value.")
            return
        yield from target(one, call)
        index += 2


@checks("hy:let")
def let(call: Call) -> Iterator[Finding]:
    listed = call.args[0] if call.args else None
    if listed is None or listed.kind is not Kind.VECTOR:
        place = call.head if listed is None else listed
        yield at(place, "let-bindings", "`let` needs its bindings in brackets: write (let [name value …] form …).")
        return
    parts = listed.forms
    for name in parts[: len(parts) - len(parts) % 2 : 2]:
        yield from _local(bare(name), call)
    if len(parts) % 2:
        yield at(parts[-1], "odd-let", f"`{shown(parts[-1])}` has no value: `let` binds pairs of a name and a value.")


def _local(form: Form, call: Call) -> Iterator[Finding]:
    if form.kind is Kind.SYMBOL and "." in form.text and form.text.strip("."):
        yield at(form, "target", f"`{form.text}` is an attribute: `let` binds plain names; use `setv`.")
    else:
        yield from target(form, call)


_CLAUSES = {":if": 1, ":do": 1, ":setv": 2, ":async": 2}


def clauses(parts: Sequence[Form], call: Call) -> tuple[int, list[Finding]]:
    """How many of `parts` are whole clauses of a loop, from the first on, and what is wrong with them."""
    found: list[Finding] = []
    index = 0
    while index < len(parts):
        words = parts[index].text if parts[index].kind is Kind.KEYWORD else ""
        size = _CLAUSES[words] + 1 if words in _CLAUSES else 2
        if index + size > len(parts):
            break
        if words not in (":if", ":do"):
            found += target(parts[index + (1 if words in _CLAUSES else 0)], call)
        index += size
    return index, found


@checks("hy:for")
def loop(call: Call) -> Iterator[Finding]:
    listed = call.args[0] if call.args else None
    if listed is None or listed.kind is not Kind.VECTOR:
        place = call.head if listed is None else listed
        yield at(place, "for-bindings", "`for` needs its clauses in brackets: write (for [name iterable] form …).")
        return
    parts = listed.forms
    done, found = clauses(parts, call)
    yield from found
    if done < len(parts):
        yield at(parts[done], "odd-for", f"`{shown(parts[done])}` goes over nothing: write (for [name iterable] …).")
    yield from else_is_last(call)


@checks("hy:while")
def else_is_last(call: Call) -> Iterator[Finding]:
    for form, after in zip(call.args[1:], call.args[2:], strict=False):
        if form.head_name == "else":
            yield at(after, "clause-order", f"Nothing may follow the (else …) of `{call.name}`.")
            return


@checks("hy:lfor", "hy:sfor", "hy:gfor")
def comprehension(call: Call) -> Iterator[Finding]:
    done, found = clauses(call.args, call)
    yield from found
    if done == len(call.args):
        example = f"({call.name} name iterable element)"
        yield call.at_head("comprehension", f"This `{call.name}` lacks what its elements are: write {example}.")


@checks("hy:dfor")
def dictionary(call: Call) -> Iterator[Finding]:
    done, _ = clauses(call.args, call)
    rest = call.args[done:]
    if len(rest) == 1 and rest[0].kind is not Kind.UNPACK_MAPPING:
        message = "This `dfor` lacks a key or its value: write (dfor name iterable key value)."
        yield call.at_head("comprehension", message)


@checks("hy:with")
def context(call: Call) -> Iterator[Finding]:
    listed = call.args[0] if call.args else None
    if listed is None or listed.kind is not Kind.VECTOR:
        place = call.head if listed is None else listed
        yield at(place, "with-bindings", "`with` needs its managers in brackets: write (with [name manager] form …).")
        return
    parts = [form for form in listed.forms if form.text != ":async"]
    if not parts or (len(parts) > 1 and len(parts) % 2):
        place = parts[-1] if parts else listed
        message = "`with` takes one manager, or pairs of a name and a manager: (with [_ manager  name manager] …)."
        yield at(place, "with-bindings", message)


@checks("hy:global", "hy:nonlocal")
def declared(call: Call) -> Iterator[Finding]:
    for form in call.args:
        if form.kind is not Kind.SYMBOL or not is_name(form):
            yield at(form, "target", f"`{shown(form)}` is no name that `{call.name}` could declare.")
