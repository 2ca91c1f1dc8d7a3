"""`python -m nanlint.proof`: the table of all fixtures, a line each, and whether each is what it claims."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nanlint.proof.confirming import Standing, outcomes
from nanlint.proof.fixtures import Fixture, Kind, Marks, discover
from nanlint.proof.forms import bring_up_to_date
from nanlint.proof.harness import PARTS, Evidence, Part, is_partly_fixed
from nanlint.proof.running import FINITE, Run, summary

HEADINGS = ("fixture", "expected", "found", "value", "gradient before", "gradient after", "verdict")
FAILED = "FAILED"


@dataclass(frozen=True)
class Row:
    """A line of the table: its cells in the order of `HEADINGS`, and what is wrong with the fixture."""

    cells: tuple[str, ...]
    problems: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with `--write-fixed` write the fixed forms; 1 if any fixture fails, else 0."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        fixtures = discover(options.paths)
    except FileNotFoundError as error:
        parser.error(str(error))
    if options.confirm:
        return _confirm(fixtures)
    return _write_fixed(fixtures) if options.write_fixed else _prove(fixtures)


def row(fixture: Fixture) -> Row:
    """The line of one fixture; a file or a linter that raises is a problem like any other."""
    evidence = Evidence(fixture)
    problems = tuple(problem for part in PARTS[fixture.kind] for problem in _problems(part, evidence))
    cells = (
        fixture.name,
        _cell(lambda: _expected(evidence)),
        _cell(lambda: _places(evidence.found)),
        _cell(lambda: _torch(evidence, lambda run: summary(run.values))),
        _cell(lambda: _torch(evidence, lambda run: summary(run.gradients))),
        _cell(lambda: _after(evidence)),
        FAILED if problems else _verdict(evidence),
    )
    return Row(cells, problems)


def table(rows: Sequence[Row]) -> str:
    """The rows in columns under their headings, problems indented below their row."""
    lines = [HEADINGS, *(each.cells for each in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, cells, widths)).rstrip() for cells in lines]
    told = [""] + ["".join(f"\n    {problem}" for problem in each.problems) for each in rows]
    return "\n".join(map(str.__add__, text, told))


def count(rows: Sequence[Row]) -> str:
    """How many rows there are, and how many of each verdict."""
    verdicts = sorted(Counter(each.cells[-1] for each in rows).items())
    return ", ".join([f"{len(rows)} fixtures", *(f"{times} {verdict}" for verdict, times in verdicts)])


def _prove(fixtures: Sequence[Fixture]) -> int:
    start = time.perf_counter()
    rows = [row(fixture) for fixture in fixtures]
    print(table(rows))
    print(f"\n{count(rows)}, {time.perf_counter() - start:.1f} s")
    return int(not rows or any(each.problems for each in rows))


def _confirm(fixtures: Sequence[Fixture]) -> int:
    start = time.perf_counter()
    found = outcomes(fixtures)
    problems = [problem for outcome in found for problem in outcome.problems]
    print(*problems, sep="\n", end="\n" if problems else "")
    counts = Counter(outcome.standing for outcome in found)
    told = ", ".join(f"{counts[kind]} {kind.value}" for kind in Standing if counts[kind])
    print(f"{len(found)} pairs of bad fixture and dtype: {told}, {time.perf_counter() - start:.1f} s")
    return int(not found or bool(problems))


def _write_fixed(fixtures: Sequence[Fixture]) -> int:
    failed = False
    for path in dict.fromkeys(fixture.path for fixture in fixtures if fixture.kind is not Kind.TEXT):
        try:
            done = bring_up_to_date(path)
        except Exception as error:  # whatever the linter raises: the other forms are still to be written
            done, failed = [f"{path}: {type(error).__name__}: {error}"], True
        print(*done, sep="\n", end="\n" if done else "")
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nanlint.proof", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[Path("fixtures")], help="default: fixtures")
    parser.add_argument("--confirm", action="store_true", help="put what is found to torch, in each dtype")
    parser.add_argument("--write-fixed", action="store_true", help="write the fixed forms, run nothing")
    return parser


def _problems(part: Part, evidence: Evidence) -> list[str]:
    try:
        return part(evidence)
    except Exception as error:  # whatever a fixture raises: the other fixtures are still to be judged
        return [f"{part.__name__}: {type(error).__name__}: {error}"]


def _cell(make: Callable[[], str]) -> str:
    try:
        return make() or "-"
    except Exception:  # told in full among the problems
        return "error"


def _expected(evidence: Evidence) -> str:
    marks = evidence.expected
    if evidence.fixture.broken:
        return "NAN901"
    missed = f"todo {_places(marks.missed)}" if marks.missed else ""
    return " ".join(filter(None, [_places(marks.found), missed]))


def _places(marks: Marks) -> str:
    return " ".join(f"{code}@{line}" for line, code in sorted(marks.elements()))


def _torch(evidence: Evidence, told: Callable[[Run], str]) -> str:
    return "" if evidence.fixture.kind is Kind.TEXT else _first_bad(map(told, evidence.runs))


def _after(evidence: Evidence) -> str:
    forms = evidence.fixed_runs.values()
    return " / ".join(_first_bad(summary(run.gradients) for run in runs) for runs in forms)


def _first_bad(told: Iterable[str]) -> str:
    """What is told of the first row that is not finite, else of all."""
    words = list(told)
    return next((word for word in words if word != FINITE), FINITE if words else "")


def _verdict(evidence: Evidence) -> str:
    if evidence.fixture.kind is not Kind.BAD:
        return "sound" if evidence.fixture.kind is Kind.OK else "as marked"
    if not evidence.expected.found:
        return "known miss"
    if not evidence.forms:
        return "without a fix"
    return "partly fixed" if is_partly_fixed(evidence) else "fixed"


if __name__ == "__main__":
    sys.exit(main())
