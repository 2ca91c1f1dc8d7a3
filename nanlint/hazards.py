"""Hazards: for each selector, an input that it drops and at which the dropped operand's backward makes a nan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from nanlint.arithmetic import Arithmetic
from nanlint.budget import Budget
from nanlint.cases import Case, Place, Proof, cases
from nanlint.catalogue import Drop, Selector
from nanlint.cutting import asked, cut
from nanlint.finding import Confidence
from nanlint.graph import Apply, Value
from nanlint.study import Study


@dataclass(frozen=True)
class Hazard:
    """A selector, its dropped operand, and the proofs for the singular ops below it."""

    selector: Apply
    row: Selector
    drop: Drop | None
    operand: Value
    condition: Value
    proofs: tuple[Proof, ...]
    confidence: Confidence


def hazards(
    selector: Apply, a: Arithmetic, sinks: Sequence[Value] = (), budget: Budget | None = None
) -> list[Hazard]:
    """The hazards of one selector, one for each operand that it can drop; `sinks` are its function's results.

    Raises Exhausted if the `budget` is not enough.
    """
    found = (_hazard(case, a, sinks, budget) for case in cases(selector))
    return [hazard for hazard in found if hazard is not None]


def is_refuted(selector: Apply, a: Arithmetic, places: Collection[Place]) -> bool:
    """Whether the facts leave no hazard possible that a selector has from the ops at some places.

    A search in vain refutes nothing.
    """
    for case in cases(selector):
        for study in _studies(case, a, (), None):
            if study.targets.are_open(places):
                return False  # told without a candidate
            sites = {place for proof, _ in study.judged_proofs() for place in proof.places}
            if study.is_cut_off or not (sites | study.open_places).isdisjoint(places):
                return False
    return True


def left(selector: Apply, a: Arithmetic, *, strictly: bool) -> Iterator[tuple[Apply, Confidence]]:
    """The singular ops from which a selector still has a hazard; an unlikely overflow is one `strictly` only."""
    for proof, confidence in _met(selector, a):
        if strictly or proof.singular or confidence is not Confidence.LOW:
            yield proof.site, confidence


def _met(selector: Apply, a: Arithmetic) -> Iterator[tuple[Proof, Confidence]]:
    """What is found of a selector, in the order of the search."""
    for case in cases(selector):
        for study in _studies(case, a, (), None):
            yield from study.judged_proofs()


def _studies(case: Case, a: Arithmetic, sinks: Sequence[Value], budget: Budget | None) -> Iterator[Study]:
    """The search for a case, then the one that begins at the value that the condition asks about, if there is one."""
    study = Study(case, a, sinks, budget)
    yield study
    subject = asked(case)
    if subject is not None:
        yield Study(cut(case, subject, study.network), a, sinks, budget)


def _hazard(case: Case, a: Arithmetic, sinks: Sequence[Value], budget: Budget | None) -> Hazard | None:
    """The hazard of one case; where it is none or unlikely, the one of the second search, if that is likelier."""
    studies = _studies(case, a, sinks, budget)
    hazard = _made(case, next(studies))
    if hazard is not None and hazard.confidence is not Confidence.LOW:
        return hazard
    for study in studies:
        other = _made(case, study)
        if other is not None and other.confidence is not Confidence.LOW:
            return replace(other, confidence=Confidence.MEDIUM)
    return hazard


def _made(case: Case, study: Study) -> Hazard | None:
    """The hazard of a case by what a search finds; None for nothing."""
    found = study.found()
    return found and Hazard(case.selector, case.row, case.drop, case.operand, case.condition, *found)
