"""What cannot be written as an expression. This module does not import torch."""

from __future__ import annotations

from hy.models import Expression, String

from mino.forms import call, dotted


class Irreversible(ValueError):
    """A model, or a part of one, that no expression describes: it says what, and where it hangs (`model.layers[2]`)."""


def raising(error: Exception) -> Expression:
    """The form that stands for what cannot be written: evaluated, it raises the error."""
    return call("raise", Expression([dotted("hy.I.mino.Irreversible"), String(str(error))]))
