"""Notebooks: the cells of Hy in their order are one program, and each cell is shown what of it is its own."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from .editor import Document, Editor
from .notebook import Notebook

TORCH = "(import torch)\n(import torch [nn])\n(require mino.mu * mino.thread *)"
NET = "(defmu Net [x layer]\n  (-> x\n      layer))"
USE = "(setv net (Net :layer (nn.Linear 4 3)))\n(net (torch.zeros 2 4))"
MACRO = "(defmacro twice [form] `(do ~form ~form))"


def where(cell: Document, text: str, nth: int = 0) -> dict[str, Any]:
    return {"text_document": cell.identity, "position": cell.position(cell.find(text, nth))}


def slice_(notebook: Notebook, location: Any) -> tuple[int, str]:
    """The number of the cell of a location, and the text there."""
    uri = getattr(location, "uri", None) or location.target_uri
    range_ = getattr(location, "range", None) or location.target_selection_range
    number = [one.uri for one in notebook.cells].index(uri)
    return number, notebook.cells[number].slice(range_)


# ---- names go from cell to cell


async def test_what_a_cell_defines_is_known_in_those_below(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "names.ipynb", TORCH, NET, USE, "(print net)\n(nowhere 1)")
    assert [await cell.blamed() for cell in notebook.cells] == [[], [], [], [("undefined-name", "nowhere")]]
    notebook.move(2, 3)
    assert [await cell.blamed() for cell in notebook.cells] == [[], [], [("undefined-name", "nowhere")], []]
    notebook.remove(1)
    assert await notebook.cells[2].blamed() == [("undefined-name", "Net")]
    notebook.insert(0, "(defn Net [#** parts])")
    assert await notebook.cells[3].blamed() == []


async def test_definition_references_and_rename_go_over_cells(editor: Editor, root: Path) -> None:
    notebook = Notebook(
        editor, root / "rename.ipynb", "(defn double [x] (+ x x))", "(double 1)\n(double 2)", "(double 3)"
    )
    first, second, third = notebook.cells
    found = await editor.text_document_definition_async(lsp.DefinitionParams(**where(third, "double")))
    assert [slice_(notebook, one) for one in found or []] == [(0, "double")]
    places = await editor.text_document_references_async(
        lsp.ReferenceParams(lsp.ReferenceContext(True), **where(second, "double"))
    )
    assert [slice_(notebook, one) for one in places or []] == [
        (0, "double"),
        (1, "double"),
        (1, "double"),
        (2, "double"),
    ]
    edit = await editor.text_document_rename_async(lsp.RenameParams(new_name="half", **where(first, "double")))
    assert edit is not None and edit.changes is not None
    assert {uri: len(edits) for uri, edits in edit.changes.items()} == {first.uri: 1, second.uri: 2, third.uri: 1}
    shown = await editor.text_document_document_highlight_async(lsp.DocumentHighlightParams(**where(second, "double")))
    assert [second.slice(one.range) for one in shown or []] == ["double", "double"]
    symbols = await editor.workspace_symbol_async(lsp.WorkspaceSymbolParams("double"))
    assert [slice_(notebook, one.location) for one in symbols or []] == [(0, "double")]
    notebook.close()


async def test_completion_and_hover_know_the_cells_above(editor: Editor, root: Path) -> None:
    notebook = Notebook(
        editor, root / "hover.ipynb", '(defn mean-of [xs]\n  "The mean."\n  xs)', "\n(mean)\n(mean-of [1])"
    )
    cell = notebook.cells[1]
    answer = await editor.text_document_completion_async(
        lsp.CompletionParams(cell.identity, cell.position(cell.find("(mean)") + 5))
    )
    assert isinstance(answer, lsp.CompletionList)
    item = next(one for one in answer.items if one.label == "mean-of")
    assert isinstance(item.text_edit, lsp.TextEdit) and cell.slice(item.text_edit.range) == "mean"
    resolved = await editor.completion_item_resolve_async(item)
    assert "The mean." in str(resolved.documentation)
    told = await cell.hover("mean-of")
    assert "The mean." in told and "line 1 of Hy cell 1" in told
    signature = await editor.text_document_signature_help_async(
        lsp.SignatureHelpParams(cell.identity, cell.position(cell.find("[1]")))
    )
    assert signature is not None and signature.signatures[0].label == "(mean-of xs)"


async def test_what_is_a_matter_of_lines_is_of_each_cell(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "lines.ipynb", TORCH, "; words\n" + NET, "(defn f [x]\n x)\n")
    _, second, third = notebook.cells
    symbols = await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(second.identity))
    assert [(one.name, second.slice(one.location.range)[:6]) for one in symbols or []][:1] == [("Net", "(defmu")]
    folds = await editor.text_document_folding_range_async(lsp.FoldingRangeParams(second.identity))
    assert [(one.start_line, one.end_line) for one in folds or []] == [(1, 3), (2, 3)]
    tokens = await editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(second.identity))
    assert tokens is not None and list(tokens.data[:3]) == [0, 0, len("; words")]
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    edits = await editor.text_document_formatting_async(lsp.DocumentFormattingParams(third.identity, options))
    assert [(third.slice(one.range), one.new_text) for one in edits or []] == [(" ", "  ")]
    selection = await editor.text_document_selection_range_async(
        lsp.SelectionRangeParams(third.identity, [third.position(third.find("x)"))])
    )
    spans = []
    around = selection[0] if selection else None
    while around is not None:
        spans.append(third.slice(around.range))
        around = around.parent
    assert spans[-1] == third.text


# ---- previews


async def test_the_preview_evaluates_the_cells_as_one_program(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "live.ipynb", TORCH, NET, USE)
    await notebook.previewed()
    assert await notebook.cells[1].hints() == [("layer))", "→ [2 3]")]
    assert "[2 3]" in await notebook.cells[2].hover("(net")
    notebook.cells[2].replace("zeros 2 4", "zeros 5 4")
    await notebook.previewed()
    assert await notebook.cells[1].hints() == [("layer))", "→ [5 3]")]
    assert await notebook.cells[0].hints() == []


async def test_an_error_stands_in_its_cell_and_those_below_go_on(editor: Editor, root: Path) -> None:
    notebook = Notebook(
        editor, root / "error.ipynb", TORCH, NET, USE.replace("2 4", "2 5"), "(setv t (torch.ones 7 7))"
    )
    await notebook.previewed()
    found = [await cell.blamed() for cell in notebook.cells]
    assert [[code for code, _ in one] for one in found] == [[], ["shape"], [], []]
    assert found[1][0][1] == "layer"
    assert "[7 7]" in await notebook.cells[3].hover("(torch.ones")


@pytest.mark.needs_fork("there are no checkpoints")
async def test_a_change_goes_on_from_the_cell_above(editor: Editor, root: Path) -> None:
    slow = "(import time)\n(setv began (+ 1000 (% (time.time-ns) 1000000)))\n(time.sleep 0.3)"
    make = "(setv t (torch.empty began 0))"
    notebook = Notebook(editor, root / "resume.ipynb", TORCH, slow, make, "(setv u (torch.ones 3 3))")

    async def made() -> str:
        """How large a tensor is that tells when it was made."""
        await notebook.previewed()
        return (await notebook.cells[2].hover("(torch.empty")).partition("]")[0]

    before = await made()
    # A worker that has just begun imports more once nothing is asked, and keeps nothing of what came before that.
    for size in range(4, 12):
        notebook.cells[3].replace(f"{size - 1} {size - 1}", f"{size} {size}")
        earlier, before = before, await made()
        assert f"[{size} {size}]" in await notebook.cells[3].hover("(torch.ones")
        if before == earlier:
            break
    assert before == earlier and "[" in before
    notebook.cells[0].replace("(import torch)", "(import torch)\n(import os)")
    assert await made() != before


async def test_a_broken_cell_swallows_nothing(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "broken.ipynb", TORCH, "(setv a (torch.ones 2 3))", "(defn f [x] x)")
    await notebook.previewed()
    for broken in ("(setv a (torch.ones 2 3)", '(print "half', "(setv a #[x[", "#_", ")"):
        notebook.cells[1].rewrite(broken)
        assert await notebook.cells[1].blamed() and not await notebook.cells[2].blamed(), broken
        symbols = await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(notebook.cells[2].identity))
        assert [one.name for one in symbols or []] == ["f"], broken
    notebook.cells[1].rewrite("(setv a (torch.ones 2 3))\n(setv b (torch.ones 9 1))\n(")
    assert "[2 3]" in await notebook.cells[1].hover("(torch.ones")
    notebook.cells[1].rewrite("(setv a (torch.ones 2 3))\n(setv b (torch.ones 9 1))\n")
    await notebook.previewed()
    assert "[9 1]" in await notebook.cells[1].hover("(torch.ones 9")


async def test_forms_of_a_cell_are_evaluated_and_expanded(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "eval.ipynb", TORCH, MACRO, "(setv k 4)", "\n(+ k 1)\n(twice (print k))")
    cell = notebook.cells[3]
    answer = await editor.execute("mino.eval", {"uri": cell.uri, "position": cell.place("(+ k"), "scope": "form"})
    assert (answer["text"], cell.slice(answer["range"]), answer["problems"]) == ("5", "(+ k 1)", [])
    expansion = await cell.expand("(twice")
    assert expansion["text"].split() == ["(do", "(print", "k)", "(print", "k))"]
    assert cell.slice(expansion["range"]) == "(twice (print k))"
    assert expansion["map"] and all(cell.slice(one["to"]) for one in expansion["map"])


async def test_a_preview_works_where_the_kernel_does(editor: Editor, root: Path) -> None:
    (root / "below").mkdir()
    notebook = Notebook(editor, root / "below" / "where.ipynb", "(import os)", "(os.getcwd)")
    cell = notebook.cells[1]
    answer = await editor.execute("mino.eval", {"uri": cell.uri, "position": cell.place("(os")})
    assert answer["text"] == f'"{root / "below"}"'


async def test_a_notebook_is_not_run(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "run.ipynb", "(require hyrule *)\n(defmain [])")
    (root / "run.ipynb").write_text("{}")
    for uri in (notebook.uri, notebook.cells[0].uri):
        told = await editor.refusal("mino.run", {"uri": uri})
        assert told == "A notebook is not run: its kernel runs its cells. A file of Hy can be run."
    assert "▶ Run" not in str([lens.command for lens in await notebook.cells[0].lenses()])


async def test_a_preview_names_the_cell_of_each_problem(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "named.ipynb", TORCH, "(torch.zeros -1)", "1")
    answer = await editor.execute("mino.preview", {"uri": notebook.uri})
    problem = answer["problems"][0]
    assert problem["uri"] == notebook.cells[1].uri and notebook.cells[1].slice(problem["range"]) == "(torch.zeros -1)"


# ---- what is no Hy


async def test_magics_are_left_out_without_an_alarm(editor: Editor, root: Path) -> None:
    source = "%matplotlib inline\n!ls (it\n(import torch)\n  %time\n(setv x (torch.ones 2 2))\n(print (%\n%x 1))\n"
    notebook = Notebook(editor, root / "magic.ipynb", source, "x")
    cell = notebook.cells[0]
    assert await cell.blamed() == [("undefined-name", "%x")]
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    edits = await editor.text_document_formatting_async(lsp.DocumentFormattingParams(cell.identity, options))
    assert not any("%m" in cell.slice(one.range) or "!" in cell.slice(one.range) for one in edits or [])
    cell.replace("%matplotlib", "(% 2")
    assert ("unclosed", "(") in await cell.blamed()
    cell.replace("(% 2", "%matplotlib")
    assert await cell.blamed() == [("undefined-name", "%x")]


async def test_python_cells_bind_names_and_are_told_nothing(editor: Editor, root: Path) -> None:
    python = "%load_ext mino\nimport torch\nsize = 6\nfiles = (5\n  % 3)"
    notebook = Notebook(
        editor,
        root / "mixed.ipynb",
        (python, "python"),
        ("%%hy\n(setv t (torch.ones size files))\n(display t)", "python"),
        ("half(", "python"),
        ("%%bash\nls (", "python"),
        "(setv u (+ t 1))",
    )
    hy = notebook.cells[1]
    await notebook.previewed()
    assert "[6 2]" in await hy.hover("(torch.ones")
    assert [await cell.blamed() for cell in notebook.cells] == [[], [], [], [], []]
    hy.replace("(torch.ones size files)", "(torch.ones size files")
    # A client that takes the cell for Python does not ask us for its diagnostics: they are pushed.
    assert await hy.diagnostics() == []
    pushed = await editor.until(lambda: [one for one in editor.published if one.uri == hy.uri and one.diagnostics])
    assert pushed[-1].diagnostics[0].code == "unclosed" and pushed[-1].version == hy.version


async def test_a_notebook_without_hy_is_left_alone(editors: Any, tmp_path: Path) -> None:
    editor = await editors(tmp_path, tmp_path / "state", trust="ask", answer=None)
    notebook = Notebook(editor, tmp_path / "python.ipynb", ("import torch", "python"))
    assert await notebook.cells[0].hover("torch") == "" and await notebook.cells[0].blamed() == []
    assert editor.asked == [] and editor.statuses == []
    notebook.insert(1, "%%hy\n(print 1)", "python")
    await editor.until(lambda: editor.asked)


async def test_a_cell_may_become_text_and_code_again(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "kinds.ipynb", "(setv a 1)", "(print a)")
    notebook.cells[0].turn(code=False)
    assert await notebook.cells[1].blamed() == [("undefined-name", "a")]
    assert await notebook.cells[0].hover("a") == ""
    notebook.cells[0].turn(code=True)
    assert await notebook.cells[1].blamed() == []


async def test_the_kernel_gives_display(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "display.ipynb", "(display 1)")
    cell = notebook.cells[0]
    await notebook.previewed()
    assert await cell.blamed() == []
    assert not await editor.text_document_definition_async(lsp.DefinitionParams(**where(cell, "display")))
    with pytest.raises(JsonRpcException, match="This name is given by the notebook's kernel"):
        await editor.text_document_rename_async(lsp.RenameParams(new_name="show", **where(cell, "display")))


async def test_an_import_is_put_after_a_magic(editor: Editor, root: Path) -> None:
    notebook = Notebook(editor, root / "fix.ipynb", "%%hy\n(setv a 1)", "(nn.Linear a 1)")
    cell = notebook.cells[1]
    range_ = lsp.Range(cell.position(1), cell.position(1))
    found = await editor.text_document_code_action_async(
        lsp.CodeActionParams(cell.identity, range_, lsp.CodeActionContext([]))
    )
    action = next(one for one in found or [] if one.title == "Add (import torch.nn :as nn)")
    assert isinstance(action, lsp.CodeAction) and action.edit is not None and action.edit.changes is not None
    [(uri, [edit])] = action.edit.changes.items()
    assert uri == notebook.cells[0].uri
    assert (edit.range.start.line, edit.new_text) == (1, "(import torch.nn :as nn)\n")


@pytest.mark.parametrize("seed", range(3))
async def test_any_changes_end_as_if_the_notebook_were_opened_anew(editors: Any, root: Path, seed: int) -> None:
    editor = await editors(trust="none")
    rng = random.Random(seed)
    bits = [
        "(setv a 1)\n",
        "(print a)",
        "(",
        ")",
        "\n",
        "%time x\n",
        "(defn f [x] (g x))\n",
        "(f 1)",
        "%%hy\n",
        '"',
        "é",
    ]

    async def shown(notebook: Notebook) -> list[Any]:
        found = []
        for cell in notebook.cells:
            symbols = await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(cell.identity))
            tokens = await editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(cell.identity))
            assert tokens is not None
            named = [(one.name, cell.slice(one.location.range)) for one in symbols or []]
            found.append((await cell.blamed(), named, list(tokens.data)))
        return found

    notebook = Notebook(editor, root / f"changed{seed}.ipynb", "(setv a 1)", "(print a)", "(print b)")
    for step in range(60):
        at = rng.randrange(len(notebook.cells))
        cell = notebook.cells[at]
        match rng.choice(("edit", "edit", "edit", "insert", "remove", "move", "turn")):
            case "edit":
                start = rng.randrange(len(cell.text) + 1)
                cell.change(start, min(start + rng.choice((0, 0, 1, 5)), len(cell.text)), rng.choice(bits))
            case "insert":
                notebook.insert(at, "".join(rng.choices(bits, k=4)), rng.choice(("hy", "hy", "python")))
            case "remove" if len(notebook.cells) > 1:
                notebook.remove(at)
            case "move":
                notebook.move(at, rng.randrange(len(notebook.cells)))
            case "turn":
                cell.turn(not cell.code)
        if step % 15 == 14:
            again = Notebook(editor, root / f"anew{seed}_{step}.ipynb")
            copies = [again.make(one.text, one.language) for one in notebook.cells]
            for copy, one in zip(copies, notebook.cells, strict=True):
                copy.code = one.code
            again.splice(0, 0, *copies)
            assert await shown(notebook) == await shown(again), [one.text for one in notebook.cells]
            again.close()
    notebook.close()


# ---- lives


async def test_the_folder_decides_on_trust(editors: Any, tmp_path: Path) -> None:
    editor = await editors(tmp_path, tmp_path / "state", trust="ask", answer=None)
    notebook = Notebook(editor, tmp_path / "asks.ipynb", "(setv a 1)")
    await editor.until(lambda: editor.asked)
    told = await editor.refusal("mino.eval", {"uri": notebook.cells[0].uri, "position": {"line": 0, "character": 0}})
    assert told == f"The folder {tmp_path} is not trusted to run (command mino.trust)."
    await editor.execute("mino.trust", {"uri": notebook.cells[0].uri})
    await notebook.previewed()
    nowhere = Notebook(editor, "untitled:Untitled-1.ipynb?jupyter-notebook", "(setv a 1)\n(nowhere)")
    assert await nowhere.cells[0].blamed() == [("undefined-name", "nowhere")]
    for command in ("mino.eval", "mino.preview"):
        told = await editor.refusal(command, {"uri": nowhere.cells[0].uri, "position": {"line": 0, "character": 1}})
        assert told == "A notebook is not trusted to run before it lies in a folder that is: save it first."
    assert len(editor.asked) == 1


async def test_diagnostics_are_pushed_for_each_cell_and_taken_back(editors: Any, root: Path) -> None:
    from .editor import capabilities

    editor = await editors(can=capabilities(pull=False))
    notebook = Notebook(editor, root / "pushed.ipynb", "(setv a 1", "\n(nowhere)")
    first, second = notebook.cells
    assert [code for code, _ in await first.blamed()] == ["unclosed"]
    assert await second.blamed() == []
    first.replace("(setv a 1", "(setv a 1)")
    await editor.until(lambda: not editor.diagnostics[first.uri])
    await editor.until(lambda: [one.code for one in editor.diagnostics[second.uri]] == ["undefined-name"])
    notebook.remove(1)
    await editor.until(lambda: not editor.diagnostics[second.uri])
    notebook.insert(1, "(elsewhere)")
    third = notebook.cells[1]
    assert await third.blamed() == [("undefined-name", "elsewhere")]
    notebook.close()
    await editor.until(lambda: not editor.diagnostics[third.uri])
    with pytest.raises(JsonRpcException, match="is not open"):
        await third.hover("elsewhere")


async def test_a_saved_notebook_is_previewed_where_that_is_wished(editors: Any, root: Path) -> None:
    editor = await editors(settings={"preview": {"mode": "onSave"}})
    notebook = Notebook(editor, root / "saved.ipynb", TORCH, "(torch.ones 2 2)")
    notebook.save()
    await notebook.previewed()
    assert "[2 2]" in await notebook.cells[1].hover("(torch")
