"""How a worker begins, and which one it is.

Requests come in on what was standard input and answers leave on what was standard output; both are moved to private
descriptors at the start, so that nothing that is printed can reach them.
"""

from __future__ import annotations

import os
import sys

from mino_lsp.types import Refused
from mino_lsp.worker.pipe import send

WITHOUT_FORK = "MINO_WITHOUT_FORK"
"""Set for tests only: the worker does as on a system that has no fork."""


def main() -> int:
    """Serve until the server goes. Returns 0, or 3 where this interpreter cannot serve."""
    if len(sys.argv) == 3 and sys.argv[1] in ("--run", "--anew", "--rank", "--terminal"):
        from mino_lsp.worker import launch

        launch.in_new_interpreter(sys.argv[1], sys.argv[2])
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    pure = "--pure" in sys.argv[1:]
    if sys.argv[1:2] == ["--reused"]:
        from mino_lsp.worker.reused import Reused

        os._exit(Reused(requests, answers, sys.argv[2], pure).serve())
    stdin = int(sys.argv[2]) if sys.argv[1:2] == ["--stdin"] else -1
    if stdin >= 0:
        os.set_inheritable(stdin, False)
    if not hasattr(os, "fork") or os.environ.pop(WITHOUT_FORK, ""):
        from mino_lsp.worker.reuse import ReusingWarden

        return ReusingWarden(requests, answers, pure, stdin).serve()
    return _fork(requests, answers, pure, stdin)


def _fork(requests: int, answers: int, pure: bool, stdin: int) -> int:
    from mino_lsp.worker.greeting import greet

    greeting = greet(pure)
    send(answers, greeting)
    if isinstance(greeting, Refused):
        return 3
    from mino_lsp.worker.warden import Warden

    return Warden(requests, answers, pure, stdin).serve()
