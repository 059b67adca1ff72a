"""Threads of 10, 100 and 2,000 steps: what expanding and compiling them takes, and how large the expansion is.

    python benchmarks/bench_thread.py

Time and size a step must not grow with the number of steps. `nodes` counts the models of the expansion.
"""

import sys
import time
import types

import hy
from hy.compiler import hy_compile

LENGTHS = (10, 100, 2000)
THREADS = {
    "->": lambda steps: f"(-> x {'(f a) ' * steps})",
    "*->": lambda steps: f"(*-> x {'[(f a) (g b)] ' * steps})",
    "|->": lambda steps: f"(|-> x {'[(f a) (g b)] ' * steps})",
    "=->": lambda steps: f"(=-> x {'(f a) ' * steps})",
    "cond->": lambda steps: f"(cond-> x {'t (f a) ' * steps})",
}


def nodes(form: object) -> int:
    """How many models `form` consists of."""
    return 1 + sum(map(nodes, form)) if isinstance(form, hy.models.Sequence) else 1


def main() -> None:
    module = types.ModuleType("bench_thread_forms")
    sys.modules[module.__name__] = module
    hy.eval(hy.read("(require mino.thread *)"), module=module)
    print(f"{'macro':8} {'steps':>6} {'expand':>10} {'compile':>10} {'a step':>9} {'nodes':>8} {'a step':>7}")
    for name, text in THREADS.items():
        for steps in LENGTHS:
            form = hy.read(text(steps))
            start = time.perf_counter()
            expansion = hy.macroexpand_1(form, module=module)
            expanded = time.perf_counter()
            compile(hy_compile(form, module, filename="<bench>"), "<bench>", "exec")
            compiled = time.perf_counter()
            size = nodes(expansion)
            print(
                f"{name:8} {steps:6} {(expanded - start) * 1e3:7.2f} ms {(compiled - expanded) * 1e3:7.1f} ms "
                f"{(compiled - expanded) / steps * 1e6:6.0f} µs {size:8} {size / steps:7.1f}"
            )


if __name__ == "__main__":
    main()
