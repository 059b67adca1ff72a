"""Completion and its resolution: what is offered where, and in which order."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from mino_lsp.analysis.python_names import PythonNames, paths_of
from mino_lsp.features.completion import Completions, completions, resolve

from .documents import snapshot
from .editor import SECONDS, Document, Editor
from .syntax.fragments import texts


class Nothing:
    """Python packages of which nothing is known yet."""

    def members(self, module: str, path: str) -> list[str] | None:
        return None


class Known:
    def __init__(self, **known: list[str]) -> None:
        self.known = known

    def members(self, module: str, path: str) -> list[str] | None:
        return self.known.get(f"{module}_{path}".replace(".", "_"), [])


def complete(marked: str, python: Any = None, snippets: bool = False, **files: str) -> Completions:
    """What is offered at the `|`."""
    offset = marked.index("¦")
    document = snapshot(marked.replace("¦", ""))
    for name, source in files.items():
        other = snapshot(source)
        document.index.opened(f"file:///w/{name}.hy", other.text, other.tree)
    document.index.opened(document.uri, document.text, document.tree)
    return completions(document, offset, python or Nothing(), snippets)


MU = "(require mino.mu *)\n(defmu Net [x w-1 bias] (@ x w-1))\n"


@pytest.mark.parametrize(
    ("marked", "first", "absent"),
    [
        # what is in scope, inner before outer, by prefix
        ("(setv abc 1) (defn f [abd] (print ab¦))", ["abd", "abc", "abs"], ["defn"]),
        ("(let [aaa 1] aa¦) ", ["aaa"], []),
        ("(let [aaa 1] aaa) aa¦", [], ["aaa"]),
        ("(import torch :as tt) (tt¦)", ["tt"], []),
        ("(defmacro mine [] 1) (min¦)", ["mine", "min"], []),
        ("(lef¦)", [], ["let"]),
        ("(require mino.mu *) (defm¦)", ["defmacro", "defmu"], []),
        ("(require hyrule [unless]) (unl¦)", ["unless"], []),
        ("(import hyrule *) (in¦)", ["in", "inc"], []),
        ("(require hyrule *) (ap-map i¦ [1])", ["it"], []),
        # components: those that are not bound first, the threaded one and bound ones last
        (MU + "(Net ¦)", [":bias", ":w-1", ":x"], []),
        (MU + "(Net :¦)", [":bias", ":w-1", ":x"], []),
        (MU + "(Net :w_1 1 :¦)", [":bias", ":x"], [":w-1"]),
        (MU + "(setv n (Net :bias 1)) (n :¦)", [":w-1", ":bias", ":x"], []),
        (MU + "(setv n (Net :bias 1)) (bind n :¦)", [":w-1", ":bias", ":x"], []),
        (MU + "(setv n (Net)) n.¦", ["bias", "w-1", "x"], []),
        # parameters and specs
        ("(defn f [a * key-word] 1) (f :k¦)", [":key-word"], []),
        ("(require mino.spec *) (spec/def :lin 1) (spec/gen :¦)", [":lin"], []),
        # modules
        ("(require mino.¦)", [], []),
        ("(require mi¦)", ["mino", "mino.mu", "mino.spec"], []),
        ("(require mino.thread [c¦])", ["cond->", "cond->>"], []),
        ("(import hyrule) hyrule.in¦", ["inc"], []),
        ("(import other [h¦])", ["helper-one"], []),
        ("(import other) (other.h¦)", ["helper-one"], []),
        ("(import oth¦)", ["other"], []),
        ("(import mino.sp¦)", ["spec"], ["mino.spec"]),
        ("(require mino.¦)", ["mu", "spec", "thread"], ["mino"]),
        # nothing in text
        ('(print "ab¦")', [], ["abs"]),
        ("; ab¦", [], ["abs"]),
        ('f"{ab¦}"', ["abs"], []),
    ],
)
def test_what_is_offered(marked: str, first: list[str], absent: list[str]) -> None:
    found = complete(marked, other="(defn helper-one [] 1)\n(import os)")
    labels = [item.label for item in sorted(found.items, key=lambda item: item.rank)]
    assert labels[: len(first)] == first, labels[:12]
    assert not set(absent) & set(labels)


@pytest.mark.parametrize(
    ("marked", "known", "labels"),
    [
        ("(import torch) (torch.ze¦)", {"torch_": ["zeros", "zeros_like"]}, ["zeros", "zeros-like"]),
        ("(import torch) (torch.nn.Li¦)", {"torch_nn": ["Linear"]}, ["Linear"]),
        ("(import torch.nn :as nn) nn.Li¦", {"torch_nn_": ["Linear"]}, ["Linear"]),
        ("(import torch.nn.functional) torch.nn.f¦", {"torch_nn": ["functional"]}, ["functional"]),
        ("(import torch.n¦)", {"_torch": ["nn", "onnx", "random"]}, ["nn", "onnx", "random"]),
        ("(import torch.nn.f¦)", {"_torch_nn": ["functional"]}, ["functional"]),
        ("(import torch.optim [Adam]) (setv o (Adam 1)) o.st¦", {"torch_optim_Adam()": ["step"]}, ["step"]),
        ("(import torch [z¦])", {"torch_": ["zeros"]}, ["zeros"]),
    ],
)
def test_attributes_of_python_packages(marked: str, known: dict[str, list[str]], labels: list[str]) -> None:
    assert complete(marked, Nothing()).incomplete
    found = complete(marked, Known(**known))
    assert [item.label for item in found.items] == labels
    assert not found.incomplete


def test_what_replaces_what() -> None:
    found = complete("(print foo.ab¦c) (setv foo 1)")
    assert found.items == []
    item = complete("(pri¦nt)").items[0]
    assert (item.label, item.span.start, item.span.end) == ("print", 1, 4)


def test_snippets_where_they_are_wanted() -> None:
    assert any(item.text.startswith("defmu ${1") for item in complete("(defmu¦)", snippets=True).items if item.snippet)
    assert not any(item.snippet for item in complete("(defmu¦)").items)
    assert not any(item.snippet for item in complete("(defmu¦ Net [x] x)", snippets=True).items)


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("f", "What f does."),
        ("let", "Binds names"),
        ("len", "number of items"),
        ("defmu", "forward"),
        ("unless", "Shorthand for"),
    ],
)
def test_documentation(word: str, part: str) -> None:
    source = '(require mino.mu * hyrule [unless])\n(defn f [x] "What f does." x)\n(' + word
    document = snapshot(source)
    items = completions(document, len(source), Nothing(), False).items
    assert part in resolve(document, next(item.about for item in items if item.label == word))


@given(texts(), st.integers(0, 60))
def test_any_text_is_answered(source: str, offset: int) -> None:
    document = snapshot(source)
    offset = min(offset, len(source))
    for item in completions(document, offset, Nothing(), True).items:
        assert item.span.start <= item.span.end == offset
        resolve(document, item.about)


# ---- the server


async def offered(document: Document, at: int) -> lsp.CompletionList:
    params = lsp.CompletionParams(document.identity, document.position(at))
    found = await asyncio.wait_for(document.editor.text_document_completion_async(params), SECONDS)
    assert isinstance(found, lsp.CompletionList)
    return found


async def test_over_the_server(editor: Editor, root: Path) -> None:
    document = editor.open(root / "completed.hy", MU + "(Net )\n(prin)\n(defmu)\n")
    found = await offered(document, document.find("(Net )") + 5)
    assert [item.label for item in found.items][:3] == [":bias", ":w-1", ":x"]
    found = await offered(document, document.find("(prin)") + 5)
    item = next(item for item in found.items if item.label == "print")
    assert document.slice(item.text_edit.range) == "prin"  # type: ignore[union-attr]
    assert "Prints the values" in await documented(editor, item)
    found = await offered(document, document.find("(defmu)") + 6)
    snippets = [one for one in found.items if one.insert_text_format == lsp.InsertTextFormat.Snippet]
    assert bool(snippets) == bool(editor.can("text_document.completion.completion_item.snippet_support"))


async def documented(editor: Editor, item: lsp.CompletionItem) -> str:
    """The documentation of an item: there at once for a client that resolves none, else when it is resolved."""
    resolved = editor.can("text_document.completion.completion_item.resolve_support.properties", ["documentation"])
    if "documentation" in resolved:
        assert item.documentation is None
        item = await asyncio.wait_for(editor.completion_item_resolve_async(item), SECONDS)
    formats = editor.can("text_document.completion.completion_item.documentation_format", [])
    if not formats:
        assert isinstance(item.documentation, str)
        return item.documentation
    assert isinstance(item.documentation, lsp.MarkupContent) and item.documentation.kind == formats[0]
    return item.documentation.value


async def test_python_packages_over_the_server(editor: Editor, root: Path) -> None:
    document = editor.open(root / "python.hy", "(import json)\n(json.du)\n")
    async with asyncio.timeout(SECONDS):
        while not (found := await offered(document, document.find("du)") + 2)).items:
            assert found.is_incomplete
    assert [item.label for item in found.items][:2] == ["dump", "dumps"]
    told = await asyncio.wait_for(editor.completion_item_resolve_async(found.items[0]), SECONDS)
    while told.documentation is None:
        told = await asyncio.wait_for(editor.completion_item_resolve_async(found.items[0]), SECONDS)
    assert "JSON" in getattr(told.documentation, "value", told.documentation)


async def test_imports_of_python_packages(editor: Editor, root: Path) -> None:
    document = editor.open(root / "imports.hy", "(import jso)\n(import json [JSONDe])\n(import json.dec)\n")
    for place, label in (("jso)", "json"), ("JSONDe]", "JSONDecoder"), ("json.dec)", "decoder")):
        at = document.find(place) + len(place) - 1
        async with asyncio.timeout(SECONDS):
            found = await offered(document, at)
            while label not in [item.label for item in found.items]:
                assert found.is_incomplete
                found = await offered(document, at)


async def test_looking_up_a_package_never_runs_it(tmp_path: Path) -> None:
    """It is imported by nobody, neither whole nor in part: its names, its sub-modules and what they are is read."""
    package = tmp_path / "canary"
    package.mkdir()
    for name in ("__init__", "inner"):
        ran = f"open({str(tmp_path / name)!r}, 'w').close()"
        (package / f"{name}.py").write_text(f"{ran}\ndef sing(song, loud=False):\n    'Sings.'\n")
    reader = PythonNames()
    view = reader.view((*sys.path, str(tmp_path)))
    asked = [
        lambda: view.members("", "canary"),
        lambda: view.members("canary", ""),
        lambda: view.members("canary.inner", ""),
    ]
    asked += [lambda: view.describe("canary", "sing"), lambda: view.describe("canary.inner", "sing")]  # type: ignore[list-item, return-value]
    while None in [ask() for ask in asked]:
        await reader.settled(SECONDS)
    submodules, names, inner, told, _ = (ask() for ask in asked)
    await reader.close()
    assert submodules == ["inner"] and "sing" in (names or ()) and "sing" in (inner or ())
    assert told == ("function", "sing(song, loud=False)", "Sings.")
    assert not (tmp_path / "__init__").exists() and not (tmp_path / "inner").exists()
    subprocess.run([sys.executable, "-c", "import canary.inner"], cwd=tmp_path, check=True, timeout=SECONDS)
    assert (tmp_path / "__init__").exists() and (tmp_path / "inner").exists()


def test_the_folders_of_an_environment_are_told_without_running_it(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    assert paths_of(str(tmp_path / "bin" / "python")) is None
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (site / "more.pth").write_text(f"{tmp_path}\nimport os\n")
    found = paths_of(str(tmp_path / "bin" / "python"))
    assert found is not None and found[-2:] == (str(site), str(tmp_path))
