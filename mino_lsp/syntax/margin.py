"""What indentation says about which brackets are still open.

Used only for text whose brackets do not match. A line that starts at or left of the line on which a bracket was opened
is taken to lie outside of it, as is one that is aligned with the bracket itself or with an argument before it.
"""

from dataclasses import dataclass

_REACH = 50  # brackets looked at from the innermost: deep nesting on one line must not make reading quadratic


@dataclass(slots=True)
class _Bracket:
    column: int
    indent: int
    line: int
    telling: int  # which child shows how the children are aligned: the first, in a list the second
    children: int = 0
    argument: int = -1


class Margin:
    """Follows the lines and the brackets that are open on them."""

    def __init__(self, text: str, base: int) -> None:
        self.text = text
        self.line = self.seen = base
        self.indent = 0
        self.brackets: list[_Bracket] = []

    def ended(self, before: int, start: int) -> int:
        """A form starts at ``start``, after white space from ``before`` on: how many open brackets that shows to be
        over."""
        newline = self.text.rfind("\n", self.seen, start)
        self.seen = start
        if newline >= 0:
            self.line = newline + 1
        if self.line <= before and before > 0:
            return 0
        self.indent = start - self.line
        return self._left_of(self.indent)

    def child(self, start: int) -> None:
        """The form at ``start`` belongs to the innermost bracket that is open."""
        if self.brackets:
            bracket = self.brackets[-1]
            bracket.children += 1
            if bracket.children == bracket.telling and bracket.line == self.line:
                bracket.argument = start - self.line

    def enter(self, start: int, is_list: bool) -> None:
        self.brackets.append(_Bracket(start - self.line, self.indent, self.line, 2 if is_list else 1))

    def leave(self) -> None:
        self.brackets.pop()

    def _left_of(self, column: int) -> int:
        found = 0
        for depth in range(1, min(len(self.brackets), _REACH) + 1):
            bracket = self.brackets[-depth]
            around = self.brackets[-depth - 1] if depth < len(self.brackets) else None
            aligned = around is not None and around.argument == column < bracket.column
            if column <= bracket.indent or column == bracket.column or aligned:
                found = depth
        return found
