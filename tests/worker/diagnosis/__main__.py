"""How many planted mistakes are found before running, at the right expression, in words that name the sizes; and how
many sound programs are left alone. `--all` prints every message."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from mino_lsp import types as t
from tests.worker.conftest import Worker
from tests.worker.diagnosis import DEVICE, count, problems_of


def main() -> int:
    worker = Worker()
    worker.next()
    with tempfile.TemporaryDirectory() as folder:

        def answers(text: str) -> list[object]:
            job = worker.job()
            path, environment = str(Path(folder) / "main.hy"), t.Environment(folder)
            worker.send(t.PreviewRequest(job, path, text, environment, device=DEVICE, as_written=True))
            return worker.collect(job)

        total = found = false = 0
        for case, fault, unfounded in count(answers):
            total += 1
            found += not fault
            false += bool(unfounded)
            if fault:
                print(f"{case.name}: {fault}")
            elif "--all" in sys.argv:
                (problem,) = problems_of(case.mistaken, answers)
                print(f"{case.name}: {problem.code}: {problem.message}")
            for problem in unfounded:
                print(f"{case.name}, sound: {problem.code}: {problem.message}")
    worker.close()
    print(f"{found} of {total} mistakes found; {false} of {total} sound programs with a diagnostic")
    return 0


if __name__ == "__main__":
    sys.exit(main())
