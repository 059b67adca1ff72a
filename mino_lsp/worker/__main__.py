"""The worker's start, by path and under another interpreter: `python -P …/mino_lsp/worker/__main__.py`.

The server's site-packages must not become importable here, or its versions would hide the user's. So the package
`mino_lsp` is put together by hand from the folder above, and nothing is added to `sys.path`.
"""

import sys
import types
from pathlib import Path


def main() -> int:
    folder = Path(__file__).resolve().parents[1]
    if "mino_lsp" not in sys.modules:
        package = types.ModuleType("mino_lsp")
        package.__path__ = [str(folder)]
        sys.modules["mino_lsp"] = package
    from mino_lsp.worker import warden

    return warden.main()


if __name__ == "__main__":
    sys.exit(main())
