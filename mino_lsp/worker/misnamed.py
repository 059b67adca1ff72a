"""Errors of names: what does not exist, under the codes that the checks of the text use, with the nearest name."""

from __future__ import annotations

import difflib
import inspect
import re
import types
from collections.abc import Iterable, Mapping
from typing import Any

import hy
import torch

from mino_lsp.types import Change, Fix, Problem, Span
from mino_lsp.worker.layout import without_comments
from mino_lsp.worker.source import Source, Trace


def wrong_name(error: BaseException, span: Span, trace: Trace, source: Source) -> Problem | None:
    """The problem of an exception that says that a name, an attribute, an argument or a component does not exist."""
    if isinstance(error, AttributeError):
        return _attribute(error, span, source)
    if isinstance(error, NameError):
        return _name(error, span, trace, source)
    if isinstance(error, TypeError):
        return _argument(str(error), span, trace, source)
    return None


def _attribute(error: AttributeError, span: Span, source: Source) -> Problem | None:
    name, owner = error.name, error.obj
    if not name or f"{name!r}" not in str(error):
        return None
    if isinstance(owner, types.ModuleType):
        what = f"The module {owner.__name__}"
    else:
        what = f"This {type(owner).__name__}" if not isinstance(owner, type) else f"The class {owner.__name__}"
    near = _nearest(name, _attributes(owner))
    message = f"{what} has no attribute {hy.unmangle(name)}" + (f"; did you mean {near}?" if near else ".")
    return Problem("attribute", "error", message, span, (), _renamed(span, name, near, source))


def _name(error: NameError, span: Span, trace: Trace, source: Source) -> Problem | None:
    name = error.name
    if not name or isinstance(error, UnboundLocalError):
        return None
    known = [*trace.frame.f_locals, *trace.frame.f_globals] if trace.frame is not None else []
    near = _nearest(name, known)
    message = f"Nothing here is named {hy.unmangle(name)}" + (f"; did you mean {near}?" if near else ".")
    return Problem("undefined-name", "error", message, span, (), _renamed(span, name, near, source))


_NO_COMPONENT = re.compile(r"has no component (\S+): .*did you mean (\S+)\?")
_NO_ARGUMENT = re.compile(r"(?:(\w+)\.)?(\w+)\(\) got an unexpected keyword argument '(\w+)'")


def _argument(said: str, span: Span, trace: Trace, source: Source) -> Problem | None:
    if " has no component" in said:
        told = _NO_COMPONENT.search(said)
        fixes = _renamed(span, told[1], told[2], source) if told else ()
        return Problem("unknown-component", "error", said if said.endswith("?") else said + ".", span, (), fixes)
    told = _NO_ARGUMENT.search(said)
    if told is None:
        return _overload(said, span, source)
    owner, function, name = told.groups()
    components = _components(owner, trace) if function == "forward" else []
    if owner and function == "__init__":
        parameters, function = _parameters(owner, trace, span, source), owner
    else:
        parameters = components or _parameters(function, trace, span, source)
    near = _nearest(name, parameters)
    guess = f"; did you mean {near}?" if near else "."
    listed = " ".join(map(hy.unmangle, parameters))
    if components:
        code, message = "unknown-component", f"{hy.unmangle(owner)} has no component {hy.unmangle(name)}{guess}"
        takes = f" It has {listed}."
    else:
        code, message = "unknown-argument", f"{hy.unmangle(function)} has no argument {hy.unmangle(name)}{guess}"
        takes = f" It takes {listed}." if parameters else ""
    return Problem(code, "error", message + takes, span, (), _renamed(span, name, near, source))


_OVERLOADS = re.compile(r"(\w+)\(\) received an invalid combination of arguments - got \((.*?)\), but expected")
_GIVEN = re.compile(r"(\w+)=")
_TAKEN = re.compile(r"[\w\]] (\w+)(?: = [^,)]*)?(?=[,)])")


def _overload(said: str, span: Span, source: Source) -> Problem | None:
    """What torch says of a call that none of an operator's signatures takes, where that is for a name."""
    told = _OVERLOADS.search(said)
    if told is None:
        return None
    parameters = list(dict.fromkeys(_TAKEN.findall(said[told.end() :])))
    name = next((one for one in _GIVEN.findall(told[2]) if one not in parameters), "")
    if not name or not parameters:
        return None
    near = _nearest(name, parameters)
    guess = f"; did you mean {near}?" if near else "."
    message = f"{hy.unmangle(told[1])} has no argument {hy.unmangle(name)}{guess} It takes "
    message += " ".join(map(hy.unmangle, parameters)) + "."
    return Problem("unknown-argument", "error", message, span, (), _renamed(span, name, near, source))


def _components(owner: str | None, trace: Trace) -> list[str]:
    """The components of the mu of that name which the failed frame could name."""
    there = trace.frame.f_globals.get(owner) if trace.frame is not None and owner else None
    return list(map(hy.mangle, getattr(there, "__components__", ()))) if isinstance(there, type) else []


def _parameters(name: str, trace: Trace, span: Span, source: Source) -> list[str]:
    """The parameters of the one Python function or class of that name which the failed frame could name."""
    names = trace.frame.f_globals if trace.frame is not None else {}
    modules = [vars(value) for value in names.values() if isinstance(value, types.ModuleType)]
    for owner in (_written(names, span, source), names, *modules):
        found = owner.get(name)
        if isinstance(found, type):
            found = inspect.getattr_static(found, "__init__")
        if isinstance(found, types.FunctionType):
            return [one for one in inspect.signature(found).parameters if one != "self" and one[0] != "_"]
    return []


def _written(names: Mapping[str, Any], span: Span, source: Source) -> Mapping[str, Any]:
    """The names of the module that is written before the dot of what is called."""
    head = re.match(r"\(([^\s()\[\]{}\"';]+)\.", source.text[span.start : span.end])
    found = names
    for part in head[1].split(".") if head is not None else ():
        module = found.get(hy.mangle(part))
        found = vars(module) if isinstance(module, types.ModuleType) else {}
    return found


def _attributes(owner: Any) -> Iterable[str]:
    """The names of an object's attributes, without asking an object of the user's."""
    if isinstance(owner, types.ModuleType):
        return dir(owner)
    names = {name for kind in (owner if isinstance(owner, type) else type(owner)).__mro__ for name in vars(kind)}
    if isinstance(owner, torch.nn.Module):
        names.update(owner._parameters, owner._buffers, owner._modules)
    own = getattr(owner, "__dict__", {})
    return names | set(own)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, [one for one in known if not one.startswith("_")], 1, 0.75)
    return hy.unmangle(close[0]) if close else ""


def _renamed(span: Span, name: str, near: str, source: Source) -> tuple[Fix, ...]:
    """The fix that writes the nearest name, where the wrong one stands once."""
    if not near:
        return ()
    text = without_comments(source.text[span.start : span.end])
    written = re.escape(hy.unmangle(name)).replace(r"\-", "[-_]").replace("_", "[-_]")
    found = list(re.finditer(rf"(?<![\w-]){written}(?![\w-])", text))
    if len(found) != 1:
        return ()
    change = Change(Span(span.start + found[0].start(), span.start + found[0].end()), near)
    return (Fix(f"Change it to {near}", (change,)),)
