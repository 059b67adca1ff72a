"""The commands of `workspace/executeCommand`: each takes and answers plain JSON, and knows no LSP type.

Places in answers are spans; the edge turns them into ranges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mino_lsp import footprint
from mino_lsp.evaluating import NothingToEvaluate, choose, problems, readable
from mino_lsp.expansions import NoExpansion, Step
from mino_lsp.format.breaks import laid_out
from mino_lsp.inspecting import concerns, drawn
from mino_lsp.runs import RunRefused, Runs
from mino_lsp.snapshot import Snapshot, path_of
from mino_lsp.supervisor import Unavailable, Worker
from mino_lsp.syntax import Text, read
from mino_lsp.types import (
    EvalRequest,
    Evaluation,
    Failed,
    Inspection,
    InspectRequest,
    Model,
    RunRequest,
    Span,
    Subject,
)
from mino_lsp.workspace import Workspace


class CommandFailed(Exception):
    """The command has no result; the text is for the user."""


class BadArguments(Exception):
    """The command was called wrongly; the text says how it is called."""


@dataclass(frozen=True, slots=True)
class Located:
    """Problems or a span of a document, and the text that they are offsets of."""

    text: Text
    value: Any


Command = Callable[[Workspace, Runs, dict[str, Any]], Awaitable[Any]]


async def _run(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    uri = _uri(arguments)
    path = path_of(uri)
    if path.endswith(".ipynb") or workspace.notebooks.get(uri) is not None:
        raise CommandFailed("A notebook is not run: its kernel runs its cells. A file of Hy can be run.")
    if not Path(path).is_file():
        raise CommandFailed(f"{path} is not a file. Save the document first: a run takes the file as saved.")
    snapshot = _saved(workspace, uri)
    settings, environment = snapshot.settings, snapshot.environment
    device = _optional(arguments, "device", str) or settings.device
    nproc = _optional(arguments, "nproc", int) or settings.nproc
    if nproc < 1:
        raise BadArguments(f'"nproc" is {nproc}; it must be a number from 1 on.')
    observe = arguments.get("observe", False)
    if not isinstance(observe, bool):
        raise BadArguments(f'"observe" is {observe!r}; it must be true or false.')
    if "args" in arguments:
        environment = replace(environment, args=tuple(map(str, _optional(arguments, "args", list) or [])))
    request = RunRequest(
        workspace.supervisor.new_job(), path, device, environment, nproc, settings.torchrun, settings.prefix, observe
    )
    result = await runs.run(snapshot, request)
    return {
        "run": request.job,
        "device": result.device,
        "exitCode": result.exit_code,
        "seconds": round(result.seconds, 3),
        "peakMemoryBytes": result.peak_memory,
        "devicePeakMemoryBytes": result.device_peak,
        "stopped": result.stopped,
        "models": [_model(model, snapshot.text) for model in result.models],
        "problems": Located(snapshot.text, result.problems),
    }


def _model(model: Model, text: Text) -> dict[str, Any]:
    told: dict[str, Any] = {"name": model.name, "kind": model.kind, "parameters": model.parameters}
    if model.shape is not None:
        told |= {"shape": list(model.shape), "dtype": model.dtype}
    if model.span is not None:
        told["range"] = Located(text, model.span)
    return {**told, "components": [_model(part, text) for part in model.components]}


async def _stop(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"stopped": await runs.stop(_optional(arguments, "run", int))}


async def _expand(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    snapshot = _document(workspace, _uri(arguments))
    depth, offset = arguments.get("depth", "one"), arguments.get("offset")
    if depth not in ("step", "one", "all"):
        raise BadArguments(f'mino.expand: "depth" is {depth!r}; it must be "step", "one" or "all".')
    quoted = arguments.get("quoted", False)
    if not isinstance(offset, int) or not isinstance(quoted, bool):
        raise BadArguments('mino.expand takes {"uri", "position", "depth", "quoted"?}.')
    shown = await workspace.expansions.expand(snapshot, offset, depth, quoted)
    now = workspace.snapshot(snapshot.uri) or snapshot
    follow = workspace.expansions.follow(snapshot, now, shown, offset, depth, quoted)
    return {
        "head": shown.head,
        "range": Located(snapshot.text, shown.span),
        "text": shown.text.source,
        "steps": _steps(shown.steps),
        "map": [
            {"from": Located(shown.text, place), "to": Located(snapshot.text, source)} for place, source in shown.tokens
        ],
        "problems": Located(snapshot.text, shown.problems),
        "document": follow,
    }


def _steps(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    return [{"head": one.head, "text": one.text, "diff": one.diff, "steps": _steps(one.steps)} for one in steps]


async def _show_python(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    snapshot = _document(workspace, _uri(arguments))
    span = arguments.get("span")
    if not isinstance(span, Span):
        raise BadArguments('mino.showPython takes {"uri", "range"}.')
    if not snapshot.trusted:
        raise CommandFailed(_untrusted(snapshot))
    code = await workspace.expansions.python(snapshot, span)
    return {"text": code.text, "problems": Located(snapshot.text, code.problems)}


async def _eval(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    snapshot = _document(workspace, _uri(arguments))
    place, scope = arguments.get("span"), arguments.get("scope", "form")
    if scope not in ("form", "top", "toHere"):
        raise BadArguments(f'mino.eval: "scope" is {scope!r}; it must be "form", "top" or "toHere".')
    if not isinstance(place, Span):
        raise BadArguments('mino.eval takes {"uri", "range" or "position", "scope"}.')
    try:
        chosen = choose(snapshot, place, scope)
    except NothingToEvaluate as error:
        raise CommandFailed(str(error)) from None
    worker = await _worker(workspace, snapshot)
    job, path, text, way = _as_previewed(workspace, snapshot)
    request = EvalRequest(job, path, text, chosen.above, chosen.targets, **way)
    result = await worker.submit(request).result
    if not isinstance(result, Evaluation):
        raise CommandFailed(result.message if isinstance(result, Failed) else "There is no value.")
    told: dict[str, Any] = {"text": result.text, "type": result.type, "stdout": result.stdout}
    if result.shape is not None:
        told["shape"] = list(result.shape)
    range_ = Located(snapshot.text, chosen.targets[-1])
    return {**told, "range": range_, "problems": Located(snapshot.text, problems(snapshot, chosen, result))}


def _as_previewed(workspace: Workspace, snapshot: Snapshot) -> tuple[int, str, str, dict[str, Any]]:
    """A job, a document's path and text, and the rest of what a request shares with that of a preview."""
    preview = workspace.previews.request(snapshot)
    shared = ("environment", "unconfined", "root", "texts", "device", "as_written", "way", "main")
    way = {name: getattr(preview, name) for name in shared}
    return preview.job, preview.path, preview.text, {**way, "limits": snapshot.settings.limits}


async def _inspect(workspace: Workspace, uri: str, subject: Subject, name: str) -> tuple[Snapshot, Inspection]:
    """What lives when the document has been evaluated."""
    snapshot = _document(workspace, uri)
    above, _ = readable(snapshot)
    worker = await _worker(workspace, snapshot)
    job, path, text, way = _as_previewed(workspace, snapshot)
    result = await worker.submit(InspectRequest(job, path, text, above, subject, name, **way)).result
    if not isinstance(result, Inspection):
        raise CommandFailed(result.message if isinstance(result, Failed) else "There is nothing to show.")
    if result.missing:
        because = f" {result.problems[0].message}" if result.problems else ""
        raise CommandFailed(result.missing + because)
    return snapshot, result


async def _show_model(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    name = _optional(arguments, "name", str) or ""
    snapshot, found = await _inspect(workspace, _uri(arguments), "model", name)
    return {
        "text": "\n".join(map(drawn, found.models)),
        "models": [_model(model, snapshot.text) for model in found.models],
        # What fails below the first failure may fail for that alone.
        "problems": Located(snapshot.text, found.problems[:1]),
    }


async def _as_expression(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    name = _named(arguments, "name", 'mino.asExpression takes {"uri", "name"}, the name of a model.')
    _, found = await _inspect(workspace, _uri(arguments), "expression", name)
    return {"text": laid_out(found.text)}


async def _spec(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    keyword = _named(arguments, "keyword", 'mino.spec takes {"uri", "keyword"}, the keyword of a spec.')
    keyword = keyword if keyword.startswith(":") else f":{keyword}"
    snapshot, found = await _inspect(workspace, _uri(arguments), "spec", keyword)
    breaking = tuple(problem for problem in found.problems if concerns(problem, keyword))
    return {
        "keyword": keyword,
        "form": laid_out(found.text),
        "describe": laid_out(found.described),
        "problems": Located(snapshot.text, breaking),
    }


_OVERTAKEN = "The preview was stopped by a newer edit."


async def _preview(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    uri = _uri(arguments)
    snapshot = workspace.snapshot(uri)
    if snapshot is None:
        raise CommandFailed("The document is not open.")
    await _worker(workspace, snapshot)
    if snapshot.tree.problems:
        raise CommandFailed("The document has a syntax error; it is previewed when that is mended.")
    now = workspace.snapshot(uri)
    if now is None or now.version != snapshot.version:
        # While the worker started. What has become of the document is previewed already.
        raise CommandFailed(_OVERTAKEN)
    workspace.previews.schedule(now, at_once=True)
    report = await workspace.previews.finished(uri)
    if report is None or not report.finished or report.version != snapshot.version:
        raise CommandFailed(_OVERTAKEN)
    return {
        "version": report.version,
        "facts": len(report.facts),
        "stopped": report.stopped,
        "problems": Located(snapshot.text, report.problems),
    }


async def _devices(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    uri = arguments.get("uri")
    root = workspace.root_of(uri) if isinstance(uri, str) else _first_root(workspace)
    there = await workspace.devices(root)
    listed = [{"name": d.name, "description": d.description, "memoryBytes": d.memory} for d in there.devices]
    configured = workspace.settings_of(root).device
    return {
        "devices": listed,
        "configured": configured,
        "resolved": there.default if configured == "auto" else configured,
    }


async def _set_device(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    device, uri = arguments.get("device"), arguments.get("uri")
    if not isinstance(device, str):
        raise BadArguments('mino.setDevice takes {"device": "cpu"}, or another name that mino.devices gives.')
    root = workspace.root_of(uri) if isinstance(uri, str) else _first_root(workspace)
    there = await workspace.devices(root)
    names = [one.name for one in there.devices]
    kinds = [name.partition(":")[0] for name in names]
    if device not in ("auto", "asWritten", *names, *kinds):
        raise CommandFailed(f'There is no device "{device}" here. There is: {", ".join(names)}, auto and asWritten.')
    workspace.choose(device=device)
    return {"configured": device, "resolved": there.default if device == "auto" else device}


async def _status(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    uri = arguments.get("uri")
    root = workspace.root_of(uri) if isinstance(uri, str) else _first_root(workspace)
    state, about, line = workspace.last_status
    greeting = workspace.greeting(root)
    told = {
        "state": state,
        "uri": about,
        "line": line,
        "memoryBytes": await asyncio.to_thread(footprint.memory),
        "paused": workspace.paused,
        "trusted": workspace.trusted(root),
        "device": workspace.settings_of(root).device,
        "worker": {"python": greeting.python, "versions": greeting.versions} if greeting is not None else None,
    }
    return {name: value for name, value in told.items() if value is not None}


async def _trust(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    uri, trusted = arguments.get("uri"), arguments.get("trusted", True)
    if not isinstance(trusted, bool):
        raise BadArguments('mino.trust takes {"uri", "trusted": true or false}.')
    root = workspace.root_of(uri) if isinstance(uri, str) else _first_root(workspace)
    try:
        workspace.set_trust(root, trusted)
    except OSError as error:
        raise CommandFailed(f"The trust in {root} could not be written: {error}.") from error
    return {"folder": str(root), "trusted": workspace.trusted(root)}


async def _pause(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    on = arguments.get("on", not workspace.paused)
    if not isinstance(on, bool):
        raise BadArguments('mino.pause takes {"on": true or false}.')
    workspace.pause(on)
    return {"paused": workspace.paused}


async def _restart(workspace: Workspace, runs: Runs, arguments: dict[str, Any]) -> dict[str, Any]:
    await runs.stop(None)
    await workspace.restart()
    return {}


COMMANDS: dict[str, Command] = {
    "mino.run": _run,
    "mino.stop": _stop,
    "mino.expand": _expand,
    "mino.showPython": _show_python,
    "mino.model": _show_model,
    "mino.asExpression": _as_expression,
    "mino.spec": _spec,
    "mino.preview": _preview,
    "mino.eval": _eval,
    "mino.pause": _pause,
    "mino.devices": _devices,
    "mino.setDevice": _set_device,
    "mino.status": _status,
    "mino.trust": _trust,
    "mino.restart": _restart,
}


async def execute(workspace: Workspace, runs: Runs, name: str, arguments: dict[str, Any]) -> Any:
    """The answer of a command. Raises `CommandFailed` or `BadArguments`, with a sentence."""
    try:
        return await COMMANDS[name](workspace, runs, arguments)
    except (Unavailable, RunRefused, NoExpansion) as error:
        raise CommandFailed(str(error)) from error


def _uri(arguments: dict[str, Any]) -> str:
    uri = arguments.get("uri")
    if not isinstance(uri, str):
        raise BadArguments('The command takes an object with a "uri".')
    return uri


def _untrusted(snapshot: Snapshot) -> str:
    if snapshot.is_nowhere:
        return "A notebook is not trusted to run before it lies in a folder that is: save it first."
    return f"The folder {snapshot.root} is not trusted to run (command mino.trust)."


async def _worker(workspace: Workspace, snapshot: Snapshot) -> Worker:
    """Who may evaluate a document. Raises `Unavailable`."""
    if snapshot.is_nowhere and not snapshot.trusted:
        raise Unavailable(_untrusted(snapshot))
    return await workspace.worker(snapshot.root)


def _named(arguments: dict[str, Any], name: str, usage: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise BadArguments(usage)
    return value


def _optional(arguments: dict[str, Any], name: str, kind: type) -> Any:
    value = arguments.get(name)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise BadArguments(f'"{name}" is {value!r}; it must be a {_WORDS[kind]}.')
    return value


_WORDS: dict[type, str] = {str: "string", int: "whole number", list: "list"}


def _document(workspace: Workspace, uri: str) -> Snapshot:
    """The open document, or the file."""
    return workspace.snapshot(uri) or _saved(workspace, uri)


def _saved(workspace: Workspace, uri: str) -> Snapshot:
    """The file as it is on disk."""
    try:
        path = Path(path_of(uri))
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise CommandFailed(f"{path} cannot be read: it is no file.")
        source = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CommandFailed(f"{path_of(uri)} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{path_of(uri)} is not UTF-8: byte {error.start} cannot be read.") from error
    root = workspace.root_of(uri)
    return Snapshot(uri, 0, Text(source), read(source), root, workspace.settings_of(root), workspace.trusted(root))


def _first_root(workspace: Workspace) -> Path:
    if workspace.roots:
        return workspace.roots[0]
    uris = workspace.uris()
    return workspace.root_of(uris[0]) if uris else Path.cwd()
