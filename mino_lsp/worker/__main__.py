"""The worker's start: `python …/mino_lsp/worker/__main__.py`, under another interpreter, with PYTHONSAFEPATH set.

The server's site-packages must not become importable here, or its versions would hide the user's. So the package
`mino_lsp` is put together by hand from the folder above, and nothing is added to `sys.path`.
"""

import json
import os
import platform
import struct
import sys
import types
from pathlib import Path


def main() -> int:
    # Kept the script's folder off sys.path; the user's programs should not inherit it.
    os.environ.pop("PYTHONSAFEPATH", None)
    if sys.version_info < (3, 11):  # noqa: UP036 - it is the user's interpreter, which may be any
        return _refuse(f"{sys.executable} is Python {platform.python_version()}; Mino needs 3.11 or newer.")
    folder = Path(__file__).resolve().parents[1]
    if "mino_lsp" not in sys.modules:
        package = types.ModuleType("mino_lsp")
        package.__path__ = [str(folder)]
        sys.modules["mino_lsp"] = package
    from mino_lsp.worker import start

    return start.main()


def _refuse(message: str) -> int:
    """Say no in the frame that the server understands, with nothing of ours that an old Python could not load."""
    body = json.dumps(["Refused", message, ""]).encode("ascii")
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    return 3


if __name__ == "__main__":
    sys.exit(main())
