"""Fixes: text edits that make a hazard go away, offered only with evidence that nothing else changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import OPS
from nanlint.config import Config
from nanlint.finding import Applicability, Edit, Fix
from nanlint.fixes.attempt import succeeds
from nanlint.fixes.double_where import double_where
from nanlint.fixes.elsewhere import helper_arguments, rebuilt
from nanlint.fixes.indexed import indexed
from nanlint.fixes.places import Places
from nanlint.fixes.shapes import elementwise, elementwise_path
from nanlint.graph import MOST_VALUES, Apply, closure
from nanlint.hazards import Hazard
from nanlint.lower import Unit


def offer(found: Sequence[Hazard], unit: Unit, places: Places, config: Config) -> Fix | None:
    """The fix of one finding, whose hazards are `found`; None where none can be shown to be right."""
    a = ARITHMETIC[config.dtype]
    if config.fix_style == "indexed":
        edits = indexed(found[0], places)
        if edits is not None and succeeds(edits, found[0], unit, places, a):
            return Fix("indexed", Applicability.SAFE, edits)
    for edits, fits in _candidates(found, places, a):
        if all(succeeds(edits, hazard, unit, places, a) for hazard in found):
            return Fix("double-where", Applicability.SAFE if fits else Applicability.UNSAFE, edits)
    return None


_Sites: TypeAlias = list[list[tuple[Apply, int]]]


def _candidates(
    found: Sequence[Hazard], places: Places, a: Arithmetic
) -> Iterator[tuple[tuple[Edit, ...], bool]]:
    """Edits to try, the least intrusive first, and whether the guard certainly has a shape that fits."""
    for sites in _site_sets(found, a):
        edits = double_where(list(zip(found, sites, strict=True)), places)
        if edits is not None:
            yield edits, _fits(found, sites, places)
    if len(found) == 1:
        own = [pair for proof in found[0].proofs for pair in _poisoned(proof.site)]
        edits = rebuilt(found[0], own, places)
        if edits:
            yield edits, all(_elementwise_definition(site, places) for site, _ in own)
        yield from helper_arguments(found[0], places)


def _site_sets(found: Sequence[Hazard], a: Arithmetic) -> Iterator[list[list[tuple[Apply, int]]]]:
    """The ops to guard, for each hazard: those with a proof, or else all that could be singular."""
    proven = [[pair for proof in hazard.proofs for pair in _poisoned(proof.site)] for hazard in found]
    yield proven
    everything = [[pair for site in _singular_below(hazard) for pair in _poisoned(site)] for hazard in found]
    if everything != proven:
        yield everything


def _poisoned(site: Apply) -> list[tuple[Apply, int]]:
    return [(site, index) for index, safe in enumerate(OPS[site.op].safe) if safe is not None]


def _singular_below(hazard: Hazard) -> list[Apply]:
    order = closure((hazard.operand,), MOST_VALUES)
    return [value for value in order if isinstance(value, Apply) and OPS[value.op].singular]


def _fits(found: Sequence[Hazard], sites: _Sites, places: Places) -> bool:
    """Whether everything between the guarded ops and their selector is elementwise."""
    return all(
        isinstance(site.node, ast.AST)
        and hazard.selector.node is not None
        and elementwise_path(site.node, hazard.selector.node, places)
        for hazard, own in zip(found, sites, strict=True)
        for site, _ in own
    )


def _elementwise_definition(site: Apply, places: Places) -> bool:
    definition = places.statement(site.node) if site.node is not None else None
    return isinstance(definition, ast.Assign) and elementwise(definition.value)
