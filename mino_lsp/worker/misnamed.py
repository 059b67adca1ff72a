"""Errors of names: what does not exist, under the codes that the checks of the text use, with the nearest name."""

from __future__ import annotations

import difflib
import inspect
import re
import types
from collections.abc import Iterable
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
        return None
    owner, function, name = told.groups()
    components = _components(owner, trace) if function == "forward" else []
    parameters = components or _parameters(function, trace)
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


def _components(owner: str | None, trace: Trace) -> list[str]:
    """The components of the mu of that name which the failed frame could name."""
    there = trace.frame.f_globals.get(owner) if trace.frame is not None and owner else None
    return list(map(hy.mangle, getattr(there, "__components__", ()))) if isinstance(there, type) else []


def _parameters(function: str, trace: Trace) -> list[str]:
    """The parameters of the one Python function of that name which the failed frame could name."""
    names = trace.frame.f_globals if trace.frame is not None else {}
    for owner in (
        types.SimpleNamespace(**{key: value for key, value in names.items() if key.isidentifier()}),
        *(value for value in names.values() if isinstance(value, types.ModuleType)),
    ):
        found = vars(owner).get(function)
        if isinstance(found, types.FunctionType):
            return list(inspect.signature(found).parameters)
    return []


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
