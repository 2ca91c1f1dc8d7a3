"""Bounds under the op: what a clamp cuts off anyway is kept away from the singular point before the op.

`x.log().clamp(min=-10)` becomes `x.clamp(min=1e-8).log().clamp(min=-10)`: the inner bound changes only what the
outer one drops, so that no value changes, and the gradient of what is dropped stays 0.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from nanlint.arithmetic import Arithmetic
from nanlint.finding import Edit, Span
from nanlint.fixes.double_where import guarded, inserted
from nanlint.fixes.guards import ATOMS, Guard, called_name
from nanlint.fixes.own_region import Bounds, Poisoned, bounds, poisoned, substitutes
from nanlint.fixes.places import Places, is_simple
from nanlint.fixes.shapes import each_element
from nanlint.hazards import Hazard

_CLAMPS = {"clamp": ("min", "max"), "clip": ("min", "max"), "clamp_min": ("min",), "clamp_max": ("max",)}


def bounded(hazards: list[Hazard], places: Places, a: Arithmetic) -> Iterator[tuple[Edit, ...]]:
    """Edits that bound the poisoned arguments just outside of their poison sets, the most usual bounds first."""
    bad = {
        id(each.node): each
        for hazard in hazards
        for each in poisoned(hazard, (proof.site for proof in hazard.proofs), a)
    }
    choices = [list(_choices(each, hazards[0], places)) for each in bad.values()]
    if not choices or not all(each_element(hazard) for hazard in hazards):
        return
    longest = max(map(len, choices))
    if all(choices):
        for turn in range(longest):
            edits = [choice[min(turn, len(choice) - 1)] for choice in choices]
            yield tuple(itertools.chain.from_iterable(edits))


def _choices(bad: Poisoned, hazard: Hazard, places: Places) -> Iterator[list[Edit]]:
    for bound in bounds(bad):
        yield _clamped(bad.node, bound, places)
    selector = hazard.selector.node
    if selector is None or not is_simple(bad.node):
        return
    text = places.text(bad.node)
    point = f"{bad.poison.lo:g}"
    for number in substitutes(bad):
        guard = Guard(f"{text} == {point}", False, frozenset())
        yield inserted([guarded(bad.node, guard, number, selector, places)], places)


def _clamped(node: ast.expr, bound: Bounds, places: Places) -> list[Edit]:
    """The argument with a clamp behind it, or with its own clamp's bound moved outwards."""
    own = _own_bounds(node, places)
    wanted = {"min": bound.low, "max": bound.high}
    wanted = {side: text for side, text in wanted.items() if text}
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
