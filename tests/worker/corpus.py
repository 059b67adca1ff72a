"""Every macro call of a corpus, expanded: does the shown text mean what the call does, and does its map tell the truth?

`python -m tests.worker.corpus` goes through the installed hy and hyrule, mino, our examples and the code of our docs,
with `ours` through the last two, or through the files that are named, and prints what it found. Both sides are compiled
in the place of the call, with the macros that are there; they mean the same where their Python is the same but for the
names of fresh variables.
"""

from __future__ import annotations

import ast
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hy
import hyrule
from hy.compiler import hy_compile
from hy.reader import HyReader

import mino
from mino_lsp import types as t
from mino_lsp.expansions import Shown, shown
from mino_lsp.syntax import read
from mino_lsp.worker import expand
from mino_lsp.worker.macros import Macros
from mino_lsp.worker.patience import Patience

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"^```hy[^\n]*\n(.*?)^```", re.M | re.S)
_LITERAL = re.compile(r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
_PLACE = re.compile(r"(Constant\(value='[^']*'\))(?:, Constant\(value=\d+\)){4}")
_IN_TEXT = re.compile(r"(?<=[\s(\[])(_hy_gensym_\w*?)_\d+")
_FRESH = re.compile(r"'_hy_")


@dataclass
class Found:
    """`expansions` that were compared, the entries of their `maps`, and whatever was wrong, in words."""

    calls: int = 0
    expansions: int = 0
    entries: int = 0
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


def corpus() -> Iterator[tuple[str, str]]:
    """Names and texts of Hy programs."""
    for package in (hy, hyrule, mino):
        for file in sorted(Path(str(package.__file__)).parent.rglob("*.hy")):
            yield str(file), file.read_text("utf-8")
    yield from ours()


def ours() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "examples").glob("*.hy")):
        yield str(file), file.read_text("utf-8")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        code = "\n".join(_CODE.findall(page.read_text("utf-8")))
        if code and not read(code).problems:
            yield f"{page}.hy", code


def look(name: str, text: str, found: Found) -> None:
    """Expand and compare each macro call of a text."""
    forms = tuple(t.Span(form.start, form.end) for form in read(text).forms)
    environment = t.Environment("/")
    macros = Macros(name, pure=False)
    for span in forms:
        one = t.SurveyRequest(0, name, text, forms, (span,), environment)
        calls = expand.survey(one, macros).calls if text[span.start] == "(" else ()
        found.calls += len(calls)
        for call in calls:
            offset = call.span.start + 1
            request = t.ExpandRequest(0, name, text, forms, offset, "all", environment)
            began = time.perf_counter()
            told = expand.expand(request, macros, lambda _: None)
            found.milliseconds.append(1000 * (time.perf_counter() - began))
            where = f"{name}:{text.count(chr(10), 0, offset) + 1}: {text[call.span.start : call.span.end][:60]!r}"
            if isinstance(told, t.Failed) or told.span != call.span or told.problems:
                found.refused.append(f"{where}: {told if isinstance(told, t.Failed) else (told.span, told.problems)}")
                continue
            expansion = shown(told)
            found.expansions += 1
            found.entries += len(expansion.tokens)
            found.wrong += [f"{where}: {problem}" for problem in _problems(text, span, expansion, macros)]
        macros.evaluate(text[span.start : span.end], Patience(t.Limits()))


def _problems(text: str, span: t.Span, expansion: Shown, macros: Macros) -> Iterator[str]:
    source = expansion.text.source
    for place, there in expansion.tokens:
        if source[place.start : place.end] != text[there.start : there.end]:
            yield f"{source[place.start : place.end]!r} comes from {text[there.start : there.end]!r}"
    form = text[span.start : span.end]
    at = expansion.span.shift(-span.start)
    try:
        line = text.count("\n", 0, span.start)
        before = _compiled(form, line, macros)
        after = _compiled(f"{form[: at.start]}{source}{form[at.end :]}", line, macros)
    except Exception as error:  # noqa: BLE001 - the report is what this is for
        yield f"{source[:400]} cannot be compiled: {error!r}"[:1000]
        return
    difference = _difference(before, after)
    if difference:
        # A macro around the call may keep the text of its forms, as a spec does: then the two by themselves.
        alone = text[expansion.span.start : expansion.span.end]
        try:
            same = not _difference(_compiled(alone, line, macros), _compiled(source, line, macros))
        except Exception:  # noqa: BLE001 - a call that is none by itself
            same = False
        if not same:
            yield f"{source[:300]} means something else: {difference}"


def _compiled(text: str, line: int, macros: Macros) -> str:
    """The Python of a form that stands on a line, without the places that the macros of specs write down."""
    with HyReader.using_reader(macros.reader, create=False):
        form = hy.models.Expression([hy.models.Symbol("do"), macros.read("\n" * line + text)])
        tree = hy_compile(form, macros.module, filename=macros.path, source="\n" * line + text, import_stdlib=False)
        # A macro that keeps the text of its forms keeps the names of fresh variables in it.
        return _IN_TEXT.sub(r"\1_N", _PLACE.sub("PLACE", ast.dump(tree)))


def _difference(before: str, after: str) -> str:
    """Where two trees differ, but for a fresh name in one that is always the same name in the other."""
    old, new = _LITERAL.split(before), _LITERAL.split(after)
    names: dict[str, str] = {}
    for one, other in zip(old, new, strict=False):
        if _FRESH.match(one):
            if names.setdefault(one, other) != other:
                return f"{one} is {names[one]} and {other}"
        elif one != other and names.get(one) != other:
            return f"{one[-80:]} and {other[-80:]}"
    if len(set(names.values())) < len(names):
        return "two fresh names became one"
    return "" if len(old) == len(new) else "one is longer"


def main() -> int:
    sys.setrecursionlimit(5000)
    texts = list(ours() if sys.argv[1:] == ["ours"] else corpus())
    if sys.argv[1:] not in ([], ["ours"]):
        texts = [(name, Path(name).read_text("utf-8")) for name in sys.argv[1:]]
    found = Found()
    for name, text in texts:
        before = found.expansions, len(found.wrong)
        look(name, text, found)
        print(f"{found.expansions - before[0]:>5} expansions, {len(found.wrong) - before[1]} wrong: {name}", flush=True)
    for problem in (*found.refused, *found.wrong):
        print(problem)
    times = sorted(found.milliseconds)
    print(
        f"{found.calls} calls, {found.expansions} expanded, {len(found.refused)} refused, {len(found.wrong)} wrong; "
        f"{found.entries} entries of maps; in process p50 {times[len(times) // 2]:.1f} ms, "
        f"p95 {times[len(times) * 95 // 100]:.1f} ms"
    )
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
