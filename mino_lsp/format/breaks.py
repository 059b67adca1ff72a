"""Line breaks for a form that stands on one line, as in an expansion: within a width, as the formatter indents.

What is laid out reads as before, and the formatter leaves it as it is: only white space between tokens changes.
"""

from __future__ import annotations

from functools import lru_cache

from mino_lsp.format.edits import apply
from mino_lsp.format.layout import document
from mino_lsp.format.styles import Style, style
from mino_lsp.format.widths import advance
from mino_lsp.syntax import Form, Kind, read

WIDTH = 80
_LARGEST = 200_000  # characters; what is longer stays on its line
_DEEPEST = 200

_TITLES = {
    **dict.fromkeys(("defn", "defn/a", "defmacro", "defclass", "defmu", "deftype", "spec/defgen"), 2),
    **dict.fromkeys(("do", "try", "else", "finally", "cond", "do-mac", "eval-and-compile", "eval-when-compile"), 0),
    **dict.fromkeys(("import", "require", "export", "global", "nonlocal", "lfor", "gfor", "sfor", "dfor"), 0),
}
"""How many forms after the head belong to its line, where that is not one."""

_PAIRS = frozenset({"cond", "setv", "setx"})
_BINDERS = frozenset({"let", "with", "with/a", "for", "for/a", "lfor", "gfor", "sfor", "dfor"})


@lru_cache(maxsize=64)  # the steps of an expansion hold each other's texts
def laid_out(source: str, width: int = WIDTH) -> str:
    """The text with line breaks where its lines would be longer than `width`, if that can be helped."""
    if len(source) > _LARGEST:
        return source
    tree = read(source)
    if tree.problems or any(form.kind is Kind.READER_MACRO for _, _, form in tree.walk()):
        return source
    if max((sum(1 for _ in form.ancestors) for _, _, form in tree.walk()), default=0) > _DEEPEST:
        return source
    text = "\n".join(_Layout(width).lay(form, 0, 0) for form in tree.forms)
    return apply(text, document(read(text))).removesuffix("\n")


class _Layout:
    """Lays out forms, each from a column on, with so many closers after its end."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._widths: dict[tuple[int, int], int] = {}

    def lay(self, form: Form, column: int, closers: int, pairs: bool = False) -> str:
        text = form.text
        if self._fits(text, column, closers) or not (form.is_sequence or form.is_prefix):
            return text
        parts = form.forms
        if form.is_prefix:
            before = text[: parts[-1].start - form.start]
            return before + self.lay(parts[-1], advance(column, before), closers)
        if not parts:
            return text
        if form.kind is Kind.LIST:
            return "(" + self._call(parts, column, closers + 1) + ")"
        opener, closer = form.kind.value, ")" if form.kind is Kind.TUPLE else "}" if "{" in form.kind.value else "]"
        inside = column + len(opener)
        grouped = _groups(parts, 2 if pairs or form.kind is Kind.DICT else 1)
        if all(_is_atom(part) for part in parts) and not pairs and form.kind is not Kind.DICT:
            return opener + self._filled(parts, inside, closers + 1) + closer
        return opener + self._lines(grouped, inside, closers + 1) + closer

    def _fits(self, text: str, column: int, closers: int) -> bool:
        return "\n" not in text and advance(column, text) + closers <= self._width

    def _call(self, parts: tuple[Form, ...], column: int, closers: int) -> str:
        """What is between the brackets of a list that does not fit on its line; `column` is that of its bracket."""
        head = parts[0]
        name = head.text if head.kind is Kind.SYMBOL else ""
        how = style(name, frozenset()) if name else Style.CALL
        first = self.lay(head, column + 1, closers if len(parts) == 1 else 0)
        if len(parts) == 1:
            return first
        if not _is_atom(head):
            return first + self._below(_groups(parts[1:], 1), column + 1, closers)
        if name in _PAIRS or how is Style.CALL:
            groups = _groups(parts[1:], 2) if name in _PAIRS else _arguments(parts[1:])
            after = advance(column + 2, first)
            aligned = after + max(self._least(part) for group in groups for part in group) + closers <= self._width
            if name != "cond" and aligned and _starts_plainly(groups[0], self._fits(groups[0][0].text, after, closers)):
                return f"{first} {self._lines(groups, after, closers)}"
            return first + self._below(groups, column + (2 if name == "cond" else 1), closers)
        return self._body(name, how, first, parts, column, closers)

    def _body(self, name: str, how: Style, first: str, parts: tuple[Form, ...], column: int, closers: int) -> str:
        titles = parts[1 : 1 + _TITLES.get(name, 2 if name.startswith("def") and how is Style.BODY else 1)]
        rest = parts[1 + len(titles) :]
        text, at = first, advance(column + 1, first)
        for title in titles:
            last = title is titles[-1] and not rest
            laid = self.lay(title, at + 1, closers if last else 0, name in _BINDERS)
            text += f" {laid}"
            at = advance(0, laid.rpartition("\n")[2]) if "\n" in laid else advance(at + 1, laid)
        indent = column + 2
        if how is Style.BLOCK and titles:
            indent = advance(column + 2, first)
        return text + self._below(_groups(rest, 1), indent, closers)

    def _below(self, groups: list[tuple[Form, ...]], column: int, closers: int) -> str:
        return "\n" + " " * column + self._lines(groups, column, closers) if groups else ""

    def _lines(self, groups: list[tuple[Form, ...]], column: int, closers: int) -> str:
        """A group a line, or a form a line where a group needs more."""
        lines = []
        for group in groups:
            last = closers if group is groups[-1] else 0
            together = " ".join(part.text for part in group)
            if self._fits(together, column, last):
                lines.append(together)
            elif len(group) == 2 and self._fits(group[0].text, column, 0) and not _is_atom(group[1]):
                at = advance(column, group[0].text) + 1
                lines.append(f"{group[0].text} {self.lay(group[1], at, last)}")
            else:
                lines += [self.lay(part, column, last if part is group[-1] else 0) for part in group]
        return ("\n" + " " * column).join(lines)

    def _filled(self, parts: tuple[Form, ...], column: int, closers: int) -> str:
        lines = [""]
        for part in parts:
            longer = f"{lines[-1]} {part.text}".strip(" ")
            if lines[-1] and not self._fits(longer, column, closers):
                lines.append(part.text)
            else:
                lines[-1] = longer
        return ("\n" + " " * column).join(lines)

    def _least(self, form: Form) -> int:
        """The width that a form needs if all that it holds begins lines, each a column further in."""
        if _is_atom(form):
            return len(form.text)
        key = (form.start, form.end)
        if key not in self._widths:
            inner = [self._least(part) for part in form.forms] or [0]
            self._widths[key] = max([1 + width for width in inner[:-1]] + [2 + inner[-1]])
        return self._widths[key]


def _is_atom(form: Form) -> bool:
    return not form.is_sequence and not form.is_prefix


def _groups(parts: tuple[Form, ...], count: int) -> list[tuple[Form, ...]]:
    return [parts[at : at + count] for at in range(0, len(parts), count)]


def _arguments(parts: tuple[Form, ...]) -> list[tuple[Form, ...]]:
    """The arguments of a call, a keyword with its value."""
    groups: list[tuple[Form, ...]] = []
    at = 0
    while at < len(parts):
        count = 2 if parts[at].kind is Kind.KEYWORD and at + 1 < len(parts) else 1
        groups.append(parts[at : at + count])
        at += count
    return groups


def _starts_plainly(group: tuple[Form, ...], fits: bool) -> bool:
    """Whether the arguments may follow the head on its line: in a chain of calls each begins a line."""
    return _is_atom(group[0]) or fits or group[0].kind is not Kind.LIST
