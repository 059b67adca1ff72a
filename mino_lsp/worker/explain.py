"""Why an operator of torch's refused its operands, in a sentence that a person can act on, and what would fit.

Pure functions of an operator's name, of what it was given, and of what torch said. Where the operands explain nothing,
torch's own words stay, with sizes as the language writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mino_lsp.types import Change, Fix, Span, TensorValue

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An operand at the moment of failure. `name` is how a sentence calls it; `value` its summary, or what it is where
    that is a plain value. `expression` says whether its text is one by itself, `made` where it was first made."""

    name: str
    span: Span
    text: str
    value: Any
    keyword: str = ""
    made: Span | None = None
    expression: bool = True

    @property
    def shape(self) -> Shape:
        return self.value.shape if isinstance(self.value, TensorValue) else ()

    def told(self, dtype: bool = False) -> str:
        return " ".join(filter(None, (self.name, sizes(self.shape), self.value.dtype if dtype else "")))


@dataclass(frozen=True, slots=True)
class Inside:
    """The module of torch's that failed, inside the step: how it is called, where in the step's own module it is, where
    it was made; what it wants by size and kind."""

    name: str
    kind: str
    path: str
    made: Span | None
    sizes: dict[str, int]
    dtype: str
    given: Given | None


@dataclass(frozen=True, slots=True)
class Failure:
    """`literal` looks for the one place within a span where a number is written."""

    step: str
    given: Sequence[Given]
    said: str
    of_torch: bool = False
    inside: Inside | None = None
    equation: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    literal: Callable[[Span, int], Span | None] = lambda span, number: None

    @property
    def tensors(self) -> list[Given]:
        return [one for one in self.given if isinstance(one.value, TensorValue)]


@dataclass(frozen=True, slots=True)
class Explained:
    code: str
    message: str
    fixes: tuple[Fix, ...] = ()


def sizes(shape: Sequence[int]) -> str:
    return "[" + " ".join(map(str, shape)) + "]"


def explain(failure: Failure) -> Explained | None:
    """A sentence for what torch refused; None where it is nothing of shapes, dtypes or devices."""
    said = failure.said
    if _DEVICE.search(said):
        return _devices(failure)
    if _DTYPE.search(said):
        return _dtypes(failure)
    if not _SHAPE.search(said):
        return None
    for explanation in (_of_module, _of_operator):
        told = explanation(failure)
        if told is not None:
            return told
    named = _listed(failure.tensors)
    return Explained("shape", f"{failure.step}: {as_written(said)}" + (f" It was given {named}." if named else ""))


_DEVICE = re.compile(r"same device|on device \S+ is not|is on \S+, different from|expected device", re.I)
_DTYPE = re.compile(
    r"\bd?types?\b.*\b(float|double|long|int|half|bool|bfloat16|complex)|can't be cast|Found dtype|"
    r"indices must be long|predicate to be bool",
    re.I,
)
_SHAPE = re.compile(
    r"\bsizes?\b|\bshapes?\b|\bdim(ension)?s?\b|dimensional|batch.?size|channels|broadcast|scalar outputs|"
    r"\b(number of|\d+) elements|"
    r"\bin range\b|out of (range|bounds)|subscript|rank|1D|2D|3D|4D|same number of",
    re.I,
)


def as_written(said: str) -> str:
    """Torch's words with sizes as the language writes them: `[3, 4]` and `3x4` are `[3 4]`."""
    text = re.sub(r"torch\.Size\((\[[\d, ]*\])\)", r"\1", said.strip())
    text = re.sub(r"\[\d+(?:, *\d+)*,?\]", lambda found: sizes(list(map(int, re.findall(r"\d+", found[0])))), text)
    text = re.sub(r"\b(\d+)x(\d+)\b", r"[\1 \2]", text)
    return text if text.endswith((".", "!", "?")) else text + "."


def _listed(given: Sequence[Given], dtype: bool = False) -> str:
    told = [one.told(dtype) for one in given]
    return told[0] if len(told) == 1 else ", ".join(told[:-1]) + " and " + told[-1] if told else ""


# ---- operators


def _of_operator(failure: Failure) -> Explained | None:
    step, tensors = failure.step.rstrip("_"), failure.tensors
    if step == "einsum":
        return _einsum(failure)
    if step in _JOINING:
        return _joining(failure)
    if step in _RESHAPING and tensors:
        return _reshaping(failure, tensors[0])
    if step == "backward" and "scalar" in failure.said:
        one = tensors[0].told() if tensors else "The loss"
        return Explained(
            "shape", f"{one} is no scalar: `backward` starts from one number. Reduce it, as with (.mean …)."
        )
    if step in _CLASSIFYING and len(tensors) >= 2:
        return _classifying(failure, tensors[0], tensors[1])
    if len(tensors) < 2:
        return None
    if step == "linear":
        return _linear(failure, tensors[0], tensors[1])
    if step in _MULTIPLYING:
        return _multiplying(failure, *tensors[-2:])
    return _broadcasting(failure, tensors) if _BROADCASTS.search(failure.said) else None


_BROADCASTS = re.compile(r"must match the size of tensor|must match the existing size|broadcast", re.I)
_MULTIPLYING = {"@", "matmul", "mm", "bmm", "mv", "dot", "vdot", "inner", "addmm", "baddbmm"}
_JOINING = {"cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack"}
_RESHAPING = {"view", "reshape", "unflatten"}
_CLASSIFYING = {"cross_entropy", "nll_loss", "CrossEntropyLoss", "NLLLoss"}


def _multiplying(failure: Failure, a: Given, b: Given) -> Explained | None:
    """a @ b: the last size of a must be the last but one of b, and what is before them must broadcast."""
    first, second = a.shape, b.shape
    if not first or not second:
        return None
    head = f"matmul of {a.told()} and {b.told()}"
    inner = second[-2] if len(second) > 1 else second[0]
    if first[-1] != inner:
        place = {1: "only", 2: "first"}.get(len(second), "last but one")
        text = f"{head}: the last size of {a.name}, {first[-1]}, is not the {place} of {b.name}, {inner}."
        fixes = list(_sized(failure, b, inner, first[-1]))
        if len(second) > 1 and second[-1] == first[-1]:
            text += f" It would fit with a transpose of {b.name}."
            turned = f"(.transpose {b.text} -2 -1)" if len(second) > 2 else f"(.t {b.text})"
            fixes.insert(0, Fix(f"Transpose {b.name}", (Change(b.span, turned),)))
            fixes = fixes if b.expression else fixes[1:]
        return Explained("shape", text, tuple(fixes))
    if len(first) > 2 and len(second) > 2 and (differ := _unequal(first[:-2], second[:-2])):
        return Explained("shape", f"{head}: their batch sizes differ, {differ[0]} and {differ[1]}.")
    return None


def _linear(failure: Failure, x: Given, weight: Given) -> Explained | None:
    if not x.shape or len(weight.shape) != 2 or x.shape[-1] == weight.shape[1]:
        return None
    text = f"linear of {x.told()} and {weight.told()}: the last size of {x.name}, {x.shape[-1]}, is not the last of "
    return Explained("shape", f"{text}{weight.name}, {weight.shape[1]}.")


def _broadcasting(failure: Failure, tensors: Sequence[Given]) -> Explained | None:
    """Elementwise: aligned from the right, sizes are equal or 1."""
    for index, a in enumerate(tensors):
        for b in tensors[index + 1 :]:
            differ = _unequal(a.shape, b.shape)
            if differ is None:
                continue
            text = (
                f"{failure.step} of {a.told()} and {b.told()}: aligned from the right, {differ[0]} meets {differ[1]}; "
                "sizes must be equal, or one of them 1."
            )
            return Explained("shape", text, tuple(_unsqueezed(a, b)))
    return None


def _unequal(a: Shape, b: Shape) -> tuple[int, int] | None:
    """The first two sizes, from the right, that do not broadcast."""
    pairs = zip(reversed(a), reversed(b), strict=False)
    return next(((m, n) for m, n in pairs if m != n and 1 not in (m, n)), None)


def _unsqueezed(a: Given, b: Given) -> Iterator[Fix]:
    """The one dimension of size 1 with which the smaller operand would fit."""
    large, small = (a, b) if len(a.shape) >= len(b.shape) else (b, a)
    if len(large.shape) <= len(small.shape) or not small.expression:
        return
    fitting = []
    for at in range(len(small.shape) + 1):
        shape = (*small.shape[:at], 1, *small.shape[at:])
        whole = len(shape) == len(large.shape)
        if whole and all(size in (1, other) for size, other in zip(shape, large.shape, strict=True)):
            fitting.append((at, shape))
    if len(fitting) == 1:
        at, shape = fitting[0]
        title = f"Unsqueeze {small.name} to {sizes(shape)}"
        yield Fix(title, (Change(small.span, f"(.unsqueeze {small.text} {at})"),))


def _sized(failure: Failure, given: Given, wrong: int, right: int) -> Iterator[Fix]:
    """The number where the operand was made, if it stands there once."""
    place = failure.literal(given.made, wrong) if given.made is not None else None
    if place is not None:
        yield Fix(f"Make {given.name} with {right} where it has {wrong}", (Change(place, str(right)),))


def _joining(failure: Failure) -> Explained | None:
    tensors = failure.tensors
    if len(tensors) < 2:
        return None
    stacking = failure.step == "stack"
    along = failure.options.get("dim", 0)
    rank = len(tensors[0].shape)
    axis = along + rank if isinstance(along, int) and along < 0 else along
    for other in tensors[1:]:
        pairs = list(zip(tensors[0].shape, other.shape, strict=False))
        apart = next((i for i, (m, n) in enumerate(pairs) if m != n and (stacking or i != axis)), None)
        if len(other.shape) == rank and apart is None:
            continue
        head = f"{failure.step} of {tensors[0].told()} and {other.told()}"
        if len(other.shape) != rank:
            return Explained("shape", f"{head}: one has {rank} dimensions, the other {len(other.shape)}.")
        first, second = pairs[apart or 0]
        rule = "all sizes must be equal" if stacking else f"all sizes but that of dimension {along} must be equal"
        return Explained("shape", f"{head}: {rule}, and dimension {apart} has {first} and {second}.")
    return None


def _reshaping(failure: Failure, given: Given) -> Explained | None:
    told = re.search(r"shape '\[([-\d, ]*)\]' is invalid for input of size (\d+)", failure.said)
    if told is None:
        return None
    wanted = [int(size) for size in told[1].split(",")]
    count = 1
    for size in wanted:
        count *= abs(size)
    head = f"{failure.step} of {given.told()} as {sizes(wanted)}"
    if -1 in wanted:
        return Explained("shape", f"{head}: its {int(told[2]):,} elements are no multiple of {count:,}.")
    return Explained("shape", f"{head}: it has {int(told[2]):,} elements, not {count:,}.")


def _classifying(failure: Failure, logits: Given, labels: Given) -> Explained | None:
    head = f"{failure.step} of {logits.told()} and {labels.told()}"
    if "out of bounds" in failure.said:
        index = re.search(r"Target (-?\d+) is out of bounds", failure.said)
        found = f"label {index[1]} is none" if index else "a label is none"
        classes = logits.shape[1] if len(logits.shape) > 1 else logits.shape[0]
        return Explained("shape", f"{head}: {found} of the {classes} classes, which are counted from 0.")
    if logits.shape and labels.shape and logits.shape[0] != labels.shape[0]:
        text = f"{head}: there are {logits.shape[0]} rows of scores and {labels.shape[0]} labels."
        return Explained("shape", text, tuple(_sized(failure, labels, labels.shape[0], logits.shape[0])))
    return None


def _einsum(failure: Failure) -> Explained | None:
    """The subscript that stands for two sizes."""
    known: dict[str, tuple[int, Given]] = {}
    for letters, given in zip(failure.equation.partition("->")[0].split(","), failure.tensors, strict=False):
        letters = letters.replace(" ", "")
        if "." in letters:
            return None
        if len(letters) != len(given.shape):
            text = f"einsum: {letters!r} names {len(letters)} dimensions, and {given.told()} has {len(given.shape)}."
            return Explained("shape", text)
        for letter, size in zip(letters, given.shape, strict=True):
            before = known.setdefault(letter, (size, given))
            if before[0] != size and 1 not in (before[0], size):
                text = f"einsum: {letter} is {before[0]} in {before[1].told()} and {size} in {given.told()}."
                return Explained("shape", text)
    return None


# ---- torch's modules


def _of_module(failure: Failure) -> Explained | None:
    inside = failure.inside
    if inside is None:
        return None
    where = f"{inside.path}: " if inside.path else ""
    given = inside.given
    found = given.told() if given is not None else "its input"
    shape = given.shape if given is not None else ()
    for size, at, words in _WANTED.get(inside.kind, ()):
        wanted = inside.sizes.get(size)
        if wanted is None or not shape:
            continue
        index = at if at < 0 else at - (1 if len(shape) < failure.options.get("rank", 0) else 0)
        if -len(shape) <= index < len(shape) and shape[index] != wanted:
            text = f"{where}{inside.name} expects {words.format(wanted)}, and {found} has {shape[index]}."
            return Explained("shape", text, tuple(_resized(failure, inside, wanted, shape[index])))
    if inside.kind == "Embedding" and "num_embeddings" in inside.sizes:
        last = inside.sizes["num_embeddings"] - 1
        return Explained("shape", f"{where}{inside.name} has the indices 0 to {last}, and {found} holds another.")
    text = f"{where}{inside.name} does not fit {found}: {as_written(failure.said)}"
    return Explained("shape", text)


_LAST = "a last size of {}"
_WANTED: dict[str, tuple[tuple[str, int, str], ...]] = {
    "Linear": (("in_features", -1, _LAST),),
    "RNN": (("input_size", -1, _LAST),),
    "LSTM": (("input_size", -1, _LAST),),
    "GRU": (("input_size", -1, _LAST),),
    "RNNCell": (("input_size", -1, _LAST),),
    "LSTMCell": (("input_size", -1, _LAST),),
    "GRUCell": (("input_size", -1, _LAST),),
    "LayerNorm": (("normalized_shape", -1, _LAST),),
    "RMSNorm": (("normalized_shape", -1, _LAST),),
    "MultiheadAttention": (("embed_dim", -1, _LAST),),
    "BatchNorm1d": (("num_features", 1, "{} features"),),
    "BatchNorm2d": (("num_features", 1, "{} channels"),),
    "BatchNorm3d": (("num_features", 1, "{} channels"),),
    "GroupNorm": (("num_channels", 1, "{} channels"),),
    "Conv1d": (("in_channels", -2, "{} channels"),),
    "Conv2d": (("in_channels", -3, "{} channels"),),
    "Conv3d": (("in_channels", -4, "{} channels"),),
    "ConvTranspose1d": (("in_channels", -2, "{} channels"),),
    "ConvTranspose2d": (("in_channels", -3, "{} channels"),),
}
"""Of torch's modules: which size an input must have where, and the words for it."""

MODULE_SIZES = {kind: tuple(size for size, _, _ in wanted) for kind, wanted in _WANTED.items()} | {
    "Embedding": ("num_embeddings",),
}


def _resized(failure: Failure, inside: Inside, wanted: int, found: int) -> Iterator[Fix]:
    place = failure.literal(inside.made, wanted) if inside.made is not None else None
    if place is not None:
        yield Fix(f"Make the {inside.kind} for {found}", (Change(place, str(found)),))


# ---- dtypes and devices


def _dtypes(failure: Failure) -> Explained:
    step = failure.step
    inside = failure.inside
    if inside is not None and inside.given is not None:
        given = inside.given
        wanted = "int64" if inside.kind in ("Embedding", "EmbeddingBag") else inside.dtype
        where = f"{inside.path}: " if inside.path else ""
        holds = "wants int64 indices" if wanted == "int64" else f"computes in {wanted}"
        if wanted and given.value.dtype != wanted:
            text = f"{where}{inside.name} {holds}; it was given {given.told(dtype=True)}."
            return Explained("dtype", f"{text} Convert it: {_conversion(wanted)}.", tuple(_converted(given, wanted)))
    tensors = failure.tensors
    for asks, dtype, role, fits in _ROLES:
        other = next((one for one in tensors[step != "embedding" :] if one.value.dtype not in fits), None)
        if step == "where":
            other = tensors[0] if tensors and tensors[0].value.dtype not in fits else None
        if asks.search(f"{step}: {failure.said}") and other is not None:
            text = f"{step} wants {role}; it was given {other.told(dtype=True)}. Convert it: {_conversion(dtype)}."
            return Explained("dtype", text, tuple(_converted(other, dtype)))
    kinds = {one.value.dtype for one in tensors}
    if len(kinds) > 1 and "not implemented for" not in failure.said:
        text = f"{step} of {_listed(tensors, dtype=True)}: they must have one dtype."
        wanted = next((one.value.dtype for one in tensors if "float" in one.value.dtype), "")
        other = next((one for one in tensors if one.value.dtype != wanted), None)
        if wanted and other is not None:
            text += f" Convert {other.name}: {_conversion(wanted)}."
            return Explained("dtype", text, tuple(_converted(other, wanted)))
        return Explained("dtype", text)
    named = _listed(tensors, dtype=True)
    return Explained("dtype", f"{step}: {as_written(failure.said)}" + (f" It was given {named}." if named else ""))


_ROLES = (
    (
        re.compile(rf"target dtype|({'|'.join(_CLASSIFYING)}): expected scalar type Long"),
        "int64",
        "int64 labels",
        ("int64", "uint8"),
    ),
    (re.compile(r"\bind(ex|ices)\b"), "int64", "int64 indices", ("int64", "int32", "uint8", "bool")),
    (re.compile(r"\bbool(ean)? (masks?|tensors?)\b|predicate to be bool"), "bool", "truth values", ("bool",)),
)
"""How torch asks, of an operator, that one tensor has a dtype of its own: that, what it is, and the dtypes that do."""

_METHODS = {
    "float32": ".float",
    "float64": ".double",
    "int64": ".long",
    "float16": ".half",
    "bfloat16": ".bfloat16",
    "bool": ".bool",
}


def _conversion(dtype: str) -> str:
    return f"({_METHODS[dtype]} …)" if dtype in _METHODS else f"(.to … torch.{dtype})"


def _converted(given: Given, dtype: str) -> Iterator[Fix]:
    method = _METHODS.get(dtype)
    if method is not None:
        change = Change(given.span, f"({method} {given.text})")
        if not given.expression:  # a step: one more after it
            change = Change(Span(given.span.end, given.span.end), f" {method}")
        yield Fix(f"Convert {given.name} to {dtype}", (change,))


def _devices(failure: Failure) -> Explained:
    inside, tensors = failure.inside, failure.tensors
    parts = [f"{one.told()} is on {one.value.device}" for one in tensors]
    said = re.findall(r"\b(?:cuda(?::\d+)?|cpu|mps|xpu(?::\d+)?|meta)\b", failure.said)
    if inside is not None and len({one.value.device for one in tensors}) < 2:
        others = [device for device in said if not any(one.value.device == device for one in tensors)]
        if others:
            where = f"{inside.path}: " if inside.path else ""
            parts.append(f"{where}{inside.name} on {others[0]}")
    elif len({one.value.device for one in tensors}) < 2 and said:
        parts.append("torch found " + " and ".join(dict.fromkeys(said)))
    if not tensors and len(set(said)) < 2:
        return Explained("device", as_written(failure.said))
    joined = ", ".join(parts) if parts else as_written(failure.said)
    return Explained("device", f"{failure.step}: {joined}; all that goes into one operator must be on one device.")
