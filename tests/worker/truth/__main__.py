"""Of each program: how many facts were compared with a run, how many are wrong, and how many expressions are covered;
then of all of them. `--missing` prints what is not covered."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.worker.conftest import Worker
from tests.worker.truth import Oracle, compare


def main() -> int:
    worker, oracle = Worker(), Oracle()
    worker.next()
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        for name, one in compare(worker, oracle, Path(folder)):
            verdicts.append(one)
            print(
                f"{name}: {one.compared} facts, {len(one.wrong)} wrong, {one.assumed} assumed; "
                f"{one.tensors_shown} of {one.tensors} tensors, {one.shown} of {one.evaluated} expressions shown",
                flush=True,
            )
            for told in one.wrong:
                print(f"  wrong: {told}")
            for told in one.missing if "--missing" in sys.argv else ():
                print(f"  not shown: line {told}")
    worker.close()
    oracle.close()
    compared, assumed = sum(one.compared for one in verdicts), sum(one.assumed for one in verdicts)
    wrong = sum(len(one.wrong) for one in verdicts)
    print(f"{len(verdicts)} programs: {compared} facts compared, {wrong} wrong, {assumed} more assumed")
    tensors, tensors_shown = sum(one.tensors for one in verdicts), sum(one.tensors_shown for one in verdicts)
    evaluated, shown = sum(one.evaluated for one in verdicts), sum(one.shown for one in verdicts)
    print(f"{tensors_shown} of {tensors} expressions at which a run observes a tensor are shown as one")
    print(f"{shown} of {evaluated} expressions that a run evaluates are shown ({shown / evaluated:.1%})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
