"""How many facts were compared with runs, how many are wrong, and how many expressions are covered."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from mino_lsp import types as t
from tests.worker.conftest import Worker
from tests.worker.truth import judge, programs


def main() -> int:
    worker = Worker()
    worker.next()
    compared = wrong = assumed = observed = shown = count = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "main.hy"
        for name, text in programs():
            file.write_text(text, "utf-8")
            job = worker.job()
            worker.send(t.PreviewRequest(job, str(file), text, t.Environment(folder)))
            verdict = judge(text, worker.collect(job), file)
            count += 1
            compared += verdict.compared
            wrong += len(verdict.wrong)
            assumed += verdict.assumed
            observed += verdict.observed
            shown += verdict.shown
            for told in verdict.wrong:
                print(f"{name}: wrong: {told}")
            for told in verdict.missing:
                print(f"{name}: not shown: {told}")
    worker.close()
    print(f"{count} programs: {compared} values compared, {wrong} wrong, {assumed} assumed")
    print(f"{shown} of {observed} expressions at which a run observes a tensor are shown")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
