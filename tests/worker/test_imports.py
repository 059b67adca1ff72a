"""What a document imports from its workspace: probed as the document is, as the editor has it, and blamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mino
from mino_lsp import types as t
from tests.worker.conftest import show

LAYERS = "(require mino.mu * mino.thread *)\n(defmu Scale [x weights] (-> x (@ weights) (* 2)))\n"
MAIN = "(import torch layers [Scale])\n(setv y ((Scale :weights (torch.ones 4 3)) (torch.ones 5 4)))\n"


@pytest.fixture
def told(worker, tmp_path):
    """What a preview of a text tells of each file: `{name: (facts by text, problems by text)}`."""

    def run(text: str, files: dict[str, str], unsaved: dict[str, str] | None = None) -> dict[str, Any]:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        texts = tuple((str(tmp_path / name), content) for name, content in (unsaved or {}).items())
        main, job = str(tmp_path / "main.hy"), worker.job()
        environment = t.Environment(str(tmp_path))
        worker.send(t.PreviewRequest(job, main, text, environment, root=str(tmp_path), texts=texts))
        contents = {"main.hy": text, **files, **(unsaved or {})}
        found: dict[str, Any] = {name: ({}, []) for name in contents}
        for answer in worker.collect(job):
            if isinstance(answer, t.Facts):
                name = answer.path.removeprefix(f"{tmp_path}/") or "main.hy"
                content = contents[name]
                for fact in answer.facts:
                    found[name][0][content[fact.span.start : fact.span.end]] = [show(value) for value in fact.values]
                found[name][1].extend(
                    (problem.code, content[problem.span.start : problem.span.end]) for problem in answer.problems
                )
            elif isinstance(answer, t.Finished):
                found["imported"] = sorted(path.removeprefix(f"{tmp_path}/") for path in answer.result.imported)
        return found

    return run


def test_facts_of_an_imported_file_are_told_with_its_path(told):
    found = told(MAIN, {"layers.hy": LAYERS})
    assert found["layers.hy"][0]["(@ weights)"] == ["[5 3]"]
    assert found["layers.hy"][0]["x"] == ["[5 4]"]
    assert found["main.hy"][0]["y"] == ["[5 3]"]
    assert found["main.hy"][1] == found["layers.hy"][1] == []
    assert found["imported"] == ["layers.hy"]


def test_an_unsaved_text_is_what_is_imported(told):
    unsaved = LAYERS.replace("(* 2)", "(.sum :dim 0)")
    found = told(MAIN, {"layers.hy": LAYERS}, {"layers.hy": unsaved})
    assert found["layers.hy"][0]["(.sum :dim 0)"] == ["[3]"]
    assert found["main.hy"][0]["y"] == ["[3]"]


def test_files_that_import_each_other_and_packages(told):
    files = {
        "nets/__init__.hy": "(import nets.parts [double])\n",
        "nets/parts.hy": "(import torch)\n(defn double [t] (* 2 t))\n",
    }
    found = told("(import torch nets)\n(setv y (nets.double (torch.ones 7)))", files)
    assert found["nets/parts.hy"][0]["(* 2 t)"] == ["[7]"]
    assert found["imported"] == ["nets/__init__.hy", "nets/parts.hy"]


def test_macros_of_an_imported_file_work(told):
    found = told(
        "(require tools [twice])\n(import torch)\n(twice (torch.ones 3))",
        {"tools.hy": "(defmacro twice [f] `(do ~f ~f))\n"},
    )
    assert found["main.hy"][0]["(torch.ones 3)"] == ["[3]"]
    assert found["main.hy"][1] == []


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("layers.hy", '"日本" (defn wrong [x]\n  (setv s "é") (@ x x))\n', "(@ x x)"),
        ("layers.py", "def wrong(x):\n    s = 'é'; return x @ x\n", "x @ x"),
    ],
)
def test_an_exception_in_an_imported_file_is_told_there_and_at_the_call(told, name, content, place):
    found = told("(import torch layers [wrong])\n(wrong (torch.ones 2 3))", {name: content})
    assert found[name][1] == [("exception", place)]
    assert [at for _, at in found["main.hy"][1]] == ["(wrong (torch.ones 2 3))"]


def test_a_file_that_cannot_be_compiled_is_told_at_its_import(told):
    found = told("(import layers)", {"layers.hy": "(defn f [x]\n  (setv))\n(if)\n"})
    assert [at for _, at in found["main.hy"][1]] == ["(import layers)"]
    assert [code for code, _ in found["layers.hy"][1]] == ["exception"]


def test_nothing_is_written_beside_an_imported_file(told, tmp_path):
    told(MAIN, {"layers.hy": LAYERS})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layers.hy"]


def test_packages_that_are_installed_in_the_workspace_are_left_alone(told):
    files = {".venv/lib/site-packages/other.hy": "(import torch)\n(setv t (torch.ones 3))\n"}
    text = '(import sys os)\n(sys.path.append (os.path.join (os.getcwd) ".venv/lib/site-packages"))\n(import other)'
    found = told(text, files)
    assert found["imported"] == []
    assert found["main.hy"][1] == []


def test_mino_itself_is_imported_as_it_is_written(worker):
    """What the worker has imported of Mino is not taken where that is the workspace."""
    root = Path(mino.__file__).parent.parent
    main, thread = str(root / "examples" / "main.hy"), str(root / "mino" / "thread.hy")
    text = "(require mino.thread *)\n(-> 1 (+ 2))\n"
    for where, imported in ((str(root), True), (str(root / "examples"), False)):
        job = worker.job()
        worker.send(t.PreviewRequest(job, main, text, t.Environment(str(root)), root=where))
        finished = worker.collect(job)[-1]
        assert (thread in finished.result.imported) == imported
