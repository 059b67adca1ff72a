"""Values that a preview on shapes alone does not know: they can be printed, formatted and calculated with, and what is
decided by one is assumed.

At a branch that a program leaves to such a value, the side that neither raises nor exits is taken. Which side that is
is read from the byte code at the place that asks: so libraries' checks are passed as the user's are.
"""

from __future__ import annotations

import dis
import operator
import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any

assume: list[Callable[[], None]] = []
"""What is to be told that from here on something is assumed: the recorder of this evaluation."""

_EXITS = frozenset({"exit", "quit", "_exit", "abort"})
_STRAIGHT = 60
"""How many instructions are followed in search of a raise."""


def assumed() -> None:
    for tell in assume:
        tell()


class _Unknown:
    """Arithmetic that stays unknown; comparisons that stay undecided."""

    def __bool__(self) -> bool:
        assumed()
        return decide(sys._getframe(1))

    def _compare(self, other: object) -> Undecided:
        return Undecided(1)

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _compare  # type: ignore[assignment]

    def __round__(self, digits: int | None = None) -> Any:
        return UnknownInt.assuming() if digits is None else self

    def __trunc__(self) -> int:
        return UnknownInt.assuming()

    __floor__ = __ceil__ = __trunc__

    def __int__(self) -> int:
        """A plain one, as Python demands of what it calls itself."""
        assumed()
        return 1


def _calculated(name: str, kind: type | None) -> Callable[..., Any]:
    function = getattr(operator, name, None)

    def calculate(self: Any, *others: Any) -> Any:
        other = others[0] if others else None
        if others and not isinstance(other, (int, float)):
            return NotImplemented
        # An exact number stands for it; whether the result is whole is all that matters.
        whole = kind is None and isinstance(self, int) and not isinstance(other, float)
        return UnknownInt(1) if whole else UnknownFloat(1.0)

    calculate.__name__ = f"__{name}__"
    calculate.__doc__ = getattr(function, "__doc__", None)
    return calculate


class UnknownFloat(_Unknown, float):  # type: ignore[misc]
    """A float that is not known."""

    __hash__ = float.__hash__


class UnknownInt(_Unknown, int):  # type: ignore[misc]
    """An integer that is not known. It may become a size anywhere, in C too: making one is an assumption."""

    __hash__ = int.__hash__

    @classmethod
    def assuming(cls) -> UnknownInt:
        assumed()
        return cls(1)


class Undecided(_Unknown, int):  # type: ignore[misc]
    """A truth that is not known, as of a comparison with what is not. As a bool is, it is a number too: how many were
    right is a sum of such."""

    __hash__ = int.__hash__

    def __repr__(self) -> str:
        return "True"

    def __format__(self, how: str) -> str:
        return format(True, how)


KINDS: dict[type, str] = {UnknownFloat: "float", UnknownInt: "int", Undecided: "bool"}
"""What a run has in the place of these."""

for _name in ("add", "sub", "mul", "floordiv", "mod", "pow", "truediv"):
    for _of in (UnknownFloat, UnknownInt, Undecided):
        _method = _calculated(_name, float if _name == "truediv" else None)
        setattr(_of, f"__{_name}__", _method)
        setattr(_of, f"__r{_name}__", _method)
for _name in ("neg", "pos", "abs"):
    for _of in (UnknownFloat, UnknownInt, Undecided):
        setattr(_of, f"__{_name}__", _calculated(_name, None))


def truths(value: Any) -> Any:
    """A value of which a tensor is made, with a truth for each that is not known: its dtype is that of a bool's."""
    if isinstance(value, Undecided):
        assumed()
        return True
    if type(value) in (list, tuple):
        return type(value)(map(truths, value))
    return value


def decide(frame: types.FrameType) -> bool:
    """The truth to tell at the place where `frame` stands: the one whose side neither raises nor exits, else True."""
    instructions, at = _instructions(frame.f_code)
    index = at.get(frame.f_lasti)
    if index is None:
        return True
    while index < len(instructions) and instructions[index].opname in ("TO_BOOL", "COPY", "NOT_TAKEN", "CACHE"):
        index += 1
    jump = instructions[index]
    if "JUMP" not in jump.opname or "IF_" not in jump.opname or "NONE" in jump.opname:
        return True
    jumps_when = "IF_TRUE" in jump.opname
    target = at.get(jump.argval)
    if target is None:
        return True
    here, there = _ends_badly(instructions, at, index + 1), _ends_badly(instructions, at, target)
    if here != there:
        return jumps_when if here else not jumps_when
    # What repeats until something is so comes to its end.
    loop = _while_around(instructions, at, index)
    if loop is not None:
        here, there = _leaves(instructions, at, index + 1, loop), _leaves(instructions, at, target, loop)
        if here != there:
            return jumps_when if there else not jumps_when
    return True


def _while_around(instructions: list[dis.Instruction], at: dict[int, int], index: int) -> tuple[int, int] | None:
    """Where the innermost `while` around an instruction begins and ends."""
    for end in range(index, len(instructions)):
        name, target = instructions[end].opname, instructions[end].argval
        start = at.get(target, len(instructions)) if "JUMP" in name else len(instructions)
        if start <= index and start <= end:
            return None if instructions[start].opname in ("FOR_ITER", "SEND") else (start, end)
    return None


def _leaves(instructions: list[dis.Instruction], at: dict[int, int], index: int, loop: tuple[int, int]) -> bool:
    """True if what stands from `index` on is outside a loop, or goes there before the next branch."""
    start, end = loop
    for _ in range(_STRAIGHT):
        if not start <= index <= end:
            return True
        name = instructions[index].opname
        if name.startswith("RETURN"):
            return True
        if "JUMP" in name and name != "JUMP_FORWARD":
            return False
        if name in ("FOR_ITER", "SEND"):
            return False
        index = at.get(instructions[index].argval, len(instructions)) if name == "JUMP_FORWARD" else index + 1
    return False


@cache
def _instructions(code: types.CodeType) -> tuple[list[dis.Instruction], dict[int, int]]:
    found = list(dis.get_instructions(code))
    return found, {instruction.offset: index for index, instruction in enumerate(found)}


def _ends_badly(instructions: list[dis.Instruction], at: dict[int, int], index: int) -> bool:
    """True if what stands from `index` on raises or exits before the next branch."""
    for _ in range(_STRAIGHT):
        if index >= len(instructions):
            return False
        instruction = instructions[index]
        name = instruction.opname
        if name in ("RAISE_VARARGS", "LOAD_ASSERTION_ERROR"):
            return True
        if name.startswith(("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_NAME")) and instruction.argval in _EXITS:
            return True
        if name.startswith("RETURN") or ("JUMP" in name and "IF_" in name) or name == "FOR_ITER":
            return False
        if name == "JUMP_FORWARD":
            index = at.get(instruction.argval, len(instructions))
        elif "JUMP" in name:
            return False
        else:
            index += 1
    return False
