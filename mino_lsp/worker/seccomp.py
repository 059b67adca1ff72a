"""Calls of the system that Landlock lets through: a filter of them, for a process that looks and does not touch.

What would change a file's mode, owner, times or attributes does nothing and says that it did, as all else that a
preview writes seems to succeed; no socket can be made, of whatever kind, but a pair; and there is no other way to make
such calls (`io_uring`, the calls of other architectures).

Source: seccomp(2), and the kernel's tables of calls.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _IS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
"""Where in what the filter is given these are."""
_X32 = 0x40000000
"""From here on calls of x86-64 are those of another architecture."""


@dataclass(frozen=True, slots=True)
class _Calls:
    """The numbers of an architecture's calls: that change only what is known of a file, and `socket`."""

    architecture: int
    changing: tuple[int, ...]
    socket: int


_RECENT = (452, 463, 466, 469)
"""fchmodat2, setxattrat, removexattrat and file_setattr, everywhere the same."""
_IO_URING = 425

# fchmod, fchmodat, fchownat, fchown, utimensat, and the attributes set and removed.
_GENERIC = (52, 53, 54, 55, 88, 5, 6, 7, 14, 15, 16, *_RECENT)
_TABLES = {
    # The same, with chmod, chown, lchown, utime, utimes and futimesat.
    "x86_64": _Calls(
        0xC000003E,
        (91, 268, 260, 93, 280, 188, 189, 190, 197, 198, 199, 90, 92, 94, 132, 235, 261, *_RECENT),
        41,
    ),
    "aarch64": _Calls(0xC00000B7, _GENERIC, 198),
    "riscv64": _Calls(0xC00000F3, _GENERIC, 198),
}


def restrict(libc: ctypes.CDLL) -> bool:
    """Put the filter on this process and all that it starts, which may gain no new privileges already. False where the
    kernel has no filters; True, and nothing is done, on an architecture whose calls are not known here."""
    calls = _TABLES.get(platform.machine())
    if calls is None:
        return True
    program = _program(calls)
    instructions = ctypes.create_string_buffer(program)
    told = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, told, 0, 0) == 0)


def _program(calls: _Calls) -> bytes:
    answers = {
        **dict.fromkeys(calls.changing, _ERRNO),
        calls.socket: _ERRNO | errno.EACCES,
        _IO_URING: _ERRNO | errno.ENOSYS,
    }
    absent = _instruction(_RETURN, _ERRNO | errno.ENOSYS)
    parts = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_IS, calls.architecture, 1, 0),
        absent,
        _instruction(_LOAD, _NUMBER),
        _instruction(_AT_LEAST, _X32, 0, 1),
        absent,
    ]
    for number, answer in answers.items():
        parts += [_instruction(_IS, number, 0, 1), _instruction(_RETURN, answer)]
    return b"".join((*parts, _instruction(_RETURN, _ALLOW)))


def _instruction(code: int, value: int, if_so: int = 0, else_: int = 0) -> bytes:
    """One of the filter's: how many it goes past where its test holds, and where not."""
    return struct.pack("=HBBI", code, if_so, else_, value)
