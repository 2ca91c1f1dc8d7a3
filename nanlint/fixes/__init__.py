"""Fixes: text edits that make a hazard go away, offered only with evidence that nothing else changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import OPS
from nanlint.config import Config
from nanlint.finding import Applicability, Edit, Fix
from nanlint.fixes.asked import asked, by_own_values
from nanlint.fixes.attempt import Outcome, attempt
from nanlint.fixes.bounded import bounded
from nanlint.fixes.double_where import double_where
from nanlint.fixes.dropping import Replaced
from nanlint.fixes.elsewhere import helper_arguments, rebuilt
from nanlint.fixes.guards import guard_of, guards_of
from nanlint.fixes.index_first import index_first
from nanlint.fixes.indexed import indexed
from nanlint.fixes.library import library
from nanlint.fixes.places import Places
from nanlint.fixes.shapes import definition_fits, fits, is_wider
from nanlint.fixes.tensors import takes_tensors
from nanlint.graph import MOST_VALUES, Apply, closure
from nanlint.hazards import Hazard
from nanlint.lower import Unit

_FEWEST_CANDIDATES, _NODES_TRIED = 4, 600
"""How much is tried for one finding: each try analyses the selector again, which takes long for a large graph."""
Sites: TypeAlias = list[tuple[Apply, int]]
"""Singular ops and the indices of the arguments to guard."""


@dataclass(frozen=True)
class Candidate:
    """Edits to try, in which style, and whether what they insert certainly has a shape that fits."""

    style: str
    edits: tuple[Edit, ...] | None
    fits: bool
    lenient: bool = False
    """Whether what the selector drops may get another value; then it is never safe."""
    moves: bool = False
    """Whether the selector is given another operand."""
    replaced: tuple[Replaced, ...] = ()
    """The arguments that are given other values where the selector drops what comes of them."""


def offer(found: Sequence[Hazard], unit: Unit, places: Places, config: Config) -> Fix | None:
    """The fix of one finding, whose hazards are `found`; None where none can be shown to be right."""
    a = ARITHMETIC[config.dtype]
    unsafe: Fix | None = None
    size = len(closure((found[0].selector,), MOST_VALUES))
    most = max(_FEWEST_CANDIDATES, _NODES_TRIED // size)
    made = _candidates(found, unit.selectors, places, a, config.fix_style)
    candidates = (one for one in made if one.edits)
    for candidate in itertools.islice(candidates, most):
        how = _judged(candidate, found, unit, places, a) if candidate.edits else None
        if how is None or candidate.edits is None:
            continue
        fix = Fix(candidate.style, how, candidate.edits)
        if how is Applicability.SAFE:
            return fix
        unsafe = unsafe or fix
    return unsafe


def _judged(
    candidate: Candidate, found: Sequence[Hazard], unit: Unit, places: Places, a: Arithmetic
) -> Applicability | None:
    """How far a candidate can be trusted; None if it does not work."""
    edits = candidate.edits or ()
    worst = Outcome.SAME
    guards = candidate.style == "double-where" or found[0].row.family in (5, 6)
    for hazard in found:
        outcome = attempt(
            edits, hazard, unit, places, a, moves=candidate.moves, guards=guards, replaced=candidate.replaced
        )
        if outcome is Outcome.FAILED or (outcome is not Outcome.SAME and not candidate.lenient):
            return None
        worst = outcome if outcome is not Outcome.SAME else worst
    sure = candidate.fits and worst is Outcome.SAME and (candidate.moves or takes_tensors(found))
    return Applicability.SAFE if sure else Applicability.UNSAFE


def _candidates(
    found: Sequence[Hazard], selectors: Sequence[Apply], places: Places, a: Arithmetic, style: str
) -> Iterator[Candidate]:
    """What to try, the least intrusive first; the style that was asked for comes before all others.

    `selectors` are those of the whole function.
    """
    if style == "indexed":
        yield Candidate("indexed", indexed(found[0], places), True)
    first = found[0]
    yield Candidate("library", library(first, places), True)
    if first.row.family == 6:
        yield from (Candidate("ask-first", edits, True, told) for edits, told in asked(first, places, a))
    if first.row.family == 4:
        yield from (Candidate("index-first", edits, True, moves=True) for edits in index_first(first, places))
    if first.row.family == 5:
        for edits, replaced in bounded(found, selectors, places, a):
            yield Candidate("bound-first", edits, True, replaced=replaced)
        yield from (Candidate("ask-first", edits, True) for edits, _ in asked(first, places, a))
        return
    yield from _double_wheres(found, places, a)
    if len(found) == 1:
        yield from _elsewhere(first, places, a)


def _double_wheres(found: Sequence[Hazard], places: Places, a: Arithmetic) -> Iterator[Candidate]:
    for sites in _site_sets(found, a):
        if any(_is_count(hazard, own, places) for hazard, own in zip(found, sites, strict=True)):
            if len(found) == 1:
                yield from (
                    Candidate("double-where", edits, True) for edits in by_own_values(found[0], places, a)
                )
            continue
        for guards in zip(*(list(guards_of(hazard, places)) for hazard in found), strict=False):
            edits = double_where(list(zip(found, sites, strict=True)), guards, places)
            yield Candidate("double-where", edits, fits(list(zip(found, sites, guards, strict=True)), places))


def _is_count(hazard: Hazard, sites: Sites, places: Places) -> bool:
    """Whether an argument to guard counts the very elements that the guard speaks of."""
    guard = guard_of(hazard, places)
    return guard is not None and any(is_wider(guard, *pair, places) for pair in sites)


def _elsewhere(hazard: Hazard, places: Places, a: Arithmetic) -> Iterator[Candidate]:
    for (own,) in _site_sets([hazard], a):
        if _is_count(hazard, own, places):
            continue
        fit = all(definition_fits(site, places) for site, _ in own)
        yield Candidate("double-where", rebuilt(hazard, own, places), fit)
    for edits, narrow in helper_arguments(hazard, places):
        yield Candidate("double-where", edits, narrow)


def _site_sets(found: Sequence[Hazard], a: Arithmetic) -> Iterator[list[Sites]]:
    """The ops to guard, for each hazard: those with a proof, or else all that could be singular."""
    proven = [[pair for proof in hazard.proofs for pair in _poisoned(proof.site)] for hazard in found]
    yield proven
    everything = [[pair for site in _singular_below(hazard) for pair in _poisoned(site)] for hazard in found]
    if everything != proven:
        yield everything


def _poisoned(site: Apply) -> Sites:
    row = OPS[site.op]
    return [(site, index) for index, safe in enumerate(row.safe) if safe is not None and row.is_replaceable]


def _singular_below(hazard: Hazard) -> list[Apply]:
    order = closure((hazard.operand,), MOST_VALUES)
    return [value for value in order if isinstance(value, Apply) and OPS[value.op].singular]
