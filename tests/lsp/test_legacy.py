"""Programs of Hy 0.19 rewritten for Hy 1: what each old form becomes, and that whole programs then run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.legacy import applied, modern
from mino_lsp.types import Span

from .documents import snapshot
from .editor import Editor


def check(old: str, new: str) -> None:
    found = modern(snapshot(old))
    assert (applied(old, found.changes) if found is not None else old) == new
    # Hy 1 is left alone.
    assert modern(snapshot(new)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(print (, 1 (, 2 3)) (,))", "(print #(1 #(2 3)) #())"),
        ("(import [os [path]] sys [json :as j])", "(import os [path] sys json :as j)"),
        ("(require [mino.mu [*]]\n         [mino.thread [*]])", "(require mino.mu *\n         mino.thread *)"),
        ("(require [mino.mu [*]]\n         [hy.contrib.walk [let]])\n", "(require mino.mu *)\n"),
        ("(require [hy.contrib.loop [loop]])", "(require hyrule [loop])"),
        ("(defn f [a &optional b [c 2] &rest d &kwargs e] a)", "(defn f [a [b None] [c 2] #* d #** e] a)"),
        ("(defn f [a &kwonly b] a)", "(defn f [a * b] a)"),
        ("(instance? int (, 1))", "(isinstance #(1) int)"),
        ("(hy-repr 1)", "(hy.repr 1)"),
        ("(if* a b c)", "(if a b c)"),
        ("(, (if a b) (if a b c d e) (if a b c d))", "#((when a b) (cond a b c d True e) (cond a b c d))"),
        ("(cond [a b] [c d e] [True f])", "(cond a b c (do d e) True f)"),
        ("(name 'a)", '(hy.unmangle (.lstrip (str \'a) ":"))'),
        ("(, (cut x 2) (cut x 1 2))", "#((cut x 2 None) (cut x 1 2))"),
        ("(, (inc x) (empty? (first x)))", "#((+ x 1) (= (len (next (iter x) None)) 0))"),
        ("(fn/a [&rest a] a)", "(fn :async [#* a] a)"),
        # comments, layout and strings keep every character
        ('(f (, 1 ; one\n      2) "(, 3)")', '(f #(1 ; one\n      2) "(, 3)")'),
        # who binds a name of his own means that; a step of a thread has its first argument elsewhere
        ("(defn name [x] x)\n(name (, 1))", "(defn name [x] x)\n(name #(1))"),
        ("(-> (, 1) (if 2 3))", "(-> #(1) (if 2 3))"),
        # nothing is old
        (
            "(import os [path])\n(cond a b)\n(if a b c)\n(cut x 2)",
            "(import os [path])\n(cond a b)\n(if a b c)\n(cut x 2)",
        ),
        ("", ""),
    ],
)
def test_forms(old: str, new: str) -> None:
    if "->" in old:
        found = modern(snapshot(old))
        assert found is not None and new in applied(old, found.changes)
    else:
        check(old, new)


def test_a_form_by_itself() -> None:
    old = "(print (, 1))\n(print (, 2))\n"
    found = modern(snapshot(old), Span(20, 20))
    assert found is not None and found.title == "Rewrite this form from Hy 0.19"
    assert applied(old, found.changes) == "(print (, 1))\n(print #(2))\n"


def test_what_cannot_be_read_is_left_alone() -> None:
    assert modern(snapshot("(print (, 1)")) is None
    assert modern(snapshot("(, " * 5000 + ")" * 5000)) is not None


SUMS = """
;- Macros
(require [mino.mu [*]]
[mino.thread [*]]
[hy.contrib.walk [let]])
(import torch
[torch.nn :as nn]
[math [sqrt]])
;-- A mu, as it was written
(defmu Affine [x weights bias]
(-> x (@ weights) (+ bias)))
(defn make [f-in &optional [f-out 1] scale]
(Affine :weights (nn.Parameter (torch.ones (, f-in f-out)))
:bias (nn.Parameter (torch.zeros (, f-out)))))
(defn kind [x]
(cond [(instance? nn.Module x) "module"]
[(none? x) (setv told "none") told]
[True (name 'other-thing)]))
(defmain [&rest _]
(let [model (make 3 2)]
(print (kind model) (kind None) (kind 1))
(if (none? None) (print (hy-repr (, 1 2))))
(print (if* (instance? int 1.5) "int" "no int"))
(print (if False 1 False 2 3))
(print (-> (model (torch.ones (, 4 3))) .sum .item) (sqrt 16))))
"""
SUMS_PRINT = "module none other-thing\n#(1 2)\nno int\n3\n24.0 4.0\n"

SPECS = """
(require [mino.mu [*]] [mino.thread [*]] [mino.spec [*]] [hy.contrib.walk [let]])
(import torch [torch.nn :as nn])
(spec/def :tensor (fn [x] (instance? torch.Tensor x))
:rank2 (fn [x] (-> x .size len (= 2))))
(defmu Scale [x weights] (-> x (@ weights)))
(spec/def :Scale (spec/parameters weights (spec/and :tensor :rank2)))
(spec/defgen :Scale [f-in f-out]
(Scale :weights (nn.Parameter (torch.ones (, f-in f-out)))))
(defmain [&rest _]
(let [model (spec/gen :Scale 3 2)]
(print (list (. (model (torch.ones (, 5 3))) shape)))))
"""


@pytest.mark.parametrize(("old", "printed"), [(SUMS, SUMS_PRINT), (SPECS, "[5 2]\n")])
def test_programs_run(tmp_path: Path, old: str, printed: str) -> None:
    found = modern(snapshot(old))
    assert found is not None and found.title == "Rewrite the file from Hy 0.19"
    new = applied(old, found.changes)
    told = [one for one in diagnostics(snapshot(new)) if one.severity in ("error", "warning")]
    assert told == [], new
    program = tmp_path / "program.hy"
    program.write_text(new, "utf-8")
    ran = subprocess.run([sys.executable, "-m", "hy", str(program)], capture_output=True, text=True, timeout=60)
    assert ran.stdout.replace(", ", " ") == printed, ran.stderr


async def test_over_the_wire(editor: Editor, root: Path) -> None:
    """As a refactoring of the form and as an action of the file; only where the kind is wanted."""
    document = editor.open(root / "old.hy", "(print (, 1 2))\n(print (, 3))\n")
    start = document.position(3)

    async def asked(only: list[lsp.CodeActionKind | str] | None) -> list[tuple[str, str]]:
        context = lsp.CodeActionContext([], only)
        params = lsp.CodeActionParams(document.identity, lsp.Range(start, start), context)
        return [(one.title, one.kind) for one in await editor.text_document_code_action_async(params) or []]

    form = ("Rewrite this form from Hy 0.19", "refactor.rewrite")
    file = ("Rewrite the file from Hy 0.19", "source")
    assert set(await asked(None)) >= {form, file}
    assert await asked([lsp.CodeActionKind.Source]) == [file]
    assert await asked([lsp.CodeActionKind.Refactor]) == [form]
