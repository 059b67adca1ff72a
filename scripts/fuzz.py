"""Random and half-typed texts made of real Hy files, edited at random, against the laws of what needs no trust.

    make fuzz                            # ten minutes
    python scripts/fuzz.py --minutes 1 --seed 7

Of every text: reading loses nothing; a tree that was edited equals one that is read anew, its positions go back and
forth in each encoding, and its lines are the index's; every static feature answers; formatting, done twice, is done
once, and never changes what Hy reads. Prints how much was tried. A text that breaks a law is made smaller and kept in
a file, with the seed that makes it again; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import hy
import hyrule

from mino_lsp import format as formatter
from mino_lsp.analysis import Index
from mino_lsp.features.completion import completions, resolve
from mino_lsp.features.definition import declaration, definition, origin
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.features.document_symbols import document_symbols
from mino_lsp.features.folding import folding
from mino_lsp.features.formatting import format_on_type, format_range
from mino_lsp.features.highlights import highlights
from mino_lsp.features.hover import hover
from mino_lsp.features.references import references
from mino_lsp.features.rename import Impossible, prepare_rename, rename
from mino_lsp.features.selection_ranges import selection_ranges
from mino_lsp.features.semantic_tokens import semantic_tokens
from mino_lsp.features.signature_help import signature_help
from mino_lsp.features.workspace_symbols import workspace_symbols
from mino_lsp.settings import Settings
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Encoding, Text, read
from mino_lsp.types import Span

ROOT = Path(__file__).parents[1]
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
ODD = [
    *("\f", "\v", "\x1c", "\x85", "\u2028", "\u2029", "\r", "\r\n", "\n", "\0", "\ud800", "\udc00", "𝒳", "é", "\ufeff"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        '"',
        "#[[",
        "]]",
        "#(",
        "#{",
        "#_",
        "#*",
        "#^",
        "'",
        "`",
        "~",
        "~@",
        ";",
        "\\",
        " ",
    ),
    *('f"{', "}", ":", ".", "#!", "#foo", "(defmu N [x w] ", "(import ", "(let [", ":as ", "(-> ", "None", "1e", "0x"),
]
LONGEST = 6_000


class Nothing:
    """Python packages of which nothing is known."""

    def members(self, module: str, path: str) -> list[str] | None:
        return None


def corpus() -> list[str]:
    folders = [ROOT / "examples", ROOT / "mino", *(Path(one.__file__).parent for one in (hy, hyrule))]
    files = sorted(path for folder in folders for path in folder.rglob("*.hy"))
    return [path.read_bytes().decode() for path in files]


def text_of(rng: random.Random, files: list[str], forms: list[str]) -> str:
    """Whole forms, or a part of a file or of two, with odd things in it and others missing."""
    parts = []
    whole = rng.random() < 0.5
    for _ in range(rng.choice((1, 1, 2))):
        file = rng.choice(files)
        start = rng.randrange(len(file) + 1)
        part = file[start : start + rng.choice((40, 200, 1_000, 3_000))]
        parts += [rng.choice(forms), rng.choice(("\n", "\n\n", " ", "\r\n", "\f\n"))] if whole else [part]
    text = "".join(parts)
    for _ in range(rng.choice((0, 0, 1, 2) if whole else (0, 1, 2, 5, 20))):
        text = changed(text, *edit_of(rng, text))
    return text[:LONGEST]


def edit_of(rng: random.Random, text: str) -> tuple[int, int, str]:
    start = rng.randrange(len(text) + 1)
    size = rng.choice((0, 0, 0, 1, 1, 2, 5, 40))
    some = rng.randrange(len(text) + 1)
    new = rng.choice((rng.choice(ODD), rng.choice(ODD), "", text[some : some + rng.choice((1, 4, 30))], "x"))
    return start, min(start + size, len(text)), new


def changed(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


# ---- the laws; each raises where it is broken


def read_and_printed(text: str) -> None:
    tree = read(text)
    assert "".join(node.text for node in tree.nodes) == text == tree.source


def edited(text: str, seed: int) -> None:
    rng = random.Random(seed)
    tree, lines = read(text), Text(text)
    for _ in range(4):
        start, end, new = edit_of(rng, text)
        encoding = rng.choice(ENCODINGS)
        start, end = (_there_and_back(lines, at, encoding) for at in (start, end))
        text = changed(text, start, end, new)
        tree, lines = tree.edit(start, end, new), lines.edit(start, end, new)
        fresh = read(text)
        assert tree.source == lines.source == text
        assert tree.same(fresh) and tree.problems == fresh.problems
        again = Text(text)
        assert lines.line_count == again.line_count
        assert all(lines.position(at, encoding) == again.position(at, encoding) for at in range(0, len(text) + 1, 7))


def _there_and_back(lines: Text, at: int, encoding: Encoding) -> int:
    """A place that an editor can name: as it is, unless it lies within a line's end."""
    back = lines.offset(*lines.position(at, encoding), encoding)
    assert back == at or lines.source[at - 1 : at + 1] == "\r\n", (at, back)
    return back


def answered(text: str, seed: int) -> None:
    """Everything that a client can ask for, at a few places."""
    rng = random.Random(seed)
    tree, lines = read(text), Text(text)
    index = Index()
    index.opened("file:///w/main.hy", lines, tree)
    shot = Snapshot("file:///w/main.hy", 1, lines, tree, Path("/w"), Settings(), index=index)
    for problem in diagnostics(shot):
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
    document_symbols(shot)
    folding(shot)
    workspace_symbols(index, "m")
    for encoding in ENCODINGS:
        assert len(semantic_tokens(shot, encoding)) % 5 == 0
    for at in {rng.randrange(len(text) + 1) for _ in range(6)}:
        for one in completions(shot, at, Nothing(), True).items[:5]:
            assert one.span.start <= one.span.end == at
            resolve(shot, one.about)
        hover(shot, at)
        signature_help(shot, at)
        definition(shot, at)
        declaration(shot, at)
        origin(shot, at)
        references(shot, at, True)
        highlights(shot, at)
        assert selection_ranges(shot, at)
        format_on_type(shot, at)
        format_range(shot, Span(at, min(at + 100, len(text))))
        try:
            prepare_rename(shot, at)
            rename(shot, at, "brand-new")
        except Impossible:
            pass


def formatted(text: str) -> None:
    after = formatter.apply(text, formatter.document(read(text)))
    assert formatter.apply(after, formatter.document(read(after))) == after
    assert _models(after) == _models(text)


def _models(text: str) -> object:
    """What Hy reads, or None where it refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [_plain(model) for model in hy.read_many(text, skip_shebang=True)]
    except (hy.errors.HySyntaxError, EOFError, RecursionError, ValueError):
        return None


def _plain(model: object) -> object:
    if isinstance(model, hy.models.Sequence):
        said = (getattr(model, "brackets", None), getattr(model, "conversion", None))
        return type(model).__name__, said, [_plain(part) for part in model]
    return type(model).__name__, getattr(model, "brackets", None), repr(model)


LAWS: dict[str, Callable[[str, int], None]] = {
    "read and printed": lambda text, seed: read_and_printed(text),
    "edited as read anew": edited,
    "every feature answered": answered,
    "formatted": lambda text, seed: formatted(text),
}


# ---- what is done with a text that breaks one


def breaks(law: str, text: str, seed: int) -> str:
    """The traceback; empty where the law holds."""
    try:
        LAWS[law](text, seed)
    except Exception:  # noqa: BLE001 - whatever is raised is what is looked for
        return traceback.format_exc()
    return ""


def smaller(law: str, text: str, seed: int, seconds: float = 20) -> str:
    """A part of the text that breaks the law as well: pieces are left out while it does."""
    end, size = time.monotonic() + seconds, len(text) // 2
    while size and time.monotonic() < end:
        at = 0
        while at < len(text) and time.monotonic() < end:
            shorter = text[:at] + text[at + size :]
            if breaks(law, shorter, seed):
                text = shorter
            else:
                at += size
        size //= 2
    return text


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--seed", type=int, default=None, help="that of one text: only this text is tried")
    told = options.parse_args()
    files, tried, broken = corpus(), Counter[str](), 0
    forms = [form.text for file in files for form in read(file).forms]
    first = told.seed if told.seed is not None else time.time_ns()
    end = time.monotonic() + told.minutes * 60
    seed = first
    while broken < 10 and time.monotonic() < end:
        text = text_of(random.Random(seed), files, forms)
        tried["characters"] += len(text)
        tried["texts that Hy reads"] += _models(text) is not None
        for law in LAWS:
            tried[law] += 1
            if breaks(law, text, seed):
                broken += 1
                text_small = smaller(law, text, seed)
                with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="fuzz-", delete=False) as kept:
                    kept.write(f"{law}, seed {seed}\n{text_small!a}\n\n{breaks(law, text_small, seed)}")
                print(f"BROKEN: {law}, --seed {seed}, kept in {kept.name}\n  {text_small!a}"[:2_000], flush=True)
        if told.seed is not None:
            break
        seed += 1
    texts = tried[next(iter(LAWS))]
    print(f"{texts:,} texts of {len(files)} files, {tried['characters']:,} characters, from seed {first}")
    print(f"{tried['texts that Hy reads']:,} of them Hy reads")
    for law in LAWS:
        print(f"  {law}: {tried[law]:,}")
    print(f"{broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
