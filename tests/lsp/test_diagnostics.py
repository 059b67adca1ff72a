"""Diagnostics: of the text, at once; of the last preview, at the narrowest place; pulled or pushed, never both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.types import Problem

from .documents import report, snapshot, span
from .editor import EXAMPLES, Editor, capabilities

SPEC_NETWORK = (EXAMPLES / "spec_network.hy").read_text("utf-8")
LINEAR = """\
(require mino.mu * mino.thread *)
(import torch)
(defmu Linear [x weights bias]
  (-> x (@ weights) (+ bias)))
(setv linear (Linear :weights (torch.zeros 10 32) :bias (torch.zeros 7)))
(linear (torch.ones 100 10))
"""


async def check(editor: Editor, path: Path, text: str, *expected: tuple[str, str]) -> list[lsp.Diagnostic]:
    """The code and the text at the range of each diagnostic, once the preview has ended."""
    document = editor.open(path, text)
    if not any(code in _STATIC for code, _ in expected):
        await document.previewed()
    found = await document.diagnostics()
    assert [(found.code, document.slice(found.range)) for found in found] == list(expected), found
    assert all(found.source == "mino" for found in found)
    return found


_STATIC = {"unclosed", "mismatched", "unexpected-closer", "unterminated-string"}


async def test_a_broken_spec_is_blamed_on_what_made_the_component(editor: Editor, root: Path) -> None:
    broken = SPEC_NETWORK.replace("(torch.empty #(f-out))", "(torch.empty #(1 f-out))")
    assert broken != SPEC_NETWORK
    document = editor.open(root / "spec_network.hy", broken)
    await document.previewed()
    (found,) = await document.diagnostics()
    bias = "(-> (torch.empty #(1 f-out))"
    start, end = (
        document.find(bias),
        document.find("(nn.Parameter :requires_grad True))))") + len("(nn.Parameter :requires_grad True)))"),
    )
    assert found.code == "spec" and found.severity == lsp.DiagnosticSeverity.Error
    assert ":rank1" in found.message and "bias" in found.message
    assert start <= document.offset(found.range.start) < document.offset(found.range.end) <= end
    related = {document.slice(item.location.range) for item in found.related_information or []}
    at = "diagnostic" if editor.pulls else "publish_diagnostics"
    if editor.can(f"text_document.{at}.related_information") or editor.can(
        "text_document.publish_diagnostics.related_information"
    ):
        assert any("(-> x .size len (= 1))" in text for text in related), related
    else:
        assert not related


async def test_the_examples_have_none(editor: Editor, root: Path) -> None:
    for name in ("feed_forward.hy", "spec_network.hy"):
        await check(editor, root / name, (EXAMPLES / name).read_text("utf-8"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_a_shape_error_is_at_its_step_in_every_encoding(editors: Any, root: Path, encoding: str) -> None:
    editor = await editors(can=capabilities(encoding))
    (found,) = await check(editor, root / f"{encoding}.hy", LINEAR, ("shape", "(+ bias)"))
    assert found.message.startswith("+ of the result of (@ weights) [100 32] and bias [7]: aligned from the right")
    wide = LINEAR.replace("  (-> x", '  #_ "μ→𝒳 é" (-> x').replace("Linear", "𝒳-Linéar")
    (found,) = await check(editor, root / f"{encoding}-wide.hy", wide, ("shape", "(+ bias)"))
    assert found.range.start.line == 3
    await editor.leave()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the narrowest expression that raised
        ("(setv x (+ 1 (/ 1 0)))", [("exception", "(/ 1 0)")]),
        ("(setv x 1)\n(print y)", [("undefined-name", "y")]),
        ('(print (str 1) (int "é") 2)', [("exception", '(int "é")')]),
        # the first cause only
        ("(/ 1 0)\n(/ 2 0)", [("exception", "(/ 1 0)")]),
        # in a function that a form calls: where it happened
        ("(defn f [x] (.upper x))\n(f 1)", [("attribute", ".upper")]),
        # a macro of the document's
        ("(defmacro m [] (/ 1 0))\n(m)", [("exception", "(m)")]),
        # what Hy's compiler refuses, and the text shows
        ("(setv 1 2)", [("target", "1")]),
        ("(if)", [("arity", "if")]),
        ("(require hyrule [defmain])\n(defmain [] (/ 1 0))", [("exception", "(/ 1 0)")]),
        # no errors: the end of a program, and what a preview may not
        ("(import sys) (sys.exit 3)", []),
        ('(open "/x/y" "w")', [("exception", '(open "/x/y" "w")')]),
        ('(open "made-by-a-preview" "w")', []),
        ('(import os)\n(os.execv "/bin/sh" ["sh"])', [("preview-refused", '(os.execv "/bin/sh" ["sh"])')]),
        ("", []),
        ("; nothing\n", []),
    ],
)
async def test_exceptions(editor: Editor, root: Path, text: str, expected: list[tuple[str, str]]) -> None:
    await check(editor, root / "main.hy", text, *expected)
    assert not (root / "made-by-a-preview").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(defn f [x]\n  (g x)\n\n(f 1)", [("unclosed", "(")]),
        ("(print [1 2})", [("mismatched", "[")]),
        ("(f))", [("unexpected-closer", ")")]),
        ('(print "x)\n', [("unterminated-string", '"')]),
    ],
)
async def test_the_text(editor: Editor, root: Path, text: str, expected: list[tuple[str, str]]) -> None:
    """At once, without a worker; an unbalanced text is blamed on the opener."""
    document = editor.open(root / "text.hy", text)
    found = await document.blamed()
    assert [(code, at[:1]) for code, at in found] == expected
    if expected[0][0] == "unclosed":
        (diagnostic,) = await document.diagnostics()
        assert diagnostic.range.start == lsp.Position(0, 0)


FOUND = (
    Problem("exception", "error", "No.", span("(dir) (len)", "(len)")),
    Problem("syntax", "error", "Hm.", span("(dir)", "dir")),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(dir) (len)", ["exception", "syntax"]),
        ("(dir) (max)", ["syntax"]),
        ("(abs) (len)", ["exception"]),
        # what Hy's reader said is not said again
        ("(dir) [", ["unclosed"]),
        ("(dir) (", ["unclosed"]),
    ],
)
def test_of_a_snapshot(text: str, expected: list[str]) -> None:
    known = report("(dir) (len)", problems=FOUND)
    assert [problem.code for problem in diagnostics(snapshot(text, report=known))] == expected


async def test_pulled_with_a_refresh_or_pushed_and_never_both(editor: Editor, root: Path) -> None:
    document = editor.open(root / "pulled.hy", "(/ 1 0)")
    editor.refreshes.clear()
    await editor.refreshed(document, "workspace/diagnostic/refresh", "workspace.diagnostics.refresh_support")
    assert await document.blamed() == [("exception", "(/ 1 0)")]
    document.rewrite("(/ 1 1)")
    await document.previewed()
    assert await document.blamed() == []
    assert (editor.server_capabilities.diagnostic_provider is not None) == editor.pulls
    assert any(one.uri == document.uri for one in editor.published) != editor.pulls


async def test_what_is_unused_is_marked_where_the_client_shows_it(editor: Editor, root: Path) -> None:
    document = editor.open(root / "unused.hy", "(import os)")
    (found,) = await document.diagnostics()
    told = editor.can("text_document.publish_diagnostics.tag_support.value_set", [])
    shown = lsp.DiagnosticTag.Unnecessary in told
    assert found.code == "unused-import"
    assert list(found.tags or []) == ([lsp.DiagnosticTag.Unnecessary] if shown else [])


async def test_pushed_where_the_client_cannot_pull(editors: Any, root: Path) -> None:
    editor = await editors(can=capabilities(pull=False))
    document = editor.open(root / "pushed.hy", "(/ 1 0)")

    def last() -> Any:
        return editor.published[-1] if editor.published else None

    await editor.until(lambda: last() and [found.code for found in last().diagnostics] == ["exception"])
    assert (last().uri, last().version) == (document.uri, document.version)
    document.rewrite("(")
    await editor.until(
        lambda: last().version == document.version and [found.code for found in last().diagnostics] == ["unclosed"]
    )
    document.close()
    await editor.until(lambda: last().version is None and not last().diagnostics)
    assert not editor.refreshes["workspace/diagnostic/refresh"]
    params = lsp.DocumentDiagnosticParams(document.identity)
    with pytest.raises(Exception, match="Method Not Found"):
        await editor.text_document_diagnostic_async(params)
