"""Whether triage loses findings: every file of some folders is analysed with and without it.

usage: python benchmarks/triage.py [--every N] FOLDER ...

Prints each file in which the findings, of every confidence, differ in anything but their fixes; exit status 1 if there
is one. Files are taken in the order of their paths, with `--every N` each Nth one.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.source import AnalysisError, Source, read
from nanlint.triage import EVERYTHING, Worth


def _outcome(source: Source, config: Config, worth: Worth | None) -> list[str]:
    """The findings in a fixed order, or why there are none."""
    try:
        found = analyse(source, config, worth=worth, fixes=False)
    except (AnalysisError, RecursionError) as error:
        return [f"{type(error).__name__}: {error}"]
    return sorted(f"{f.span.start} {f.code} {f.confidence.value} {f.message}" for f in found)


def main(argv: list[str]) -> int:
    """Compare, print what differs and how long both ways took; returns 1 if anything differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--every", type=int, default=1, metavar="N")
    args = parser.parse_args(argv)
    config = Config()
    files = sorted(file for folder in args.folders for file in folder.rglob("*.py") if file.is_file())
    different = findings = 0
    took = [0.0, 0.0]
    for file in files[:: args.every]:
        try:
            source = read(str(file))
        except AnalysisError:
            continue
        outcomes = []
        for index, worth in enumerate((None, EVERYTHING)):
            started = time.process_time()
            outcomes.append(_outcome(source, config, worth))
            took[index] += time.process_time() - started
        findings += len(outcomes[1])
        if outcomes[0] != outcomes[1]:
            different += 1
            print(f"{file}: {outcomes[0]} with triage, {outcomes[1]} without")
    print(f"{findings} findings in {len(files[:: args.every])} files, {different} of which differ")
    print(f"{took[0]:.1f} s of CPU time with triage, {took[1]:.1f} s without")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
