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
def revive() -> Callable[..., Any]:
    """Writes a model as text, makes a model of that, and holds it against the first: returns the new one."""
    import torch

    import mino

    def state(model: Any) -> list[Any]:
        named = model.state_dict(keep_vars=True).items()
        return [(name, *about(tensor)) for name, tensor in named if isinstance(tensor, torch.Tensor)]

    def about(tensor: Any) -> Any:
        shape = "?" if torch.nn.parameter.is_lazy(tensor) else (tuple(tensor.shape), tensor.stride())
        return type(tensor), shape, tensor.dtype, tensor.device, tensor.requires_grad

    def temporary(model: Any) -> list[Any]:
        saved = model.state_dict()
        return [(name, *about(each), str(each.tolist())) for name, each in model.named_buffers() if name not in saved]

    def kinds(model: Any) -> list[Any]:
        named = model.named_modules(remove_duplicate=False)
        return [(name, isinstance(each, mino.Mu) or type(each), each.training) for name, each in named]

    def sharing(model: Any) -> list[list[str]]:
        found: dict[int, list[str]] = {}
        for named in (model.named_parameters, model.named_modules, model.named_buffers):
            for name, each in named(remove_duplicate=False):
                found.setdefault(id(each), []).append(name)
        return list(found.values())

    def revived(model: Any, *inputs: Any) -> Any:
        generator = torch.get_rng_state()
        form = mino.form(model)
        assert torch.equal(generator, torch.get_rng_state())
        text = hy.repr(form).removeprefix("'")
        if isinstance(model, mino.Mu):
            assert hy.repr(model) == text
        again = mino.revive(text)
        assert hy.repr(mino.form(again)).removeprefix("'") == text
        assert hy.repr(mino.form(mino.revive(form))).removeprefix("'") == text
        for same in (state, temporary, kinds, sharing):
            assert same(again) == same(model), text
        again.load_state_dict(model.state_dict())
        if inputs:
            assert outputs(again, inputs) == outputs(model, inputs), text
        return again

    def outputs(model: Any, inputs: Any) -> Any:
        torch.manual_seed(0)
        return flat(model(*(each.clone() for each in inputs)))

    def flat(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return [flat(each) for each in value]
        return (value.tolist(), value.dtype) if isinstance(value, torch.Tensor) else value

    return revived


@pytest.fixture
def python() -> Callable[[str], str]:
    """Runs Python text in a new interpreter and gives what it printed."""

    def run_python(text: str) -> str:
        command = [sys.executable, "-c", text]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    return run_python
