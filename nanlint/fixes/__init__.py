"""Fixes: text edits that make a hazard go away, offered only with evidence that nothing else changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from nanlint.arithmetic import ARITHMETIC
from nanlint.config import Config
from nanlint.finding import Applicability, Fix
from nanlint.fixes.attempt import Outcome, attempt, worst_of
from nanlint.fixes.candidates import Candidate, Task, candidates
from nanlint.fixes.evidence import Rigour
from nanlint.fixes.places import Places
from nanlint.fixes.readers import has_other_readers
from nanlint.fixes.settings import rests_on_settings
from nanlint.fixes.tensors import takes_tensors
from nanlint.graph import MOST_VALUES, Kind, closure
from nanlint.hazards import Hazard
from nanlint.lower import Unit

_FEWEST_CANDIDATES, _NODES_TRIED = 4, 600
"""How much is tried for one finding: each try analyses the selector again, which takes long for a large graph."""


def offer(found: list[Hazard], unit: Unit, places: Places, config: Config) -> Fix | None:
    """The fix of one finding, whose hazards are `found`; None where none can be shown to be right.

    It is in the style that the configuration asks for if there is one that is safe.
    """
    if any(hazard.drop is None and hazard.condition.kind is Kind.NUMBER for hazard in found):
        return None  # `float(count > 0) * x`: torch asks for a tensor of booleans
    task = Task(found, unit.selectors, places, ARITHMETIC[config.dtype])
    size = len(closure((found[0].selector,), MOST_VALUES))
    most = max(_FEWEST_CANDIDATES, _NODES_TRIED // size)
    made = itertools.islice((one for one in candidates(task, config.fix_style) if one.edits), most)
    rest: list[Candidate] = []
    fix = _first(made, task, unit, rest)
    if fix is not None and fix.applicability is Applicability.SAFE:
        return fix
    return _first(rest, task, unit) or fix


def _first(
    made: Iterable[Candidate], task: Task, unit: Unit, rest: list[Candidate] | None = None
) -> Fix | None:
    """The first candidate that is safe, else the first that works.

    Those that would leave an unlikely hazard are put into `rest`; without that they count as good.
    """
    unsafe: Fix | None = None
    for candidate in made:
        outcome = _outcome(candidate, task, unit, tolerant=rest is None)
        if rest is not None and outcome is Outcome.LEAVES_UNLIKELY:
            rest.append(candidate)
        how = _judged(candidate, outcome, task)
        if how is None or (candidate.only_safe and how is not Applicability.SAFE):
            continue
        fix = Fix(candidate.style, how, candidate.edits or ())
        if how is Applicability.SAFE:
            return fix
        unsafe = unsafe or fix
    return unsafe


def _rigour(candidate: Candidate, task: Task) -> Rigour:
    """What is held against what it was: where something asks what is finite, that too."""
    if candidate.only_safe:
        return Rigour.EXACT
    asks = task.first.row.family == 6 or candidate.style == "ask-first"
    return Rigour.INFINITE if asks else Rigour.FINITE


def _outcome(candidate: Candidate, task: Task, unit: Unit, *, tolerant: bool) -> Outcome:
    """The worst of what a candidate makes of the hazards."""
    guards = candidate.guards or task.first.row.family in (5, 6)
    return worst_of(
        attempt(
            candidate.edits or (),
            hazard,
            unit,
            task.places,
            task.a,
            moves=candidate.moves,
            guards=guards,
            replaced=candidate.replaced,
            mended={one.drop.operand for one in task.found if one.drop is not None},
            rigour=_rigour(candidate, task),
            tolerant=tolerant,
        )
        for hazard in task.found
    )


def _judged(candidate: Candidate, worst: Outcome, task: Task) -> Applicability | None:
    """How far a candidate of this outcome can be trusted; None if it does not work."""
    if worst in (Outcome.FAILED, Outcome.LEAVES_UNLIKELY):
        return None
    if worst is Outcome.SAME_WHERE_KEPT and not candidate.lenient:
        return None
    sure = candidate.fits and worst is Outcome.SAME and (candidate.moves or takes_tensors(task.found))
    if sure and task.first.row.family == 5:
        sure = not any(rests_on_settings(hazard, task.places, told=candidate.told) for hazard in task.found)
    edits = candidate.edits or ()
    if sure and any(has_other_readers(hazard, edits, task.places) for hazard in task.found):
        sure = False
    return Applicability.SAFE if sure else Applicability.UNSAFE
