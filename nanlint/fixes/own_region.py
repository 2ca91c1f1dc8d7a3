"""Where the argument of a singular op is poisoned, said of the argument itself: `x > 0`, or a bound just outside."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import OPS
from nanlint.facts import Constraint, Network
from nanlint.graph import MOST_VALUES, Apply, closure
from nanlint.hazards import Hazard
from nanlint.plausibility import constant_of
from nanlint.regions import Interval, Region
from nanlint.sites import argument_node

_FAR, _SOMEWHERE = 50.0, 0.37
"""Where an interval without end is cut off, and a place within one at which nothing is special."""
_STEPS = (1e-8, 1e-6, 1e-12, 1e-16, 1e-20, 1e-30)
"""How far outside of a poison set a bound may lie, the most usual first; relative to the set's end if that is not 0."""
_LARGE = 1e30
"""A number beyond this is where an op overflows in one dtype, and in another one it does not."""
_ROUND = (80.0, 50.0, 20.0, 10.0, 5.0, 3.0, 2.0)
"""Plain numbers for bounds against overflow."""


@dataclass(frozen=True)
class Poisoned:
    """An argument of a singular op as written, the values it may have, and those of them at which it is poisoned."""

    site: Apply
    index: int
    node: ast.expr
    region: Region
    poison: Region

    @property
    def kept(self) -> Region:
        """The values at which nothing is singular."""
        return self.region - self.poison

    @property
    def is_coarse(self) -> bool:
        """Whether the poison set stands for many poles, with values between them that may be selected."""
        inner = [
            max(part.lo, -_FAR) + _SOMEWHERE * (min(part.hi, _FAR) - max(part.lo, -_FAR))
            for part in self.poison.intervals
            if not part.is_point and part.lo < _FAR and part.hi > -_FAR
        ]
        return not OPS[self.site.op].overflows and any(math.isfinite(self.value_at(point)) for point in inner)

    @property
    def pole(self) -> Region:
        """The single points at which the op is infinite."""
        points = [part.lo for part in self.poison.intervals if part.is_point]
        return R.point(*(point for point in points if math.isinf(self.value_at(point))))

    def value_at(self, point: float) -> float:
        """The op at an argument; the other arguments are what they are if they are constant, else 0."""
        args = [point if i == self.index else constant_of(arg) for i, arg in enumerate(self.site.args)]
        return OPS[self.site.op].value(ARITHMETIC["float64"], *args)

    @property
    def below(self) -> bool:
        """Whether every poisoned value is smaller than every other."""
        return bool(self.kept) and self.poison.hi <= self.kept.lo

    @property
    def above(self) -> bool:
        """Whether every poisoned value is larger than every other."""
        return bool(self.kept) and self.poison.lo >= self.kept.hi


def poisoned(hazard: Hazard, sites: Iterable[Apply], a: Arithmetic) -> list[Poisoned]:
    """The arguments of `sites` that can be poisoned; those that are not written are left out."""
    order = closure((hazard.operand, hazard.selector), MOST_VALUES)
    path = [Constraint(p.condition, R.NONZERO if p.truth else R.ZERO) for p in hazard.selector.path]
    facts = Network(order, a).solve(path)
    if facts is None:
        return []
    found: dict[int, Poisoned] = {}
    for site in sites:
        row = OPS[site.op]
        poison = row.poison(a, *(facts.of(arg) for arg in site.args))
        for index, (arg, bad, safe) in enumerate(zip(site.args, poison, row.safe, strict=True)):
            node = argument_node(site.node, index, site.op)
            met = _plain(bad, a) & facts.of(arg)
            if site.op == "div" and index == 1 and not arg.grad:
                met &= R.ZERO  # any other divisor poisons nothing but its own gradient
            if safe is not None and met and node is not None:
                each = Poisoned(site, index, node, facts.of(arg), met)
                if not each.is_coarse:
                    found.setdefault(id(node), each)
    return list(found.values())


def site_sets(hazard: Hazard) -> list[list[Apply]]:
    """Singular ops below a hazard's operand to guard: those with a proof, the innermost ones, and all of them."""
    proven = [proof.site for proof in hazard.proofs]
    order = closure((hazard.operand,), MOST_VALUES)
    singular = [value for value in order if isinstance(value, Apply) and OPS[value.op].singular]
    numbers = {value.number for value in singular}
    innermost = [
        value
        for value in singular
        if not any(below.number in numbers - {value.number} for below in closure((value,), MOST_VALUES))
    ]
    distinct = {frozenset(site.number for site in sites): sites for sites in (singular, innermost, proven)}
    return list(reversed(distinct.values()))


def _plain(region: Region, a: Arithmetic) -> Region:
    """A region with what lies within rounding of 0 taken for 0."""
    return Region(tuple(_without_rounding(part, a) for part in region.intervals))


def _without_rounding(part: Interval, a: Arithmetic) -> Interval:
    lo, hi = _meant(part.lo), _meant(part.hi)
    if lo == hi:
        return Interval(lo, hi)
    return Interval(lo, hi, part.lo_open and lo == part.lo, part.hi_open and hi == part.hi)


def _meant(end: float) -> float:
    """The number that an end found by bisection is a rounding step away from."""
    if abs(end) <= _NOTHING:
        return 0.0
    near = float(f"{end:.6g}")
    return near if near == round(near, 3) else end


_NOTHING = 1e-15
"""Closer to 0 than any number that is used: a square underflows there, or the square of a reciprocal overflows."""


# --- conditions


def conditions(bad: Poisoned, text: str) -> Iterator[str]:
    """Conditions on the argument, called `text`, that hold exactly where it is not poisoned; the exact one first.

    None where it is poisoned by its magnitude: the number at which an op overflows is not one to be written.
    """
    parts = bad.poison.intervals
    first, last = parts[0], parts[-1]
    if not bad.kept:
        return
    if OPS[bad.site.op].overflows or any(_is_odd(end) for part in parts for end in (part.lo, part.hi)):
        return
    alone = len(parts) == 1 and first.is_point
    exact = f"{text} != {_told(first.lo)}"
    below = bad.value_at(first.lo - 1.0)
    one_sided = alone and below != below
    if alone and not one_sided:
        yield exact
    if len(parts) == 2 and not (math.isfinite(first.hi) and math.isfinite(last.lo)):
        return  # infinities that are no ends of anything
    if alone or (len(parts) == 1 and first.lo <= bad.region.lo):
        yield f"{text} {'>=' if first.hi_open else '>'} {_told(first.hi)}"
        if one_sided:
            yield exact
        elif not alone and math.isnan(bad.value_at(first.hi - 1.0)):
            yield f"{text} != {_told(first.hi)}"  # what lies below is nan, and stays it
    elif len(parts) == 1 and first.hi >= bad.region.hi:
        yield f"{text} {'<=' if first.lo_open else '<'} {_told(first.lo)}"
    elif len(parts) == 2 and first.hi == -last.lo:
        yield f"{text}.abs() < {_told(last.lo)}"
    elif len(parts) == 2:
        yield f"({text} > {_told(first.hi)}) & ({text} < {_told(last.lo)})"


def _is_odd(end: float) -> bool:
    """Whether the end of a poison set is no number that anyone would write."""
    return math.isfinite(end) and (abs(end) >= _LARGE or end != round(end, 3))


def _told(value: float) -> str:
    return str(int(value)) if abs(value) < 1e6 and value == int(value) else f"{value:.6g}"


# --- bounds


@dataclass(frozen=True)
class Bound:
    """A number as it is written."""

    text: str
    value: float


@dataclass(frozen=True)
class Bounds:
    """The bounds between which an argument is not poisoned; None where it needs none on that side."""

    low: Bound | None = None
    high: Bound | None = None

    @property
    def outside(self) -> list[Region]:
        """What is not between them, side by side, with the bounds themselves, which stand for it."""
        low = [R.below(self.low.value, closed=True)] if self.low is not None else []
        return [*low, R.above(self.high.value, closed=True)] if self.high is not None else low


def bounds(bad: Poisoned) -> Iterator[Bounds]:
    """Bounds just outside of the poison set, the most usual first.

    What lies on the other side of a single poisoned point is cut off too: of a logarithm that is what has no value.
    """
    parts = bad.poison.intervals
    if len(parts) > 2:
        return
    if len(parts) == 2:
        pairs = zip(_beyond(parts[0].hi, 1.0), _beyond(parts[1].lo, -1.0), strict=False)
        yield from (Bounds(low, high) for low, high in pairs)
    elif bad.above or (parts[0].hi >= bad.region.hi and not parts[0].is_point):
        yield from (Bounds(high=bound) for bound in _beyond(parts[0].lo, -1.0))
    else:
        yield from (Bounds(low=bound) for bound in _beyond(parts[0].hi, 1.0))


def substitutes(bad: Poisoned) -> Iterator[Bound]:
    """Numbers next to a single poisoned point that has other values on both sides."""
    parts = bad.poison.intervals
    if len(parts) == 1 and parts[0].is_point and not (bad.below or bad.above):
        yield from _beyond(parts[0].lo, 1.0)


def _beyond(end: float, direction: float) -> Iterator[Bound]:
    """Numbers that lie beyond `end`, inside of what is not poisoned."""
    if end == 0.0:
        for step in _STEPS:
            yield Bound(f"{'' if direction > 0 else '-'}{_short(step)}", direction * step)
    elif abs(end) > 2.0:
        rounder = (math.copysign(number, end) for number in _ROUND if number < abs(end))
        yield from (Bound(_told(number), number) for number in rounder)
    else:
        sign = "+" if direction > 0 else "-"
        for step in (1e-6, 1e-7, 1e-5, 1e-4):
            yield Bound(f"{_told(end)} {sign} {_short(step)}", end + direction * step)


def _short(value: float) -> str:
    """`1e-8`, not `1e-08`."""
    return f"{value:g}".replace("e-0", "e-")
