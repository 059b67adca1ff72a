"""`mino-lsp`: the language server on its standard streams, or for one connection from this machine."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import socket
import sys


def main() -> None:
    """Serve one client and end with the exit code that the specification gives."""
    parser = argparse.ArgumentParser(prog="mino-lsp", description="The language server of Mino.")
    transport = parser.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="speak on standard input and output (the default)")
    transport.add_argument("--tcp", type=int, metavar="PORT", help="listen on this loopback port for one connection")
    parser.add_argument("--trust", action="store_true", help="run the code of what is opened, without asking")
    parser.add_argument("--version", action="store_true", help="print the version and end")
    options = parser.parse_args()
    if options.version:
        from mino_lsp.server import VERSION

        print(VERSION)
        return
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="mino-lsp: %(message)s")
    reading, writing = _descriptors(options.tcp)
    # What is imported stays: looking through it for garbage takes a fifth of the start, and of each collection after.
    gc.disable()
    from mino_lsp.server import Server

    gc.freeze()
    gc.enable()
    code = Server(trusted=options.trust).serve(reading, writing)
    sys.stderr.flush()
    # The thread that reads may be waiting for a client that says no more.
    os._exit(code)


def _descriptors(port: int | None) -> tuple[int, int]:
    from mino_lsp.stdio import private_descriptors

    if port is None:
        return private_descriptors()
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"mino-lsp: listening on 127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        connection, _ = listener.accept()
    descriptor = connection.detach()
    return descriptor, os.dup(descriptor)


if __name__ == "__main__":
    main()
