"""Facts: which values can occur, by interval constraint propagation over the graph.

Forward, each value's region is the image of its arguments' regions; backward, a value's region narrows those of its
arguments (the HC4 algorithm of Benhamou, Goualard, Granvilliers and Puget, "Revising hull and box consistency",
ICLP 1999, on unions of intervals). Constraints enter as regions of single values: a dropped condition is `{0}`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import OPS
from nanlint.graph import Apply, Constant, Leaf, Value, operands
from nanlint.regions import Region

MAGNITUDE = 1e4
"""Free inputs are thought to lie in [-MAGNITUDE, MAGNITUDE]: what needs larger ones is nobody's training run."""

_PLAUSIBLE = R.interval(-MAGNITUDE, MAGNITUDE)
_ROUNDS = 3
_MOST_REMEMBERED = 1 << 15
_OF_ITSELF = {"sub": R.ZERO, "div": R.TRUE}
"""`x - x` and `x / x`."""
_FALSE_OF_NAN = frozenset({"lt", "le", "gt", "ge", "eq", "isclose", "isfinite", "isinf"})
_BLIND = frozenset(
    """
    where phi masked_fill nan_to_num isnan isfinite isinf fmax fmin hypot nansum nanmean nanmedian nanquantile
    """.split()
)
"""Ops whose result may be a number although an argument is nan."""
_POWERS = frozenset({"pow", "float_power"})
"""So may these be, where the exponent is 0: nan to the power of 0 is 1."""


@dataclass(eq=False, slots=True)
class Constraint:
    """`value` lies in `region`, or is nan if `nan` is set."""

    value: Value
    region: Region
    nan: bool = False


@dataclass(slots=True)
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
        return value.region & _PLAUSIBLE | value.region & R.INFINITIES or value.region
    return R.TRUTH if OPS[value.op].boolean else _PLAUSIBLE


def solve(order: Sequence[Value], constraints: Iterable[Constraint], a: Arithmetic) -> Facts | None:
    """The facts about the values in `order` (arguments first) under `constraints`, None if they contradict."""
    return Network(order, a).solve(constraints)


class Network:
    """The values of one graph as a constraint network, solved once and then refined by further constraints."""

    def __init__(self, order: Sequence[Value], a: Arithmetic) -> None:
        self.order = order
        self.a = a
        self.inside = {value.number for value in order}
        self.users: dict[int, list[Apply]] = {}
        for value in order:
            for arg in operands(value):
                self.users.setdefault(arg.number, []).append(value)  # type: ignore[arg-type]
        self._unconstrained: Facts | None = None
        self.images: dict[int, tuple[tuple[Region, ...], tuple[Region, bool]]] = {}
        """What came of the regions of an op's arguments when they were last asked for, by its number.

        They are often the very same ones, which is sooner told than what they are is looked up."""
        self.narrowings: dict[int, tuple[tuple[Region, ...], tuple[Region, ...]]] = {}
        """The same for its own region and those of its arguments."""

    @cached_property
    def free(self) -> Sequence[Value]:
        """The values that are computed from nothing in the graph, constants apart."""
        free: dict[int, Value] = {}
        for value in self.order:
            for end in (value, *operands(value)):
                edge = isinstance(end, Leaf) or end.number not in self.inside
                if edge and not isinstance(end, Constant):
                    free.setdefault(end.number, end)
        return list(free.values())

    def solve(self, constraints: Iterable[Constraint], base: Facts | None = None) -> Facts | None:
        """The facts under `constraints`, on top of those of `base`; None if there is a contradiction."""
        if base is None:
            base = self._start()
        return _Propagation(self, base).run(constraints)

    def unlimited(self, given: Mapping[int, Region] | None = None) -> Facts:
        """The facts without constraints, where free inputs may be of any size.

        `given` are the regions of values outside of the graph at hand, by their numbers.
        """
        propagation = _Propagation(self, Facts(dict(given or {})))
        for value in self.order:
            if isinstance(value, Leaf):
                propagation.facts.regions[value.number] = value.region
            else:
                propagation.evaluate(value)
        return propagation.facts

    def _start(self) -> Facts:
        if self._unconstrained is None:
            propagation = _Propagation(self, Facts())
            for value in self.order:
                propagation.evaluate(value)
            self._unconstrained = propagation.facts
        return self._unconstrained


class _Propagation:
    """One run of the propagation: a queue of values whose facts have changed."""

    def __init__(self, network: Network, base: Facts) -> None:
        self.network = network
        self.a = network.a
        self.facts = Facts(dict(base.regions), set(base.nans))
        self.queue: deque[Value] = deque()
        self.queued: set[int] = set()

    def run(self, constraints: Iterable[Constraint]) -> Facts | None:
        for constraint in constraints:
            if not self._meet(constraint.value, constraint.region, constraint.nan):
                return None
        steps = _ROUNDS * len(self.network.order) + 64
        while self.queue and steps:
            steps -= 1
            value = self.queue.popleft()
            self.queued.discard(value.number)
            if not self._spread(value):
                return None
        return self.facts

    def _enqueue(self, value: Value) -> None:
        if value.number not in self.queued and value.number in self.network.inside:
            self.queued.add(value.number)
            self.queue.append(value)

    def _meet(self, value: Value, region: Region, nan: bool) -> bool:
        """Add what is known of a value; False if it has no value left."""
        known, nans, number = self.facts.regions, self.facts.nans, value.number
        old = known.get(number)
        new = (_free(value) if old is None else old) & region
        changed = new is not old and new != old
        if changed:
            known[number] = new
        if not nan and number in nans:
            nans.discard(number)
            changed = True
        if changed:
            self._enqueue(value)
        return bool(new.intervals) or number in nans

    def _spread(self, value: Value) -> bool:
        """Take a change on: down to the arguments, and up to everything that is computed from the value."""
        if not self._narrow(value):
            return False
        nans = self.facts.nans
        for user in self.network.users.get(value.number, ()):
            if not self.evaluate(user):
                return False
            # with one argument known better, the result may say more of the others
            if len(user.args) > 1 and user.number not in nans:
                self._enqueue(user)
        return True

    def evaluate(self, value: Value) -> bool:
        """Meet a value with the image of its arguments; False if nothing is left."""
        facts, number = self.facts, value.number
        region, may_be_nan = self._computed(value)
        known = facts.regions.get(number)
        if known is None:
            facts.regions[number] = region
            if may_be_nan:
                facts.nans.add(number)
            return may_be_nan or bool(region)
        return self._meet(value, region, may_be_nan)

    def _computed(self, value: Value) -> tuple[Region, bool]:
        """The image of the arguments, and whether the value may be nan."""
        if isinstance(value, Constant):
            rounded = self.a.round(value.value)
            return (R.point(rounded), False) if rounded == rounded else (R.EMPTY, True)
        if isinstance(value, Leaf):
            return _free(value), False
        op, regions, nans = value.op, self._regions(value.args), self.facts.nans
        last = self.network.images.get(value.number)
        if last is None or last[0] != regions:
            last = self.network.images[value.number] = (regions, _image(op, self.a, *regions))
        image, undefined = last[1]
        if len(regions) == 2 and value.args[0].number == value.args[1].number:
            if op == "mul":
                image, _ = _image("square", self.a, regions[0])
            image = _OF_ITSELF.get(op, image)
        if OPS[op].boolean:
            return (image | self._of_nan(value) if nans else image), False
        if nans and op in ("fmax", "fmin"):
            image |= self._left_alone(value)
        if not nans and not undefined:
            return image, False
        return image, self._may_be_nan(value, undefined)

    def _regions(self, values: Sequence[Value]) -> tuple[Region, ...]:
        """What is known of some values; written out, for it is asked for each step."""
        known = self.facts.regions
        try:
            return tuple([known[value.number] for value in values])
        except KeyError:  # one lies outside
            return tuple(map(self.facts.of, values))

    def _left_alone(self, value: Apply) -> Region:
        """What one argument is, where the other one may be nan and so not taken."""
        x, y = value.args
        alone = self.facts.of(x) if y.number in self.facts.nans else R.EMPTY
        return alone | (self.facts.of(y) if x.number in self.facts.nans else R.EMPTY)

    def _of_nan(self, value: Apply) -> Region:
        """What a comparison says if an argument is nan, which may be."""
        if not any(arg.number in self.facts.nans for arg in value.args):
            return R.EMPTY
        return R.FALSE if value.op in _FALSE_OF_NAN else R.TRUE

    def _may_be_nan(self, value: Apply, undefined: bool) -> bool:
        nans = self.facts.nans
        if value.op == "nan_to_num":
            return value.args[1].number in nans
        if value.op in ("where", "phi"):
            return self._branch_may_be_nan(value)
        if value.op in _POWERS and self.facts.of(value.args[1]) == R.ZERO:
            return False
        return undefined or any(arg.number in nans for arg in value.args)

    def _branch_may_be_nan(self, value: Apply) -> bool:
        condition, x, y = value.args
        region, nans = self.facts.of(condition), self.facts.nans
        return (x.number in nans and bool(region - R.ZERO)) or (y.number in nans and 0.0 in region)

    def _narrow(self, value: Value) -> bool:
        """Narrow the arguments of `value` by its region; False if one of them has no value left."""
        facts = self.facts
        if not isinstance(value, Apply) or value.number in facts.nans or not value.args:
            return True
        row = OPS[value.op]
        out = facts.of(value)
        regions = self._regions(value.args)
        narrowed = self._narrowed(value, out, regions)
        if not facts.nans:
            return self._meet_all(value.args, regions, narrowed)
        clean = not row.boolean and not self._is_blind(value)
        if row.boolean:
            self._clear_compared(value, out)
        for arg, new in zip(value.args, narrowed, strict=True):
            if row.boolean and any(other.number in facts.nans for other in value.args if other is not arg):
                continue  # whatever this one is, the other may be nan
            may_be_nan = arg.number in facts.nans and not clean
            if isinstance(arg, Constant) or arg.number not in self.network.inside:
                if not new and not may_be_nan:
                    return False
            elif not self._meet(arg, new, may_be_nan):
                return False
        return True

    def _meet_all(
        self, values: Sequence[Value], regions: Sequence[Region], narrowed: Sequence[Region]
    ) -> bool:
        """Narrow values where nothing may be nan; False if one of them has no value left."""
        for value, old, new in zip(values, regions, narrowed, strict=True):
            if not new.intervals:
                return False
            ends = isinstance(value, Constant) or value.number not in self.network.inside
            if new is not old and not ends and not self._meet(value, new, nan=False):
                return False
        return True

    def _is_blind(self, value: Apply) -> bool:
        """Whether a number as the result leaves it open if an argument is nan."""
        return value.op in _BLIND or (value.op in _POWERS and 0.0 in self.facts.of(value.args[1]))

    def _narrowed(self, value: Apply, out: Region, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        if len(value.args) == 2 and value.args[0].number == value.args[1].number:
            if value.op == "mul":
                return _narrow("square", self.a, out, regions[0]) * 2
            if value.op in ("sub", "div", "add"):
                return regions
        given = (out, *regions)
        last = self.network.narrowings.get(value.number)
        if last is None or last[0] != given:
            last = self.network.narrowings[value.number] = (given, _narrow(value.op, self.a, *given))
        return last[1]

    def _clear_compared(self, value: Apply, out: Region) -> None:
        """A comparison that holds has no nan among its arguments (`!=` is the exception)."""
        holds = value.op in _FALSE_OF_NAN and 0.0 not in out
        if holds or (value.op in ("ne", "isnan") and out == R.FALSE):
            for arg in value.args:
                if arg.number in self.facts.nans:
                    self.facts.nans.discard(arg.number)
                    self._enqueue(arg)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _image(op: str, a: Arithmetic, *regions: Region) -> tuple[Region, bool]:
    """What an op's row says of these regions, image and undefined: the same few come again and again."""
    row = OPS[op]
    return row.image(a, *regions), row.undefined(*regions)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _narrow(op: str, a: Arithmetic, out: Region, *regions: Region) -> tuple[Region, ...]:
    """The narrowing of an op's row."""
    return OPS[op].narrow(a, out, *regions)
