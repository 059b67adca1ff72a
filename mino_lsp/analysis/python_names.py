"""What Python packages have, as a helper process reads it: nobody waits for it, and nothing of theirs is run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import OrderedDict
from pathlib import Path

HELPER = Path(__file__).with_name("python_reader.py")
LIMIT, KEPT, TRIES = 1 << 24, 256, 3

_Key = tuple[str, str, str, tuple[str, ...] | None]


class PythonNames:
    """Answers what is known and has the rest looked up. `paths` are where an interpreter finds its packages; None for
    the server's own."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Key, list[list[str]]] = OrderedDict()
        self._waiting: dict[_Key, asyncio.Future[None]] = {}
        self._asked: dict[int, _Key] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._count = self._started = 0

    def view(self, paths: tuple[str, ...] | None) -> View:
        return View(self, paths)

    def ask(self, key: _Key) -> list[list[str]] | None:
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        elif key not in self._waiting:
            self._waiting[key] = asyncio.get_running_loop().create_future()
            self._count += 1
            self._asked[self._count] = key
            if self._process is None:
                if self._starting is None:
                    self._starting = asyncio.create_task(self._start())
            else:
                self._send(self._count, key)
        return found

    async def settled(self, seconds: float) -> None:
        """Wait for what is being looked up, so long at most."""
        if self._waiting:
            await asyncio.wait(list(self._waiting.values()), timeout=seconds)

    async def close(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _send(self, identity: int, key: _Key) -> None:
        assert self._process is not None and self._process.stdin is not None
        what, module, path, paths = key
        self._process.stdin.write(json.dumps([identity, what, module, path, paths]).encode() + b"\n")

    async def _start(self) -> None:
        """Start the helper and take its answers, until it ends; then what was asked of it is not known."""
        self._started += 1
        if self._started <= TRIES:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-W", "ignore", str(HELPER)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LIMIT,
            )
            for identity, key in list(self._asked.items()):
                self._send(identity, key)
            assert self._process.stdout is not None
            while line := await self._process.stdout.readline():
                identity, found = json.loads(line)
                self._settle(identity, found)
        for identity in list(self._asked):
            self._settle(identity, [])
        self._process = self._starting = None

    def _settle(self, identity: int, found: list[list[str]]) -> None:
        key = self._asked.pop(identity)
        self._known[key] = found
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        self._waiting.pop(key).set_result(None)


class View:
    """The packages of one interpreter. `waits` once something was asked that is still looked up."""

    def __init__(self, names: PythonNames, paths: tuple[str, ...] | None) -> None:
        self._names, self._paths = names, paths
        self.waits = False

    def members(self, module: str, path: str) -> list[str] | None:
        found = self._names.ask(("members", module, path, self._paths))
        return None if found is None else [one[0] for one in found]

    def describe(self, module: str, path: str) -> tuple[str, str, str] | None:
        """The kind, signature and documentation; empty where nothing is known, None while it is looked up."""
        found = self._names.ask(("describe", module, path, self._paths))
        if found is None:
            self.waits = True
            return None
        kind, signature, doc = found[0] if found else ("", "", "")
        return kind, signature, doc


def paths_of(python: str) -> tuple[str, ...] | None:
    """Where an interpreter of a virtual environment finds its packages, told by its folders and without running it;
    None where that cannot be told."""
    prefix = Path(python).parent.parent
    folders = sorted(prefix.glob("lib/python3*/site-packages")) + sorted(prefix.glob("Lib/site-packages"))
    if not (prefix / "pyvenv.cfg").exists() or not folders:
        return None
    paths = [str(folder) for folder in folders]
    for pth in sorted(folders[0].glob("*.pth")):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            lines = pth.read_text("utf-8").splitlines()
            paths += [line for line in lines if os.path.isabs(line) and os.path.isdir(line)]
    standard = [path for path in sys.path if path and "site-packages" not in path and os.path.isabs(path)]
    return tuple(dict.fromkeys([*standard, *paths]))
