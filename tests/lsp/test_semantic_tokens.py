"""Semantic tokens over the real server: what each word is, and what has changed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types as lsp

from mino_lsp.features.semantic_tokens import delta, semantic_tokens
from mino_lsp.paint import MODIFIERS, TYPES
from mino_lsp.syntax import read

from .documents import snapshot
from .editor import Document, Editor, capabilities
from .syntax.fragments import texts


def words(document: Document, numbers: Any) -> list[str]:
    """Each token as `text:type.modifiers`."""
    found, line, column = [], 0, 0
    for at in range(0, len(numbers), 5):
        lines, columns, length, kind, modifiers = numbers[at : at + 5]
        line, column = line + lines, columns if lines else column + columns
        start, end = lsp.Position(line, column), lsp.Position(line, column + length)
        names = [name for bit, name in enumerate(MODIFIERS) if modifiers >> bit & 1]
        found.append(document.slice(lsp.Range(start, end)) + ":" + ".".join([TYPES[kind], *names]))
    return found


async def full(document: Document) -> lsp.SemanticTokens:
    params = lsp.SemanticTokensParams(document.identity)
    answer = await document.editor.text_document_semantic_tokens_full_async(params)
    assert answer is not None
    return answer


async def check(document: Document, expected: str) -> None:
    assert words(document, (await full(document)).data) == expected.split("|")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "(defn f [x #* ys] (+ x ys z))",
            "defn:keyword|f:function.definition|x:parameter.declaration|#*:operator|"
            "ys:parameter.declaration|+:operator|x:parameter|ys:parameter|z:variable",
        ),
        (
            "(defmu Net [x [act F.relu]] (act x))",
            "defmu:keyword|Net:class.definition|x:parameter.declaration|"
            "act:parameter.declaration|F:namespace|relu:property|act:parameter|x:parameter",
        ),
        ("(defn f [x]) x", "defn:keyword|f:function.definition|x:parameter.declaration|x:variable"),
        ("(defn [dec] f [x] x)", "defn:keyword|dec:variable|f:function.definition|x:parameter.declaration|x:parameter"),
        (
            "(defn #^ int f [#^ T x] x)",
            "defn:keyword|#^:operator|int:class|f:function.definition|#^:operator|T:class|"
            "x:parameter.declaration|x:parameter",
        ),
        (
            "(let [a 1 [b c] d] a)",
            "let:keyword|a:variable.declaration|1:number|b:variable.declaration|"
            "c:variable.declaration|d:variable|a:variable",
        ),
        ("(setv a 1 b.c None)", "setv:keyword|a:variable.definition|1:number|b.c:variable.definition|None:keyword"),
        (
            "(-> x (.size 1) torch.nn.Linear :k)",
            "->:macro|x:variable|size:method|1:number|torch.nn:namespace|Linear:class|:k:property.readonly",
        ),
        ("(nn.Linear (Net) (foo))", "nn:namespace|Linear:class|Net:class|foo:function"),
        ("'(a ~b #_ (c d)) ; e", "':operator|a:function|~:operator|b:variable|#_ (c d):comment|; e:comment"),
        ('(f "a\nb" f"x{y}z")', 'f:function|"a:string|b":string|f"x{:string|y:variable|}z":string'),
        ("(spec/def :a x) #foo y", "spec/def:macro|:a:property.readonly|x:variable|#foo:macro|y:variable"),
        (
            "(defmacro m [#* body] body)",
            "defmacro:keyword|m:macro.definition|#*:operator|body:parameter.declaration|body:parameter",
        ),
        # text that is wrong
        ('(f "a', 'f:function|"a:string'),
        (")(", ""),
    ],
)
async def test_words(editor: Editor, root: Path, text: str, expected: str) -> None:
    document = editor.open(root / "a.hy", text)
    if expected:
        await check(document, expected)
    else:
        assert not (await full(document)).data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_encodings(editors: Any, root: Path, encoding: str) -> None:
    editor = await editors(can=capabilities(encoding), trust="none")
    await check(
        editor.open(root / "b.hy", '(𝕏 "é𝕏\né" λ)\r\n(漢)'), '𝕏:class|"é𝕏:string|é":string|λ:variable|漢:function'
    )
    await editor.leave()


async def test_an_edit_sends_what_changed(editor: Editor, root: Path) -> None:
    document = editor.open(root / "c.hy", "".join(f"(defn f{n} [x]\n  (g x {n}))\n" for n in range(400)))
    before = await full(document)
    numbers = list(before.data)
    name = before.result_id
    for old, new in (
        ("f200 ", "f200-and-more "),
        ("(defn f300", "\n\n(defn f300"),
        ("(g x 7)", "x"),
        ("(g x 9)", "(g x 9)"),
    ):
        document.replace(old, new)
        params = lsp.SemanticTokensDeltaParams(document.identity, str(name))
        answer = await editor.text_document_semantic_tokens_full_delta_async(params)
        assert isinstance(answer, lsp.SemanticTokensDelta)
        assert sum(len(edit.data or []) for edit in answer.edits) <= 60
        for edit in answer.edits:
            numbers[edit.start : edit.start + edit.delete_count] = edit.data or []
        name = answer.result_id
    assert numbers == list((await full(document)).data)
    stale = await editor.text_document_semantic_tokens_full_delta_async(
        lsp.SemanticTokensDeltaParams(document.identity, "of long ago")
    )
    assert isinstance(stale, lsp.SemanticTokens) and list(stale.data) == numbers


async def test_a_range(editor: Editor, root: Path) -> None:
    document = editor.open(root / "d.hy", "".join(f"(f{n}\n  a)\n" for n in range(20)))
    range_ = lsp.Range(lsp.Position(21, 0), lsp.Position(22, 1))
    answer = await editor.text_document_semantic_tokens_range_async(
        lsp.SemanticTokensRangeParams(document.identity, range_)
    )
    assert answer is not None
    found = words(document, answer.data)
    assert {"f10:function", "f11:function"} <= set(found) and len(found) <= 8


@settings(max_examples=200, deadline=None)
@given(texts(), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_any_text_has_tokens_in_order(source: str, encoding: Any) -> None:
    numbers = semantic_tokens(snapshot(source), encoding)
    assert len(numbers) % 5 == 0
    groups = [numbers[at : at + 5] for at in range(0, len(numbers), 5)]
    for before, after in itertools.pairwise(groups):
        assert after[0] > 0 or after[1] >= before[2] > 0


@settings(max_examples=100, deadline=None)
@given(texts(), st.integers(0, 40), st.integers(0, 10), texts())
def test_what_is_kept_of_the_pieces_is_right(source: str, start: int, length: int, new: str) -> None:
    before = snapshot(source)
    old = semantic_tokens(before, "utf-16")
    tree = before.tree.edit(min(start, len(source)), min(start + length, len(source)), new)
    now = semantic_tokens(snapshot(tree.source), "utf-16")
    kept = snapshot(tree.source)
    object.__setattr__(kept, "tree", tree)
    assert semantic_tokens(kept, "utf-16") == now
    patched = list(old)
    for edit in delta(old, now):
        patched[edit.start : edit.start + edit.deleted] = edit.numbers
    assert patched == now
    assert read(tree.source).source == tree.source
