"""Whatever the text, and whatever lies in the workspace: each static feature answers, in bounded memory, and the server
goes on. Nothing is trusted here, so nothing is previewed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .raw import Raw, notification, request

FEATURES = Path(__file__).parents[2] / "mino_lsp" / "features"
REQUEST_FAILED = -32803
OPTIONS = {"options": {"tabSize": 2, "insertSpaces": True}}

TEXTS = {
    "nothing": "",
    "NUL": "(setv \0x 1)\0 (x\0 \0)\n" * 500,
    "lone surrogates": '(setv \ud800 "\udc00") (\ud800 \udfff)\n' * 500,
    "line endings of all kinds": "(f\r\n\ra\u2028\u2029\f\v\x85)\r" * 500,
    "10 MB: one list": f"(f {'x ' * 5_000_000})",
    "10 MB: many forms": "(f x) " * 1_600_000,
    "10 MB: one string": '"' + "x" * 10_000_000 + '"',
    "10 MB: one symbol": "x" * 10_000_000,
    "10 MB: NUL and surrogates": "(\0 \ud800\udc00\udfff) " * 1_000_000,
    "10 MB: line ends": "x\n" * 5_000_000,
    "one line of forms": "(setv x (f x)) " * 5_000,
    "one line beyond the BMP": "(setv 𝒳 \ud800) " * 5_000,
    "one symbol": "x" * 1_000_000,
    "one f-string": 'f"' + "{x} " * 20_000 + '"',
    "open parentheses": "(" * 100_000,
    "open calls": "(f " * 10_000,
    "closed calls": "(f " * 30_000 + ")" * 30_000,
    "closers": ")" * 50_000,
    "brackets that do not match": "(]" * 25_000,
    "quotes": "'" * 100_000,
    "quotes in quotes": "`" * 100_000 + "~" * 100_000 + "x",
    "splices": "`~@" * 20_000 + "x",
    "f-strings in f-strings": 'f"{' * 100_000,
    "discards": "#_ " * 100_000,
    "annotations": "#^ " * 100_000,
    "comments that silence": "; mino: ignore\n(f x)\n" * 3_000,
    "calls that do not fit": "(defn f []) " + "(f 1) " * 5_000,
    "forms that are open": "(f x\n" * 10_000,
    "scopes in scopes": "(let [a 1] (fn [b] (lfor c d " * 2_000,
}


def peak(server: Raw) -> int:
    """The most bytes that the server has held so far."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Raw]]:
    """Starts servers that trust nothing; each is to end well."""
    started: list[Raw] = []

    def serve(root: Path = tmp_path, **told: Any) -> Raw:
        server = Raw(root)
        started.append(server)
        pulling = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}
        told = {"rootUri": root.as_uri(), "initializationOptions": {"trust": "none"}, **told}
        server.initialize(capabilities=pulling, **told)
        return server

    yield serve
    for server in started:
        assert server.end() == 0
        assert "Traceback" not in server.stderr, server.stderr


def everything(uri: str, line: int, character: int) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """For each feature what a client asks of it, at a place and of all."""
    document = {"textDocument": {"uri": uri}}
    position = {"line": line, "character": character}
    at = {**document, "position": position}
    near = {"start": {"line": line, "character": max(character - 5_000, 0)}, "end": position}
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 2**31 - 1, "character": 2**31 - 1}}
    return {
        "diagnostics": [("textDocument/diagnostic", document)],
        "hover": [("textDocument/hover", at)],
        "completion": [("textDocument/completion", at)],
        "signature_help": [("textDocument/signatureHelp", at)],
        "definition": [("textDocument/definition", at), ("textDocument/declaration", at)],
        "references": [("textDocument/references", {**at, "context": {"includeDeclaration": True}})],
        "highlights": [("textDocument/documentHighlight", at)],
        "document_symbols": [("textDocument/documentSymbol", document)],
        "workspace_symbols": [("workspace/symbol", {"query": "x"})],
        "code_actions": [("textDocument/codeAction", {**document, "range": whole, "context": {"diagnostics": []}})],
        "code_lenses": [("textDocument/codeLens", document)],
        "inlay_hints": [("textDocument/inlayHint", {**document, "range": whole})],
        "rename": [("textDocument/prepareRename", at), ("textDocument/rename", {**at, "newName": "new"})],
        "formatting": [
            ("textDocument/formatting", {**document, **OPTIONS}),
            ("textDocument/rangeFormatting", {**document, "range": near, **OPTIONS}),
            ("textDocument/onTypeFormatting", {**at, "ch": "\n", **OPTIONS}),
        ],
        "folding": [("textDocument/foldingRange", document)],
        "selection_ranges": [("textDocument/selectionRange", {**document, "positions": [position]})],
        "semantic_tokens": [
            ("textDocument/semanticTokens/full", document),
            ("textDocument/semanticTokens/full/delta", {**document, "previousResultId": "none"}),
            ("textDocument/semanticTokens/range", {**document, "range": near}),
        ],
    }


def requests(uri: str, line: int, character: int) -> list[tuple[str, dict[str, Any]]]:
    return [asked for each in everything(uri, line, character).values() for asked in each]


def check(server: Raw, uri: str, line: int, character: int) -> None:
    """Each feature answers with a result; only a renaming may be refused, and says why."""
    for number, (method, params) in enumerate(requests(uri, line, character)):
        answer = server.ask(number, method, params)
        if method == "textDocument/completion" and answer["result"]["items"]:
            assert "result" in server.ask("r", "completionItem/resolve", answer["result"]["items"][0])
        elif method == "textDocument/semanticTokens/full":
            known = {**params, "previousResultId": answer["result"]["resultId"]}
            assert server.ask("d", f"{method}/delta", known)["result"]["edits"] == []
        if "error" in answer:
            assert method.lower().endswith("rename") and answer["error"]["code"] == REQUEST_FAILED, (method, answer)
            assert "name" in answer["error"]["message"]


def change(uri: str, version: int, start: tuple[int, int], end: tuple[int, int], text: str) -> Any:
    range_ = {side: {"line": at[0], "character": at[1]} for side, at in (("start", start), ("end", end))}
    of = {"uri": uri, "version": version}
    params = {"textDocument": of, "contentChanges": [{"range": range_, "text": text}]}
    return notification("textDocument/didChange", params)


def test_no_feature_is_left_out() -> None:
    assert {path.stem for path in FEATURES.glob("*.py")} - {"__init__", "expand"} == set(everything("", 0, 0))


@pytest.mark.parametrize("name", TEXTS)
def test_any_text(start: Callable[..., Raw], tmp_path: Path, name: str) -> None:
    """In its middle, beyond its end, and after edits in its middle, beyond its end and from right to left; another
    document is answered as if it were alone."""
    text, uri = TEXTS[name], (tmp_path / "bad.hy").as_uri()
    server = start()
    other = (tmp_path / "other.hy").as_uri()
    server.open(other, "(defn f [x] x)\n(f 1)\n")
    server.open(uri, text)
    assert "f x" in server.ask("o", "textDocument/hover", _at(other, 1, 1))["result"]["contents"]["value"]
    middle = len(text.partition("\n")[0]) // 2
    check(server, uri, 0, middle)
    server.send(change(uri, 2, (0, middle), (0, middle), ")("))
    server.send(change(uri, 3, (9**9, 9**9), (2**31 - 1, 0), " (tail"))
    server.send(change(uri, 4, (0, 1), (0, 0), ""))
    check(server, uri, 2**31 - 1, 2**31 - 1)
    assert "f x" in server.ask("o", "textDocument/hover", _at(other, 1, 1))["result"]["contents"]["value"]
    assert peak(server) < 350_000_000 + 30 * len(text)


def test_what_no_person_wrote_is_said_not_to_be_read(start: Callable[..., Raw], tmp_path: Path) -> None:
    """Until it is short enough."""
    uri, document = (tmp_path / "long.hy").as_uri(), {"textDocument": {"uri": (tmp_path / "long.hy").as_uri()}}
    server = start()
    server.open(uri, "(f\n" + "x" * 1_000_000)
    (found,) = server.ask("d", "textDocument/diagnostic", document)["result"]["items"]
    told = "This text has more than 1,000,000 characters: Mino does not read it. Split it into several files."
    assert (found["code"], found["severity"], found["message"]) == ("too-long", 3, told)
    server.send(change(uri, 2, (1, 0), (9, 9), ""))
    (found,) = server.ask("d", "textDocument/diagnostic", document)["result"]["items"]
    assert found["code"] == "unclosed"


def test_names_are_shortened_in_messages(start: Callable[..., Raw], tmp_path: Path) -> None:
    uri, name = (tmp_path / "name.hy").as_uri(), "y" * 400_000
    server = start()
    server.open(uri, f'(import m{name})\n{name}\n(defn f{name} [x])\n(f{name})\nq{name}""\n')
    found = server.ask("d", "textDocument/diagnostic", {"textDocument": {"uri": uri}})["result"]["items"]
    assert found and all(len(one["message"]) < 300 for one in found)


def test_a_document_that_changes_while_it_is_being_answered(start: Callable[..., Raw], tmp_path: Path) -> None:
    """Between any two requests the text is another one, and nobody waits for an answer: there is one to each, and what
    is asked last is answered of the last text."""
    uri, source = (tmp_path / "changing.hy").as_uri(), "(import json)\n(defn f [x] (json.dumps x))\n(f 1)\n"
    server = start()
    server.open(uri, source)
    asked = 0
    for version in range(2, 22):
        messages = []
        for line, character in ((1, 20), (2, 2), (9, 9)):
            for method, params in requests(uri, line, character):
                asked += 1
                messages.append(request(asked, method, params))
                if asked % 3 == 0:
                    shorter = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": "(f"}]}
                    whole = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": source}]}
                    messages.append(notification("textDocument/didChange", shorter if asked % 2 else whole))
        server.send(*messages)
    answers = {}
    while len(answers) < asked:
        message = server.next()
        assert message is not None, server.stderr
        if "method" not in message:
            answers[message["id"]] = message
    refused = {told["error"]["code"] for told in answers.values() if "error" in told}
    assert refused <= {REQUEST_FAILED}
    server.send(change(uri, 99, (0, 0), (9**9, 0), "(defn g []"))
    found = server.ask("last", "textDocument/diagnostic", {"textDocument": {"uri": uri}})["result"]["items"]
    assert [(one["code"], one["range"]["start"]) for one in found] == [("unclosed", {"line": 0, "character": 0})]


def test_a_document_that_closes_while_it_is_being_answered(start: Callable[..., Raw], tmp_path: Path) -> None:
    """What was asked before is answered of the text that was there; what is asked after, with a sentence."""
    uri = (tmp_path / "closing.hy").as_uri()
    server = start()
    server.open(uri, "(import json)\n(json.du)\n")
    at = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 8}}
    closed = notification("textDocument/didClose", {"textDocument": {"uri": uri}})
    asking = [request(n, f"textDocument/{what}", at) for n, what in enumerate(("completion", "hover", "signatureHelp"))]
    server.send(*asking, closed, request(3, "textDocument/completion", at))
    answers: dict[int, Any] = {}
    while len(answers) < 4:
        message = server.next()
        if "method" not in message:
            answers[message["id"]] = message
    assert all("result" in answers[n] for n in range(3))
    assert "is not open" in answers[3]["error"]["message"]


def unreadable(folder: Path) -> None:
    """What cannot be read, though its name says that it is to be: for the user who may read everything, too."""
    (folder / "loop").symlink_to(folder)
    (folder / "inner").mkdir()
    (folder / "inner" / "up").symlink_to("..")
    (folder / "self.hy").symlink_to(folder / "self.hy")
    (folder / "dangling.hy").symlink_to(folder / "nowhere.hy")
    (folder / "directory.hy").mkdir()
    (folder / "binary.hy").write_bytes(b"\xff\xfe(setv wanted 1)")
    (folder / "endless.hy").symlink_to("/dev/zero")
    (folder / "long.hy").write_text("(setv wanted 1)\n; " + "x" * 20_000_000)
    os.mkfifo(folder / "pipe.hy")


@pytest.mark.parametrize("project", ["", "fifo", "endless", "directory", "dangling", "binary"])
def test_a_workspace_with_loops_and_what_cannot_be_read(
    start: Callable[..., Raw], tmp_path: Path, project: str
) -> None:
    """Files that can be read are found once, the others not at all, wherever they are named."""
    unreadable(tmp_path)
    settings = tmp_path / "pyproject.toml"
    if project == "fifo":
        os.mkfifo(settings)
    elif project == "directory":
        settings.mkdir()
    elif project in ("endless", "dangling"):
        settings.symlink_to("/dev/zero" if project == "endless" else "nowhere.toml")
    elif project == "binary":
        settings.write_bytes(b"\xff\0[tool.mino")
    (tmp_path / "inner" / "good.hy").write_text("(setv wanted 1)\n")
    server = start()
    names = ("self", "dangling", "directory", "binary", "endless", "long", "pipe", "loop.inner.up.inner.good")
    uri, source = (tmp_path / "main.hy").as_uri(), "".join(f"(import {name} [wanted])\n" for name in names)
    server.open(uri, source + "(import inner.good [wanted :as it])\n(print it)\n")
    for path in (*(tmp_path / f"{name}.hy" for name in names[:-1]), settings):
        changes = [{"uri": path.as_uri(), "type": kind} for kind in (1, 2)]
        server.send(notification("workspace/didChangeWatchedFiles", {"changes": changes}))
    for line in range(len(names) + 2):
        check(server, uri, line, 8)
    found = [one["location"]["uri"] for one in _symbols(server, "wanted") if one["location"]["uri"] != uri]
    assert found == [(tmp_path / "inner" / "good.hy").as_uri()]
    (place,) = server.ask("d", "textDocument/definition", _at(uri, len(names) + 1, 9))["result"]
    assert place["uri"] == found[0]
    assert peak(server) < 200_000_000


def _symbols(server: Raw, query: str) -> list[Any]:
    """Of the whole workspace, once all of it was looked through: by then a file that comes last in it is known."""
    while not (found := server.ask("s", "workspace/symbol", {"query": query})["result"]):
        pass
    return list(found)


def _at(uri: str, line: int, character: int) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "untitled:Untitled-1",
            "",
            "main.hy",
            "file:///",
            "file:///w%00/a.hy",
            "file:///w/a%00.hy",
            "file:///%FF/a.hy",
        ),
        *(
            "file:///" + "x" * 5_000 + "/a.hy",
            "file:///" + "d/" * 5_000 + "a.hy",
            "file:///%ED%A0%80/a.hy",
            "http://h/a",
        ),
    ],
)
def test_any_uri(start: Callable[..., Raw], uri: str) -> None:
    server = start()
    server.open(uri, "(import other [x])\n(require other *)\n(print x)\n")
    for line in range(3):
        check(server, uri, line, 8)
