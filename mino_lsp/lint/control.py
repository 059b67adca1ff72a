"""Forms with clauses: `cond`, `try`, imports; and what is wrong in any call."""

from __future__ import annotations

from collections.abc import Iterator

from mino_lsp.lint.findings import Call, Finding, at, checks, is_name, shown
from mino_lsp.syntax import Form, Kind

_ORDER = {"except": 1, "except*": 1, "else": 2, "finally": 3}


@checks("hy:cond")
def cond(call: Call) -> Iterator[Finding]:
    if len(call.args) % 2:
        test = call.args[-1]
        message = f"The test `{shown(test)}` of `cond` has no form: write a form after it, or True before it."
        yield at(test, "odd-cond", message)


@checks("hy:try")
def try_(call: Call) -> Iterator[Finding]:
    reached = 0
    for form in call.args:
        rank = _ORDER.get(form.head_name, 0)
        if rank < reached or (rank == reached and rank > 1):
            before = {1: "(except …)", 2: "(else …)", 3: "(finally …)"}[reached]
            message = f"`{shown(form)}` cannot follow {before}: a `try` has forms, (except …), (else …), (finally …)."
            yield at(form, "clause-order", message)
            return
        reached = rank
        if rank == 1:
            yield from _except(form)


def _except(form: Form) -> Iterator[Finding]:
    parts = form.forms
    listed = parts[1] if len(parts) > 1 else None
    names = listed.forms if listed is not None and listed.kind is Kind.VECTOR else None
    if names is None or len(names) > 2 or (len(names) == 2 and names[0].kind is not Kind.SYMBOL):
        message = "`except` needs brackets: write (except [e ValueError] form …), or [] for any exception."
        yield at(parts[0] if listed is None else listed, "except", message)


@checks("hy:except", "hy:except*", "hy:else", "hy:finally")
def stray(call: Call) -> Iterator[Finding]:
    home = "`try`, `for` or `while`" if call.name == "else" else "`try`"
    yield call.at_head("stray-clause", f"({call.name} …) is a clause of {home}, and stands outside of one here.")


@checks("hy:import")
def import_(call: Call) -> Iterator[Finding]:
    args = list(call.args[1:] if call.args and call.args[0].text == ":lazy" else call.args)
    while args:
        module = args.pop(0)
        if module.kind is not Kind.SYMBOL:
            yield at(module, "import", _no_module(module, call))
            return
        yield from _names(args, call)


@checks("hy:require")
def require(call: Call) -> Iterator[Finding]:
    args = list(call.args)
    while args:
        module = args.pop(0)
        if module.kind is not Kind.SYMBOL:
            yield at(module, "import", _no_module(module, call))
            return
        for _ in range(2):
            if args and args[0].text == ":readers":
                del args[:2]
                continue
            if args and args[0].text == ":macros":
                del args[0]
            yield from _names(args, call)


def _no_module(form: Form, call: Call) -> str:
    example = f"({call.name} module [name …])"
    if form.kind is Kind.VECTOR and form.forms:
        return f"A module's names follow the module: write ({call.name} {shown(form)[1:-1]})."
    return f"`{shown(form)}` is no module: write {example}."


def _names(args: list[Form], call: Call) -> Iterator[Finding]:
    """Take what follows a module's name off `args`."""
    if not args:
        return
    first = args[0]
    if first.text == "*" and first.kind is Kind.SYMBOL:
        del args[0]
    elif first.text == ":as":
        alias = args[1] if len(args) > 1 else None
        if alias is None or not is_name(alias):
            yield at(alias or first, "import", f"A name has to follow :as: write ({call.name} module :as name).")
        del args[:2]
    elif first.kind is Kind.VECTOR:
        del args[0]
        yield from _listed(first.forms, call)


def _listed(names: tuple[Form, ...], call: Call) -> Iterator[Finding]:
    index = 0
    while index < len(names):
        one = names[index]
        if one.kind is not Kind.SYMBOL:
            message = f"`{shown(one)}` is no name to {call.name}: write [name …], or [name :as other …]."
            yield at(one, "import", message)
            return
        index += 1
        if index < len(names) and names[index].text == ":as":
            if index + 1 >= len(names) or not is_name(names[index + 1]):
                yield at(names[index], "import", "A name has to follow :as: write [name :as other].")
                return
            index += 2


@checks("")
def arguments(call: Call) -> Iterator[Finding]:
    """Of a call of a function: keywords, each of which takes the form after it."""
    if call.head.kind is Kind.SYMBOL and call.name.startswith(".") and call.name.strip("."):
        if not call.args:
            yield call.at_head("method-object", f"`{call.name}` needs its object: write ({call.name} object …).")
        elif len(call.args) == 1:
            return  # the object, a keyword too
    seen: set[str] = set()
    index = 0
    while index < len(call.args):
        one = call.args[index]
        index += 1
        if one.kind is not Kind.KEYWORD or one.text == ":":
            continue
        if index == len(call.args):
            message = f"The keyword {one.text} has no value: write one after it, or '{one.text} for the keyword itself."
            yield at(one, "keyword-value", message)
        elif one.text in seen:
            yield at(one, "duplicate-keyword", f"The argument {one.text} is given twice.")
        seen.add(one.text)
        index += 1
