"""mino.eval: what a form is in the namespace that those above it make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .editor import Document, Editor

TOP = "(import torch)\n(setv x (torch.ones 2 3))\n"
PROGRAM = TOP + "(defn double [y] (+ y y))\n(setv z (double x))\n(print z.shape)\n"


def marked(editor: Editor, root: Path, text: str) -> tuple[Document, dict[str, Any]]:
    """A document, and the place in it that `|` marks, or the range that two of them do."""
    parts = text.split("|")
    document = editor.open(root / "eval.hy", "".join(parts))
    places = [document.position(len("".join(parts[: n + 1]))) for n in range(len(parts) - 1)]
    told = [{"line": place.line, "character": place.character} for place in places]
    where = {"range": {"start": told[0], "end": told[1]}} if len(told) == 2 else {"position": told[0]}
    return document, {"uri": document.uri, **where}


@pytest.mark.parametrize(
    ("text", "scope", "of", "value"),
    [
        (PROGRAM + "(+ 1 (* 2 |3))", "form", "3", "3"),
        (PROGRAM + "(+ 1 |(* 2 3) 4)", "form", "(* 2 3)", "6"),
        (PROGRAM + "(+ 1 (* 2 3)| 4)", "form", "(* 2 3)", "6"),
        (PROGRAM + "(+ 1 (* 2 3) 4)|\n", "form", "(+ 1 (* 2 3) 4)", "11"),
        (PROGRAM + "(+ 1 (* 2 3) 4)|", "toHere", "(+ 1 (* 2 3) 4)", "11"),
        (PROGRAM + "(+ 1 (* |2 3) 4)", "top", "(+ 1 (* 2 3) 4)", "11"),
        (PROGRAM + "[1 2 3]\n|\n(/ 1 0)", "toHere", "[1 2 3]", "[1 2 3]"),
        (PROGRAM + "(+ 1 |(* 2 3)| 4)", "form", "(* 2 3)", "6"),
        (PROGRAM + "|(+ 1 2) (+ 3 4)|", "form", "(+ 3 4)", "7"),
        (PROGRAM + "(+ 1 |2) (half (typed", "form", "2", "2"),
        (PROGRAM + "(+ 1 2|) ; é\n(half (typed", "top", "(+ 1 2)", "3"),
        (PROGRAM + '(setv 𝒳 "é") 𝒳|', "form", "𝒳", '"é"'),
        (TOP + "x.sha|pe", "form", "x.shape", "torch.Size([2, 3])"),
    ],
)
async def test_a_form(editor: Editor, root: Path, text: str, scope: str, of: str, value: str) -> None:
    document, arguments = marked(editor, root, text)
    answer = await editor.execute("mino.eval", {**arguments, "scope": scope})
    assert (document.slice(answer["range"]), answer["text"], answer["problems"]) == (of, value, [])


async def test_a_tensor(editor: Editor, root: Path) -> None:
    _, arguments = marked(editor, root, PROGRAM + '(do (print "hello") z|)')
    answer = await editor.execute("mino.eval", {**arguments, "scope": "top"})
    assert (answer["shape"], answer["type"], answer["stdout"]) == ([2, 3], "Tensor", "hello\n")
    assert answer["text"].startswith("[2 3] float32\ntensor([[2., 2., 2.],")


async def test_the_buffer_counts_and_not_the_file(editor: Editor, root: Path) -> None:
    (root / "eval.hy").write_text("(setv saved 1)")
    document, arguments = marked(editor, root, "(setv unsaved 2)\nunsaved|")
    assert (await editor.execute("mino.eval", arguments))["text"] == "2"
    document.replace("2", "3")
    assert (await editor.execute("mino.eval", arguments))["text"] == "3"


async def test_a_mistake_is_at_its_place(editor: Editor, root: Path) -> None:
    document, arguments = marked(editor, root, PROGRAM + "(double (@ x x)|)")
    answer = await editor.execute("mino.eval", arguments)
    (problem,) = answer["problems"]
    assert answer["text"] == "" and document.slice(problem["range"]) == "(@ x x)" and "[2 3]" in problem["message"]


async def test_local_names_are_said_to_be_unknown(editor: Editor, root: Path) -> None:
    document, arguments = marked(editor, root, PROGRAM + "(defn f [w] (let [k 1] (+ w k)|))")
    problems = (await editor.execute("mino.eval", arguments))["problems"]
    assert [document.slice(problem["range"]) for problem in problems][-1] == "w"
    assert "`w` is bound within the form around this one, which is not entered" in problems[-1]["message"]
    assert "it has no value here" in problems[-1]["message"] and problems[-1]["code"] == "eval-local"


async def test_a_local_name_is_not_taken_for_a_global_one_in_silence(editor: Editor, root: Path) -> None:
    document, arguments = marked(editor, root, PROGRAM + "(defn f [z] (double z)|)")
    answer = await editor.execute("mino.eval", arguments)
    (problem,) = answer["problems"]
    assert answer["shape"] == [2, 3] and "this is the `z` of the top level" in problem["message"]
    assert document.slice(problem["range"]) == "z" and problem["severity"] == 2


async def test_what_a_form_binds_itself_is_known(editor: Editor, root: Path) -> None:
    _, arguments = marked(editor, root, PROGRAM + "(defn f [] (lfor i (range 3) (* i i))|)")
    answer = await editor.execute("mino.eval", arguments)
    assert (answer["text"], answer["problems"]) == ("[0 1 4]", [])


async def test_half_typed_forms_above_are_passed_over_and_said(editor: Editor, root: Path) -> None:
    document, arguments = marked(editor, root, "(setv a 1)\n(setv b (+ a\n\n(setv c 3)\n(+ a c)|\n")
    answer = await editor.execute("mino.eval", arguments)
    (problem,) = answer["problems"]
    assert answer["text"] == "4" and problem["code"] == "eval-skipped" and "passed over" in problem["message"]
    assert document.slice(problem["range"]).startswith("(setv b (+ a")


@pytest.mark.parametrize(
    ("text", "scope", "told"),
    [
        ("(f) \n |\n(g)", "form", "There is no form here. Put the cursor on one, or right after it."),
        ("|(f)", "toHere", "There is no complete form before this place."),
        ("(f (g| x", "top", "This form cannot be read yet. "),
        ("|", "form", "There is no form here."),
        ("(f)|", "all", '"scope" is \'all\'; it must be "form", "top" or "toHere"'),
    ],
)
async def test_what_cannot_be_evaluated(editor: Editor, root: Path, text: str, scope: str, told: str) -> None:
    _, arguments = marked(editor, root, text)
    assert told in await editor.refusal("mino.eval", {**arguments, "scope": scope})


async def test_without_a_place(editor: Editor, root: Path) -> None:
    _, arguments = marked(editor, root, "(f)|")
    told = await editor.refusal("mino.eval", {"uri": arguments["uri"]})
    assert told == 'mino.eval takes {"uri", "range" or "position", "scope"}.'


async def test_nothing_is_evaluated_without_trust(editors: Any, tmp_path: Path) -> None:
    editor = await editors(root=tmp_path, trust="none")
    _, arguments = marked(editor, tmp_path, "(+ 1 1)|")
    assert "is not trusted to run" in await editor.refusal("mino.eval", arguments)


@pytest.mark.needs_fork("there are no checkpoints")
async def test_a_form_is_evaluated_in_a_fork_of_the_preview(editor: Editor, root: Path) -> None:
    above = "(import os time)\n(setv pid (os.getpid))\n(time.sleep 0.2)\n(setv late (os.getpid))\n"
    document, arguments = marked(editor, root, above + "[(= pid late) (= pid (os.getpid))]|")
    assert (await editor.execute("mino.eval", arguments))["text"] == "[True True]"
    await document.previewed()
    assert (await editor.execute("mino.eval", arguments))["text"] == "[False False]"
