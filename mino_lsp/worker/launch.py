"""How a run's process comes to be: the warden's fork, a new interpreter, or one of several under torch's launcher.

A new interpreter is this package's `__main__` again, with what it needs to know on its command line. It never carries
the environment there, which anybody could list.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, cast

import torch

from mino_lsp.types import Failed, Finished, RanksFailed, RunRequest, from_plain, to_plain
from mino_lsp.worker import devices, linux, ranks
from mino_lsp.worker.pipe import Pipe
from mino_lsp.worker.run import run
from mino_lsp.worker.spawned import MAIN, command_of, given, not_started
from mino_lsp.worker.surroundings import open_streams

_RENDEZVOUS = ("--nnodes", "--rdzv", "--master", "--node", "--standalone")
"""The options with which a user says how several machines find each other; `_` and `-` are the same to torch."""


Publish = Callable[[Any], None]


def launch(request: RunRequest, publish: Publish, scratch: str) -> int:
    """Run the program of `request` in this process, or in those that it starts. Returns its exit code."""
    if request.environment.env or request.prefix:
        # A fork cannot honour OMP_NUM_THREADS and its kin any more: they are read when torch is imported.
        return _become(request, publish, scratch)
    if request.nproc > 1 or request.torchrun:
        return _start_ranks(request, publish, scratch)
    _seed_anew()
    return run(request, publish)


def _seed_anew() -> None:
    """Random numbers of this run's own: a fork has the generators of the warden, which every run would begin with.

    Those of accelerators are made with their devices, here; Python's `random` does this by itself.
    """
    torch.default_generator.seed()
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()


def in_new_interpreter(how: str, told: str) -> NoReturn:
    """The other side: what `_become`, a rank or `mino run` started."""
    descriptor, scratch, plain = cast("tuple[int, str, Any]", json.loads(told))
    request = from_plain(plain)
    if how == "--rank":
        code = _rank(request, scratch)
    else:
        if how == "--anew":
            _cut_off()
        if how != "--terminal":
            open_streams()
        descriptor = given(descriptor)
        ours = descriptor >= 0 and _is_pipe(descriptor)
        publish: Publish = Pipe(descriptor) if ours else _silent
        if ours:
            os.set_inheritable(descriptor, False)
        code = launch(request, publish, scratch)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Not by way of the interpreter's end, in which gloo's sometimes waits for itself.
    os._exit(code)


def _cut_off() -> None:
    """What the warden's fork has done where there is one: end with the warden, adopt orphans, heed an interrupt."""
    linux.end_with_parent()
    linux.adopt_orphans()
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _silent(message: Any) -> None:
    """For a program behind a command that closed our pipe."""


def _is_pipe(descriptor: int) -> bool:
    """Whether a descriptor is still the pipe that was left open: a command in front may have closed it."""
    try:
        return bool(os.get_inheritable(descriptor)) and (os.fstat(descriptor).st_mode & 0o170000) == 0o010000
    except OSError:
        return False


def _become(request: RunRequest, publish: Publish, scratch: str) -> int:
    """Be a new interpreter from here on. Returns only where that cannot be."""
    descriptor = publish.descriptor if isinstance(publish, Pipe) else -1
    if descriptor >= 0:
        os.set_inheritable(descriptor, True)
    command, environment = command_of(request, "--run", descriptor, scratch)
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        publish(Finished(request.job, Failed(not_started(request, command[0], error))))
    return 2


def _start_ranks(request: RunRequest, publish: Publish, scratch: str) -> int:
    """Have torch's launcher start the ranks, in this process, and wait for them. Returns the first failure's code."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    try:
        devices.resolve(request.device, request.nproc, request.nproc - 1)
        _refuse_unknown(request.torchrun)
        arguments, store = _rendezvous(request.torchrun)
    except (ValueError, OSError) as error:
        publish(Finished(request.job, Failed(str(error))))
        return 2
    # What torch's launcher would say of itself is said better by the ranks, and by the end.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    logging.getLogger("torch.distributed.run").setLevel(logging.ERROR)
    threads = max(1, (os.cpu_count() or 1) // request.nproc)
    loopback = "lo" if sys.platform == "linux" else "lo0"
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    os.environ["PYTHONSAFEPATH"] = "1"
    if store is not None:
        # By name: the address of the host's own name may be unknown, or reachable for others.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
        os.environ.setdefault("NCCL_SOCKET_IFNAME", loopback)
    told = json.dumps([-1, scratch, to_plain(replace(request, torchrun=()))])
    try:
        torchrun([f"--nproc-per-node={request.nproc}", "--log-dir", scratch, *arguments, str(MAIN), "--rank", told])
    except ChildFailedError as error:
        failures = sorted(error.failures.items(), key=lambda failure: failure[1].timestamp)
        publish(RanksFailed(request.job, tuple((int(rank), failure.exitcode) for rank, failure in failures)))
        code = int(error.get_first_failure()[1].exitcode)
        return code if code >= 0 else 128 - code
    except SignalException as stop:
        return 128 + int(stop.sigval)
    except (ValueError, RuntimeError, AssertionError, OSError) as error:
        told = f"torch's launcher could not start the processes: {error}"
        given = f" (mino.run.torchrun is {' '.join(request.torchrun)})" if request.torchrun else ""
        publish(Finished(request.job, Failed(told + given)))
        return 2
    return 0


def _refuse_unknown(options: tuple[str, ...]) -> None:
    """Raises `ValueError` for options that torch's launcher does not know or whose values it cannot read."""
    from torch.distributed.run import get_args_parser

    parser = get_args_parser()

    def refuse(why: str) -> NoReturn:
        raise ValueError(f"torch's launcher refuses the options in mino.run.torchrun: {why}.")

    parser.error = refuse
    try:
        parser.parse_args([*options, "program"])
    except SystemExit:  # as for --help: it has printed what it has to say
        raise ValueError("torch's launcher starts nothing with the options in mino.run.torchrun.") from None


def _rendezvous(options: tuple[str, ...]) -> tuple[list[str], Any]:
    """The launcher's options, and the store in which the ranks of one machine find each other, on loopback only."""
    told = [option.replace("_", "-") for option in options]
    if any(option.startswith(_RENDEZVOUS) for option in told):
        return list(options), None
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listening.getsockname()[1]
    # The launcher's own store is the same one: it asks for a server at this port in this process. Left to itself it
    # would listen on every interface.
    store = torch.distributed.TCPStore(
        "127.0.0.1",
        port,
        None,
        True,
        multi_tenant=True,
        wait_for_workers=False,
        master_listen_fd=listening.detach(),
    )
    return ["--master-addr=127.0.0.1", f"--master-port={port}", *options], store


def _rank(request: RunRequest, scratch: str) -> int:
    """One of several: its output goes through named pipes, its device is the one with its number. The first has what
    the run has for standard input, the others nothing: which of them read a line would be chance."""
    local, count = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    linux.die_with_parent(os.getppid(), signal.SIGKILL)
    linux.adopt_orphans()
    # One more than was asked for has no pipes of its own, and says so on another's.
    pipes = [ranks.path(scratch, local % request.nproc, name) for name in ranks.NAMES]
    messages, out, err = (os.open(pipe, os.O_WRONLY | os.O_CLOEXEC) for pipe in pipes)
    os.dup2(out, 1)
    os.dup2(err, 2)
    if local:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    open_streams()
    publish = Pipe(messages)
    if count != request.nproc:
        told = f"{request.nproc} processes were asked for, and torch's launcher started {count}: look at "
        publish(Finished(request.job, Failed(f"{told}mino.run.torchrun and mino.run.nproc.")))
        return 2
    return run(request, publish, local)
