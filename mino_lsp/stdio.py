"""The byte streams of the protocol: private descriptors, one thread that reads and one that writes.

Nothing else in the process can reach these descriptors: a `print` goes to stderr, and who reads standard input finds it
empty. The event loop never waits for either end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable

HIGH_WATER = 1 << 20
"""Bytes that may wait for a slow client before the producers of output are held back."""

LEAVING_SECONDS = 5.0
"""How long the server may be at what it was told before its client went."""


def private_descriptors() -> tuple[int, int]:
    """Move standard input and output away from 0 and 1: (where to read the protocol, where to write it)."""
    sys.stdout.flush()
    reading, writing = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return reading, writing


class Inbox:
    """Reads messages (headers and body) on a thread and hands each body to the loop."""

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=1 << 16)
        self._loop = loop
        self._bodies: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._left = threading.Event()
        threading.Thread(target=self._read, name="protocol-reader", daemon=True).start()

    async def next(self) -> bytes | None:
        """The next message's body; None at the end of the stream."""
        return await self._bodies.get()

    def leave(self) -> None:
        """The server is about to end by itself."""
        self._left.set()

    def _read(self) -> None:
        try:
            while (body := self._message()) is not None:
                self._loop.call_soon_threadsafe(self._bodies.put_nowait, body)
            self._loop.call_soon_threadsafe(self._bodies.put_nowait, None)
        except RuntimeError:
            return  # the loop has ended: so has the server
        # Nobody is there any more whom the answers to all that waits could reach.
        if not self._left.wait(LEAVING_SECONDS):
            os._exit(1)

    def _message(self) -> bytes | None:
        length = None
        while True:
            line = self._file.readline()
            if not line:
                return None
            if not line.strip():
                if length is not None:
                    break
                continue
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                length = int(value)
        body = self._file.read(length)
        return body if len(body) == length else None


class Outbox:
    """Writes bytes on a thread, in order. What waits is counted, so that producers can be held back."""

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop, on_broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._on_broken = on_broken
        self._waiting: deque[bytes] = deque()
        self._pending = 0
        self._condition = threading.Condition()
        self._drained = asyncio.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="protocol-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        with self._condition:
            self._waiting.append(data)
            self._pending += len(data)
            self._condition.notify()

    async def drained(self) -> None:
        """Wait until the client has taken enough that more may be sent."""
        while self._pending > HIGH_WATER:
            self._drained.clear()
            if self._pending > HIGH_WATER:
                await self._drained.wait()

    def close(self) -> None:
        """Let what is waiting be written, for two seconds at most."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(2.0)

    def _write(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._closing:
                    self._condition.wait()
                if not self._waiting:
                    return
                data = self._waiting.popleft()
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError:
                self._call(self._on_broken)
                return
            with self._condition:
                self._pending -= len(data)
            if self._pending <= HIGH_WATER:
                self._call(self._drained.set)

    def _call(self, function: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function)
