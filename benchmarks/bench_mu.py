"""What calling a mu costs, beside other ways to write the same linear map, as ratios to a bare module in one run.

    python benchmarks/bench_mu.py

A linear map of 10 to 10, batch 1, one thread, no gradient. *bare* is a module with closed-over tensors, *by hand*
reads its parameters as attributes, and *as the original* does what MinoTauro 0.1.0 did: components are attributes,
`None` means that one is not given, and an assertion on each call looks for those that are missing.
"""

import timeit

import hy
import torch
from torch import nn

ROUNDS, CALLS = 25, 2000
LIMITS = {"mu, parameters": 1.25, "mu, buffers": 1.4}


def models() -> dict[str, nn.Module]:
    weights, bias = nn.Parameter(torch.randn(10, 10)), nn.Parameter(torch.randn(10))

    class Bare(nn.Module):
        def forward(self, x):
            return x @ weights + bias

    class ByHand(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights, self.bias = weights, bias

        def forward(self, x):
            return x @ self.weights + self.bias

    class AsTheOriginal(nn.Module):
        components = ("x", "weights", "bias")

        def __init__(self, **components):
            super().__init__()
            for name, value in components.items():
                setattr(self, name, value)

        def forward(self, x=None, weights=None, bias=None):
            x = getattr(self, "x", None) if x is None else x
            weights = self.weights if weights is None else weights
            bias = self.bias if bias is None else bias
            for name, value in zip(self.components, (x, weights, bias), strict=True):
                assert value is not None, f"{name} is missing"
            return x @ weights + bias

    hy.eval(hy.read("(require mino.mu *)"))
    linear = hy.eval(hy.read("(mu [x weights bias] (+ (@ x weights) bias))"))
    made = type(linear)
    outer = type(hy.eval(hy.read("(mu [x inner] (inner x))")))
    return {
        "bare": Bare(),
        "by hand": ByHand(),
        "nn.Linear": nn.Linear(10, 10),
        "as the original": AsTheOriginal(weights=weights, bias=bias),
        "mu, parameters": made(weights=weights, bias=bias),
        "mu, buffers": made(weights=weights.detach(), bias=bias.detach()),
        "nn.Sequential of nn.Linear": nn.Sequential(nn.Linear(10, 10)),
        "mu in a mu": outer(inner=made(weights=weights, bias=bias)),
    }


def measure() -> dict[str, float]:
    """The best time of a call of each model in seconds; the rounds of all models are interleaved."""
    x = torch.randn(1, 10)
    timed = models()
    best = dict.fromkeys(timed, float("inf"))
    with torch.no_grad():
        for _ in range(ROUNDS):
            for name, model in timed.items():
                taken = timeit.timeit("model(x)", globals={"model": model, "x": x}, number=CALLS) / CALLS
                best[name] = min(best[name], taken)
    return best


def main() -> None:
    torch.set_num_threads(1)
    best = measure()
    for name, seconds in best.items():
        limit = f"   (must be ≤ {LIMITS[name]})" if name in LIMITS else ""
        print(f"{name:28} {seconds * 1e6:6.2f} µs   {seconds / best['bare']:5.2f} × bare{limit}")


if __name__ == "__main__":
    main()
