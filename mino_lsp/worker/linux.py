"""What Linux enforces for us, by system call: a session that cannot write, connect or start a program; a warden that
inherits every orphan below it; a child that dies with its parent.

Sources: landlock(7), prctl(2). On another system every function here says that it could not.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
import time
from pathlib import Path

from mino_lsp.worker import seccomp

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER = 1, 38, 36
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1

_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def landlock_version() -> int:
    """The version of Landlock that the kernel offers, 0 where there is none."""
    libc = _libc()
    return max(0, libc.syscall(_CREATE_RULESET, None, 0, 1)) if libc else 0


def confine(scratch: str) -> bool:
    """Keep this process and all that it starts from writing outside `scratch`, from starting programs, from sockets,
    and from signalling what is not below it. False where the kernel cannot."""
    libc, version = _libc(), landlock_version()
    if libc is None or version == 0:
        return False
    files = (1 << 13) - 1
    if version >= 2:
        files |= 1 << 13  # linking and renaming between folders
    if version >= 3:
        files |= _TRUNCATE
    if version >= 5:
        files |= _IOCTL_DEV
    handled = files & ~(_READ_FILE | _READ_DIR)
    network = 0b11 if version >= 4 else 0
    scoped = 0b11 if version >= 6 else 0
    attribute = struct.pack("QQQ", handled, network, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = libc.syscall(_CREATE_RULESET, attribute, len(attribute), 0)
    if ruleset < 0:
        return False
    try:
        for path, allowed in ((scratch, handled & ~_EXECUTE), (os.devnull, handled & (1 << 1 | _TRUNCATE))):
            target = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
            try:
                rule = struct.pack("=Qi", allowed, target)
                if libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0):
                    return False
            finally:
                os.close(target)
        no_way_back = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        return no_way_back and libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0 and seccomp.restrict(libc)
    finally:
        os.close(ruleset)


def signal_none_above() -> None:
    """Keep this process and all that it starts from signalling those that it comes from, where the kernel can."""
    libc = _libc()
    if libc is None or landlock_version() < 6:
        return
    attribute = struct.pack("QQQ", 0, 0, 1 << 1)
    ruleset = libc.syscall(_CREATE_RULESET, attribute, len(attribute), 0)
    if ruleset >= 0:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.syscall(_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)


def die_with_parent(parent: int, number: int) -> None:
    """Have the kernel send a signal to this process when `parent` ends, none for 0; end at once if it already has."""
    libc = _libc()
    if libc is not None:
        libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def end_with_parent() -> None:
    """Have this process killed when its parent ends, where the kernel does that."""
    if sys.platform == "linux":
        die_with_parent(os.getppid(), signal.SIGKILL)


def adopt_orphans(adopt: bool = True) -> bool:
    """Make this process the parent of every orphan below it, double forks included; or no longer."""
    libc = _libc()
    return libc is not None and libc.prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0) == 0


def end_strays(known: set[int]) -> None:
    """Kill what dead jobs left behind: the children of this process, the warden, that are not `known`. Each live job
    adopts its own orphans, so that a child of the warden's that is no live job can only have come from a dead one;
    killing it hands its children to the warden in turn."""
    give_up = time.monotonic() + 2.0
    while time.monotonic() < give_up:
        strays = [pid for pid in children(os.getpid()) if pid not in known]
        if not strays:
            return
        for pid in strays:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue


def parent_of(pid: int) -> int:
    """The parent of a process, 0 where there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    # The name, in parentheses, may hold anything; the state and the parent follow its last one.
    return int(status[status.rindex(b")") + 2 :].split()[1])


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process has used, 0 where that cannot be known."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0.0
    user, system = status[status.rindex(b")") + 2 :].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`; none where there is no /proc."""
    if sys.platform != "linux":
        return []
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended, or the kernel keeps no such lists
        there = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [other for other in there if parent_of(other) == pid]
