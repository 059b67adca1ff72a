"""mino.expand: what a macro call expands to, at every depth, and as it is typed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from .editor import EXAMPLES, SECONDS, Document, Editor, capabilities, plain
from .raw import Raw

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


THREADED = """\
(require mino.thread *)
(import torch)
(defmacro twice [form] `[~form ~form])
(defn f [x] (torch.sum x 1))
(setv a (-> (torch.ones 3 4) (@ (torch.ones 4 5)) torch.sigmoid (.reshape 5 3) f (torch.mul 100) (torch.add 200)))
(twice (+ a 1))
"""


def cut(text: str, range_: Any) -> str:
    """The part of a text that a range of ASCII columns covers."""
    lines = text.split("\n")
    start, end = range_["start"], range_["end"]
    assert start["line"] == end["line"]
    return lines[start["line"]][start["character"] : end["character"]]


async def test_the_map_joins_tokens_that_read_the_same(editor: Editor, root: Path) -> None:
    document = editor.open(root / "threaded.hy", THREADED)
    answer = await document.expand("(-> (torch", depth="all")
    pairs = [(cut(answer["text"], one["from"]), document.slice(one["to"])) for one in answer["map"]]
    assert all(one == other for one, other in pairs)
    assert [one for one, _ in pairs] == [
        *("torch.add", "torch.mul", "f", ".reshape", "torch.sigmoid", "@", "torch.ones", "3", "4"),
        *("torch.ones", "4", "5", "5", "3", "100", "200"),
    ]
    assert max(map(len, answer["text"].split("\n"))) <= 80


async def test_the_steps_are_a_tree_with_diffs(editor: Editor, root: Path) -> None:
    answer = await editor.open(root / "macros.hy", MACROS).expand('(both (print "é")', depth="all")
    first, second = answer["steps"]
    assert (first["head"], first["steps"]) == ("both", [])
    assert first["diff"] == '-(both (print "é"))\n+(twice (twice (print "é")))'
    assert second["text"] == '(do (twice (print "é")) (twice (print "é")))'
    assert [(one["head"], one["text"]) for one in second["steps"]] == [("twice", '(do (print "é") (print "é"))')] * 2


async def content(editor: Editor, uri: str) -> str:
    params = lsp.TextDocumentContentParams(uri)
    return (await editor.workspace_text_document_content_async(params)).text


async def test_a_virtual_document_follows_its_call(editors: Any, root: Path) -> None:
    editor = await editors()
    document = editor.open(root / "threaded.hy", THREADED)
    await document.previewed()
    virtual = (await document.expand("(-> (torch", depth="all"))["document"]
    assert virtual.startswith("mino-expansion:/") and virtual.partition("?")[0].endswith(".hy")
    async with asyncio.timeout(SECONDS):
        while "→" not in (shown := await content(editor, virtual)):
            await asyncio.sleep(0.05)
    comments = [
        (line.partition(";")[0].split()[0], line.partition("; ")[2]) for line in shown.splitlines() if ";" in line
    ]
    assert comments == [("(torch.add", "→ [5]"), ("(torch.mul", "→ [5]"), ("(f", "→ [5]")]
    # Typed above it, and within it.
    editor.contents_refreshed.clear()
    document.change(0, 0, ";; more text\n\n")
    document.replace("(torch.add 200)", "(torch.add 300)")
    await editor.until(lambda: any("threaded.hy" in unquote(uri) for uri in editor.contents_refreshed))
    assert all(unquote(uri) == unquote(virtual) for uri in editor.contents_refreshed)
    await document.previewed()
    assert (await content(editor, virtual)).replace("200", "300") == (
        await content(editor, editor.contents_refreshed[-1])
    )
    assert "300" in await content(editor, virtual)
    # Half typed, it stays and says why.
    document.replace("(torch.add 300)", "(torch.add 300")
    held = await content(editor, virtual)
    assert held.startswith("; ") and held.partition("\n")[2].startswith("(torch.add")
    document.close()
    assert await content(editor, virtual) == "; The document of this expansion is not open.\n"
    assert "not open" in await content(editor, "mino-expansion:/nothing")


async def test_a_virtual_document_follows_its_call_past_edits_before_there_is_one(editors: Any, root: Path) -> None:
    editor = await editors()
    document = editor.open(root / "early.hy", THREADED)
    place = document.place("(-> (torch")
    params = lsp.ExecuteCommandParams("mino.expand", [{"uri": document.uri, "position": place, "depth": "all"}])
    asked = asyncio.wrap_future(editor.protocol.send_request(lsp.WORKSPACE_EXECUTE_COMMAND, params))
    document.change(0, 0, "(require hyrule *)\n(when True (unless False 1))\n")
    answer = plain(await asked)
    assert answer["range"]["start"] == place
    assert (await content(editor, answer["document"])).startswith("(torch.add")


async def test_a_definition_in_a_virtual_document_is_in_the_program(editor: Editor, root: Path) -> None:
    document = await editor.open(root / "threaded.hy", THREADED).previewed()
    virtual = (await document.expand("(-> (torch", depth="all"))["document"]
    lines = (await content(editor, virtual)).split("\n")

    async def defined(text: str) -> list[str]:
        line = next(number for number, line in enumerate(lines) if text in line)
        position = lsp.Position(line, lines[line].index(text) + 1)
        params = lsp.DefinitionParams(lsp.TextDocumentIdentifier(virtual), position)
        return [document.slice(one.range) for one in await editor.text_document_definition_async(params) or []]

    assert await defined("torch.sigmoid") == ["torch.sigmoid"]
    assert await defined(".reshape") == [".reshape"]
    assert await defined("; →") == []


def test_the_capability_is_declared(root: Path) -> None:
    server = Raw(root)
    told = server.initialize()["capabilities"]["workspace"]["textDocumentContent"]
    assert told == {"schemes": ["mino-expansion"]}
    assert server.end() == 0


async def test_a_client_that_shows_no_virtual_documents_is_not_asked_to(editors: Any, root: Path) -> None:
    editor = await editors(can=capabilities(content=False))
    document = editor.open(root / "plain.hy", THREADED)
    virtual = (await document.expand("(-> (torch"))["document"]
    document.replace("200", "300")
    await document.previewed()
    assert "300" in await content(editor, virtual) and editor.contents_refreshed == []


async def test_hover_shows_the_first_level(editors: Any, root: Path) -> None:
    """Nobody waits for it: it is there some time after the text has come to rest."""
    editor = await editors()
    document = editor.open(root / "hovered.hy", MACROS)

    async def hovered(text: str, expansion: str) -> None:
        async with asyncio.timeout(SECONDS):
            while f"Expands to\n```hy\n{expansion}\n```" not in (told := await document.hover(text)):
                await asyncio.sleep(0.05)
        assert told.count("Expands to") == 1

    await hovered("both (print", '(do (twice (print "é")) (twice (print "é")))')
    await hovered('-> 𝒳 (+ "ü")', '(+ 𝒳 "ü")')
    assert "Expands" not in await document.hover("twice quoted")
    document.replace('(+ "ü")', '(+ "ä")')
    await hovered('-> 𝒳 (+ "ä")', '(+ 𝒳 "ä")')
    # A macro that has changed changes what others expand to.
    document.replace("`(do ~form ~form)", "`[~form]")
    await hovered("both (print", '[(twice (print "é"))]')


async def test_a_long_expansion_is_cut_in_a_hover(editors: Any, root: Path) -> None:
    editor = await editors()
    names = " ".join(f"(print number-{i})" for i in range(40))
    document = editor.open(root / "hovered.hy", f"(defmacro m [] '(do {names}))\n(m)")
    async with asyncio.timeout(SECONDS):
        while "Expands to" not in (told := await document.hover("m)", 0)):
            await asyncio.sleep(0.05)
    assert len(told.split("```hy")[1].splitlines()) <= 15 and "more lines (command mino.expand)" in told


async def test_a_hover_without_trust(untrusted: Editor, root: Path) -> None:
    """What is pure is shown; of other macros it is told why they are not. Neither is waited for."""
    required = "(require mino.thread * nowhere [theirs])\n"
    text = required + "(defmacro mine [] 1)\n(-> x f)\n(mine)\n(print 1)\n(theirs)"
    document = untrusted.open(root / "untrusted.hy", text)
    needs = "*Not expanded: expanding this macro runs code, and this folder is not trusted to run"
    for head, told in (("-> x", "Expands to\n```hy\n(f x)\n```"), ("mine)", needs), ("theirs)", needs)):
        async with asyncio.timeout(SECONDS):
            while told not in await document.hover(head):
                await asyncio.sleep(0.05)
    assert needs not in await document.hover("print") and needs not in await document.hover("mine []")


async def test_a_hover_when_trust_is_given(editors: Any, root: Path, tmp_path: Path) -> None:
    editor = await editors(trust="ask", state=tmp_path)
    document = editor.open(root / "given.hy", "(defmacro mine [] '(f 1))\n(mine)")

    async def shown(told: str) -> None:
        async with asyncio.timeout(SECONDS):
            while told not in await document.hover("mine)"):
                await asyncio.sleep(0.05)

    await shown("*Not expanded: ")
    await editor.execute("mino.trust", {"uri": document.uri, "trusted": True})
    await shown("(f 1)")
    await editor.execute("mino.trust", {"uri": document.uri, "trusted": False})
    await shown("*Not expanded: ")


UNLIMITED = {"preview": {"mode": "off", "cpu": 1000, "time": 1000}}


async def test_a_request_that_is_cancelled_does_not_go_on(editors: Any, root: Path) -> None:
    """With these limits the second one would wait for the first for ever."""
    editor = await editors(settings=UNLIMITED)
    text = "(require mino.thread *)\n(defmacro endless [] (while True))\n(endless)"
    document = editor.open(root / "endless.hy", text.replace("(endless)", "(print (endless) (-> x f))"))
    arguments = [{"uri": document.uri, "position": document.place("(endless)"), "depth": "all"}]
    params = lsp.ExecuteCommandParams("mino.expand", arguments)
    asking = asyncio.ensure_future(editor.protocol.send_request_async("workspace/executeCommand", params, msg_id="e"))
    await asyncio.sleep(0.5)
    editor.cancel_request(lsp.CancelParams("e"))
    with pytest.raises((JsonRpcException, asyncio.CancelledError)):
        await asyncio.wait_for(asking, SECONDS)
    document.replace("(endless) ", "")
    assert (await document.expand("(-> x"))["text"] == "(f x)"


async def test_what_was_asked_of_a_closed_document_does_not_go_on(editors: Any, root: Path) -> None:
    editor = await editors(settings=UNLIMITED)
    document = editor.open(
        root / "endless.hy", "(defmacro one [] 1)\n(defmacro endless [] (while True))\n(one)\n(print (endless))"
    )
    asking = asyncio.ensure_future(document.expand("(endless)"))
    await asyncio.sleep(0.1)
    document.close()  # before there is a worker
    with pytest.raises(JsonRpcException, match=r"The document was closed\."):
        await asking
    document = editor.open(root / "endless.hy", document.text)
    assert (await document.expand("(one)"))["text"] == "1"
    asking = asyncio.ensure_future(document.expand("(endless)"))
    await asyncio.sleep(0.1)
    document.close()
    with pytest.raises(JsonRpcException, match=r"It was stopped\."):
        await asking


async def test_what_is_required_is_as_it_is_typed(editors: Any, root: Path) -> None:
    """Saved or not, in what is asked for and in what a hover knows."""
    editor = await editors()
    (root / "typed_beside.hy").write_text("(defmacro beside [x] `(first ~x))", "utf-8")
    beside = editor.open(root / "typed_beside.hy", "(defmacro beside [x] `(first ~x))")
    document = await editor.open(root / "requiring.hy", "(require typed-beside [beside])\n(beside 1)").previewed()
    assert (await document.expand("(beside 1"))["text"] == "(first 1)"
    for head in ("second", "third"):
        beside.rewrite(f"(defmacro beside [x] `({head} ~x))")
        assert (await document.expand("(beside 1"))["text"] == f"({head} 1)"
        async with asyncio.timeout(SECONDS):
            while f"({head} 1)" not in await document.hover("beside 1"):
                await asyncio.sleep(0.05)
    # Half-typed, it is what was saved; and so it is when it is closed.
    beside.rewrite("(defmacro beside [x] `(fourth")
    assert (await document.expand("(beside 1"))["text"] == "(first 1)"


async def test_a_macro_that_is_required_is_the_one_that_was_saved(editor: Editor, root: Path) -> None:
    (root / "macros_beside.hy").write_text("(defmacro beside [x] `(first ~x))", "utf-8")
    beside = editor.open(root / "macros_beside.hy", "(defmacro beside [x] `(first ~x))")
    document = editor.open(root / "requiring.hy", "(require macros-beside [beside])\n(beside 1)")
    assert (await document.expand("(beside 1"))["text"] == "(first 1)"
    beside.rewrite("(defmacro beside [x] `(second ~x))")
    beside.save()
    assert (await document.expand("(beside 1"))["text"] == "(second 1)"


@pytest.mark.parametrize(
    ("start", "end", "python"),
    [
        ("(-> 1", "(-> 1", "[1, 1]"),
        ('(setv 𝒳 "μ")', " (-> 𝒳", "X = 'μ'"),
    ],
)
async def test_python(editor: Editor, root: Path, start: str, end: str, python: str) -> None:
    document = editor.open(root / "python.hy", MACROS.replace("`(do ~form ~form)", "`[~form ~form]"))
    range_ = {"start": document.place(start), "end": document.place(end)}
    answer = await editor.execute("mino.showPython", {"uri": document.uri, "range": range_})
    assert (answer["text"], answer["problems"]) == (python, [])


@pytest.mark.parametrize(
    ("range_", "told"),
    [
        (None, '"range" must be {"start": {"line", "character"}, "end": …}.'),
        ({"start": 1}, '"range" must be {"start": {"line", "character"}, "end": …}.'),
        (
            {"start": {"line": 99, "character": 0}, "end": {"line": 99, "character": 0}},
            "There is no complete form here.",
        ),
    ],
)
async def test_python_refused(editor: Editor, root: Path, range_: Any, told: str) -> None:
    document = editor.open(root / "python.hy", "(print 1)\n\n; nothing")
    assert await editor.refusal("mino.showPython", {"uri": document.uri, "range": range_}) == told


async def test_python_without_trust(untrusted: Editor, root: Path) -> None:
    document = untrusted.open(root / "untrusted.hy", "(print 1)")
    range_ = {"start": document.place("(print"), "end": document.place("(print")}
    told = await untrusted.refusal("mino.showPython", {"uri": document.uri, "range": range_})
    assert told == f"The folder {root} is not trusted to run (command mino.trust)."
