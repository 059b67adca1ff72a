"""Models as expressions that make them again: `form` gives the Hy model tree, `revive` the model of one.

An expression says all of a model but the elements of the tensors that `state_dict` has. What it cannot say raises
`Irreversible`; in the text that `hy.repr` gives, that part is a form that raises it.
"""

from __future__ import annotations

import hy
import torch
from hy.models import Object
from torch import nn

from mino import recipe
from mino.forms import text
from mino.reverting.irreversible import Irreversible, raising
from mino.reverting.writer import whole
from mino.specs.foreign import Raised, attempt
from mino.summary import summary


def form(model: nn.Module) -> Object:
    """The expression of a model: where `(require mino.mu *)` and `(import torch)` stand, it makes one with the same
    state, its elements left out.

    Raises `Irreversible` for what no expression describes, and `TypeError` for what is no module.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"mino.form takes a torch.nn.Module; found {summary(model)}")
    return whole(model, strict=True)


def revive(form: Object | str) -> nn.Module:
    """The model that an expression makes, as `form` or the text of `hy.repr` gives it.

    Raises `TypeError` when its value is no module, and what Hy raises for a text that is not one form.
    """
    tree = hy.read(form) if isinstance(form, str) else form
    made = recipe.evaluated(tree, {"torch": torch}, macros=("mino.mu",))
    if not isinstance(made, nn.Module):
        raise TypeError(f"mino.revive takes the form of a torch.nn.Module; this one makes {summary(made)}")
    return made


def written(model: nn.Module) -> str:
    """The text of `(hy.repr model)`. Never raises."""
    told = attempt(lambda: text(whole(model, strict=False)))
    return text(raising(Irreversible(f"model: {told}"))) if isinstance(told, Raised) else str(told)
