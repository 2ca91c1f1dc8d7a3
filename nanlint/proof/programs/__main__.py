"""`python -m nanlint.proof.programs`: many random programs, and how many of them break which claim."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random

from nanlint.proof.programs.claims import CLAIMS, Failure, Trial
from nanlint.proof.programs.grammar import grown
from nanlint.proof.programs.writing import written


def main(arguments: Sequence[str] | None = None) -> int:
    """Put random programs on trial; 1 if any claim is broken that nanlint makes, else 0."""
    options = _parser().parse_args(arguments)
    start, seen = time.perf_counter(), Counter[str]()
    for index in range(options.first, options.first + options.count):
        random = Random(f"{options.seed}/{index}")
        program = written(grown(random), random)
        try:
            trial = Trial(program)
            found = [failure for claim in CLAIMS for failure in claim(trial)]
            seen["with findings"] += bool(trial.study.found)
            seen["findings"] += len(trial.study.found)
            seen["with a lost gradient"] += bool(trial.blamed)
        except Exception as error:
            if options.raises:
                raise
            found = [Failure(f"raised {type(error).__name__}", str(error))]
        for failure in found:
            what = f"{'broken' if failure.is_serious else 'beyond what is promised'}: {failure.kind}"
            seen[what] += 1
            if seen[what] <= options.show:
                print(f"\n--- program {index}: {failure.kind}: {failure.told}\n{program.text}", flush=True)
    print(f"seed {options.seed}, {options.count} programs, {time.perf_counter() - start:.0f} s")
    for what, times in sorted(seen.items()):
        print(f"{times:8} {what}")
    return int(any(what.startswith("broken") for what in seen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nanlint.proof.programs", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="how many programs (default 500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first program (default 0)")
    parser.add_argument("--show", type=int, default=3, help="programs printed for each kind (default 3)")
    parser.add_argument("--raises", action="store_true", help="stop where anything raises")
    return parser


if __name__ == "__main__":
    sys.exit(main())
