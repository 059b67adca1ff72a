"""The blocks of a document in order: a persistent sequence that an edit changes in the place it touches.

Blocks are grouped, and offsets are kept relative to the group, so that moving all that follows an edit costs one
addition a group and not one a form.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, islice, takewhile
from types import MappingProxyType

from mino_lsp.syntax.kinds import LONGEST
from mino_lsp.syntax.nodes import Run
from mino_lsp.syntax.reader import Block, read_block, unread

_GROUP = 64
_TRIES = 3


class _Group:
    """Up to about ``_GROUP`` blocks. ``odd`` are those that can't stand alone, ``troubled`` whole ones with
    problems."""

    __slots__ = ("_run", "blocks", "length", "odd", "spilling", "starts", "troubled")

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self.blocks = blocks
        self.starts = list(accumulate((len(block.piece.text) for block in blocks), initial=0))
        self.length = self.starts.pop()
        self.odd = tuple(index for index, block in enumerate(blocks) if not block.whole)
        self.spilling = tuple(index for index, block in enumerate(blocks) if block.spills)
        self.troubled = tuple(index for index, block in enumerate(blocks) if block.whole and block.piece.problems)
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """The pieces of its blocks, where each can stand alone."""
        if self._run is None:
            self._run = Run.of([block.piece for block in self.blocks])
        return self._run


_Known = dict[str, Block]
"""Blocks of an earlier text, by theirs. Those that no string reaches out of, and that a ``(`` in column 0 ended."""


def _next(source: str, base: int, first: bool, short: bool, known: _Known) -> Block:
    """The block that starts at ``base``; one that is known is not read again."""
    if known and not first:
        end = source.find("\n(", base) + 1
        block = known.pop(source[base:end], None) if end else None
        if block is not None:
            return block
    return read_block(source, base, first, short)


def _read_all(source: str, first: bool, short: bool = False, known: _Known | None = None) -> list[Block]:
    blocks = []
    base = 0
    while base < len(source):
        block = _next(source, base, first and base == 0, short, known or {})
        base += len(block.piece.text)
        blocks.append(block)
    return blocks


def _grouped(blocks: list[Block], known: Mapping[tuple[Block, ...], _Group] = MappingProxyType({})) -> list[_Group]:
    parts = (tuple(blocks[at : at + _GROUP]) for at in range(0, len(blocks), _GROUP))
    return [known.get(part) or _Group(part) for part in parts]


class Blocks:
    """An immutable sequence of blocks with their offsets."""

    __slots__ = ("_groups", "_starts", "length")

    def __init__(self, groups: list[_Group]) -> None:
        self._groups = groups
        self._starts = list(accumulate((group.length for group in groups), initial=0))
        self.length = self._starts[-1]

    @classmethod
    def read(cls, source: str) -> "Blocks":
        return cls(_grouped(_read_all(source, first=True) if len(source) <= LONGEST else [unread(source)]))

    @classmethod
    def of(cls, blocks: list[Block]) -> "Blocks":
        return cls(_grouped(blocks))

    @classmethod
    def joined(cls, several: "Iterable[Blocks]") -> "Blocks":
        return cls([group for one in several for group in one._groups])

    def __iter__(self) -> Iterator[tuple[int, Block]]:
        return self.since(0)

    def _place(self, offset: int) -> tuple[int, int]:
        """The group and the index in it of the block that holds the character at ``offset``; the last one at the
        end."""
        at = min(max(bisect_right(self._starts, offset) - 1, 0), len(self._groups) - 1)
        group = self._groups[at]
        return at, bisect_right(group.starts, offset - self._starts[at]) - 1

    def since(self, offset: int) -> Iterator[tuple[int, Block]]:
        """The blocks from the one that holds ``offset`` on, each after its own offset."""
        if not self._groups:
            return
        at, index = self._place(offset)
        while at < len(self._groups):
            group, base = self._groups[at], self._starts[at]
            for start, block in zip(group.starts[index:], group.blocks[index:], strict=True):
                yield base + start, block
            at, index = at + 1, 0

    def groups(self) -> Iterator[tuple[int, _Group]]:
        """All blocks, a group at a time."""
        return zip(self._starts, self._groups, strict=False)

    def between(self, start: int, end: int) -> Iterator[Block]:
        """The blocks that hold the characters from ``start`` up to ``end``."""
        for base, block in self.since(start):
            if base >= end:
                return
            yield block

    def odd(self) -> Iterator[tuple[int, Block]]:
        """The blocks whose brackets don't match within them."""
        for base, group in self.groups():
            for index in group.odd:
                yield base + group.starts[index], group.blocks[index]

    def troubled(self) -> Iterator[tuple[int, Block]]:
        """The blocks that have problems though their brackets match."""
        for base, group in self.groups():
            for index in group.troubled:
                yield base + group.starts[index], group.blocks[index]

    def mended(self, before: "Blocks | None") -> "Blocks":
        """The same text read so that a quote that is missing spoils no more than its line, if one is. Its place is
        before the first string that swallowed a ``(`` in column 0, or soon after: strings may well hold such a thing.
        What stands in the blocks ``before`` the edit is not read again."""
        if not self.unterminated:
            return self
        best, fewest = self, 0
        for at, index in islice(self._spilling(), _TRIES):
            start = self._starts[at] + self._groups[at].starts[index]
            known = before.reusable(self._up_to(start)) if before is not None else {}
            read = _read_all(self.slice(start, self.length), first=start == 0, short=True, known=known)
            count = sum(block.unterminated for block in read)
            if best is self or count < fewest:
                best, fewest = self._replace(at, index, self.length, read, before), count
            if fewest <= 1:
                break
        return best

    @property
    def unterminated(self) -> bool:
        """Whether the text ends within a string."""
        return bool(self._groups) and self._groups[-1].blocks[-1].unterminated

    def _up_to(self, end: int) -> Iterator[Block]:
        return (block for _, block in takewhile(lambda one: one[0] < end, self))

    def reusable(self, kept: Iterable[Block]) -> _Known:
        """The blocks that can be taken where the same text is met again; not those that are kept where they are: no
        block stands twice in a document, so that what is known of it is known by which it is."""
        there = set(kept)
        blocks = (block for _, block in islice(self, 1, None) if block not in there)
        found = {block.piece.text: block for block in blocks if not (block.spills or block.unterminated)}
        if self._groups:
            found.pop(self._groups[-1].blocks[-1].piece.text, None)
        return found

    def _spilling(self) -> Iterator[tuple[int, int]]:
        return ((at, index) for at, group in enumerate(self._groups) for index in group.spilling)

    def slice(self, start: int, end: int) -> str:
        start, end = max(start, 0), min(end, self.length)
        if start >= end:
            return ""
        at, index = self._place(start)
        first = self._starts[at] + self._groups[at].starts[index]
        return "".join([block.piece.text for block in self.between(start, end)])[start - first : end - first]

    def edit(self, start: int, end: int, new: str, before: "Blocks") -> "Blocks":
        """The blocks of the text with ``start`` to ``end`` replaced by ``new``: equal to reading that text, but only
        from the block before the change to the first block after it that still begins where it began. ``before`` are
        these blocks as they were mended."""
        if not self._groups or max(self.length, self.length - (end - start) + len(new)) > LONGEST:
            return Blocks.read(self.slice(0, start) + new + self.slice(end, self.length))
        at, index = self._place(max(start - 1, 0))
        base = self._starts[at] + self._groups[at].starts[index]
        following = self.since(base)
        old, after = "", base
        while after < end or not old:
            _, block = next(following)
            old += block.piece.text
            after = base + len(old)
        text = old[: start - base] + new + old[end - base :]
        known = before.reusable(self._up_to(self.length)) if self.unterminated else {}
        read, after = _read_again(text, base == 0, after, following, self.length, known)
        return self._replace(at, index, after, read, before)

    def _replace(self, at: int, index: int, after: int, read: list[Block], before: "Blocks | None") -> "Blocks":
        """Put blocks in the place of those from the one at ``at``, ``index`` up to the offset ``after``; where the
        blocks ``before`` had the same ones together, they stay together."""
        kept = list(self._groups[at].blocks[:index])
        known = {group.blocks: group for group in before._groups} if before is not None and len(read) > _GROUP else {}
        if after >= self.length:
            return Blocks([*self._groups[:at], *_grouped(kept + read, known)])
        last, beyond = self._place(after)
        rest = list(self._groups[last].blocks[beyond:])
        if len(kept) + len(read) + len(rest) < _GROUP // 4 and last + 1 < len(self._groups):
            last += 1
            rest += self._groups[last].blocks
        return Blocks([*self._groups[:at], *_grouped(kept + read + rest, known), *self._groups[last + 1 :]])


def _read_again(
    text: str, first: bool, after: int, following: Iterable[tuple[int, Block]], length: int, known: _Known
) -> tuple[list[Block], int]:
    """Read ``text``, and as many of the blocks that follow it as its last block now reaches into. The blocks, and the
    old offset at which those that stay begin."""
    read: list[Block] = []
    pos, more, rest = 0, 1, iter(following)
    while True:
        # The next block starts with "(": does a block still end before it?
        window = text if after >= length else text + "("
        while pos < len(text):
            block = _next(window, pos, first and pos == 0, False, known)
            if pos + len(block.piece.text) > len(text):
                break
            pos += len(block.piece.text)
            read.append(block)
        if pos >= len(text):
            return read, after
        swallowed = [block.piece.text for _, block in islice(rest, more)]
        text = "".join([text[pos:], *swallowed])
        first = first and pos == 0
        after += sum(map(len, swallowed))
        pos, more = 0, more * 2
