"""What the analysis says and what the front ends show: findings, their witness and their fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanlint.confirm.experiment import Experiment


class Confidence(str, Enum):
    """How much stands behind a finding; ordered by `rank`, `HIGH` first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for high, 1 for medium, 2 for low."""
        return list(Confidence).index(self)


class Applicability(str, Enum):
    """Whether `--fix` applies a fix by itself (`SAFE`) or only with `--unsafe-fixes`."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, order=True)
class Position:
    """A place in a source text: `line` and `column` count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, order=True)
class Span:
    """A half-open stretch of source text: `end` is the first position behind it."""

    start: Position
    end: Position


@dataclass(frozen=True)
class Edit:
    """Replace the text of `span` by `replacement`; an empty span inserts."""

    span: Span
    replacement: str


@dataclass(frozen=True)
class Fix:
    """Edits that repair one finding; they never overlap one another."""

    style: str
    applicability: Applicability
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Site:
    """A singular op below a selector: its catalogue name, where it stands, and where it is poisoned."""

    op: str
    span: Span
    expression: str
    poison: str


@dataclass(frozen=True)
class Witness:
    """Concrete inputs at which the value is `value` and a gradient is nan (or inf).

    `value` is that of the whole selector; it is nan or inf for some mask products only.
    """

    inputs: Mapping[str, float]
    value: float
    gradient: Mapping[str, float]


class Verdict(str, Enum):
    """What torch says of a finding."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Confirmation:
    """What a run in torch of that version gave at the witness.

    `gradient` and `after_fix`, by the names of the values, are None where nothing could be run; `reason` then says
    why, or why it was run in another dtype.
    """

    torch: str
    verdict: Verdict
    gradient: Mapping[str, float] | None = None
    after_fix: Mapping[str, float] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Finding:
    """One selector with one code, standing at the selector's first character."""

    code: str
    path: str
    span: Span
    message: str
    confidence: Confidence
    sites: tuple[Site, ...] = ()
    witness: Witness | None = None
    fix: Fix | None = None
    note: str = field(default="", compare=False)
    """What to do by hand where no fix is offered; empty where a fix is."""
    confirmation: Confirmation | None = field(default=None, compare=False)
    """What torch says of it, if it was asked."""
    experiment: Experiment | None = field(default=None, compare=False, repr=False)
    """What torch is to be asked."""
    by_position: bool = field(default=False, compare=False)
    """Whether the selector is a slice or the like, which leaves something out that nothing is known of."""
