"""`mino format`: files laid out, in place or shown."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from mino_lsp import format as formatter
from mino_lsp import project
from mino_lsp.checking import located
from mino_lsp.settings import Settings
from mino_lsp.syntax import TOO_LONG, Text, read
from mino_lsp.types import Problem, Span

OK, CHANGES, COULD_NOT = 0, 1, 2


def reformat(names: list[str], check: bool, diff: bool) -> int:
    """Lay out files, or standard input for `-`; with `check` or `diff`, say what would change and change nothing.

    The exit code: 0, 1 where something would change, 2 where a file could not be laid out, which then stays as it is.
    """
    worst = OK
    for name in names:
        worst = max(worst, _one(name, check, diff))
    return worst


def _one(name: str, check: bool, diff: bool) -> int:
    shown = "<standard input>" if name == "-" else name
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        source = data.decode("utf-8")
    except OSError as error:
        return _failed(f"{shown} cannot be read: {error.strerror}.")
    except UnicodeDecodeError as error:
        return _failed(f"{shown} is not UTF-8: byte {error.start} cannot be read. Save it as UTF-8.")
    tree = read(source)
    if not tree.is_read:
        return _failed(f"{shown} stays as it is. {TOO_LONG}")
    if tree.problems:
        first = tree.problems[0]
        problem = Problem(first.code, "error", first.message, Span(first.start, first.end))
        return _failed(located(shown, Text(source), problem))
    settings, _ = project.applied(Settings(), Path.cwd(), trusted=False)
    after = formatter.apply(source, formatter.document(tree, frozenset(settings.bodies)))
    if check or diff:
        return _compared(shown, source, after, diff)
    if name == "-":
        sys.stdout.buffer.write(after.encode("utf-8"))
        sys.stdout.buffer.flush()
    elif after != source:
        try:
            Path(name).write_bytes(after.encode("utf-8"))
        except OSError as error:
            return _failed(f"{shown} cannot be written: {error.strerror}.")
        print(f"{name}: laid out again")
    return OK


def _compared(name: str, before: str, after: str, diff: bool) -> int:
    if before == after:
        return OK
    if diff:
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name} (laid out)"
        )
        sys.stdout.writelines(line if line.endswith("\n") else f"{line}\n" for line in lines)
    else:
        print(f"{name}: would be laid out again")
    return CHANGES


def _failed(message: str) -> int:
    print(f"mino: {message}", file=sys.stderr)
    return COULD_NOT
