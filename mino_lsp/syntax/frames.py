"""The nodes that are still open while text is read: an explicit stack, so no nesting is too deep.

Beside each open node stands what it waits for: ``SEQUENCE`` for a bracket (and for the ground below everything), a
positive count for a prefix that still needs so many forms, ``FIELD`` for the form of an f-string's field, and
``FORMAT`` (of a field) and ``LITERAL`` (of an f-string) while characters are read and not code.
"""

from mino_lsp.syntax import kinds
from mino_lsp.syntax.kinds import CODES, KINDS, Kind, SyntaxProblem
from mino_lsp.syntax.nodes import Columns

SEQUENCE, FIELD, LITERAL, FORMAT = -1, -2, -3, -4
DISCARD = CODES[Kind.DISCARD]


class Frames:
    """What was read so far of ``text`` from ``base`` on. Nodes and problems are relative to ``base``."""

    def __init__(self, text: str, base: int) -> None:
        self.text, self.base = text, base
        self.nodes = Columns.empty()
        self.problems: list[SyntaxProblem] = []
        self.stack, self.need = [-1], [SEQUENCE]

    def add(self, kind: int, start: int, end: int) -> int:
        return self.nodes.add(kind, start - self.base, end - self.base, self.stack[-1])

    def problem(self, start: int, end: int, code: str, message: str) -> None:
        self.problems.append(SyntaxProblem(start - self.base, end - self.base, code, message))

    def push(self, kind: int, start: int, end: int, need: int) -> int:
        index = self.add(kind, start, end)
        self.stack.append(index)
        self.need.append(need)
        return index

    def pop(self, end: int) -> int:
        index = self.stack.pop()
        self.need.pop()
        self.nodes.end[index] = end - self.base
        self.nodes.stop[index] = len(self.nodes.kind)
        return index

    def mark(self, index: int) -> tuple[int, int, str]:
        """Where the opening of an open node stands, and the opening itself."""
        opening = str(KINDS[self.nodes.kind[index]])
        start = self.nodes.start[index] + self.base
        return start, start + len(opening), opening

    def fill(self, end: int) -> bool:
        """A form ended: it may be what the prefixes around it waited for. Whether that is a form for what is open
        now."""
        need = self.need
        while need[-1] > 0:
            need[-1] -= 1
            if need[-1] or self.nodes.kind[self.pop(end)] == DISCARD:
                return False
        return True

    def drop_prefixes(self, end: int) -> None:
        """No form follows the innermost prefixes: say so once, and end them."""
        if self.need[-1] > 0:
            start, after, opening = self.mark(self.stack[-1])
            self.problem(start, after, "missing-form", kinds.missing_form(opening))
        while self.need[-1] > 0:
            self.pop(end)
