"""How long reading and editing take, with Hy's own reader beside it.

    python benchmarks/bench_syntax.py

Each time is the best of several runs of one process; the ratios are what matters.
"""

import time
from collections.abc import Callable

import hy

from mino_lsp.syntax import Text, read

_FORM = """\
(defmu layer-{n} [x weights bias [activation torch.relu]]
  "One layer: {n}."
  (-> x
      (@ weights)  ; project
      (+ bias)
      activation))

(setv model-{n} (layer-{n} :weights (torch.randn 10 100) :bias (torch.zeros [10])))
(print f"model {n}: {{(len (list (.parameters model-{n}))) :>4}} parameters")
"""


def program(lines: int) -> str:
    return "".join(_FORM.format(n=n) for n in range(lines // (_FORM.count("\n"))))


def best(work: Callable[[], object], runs: int = 7, inner: int = 1) -> float:
    """The least time of one call, in seconds."""
    found = []
    for _ in range(runs):
        begin = time.perf_counter()
        for _ in range(inner):
            work()
        found.append((time.perf_counter() - begin) / inner)
    return min(found)


def show(what: str, seconds: float, note: str = "") -> None:
    print(f"{what:<58} {seconds * 1000:9.3f} ms  {note}")


def newline_at_the_top(lines: int) -> float:
    """A newline within the first line: text and tree, with the problems."""
    source = program(lines)
    text, tree = Text(source), read(source)
    place = source.index("[x") + 2

    def work() -> None:
        text.edit(place, place, "\n").position(place + 1)
        assert not tree.edit(place, place, "\n").problems

    return best(work, inner=50)


def main() -> None:
    source = program(2000)
    ours = best(lambda: read(source))
    theirs = best(lambda: list(hy.read_many(source)), runs=2)
    show(f"read {source.count(chr(10))} lines ({len(source)} characters)", ours)
    show("the same by Hy's reader", theirs, f"{theirs / ours:.1f} × ours")
    tree, text = read(source), Text(source)
    middle = source.index("activation", len(source) // 2)
    show("edit one form of it: tree", best(lambda: tree.edit(middle, middle, "x").problems, inner=50))
    show("edit one form of it: text", best(lambda: text.edit(middle, middle, "x"), inner=50))
    opened = source.index("(-> x", len(source) // 2)
    show("the same with a ( left open: tree", best(lambda: tree.edit(opened, opened, "(").problems, inner=50))
    show('the same with a " left open: tree', best(lambda: tree.edit(opened, opened, '"').problems, inner=3))
    walked = best(lambda: sum(1 for _ in tree.walk()))
    show("walk all of it", walked)
    show("path_at", best(lambda: tree.path_at(middle), inner=200))
    few, many = newline_at_the_top(200), newline_at_the_top(20_000)
    show("a newline in the first line of 200", few)
    show("a newline in the first line of 20,000", many, f"ratio {many / few:.2f} (at most 3)")


if __name__ == "__main__":
    main()
