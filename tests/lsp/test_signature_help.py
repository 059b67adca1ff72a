"""Signature help: which call, and which parameter is being written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from mino_lsp.analysis.python_targets import parameters_of
from mino_lsp.features.signature_help import signature_help

from .documents import snapshot
from .editor import SECONDS, Document, Editor
from .syntax.fragments import texts

F = "(defn f [a [b 1] #* rest #** options] a)\n"
G = "(defn g [a * key] a)\n"


@pytest.mark.parametrize(
    ("marked", "label", "active"),
    [
        (F + "(f ¦)", "(f a [b 1] #* rest #** options)", "a"),
        (F + "(f 1¦)", "(f a [b 1] #* rest #** options)", "a"),
        (F + "(f 1 ¦)", "(f a [b 1] #* rest #** options)", "[b 1]"),
        (F + "(f 1 2 3 4 ¦", "(f a [b 1] #* rest #** options)", "#* rest"),
        (F + "(f 1 :b ¦)", "(f a [b 1] #* rest #** options)", "[b 1]"),
        (F + "(f 1 :new ¦)", "(f a [b 1] #* rest #** options)", "#** options"),
        (G + "(g :key 1 ¦)", "(g a key)", "a"),
        (G + "(g (+ 1 2) ¦)", "(g a key)", "key"),
        (G + "(g 1 2 3 ¦)", "(g a key)", None),
        (F + "(f (len ¦))", "(len obj)", "obj"),
        (F + "(f 1 (nothing ¦))", "(f a [b 1] #* rest #** options)", "[b 1]"),
        (F + "(-> 1 (f ¦))", "(f a [b 1] #* rest #** options)", "[b 1]"),
        (F + "(f 1)¦", None, None),
        (F + "(f¦ 1)", None, None),
        ("(defmu Net [x w] x) (Net :w ¦)", "(Net x w)", "w"),
        ("(defmu Net [x w] x) (setv n (Net)) (n ¦)", "(Net x w)", "x"),
        ("(defclass C [] (defn __init__ [self a] 1)) (C ¦)", "(C a)", "a"),
        ("(let ¦)", "(let [#* bindings] #* body)", "[#* bindings]"),
        ("(require hyrule [unless]) (unless 1 ¦)", "(unless test #* body)", "#* body"),
        ("(import hyrule [inc]) (inc ¦)", "(inc n)", "n"),
        ("(nobody ¦)", None, None),
    ],
)
def test_the_call_and_the_parameter(marked: str, label: str | None, active: str | None) -> None:
    offset = marked.index("¦")
    found = signature_help(snapshot(marked.replace("¦", "")), offset)
    assert (found.label if found else None) == label
    if found is not None:
        span = found.parameters[found.active] if found.active is not None else None
        assert (found.label[slice(*span)] if span is not None else None) == active


@pytest.mark.parametrize(
    ("signature", "parameters"),
    [
        (
            "zeros(*size: int, out: Tensor | None=None, names=(1, 2)) -> Tensor",
            ("#* size", "[out None]", "[names (1, 2)]"),
        ),
        ('f(a, /, b: dict[str, int], *, c=",)", **more)', ("a", "b", '[c ",)"]', "#** more")),
        ("f()", ()),
        ("", ()),
        ("f(a, b", ("a", "b")),
    ],
)
def test_parameters_of_python(signature: str, parameters: tuple[str, ...]) -> None:
    assert parameters_of(signature) == parameters


async def test_calls_of_python_packages(editor: Editor, root: Path) -> None:
    """Nothing waits for the helper process: an answer without it comes at once, and later one with it."""
    document = editor.open(root / "python_calls.hy", "(import json)\n(json.dumps [1] )\n(json.nothing 1 )\n")
    params = lsp.SignatureHelpParams(document.identity, document.position(document.find("[1] )") + 4))
    async with asyncio.timeout(SECONDS):
        while (found := await editor.text_document_signature_help_async(params)) is None:
            pass
    assert found.signatures[0].label.startswith("(json.dumps obj [skipkeys False]")
    params = lsp.SignatureHelpParams(document.identity, document.position(document.find("1 )\n") + 2))
    assert await editor.text_document_signature_help_async(params) is None


@given(texts(), st.integers(0, 60))
def test_any_text_is_answered(source: str, offset: int) -> None:
    found = signature_help(snapshot(source), min(offset, len(source)))
    assert found is None or found.active is None or 0 <= found.active < len(found.parameters)


async def helped(document: Document, at: int) -> lsp.SignatureHelp:
    params = lsp.SignatureHelpParams(document.identity, document.position(at))
    found = await asyncio.wait_for(document.editor.text_document_signature_help_async(params), SECONDS)
    assert found is not None
    return found


async def test_over_the_server(editor: Editor, root: Path) -> None:
    document = editor.open(root / "signatures.hy", '(defn 𝒳f [f [b 1]] "Says `b`." f)\n(𝒳f 1 )\n(𝒳f 1 2 3 )\n')
    found = await helped(document, document.find("(𝒳f 1 )") + 6)
    (signature,) = found.signatures
    assert signature.label == "(𝒳f f [b 1])" and found.active_parameter == 1
    told = [one.label for one in signature.parameters or []]
    if editor.can("text_document.signature_help.signature_information.parameter_information.label_offset_support"):
        # Counted in UTF-16, whatever positions are counted in: the first f is that of the name.
        assert [list(one) for one in told] == [[5, 6], [7, 12]]
    else:
        assert told == ["f", "[b 1]"]
    formats = editor.can("text_document.signature_help.signature_information.documentation_format")
    if formats:
        assert signature.documentation == lsp.MarkupContent(formats[0], "Says `b`.")
    else:
        assert signature.documentation == "Says b."
    past = await helped(document, document.find("2 3 )") + 4)
    absent = editor.can("text_document.signature_help.signature_information.no_active_parameter_support")
    assert past.active_parameter == (None if absent else 2)
