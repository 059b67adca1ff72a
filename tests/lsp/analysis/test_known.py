"""The data of Hy, hyrule and mino are what the installed packages have."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path

import hy

from mino_lsp.analysis import known

SCRIPT = Path(__file__).parents[3] / "scripts" / "generate_names.py"
DATA = Path(known.__file__).parent / "data" / "packages.json"


def test_the_generated_file_is_up_to_date() -> None:
    """If this fails: run scripts/generate_names.py with the Python of the development environment."""
    # In a process of its own: what other tests have imported of a package would be among its names.
    code = "import runpy, sys; sys.stdout.write(runpy.run_path(sys.argv[1])['render']())"
    command = [sys.executable, "-X", "utf8", "-c", code, str(SCRIPT)]
    told = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")
    assert json.loads(told) == json.loads(DATA.read_text("utf-8"))


def test_every_core_macro_is_described() -> None:
    told = {entry.name for entry in known.core().values()}
    core = builtins._hy_macros  # type: ignore[attr-defined]
    assert told == {hy.unmangle(name) for name in core}
    assert all(entry.doc and entry.signature for entry in known.core().values())


def test_nothing_is_imported_for_it() -> None:
    code = "import sys; from mino_lsp.analysis import known; known.packages(); known.core()\n"
    code += "print([name for name in ('hy', 'hyrule', 'mino', 'torch', 'jedi') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
