"""Facts: which values can occur, by interval constraint propagation over the graph.

Forward, each value's region is the image of its arguments' regions; backward, a value's region narrows those of its
arguments (the HC4 algorithm of Benhamou, Goualard, Granvilliers and Puget, "Revising hull and box consistency",
ICLP 1999, on unions of intervals). Constraints enter as regions of single values: a dropped condition is `{0}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import OPS
from nanlint.graph import Apply, Constant, Leaf, Value
from nanlint.regions import Region

MAGNITUDE = 1e6
"""Free inputs are thought to lie in [-MAGNITUDE, MAGNITUDE]: what needs larger ones is nobody's training run."""

_PLAUSIBLE = R.interval(-MAGNITUDE, MAGNITUDE)
_ROUNDS = 3
_BLIND = frozenset({"where", "phi", "masked_fill", "nan_to_num", "isnan", "isfinite", "isinf"})
"""Ops whose result may be a number although an argument is nan."""


@dataclass(frozen=True)
class Constraint:
    """`value` lies in `region`, or is nan if `nan` is set."""

    value: Value
    region: Region
    nan: bool = False


@dataclass
class Facts:
    """Regions by value number, and the numbers of the values that may be nan."""

    regions: dict[int, Region] = field(default_factory=dict)
    nans: set[int] = field(default_factory=set)

    def of(self, value: Value) -> Region:
        """The region of `value`; of a value outside the graph at hand, whatever its type allows."""
        found = self.regions.get(value.number)
        return _free(value) if found is None else found


def _free(value: Value) -> Region:
    if isinstance(value, Constant):
        return R.point(value.value) if value.value == value.value else R.EMPTY
    if isinstance(value, Leaf):
        return value.region & _PLAUSIBLE
    return R.TRUTH if OPS[value.op].boolean else _PLAUSIBLE


def solve(order: Sequence[Value], constraints: Iterable[Constraint], a: Arithmetic) -> Facts | None:
    """The facts about the values in `order` (arguments first) under `constraints`, None if they contradict."""
    return _Propagation(order, constraints, a).run()


class _Propagation:
    def __init__(self, order: Sequence[Value], constraints: Iterable[Constraint], a: Arithmetic) -> None:
        self.order = order
        self.a = a
        self.facts = Facts()
        self.asked: dict[int, Constraint] = {}
        self.inside = {value.number for value in order}
        for constraint in constraints:
            self._ask(constraint)

    def _ask(self, new: Constraint) -> None:
        old = self.asked.get(new.value.number)
        if old is not None:
            new = Constraint(new.value, old.region & new.region, old.nan and new.nan)
        self.asked[new.value.number] = new

    def run(self) -> Facts | None:
        if not all(self._forward(value) for value in self.order):
            return None
        for _ in range(_ROUNDS):
            before = dict(self.facts.regions)
            if not all(self._backward(value) for value in reversed(self.order)):
                return None
            if self.facts.regions == before:
                break
            if not all(self._forward(value) for value in self.order):
                return None
        return self.facts

    def _forward(self, value: Value) -> bool:
        """Meet the image of the arguments with what is known; False if nothing is left."""
        facts, number = self.facts, value.number
        region = self._image(value)
        known = facts.regions.get(number)
        if known is not None:
            region = region & known
        may_be_nan = self._may_be_nan(value) if known is None else number in facts.nans and self._may_be_nan(value)
        asked = self.asked.get(number)
        if asked is not None:
            region, may_be_nan = region & asked.region, may_be_nan and asked.nan
        facts.regions[number] = region
        (facts.nans.add if may_be_nan else facts.nans.discard)(number)
        return bool(region) or may_be_nan

    def _image(self, value: Value) -> Region:
        if not isinstance(value, Apply):
            return _free(value)
        regions = [self.facts.of(arg) for arg in value.args]
        if value.op == "mul" and value.args[0].number == value.args[1].number:
            return OPS["square"].image(self.a, regions[0])
        if value.op == "sub" and value.args[0].number == value.args[1].number:
            return R.ZERO
        if value.op == "div" and value.args[0].number == value.args[1].number:
            return R.TRUE
        return OPS[value.op].image(self.a, *regions)

    def _may_be_nan(self, value: Value) -> bool:
        if isinstance(value, Constant):
            return value.value != value.value
        if not isinstance(value, Apply):
            return False
        row, nans = OPS[value.op], self.facts.nans
        if row.boolean:
            return False
        if row.undefined(*(self.facts.of(arg) for arg in value.args)):
            return True
        if value.op == "nan_to_num":
            return value.args[1].number in nans
        if value.op in ("where", "phi"):
            return self._branch_may_be_nan(value)
        return any(arg.number in nans for arg in value.args)

    def _branch_may_be_nan(self, value: Apply) -> bool:
        condition, x, y = value.args
        region, nans = self.facts.of(condition), self.facts.nans
        return (x.number in nans and bool(region - R.ZERO)) or (y.number in nans and 0.0 in region)

    def _backward(self, value: Value) -> bool:
        """Narrow the arguments of `value` by its region; False if one of them has no value left."""
        facts = self.facts
        if not isinstance(value, Apply) or value.number in facts.nans:
            return True
        row = OPS[value.op]
        regions = tuple(facts.of(arg) for arg in value.args)
        if not regions:
            return True
        out = facts.of(value)
        narrowed = self._narrowed(value, out, regions)
        clean = value.op not in _BLIND and not row.boolean
        for arg, old, new in zip(value.args, regions, narrowed, strict=True):
            if clean:
                facts.nans.discard(arg.number)
            if new != old and arg.number in self.inside and not isinstance(arg, Constant):
                facts.regions[arg.number] = facts.of(arg) & new
            if not new and arg.number not in facts.nans:
                return False
        if row.boolean:
            self._clear_compared(value, out)
        return True

    def _narrowed(self, value: Apply, out: Region, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        if len(value.args) == 2 and value.args[0].number == value.args[1].number:
            if value.op == "mul":
                return OPS["square"].narrow(self.a, out, regions[0]) * 2
            if value.op in ("sub", "div", "add"):
                return regions
        return OPS[value.op].narrow(self.a, out, *regions)

    def _clear_compared(self, value: Apply, out: Region) -> None:
        """A comparison that holds has no nan among its arguments (`!=` is the exception)."""
        holds = value.op in ("lt", "le", "gt", "ge", "eq", "isclose", "isfinite", "isinf") and 0.0 not in out
        if holds or (value.op in ("ne", "isnan") and out == R.FALSE):
            for arg in value.args:
                self.facts.nans.discard(arg.number)
