"""Prints how many of the expressions are right, not known and wrong, in each way."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from mino_lsp import types as t
from tests.worker.conftest import Worker
from tests.worker.expressions import judge, read


def main() -> int:
    expressions = read()
    worker = Worker()
    worker.next()
    least = {"light": len(expressions), "heavy": 26}
    good = True
    for way in least:
        found: dict[str, list[str]] = {"right": [], "not known": [], "wrong": []}
        for expression in expressions:
            with tempfile.TemporaryDirectory() as folder:
                job, path = worker.job(), str(Path(folder) / "main.hy")
                worker.send(t.PreviewRequest(job, path, expression.text, t.Environment(folder), way=way))  # type: ignore[arg-type]
                outcome, places = judge(expression, worker.collect(job))
            found[outcome].append("\n    ".join([f"  {outcome}: {expression.name}", *places]))
        counts = ", ".join(f"{len(names)} {outcome}" for outcome, names in found.items())
        print(f"{way}, of {len(expressions)}: {counts}", *found["wrong"], *found["not known"], sep="\n")
        good = good and len(found["right"]) >= least[way] and not found["wrong"]
    worker.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
