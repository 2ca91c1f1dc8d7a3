"""Bounds under the op: what a clamp cuts off anyway is kept away from the singular point before the op.

`x.log().clamp(min=-10)` becomes `x.clamp(min=1e-8).log().clamp(min=-10)`: the inner bound changes only what the
outer one drops, so that no value changes, and the gradient of what is dropped stays 0.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import SELECTORS
from nanlint.facts import Constraint
from nanlint.finding import Edit, Span
from nanlint.fixes.double_where import guarded, inserted
from nanlint.fixes.dropping import Replaced, is_dropped, is_dropped_anew
from nanlint.fixes.guards import ATOMS, Guard
from nanlint.fixes.own_region import Bounds, Poisoned, bounds, poisoned, substitutes
from nanlint.fixes.places import Places, is_simple
from nanlint.fixes.shapes import each_element
from nanlint.graph import Apply
from nanlint.hazards import Hazard
from nanlint.regions import Region
from nanlint.sites import called_name

_CLAMPS = {"clamp": ("min", "max"), "clip": ("min", "max"), "clamp_min": ("min",), "clamp_max": ("max",)}


def bounded(
    hazards: Sequence[Hazard], beside: Sequence[Apply], places: Places, a: Arithmetic
) -> Iterator[tuple[tuple[Edit, ...], tuple[Replaced, ...]]]:
    """Edits that bound the poisoned arguments just outside of their poison sets, the most usual bounds first.

    With each, what it replaces. `beside` are the selectors of the same call: a clamp with two bounds is two of them.
    """
    bad = {
        id(each.node): each
        for hazard in hazards
        for each in poisoned(hazard, (proof.site for proof in hazard.proofs), a)
    }
    choices = [list(_choices(each, beside, hazards[0], places, a)) for each in bad.values()]
    if not choices or not all(each_element(hazard) for hazard in hazards):
        return
    longest = max(map(len, choices))
    if all(choices):
        for turn in range(longest):
            made = [choice[min(turn, len(choice) - 1)] for choice in choices]
            edits = itertools.chain.from_iterable(edits for edits, _ in made)
            yield tuple(edits), tuple(itertools.chain.from_iterable(replaced for _, replaced in made))


def _choices(
    bad: Poisoned, beside: Sequence[Apply], hazard: Hazard, places: Places, a: Arithmetic
) -> Iterator[tuple[list[Edit], list[Replaced]]]:
    """What can be done about one argument, first what is right for inputs of any size."""
    for usually in (False, True):
        made = list(_made(bad, beside, hazard, places, a, usually=usually))
        if made:
            yield from made
            return


def _made(
    bad: Poisoned, beside: Sequence[Apply], hazard: Hazard, places: Places, a: Arithmetic, *, usually: bool
) -> Iterator[tuple[list[Edit], list[Replaced]]]:
    selector = hazard.selector.node
    selectors = [hazard.selector, *(one for one in beside if one.node is selector)]
    for bound in bounds(bad):
        replaced = [_replaced(bad, side, usually=usually) for side in bound.outside]
        ends = [end.value for end in (bound.low, bound.high) if end is not None]
        if all(_is_dropped(bad, one, selectors, a) for one in replaced) and (
            usually or all(is_dropped_anew(selectors, bad.site, bad.index, end, a) for end in ends)
        ):
            yield _clamped(bad.node, bound, places), replaced
    if selector is None or not is_simple(bad.node) or (bad.pole and not _is_one_sided(selectors)):
        return
    text = places.text(bad.node)
    point = f"{bad.poison.lo:g}"
    for number in substitutes(bad):
        if _is_dropped(bad, _replaced(bad, R.point(number.value), usually=usually), selectors, a):
            guard = Guard(f"{text} == {point}", False, frozenset())
            edits = inserted([guarded(bad.node, guard, number.text, selector, places)], places)
            given = _replaced(bad, bad.poison | R.point(number.value), usually=usually)
            # an infinity that is kept is to be seen: no number next to the pole is any better
            yield edits, [replace(given, usually=usually or not is_dropped(selectors, given, a))]


def _replaced(bad: Poisoned, region: Region, *, usually: bool) -> Replaced:
    return Replaced(bad.site, Constraint(bad.site.args[bad.index], region), usually)


def _is_dropped(bad: Poisoned, replaced: Replaced, selectors: Sequence[Apply], a: Arithmetic) -> bool:
    """Whether whatever an argument outside of its bounds gives is dropped, and so is what the bound gives.

    That is seldom so of an op with many poles: between two of them it takes every value.
    """
    # an infinity of the other sign stays one under a single bound: there is no value to lose
    outside = replaced.argument.region
    region = outside - bad.pole if _is_one_sided(selectors) else outside
    return is_dropped(selectors, replace(replaced, argument=Constraint(replaced.argument.value, region)), a)


def _is_one_sided(selectors: Sequence[Apply]) -> bool:
    return sum(len(SELECTORS[one.op].drops) for one in selectors) == 1


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
