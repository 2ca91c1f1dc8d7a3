"""Bounds under the op: what a clamp cuts off anyway is kept away from the singular point before the op.

`x.log().clamp(min=-10)` becomes `x.clamp(min=1e-8).log().clamp(min=-10)`: the inner bound changes only what the
outer one drops, so that no value changes, and the gradient of what is dropped stays 0.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import SELECTORS
from nanlint.facts import Constraint, Network
from nanlint.finding import Edit, Span
from nanlint.fixes.double_where import guarded, inserted
from nanlint.fixes.guards import ATOMS, Guard, called_name
from nanlint.fixes.own_region import Bounds, Poisoned, bounds, poisoned, substitutes
from nanlint.fixes.places import Places, is_simple
from nanlint.fixes.shapes import each_element
from nanlint.graph import MOST_VALUES, closure
from nanlint.hazards import Hazard
from nanlint.regions import Region

_CLAMPS = {"clamp": ("min", "max"), "clip": ("min", "max"), "clamp_min": ("min",), "clamp_max": ("max",)}


def bounded(hazards: list[Hazard], places: Places, a: Arithmetic) -> Iterator[tuple[Edit, ...]]:
    """Edits that bound the poisoned arguments just outside of their poison sets, the most usual bounds first."""
    bad = {
        id(each.node): each
        for hazard in hazards
        for each in poisoned(hazard, (proof.site for proof in hazard.proofs), a)
    }
    choices = [list(_choices(each, hazards, places, a)) for each in bad.values()]
    if not choices or not all(each_element(hazard) for hazard in hazards):
        return
    longest = max(map(len, choices))
    if all(choices):
        for turn in range(longest):
            edits = [choice[min(turn, len(choice) - 1)] for choice in choices]
            yield tuple(itertools.chain.from_iterable(edits))


def _choices(bad: Poisoned, hazards: list[Hazard], places: Places, a: Arithmetic) -> Iterator[list[Edit]]:
    for bound in bounds(bad):
        if all(any(_drops(hazard, bad, side, a) for hazard in hazards) for side in bound.outside):
            yield _clamped(bad.node, bound, places)
    selector = hazards[0].selector.node
    if selector is None or not is_simple(bad.node):
        return
    text = places.text(bad.node)
    point = f"{bad.poison.lo:g}"
    for number in substitutes(bad):
        guard = Guard(f"{text} == {point}", False, frozenset())
        yield inserted([guarded(bad.node, guard, number, selector, places)], places)


def _drops(hazard: Hazard, bad: Poisoned, outside: Region, a: Arithmetic) -> bool:
    """Whether it is proven that the selector drops whatever an argument outside of its bounds gives.

    That is seldom so of an op with many poles: between two of them it takes every value.
    """
    if hazard.drop is None:
        return False
    network = Network(closure((hazard.selector,), MOST_VALUES), a)
    facts = network.solve(())
    if facts is None:
        return False
    args = hazard.selector.args
    kept = facts.of(args[hazard.drop.by])
    for drop in SELECTORS[hazard.selector.op].drops:
        if (drop.operand, drop.by) == (hazard.drop.operand, hazard.drop.by):
            kept -= drop.where(tuple(facts.of(arg) for arg in args))
    selected = Constraint(args[hazard.drop.by], kept)
    return network.solve([selected, Constraint(bad.site.args[bad.index], outside - bad.pole)]) is None


def _clamped(node: ast.expr, bound: Bounds, places: Places) -> list[Edit]:
    """The argument with a clamp behind it, or with its own clamp's bound moved outwards."""
    own = _own_bounds(node, places)
    wanted = {side: one.text for side, one in (("min", bound.low), ("max", bound.high)) if one is not None}
    if own and wanted.keys() <= own.keys():
        return [Edit(places.source.span(own[side]), text) for side, text in wanted.items()]
    words = ", ".join(f"{side}={text}" for side, text in wanted.items())
    outer = places.outer_span(node)
    bare = isinstance(node, ATOMS) or outer != places.source.span(node)
    opened, closed = ("", "") if bare else ("(", ")")
    return [
        Edit(Span(outer.start, outer.start), opened),
        Edit(Span(outer.end, outer.end), f"{closed}.clamp({words})"),
    ]


def _own_bounds(node: ast.expr, places: Places) -> dict[str, ast.expr]:
    """The literal bounds of an argument that is a clamp already."""
    if not isinstance(node, ast.Call) or called_name(node).rstrip("_") not in _CLAMPS:
        return {}
    sides = _CLAMPS[called_name(node).rstrip("_")]
    found = dict(zip(sides, node.args if places.is_method(node) else node.args[1:], strict=False))
    found |= {word.arg: word.value for word in node.keywords if word.arg in sides}
    return {side: value for side, value in found.items() if isinstance(value, (ast.Constant, ast.UnaryOp))}
