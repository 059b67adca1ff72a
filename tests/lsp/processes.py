"""The processes that a test's code started, found by a marker in their environment or on their command line."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from pathlib import Path

from .editor import SECONDS


def marker() -> str:
    """A word that no other process has."""
    return f"mino-test-{uuid.uuid4().hex}"


def marked(word: str) -> list[int]:
    """The processes that have the word, without this one and those that are used again and again."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in told and alive(int(entry.name)) and not waits(int(entry.name)):
            found.append(int(entry.name))
    return found


async def appeared(word: str, count: int) -> list[int]:
    """The processes that have the word, once there are so many."""
    async with asyncio.timeout(SECONDS):
        while len(found := marked(word)) < count:
            await asyncio.sleep(0.01)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs: not what has ended and waits to be buried."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return status[status.rindex(b")") + 2 :].split()[0] != b"Z"


def waits(pid: int) -> bool:
    """Whether a process is one that does one job after the other, as there are where nothing is forked."""
    try:
        return b"--reused" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def below(pid: int) -> list[int]:
    """The processes whose parent is `pid`, without those that are used again and again."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_bytes()
            except OSError:
                continue
            if int(status[status.rindex(b")") + 2 :].split()[1]) == pid and not waits(int(entry.name)):
                found.append(int(entry.name))
    return found


async def gone(*pids: int, seconds: float = SECONDS) -> bool:
    """Whether all of the processes end in time. The one thing here that nobody tells of, so it is looked for."""
    end = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def dwindled(word: str, standing: set[int], count: int) -> bool:
    """Whether so many processes that have the word are left in time, without those that stand."""
    end = time.monotonic() + SECONDS
    while len(set(marked(word)) - standing) > count:
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True
