"""What the server and all processes below it hold in memory, as Linux tells it."""

from __future__ import annotations

import os
from pathlib import Path


def memory() -> int | None:
    """Bytes, pages that several share counted in parts; None where the system does not tell."""
    try:
        return sum(_share(pid) for pid in _family())
    except OSError:
        return None


def _family() -> list[int]:
    """This process and those below it."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            below.setdefault(_parent(int(name)), []).append(int(name))
    family = [os.getpid()]
    for pid in family:
        family += below.get(pid, [])
    return family


def _parent(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0  # it has just ended
    return int(told.rpartition(b")")[2].split()[1])


def _share(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_bytes()
    except OSError:
        return 0
    return 1024 * int(told.partition(b"\nPss:")[2].split()[0]) if b"\nPss:" in told else 0
