"""Importing mino, and requiring its macros, does not import torch; the first mu that is made does."""

import pytest

LOADED = "import sys; print('torch' in sys.modules)"


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        ("import mino", "False"),
        ("import mino.check, mino.steps, mino.procedure, mino.unbound", "False"),
        *(
            (f"import hy; hy.eval(hy.read('(require {name} *)'))", "False")
            for name in ("mino.mu", "mino.thread", "mino.spec")
        ),
        (
            "import hy\nhy.eval(hy.read('(require mino.mu *)'))\n"
            "hy.macroexpand(hy.read('(defmu A [x] x)'))\nhy.macroexpand(hy.read('(bind m :x 1)'))",
            "False",
        ),
        ("import mino; mino.Mu", "True"),
        ("import hy\nhy.eval(hy.read('(require mino.mu *)'))\nhy.eval(hy.read('(mu [x] x)'))", "True"),
    ],
)
def test_torch_is_imported_by_the_first_mu(python, text, loaded):
    assert python(f"{text}\n{LOADED}") == f"{loaded}\n"


def test_the_sentinel_imports_nothing(python):
    probe = "import sys; before = set(sys.modules); import mino.unbound; print(sorted(set(sys.modules) - before))"
    modules = python(f"import mino\ndel __import__('sys').modules['mino.unbound']\n{probe}")
    assert modules == "['mino.unbound']\n"
