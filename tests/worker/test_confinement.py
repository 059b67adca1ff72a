"""What the system keeps a preview from, also by calls that nothing of Python's sees: the same calls, made by a plain
program, do what they say."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mino_lsp.worker import seccomp

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in seccomp._TABLES, reason="only there the calls are known"
)

# Each ends with what the call answered: a number, or the name of an error.
CALLS = {
    "chmod": "libc.chmod(path, 0o777)",
    "fchmod": "libc.fchmod(os.open(path, os.O_RDONLY), 0o777)",
    "chown": "libc.chown(path, 1234, 1234)",
    "utimensat": "libc.utimensat(-100, path, (ctypes.c_long * 4)(1, 0, 1, 0), 0)",
    "setxattr": "libc.setxattr(path, b'user.canary', b'1', 1, 0)",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'canary', ('127.0.0.1', PORT))",
    "tcp": "socket.create_connection(('127.0.0.1', PORT))",
    "unix": "socket.socket(socket.AF_UNIX).connect(LISTENER)",
    "io_uring": "libc.syscall(425, 1, ctypes.create_string_buffer(120))",
}
REFUSED = ("udp", "tcp", "unix")
PROGRAM = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
path = PATH
try:
    answer = CALL
    told = errno.errorcode[ctypes.get_errno()] if answer == -1 else "done"
except OSError as error:
    told = errno.errorcode[error.errno]
"""


def state(path: Path) -> tuple[object, ...]:
    told = path.stat()
    return told.st_mode, told.st_uid, told.st_gid, told.st_mtime, os.listxattr(path)


def wanted(call: str) -> str:
    return "EACCES" if call in REFUSED else "ENOSYS" if call == "io_uring" else "done"


@pytest.mark.parametrize("call", CALLS)
def test_a_call_touches_nothing(preview, tmp_path, call):
    path = tmp_path / "file"
    path.write_text("mine")
    path.chmod(0o600)
    with (
        socket.socket(socket.AF_UNIX) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        listener.bind(str(tmp_path / "listener"))
        listener.listen()
        datagrams.bind(("127.0.0.1", 0))
        for each in (listener, datagrams, server):
            each.setblocking(False)
        port = (server if call == "tcp" else datagrams).getsockname()[1]
        names = {"PORT": port, "PATH": str(path).encode(), "LISTENER": str(tmp_path / "listener")}
        program = PROGRAM.replace("CALL", CALLS[call])
        for name, value in names.items():
            program = program.replace(name, repr(value))

        def reached() -> bool:
            for look in (listener.accept, server.accept, lambda: datagrams.recv(10)):
                try:
                    look()
                except BlockingIOError:
                    continue
                return True
            return False

        before = state(path)
        text = f'(exec #[[{program}]] (globals))\n(when (!= told "{wanted(call)}") (raise (ValueError told)))'
        assert preview(text).errors() == []
        assert state(path) == before and not reached()
        # The same in a plain program. A system may have no io_uring, or no attributes where temporary files are.
        plain = [sys.executable, "-c", f"{program}\nprint(told)"]
        told = subprocess.run(plain, capture_output=True, text=True, check=True).stdout.strip()
        if told == "done" and call != "io_uring":
            assert (state(path) != before) is (call not in REFUSED)
            assert reached() is (call in REFUSED)
        assert told in ("done", "ENOTSUP", "EOPNOTSUPP") or call == "io_uring"
