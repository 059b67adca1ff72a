"""What the server and the worker say to each other: frozen values, and how they are written on the pipe between them.

The only module that both sides load, and they may run under different interpreters: standard library only, no logic.
Places in a document are `Span`s: offsets in code points of the very text that the request carried.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field, fields
from typing import Any, Literal

PROTOCOL = 1
"""Raised with every change that the other side would misread; the handshake compares it."""

MAX_FRAME = 64 * 1024 * 1024
"""Bytes. A longer frame is a defect or an attack, and ends the conversation."""

Severity = Literal["error", "warning", "information", "hint"]
Depth = Literal["step", "one", "all"]
Stream = Literal["stdout", "stderr"]
Way = Literal["light", "heavy"]
"""How a preview computes: with real tensors on the CPU, or on shapes and dtypes alone."""
Subject = Literal["model", "expression", "spec"]
Evidence = Literal["preview", "shapes only", "assumed"]
"""What a fact rests on: a value that was computed, a shape that was, or a branch or loop that was left unasked."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code-point offsets."""

    start: int
    end: int

    def contains(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def shift(self, by: int) -> Span:
        return Span(self.start + by, self.end + by)


# ---- what passed at an expression


@dataclass(frozen=True, slots=True)
class TensorValue:
    """A tensor, without its elements. `role` is "parameter", "buffer" or empty."""

    shape: tuple[int, ...]
    dtype: str
    device: str
    requires_grad: bool
    role: str


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A torch module: its class, how many elements its parameters have, and its components with a summary of each."""

    name: str
    parameters: int
    components: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OtherValue:
    """Anything else, by the name of its type."""

    type: str


Value = TensorValue | ModuleValue | OtherValue


@dataclass(frozen=True, slots=True)
class Statistics:
    """The elements of a tensor of real numbers. Mean, deviation and extremes are of the finite ones, NaN if none is."""

    elements: int
    mean: float
    deviation: float
    least: float
    most: float
    nan: int
    infinite: int


@dataclass(frozen=True, slots=True)
class Fact:
    """The distinct values seen at one span: the first few of them, and how many there were; of a run, how often
    something passed there (0 where it is not counted). `statistics` is of what passed there last, in a preview of what
    passed first."""

    span: Span
    values: tuple[Value, ...]
    distinct: int
    evidence: Evidence = "preview"
    passes: int = 0
    statistics: Statistics | None = None


@dataclass(frozen=True, slots=True)
class Related:
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """`text` in the place of what stands at `span`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Changes of the document after which a problem is gone, and in words what they do."""

    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a user should know, with a stable code and the narrowest span that explains it."""

    code: str
    severity: Severity
    message: str
    span: Span
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()


# ---- what the server asks


@dataclass(frozen=True, slots=True)
class Limits:
    """CPU and wall-clock seconds, bytes of memory beyond what the process starts with, bytes of output."""

    cpu: int = 5
    wall: float = 15.0
    memory: int = 2 * 1024**3
    output: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Environment:
    """The one environment that preview, run and a terminal share."""

    cwd: str
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """Evaluate a document. `texts` are the paths and unsaved texts of other documents of the workspace at `root`: what
    is imported from there is probed as well. `device` is the one that the program is previewed for: the default one,
    unless it runs `as_written`, and the only one that is there besides the CPU. `limits` are those of this `way`.

    Without `main`, the document is evaluated as another that imports it would: `__name__` is not `"__main__"`.
    `edited` is where `text` begins to differ from that of the last preview. What an evaluation left behind may be gone
    on from with another text; where anything else differs, it starts from nothing."""

    job: int
    path: str
    text: str
    environment: Environment
    limits: Limits = Limits()
    unconfined: bool = False
    root: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    device: str = "cpu"
    as_written: bool = False
    way: Way = "light"
    edited: int = 0
    main: bool = True


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """Evaluate the forms at `above` as a preview does, and then those at `targets`; the last one's value is asked for.
    What stands elsewhere in the text is not read. All else is as in a `PreviewRequest`."""

    job: int
    path: str
    text: str
    above: tuple[Span, ...]
    targets: tuple[Span, ...]
    environment: Environment
    limits: Limits = Limits()
    unconfined: bool = False
    root: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    device: str = "cpu"
    as_written: bool = False
    way: Way = "light"
    main: bool = True


@dataclass(frozen=True, slots=True)
class InspectRequest:
    """Evaluate the forms at `above` as a preview does, and tell then of what is called `name`: of a model or of all, of
    a model as an S-expression, or of a spec. All else is as in an `EvalRequest`."""

    job: int
    path: str
    text: str
    above: tuple[Span, ...]
    subject: Subject
    name: str
    environment: Environment
    limits: Limits = Limits()
    unconfined: bool = False
    root: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    device: str = "cpu"
    as_written: bool = False
    way: Way = "light"
    main: bool = True


@dataclass(frozen=True, slots=True)
class ExpandRequest:
    """Expand the macro call around `offset`. `forms` are the spans of the top-level forms that read without a problem.
    `pure` calls none but macros that are known to be pure functions, and evaluates nothing. `quoted` looks for calls in
    quoted forms too. What the document requires is loaded anew with another `stamp`, and from `texts`, the paths and
    unsaved texts of other documents of the workspace at `root`."""

    job: int
    path: str
    text: str
    forms: tuple[Span, ...]
    offset: int
    depth: Depth
    environment: Environment
    pure: bool = False
    limits: Limits = Limits()
    unconfined: bool = False
    stamp: int = 0
    root: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class SurveyRequest:
    """Expand each macro call in the `wanted` ones of the top-level forms `forms`, until its head is no macro."""

    job: int
    path: str
    text: str
    forms: tuple[Span, ...]
    wanted: tuple[Span, ...]
    environment: Environment
    pure: bool = False
    limits: Limits = Limits()
    unconfined: bool = False
    stamp: int = 0
    root: str = ""
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PythonRequest:
    """The Python that the forms of a span compile to. `forms` as in `ExpandRequest`."""

    job: int
    path: str
    text: str
    forms: tuple[Span, ...]
    span: Span
    environment: Environment
    pure: bool = False
    limits: Limits = Limits()
    unconfined: bool = False
    stamp: int = 0
    root: str = ""
    texts: tuple[tuple[str, str], ...] = ()


ExpansionRequest = ExpandRequest | SurveyRequest | PythonRequest
ConfinedRequest = PreviewRequest | EvalRequest | InspectRequest | ExpansionRequest
"""What may look at the user's files, and touch nothing."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """`nproc` processes of this machine; more than one, or options in `torchrun`, go through torch's launcher. `prefix`
    is the beginning of a command that the program's is appended to. `observe` probes every expression."""

    job: int
    path: str
    device: str
    environment: Environment
    nproc: int = 1
    torchrun: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    observe: bool = False


@dataclass(frozen=True, slots=True)
class DevicesRequest:
    job: int


@dataclass(frozen=True, slots=True)
class StopRequest:
    """End a job: interrupted first, killed after `grace` seconds. Its end is still reported as a `Finished`."""

    job: int
    grace: float = 2.0


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """The document is not open any more: what is kept for its previews can go."""

    path: str
    job: int = 0


@dataclass(frozen=True, slots=True)
class Credit:
    """So many characters of a run's output were delivered; the worker reads no further ahead than a window allows."""

    job: int
    amount: int


# ---- what the worker answers


@dataclass(frozen=True, slots=True)
class Ready:
    protocol: int
    python: str
    versions: dict[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The interpreter cannot serve: why, and the one command that mends it (or nothing)."""

    message: str
    command: str


@dataclass(frozen=True, slots=True)
class FormStarted:
    job: int
    span: Span


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that are new or have grown since the last message; each replaces the one of the same span. `path` is the
    file that they are of, where that is not the document."""

    job: int
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """What a program printed; of several processes, `rank` is the number of the one that did."""

    job: int
    stream: Stream
    text: str
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """`evaluated` ends where evaluation did; `stopped` says why, where it did not reach the end; `imported` are the
    files of the workspace that were imported; `limit` is the limit that was reached, if one was."""

    seconds: float
    evaluated: int
    stopped: str = ""
    imported: tuple[str, ...] = ()
    limit: str = ""


@dataclass(frozen=True, slots=True)
class ExpansionStep:
    """A macro call and its result; `steps` are those of the calls within the result."""

    head: str
    call: str
    text: str
    steps: tuple[ExpansionStep, ...] = ()


Origin = tuple[int, int, int, int]
"""A part of an expansion's text and where it stands in the document: start, end, start there, end there."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """`text` is on one line. `tokens` are those that read the same in the document; `forms` those that have a place
    there, even if the macro put something into them."""

    head: str
    span: Span
    text: str
    steps: tuple[ExpansionStep, ...]
    problems: tuple[Problem, ...] = ()
    tokens: tuple[Origin, ...] = ()
    forms: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class SurveyedCall:
    """A macro call of a document, and what it expands to, on one line; empty where its macro failed."""

    head: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Survey:
    calls: tuple[SurveyedCall, ...]


@dataclass(frozen=True, slots=True)
class PythonCode:
    text: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value as text and the name of its type, both empty where there is none; the shape of a tensor; what was printed
    on the way."""

    text: str
    type: str
    shape: tuple[int, ...] | None
    stdout: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """`memory` is in bytes, 0 where it is not known."""

    name: str
    description: str
    memory: int


@dataclass(frozen=True, slots=True)
class DeviceList:
    devices: tuple[Device, ...]
    default: str


@dataclass(frozen=True, slots=True)
class Model:
    """A part of a model: a module, or a parameter or buffer with its shape. `parameters` counts elements. `span` is
    where the document writes it: a component in the list of its `defmu`, else the name of its own `defmu`."""

    name: str
    kind: str
    parameters: int
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    components: tuple[Model, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was asked for: models, or a text: the expression of a model, or the form of a spec and what describes it.
    Where there is nothing of that name, `missing` says what there is."""

    models: tuple[Model, ...] = ()
    text: str = ""
    described: str = ""
    missing: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """`exit_code` is that of a shell: 128 + n for signal n. Peaks of memory are in bytes, that of the device 0 where it
    is the CPU. `at` is when the process ended, on the system's monotonic clock."""

    device: str
    exit_code: int
    seconds: float
    peak_memory: int
    stopped: bool
    problems: tuple[Problem, ...] = ()
    device_peak: int = 0
    models: tuple[Model, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class RanksFailed:
    """What torch's launcher found: the ranks that failed, each with its exit code, negative for a signal."""

    job: int
    failures: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The job has no result: a sentence for the person who asked."""

    message: str


Result = PreviewResult | Evaluation | Inspection | Expansion | Survey | PythonCode | DeviceList | RunResult | Failed


@dataclass(frozen=True, slots=True)
class Finished:
    job: int
    result: Result


Request = (
    PreviewRequest
    | EvalRequest
    | InspectRequest
    | ExpansionRequest
    | RunRequest
    | DevicesRequest
    | StopRequest
    | CloseRequest
    | Credit
)
Answer = Ready | Refused | FormStarted | Facts | Output | RanksFailed | Finished

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Span, TensorValue, ModuleValue, OtherValue, Statistics, Fact, Related, Change, Fix, Problem, Limits),
        Environment,
        *(PreviewRequest, EvalRequest, InspectRequest, ExpandRequest, SurveyRequest, PythonRequest),
        *(RunRequest, DevicesRequest, StopRequest, CloseRequest, Credit),
        *(Ready, Refused, FormStarted, Facts, Output, PreviewResult, ExpansionStep, Expansion, Device, DeviceList),
        *(SurveyedCall, Survey, PythonCode, Model, Evaluation, Inspection, RunResult, RanksFailed, Failed, Finished),
    )
}


def to_plain(value: Any) -> Any:
    """A value as JSON can carry it: a dataclass becomes `["Name", field, …]`, a tuple `["", item, …]`."""
    kind = type(value).__name__
    if _KINDS.get(kind) is type(value):
        return [kind, *(to_plain(getattr(value, f.name)) for f in fields(value))]
    if isinstance(value, tuple):
        return ["", *map(to_plain, value)]
    return value


def from_plain(plain: Any) -> Any:
    """The inverse of `to_plain`. Raises `KeyError` or `TypeError` on what `to_plain` would not have written."""
    if isinstance(plain, list):
        items = [from_plain(item) for item in plain[1:]]
        return _KINDS[plain[0]](*items) if plain[0] else tuple(items)
    return plain


def frame(message: Request | Answer) -> bytes:
    """A message with its length before it: four bytes, big-endian, then JSON in ASCII."""
    body = json.dumps(to_plain(message), separators=(",", ":")).encode("ascii")
    return struct.pack(">I", len(body)) + body


class FrameReader:
    """Collects bytes as they come and yields whole messages.

    Raises `ValueError` on bytes that are no frame: the peer is broken and the conversation over.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        self._buffer += data
        messages = []
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">I", self._buffer)
            if length > MAX_FRAME:
                raise ValueError(f"a frame of {length} bytes is longer than any message can be")
            if len(self._buffer) < 4 + length:
                break
            body = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            try:
                messages.append(from_plain(json.loads(body)))
            except (KeyError, TypeError, IndexError, RecursionError, UnicodeDecodeError) as error:
                raise ValueError(f"a frame that is no message: {error!r}") from error
        return messages
