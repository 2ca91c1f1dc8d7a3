"""From a source to its findings: the whole pipeline for one file."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.arithmetic import ARITHMETIC, DTYPES
from nanlint.config import Config
from nanlint.finding import Finding
from nanlint.hazards import Hazard, hazards
from nanlint.lower import Unit, lower
from nanlint.messages import describe
from nanlint.source import Source, parse


def analyse(source: Source, config: Config) -> list[Finding]:
    """All findings of a source, of every code and confidence, in no particular order.

    Raises AnalysisError where the text does not parse, RecursionError where it is nested too deeply.
    """
    if "torch" not in source.text:
        return []
    tree = parse(source.text)
    found: list[Finding] = []
    for unit in lower(tree, source.text, DTYPES[config.dtype]):
        found.extend(_findings(unit, source, config))
    return _distinct(found)


def _findings(unit: Unit, source: Source, config: Config) -> Iterator[Finding]:
    for selector in unit.selectors:
        found = hazards(selector, ARITHMETIC[config.dtype])
        if found:
            yield describe(_told_first(found), source, config)


def _told_first(found: list[Hazard]) -> list[Hazard]:
    """Both sides of one selector make one finding; a singular point is told before an overflow."""
    return sorted(found, key=lambda hazard: (not hazard.proofs[0].singular, hazard.confidence.rank))


def _distinct(found: list[Finding]) -> list[Finding]:
    """One finding for each place and code: a loop body or a closure may be seen more than once."""
    kept: dict[tuple[object, str], Finding] = {}
    for finding in found:
        key = (finding.span, finding.code)
        if key not in kept or finding.confidence.rank < kept[key].confidence.rank:
            kept[key] = finding
    return list(kept.values())
