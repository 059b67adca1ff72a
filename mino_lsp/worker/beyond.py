"""What torch cannot do on shapes alone. A run does it on values: an error of that kind is none of the user's."""

from __future__ import annotations

import re
from types import TracebackType

from torch._subclasses import fake_tensor

_OWN = (
    fake_tensor.UnsupportedFakeTensorException,
    fake_tensor.UnsupportedOperatorException,
    fake_tensor.DynamicOutputShapeException,
    fake_tensor.DataDependentOutputException,
)

_SAID = re.compile(
    r"FakeTensor|fake tensor|worker\.fake|HigherOrderOperator|shape_env|\bSymInt|[Mm]eta (tensor|backend)|'Meta'|"
    r"data is not allocated|Cannot access (data pointer|storage)|doesn't (have|support) (storage|sizes)|"
    r"variable\.set_data|raw Tensor object is already associated"
)
"""How torch speaks of tensors without values where it did not expect one."""

_THEIRS = ("torch._subclasses", "torch.fx", "torch._functorch", "torch._dynamo", "torch._decomp", "mino_lsp.worker")
_SLIPS = (AssertionError, AttributeError, KeyError, NotImplementedError)
"""What no operator raises of sizes or dtypes: where torch's code for tensors without values does, it met what it was
not written for."""


def is_beyond(error: BaseException) -> bool:
    """Whether an exception on shapes alone comes from there being no values. Of what torch says of sizes and dtypes,
    which is as true here as in a run, this is False."""
    if isinstance(error, _OWN) or _SAID.search(str(error)):
        return True
    return isinstance(error, _SLIPS) and _innermost(error.__traceback__).startswith(_THEIRS)


def _innermost(trace: TracebackType | None) -> str:
    """The module where an exception was raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""
