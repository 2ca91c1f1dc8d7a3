"""From a source to its findings: the whole pipeline for one file."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nanlint.arithmetic import ARITHMETIC, DTYPES, Arithmetic
from nanlint.aside import Purpose
from nanlint.assume import Reading, reading
from nanlint.budget import Budget, Exhausted
from nanlint.callers import Lower, Suspect, unconfirmed
from nanlint.cases import Scene
from nanlint.config import UNANALYSABLE, UNDROPPED, UNUSED_ASSUMPTION, Config
from nanlint.finding import Confidence, Finding, Fix, Span
from nanlint.fixes import offer
from nanlint.fixes.advice import advice, instead
from nanlint.fixes.places import Places
from nanlint.graph import Apply
from nanlint.hazards import Hazard, hazards
from nanlint.lower import ModuleLowering, Unit, lower
from nanlint.messages import describe
from nanlint.source import START, Source
from nanlint.triage import EVERYTHING, Worth, examined, mentions_torch

if TYPE_CHECKING:
    from nanlint.assume.stated import Refuted
    from nanlint.confirm.experiment import Experiment

    Observe: TypeAlias = Callable[[Scene, Hazard | None, Fix | None, Unit, Places, Config], Experiment]
    """Makes of a proof, the hazard that it is of and the fix what torch is to be asked."""


def analyse(
    source: Source,
    config: Config,
    observe: Observe | None = None,
    *,
    worth: Worth | None = None,
    fixes: bool = True,
) -> list[Finding]:
    """All findings of a source, of every code and confidence, in no particular order.

    With `observe`, each hazard carries its experiment; without `fixes`, findings come without. `worth` is what triage
    has left of the file, found out here if it is None; with `EVERYTHING` the analysis takes longer and finds the same.
    Raises AnalysisError where the text does not parse, RecursionError where it is nested too deeply.
    """
    worth = examined(source, config) if worth is None else worth
    if worth is None or not mentions_torch(source.text):
        return []
    found, read, refuted = _analysed(source, config, worth, observe=observe, fixes=fixes)
    if not (read.stated or read.unreadable or refuted):
        return found
    from nanlint.assume import verdicts  # here: few files assume anything

    told = [*found, *verdicts.wrong(read, refuted, source)]
    if config.selects(UNUSED_ASSUMPTION):
        told += verdicts.unused(
            read,
            refuted,
            found,
            lambda index: _analysed(source, config, EVERYTHING, (index,), fixes=fixes)[0],
            source.path,
        )
    return told


def _analysed(
    source: Source,
    config: Config,
    worth: Worth,
    without: Collection[int] = (),
    observe: Observe | None = None,
    *,
    fixes: bool = True,
) -> tuple[list[Finding], Reading, Collection[Refuted]]:
    """The hazards of a source, how it was read, and the assumptions that it contradicts; `without` some of them."""
    read = reading(source.text, config.assume, without, worth.tree)
    places = Places(source, read.tree)
    found: list[Finding] = []
    refuted: dict[object, Refuted] = {}
    budget = Budget(len(source.lines))
    lowered = partial(
        lower,
        read.tree,
        source.text,
        DTYPES[config.dtype],
        source.path,
        config.assume,
        budget=budget,
        by_position=config.looks_at_positions,
    )
    called: dict[int, Suspect] = {}
    lowering: ModuleLowering | None = None
    purpose = Purpose(source, places, read.tree)
    for unit in lowered(wanted=worth.wanted):
        try:
            for finding, scene, of in _all_findings(unit, places, config, budget, fixes, purpose):
                suspect = _suspect(finding, of, unit)
                if suspect is not None:
                    called[len(found)] = suspect
                hazard = of[0] if of else None
                asked = None if observe is None else observe(scene, hazard, finding.fix, unit, places, config)
                found.append(finding if asked is None else replace(finding, experiment=asked))
        except Exhausted:
            found.append(_given_up(unit, places))
        lowering = unit.lowering
        refuted |= lowering.refuted
        if budget.is_spent:
            break
    for index in _unconfirmed(called, read.tree, ARITHMETIC[config.dtype], lowered):
        found[index] = replace(found[index], confidence=Confidence.LOW)
    if lowering is not None:
        lowering.forget()
    return _distinct(found), read, refuted.values()


def _suspect(finding: Finding, of: Sequence[Hazard], unit: Unit) -> Suspect | None:
    """What the callers of a function are asked about: a selector's likely hazards in it; None for anything else."""
    if not of or of[0].selector in unit.within or finding.confidence is Confidence.LOW:
        return None
    if not isinstance(unit.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    likely = [hazard for hazard in of if hazard.confidence is not Confidence.LOW]
    places = frozenset(place for hazard in likely for proof in hazard.proofs for place in proof.places)
    return Suspect(unit.node, of[0].selector, places)


def _unconfirmed(
    called: Mapping[int, Suspect], tree: ast.Module, a: Arithmetic, lowered: Lower
) -> Collection[int]:
    """Which findings in functions their callers in the file know to be none."""
    try:
        return unconfirmed(called, tree, a, lowered)
    except Exhausted:
        return ()


def _weighed(finding: Finding, unit: Unit, found: Sequence[Hazard], purpose: Purpose) -> Finding:
    """The finding, unlikely if its code is there for something else, or if nobody in the project wants a gradient."""
    if finding.confidence is Confidence.LOW:
        return finding
    apart = purpose.is_aside(unit, found) or purpose.is_unwanted(finding.span.start.line)
    return replace(finding, confidence=Confidence.LOW) if apart else finding


def _given_up(unit: Unit, places: Places) -> Finding:
    """What is told of a function that takes more steps than may be spent on it."""
    source = places.source
    at = START if isinstance(unit.node, ast.Module) else source.span(unit.node).start
    what = f"`{unit.node.name}`" if isinstance(unit.node, ast.FunctionDef) else "this"
    message = f"could not be analysed: {what} takes more than a function of its length is worth"
    return Finding(UNANALYSABLE, source.path, Span(at, at), message, Confidence.HIGH)


_Found: TypeAlias = tuple[Finding, Scene, Sequence[Hazard]]


def _all_findings(
    unit: Unit, places: Places, config: Config, budget: Budget, fixes: bool, purpose: Purpose
) -> Iterator[_Found]:
    """All that is found in a unit, unlikely if that is there for something else; Exhausted if it takes too long."""
    if unit.exhausted:
        raise Exhausted
    told: set[ast.AST | None] = set()
    for selector in unit.selectors:
        found = _told_first(hazards(selector, ARITHMETIC[config.dtype], unit.sinks, budget))
        by_position = selector.number in unit.positional
        if by_position:
            found = _without(found, told)
        if found:
            told.update(proof.site.node for hazard in found for proof in hazard.proofs)
            finding = _weighed(describe(found, places.source, config), unit, found, purpose)
            finding = replace(finding, by_position=True) if by_position else finding
            finding = _mended(finding, found, unit, places, config) if fixes else finding
            yield finding, Scene(found[0].proofs[0], [selector]), found
    yield from _within(unit, places, config, budget, purpose)
    for finding, scene in _undropped(unit, places, config):
        yield _weighed(finding, unit, (), purpose), scene, ()


def _within(unit: Unit, places: Places, config: Config, budget: Budget, purpose: Purpose) -> Iterator[_Found]:
    """What functions that a unit calls drop of what it has computed; no fix knows the names of both.

    What they compute themselves is found where they are analysed.
    """
    if unit.within:
        budget.begin_aside()
    for selector in unit.within:
        try:
            every = hazards(selector, ARITHMETIC[config.dtype], unit.sinks, budget)
        except Exhausted:
            return
        found = _told_first(_handed(every, unit, places))
        if found:
            finding = _weighed(describe(found, places.source, config), unit, found, purpose)
            yield finding, Scene(found[0].proofs[0], [selector]), found


def _handed(found: Iterable[Hazard], unit: Unit, places: Places) -> list[Hazard]:
    """Hazards without what is poisoned in the function that holds the selector, unless a unit has told it to."""
    kept = []
    for hazard in found:
        home = _home(hazard.selector, places)
        proofs = tuple(
            proof
            for proof in hazard.proofs
            if proof.site.number in unit.dispatched or _home(proof.site, places) is not home
        )
        kept += [replace(hazard, proofs=proofs)] if proofs else []
    return kept


def _without(found: Iterable[Hazard], told: Collection[ast.AST | None]) -> list[Hazard]:
    """Hazards by position without the singular ops that are told already: of each, one such finding is enough."""
    kept = []
    for hazard in found:
        proofs = tuple(proof for proof in hazard.proofs if proof.site.node not in told)
        kept += [replace(hazard, proofs=proofs, confidence=Confidence.LOW)] if proofs else []
    return kept


def _home(value: Apply, places: Places) -> ast.AST | None:
    """The function that holds an op."""
    return None if value.node is None else places.function(value.node)


def _mended(finding: Finding, found: list[Hazard], unit: Unit, places: Places, config: Config) -> Finding:
    """A finding with its fix, or with what to do by hand; as it is where it is not shown."""
    if not config.shows(finding):
        return finding
    likely = [hazard for hazard in found if hazard.confidence is not Confidence.LOW]
    wanted = found if config.confidence is Confidence.LOW else likely
    fix = offer(wanted, unit, places, config) if _is_affordable(unit, places) else None
    note = advice(wanted[0], places) if fix is None else instead(fix.style, config.fix_style)
    return replace(finding, fix=fix, note=note)


_MOST_RELOWERED, _MOST_A_LINE = 5_000, 20
"""Lines of functions that are lowered again to try out fixes: so many in any file, and so many for each of its own."""


def _is_affordable(unit: Unit, places: Places) -> bool:
    """Whether another fix may be tried: for many findings in one long function that would take forever."""
    return unit.lowering.relowered <= _MOST_RELOWERED + _MOST_A_LINE * len(places.source.lines)


def _undropped(unit: Unit, places: Places, config: Config) -> Iterator[tuple[Finding, Scene]]:
    """The findings that are about no dropped operand; they cost nothing where none is selected."""
    if any(map(config.selects, UNDROPPED)):
        from nanlint import unselected  # here: few runs ask for it

        yield from unselected.find(unit, places, config)


def _told_first(found: list[Hazard]) -> list[Hazard]:
    """Both sides of one selector make one finding; a singular point is told before an overflow."""
    return sorted(
        found, key=lambda hazard: (hazard.confidence is Confidence.LOW, not hazard.proofs[0].singular)
    )


def _distinct(found: list[Finding]) -> list[Finding]:
    """One finding for each place and code: a loop body or a closure may be seen more than once.

    What begins at one place and reads the same is one too: of a product of several factors each step is a product.
    """
    kept: dict[tuple[object, str], Finding] = {}
    for finding in found:
        key = (finding.span, finding.code)
        if key not in kept or _order(finding) < _order(kept[key]):
            kept[key] = finding
    said: dict[tuple[object, str, str], Finding] = {}
    for finding in kept.values():
        said.setdefault((finding.span.start, finding.code, finding.message), finding)
    return list(said.values())


def _order(finding: Finding) -> tuple[int, bool]:
    """Findings of one place in the order in which they are told: the surest first, and of these one with a fix."""
    return finding.confidence.rank, finding.fix is None
