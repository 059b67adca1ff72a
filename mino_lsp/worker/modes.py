"""How a preview evaluates what a user wrote: everything that differs from a run, entered once around an evaluation."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import torch

from mino_lsp.types import EvalRequest, InspectRequest, PreviewRequest
from mino_lsp.worker import overlay, placing
from mino_lsp.worker.accelerator import pretend
from mino_lsp.worker.patches import Patches
from mino_lsp.worker.probe import Recorder

LOOPS_SHARE = 0.5
"""Which part of the CPU budget is used when loops that tell nothing new begin to be left."""


entered: list[Callable[[], None]] = []
"""What ends each way that was entered, for a process that does another job afterwards."""


def enter(request: PreviewRequest | EvalRequest | InspectRequest, recorder: Recorder) -> Callable[[], None]:
    """From here on this process evaluates as a preview does. Returns what ends that."""
    patches = Patches()
    if "optim" in request.text:
        import torch._dynamo  # noqa: F401 - torch does so at the first optimizer, for a second that is not the user's
    recorder.loops_until = time.process_time() + LOOPS_SHARE * request.limits.cpu
    ledger = pretend(patches, request.device, request.as_written)
    if '"mps' in request.text or ledger.asked:
        # Its factories ask no driver before they come to an operator, so that nothing tells that they are called. Those
        # of other devices do not ask twice.
        ledger.activate()
    if request.way == "heavy":
        from mino_lsp.worker import fake, unknown

        recorder.evidence = "shapes only"
        unknown.assume[:] = [recorder.assume]
        patches.callback(unknown.assume.clear)
        fake.enter(patches, ledger)
    overlay.enter(patches)
    placing.enter(patches)
    _load_in_this_process(patches)
    _compile_nothing(patches)
    entered.append(patches.close)
    return patches.close


def _load_in_this_process(patches: Patches) -> None:
    """Data are loaded one batch after the other, however many workers a loader asks for."""
    loader = torch.utils.data.DataLoader
    iterate = loader._get_iterator

    def get_iterator(self: Any) -> Any:
        if self.num_workers == 0 and self.timeout == 0:
            return iterate(self)
        alone = copy.copy(self)
        alone.__dict__.update(num_workers=0, timeout=0, prefetch_factor=None, _DataLoader__multiprocessing_context=None)
        return iterate(alone)

    patches.set(loader, "_get_iterator", get_iterator)


def _compile_nothing(patches: Patches) -> None:
    """`torch.compile` takes seconds and changes no shape: what it is given is called as it is."""

    def compile_(model: Any = None, **options: Any) -> Any:
        if model is None:
            return lambda model: compile_(model, **options)
        if isinstance(model, torch.nn.Module):
            from torch._dynamo.eval_frame import OptimizedModule

            return OptimizedModule(model, _as_it_is)
        return model

    patches.set(torch, "compile", compile_)
    patches.set(torch.nn.Module, "compile", lambda self, *_, **__: None)


def _as_it_is(function: Any) -> Any:
    return function
