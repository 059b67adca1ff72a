"""What is known of Hy, hyrule and mino without importing them: the names, signatures and documentation in `data/`."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mino_lsp.analysis.mangling import mangle

_DATA = Path(__file__).parent / "data"

CORE = "hy"
"""Stands for the module of Hy's core macros."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A name of a package: `kind` is macro, reader, function, class or value; `signature` its parameters in Hy."""

    name: str
    kind: str
    module: str
    signature: str = ""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """A module's names by their mangled names; `others` are those that `(import module *)` brings besides."""

    name: str
    doc: str
    macros: dict[str, Entry]
    readers: dict[str, Entry]
    names: dict[str, Entry]
    others: frozenset[str]


@cache
def packages() -> dict[str, Package]:
    told: dict[str, Any] = json.loads((_DATA / "packages.json").read_text("utf-8"))["modules"]
    return {name: _package(name, told) for name in told}


def _package(name: str, told: dict[str, Any]) -> Package:
    def entries(kind: str) -> dict[str, Entry]:
        found = {}
        for known, item in told[name][kind].items():
            home = item.get("home", name)
            item = told[home][kind][known]
            found[mangle(known)] = Entry(known, item["kind"], home, item.get("signature", ""), item.get("doc", ""))
        return found

    others = frozenset(map(mangle, told[name]["others"]))
    return Package(name, told[name]["doc"], entries("macros"), entries("readers"), entries("names"), others)


@cache
def core() -> dict[str, Entry]:
    """Hy's core macros by their mangled names."""
    told: dict[str, Any] = json.loads((_DATA / "core.json").read_text("utf-8"))["macros"]
    return {
        mangle(name): Entry(name, "macro", CORE, item["signature"], item.get("doc", "")) for name, item in told.items()
    }


BUILTINS: frozenset[str] = frozenset(dir(builtins)) | {
    *("hy", "__name__", "__file__", "__doc__", "__spec__", "__loader__", "__package__", "__builtins__"),
    *("__path__", "__cached__", "__annotations__", "__dict__", "__class__", "exit", "quit", "copyright", "credits"),
    *("license", "reveal_type", "aiter", "anext", "EncodingWarning", "BaseExceptionGroup", "ExceptionGroup"),
    *("PythonFinalizationError", "frozendict", "WindowsError", "_hy_macros", "_hy_reader_macros", "_hy_export_macros"),
}
"""Names that every module has, in any version of Python that Hy runs on."""


def all_macros() -> Iterator[Entry]:
    for package in packages().values():
        yield from package.macros.values()
