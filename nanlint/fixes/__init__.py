"""Fixes: text edits that make a hazard go away, offered only with evidence that nothing else changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import OPS
from nanlint.config import Config
from nanlint.finding import Applicability, Fix
from nanlint.fixes.attempt import succeeds
from nanlint.fixes.double_where import double_where
from nanlint.fixes.indexed import indexed
from nanlint.fixes.places import Places
from nanlint.fixes.shapes import elementwise_path
from nanlint.graph import Apply, closure
from nanlint.hazards import MOST_VALUES, Hazard
from nanlint.lower import Unit


def offer(found: Sequence[Hazard], unit: Unit, places: Places, config: Config) -> Fix | None:
    """The fix of one finding, whose hazards are `found`; None where none can be shown to be right."""
    a = ARITHMETIC[config.dtype]
    if config.fix_style == "indexed":
        edits = indexed(found[0], places)
        if edits is not None and succeeds(edits, found[0], unit, places, a):
            return Fix("indexed", Applicability.SAFE, edits)
    for sites in _site_sets(found, a):
        edits = double_where(list(zip(found, sites, strict=True)), places)
        if edits is not None and all(succeeds(edits, hazard, unit, places, a) for hazard in found):
            return Fix("double-where", _applicability(found, sites, places), edits)
    return None


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


def _applicability(
    found: Sequence[Hazard], sites: Sequence[Sequence[tuple[Apply, int]]], places: Places
) -> Applicability:
    """Safe where every guard certainly has a shape that fits."""
    fits = all(
        isinstance(site.node, ast.AST)
        and hazard.selector.node is not None
        and elementwise_path(site.node, hazard.selector.node, places)
        for hazard, own in zip(found, sites, strict=True)
        for site, _ in own
    )
    return Applicability.SAFE if fits else Applicability.UNSAFE
