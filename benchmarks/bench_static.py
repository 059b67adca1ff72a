"""What an editor asks for of the text alone: formatting, tokens, folding, diagnostics; and how it grows.

    python benchmarks/bench_static.py

In one process, without the wire; each the best of several runs. `empty` is what pygls needs to send as many tokens.
"""

from __future__ import annotations

import json
from pathlib import Path

from bench_syntax import best, show
from lsprotocol import types as lsp
from pygls.protocol import default_converter

from mino_lsp import format as formatter
from mino_lsp.features import semantic_tokens as tokens
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.features.folding import folding
from mino_lsp.settings import Settings
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, Tree, read

_HEAD = "(require mino.mu * mino.thread *)\n(import torch)\n"
_FORM = """\
(defmu layer-{n} [x weights bias activation]
  "One layer: {n}."
  (-> x
      (@ weights)  ; project
      (+ bias)
      activation))

(setv model-{n} (layer-{n} :weights (torch.randn 10 100) :bias (torch.zeros [10])))
(print f"model {n}: {{(len (list (.parameters model-{n}))) :>4}} parameters")
"""


def program(lines: int) -> str:
    return _HEAD + "".join(_FORM.format(n=n) for n in range(lines // _FORM.count("\n")))


def snapshot(tree: Tree, text: Text) -> Snapshot:
    return Snapshot("file:///bench/long.hy", 1, text, tree, Path("/bench"), Settings())


def keystroke(lines: int, at_the_top: bool) -> float:
    """An edit, and the diagnostics after it: a newline in the first line, or a letter in the middle."""
    source = program(lines)
    text, tree = Text(source), read(source)
    assert diagnostics(snapshot(tree, text)) == []
    place = 9 if at_the_top else source.index("activation", len(source) // 2)
    new = "\n" if at_the_top else "x"

    def work() -> None:
        diagnostics(snapshot(tree.edit(place, place, new), text.edit(place, place, new)))

    return best(work, inner=5)


def main() -> None:
    source = program(2000)
    tree, text = read(source), Text(source)
    shot = snapshot(tree, text)
    print(f"{source.count(chr(10))} lines, {len(source)} characters")
    numbers = tokens.semantic_tokens(shot, "utf-16")
    answer, convert = lsp.SemanticTokens(numbers), default_converter()
    empty = best(lambda: json.dumps(convert.unstructure(answer)))
    kept = best(lambda: tokens.semantic_tokens(shot, "utf-16"))
    show(f"semantic tokens ({len(numbers) // 5}), pieces known", kept, f"to send as many: {empty * 1000:.3f} ms")
    show("semantic tokens, read for the first time", best(lambda: tokens.semantic_tokens(fresh(source), "utf-16"), 3))
    show("folding ranges", best(lambda: folding(shot)))
    show("format the document", best(lambda: formatter.document(tree), 3))
    middle = source.index("\n", len(source) // 2) + 1
    show("indent a new line", best(lambda: formatter.newline(tree, middle)))
    show("diagnostics, for the first time", best(lambda: diagnostics(fresh(source)), 3))
    show("a letter → diagnostics", keystroke(2000, at_the_top=False), "(at most 30)")
    few, many = keystroke(200, at_the_top=True), keystroke(20_000, at_the_top=True)
    show("a newline in the first line of 200 → diagnostics", few)
    show("a newline in the first line of 20,000 → diagnostics", many, f"ratio {many / few:.1f} (at most 3)")


def fresh(source: str) -> Snapshot:
    return snapshot(read(source), Text(source))


if __name__ == "__main__":
    main()
