"""How a process was before it ran anything of a user's, and how it gets back there.

What is known to be changed by ordinary programs is put back. What else may have changed is looked at, and is a reason
to do no other job here: threads, children, open files, functions that were replaced, and above all anything that still
holds a namespace of the job's, as a function does that a library was given.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import linecache
import logging
import operator
import os
import random
import signal
import sys
import tempfile
import threading
import types
import warnings
import weakref
from typing import Any

import hy
import hy.core.util
import numpy

from mino import check
from mino.specs import functions, instrumenting, registry
from mino_lsp.worker import imports, linux
from mino_lsp.worker.torch_state import TorchState

MOST_GROWTH = 512 * 1024 * 1024
"""Bytes by which a process may have grown, all its jobs together."""

_SYS = (
    *("argv", "stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__", "excepthook", "displayhook"),
    *("unraisablehook", "breakpointhook", "dont_write_bytecode", "path", "meta_path", "path_hooks", "modules"),
    *("path_importer_cache", "pycache_prefix", "platform", "executable", "prefix"),
)
_CODE = (types.FunctionType, types.BuiltinFunctionType, type, property, classmethod, staticmethod, types.ModuleType)


class _Witness:
    """Put into a namespace, it is alive for as long as that is."""


class Footing:
    """The state of this process now, but for a thread that will have ended when a job begins, if `listening`."""

    def __init__(self, listening: bool = False) -> None:
        gc.collect()
        gc.freeze()
        self._sys = {name: getattr(sys, name) for name in _SYS if hasattr(sys, name)}
        lists: tuple[list[Any], ...] = (sys.path, sys.meta_path, sys.path_hooks, sys.argv)
        self._lists = [(one, list(one)) for one in lists]
        self._recursion, self._switching = sys.getrecursionlimit(), sys.getswitchinterval()
        self._modules = dict(sys.modules)
        self._importers = set(sys.path_importer_cache)
        # Which file is whose, and of which modules `inspect` has learnt that: of those it learns it no more.
        memories: tuple[dict[str, str], ...] = (inspect.modulesbyfile, inspect._filesbymodname)  # type: ignore[attr-defined]
        self._inspected = [(one, dict(one)) for one in memories]
        self._owners: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._learn(self._modules.values())
        self._environment, self._folder, self._umask = dict(os.environ), os.getcwd(), _umask()
        self._temporary = tempfile.tempdir
        self._handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self._warning = (list(warnings.filters), warnings.showwarning, warnings.formatwarning)
        self._of_threads = threading.excepthook
        self._logging = (list(logging.root.handlers), logging.root.level, logging.root.manager.disable)
        self._random = (random.getstate(), numpy.random.get_state())
        self._torch = TorchState()
        self._mino = _mino_state()
        self._builtins = set(vars(sys.modules["builtins"]))
        self._collecting = (gc.isenabled(), gc.get_threshold(), list(gc.callbacks))
        self._held = _held()
        if listening and self._held:
            self._held["thread"] -= 1

    def regain(self) -> str:
        """Get back there. Returns the reason why that cannot be relied upon, or nothing."""
        if sys.modules is not self._sys["modules"]:
            return "The table of modules was replaced."
        self._put_back()
        left = self._forget_namespaces()
        # What is destroyed may have run the user's code again.
        self._put_back()
        return left or self._torch.left() or self._replaced() or self._grown()

    # ---- what is put back

    def _put_back(self) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
        threading.setprofile(None)
        for name, value in self._sys.items():
            setattr(sys, name, value)
        for found, content in self._lists:
            found[:] = content
        sys.setrecursionlimit(self._recursion)
        sys.setswitchinterval(self._switching)
        for path in [path for path in sys.path_importer_cache if path not in self._importers]:
            del sys.path_importer_cache[path]
        importlib.invalidate_caches()
        os.environ.clear()
        os.environ.update(self._environment)
        os.chdir(self._folder)
        os.umask(self._umask)
        tempfile.tempdir = self._temporary
        threading.excepthook = self._of_threads
        filters, warnings.showwarning, warnings.formatwarning = self._warning
        warnings.filters[:] = filters  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]
        logging.root.handlers[:], logging.root.level, logging.root.manager.disable = self._logging
        random.setstate(self._random[0])
        numpy.random.set_state(self._random[1])
        self._torch.put_back()
        _put_back_mino(self._mino)
        builtins = vars(sys.modules["builtins"])
        for name in [name for name in builtins if name not in self._builtins]:
            del builtins[name]
        (gc.enable if self._collecting[0] else gc.disable)()
        gc.set_threshold(*self._collecting[1])
        gc.callbacks[:] = self._collecting[2]
        linecache.clearcache()
        for known, before in self._inspected:
            known.clear()
            known.update(before)

    # ---- namespaces

    def _forget_namespaces(self) -> str:
        """Drop the modules of the job. Returns the name of one that something still holds, as a sentence."""
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module and name != "__main__":
                return f"The module {name} was replaced."
        new = {name: module for name, module in sys.modules.items() if self._modules.get(name) is not module}
        kept = {name: module for name, module in new.items() if self._stays(name, module)}
        witnesses = []
        for name in new.keys() - kept.keys():
            module = sys.modules.pop(name)
            if isinstance(module, types.ModuleType):
                witness = _Witness()
                vars(module)["__mino_witness__"] = witness
                witnesses.append((name, weakref.ref(witness)))
                del witness
            parent, _, child = name.rpartition(".")
            if parent and vars(sys.modules.get(parent, types)).get(child) is module:
                delattr(sys.modules[parent], child)
            del module
        sys.modules["__main__"] = self._modules["__main__"]
        del new
        gc.collect()
        self._modules.update(kept)
        self._importers.update(sys.path_importer_cache)
        self._learn(kept.values())
        return next((f"Something holds {name}." for name, witness in witnesses if witness() is not None), "")

    def _stays(self, name: str, module: Any) -> bool:
        """Whether a module that a job imported is part of a package that was there before, or was installed; and not
        one that was read from the workspace."""
        if name == "__main__" or type(getattr(module, "__loader__", None)).__module__ == imports.__name__:
            return False
        package, dot, _ = name.partition(".")
        return bool(dot and package in self._modules) or _is_installed(module)

    def _learn(self, modules: Any) -> None:
        """Remember the functions and classes of modules, and the functions of those classes."""
        for module in modules:
            if isinstance(module, types.ModuleType) and id(module) not in self._owners:
                content = dict(vars(module))
                self._owners[id(module)] = module, content
                for value in content.values():
                    if issubclass(type(value), type) and id(value) not in self._owners:
                        self._owners[id(value)] = value, dict(vars(value))

    # ---- what is looked at

    def _replaced(self) -> str:
        for owner, before in self._owners.values():
            now = vars(owner)
            if len(now) == len(before) and all(map(operator.is_, now.values(), before.values())):
                continue
            added = now.keys() - before.keys()
            if isinstance(owner, type):
                if any(name in vars(base) for base in owner.__mro__[1:] for name in added):
                    return f"{owner.__name__} has another {' and '.join(added)}."
                added = set()
            for name in [name for name in added if not isinstance(now[name], types.ModuleType)]:
                if "__getattr__" not in now:
                    return f"{owner.__name__}.{name} was added."
                delattr(owner, name)  # if it was not a program's, it is made anew when it is asked for
            for name, value in before.items():
                found = now.get(name)
                # Torch wraps the step of an optimizer when the first is made.
                if isinstance(value, _CODE) and found is not value and getattr(found, "__wrapped__", None) is not value:
                    return f"{owner.__name__}.{name} was replaced."
        return ""

    def _grown(self) -> str:
        if threading.active_count() > 1:
            return "It has another thread."
        held = _held()
        for (what, before), now in zip(self._held.items(), held.values(), strict=True):
            if before != now and what != "memory":
                return f"It has another {what}."
        return "It has grown." if held.get("memory", 0) > self._held.get("memory", 0) + MOST_GROWTH else ""


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def _held() -> dict[str, Any]:
    """What this process has of the system, where that can be looked at."""
    if sys.platform != "linux":
        return {}
    files = {}
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the listing itself
            files[descriptor] = os.readlink(f"/proc/self/fd/{descriptor}")
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        shared = sum(line.split(None, 2)[1].endswith("s") for line in maps)
    with open("/proc/self/statm", encoding="ascii") as statm:
        memory = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {
        "open file": files,
        "child": linux.children(os.getpid()),
        "thread": len(os.listdir("/proc/self/task")),
        "shared memory": shared,
        "signal that is blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "timer": [signal.getitimer(which)[0] for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL)],
        "memory": memory,
    }


# ---- mino's and Hy's own state


def _mino_state() -> tuple[Any, ...]:
    return registry.snapshot(), functions.contracts, vars(hy.core.util)["_gensym_counter"]


def _put_back_mino(state: tuple[Any, ...]) -> None:
    instrumenting.unstrument()
    specs, functions.contracts, vars(hy.core.util)["_gensym_counter"] = state
    registry.restore(specs)
    check._by_keyword.clear()


# ---- which modules stay


def _is_installed(module: Any) -> bool:
    """Whether a module is the interpreter's or was installed: its state is kept, as that of all that was imported
    before."""
    origin = getattr(getattr(module, "__spec__", None), "origin", None)
    if not isinstance(origin, str):
        # What Cython's modules share has no file; what torch writes for its distributed modules is in a temporary one.
        return str(getattr(module, "__name__", "")).startswith(("_cython_", "cython_runtime", "_remote_module_"))
    return origin in ("built-in", "frozen") or origin.startswith(_INSTALLED)


_INSTALLED = tuple(
    os.path.join(folder, "")
    for folder in (
        *(sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)),
        *(folder for folder in sys.path if os.path.basename(folder) in ("site-packages", "dist-packages")),
    )
)
