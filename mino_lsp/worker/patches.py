"""Attributes of foreign modules and classes that are replaced for the time of one evaluation."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

_MISSING = object()


class Patches(ExitStack):
    """Replaces attributes, and puts back what was there when it is left."""

    def set(self, owner: Any, name: str, value: Any) -> Any:
        """Replace `owner.name`. Returns what it was, looked up as Python does, None if there was nothing."""
        own = vars(owner).get(name, _MISSING)
        before = getattr(owner, name, None)
        self.callback(delattr if own is _MISSING else setattr, owner, name, *(() if own is _MISSING else (own,)))
        setattr(owner, name, value)
        return before
