"""A job's end of its conversation with the warden."""

from __future__ import annotations

import os
import socket
from typing import Any

from mino_lsp.types import FrameReader, frame


def send(descriptor: int, message: Any) -> None:
    """Write all of a message."""
    data = frame(message)
    while data:
        data = data[os.write(descriptor, data) :]


def receive(descriptor: int) -> Any:
    """The next request, and not a byte of the one after it; None at the end."""
    head = _exactly(descriptor, 4)
    if not head:
        return None
    return FrameReader().feed(head + _exactly(descriptor, int.from_bytes(head, "big")))[0]


def _exactly(descriptor: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = os.read(descriptor, count - len(data))
        if not more:
            return b""
        data += more
    return data


class Pipe:
    """Writes messages of a job to a descriptor; a preview's is a socket, which can hand over another descriptor."""

    def __init__(self, descriptor: int, job: int = 0) -> None:
        self.descriptor = descriptor
        self.job = job

    def __call__(self, message: Any) -> None:
        send(self.descriptor, message)

    def hand_over(self, message: Any, descriptor: int) -> None:
        """Send a message with a descriptor beside it."""
        with socket.socket(fileno=os.dup(self.descriptor)) as connection:
            data = frame(message)
            sent = socket.send_fds(connection, [data], [descriptor])
            connection.sendall(data[sent:])

    def let_go(self) -> int:
        """The descriptor, which is another's from now on."""
        descriptor, self.descriptor = self.descriptor, -1
        return descriptor

    def silence(self) -> None:
        """Let go of the conversation and of the output: this process has nothing to say from now on."""
        null = os.open(os.devnull, os.O_RDWR)
        for target in (1, 2, self.descriptor):
            os.dup2(null, target, inheritable=target <= 2)
        os.close(null)
