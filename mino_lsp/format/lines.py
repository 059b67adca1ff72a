"""The lines of one piece of text: a walk over its tokens that knows the column of each as it will be."""

from __future__ import annotations

import re
from collections.abc import Set

from mino_lsp.format.edits import Edit
from mino_lsp.format.frames import Frame, opened
from mino_lsp.format.tokens import Role, Token, tokens
from mino_lsp.format.widths import advance
from mino_lsp.syntax import Kind
from mino_lsp.syntax.nodes import Piece

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_LINE_END = re.compile(r"\r?\n")
_BLANKS_AT_END = re.compile(r"[ \t]+(?=\r?\Z)")


class Lines:
    """``edits`` lay out the piece between two offsets, in order. A line outside of them counts as it stands. ``last``
    says that the document ends with this piece, in one line break."""

    def __init__(
        self,
        piece: Piece,
        bodies: Set[str],
        start: int,
        end: int,
        last: bool = False,
        unclosed: Set[int] = frozenset(),
    ) -> None:
        self.text, self.bodies, self.start, self.end = piece.text, bodies, start, end
        self.edits: list[Edit] = []
        self._frames: list[Frame] = []
        self._column = 0
        self._done = 0  # where the last token ended
        self._before: Token | None = None
        self._tokens = list(tokens(piece, unclosed))
        self._walk(last)
        self.edits.sort(key=lambda edit: (edit.start, edit.end))

    def _walk(self, last: bool) -> None:
        index = 0
        while index < len(self._tokens):
            token = self._tokens[index]
            if token.role is Role.OPAQUE:
                return
            if token.role is Role.CLOSE and token.end > token.start:
                index = self._closer(index)
                continue
            if token.role in (Role.END, Role.CLOSE):
                self._frames.pop()
            else:
                self._form(token)
            index += 1
        self._rest(last)

    def _edit(self, start: int, end: int, new: str) -> bool:
        """Replace text, if all of it may be touched."""
        if start < self.start or end > self.end:
            return False
        if self.text[start:end] != new:
            self.edits.append(Edit(start, end, new))
        return True

    # ---- forms and comments

    def _form(self, token: Token) -> None:
        begins_line = self._gap(token)
        text = self.text[token.start : token.end]
        if token.role is not Role.COMMENT and self._frames:
            self._frames[-1].child(token, text, self._column, begins_line, self.bodies)
        if token.role in (Role.OPEN, Role.MARK):
            self._frames.append(opened(token, self._column))
        if token.role is Role.COMMENT:
            blanks = _BLANKS_AT_END.search(text)
            if blanks is not None:
                self._edit(token.start + blanks.start(), token.start + blanks.end(), "")
        self._passed(token, text)

    def _passed(self, token: Token, text: str) -> None:
        last_line = max(text.rfind("\n"), text.rfind("\r")) + 1
        self._column = advance(0, text[last_line:]) if last_line else advance(self._column, text)
        self._done, self._before = token.end, token

    def _gap(self, token: Token) -> bool:
        """Lay out the white space before a token. Whether the token begins a line."""
        gap = self.text[self._done : token.start]
        begins_line = self._before is None or "\n" in gap or "\r" in gap
        if begins_line:
            self._new_line(token.start)
        elif gap and self._opens_list(self._before) and token.role is not Role.COMMENT:
            self._tight(token.start)
        else:
            self._column = advance(self._column, gap)
        return begins_line

    def _opens_list(self, token: Token | None) -> bool:
        return token is not None and token.role is Role.OPEN and token.kind is Kind.LIST

    def _tight(self, to: int) -> None:
        """No white space within a line, up to ``to``."""
        if not self._edit(self._done, to, ""):
            self._column = advance(self._column, self.text[self._done : to])

    def _new_line(self, to: int) -> None:
        """The white space up to ``to`` ends a line: nothing at the ends of lines, and the right indentation."""
        line = self._stripped(to)
        blank = self.text[line:to]
        wanted = self._frames[-1].indent() if self._frames else 0
        if not blank.strip(" \t") and self._edit(line, to, " " * wanted):
            self._column = wanted
        else:
            self._column = advance(0, blank)

    def _stripped(self, to: int) -> int:
        """Strip the lines that end before ``to``. Where the line of ``to`` begins."""
        line = self._done
        for match in _LINE_BREAK.finditer(self.text, self._done, to):
            kept = len(self.text[line : match.start()].rstrip(" \t"))
            self._edit(line + kept, match.start(), "")
            line = match.end()
        return line

    def _rest(self, last: bool) -> None:
        """The white space after the last token."""
        rest = self.text[self._done :]
        shebang = self._before is not None and self._before.kind is Kind.SHEBANG  # Hy refuses one that has no line end
        if not last or shebang or rest.strip(" \t\r\n"):
            line = self._stripped(len(self.text))
            self._edit(line + len(self.text[line:].rstrip(" \t")), len(self.text), "")
        else:
            ending = _LINE_BREAK.search(rest) or _LINE_END.search(self.text)
            wanted = ending.group() if ending is not None else "\n"
            self._edit(self._done, len(self.text), wanted if self._before is not None else "")

    # ---- closers

    def _closer(self, index: int) -> int:
        """Lay out a closer, which never stands alone. Which token is next."""
        token = self._tokens[index]
        gap = self.text[self._done : token.start]
        if "\n" in gap or "\r" in gap:
            if self._before is not None and self._before.role is Role.COMMENT:
                beyond = self._before_comment(index)
                if beyond:
                    return beyond
                self._new_line(token.start)
            elif not self._edit(self._done, token.start, ""):
                self._new_line(token.start)
        elif gap and (token.kind is Kind.LIST or self._before is None or self._before.role is Role.OPEN):
            self._tight(token.start)
        else:
            self._column = advance(self._column, gap)
        self._frames.pop()
        self._passed(token, self.text[token.start : token.end])
        return index + 1

    def _before_comment(self, index: int) -> int:
        """Move the closers from ``index`` on to before the comment at the end of the line above.

        Which token is next, or 0 where the comment has that line for itself, or more follows on that of the closers.
        """
        comment = self._before
        assert comment is not None
        code = self._code_before(index)
        beyond = index
        while beyond < len(self._tokens) and self._tokens[beyond].role in (Role.CLOSE, Role.END):
            beyond += 1
        end = self._tokens[beyond - 1].end
        follows = self._tokens[beyond].start if beyond < len(self._tokens) else len(self.text)
        line_end = _LINE_BREAK.search(self.text, end, follows)
        # For Hy, a lone "\r" does not end a comment.
        alone = line_end.group() != "\r" if line_end is not None else follows == len(self.text)
        if code is None or not alone or code.end < self.start or end > self.end:
            return 0
        run = self._tokens[index:beyond]
        self._edit(code.end, code.end, "".join(self.text[token.start : token.end] for token in run))
        self._edit(comment.end - self.text.endswith("\r", 0, comment.end), end, "")
        del self._frames[-len(run) :]
        self._done, self._before = end, run[-1]
        return beyond

    def _code_before(self, index: int) -> Token | None:
        """The token on whose line the comment before the closer at ``index`` stands."""
        while self._tokens[index].role is not Role.COMMENT:
            index -= 1
        comment = self._tokens[index]
        earlier = (self._tokens[at] for at in range(index - 1, -1, -1))
        found = next((token for token in earlier if token.end > token.start), None)
        if found is None or _LINE_BREAK.search(self.text, found.end, comment.start):
            return None
        return found
