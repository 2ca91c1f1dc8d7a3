"""All bad fixtures put to torch as `nanlint --confirm` does: each finding has to be confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nanlint.config import DTYPES
from nanlint.confirm import confirmed
from nanlint.confirm.experiment import analyse
from nanlint.engine import check_file
from nanlint.finding import Finding, Verdict
from nanlint.proof.fixtures import Fixture, Kind
from nanlint.proof.forms import settings
from nanlint.report.confirmation import told


@dataclass(frozen=True)
class Outcome:
    """What torch says of the findings of one fixture in one dtype; `bugs` are where the evaluator differs from it."""

    path: Path
    dtype: str
    findings: Sequence[Finding]
    bugs: Sequence[str]

    @property
    def problems(self) -> list[str]:
        """What is not confirmed, a line each; that torch has no such op in that dtype is none."""
        wrong = [
            f for f in self.findings if f.confirmation is None or f.confirmation.verdict is Verdict.REFUTED
        ]
        place = f"{self.path} in {self.dtype}"
        lines = [
            f"{place}: line {one.span.start.line}: {told(one) or 'torch was not asked'}" for one in wrong
        ]
        return [*lines, *(f"{place}: {bug}" for bug in self.bugs)]


def outcomes(fixtures: Iterable[Fixture], dtypes: Sequence[str] = DTYPES) -> list[Outcome]:
    """What torch says of each bad fixture in each dtype; one process runs all of them."""
    paths = dict.fromkeys(fixture.path for fixture in fixtures if fixture.kind is Kind.BAD)
    cases = [(path, dtype) for path in paths for dtype in dtypes]

    def findings(case: tuple[Path, str]) -> list[Finding]:
        path, dtype = case
        return check_file(str(path), replace(settings(path), dtype=dtype), analyse=analyse)

    return [Outcome(*case, found, bugs) for case, (found, bugs) in confirmed(cases, findings)]
