"""What the tests of definition, references, highlights and rename share: documents, places and requests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from mino_lsp.analysis import Index
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Text, read

from .documents import snapshot
from .editor import SECONDS, Document, Editor

Spans = list[tuple[int, int]]

LOCAL = [
    "(defn «f» [x] x)\n(‹f› 1)\n(print ‹f›)",
    "(let [«a-b» 1] (print ‹a_b›))\n(setv a-b 2)",
    "(setv «x» 1) (defn g [] (global ‹x›) (setv «x» 2))",
    "(require mino.mu *)\n(defmu N [x «w»] (@ x ‹w›))\n(setv n (N :‹w› 1))\n(print n.‹w›)",
    "(require mino.spec *)\n(spec/def :«a» int)\n(spec/gen :‹a›)",
    "(defmacro «m» [x] x)\n(‹m› 1)\n(defmacro n [] `(‹m› 2))",
]


def locate(found: Any) -> Spans:
    return sorted((one.span.start, one.span.end) for one in found)


NETS = "(require mino.mu *)\n(defmu Net [x weight]\n  (@ x weight))\n(defn make-net [] (Net :weight 1))\n"
MAIN = "(import nets [Net make-net :as made])\n(import nets)\n(setv a (Net :weight 2))\n(made) (nets.make-net)\n"
STAR = "(import nets *)\n(make-net)\n"


def workspace(**files: str) -> dict[str, Snapshot]:
    """Documents that are open together."""
    index = Index()
    index.roots = []
    found = {}
    for name, source in files.items():
        uri = f"file:///w/{name}.hy"
        found[name] = snapshot(source, index=index)
        found[name] = Snapshot(uri, 1, Text(source), read(source), found[name].root, found[name].settings, index=index)
        index.opened(uri, found[name].text, found[name].tree)
    for one in found.values():
        list(index.files())
        assert one.index is index
    return found


async def ask(document: Document, method: str, at: int, **more: Any) -> Any:
    params = {"text_document": document.identity, "position": document.position(at), **more}
    kinds = {
        "definition": lsp.DefinitionParams,
        "declaration": lsp.DeclarationParams,
        "references": lsp.ReferenceParams,
        "document_highlight": lsp.DocumentHighlightParams,
        "prepare_rename": lsp.PrepareRenameParams,
        "rename": lsp.RenameParams,
    }
    request = getattr(document.editor, f"text_document_{method}_async")(kinds[method](**params))
    found = await asyncio.wait_for(request, SECONDS)
    if method in ("definition", "declaration"):
        return [_location(document, method, at, one) for one in found]
    return found


def _location(document: Document, method: str, at: int, found: Any) -> lsp.Location:
    """The place itself, of a link where the client takes links."""
    if not document.editor.can(f"text_document.{method}.link_support"):
        assert isinstance(found, lsp.Location)
        return found
    assert isinstance(found, lsp.LocationLink)
    assert found.origin_selection_range is not None
    leading = found.origin_selection_range
    assert document.offset(leading.start) <= at <= document.offset(leading.end)
    inner, outer = found.target_selection_range, found.target_range
    assert _order(outer.start) <= _order(inner.start) <= _order(inner.end) <= _order(outer.end)
    return lsp.Location(found.target_uri, inner)


def _order(position: lsp.Position) -> tuple[int, int]:
    return position.line, position.character


def tell(editor: Editor, path: Path, what: lsp.FileChangeType) -> None:
    events = [lsp.FileEvent(path.as_uri(), what)]
    editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(events))


def open_both(editor: Editor, root: Path) -> tuple[Document, str]:
    """The document that imports, open, and the URI of the file that it imports from, which is not."""
    (root / "nets.hy").write_text(NETS, "utf-8")
    tell(editor, root / "nets.hy", lsp.FileChangeType.Created)
    return editor.open(root / "main.hy", MAIN), (root / "nets.hy").as_uri()
