"""Proof that a selector drops whatever comes of a replaced argument: then a fix may give it another value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import OPS, SELECTORS, Drop
from nanlint.facts import Constraint, Facts, Network
from nanlint.graph import MOST_VALUES, Apply, closure
from nanlint.regions import Region


@dataclass(frozen=True)
class Replaced:
    """An argument of an op that a fix gives another value, and where: what the old and the new values lie in."""

    site: Apply
    argument: Constraint
    usually: bool = False
    """Whether what comes of it is dropped for inputs of a usual size only: then the fix is not safe."""


def replaces_nan(replaced: Replaced) -> bool:
    """Whether the op may have given nan where it now gives a number."""
    argument = replaced.argument
    regions = [argument.region if arg is argument.value else R.FINITE for arg in replaced.site.args]
    return OPS[replaced.site.op].undefined(*regions)


def dropped_operands(selector: Apply, replaced: Sequence[Replaced], a: Arithmetic) -> Iterator[int]:
    """The operands in which nothing but what the selector drops has changed."""
    row = SELECTORS.get(selector.op)
    for at in {drop.operand for drop in row.drops if drop.by == drop.operand} if row and replaced else ():
        inside = closure((selector.args[at],), MOST_VALUES)
        changed = [one for one in replaced if one.site in inside]
        if changed and all(is_dropped([selector], one, a) for one in changed):
            yield at


def is_dropped(selectors: Sequence[Apply], replaced: Replaced, a: Arithmetic) -> bool:
    """Whether it is proven that one of the selectors drops what the op gives for the values that are replaced.

    It has to be so in float64 too, where less is lost to rounding.
    """
    arithmetics = (a, ARITHMETIC["float64"])
    return all(any(_drops(one, replaced, each) for one in selectors) for each in arithmetics)


def _drops(selector: Apply, replaced: Replaced, a: Arithmetic) -> bool:
    network = Network(closure((selector,), MOST_VALUES), a)
    facts = network.solve(()) if replaced.usually else network.unlimited()
    return facts is not None and _is_never_kept(selector, replaced.site, network, facts, replaced.argument)


def _is_never_kept(selector: Apply, site: Apply, network: Network, facts: Facts, *known: Constraint) -> bool:
    """Whether one and the same drop, by the value of an operand that a site is in, happens under all that is known."""
    regions = tuple(facts.of(arg) for arg in selector.args)
    for drop in SELECTORS[selector.op].drops:
        operand = selector.args[drop.operand]
        if drop.by == drop.operand and site in closure((operand,), MOST_VALUES):
            kept = Constraint(operand, regions[drop.by] - _certain(drop, regions))
            if network.solve([kept, *known], facts) is None:
                return True
    return False


def is_dropped_anew(selectors: Sequence[Apply], site: Apply, index: int, at: float, a: Arithmetic) -> bool:
    """Whether one of the selectors drops what `site` gives with a number for an argument.

    Whatever the argument itself may be: it may be read elsewhere, too, where it is not replaced.
    """
    arithmetics = (a, ARITHMETIC["float64"])
    return all(any(_drops_anew(one, site, index, at, each) for one in selectors) for each in arithmetics)


def _drops_anew(selector: Apply, site: Apply, index: int, at: float, a: Arithmetic) -> bool:
    order = closure((selector,), MOST_VALUES)
    whole = Network(order, a).unlimited()
    arguments = [R.point(at) if i == index else whole.of(arg) for i, arg in enumerate(site.args)]
    given = OPS[site.op].image(a, *arguments)
    network = Network([value for value in order if value.number != site.number], a)
    return _is_never_kept(selector, site, network, network.unlimited({site.number: given}))


def _certain(drop: Drop, regions: tuple[Region, ...]) -> Region:
    """The values of an operand that are dropped whatever the others are: what decides is an end of their regions."""
    certain = R.ALL
    for end in (_lowest, _highest):
        others = tuple(
            own if at == drop.operand else end(own) if own else own for at, own in enumerate(regions)
        )
        certain &= drop.where(others)
    return certain


def _lowest(region: Region) -> Region:
    return R.point(region.lo)


def _highest(region: Region) -> Region:
    return R.point(region.hi)
