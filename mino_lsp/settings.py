"""What a user may set, from `initializationOptions`, from the client's section `mino` and in `pyproject.toml`.

Unknown names are passed over; a value of the wrong type keeps the default and is said in a sentence.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field, replace
from typing import Any

from mino_lsp.types import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults stand here. `debounce` is in seconds; None adapts it to what the last preview cost."""

    trust: str = "ask"
    python: str = ""
    device: str = "auto"
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = ""
    nproc: int = 1
    torchrun: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    again: str = "ask"
    preview: str = "onType"
    debounce: float | None = None
    main: bool = True
    unconfined: bool = False
    limits: Limits = field(default_factory=Limits)
    inlay_hints: bool = True
    hinted_steps: bool = True
    hinted_components: bool = False
    hinted_bindings: bool = False
    disabled: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()


_CHOICES = {
    "trust": ("ask", "full", "none"),
    "preview.mode": ("onType", "onSave", "off"),
    "run.again": ("ask", "replace", "refuse"),
}

_NAMES: dict[str, tuple[str, type]] = {
    "trust": ("trust", str),
    "python": ("python", str),
    "device": ("device", str),
    "run.args": ("args", list),
    "run.env": ("env", dict),
    "run.cwd": ("cwd", str),
    "run.torchrun": ("torchrun", list),
    "run.prefix": ("prefix", list),
    "run.again": ("again", str),
    "preview.mode": ("preview", str),
    "preview.main": ("main", bool),
    "preview.unconfined": ("unconfined", bool),
    "inlayHints.enabled": ("inlay_hints", bool),
    "inlayHints.steps": ("hinted_steps", bool),
    "inlayHints.components": ("hinted_components", bool),
    "inlayHints.bindings": ("hinted_bindings", bool),
    "diagnostics.disable": ("disabled", list),
    "format.bodies": ("bodies", list),
}

_LIMITS = {"preview.cpu": "cpu", "preview.time": "wall", "preview.memory": "memory", "preview.output": "output"}
_MOST = 2**60
"""No limit is larger: the system counts in 64 bits."""
_NUMBERS = {**_LIMITS, "preview.debounce": "debounce", "run.nproc": "nproc"}

NAMES: Set[str] = _NAMES.keys() | _NUMBERS.keys()
"""All that can be set."""


def merge(
    settings: Settings, told: object, allowed: Set[str] = NAMES, of: str = "The setting mino."
) -> tuple[Settings, list[str]]:
    """The settings with those told that are allowed laid over them, and a sentence for each value that cannot be used,
    which begins with `of` and the setting's name."""
    if not isinstance(told, dict):
        return settings, []
    complaints: list[str] = []
    for name, (attribute, kind) in _NAMES.items():
        value = _look_up(told, name)
        if value is None or name not in allowed:
            continue
        if not isinstance(value, kind) or (name in _CHOICES and value not in _CHOICES[name]):
            wanted = ", ".join(f'"{c}"' for c in _CHOICES[name]) if name in _CHOICES else _WORDS[kind]
            complaints.append(f"{of}{name} is {value!r}; it must be {wanted}. It was passed over.")
            continue
        settings = replace(settings, **{attribute: _frozen(value)})
    for name, attribute in _NUMBERS.items():
        value = _look_up(told, name)
        if value is None or name not in allowed or (value == "adaptive" and attribute == "debounce"):
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            complaints.append(f"{of}{name} is {value!r}; it must be a number from 0 on. It was passed over.")
        elif attribute == "debounce":
            settings = replace(settings, debounce=value / 1000)
        elif attribute == "nproc":
            settings = replace(settings, nproc=max(1, int(value)))
        else:
            limit: Any = max(1, min(int(value), _MOST)) if attribute != "wall" else max(0.1, float(value))
            settings = replace(settings, limits=replace(settings.limits, **{attribute: limit}))
    return settings, complaints


def unknown(told: object) -> list[str]:
    """The names of what is told that is no setting, of tables with the names of those in them."""
    if not isinstance(told, dict):
        return []
    found = []
    for name, value in told.items():
        inner = any(one.startswith(f"{name}.") for one in NAMES)
        found += (
            [f"{name}.{one}" for one in value if f"{name}.{one}" not in NAMES]
            if inner and isinstance(value, dict)
            else []
        )
        found += [] if inner or name in NAMES else [name]
    return found


_WORDS: dict[type, str] = {
    str: "a string",
    list: "a list of strings",
    dict: "a table of strings",
    bool: "true or false",
}


def _look_up(told: dict[str, Any], name: str) -> Any:
    """`run.args` as `{"run": {"args": …}}` or as `{"run.args": …}`."""
    if name in told:
        return told[name]
    value: Any = told
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(str, value))
    if isinstance(value, dict):
        return {str(key): str(item) for key, item in value.items()}
    return value
