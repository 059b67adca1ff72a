"""Prints how many of the idioms go through a preview, in each way."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mino_lsp import types as t
from tests.worker.conftest import Preview, Worker
from tests.worker.idioms import read


def main() -> None:
    worker = Worker()
    assert isinstance(worker.next(), t.Ready)
    for way, device in (("light", "cpu"), ("light", "cuda"), ("heavy", "cpu")):
        through, failed = 0, []
        for name, text in read().items():
            with tempfile.TemporaryDirectory() as folder:
                job = worker.job()
                request = t.PreviewRequest(
                    *(job, str(Path(folder) / "main.hy"), text, t.Environment(folder)),
                    device=device,
                    as_written=True,
                    way=way,  # type: ignore[arg-type]
                )
                worker.send(request)
                told = Preview(text, worker.collect(job))
            errors = told.errors()
            if errors or told.result.stopped:
                failed.append(f"  {name}: {errors}")
            else:
                through += 1
        print(f"{way:<6} for {device:<5} {through} of {through + len(failed)}", *failed, sep="\n")
    worker.close()


main()
