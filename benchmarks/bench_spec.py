# ruff: noqa: F722, F821 - the annotations are those of jaxtyping
"""What a check costs: a `spec/parameters` of three `spec/tensor`s, beside other ways to ask the same, in one run.

    python benchmarks/bench_spec.py

Three tensors whose axes share names, [n d], [d k] and [k], all float32. *by hand* compares shapes and dtypes in plain
Python and says nothing about what is wrong; *jaxtyping + beartype* checks the same annotations at the call of a
function that does nothing. *off* is an assertion, and a call of a mu, while checks are off.
"""

import timeit

import hy
import torch
from beartype import beartype
from jaxtyping import Float32, jaxtyped
from torch import nn

from mino import check

ROUNDS, CALLS = 25, 2000
LIMITS = {"spec/valid?, a keyword": 3.0, "spec/assert, off": 0.05}

PROGRAM = """
(require mino.mu * mino.spec *)
(import torch)
(spec/def :three (spec/parameters weights (spec/tensor [n d] :dtype torch.float32)
                                  more (spec/tensor [d k] :dtype torch.float32)
                                  bias (spec/tensor [k] :dtype torch.float32)))
(defn valid [m] (spec/valid? :three m))
(defn conform [m] (spec/conform :three m))
(defn asserted [m] (spec/assert :three m))
(defn nothing [m] m)
(defmu Plain [x weights] (+ x weights))
(defmu Annotated [#^ (spec/tensor [n]) x #^ (spec/tensor [n]) weights] (+ x weights))
"""


def functions() -> tuple[dict, nn.Module]:
    """What is measured, by name, and the module that it is called with."""
    scope: dict = {"__name__": "__main__"}
    for form in hy.read_many(PROGRAM):
        hy.eval(form, scope)
    module = nn.Module()
    module.weights, module.more, module.bias = (nn.Parameter(torch.ones(*sizes)) for sizes in ((3, 4), (4, 5), (5,)))
    f32 = torch.float32

    def by_hand(m):
        a, b, c = m._parameters["weights"], m._parameters["more"], m._parameters["bias"]
        (_, d), (e, k), (h,) = a.shape, b.shape, c.shape
        return d == e and k == h and a.dtype is f32 and b.dtype is f32 and c.dtype is f32

    @jaxtyped(typechecker=beartype)
    def annotated(
        weights: Float32[torch.Tensor, "n d"], more: Float32[torch.Tensor, "d k"], bias: Float32[torch.Tensor, "k"]
    ):
        return None

    x, weights = torch.ones(5), torch.ones(5)
    plain, specified = scope["Plain"](weights=weights), scope["Annotated"](weights=weights)
    return {
        "by hand": by_hand,
        "jaxtyping + beartype": lambda m: annotated(m.weights, m.more, m.bias),
        "spec/valid?, a keyword": scope["valid"],
        "spec/conform, a keyword": scope["conform"],
        "a call of nothing": scope["nothing"],
        "spec/assert, off": scope["asserted"],
        "a mu without specs": lambda m: plain(x),
        "a mu with specs, off": lambda m: specified(x),
    }, module


def measure() -> dict[str, float]:
    """The best time of each in microseconds; the rounds of all are interleaved."""
    timed, module = functions()
    assert not check.check_asserts()
    best = dict.fromkeys(timed, float("inf"))
    with torch.no_grad():
        for _ in range(ROUNDS):
            for name, function in timed.items():
                taken = timeit.timeit("f(m)", globals={"f": function, "m": module}, number=CALLS) / CALLS
                best[name] = min(best[name], taken * 1e6)
    best["spec/assert, off"] -= best["a call of nothing"]
    return best


def main() -> None:
    best = measure()
    peer = best["jaxtyping + beartype"]
    for name, taken in best.items():
        limit = f"  (at most {LIMITS[name]:g})" if name in LIMITS else ""
        print(f"{name:26} {taken:8.3f} µs  {peer / taken:6.1f} × as fast as jaxtyping + beartype{limit}")


if __name__ == "__main__":
    main()
