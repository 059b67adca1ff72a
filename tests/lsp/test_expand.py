"""mino.expand: what a macro call expands to, at every depth, and as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from .editor import EXAMPLES, Document, Editor

FEED_FORWARD = (EXAMPLES / "feed_forward.hy").read_text("utf-8")


async def check(document: Document, place: str, depth: str, head: str, text: str) -> Any:
    """The expansion at a place, of the call that has this head."""
    answer = await document.expand(place, depth=depth)
    assert (answer["head"], answer["text"], answer["problems"]) == (head, text, [])
    assert document.slice(answer["range"]).startswith(f"({head}")
    return answer


@pytest.mark.parametrize(
    ("place", "depth", "head", "text"),
    [
        ("(-> x (@ weights)", "one", "->", "(+ (@ x weights) bias)"),
        ("weights) (+ bias)", "one", "->", "(+ (@ x weights) bias)"),
        ("(-> x (@ weights)", "all", "->", "(+ (@ x weights) bias)"),
        ("torch.sigmoid", "one", "->", "(linear-to-output (torch.sigmoid (linear-to-hidden x)))"),
    ],
)
async def test_the_example(editor: Editor, root: Path, place: str, depth: str, head: str, text: str) -> None:
    document = editor.open(root / "feed_forward.hy", FEED_FORWARD)
    answer = await check(document, place, depth, head, text)
    assert answer["steps"] and answer["steps"][-1]["text"] == text


MACROS = """\
(require mino.thread *)
(defmacro twice [form] `(do ~form ~form))
(defmacro both [form] `(twice (twice ~form)))
(both (print "é"))
(setv 𝒳 "μ") (-> 𝒳 (+ "ü"))
'(twice quoted)
(-> 1 (twice))
(defmacro raising [] (/ 1 0))
(raising)
"""


@pytest.mark.parametrize(
    ("place", "depth", "head", "text"),
    [
        ('(both (print "é")', "step", "both", '(twice (twice (print "é")))'),
        ('(both (print "é")', "one", "both", '(do (twice (print "é")) (twice (print "é")))'),
        (
            '(both (print "é")',
            "all",
            "both",
            '(do (do (print "é") (print "é")) (do (print "é") (print "é")))',
        ),
        ('(-> 𝒳 (+ "ü")', "one", "->", '(+ 𝒳 "ü")'),
        ('"ü"))', "one", "->", '(+ 𝒳 "ü")'),
        ("(-> 1", "step", "->", "(twice 1)"),
        ("(-> 1", "all", "->", "(do 1 1)"),
    ],
)
async def test_macros_of_the_document(editor: Editor, root: Path, place: str, depth: str, head: str, text: str) -> None:
    await check(editor.open(root / "macros.hy", MACROS), place, depth, head, text)


async def test_a_macro_that_raises_is_a_problem_at_its_call(editor: Editor, root: Path) -> None:
    document = editor.open(root / "macros.hy", MACROS)
    answer = await document.expand("(raising)")
    assert answer["text"] == "(raising)"
    (problem,) = answer["problems"]
    assert "division by zero" in problem["message"] and document.slice(problem["range"]) == "(raising)"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("(twice quoted)", "There is no macro call here."),
    ],
)
async def test_where_there_is_none(editor: Editor, root: Path, place: str, told: str) -> None:
    document = editor.open(root / "macros.hy", MACROS)
    arguments = {"uri": document.uri, "position": document.place(place)}
    assert await editor.refusal("mino.expand", arguments) == told


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", "", "There is no complete form here."),
        ("(-> x (f", "(f", "There is no complete form here."),
        ("; only\n", "only", "There is no complete form here."),
        ("(print 1)", "print", "There is no macro call here."),
    ],
)
async def test_text_that_has_none(editor: Editor, root: Path, text: str, place: str, told: str) -> None:
    document = editor.open(root / "typed.hy", text)
    assert await editor.refusal("mino.expand", {"uri": document.uri, "position": document.place(place)}) == told


async def test_a_form_of_a_text_that_is_half_typed(editor: Editor, root: Path) -> None:
    document = editor.open(root / "typed.hy", "(require mino.thread *)\n(-> x f (g 1))\n(defn h [")
    await check(document, "(-> x", "one", "->", "(g (f x) 1)")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"depth": "two"}, '"depth" is \'two\'; it must be "step", "one" or "all"'),
        ({"position": None}, 'mino.expand takes {"uri", "position", "depth", "quoted"?}'),
        ({"quoted": 1}, 'mino.expand takes {"uri", "position", "depth", "quoted"?}'),
        ({"position": {"line": "x"}}, '"position" must be {"line", "character"}'),
        ({"position": 7}, '"position" must be {"line", "character"}'),
        ({"uri": "file:///not/open.hy"}, "file:///not/open.hy is not open"),
    ],
)
async def test_refused(editor: Editor, root: Path, arguments: dict[str, Any], told: str) -> None:
    document = editor.open(root / "typed.hy", "(-> x f)")
    called = {"uri": document.uri, "position": document.place("(->"), **arguments}
    assert told in await editor.refusal("mino.expand", called)


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("(require mino.thread *)\n(-> x f)", "(-> x", ""),
        ("(require mino.thread *)\n(defmacro m [] 1)\n(m)", "(m)", "Without trust only macros of Mino's and hyrule's"),
        ("(require hyrule [unless])\n(defmacro unless [] 1)\n(unless a b)", "(unless", "Without trust only macros of"),
        ("(print 1)", "(print", "Without trust only macros of Mino's and hyrule's"),
    ],
)
async def test_without_trust(untrusted: Editor, root: Path, text: str, place: str, told: str) -> None:
    document = untrusted.open(root / "untrusted.hy", text)
    if told:
        assert told in await untrusted.refusal("mino.expand", {"uri": document.uri, "position": document.place(place)})
    else:
        await check(document, place, "all", "->", "(f x)")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def untrusted(editors: Any) -> Editor:
    editor: Editor = await editors(trust="none")
    return editor
