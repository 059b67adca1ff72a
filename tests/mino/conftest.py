"""What the tests of the library share: a namespace of its own for Hy text, with mino's macros required in it."""

import itertools
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hy
import pytest

ROOT = Path(__file__).parents[2]
_numbers = itertools.count()


class Namespace:
    """A module in which Hy text is evaluated; its macros are those that were required in it."""

    def __init__(self, *requires: str) -> None:
        self.module = types.ModuleType(f"hy_text_{next(_numbers)}")
        sys.modules[self.module.__name__] = self.module
        for name in requires:
            self(f"(require {name} *)")

    def __call__(self, text: str, **names: Any) -> Any:
        """The value of the last form of `text`, with `names` bound before."""
        self.module.__dict__.update({hy.mangle(name): value for name, value in names.items()})
        value = None
        for form in hy.read_many(text):
            value = hy.eval(form, module=self.module)
        return value

    def expand(self, text: str) -> str:
        """The expansion of the one form of `text`, as text."""
        return hy.repr(hy.macroexpand(hy.read(text), module=self.module)).removeprefix("'")

    def error(self, text: str) -> tuple[str, int, int, int, int]:
        """The sentence and the range (line, column, end line, end column; from 1, exclusive) of a macro error."""
        with pytest.raises(SyntaxError) as caught:
            hy.macroexpand(hy.read(text), module=self.module)
        error = caught.value
        return error.msg, error.lineno, error.offset, error.end_lineno, error.end_offset


@pytest.fixture
def run() -> Iterator[Namespace]:
    namespace = Namespace("mino.mu", "mino.thread", "mino.spec")
    yield namespace
    del sys.modules[namespace.module.__name__]


@pytest.fixture
def python() -> Callable[[str], str]:
    """Runs Python text in a new interpreter and gives what it printed."""

    def run_python(text: str) -> str:
        command = [sys.executable, "-c", text]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    return run_python
