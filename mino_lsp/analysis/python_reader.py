"""The helper process that reads Python packages with jedi: run by its path, never imported by the server.

It reads source and type stubs. It imports nothing but jedi and the standard library, whatever jedi would like to: a
package of the user's is not run. Requests and answers are lines of JSON: `[id, what, module, path, sys.path or null]`
and `[id, found]`, where what is "members" or "describe".
"""

from __future__ import annotations

import builtins
import json
import sys
from typing import Any

import jedi

MOST = 4_000
_import = builtins.__import__
_ALLOWED = frozenset({"jedi", "parso", "_typeshed", "typing_extensions"}) | frozenset(sys.stdlib_module_names)


def _guarded(name: str, *rest: Any, **more: Any) -> Any:
    """`__import__`, but of nothing that is neither jedi's nor Python's own: jedi would load compiled modules."""
    level = rest[3] if len(rest) > 3 else more.get("level", 0)
    if not level and name.partition(".")[0] not in _ALLOWED:
        raise ModuleNotFoundError(f"{name} is not to be imported here", name=name)
    return _import(name, *rest, **more)


def members(module: str, path: str, project: Any) -> list[list[str]]:
    """The attributes of a path in a module, such as `nn.Linear` in `torch` or `optim.Adam()`; of "" the module's own.
    Their kinds are left out: to find those of a thousand names takes jedi seconds."""
    script, line, column = _script(module, f"{path}." if path else "", project)
    return [[one.name] for one in script.complete(line, column)[:MOST]]


def describe(module: str, path: str, project: Any) -> list[list[str]]:
    """The kind, the signature and the documentation of what is there."""
    script, line, column = _script(module, path, project)
    for one in script.help(line, max(column - 1, 0)):
        return [[one.type, "\n".join(each.to_string() for each in one.get_signatures()[:4]), one.docstring(raw=True)]]
    return []


def _script(module: str, path: str, project: Any) -> tuple[Any, int, int]:
    """Of no module, the modules that there are."""
    source = f"import {module} as _m\n_m.{path}" if module else f"#\nimport {path}"
    script = jedi.Script(source, project=project, environment=jedi.InterpreterEnvironment())
    return script, 2, len(source.rpartition("\n")[2])


def main() -> None:
    builtins.__import__ = _guarded
    jedi.settings.auto_import_modules = []
    projects: dict[str, Any] = {}
    for line in sys.stdin:
        identity, what, module, path, paths = json.loads(line)
        key = json.dumps(paths)
        if key not in projects:
            projects[key] = jedi.Project("/", sys_path=paths or sys.path, smart_sys_path=False)
        try:
            found = (describe if what == "describe" else members)(module, path, projects[key])
        except (RecursionError, ValueError, AttributeError, KeyError, TypeError, NotImplementedError, OSError):
            found = []  # jedi's own defects, of which it has some: nothing is known then
        sys.stdout.write(json.dumps([identity, found]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
