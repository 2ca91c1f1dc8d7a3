"""How many labelled places in real code nanlint reports.

usage: python benchmarks/field.py LABELS.csv CHECKOUTS [--shape NAME ...] [--misses]

LABELS.csv has the columns repo, path, line, label (bug, latent, safe or nograd), shape; CHECKOUTS holds one folder for
each repository, named owner+name. A place counts as reported if a finding of the default confidence stands on its line.
"""

from __future__ import annotations

import argparse
import collections
import csv
import pathlib
import sys
import time

from nanlint import engine
from nanlint.config import Config
from nanlint.finding import Confidence, Finding

_REPORTABLE = ("bug", "latent")


def findings_in(path: pathlib.Path) -> list[Finding]:
    """All findings of a file, of every confidence."""
    return engine.check_file(str(path), Config(confidence=Confidence.LOW))


def main(argv: list[str]) -> int:
    """Print the shares, and with `--misses` each place where nanlint and the label disagree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=pathlib.Path)
    parser.add_argument("checkouts", type=pathlib.Path)
    parser.add_argument("--shape", nargs="*", default=[])
    parser.add_argument("--misses", action="store_true")
    args = parser.parse_args(argv)
    with args.labels.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not args.shape or row["shape"] in args.shape]
    by_file: dict[tuple[str, str], list[dict[str, str]]] = collections.defaultdict(list)
    for row in rows:
        by_file[row["repo"], row["path"]].append(row)
    counts: collections.Counter[tuple[str, bool]] = collections.Counter()
    started = time.process_time()
    for (repo, path), places in sorted(by_file.items()):
        found = findings_in(args.checkouts / repo.replace("/", "+") / path)
        for row in places:
            here = [finding for finding in found if finding.span.start.line == int(row["line"])]
            shown = [finding for finding in here if finding.confidence is not Confidence.LOW]
            counts[row["label"], bool(shown)] += 1
            if args.misses and bool(shown) != (row["label"] in _REPORTABLE):
                told = (
                    "; ".join(f"{f.code} {f.confidence.value} {f.message}" for f in here) or "nothing found"
                )
                print(
                    f"{row['label']:7}{row['shape']:13}{repo}/{path}:{row['line']}: {row['reason']} -> {told}"
                )
    for labels in (_REPORTABLE, ("safe", "nograd")):
        hit = sum(counts[label, True] for label in labels)
        total = hit + sum(counts[label, False] for label in labels)
        print(f"{' + '.join(labels)}: {hit} of {total} reported ({hit / max(total, 1):.1%})")
    print(f"{len(by_file)} files in {time.process_time() - started:.1f} s of CPU time")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
