"""One pass over some text: its tokens, its brackets, and what is wrong with them."""

from dataclasses import dataclass

from mino_lsp.syntax import kinds, tokens
from mino_lsp.syntax.atoms import classify, valid_prefix
from mino_lsp.syntax.frames import FIELD, SEQUENCE
from mino_lsp.syntax.kinds import CODES, Kind
from mino_lsp.syntax.margin import Margin
from mino_lsp.syntax.strings import Strings

_OPENERS = {opener: (CODES[Kind(opener)], closer) for opener, closer in kinds.CLOSER.items()}
_CLOSERS = dict(_OPENERS.values())
_PREFIXES = {str(kind): (CODES[kind], 2 if kind is Kind.ANNOTATION else 1) for kind in kinds.PREFIXES}
_LIST, _COMMENT, _SHEBANG = CODES[Kind.LIST], CODES[Kind.COMMENT], CODES[Kind.SHEBANG]
_KEYWORD, _MACRO, _ERROR = CODES[Kind.KEYWORD], CODES[Kind.READER_MACRO], CODES[Kind.ERROR]
_STRING = CODES[Kind.STRING]

BRACKET_CODES = frozenset({"unclosed", "mismatched", "unexpected-closer"})


@dataclass(frozen=True, slots=True)
class Policy:
    """How to take brackets that do not match. ``cut``: stop before the next ``(`` in column 0. ``indent``: a line that
    starts left of what it would belong to ends that. ``typo``: a wrong closer closes the innermost bracket. ``short``:
    a string that holds a ``(`` in column 0 lacks its end, which was on its first line."""

    cut: bool = False
    indent: bool = False
    typo: bool = False
    short: bool = False


class Scan(Strings):
    """Reads ``text`` from ``base`` on; ``run`` does it, and the attributes hold what was found."""

    def __init__(self, text: str, base: int, policy: Policy, shebang: bool) -> None:
        super().__init__(text, base)
        self.shebang = shebang
        self.policy = policy
        self.short = policy.short
        self.margin = Margin(text, base) if policy.indent else None
        self.strays: list[str] = []  # closers for which nothing was open
        self.left_open: list[str] = []  # the closers that are missing at the end, outermost first
        self.broken = False  # a closer did not fit what was open

    def run(self) -> int:
        """Read to the end of the text or to where the policy cuts it, and answer which offset that is."""
        text, match, need = self.text, tokens.TOKEN.match, self.need
        pos = self._shebang()
        while True:
            found = match(text, pos)
            assert found is not None  # every part of the expression is optional
            which = found.lastindex
            if which is None:
                pos = found.end()
                break
            start, after, token = found.start(which), found.end(), found.group(which)
            if which == tokens.OPENER and self._is_cut(start):
                pos = start
                break
            if self.margin and which not in (tokens.CLOSER, tokens.COMMENT) and not self.outside:
                self._heed_margin(pos, found.start(tokens.NAME) if which == tokens.NAME_QUOTE else start)
            ended = True
            if which == tokens.NAME:
                self._name(token, start, after)
            elif which == tokens.OPENER:
                after, ended = self._enter(token, start, after)
            elif which == tokens.CLOSER:
                if need[-1] == SEQUENCE and _CLOSERS.get(self._top_kind()) == token:
                    self._leave(token, after)
                else:
                    after, ended = self._odd_closer(token, pos, start)
            elif which == tokens.COMMENT:
                self.add(_COMMENT, start, after - 1 if text[after - 1] == "\r" else after)
                ended = False
            elif which == tokens.KEYWORD:
                self.add(_KEYWORD, start, after)
                if "." in token:
                    self.problem(start, after, "invalid-keyword", kinds.KEYWORD_DOT)
            elif which == tokens.STRING and "\n(" not in token:
                self.add(_STRING, start, after)
            elif which in (tokens.STRING, tokens.QUOTE):
                after, ended = self.quoted(start, start)
            elif which == tokens.NAME_QUOTE:
                after, ended = self._prefixed(found.start(tokens.NAME), start)
            elif which == tokens.BRACKET:
                after, ended = self.bracketed(start)
            else:
                after, ended = self._tag(token, start, after)
            pos = self.settle(after) if ended and need[-1] != SEQUENCE else after
        self._finish(pos)
        return pos

    # Atoms and prefixes

    def _shebang(self) -> int:
        if not (self.shebang and self.text.startswith("#!", self.base)):
            return self.base
        end = self.text.find("\n", self.base)
        end = len(self.text) if end < 0 else end
        self.add(_SHEBANG, self.base, end - 1 if self.text[end - 1] == "\r" else end)
        return end

    def _name(self, name: str, start: int, end: int) -> None:
        kind, wrong = classify(name)
        self.add(kind, start, end)
        if wrong:
            self.problem(start, end, "invalid-identifier", wrong)

    def _prefixed(self, start: int, quote: int) -> tuple[int, bool]:
        """A name with a quote right after it: a string with a prefix, or in ``f"{x"`` a field that lacks its end."""
        name = self.text[start:quote]
        if self.need[-1] == FIELD and self.open[-1].closing == '"' and not valid_prefix(name):
            self._name(name, start, quote)
            return quote, True
        return self.quoted(start, quote)

    def _tag(self, token: str, start: int, end: int) -> tuple[int, bool]:
        if token in _PREFIXES:
            kind, count = _PREFIXES[token]
            self.push(kind, start, end, count)
            return end, False
        if not token[1:2].strip():
            self.add(_ERROR, start, start + 1)
            self.problem(start, start + 1, "dangling-hash", kinds.DANGLING_HASH)
            return start + 1, False
        self.add(_MACRO, start, end)
        return end, True

    # Brackets

    def _top_kind(self) -> int:
        return self.nodes.kind[self.stack[-1]] if len(self.stack) > 1 else -1

    def _enter(self, opener: str, start: int, end: int) -> tuple[int, bool]:
        kind, closer = _OPENERS[opener]
        self.push(kind, start, end, SEQUENCE)
        self.brackets[closer] += 1
        if self.margin and not self.outside:
            self.margin.enter(start, kind == _LIST)
        return end, False

    def _leave(self, closer: str, end: int) -> None:
        """The innermost bracket, which ``closer`` would close, ends at ``end``."""
        self.pop(end)
        self.brackets[closer] -= 1
        if self.margin and not self.outside:
            self.margin.leave()

    def _abandon(self, end: int) -> None:
        """The innermost bracket ends here without a closer."""
        start, after, opener = self.mark(self.stack[-1])
        self.problem(start, after, "unclosed", kinds.unclosed(opener))
        self._leave(kinds.CLOSER[opener], end)
        self.fill(end)

    def _is_cut(self, start: int) -> bool:
        """Whether the ``(`` at ``start`` begins the next piece: it stands in column 0, and nothing waits for it."""
        return (
            self.policy.cut
            and start > self.base
            and self.text[start] == "("
            and self.text[start - 1] in "\n\r"
            and self.need[-1] == SEQUENCE
            and not self.outside
        )

    def _heed_margin(self, before: int, start: int) -> None:
        margin = self.margin
        if margin is None:
            return
        ended = margin.ended(before, start)
        if self.need[-1] == SEQUENCE:
            for _ in range(ended):
                self.drop_prefixes(before)
                self._abandon(start)
        margin.child(start)

    def _odd_closer(self, closer: str, before: int, start: int) -> tuple[int, bool]:
        """A closer that does not close what is innermost. Where to read on, and whether a form ended there."""
        self.drop_prefixes(before)
        end, top = start + 1, _CLOSERS.get(self._top_kind())
        if top == closer:
            self._leave(closer, end)
            return end, True
        self.broken = self.broken or top is not None
        if top is not None and self.policy.typo:
            begin, after, opener = self.mark(self.stack[-1])
            self.problem(begin, after, "mismatched", kinds.mismatched(opener, closer))
            self._leave(top, end)
            return end, True
        if self.brackets[closer] or (closer == "}" and self.outside):
            while self.need[-1] == SEQUENCE and _CLOSERS[self._top_kind()] != closer:
                self._abandon(start)
                self.drop_prefixes(start)
            if self.need[-1] == FIELD:
                return self.end_field(end) if top else self.empty_field(start)
            self._leave(closer, end)
            return end, True
        self.add(_ERROR, start, end)
        self.problem(start, end, "unexpected-closer", kinds.unexpected_closer(closer))
        self.strays.append(closer)
        return end, False

    def _finish(self, end: int) -> None:
        """The text is over: end what is open, and say what is missing. In text that a string swallowed, only the
        string."""
        self.end_strings()
        self.left_open = [kinds.CLOSER[self.mark(index)[2]] for index in self.stack[1:] if self._is_bracket(index)]
        while len(self.stack) > 1:
            if self.need[-1] > 0:
                self.drop_prefixes(end) if not self.unterminated else self.pop(end)
            elif self.need[-1] == SEQUENCE and not self.unterminated:
                self._abandon(end)
            else:
                self.pop(end)
        self.problems.sort(key=lambda problem: (problem.start, problem.end))

    def _is_bracket(self, index: int) -> bool:
        return self.nodes.kind[index] in _CLOSERS
