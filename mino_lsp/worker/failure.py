"""What a failed step was given: read from the frames of its traceback and from what the probes saw last.

Nothing of the user's is called, and nothing is computed with the values.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import hy
import torch

from mino_lsp.types import Related, Span
from mino_lsp.worker.explain import MODULE_SIZES, Failure, Given, Inside, sizes
from mino_lsp.worker.layout import in_one_line, without_comments
from mino_lsp.worker.source import Source, Trace
from mino_lsp.worker.steps import Operand, Step

if TYPE_CHECKING:
    from mino_lsp.worker.probe import Recorder

LONGEST_NAME = 28
"""Characters: a longer expression is called by its head."""


def failure_of(said: str, span: Span, trace: Trace, source: Source, recorder: Recorder) -> Failure:
    """What is known of the step at `span`, whose failure torch described by `said`."""
    step = recorder.step(span) or Step("", "", ())
    objects: dict[int, Given] = {}
    given = list(_given(step, trace.frame, source, recorder, objects))
    options = {one.keyword: one.value for one in given if one.keyword}
    equation = next((one.value for one in given if isinstance(one.value, str)), "")
    return Failure(
        _NAMES.get(step.name, step.name) or "This step",
        given,
        said,
        _of_torch(step, trace.frame),
        _inside(step, trace.below, objects, source, recorder),
        equation,
        options,
        lambda within, number: literal(source, within, number),
    )


def related(failure: Failure, span: Span) -> tuple[Related, ...]:
    """The operands, and where each was made."""
    told = []
    for one in failure.tensors:
        text = f"{one.name}: {sizes(one.shape)} {one.value.dtype}"
        if span != one.span:
            told.append(Related(one.span, text))
        if one.made is not None and one.made != one.span:
            told.append(Related(one.made, f"{text}, made here"))
    inside = failure.inside
    if inside is not None and inside.made is not None:
        told.append(Related(inside.made, f"{inside.name}, made here"))
    return tuple(dict.fromkeys(told))


def literal(source: Source, within: Span, number: int) -> Span | None:
    """The one place within a span where a number is written out."""
    text = without_comments(source.text[within.start : within.end])  # the document's: its spans count from 0
    found = list(re.finditer(rf"(?<![\w.-]){number}(?![\w.])", text))
    if len(found) != 1:
        return None
    return Span(within.start + found[0].start(), within.start + found[0].end())


_NAMES = {"@": "matmul"}


def _of_torch(step: Step, frame: types.FrameType | None) -> bool:
    """Whether a module of torch's is named by what is called."""
    root, dot, _ = step.function.partition(".")
    module = frame.f_globals.get(root) if frame is not None and dot else None
    return isinstance(module, types.ModuleType) and module.__name__.partition(".")[0] == "torch"


def _given(
    step: Step, frame: types.FrameType | None, source: Source, recorder: Recorder, objects: dict[int, Given]
) -> Iterator[Given]:
    for operand in step.operands:
        value, identity = _value(operand, frame, recorder)
        text = source.text[operand.span.start : operand.span.end]
        name = called(text)
        if isinstance(value, (list, tuple)) and value and all(isinstance(one, torch.Tensor) for one in value):
            for index, tensor in enumerate(value[:16]):
                part = recorder.summary(tensor)
                yield Given(f"(get {name} {index})", operand.span, text, part, expression=False)
            continue
        made = recorder.origin_of(identity)
        made = made if made is not None and source.holds(made) else None
        name = f"the result of {name}" if operand.threaded else name
        one = Given(name, operand.span, text, value, operand.keyword, made, not operand.threaded)
        if identity:
            objects[identity] = one
        yield one


def _value(operand: Operand, frame: types.FrameType | None, recorder: Recorder) -> tuple[Any, int]:
    """A tensor's or module's summary with its identity; a plain value as it is."""
    if operand.variable and frame is not None:
        for names in (frame.f_locals, frame.f_globals):
            if operand.variable in names:
                value = names[operand.variable]
                if isinstance(value, (torch.Tensor, torch.nn.Module)):
                    return recorder.summary(value), id(value)
                return (value if type(value) in _PLAIN else None), 0
    if operand.constant is not None:
        return operand.constant, 0
    return recorder.last(operand.span)


_PLAIN = (int, float, bool, str, list, tuple)


def called(text: str) -> str:
    """How a sentence calls an expression: by its text, or by its head where that is long."""
    one_line = in_one_line(text)
    if len(one_line) <= LONGEST_NAME:
        return one_line
    head = one_line.split(" ")[0]
    return f"{head} …)" if one_line.startswith("(") and len(head) <= LONGEST_NAME else "a value"


def _inside(
    step: Step, below: Sequence[types.FrameType], objects: dict[int, Given], source: Source, recorder: Recorder
) -> Inside | None:
    """The innermost of torch's modules below the document's frame."""
    outer = module = None
    given: Any = None
    for frame in below:
        self = frame.f_locals.get("self")
        if not isinstance(self, torch.nn.Module) or frame.f_code.co_name not in ("_call_impl", "forward"):
            continue
        outer = outer if outer is not None else self
        if not type(self).__module__.startswith("torch.nn"):
            continue
        if frame.f_code.co_name == "_call_impl":
            arguments = (*frame.f_locals.get("args", ()), *frame.f_locals.get("kwargs", {}).values())
            given = next((one for one in arguments if isinstance(one, torch.Tensor)), None)
        module = self
    if module is None or outer is None or type(module).__module__.startswith("torch.nn.modules.loss"):
        return None
    kind = next((one.__name__ for one in type(module).__mro__ if one.__name__ in MODULE_SIZES), type(module).__name__)
    sizes = {name: size for name in MODULE_SIZES.get(kind, ()) if (size := _size(module, name)) is not None}
    dtype = next((str(one.dtype) for one in module.parameters(recurse=False) if one.is_floating_point()), "")
    known = objects.get(id(given)) if given is not None else None
    if known is None and isinstance(given, torch.Tensor):
        known = Given("its input", Span(0, 0), "", recorder.summary(given), expression=False)
    path = next((name for name, one in outer.named_modules() if one is module), "")
    where = ", ".join(filter(None, (hy.unmangle(step.name) if step.name else "", path)))
    made = recorder.origin(module)
    made = made if made is not None and source.holds(made) else None
    return Inside(_shown(module), kind, where, made, sizes, dtype.removeprefix("torch."), known)


def _size(module: torch.nn.Module, name: str) -> int | None:
    size = getattr(module, name, None)
    if isinstance(size, tuple):
        size = size[-1] if size else None
    return size if isinstance(size, int) else None


def _shown(module: torch.nn.Module) -> str:
    """A module of torch's as it prints itself, without what is usual."""
    parts = module.extra_repr().split(", ")
    extra = ", ".join(part for part in parts if not part.startswith(_USUAL))
    name = type(module).__name__
    return f"{name}({extra})" if extra and len(extra) <= 80 else name


_USUAL = ("bias=True", "eps=", "momentum=", "affine=", "elementwise_affine=", "track_running_stats=")
