"""`mino run` at a terminal: the program has the terminal itself for its streams, and this process looks on.

The same engine as a run in an editor, in a new interpreter of its own: prompts, `breakpoint` and Ctrl-C work as they do
under `hy FILE`. What it tells besides comes on a pipe.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from mino_lsp.checking import located
from mino_lsp.settings import Settings
from mino_lsp.supervisor import MAIN
from mino_lsp.syntax import Text
from mino_lsp.types import (
    Environment,
    Failed,
    Finished,
    FormStarted,
    FrameReader,
    Problem,
    RunRequest,
    RunResult,
    Span,
    to_plain,
)
from mino_lsp.values import size_text

COULD_NOT = 2


@dataclass(slots=True)
class _Told:
    """What the program's process said of itself."""

    result: RunResult | None = None
    refused: str = ""
    span: Span = field(default_factory=lambda: Span(0, 0))


def run(name: str, root: Path, settings: Settings, observe: bool) -> int:
    """Run the file `name` of a folder as the settings say, in one process, to its end. Returns its exit code, 2 where
    it could not be run."""
    if not hasattr(os, "fork"):
        print("mino: Runs need fork, which this system does not have.", file=sys.stderr)
        return COULD_NOT
    path = str(Path(name).resolve())
    cwd = os.path.join(root, settings.cwd) if settings.cwd else os.getcwd()
    request = RunRequest(1, path, settings.device, Environment(cwd, settings.args), observe=observe)
    reading, writing = os.pipe()
    told_it = json.dumps([writing, "", to_plain(request)])
    command = [*settings.prefix, settings.python or sys.executable, "-P", str(MAIN), "--terminal", told_it]
    # Ctrl-C is for the program, which the terminal tells as well; it decides whether that is its end.
    interrupted = signal.signal(signal.SIGINT, lambda *_: None)
    began = time.monotonic()
    try:
        process = subprocess.Popen(command, pass_fds=(writing,), env={**os.environ, **settings.env})
    except OSError as error:
        print(f"mino: {command[0]} cannot be started: {error.strerror}.", file=sys.stderr)
        return COULD_NOT
    finally:
        os.close(writing)
    told = _Told()
    listening = threading.Thread(target=_listen, args=(reading, told), daemon=True)
    listening.start()
    terminated = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    seconds = time.monotonic() - began
    # A process that the program left behind may hold the pipe open for ever.
    listening.join(1.0)
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, terminated)
    if settings.prefix and told.result is None and not told.refused:
        silent = f"behind {command[0]} (setting run.prefix) the program did not report that it began"
        print(f"mino: {silent}.", file=sys.stderr)
        return code if code >= 0 else 128 - code
    return _report(name, path, told, code, seconds)


def _listen(descriptor: int, told: _Told) -> None:
    frames = FrameReader()
    while data := os.read(descriptor, 1 << 16):
        try:
            messages = frames.feed(data)
        except ValueError:
            return  # the program wrote to a descriptor that is not its own
        for message in messages:
            if isinstance(message, FormStarted):
                told.span = message.span
            elif isinstance(message, Finished) and isinstance(message.result, Failed):
                told.refused = message.result.message
            elif isinstance(message, Finished) and isinstance(message.result, RunResult):
                told.result = message.result


def _report(name: str, path: str, told: _Told, code: int, seconds: float) -> int:
    """Say how it ended, on standard error. Returns the exit code of a shell."""
    import resource

    if told.refused or told.result is None:
        print(f"mino: {told.refused or f'{name} did not begin: the interpreter ended.'}", file=sys.stderr)
        return COULD_NOT
    problems = told.result.problems
    if code < 0:
        ended = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        problems = (*problems, Problem("crash", "error", f"The program ended here with {ended}.", told.span))
    text = Text(Path(path).read_bytes().decode("utf-8", "replace"))
    for problem in problems:
        print(located(name, text, problem), file=sys.stderr)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = size_text(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)
    device = f" and {size_text(told.result.device_peak)} on the device" if told.result.device_peak else ""
    shell_code = code if code >= 0 else 128 - code
    summary = f"exit code {shell_code}, {seconds:.2f} s, peak {peak}{device}"
    print(f"{name} on {told.result.device}: {summary}", file=sys.stderr)
    return shell_code
