"""`mino`: the engine of the language server at a terminal. Whoever names a file here wants its code run."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mino_lsp import annotated, terminal
from mino_lsp.checking import Checked, as_json, as_sarif, as_text, located
from mino_lsp.commands import BadArguments, CommandFailed, Located, execute
from mino_lsp.expanding import expanded, place_named
from mino_lsp.expansions import NoExpansion
from mino_lsp.features.diagnostics import diagnostics
from mino_lsp.reformat import reformat
from mino_lsp.runs import Runs
from mino_lsp.snapshot import Snapshot, path_of
from mino_lsp.supervisor import Unavailable
from mino_lsp.syntax import TOO_LONG, Text
from mino_lsp.tagged import Tagged
from mino_lsp.types import Severity, Stream
from mino_lsp.values import size_text
from mino_lsp.workspace import Progress, Workspace

OK, PROBLEMS, COULD_NOT = 0, 1, 2


class Terminal:
    """The workspace's client where nobody is there to be asked. `news` are the documents that something was told of."""

    def __init__(self) -> None:
        self.news: set[str] = set()
        self.ranks = Tagged()

    def changed(self, uri: str) -> None:
        self.news.add(uri)

    def status(self, state: str, uri: str | None, line: int | None) -> None: ...
    async def drained(self) -> None: ...

    def tell(self, severity: Severity, message: str) -> None:
        print(f"mino: {message}", file=sys.stderr)

    def output(self, run: int, stream: Stream, text: str, rank: int | None) -> None:
        target = sys.stdout if stream == "stdout" else sys.stderr
        if rank is not None:
            self.ranks.write(rank, target, text)
            return
        target.write(text)
        target.flush()

    async def ask(self, question: str, answers: list[str]) -> str | None:
        return None

    async def progress(self, title: str, cancel: Callable[[], None], measured: bool) -> Progress:
        return _Silent()


class _Silent:
    def report(self, message: str, percentage: int | None) -> None: ...
    def end(self, message: str) -> None: ...


Action = Callable[[Workspace, argparse.Namespace], Coroutine[Any, Any, int]]


def main() -> None:
    """Parse the command line, do what it says, and exit: 0, 1 for problems found, 2 where nothing could be done."""
    words, arguments = sys.argv[1:], None
    if "run" in words and "--" in words:
        at = words.index("--")
        words, arguments = words[:at], words[at + 1 :]
    options, unknown = _parser().parse_known_args(words)
    if unknown:
        hint = (
            f" What is for the program stands after --: mino run FILE -- {' '.join(unknown)}" if "run" in words else ""
        )
        _parser().error(f"unrecognized arguments: {' '.join(unknown)}.{hint}")
    if arguments is not None:
        options.arguments = [*options.arguments, *arguments]
        options.given = True
    sys.exit(options.plain(options) if options.action is None else _in_workspace(options.action, options))


def _in_workspace(action: Action, options: argparse.Namespace) -> int:
    try:
        return asyncio.run(_with_workspace(action, options))
    except KeyboardInterrupt:
        return 130


def _workspace(options: argparse.Namespace) -> Workspace:
    """That of the working directory: what was said on the command line holds, before what `pyproject.toml` says."""
    workspace = Workspace(Terminal(), launched_trusted=True)
    workspace.configure({"python": sys.executable})
    chosen = {"device": options.device, "python": options.python, "nproc": getattr(options, "nproc", None)}
    if getattr(options, "arguments", ()) or getattr(options, "given", False):
        chosen["args"] = tuple(options.arguments)
    # A preview runs code: that is done where it is asked for.
    workspace.choose(preview="off", **{name: value for name, value in chosen.items() if value is not None})
    workspace.roots.append(Path.cwd())
    return workspace


async def _with_workspace(action: Action, options: argparse.Namespace) -> int:
    workspace = _workspace(options)
    try:
        return await action(workspace, options)
    except (CommandFailed, BadArguments, Unavailable) as error:
        print(f"mino: {error}", file=sys.stderr)
        return COULD_NOT
    finally:
        await workspace.shut_down()


def _open(workspace: Workspace, name: str) -> Snapshot:
    path = Path(name).resolve()
    try:
        source = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CommandFailed(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{name} is not UTF-8: byte {error.start} cannot be read. Save it as UTF-8.") from error
    workspace.open(path.as_uri(), 1, source)
    snapshot = workspace.snapshot(path.as_uri())
    assert snapshot is not None
    return snapshot


async def _previewed(workspace: Workspace, snapshot: Snapshot, name: str) -> Snapshot:
    """The file after a preview. Raises `CommandFailed` where nothing of it could be evaluated."""
    if not snapshot.tree.problems:
        await execute(workspace, Runs(workspace), "mino.preview", {"uri": snapshot.uri})
    previewed = workspace.snapshot(snapshot.uri) or snapshot
    live = previewed.live
    if live.stopped and not any(problem.message == live.stopped for problem in live.problems):
        raise CommandFailed(f"{name} cannot be previewed: {live.stopped}")
    return previewed


async def _check(workspace: Workspace, options: argparse.Namespace) -> int:
    """Print the problems of each file: those of its text and, with --live, those of a preview."""
    workspace.index.prune(workspace.roots)
    for _ in workspace.index.scan():
        pass
    failures = {name: await _failure(workspace, name, options.live) for name in options.files}
    files = [_checked(workspace, name, failures[name]) for name in options.files]
    files += _imported(workspace)
    if options.format == "text":
        for file in files:
            if file.failure:
                print(f"mino: {file.failure}", file=sys.stderr)
        print(as_text(files), end="")
    else:
        print(as_json(files) if options.format == "json" else as_sarif(files, version("minotauro")), end="")
    if any(file.failure for file in files):
        return COULD_NOT
    severities = {problem.severity for file in files for problem in file.problems}
    return PROBLEMS if severities & {"error", "warning"} else OK


async def _failure(workspace: Workspace, name: str, live: bool) -> str:
    """Open a file, and preview it if asked to. Returns why that cannot be done."""
    try:
        snapshot = _open(workspace, name)
        if live and not snapshot.previews_off:
            await _previewed(workspace, snapshot, name)
        elif not snapshot.tree.is_read:
            return f"{name} is not checked. {TOO_LONG}"
    except CommandFailed as error:
        return str(error)
    return ""


def _checked(workspace: Workspace, name: str, failure: str) -> Checked:
    """The problems of a file, after all were previewed: one that imports it may have told something."""
    snapshot = workspace.snapshot(Path(name).resolve().as_uri())
    if snapshot is None:
        return Checked(name, Text(), failure=failure)
    return Checked(name, snapshot.text, tuple(diagnostics(snapshot)), failure)


def _imported(workspace: Workspace) -> list[Checked]:
    """What the previews found in files of the workspace that were imported and not named."""
    client = workspace.client
    assert isinstance(client, Terminal)
    found = []
    for uri in sorted(client.news):
        if workspace.snapshot(uri) is None:
            text, problems = workspace.problems_elsewhere(uri)
            path = Path(path_of(uri))
            name = str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
            if problems:
                found.append(Checked(name, text, tuple(problems)))
    return found


async def _shapes(workspace: Workspace, options: argparse.Namespace) -> int:
    """Print the source with the sizes after each line's steps beside it, or every fact."""
    previewed = await _previewed(workspace, _open(workspace, options.file), options.file)
    await workspace.find_callers(previewed.uri)
    snapshot = workspace.snapshot(previewed.uri) or previewed
    found = [problem for problem in diagnostics(snapshot) if problem.severity != "hint"]
    if options.json:
        print(annotated.as_json(options.file, snapshot, found), end="")
    else:
        print(annotated.as_text(snapshot), end="")
        for problem in found:
            print(located(options.file, snapshot.text, problem), file=sys.stderr)
    return PROBLEMS if any(problem.severity == "error" for problem in found) else OK


async def _expand(workspace: Workspace, options: argparse.Namespace) -> int:
    """Print the expansion of the macro call at a place, of the first on a line, or the file with all expanded."""
    name, line, column = place_named(options.place)
    snapshot = _open(workspace, name)
    try:
        text, problems = await expanded(workspace.expansions, snapshot, line, column, options.depth)
    except NoExpansion as error:
        raise CommandFailed(f"{options.place}: {error}") from error
    for problem in problems:
        print(located(name, snapshot.text, problem), file=sys.stderr)
    print(text.rstrip("\n"))
    return PROBLEMS if problems else OK


def _run(options: argparse.Namespace) -> int:
    """Run a program and end with its exit code: on the terminal itself, or shown here where it is several processes."""
    workspace = _workspace(options)
    root = workspace.root_of(Path(options.file).resolve().as_uri())
    settings = workspace.settings_of(root)
    if settings.nproc == 1 and not settings.torchrun:
        return terminal.run(options.file, root, settings, options.observe)
    return _in_workspace(_run_several, options)


async def _run_several(workspace: Workspace, options: argparse.Namespace) -> int:
    path = Path(options.file).resolve()
    runs, client = Runs(workspace), workspace.client
    assert isinstance(client, Terminal)
    workspace.supervisor.stdin = os.dup(sys.stdin.fileno()) if sys.stdin is not None else None
    told = {"uri": path.as_uri(), "observe": options.observe}
    running = asyncio.ensure_future(execute(workspace, runs, "mino.run", told))
    try:
        answer = await asyncio.shield(running)
    except asyncio.CancelledError:
        await runs.stop(None)
        raise
    finally:
        client.ranks.finish()
    problems: Located = answer["problems"]
    for problem in problems.value:
        print(located(options.file, problems.text, problem), file=sys.stderr)
    peak = size_text(answer["peakMemoryBytes"])
    summary = f"exit code {answer['exitCode']}, {answer['seconds']:.2f} s, peak {peak} of one process"
    nproc = workspace.settings_of(workspace.root_of(path.as_uri())).nproc
    print(f"{options.file} on {answer['device']}, {nproc} processes: {summary}", file=sys.stderr)
    return int(answer["exitCode"])


async def _devices(workspace: Workspace, options: argparse.Namespace) -> int:
    """Print the torch devices, the one that a run would use marked."""
    answer = await execute(workspace, Runs(workspace), "mino.devices", {})
    for device in answer["devices"]:
        mark = "*" if device["name"] == answer["resolved"] else " "
        print(f"{mark} {device['name']:<8} {device['memoryBytes'] / 1e9:6.1f} GB  {device['description']}")
    return OK


def _set_up() -> int:
    """Compile the modules that every start loads."""
    from mino_lsp.bytecode import compile_modules

    try:
        print(f"mino: the byte code of {compile_modules()} modules is written")
    except OSError as error:
        print(f"mino: the byte code cannot be written: {error}", file=sys.stderr)
        return COULD_NOT
    return OK


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    told = "Models as S-expressions: check, look into, expand, run."
    # A program's own option is none of ours that begins alike.
    parser = argparse.ArgumentParser(prog="mino", description=told, allow_abbrev=False)
    parser.add_argument("--python", help="the interpreter that has torch and mino (default: this one)")
    parser.add_argument("--device", help='a torch device, "auto" (the default) or "asWritten"')
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, action: Action | None, told: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=told, description=told, allow_abbrev=False)
        added.set_defaults(action=action)
        return added

    check = command("check", _check, "report the problems of files")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument("--live", action="store_true", help="run a preview of each file too")
    shape = check.add_mutually_exclusive_group()
    for name in ("json", "sarif"):
        told = f"print {name.upper()} instead of text"
        shape.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=told)
    check.set_defaults(format="text")
    format_ = command("format", None, "lay out files in place: indentation, closers, trailing white space")
    format_.add_argument("files", nargs="+", metavar="FILE", help="- for standard input, to standard output")
    format_.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something would change")
    format_.add_argument("--diff", action="store_true", help="change nothing; print what would change")
    format_.set_defaults(plain=lambda options: reformat(options.files, options.check, options.diff))
    shapes = command("shapes", _shapes, "print a file with the sizes after each step")
    shapes.add_argument("file", metavar="FILE")
    shapes.add_argument("--json", action="store_true", help="print every fact as JSON instead")
    expand = command("expand", _expand, "expand the macro call at a place, the first on a line, or all of a file")
    expand.add_argument("place", metavar="FILE[:LINE[:COLUMN]]")
    expand.add_argument("--depth", choices=("step", "one", "all"), default="all")
    run = command("run", None, "run a program on a torch device")
    run.set_defaults(plain=_run)
    run.add_argument("file", metavar="FILE")
    run.add_argument("--device", default=argparse.SUPPRESS, help='a torch device, "auto" (the default) or "asWritten"')
    run.add_argument("--nproc", type=_count, metavar="N", help="so many processes, by torch's own launcher")
    run.add_argument("--observe", action="store_true", help="probe every expression, and find the first NaN")
    run.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="for the program; after -- if they begin with -")
    command("devices", _devices, "list the torch devices of this machine")
    setup = command("setup", None, "compile the modules to byte code, for a faster start")
    setup.set_defaults(plain=lambda options: _set_up())
    return parser


if __name__ == "__main__":
    main()
