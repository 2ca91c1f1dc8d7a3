"""All bad fixtures put to torch as `nanlint --confirm` does: what is announced has to be found and confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from nanlint.config import DTYPES
from nanlint.confirm import confirmed
from nanlint.confirm.experiment import analyse
from nanlint.engine import check_file
from nanlint.finding import Confidence, Finding, Verdict
from nanlint.proof.fixtures import Fixture, Kind, expected
from nanlint.proof.forms import settings
from nanlint.proof.running import Run, run_file
from nanlint.report.confirmation import told
from nanlint.source import read


class Standing(Enum):
    """How a bad fixture stands in one dtype. All but `MISSED` is as it should be."""

    CONFIRMED = "confirmed"
    """Each finding that its markers announce is there, and torch confirms it."""
    FINITE = "without a hazard in that dtype"
    """Something is not found, and torch keeps the gradient of the file itself as well."""
    BROKEN = "without a finite value in that dtype"
    """Something is not found, and the file itself gives no finite value, or cannot be run."""
    UNLIKELY = "shown with --confidence low only"
    """So it is in a dtype that the fixture does not speak of; torch loses the gradient."""
    KNOWN_MISS = "known to be missed"
    """Nothing is announced but what is known to be missed."""
    MISSED = "not confirmed"
    """Something that is announced is not found or not confirmed, and torch loses the gradient of the file itself."""


@dataclass(frozen=True)
class Outcome:
    """What torch says of the findings of one fixture in one dtype; `bugs` are where the evaluator differs from it."""

    path: Path
    dtype: str
    findings: Sequence[Finding]
    bugs: Sequence[str]
    standing: Standing

    @property
    def problems(self) -> list[str]:
        """What is wrong, a line each; that torch has no such op in that dtype is not."""
        wrong = [f for f in self.findings if f.confirmation is None or _verdict(f) is Verdict.REFUTED]
        place = f"{self.path} in {self.dtype}"
        lines = [
            f"{place}: line {one.span.start.line}: {told(one) or 'torch was not asked'}" for one in wrong
        ]
        missed = [f"{place}: not all that is marked is confirmed"] if self.standing is Standing.MISSED else []
        return [*lines, *missed, *(f"{place}: {bug}" for bug in self.bugs)]


def outcomes(fixtures: Iterable[Fixture], dtypes: Sequence[str] = DTYPES) -> list[Outcome]:
    """What torch says of each bad fixture in each dtype; one process runs all of them."""
    entries: dict[Path, list[str]] = {}
    for fixture in fixtures:
        if fixture.kind is Kind.BAD:
            entries.setdefault(fixture.path, []).append(fixture.entry)
    cases = [(path, dtype) for path in entries for dtype in dtypes]

    def findings(case: tuple[Path, str]) -> list[Finding]:
        path, dtype = case
        return check_file(str(path), replace(settings(path), dtype=dtype), analyse=analyse)

    return [
        Outcome(path, dtype, found, bugs, standing(path, entries[path], dtype, found))
        for (path, dtype), (found, bugs) in confirmed(cases, findings)
    ]


def standing(path: Path, entries: Sequence[str], dtype: str, found: Sequence[Finding]) -> Standing:
    """How a file stands in a dtype, by what was found in it; its entries are run where that is not all."""
    marked = Counter(
        line for entry in entries for line, _ in expected(read(str(path)), entry).found.elements()
    )
    if not marked:
        return Standing.KNOWN_MISS
    if marked <= Counter(one.span.start.line for one in found if _verdict(one) is Verdict.CONFIRMED):
        return Standing.CONFIRMED
    if dtype == settings(path).dtype:
        return Standing.MISSED
    runs = _runs(path, entries, dtype)
    if not all(run.finite_value for run in runs) or not runs:
        return Standing.BROKEN
    if all(run.finite_gradient for run in runs):
        return Standing.FINITE
    low = check_file(str(path), replace(settings(path), dtype=dtype, confidence=Confidence.LOW))
    return Standing.UNLIKELY if marked <= Counter(one.span.start.line for one in low) else Standing.MISSED


def _runs(path: Path, entries: Sequence[str], dtype: str) -> list[Run]:
    """What torch makes of a file in a dtype; nothing if some op or number has no place in that."""
    try:
        return [run for entry in entries for run in run_file(path, entry, dtype)]
    except (RuntimeError, NotImplementedError):
        return []


def _verdict(finding: Finding) -> Verdict | None:
    return finding.confirmation.verdict if finding.confirmation is not None else None
