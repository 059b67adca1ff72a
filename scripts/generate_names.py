"""Writes `mino_lsp/analysis/data/packages.json`: the names of hyrule, hy.pyops and mino, with signatures and
documentation, so that the server can offer them without importing them.

Run it with the Python of the development environment: `.venv/bin/python scripts/generate_names.py`. A test holds
that the file is what this would write.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import types
from pathlib import Path
from typing import Any

import hy

TARGET = Path(__file__).parent.parent / "mino_lsp" / "analysis" / "data" / "packages.json"
HYRULE = ["anaphoric", "argmove", "collections", "control", "db", "destructure", "hypprint", "iterables"]
HYRULE += ["macrotools", "misc", "oop", "sequences"]
MODULES = ["hyrule", *(f"hyrule.{name}" for name in HYRULE), "hy.pyops", "mino", "mino.mu", "mino.thread", "mino.spec"]
# What the compiler gives macros, and no caller.
HIDDEN = {"_hy_compiler"}


def written(name: str) -> str:
    """A name as one writes it in Hy, where that mangles back to it."""
    unmangled = hy.unmangle(name)
    return unmangled if hy.mangle(unmangled) == name else name


def signature(value: Any) -> str:
    """A parameter list in Hy, or nothing where there is none to know."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ""
    parts, keyword_only = [], False
    for parameter in parameters:
        name = written(parameter.name)
        if parameter.name in HIDDEN:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            keyword_only = True
            parts.append(f"#* {name}")
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            parts.append(f"#** {name}")
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parts.append("*")
        default = "" if parameter.default is parameter.empty else shown(parameter.default)
        parts.append(f"[{name} {default}]" if default else name)
    return f"[{' '.join(parts)}]"


def shown(value: Any) -> str:
    text = repr(value)
    return "…" if " at 0x" in text or "<" in text else hy.repr(value).lstrip("'")


def entry(value: Any, kind: str) -> dict[str, str]:
    known = {"kind": kind, "signature": signature(value) if kind != "value" else ""}
    doc = inspect.getdoc(value) if kind != "value" else ""
    return {**{key: item for key, item in known.items() if item}, **({"doc": doc} if doc else {})}


def kind_of(value: Any) -> str:
    if isinstance(value, type):
        return "class"
    return "function" if callable(value) else "value"


def describe(module: types.ModuleType) -> dict[str, Any]:
    macros = {**getattr(module, "_hy_macros", {})}
    readers = {**getattr(module, "_hy_reader_macros", {})}
    exported = getattr(module, "_hy_export_macros", None)
    if exported is not None:
        macros = {name: macros[name] for name in exported}
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name in vars(module) if not name.startswith("_") and own(module, vars(module)[name])]
    return {
        "doc": (inspect.getdoc(module) or "").split("\n\n")[0],
        "macros": {
            written(name): entry(value, "macro") for name, value in sorted(macros.items()) if mine(module, value)
        },
        "readers": {written(name): entry(value, "reader") for name, value in sorted(readers.items())},
        "names": {
            written(name): entry(getattr(module, name), kind_of(getattr(module, name)))
            for name in sorted(names)
            if not isinstance(getattr(module, name), types.ModuleType)
        },
        # What `(import module *)` brings besides, and nobody means to use.
        "others": sorted(written(name) for name in vars(module) if name[0] != "_" and name not in names),
    }


def mine(module: types.ModuleType, value: Any) -> bool:
    return module.__name__ == "hyrule" or value.__module__ == module.__name__


def own(module: types.ModuleType, value: Any) -> bool:
    home = getattr(value, "__module__", module.__name__)
    return isinstance(home, str) and (home == module.__name__ or home.startswith(module.__name__ + "."))


def main() -> None:
    text = render()
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, "utf-8")
    print(f"{TARGET.name}: {len(text)} characters", file=sys.stderr)


def render() -> str:
    modules = {name: describe(importlib.import_module(name)) for name in MODULES}
    for macros in ("macros", "readers", "names"):
        for name, known in modules["hyrule"][macros].items():
            homes = [home for home in modules if home.startswith("hyrule.") and name in modules[home][macros]]
            if homes and modules[homes[0]][macros][name] == known:
                modules["hyrule"][macros][name] = {"home": homes[0]}
    about = "Generated by scripts/generate_names.py from the installed packages: do not edit. "
    about += "The documentation of hyrule and hy is theirs, under their MIT licence."
    return json.dumps({"about": about, "modules": modules}, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    main()
