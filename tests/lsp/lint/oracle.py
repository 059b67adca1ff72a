"""Whether Hy itself compiles a text: what the checks must never be stricter than."""

from __future__ import annotations

import types
import warnings

import hy
from hy.compiler import hy_compile

PROLOGUE = "(require mino.mu * mino.thread * mino.spec * hyrule [defmain] :readers [%])\n"


def refused(source: str) -> str:
    """Why Hy does not compile a text; empty where it does."""
    module = types.ModuleType("compiled_by_a_test")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = hy_compile(hy.read_many(source), module, source=source, filename="<test>")
            compile(tree, "<test>", "exec")
    except (hy.errors.HyError, SyntaxError, ValueError, TypeError, SystemError, LookupError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return ""
