"""The brackets and prefixes around a token, and the column at which they want a line to begin."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from mino_lsp.format.styles import Style, style
from mino_lsp.format.tokens import Role, Token
from mino_lsp.syntax import Kind

_HEADS = {Kind.SYMBOL, Kind.KEYWORD, Kind.UNQUOTE}


@dataclass(slots=True)
class Frame:
    """An open bracket or prefix. ``first`` and ``second`` are the columns of its first two forms, where these stand on
    the line of what is before them; ``style`` is None for data."""

    kind: Kind
    column: int
    inside: int
    is_prefix: bool
    style: Style | None = None
    count: int = 0
    first: int | None = None
    second: int | None = None

    def indent(self) -> int:
        if self.is_prefix:
            return self.column
        if self.style is None or self.count == 0:
            return self.inside if self.first is None else self.first
        if self.style is Style.BODY:
            return self.column + 2
        if self.second is not None:
            return self.second
        return self.column + 2 if self.style is Style.BLOCK else self.inside

    def child(self, token: Token, text: str, column: int, begins_line: bool, bodies: Set[str]) -> None:
        """A form begins at ``column`` right in this one; ``text`` is that of an atom."""
        if self.is_prefix or (self.count == 0 and token.kind is Kind.DISCARD):
            return
        self.count += 1
        if self.count == 1:
            self.first = None if begins_line else column
            if self.kind is Kind.LIST and token.kind in _HEADS:
                self.style = style(text, bodies) if token.kind is Kind.SYMBOL else Style.CALL
        elif self.count == 2 and not begins_line:
            self.second = column


def opened(token: Token, column: int) -> Frame:
    return Frame(token.kind, column, column + token.end - token.start, token.role is Role.MARK)
