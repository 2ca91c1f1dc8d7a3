"""Candidates for a witness: values of the leaves under constraints, plain numbers and region ends first."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from functools import lru_cache

from nanlint.budget import Budget
from nanlint.catalogue import SELECTORS
from nanlint.facts import Constraint, Facts, Network
from nanlint.graph import Apply, Constant, Leaf, Value, operands
from nanlint.regions import ALL, NONZERO, ZERO, Interval, Region, point

_PLAIN = (
    0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    -2.0,
    10.0,
    -10.0,
    100.0,
    -100.0,
    150.0,
    -150.0,
    1000.0,
    -1000.0,
    1.5,
    -0.5,
    -1.5,
)
_AMID = (3.0, -3.0, 1e-3, -1e-3, 1e-6, -1e-6, 1e-10, -1e-10, -7.5, 0.75)
"""Where nothing is special but by a relation: between plain numbers, next to 0, and between the poles of a function."""
_TINY, _LARGE = 1e-12, 1000.0
_SMALLEST = 2.0**-126
"""Below are no numbers of usual precision in float32, and some of torch's kernels take them for 0."""
_NEAR = (1e-10, 1e-6, 1e-3)
_BLIND_TRIES = 24
_FURTHER, _ONE_BY_ONE = range(2, 8), 32
"""Choices after the first two that are tried of one value alone, and how many of these."""
_FEWEST_SOLVES = 24
_NODE_VISITS = 6000
_STEPS_OF_SOLVING = 5
_FEWEST_RUNS, _RUN_VISITS = 600, 120_000
_FEWEST_TARGETS, _MOST_TARGETS, _TARGET_VISITS = 8, 40, 4_000
_MOST_REMEMBERED, _MOST_LENGTHS = 1 << 14, 400


class Effort:
    """How much is still to be spent on one search: counts of work, so that a run finds the same on any machine.

    Large graphs get fewer tries than small ones, so that no search takes longer than some tenths of a second.
    """

    def __init__(self, size: int, budget: Budget | None = None) -> None:
        self.size, self.budget = size, budget
        self.taken = 0
        """The steps that were taken so far."""
        self.solves = max(_FEWEST_SOLVES, _NODE_VISITS // max(size, 1))
        self.runs = max(_FEWEST_RUNS, _RUN_VISITS // max(size, 1))
        self.targets = min(_MOST_TARGETS, max(_FEWEST_TARGETS, _TARGET_VISITS // max(size, 1)))
        """How many singular points are looked at, whatever is left of the rest."""

    def spend(self) -> bool:
        """Whether one more propagation may be run."""
        self.take(_STEPS_OF_SOLVING)
        self.solves -= 1
        return self.solves >= 0

    def run(self) -> bool:
        """Whether one more candidate may be run."""
        self.take(1)
        self.runs -= 1
        return self.runs >= 0

    def take(self, steps: int) -> None:
        """Take steps for each value off the budget; raises Exhausted if that is not enough."""
        self.repeat(steps * self.size)

    def repeat(self, steps: int) -> None:
        """Take steps off the budget for what is known already: as many as it took to find out."""
        self.taken += steps
        if self.budget is not None:
            self.budget.spend(steps)


def assignments(network: Network, facts: Facts, effort: Effort) -> Iterator[dict[int, float]]:
    """Assignments of numbers to the free values of a network that may satisfy `facts`, the plainest first.

    First each free value for itself, in combinations that are cheap to run; then those that are `related`.
    """
    free = network.free
    choices = [_choices(value, facts.of(value)) for value in free]
    yield from _combinations(free, choices)
    yield from related(network, facts, effort)


def related(network: Network, facts: Facts, effort: Effort) -> Iterator[dict[int, float]]:
    """Assignments made by fixing one free value after the other and propagating.

    They are the points that only a relation between several values allows.
    """
    if len(network.free) > 1:
        yield from _fix(network, network.free, facts, {}, effort)


def route(start: Value, end: Value, order: Sequence[Value]) -> list[Constraint]:
    """What the choices on the way from `start` down to `end` have to be, as far as there is one way only."""
    above = {end.number}
    for value in order:
        if any(arg.number in above for arg in operands(value)):
            above.add(value.number)
    choices: list[Constraint] = []
    while start.number != end.number and isinstance(start, Apply):
        ways = [index for index, arg in enumerate(start.args) if arg.number in above]
        if len(ways) != 1:
            break
        if start.op in ("phi", "where") and ways[0] > 0:
            choices.append(Constraint(start.args[0], NONZERO if ways[0] == 1 else ZERO))
        elif start.op == "masked_fill" and ways[0] != 1:
            choices.append(Constraint(start.args[1], ZERO if ways[0] == 0 else NONZERO))
        elif start.op == "masked_select" and ways[0] == 0:
            choices.append(Constraint(start.args[1], NONZERO))
        else:
            choices.extend(_between_bounds(start, ways[0]))
        start = start.args[ways[0]]
    return choices


def outlet(start: Value) -> list[Constraint]:
    """Where the selectors with constant bounds let a gradient through that goes down from `start` by one way only."""
    choices: list[Constraint] = []
    while isinstance(start, Apply):
        ways = [index for index, arg in enumerate(start.args) if arg.grad]
        # a square has one way, however it is written
        if len({start.args[index].number for index in ways}) != 1:
            break
        choices.extend(_between_bounds(start, ways[0]))
        start = start.args[ways[0]]
    return choices


def _between_bounds(selector: Apply, index: int) -> list[Constraint]:
    """Where a selector with constant bounds lets its own operand through: what it drops is no other one's fault."""
    row, operand = SELECTORS.get(selector.op), selector.args[index]
    bounds = [arg for arg in selector.args if arg is not operand]
    if row is None or not all(isinstance(bound, Constant) for bound in bounds):
        return []
    regions = tuple(point(arg.value) if isinstance(arg, Constant) else ALL for arg in selector.args)
    own = [drop for drop in row.drops if drop.operand == drop.by == index]
    return [Constraint(operand, ~drop.where(regions), nan=not drop.by_nan) for drop in own]


def _choices(value: Value, region: Region) -> Sequence[float]:
    """Numbers for a free value: what is true or false is nothing else, nor is what is one of a few numbers."""
    if isinstance(value, Leaf) and value.region.points is not None:
        return _choices_among(value.region, region)
    if isinstance(value, Leaf) and len(value.region.intervals) > 1:
        return _choices_within(value.region, region)
    return candidates(region) or [_middle(part) for part in region.intervals[:1]] or [0.0]


@lru_cache(maxsize=_MOST_REMEMBERED)
def _choices_among(few: Region, region: Region) -> Sequence[float]:
    """Those of a few numbers that lie in a region."""
    met = region & few
    return [number for number in candidates(few) if number in met] or [few.lo]


@lru_cache(maxsize=_MOST_REMEMBERED)
def _choices_within(whole: Region, region: Region) -> Sequence[float]:
    """Numbers of a region without those next to it that an input may not be: no exponent next to a whole one."""
    met = region & whole
    return [number for number in candidates(region) if number in whole] or [
        _middle(p) for p in met.intervals[:1]
    ]


@lru_cache(maxsize=_MOST_REMEMBERED)
def candidates(region: Region) -> tuple[float, ...]:
    """Members of `region` worth trying: ends, what lies next to them, and plain numbers; unusual ones last."""
    exact = [end for part in region.intervals for end in _ends(part)]
    ends = [_short(end) for end in exact]
    near = [value for part in region.intervals for value in _neighbours(part)]
    plain = [value for value in _PLAIN if value in region]
    if region.points is not None:
        return tuple(dict.fromkeys([*plain, *ends, *exact, *near]))[:8]
    middles = [_middle(part) for part in region.intervals]
    usual = [value for value in ends if is_written(value)]
    ordered = [*plain[:1], *usual, *plain[1:6], *near, *middles, *plain[6:], *ends, *exact]
    usable = [value for value in dict.fromkeys(ordered) if not 0.0 < abs(value) < _SMALLEST]
    return tuple(dict.fromkeys([*usable[:24], *(value for value in _AMID if value in region)]))


def inside(landmarks: Sequence[float], region: Region) -> list[float]:
    """The points at which a formula changes that lie amid a region: a coarse poison set stands for poles among them."""
    return [at for at in landmarks if any(part.lo < at < part.hi for part in region.intervals)]


def _short(value: float) -> float:
    """The number that a bound found by bisection is a rounding step away from."""
    return float(f"{value:.6g}")


def is_written(value: float) -> bool:
    """Whether a person may have written this bound: of usual size, and with few digits."""
    return value == 0.0 or (_TINY <= abs(value) <= _LARGE and value == float(f"{value:.4g}"))


def _ends(part: Interval) -> list[float]:
    closed = []
    if not part.lo_open:
        closed.append(part.lo)
    if not part.hi_open:
        closed.append(part.hi)
    return closed


def _neighbours(part: Interval) -> list[float]:
    """Next to the ends, and just outside of a point: rounding may bring them there."""
    made: list[float] = []
    for end, inward in ((part.lo, 1.0), (part.hi, -1.0)):
        if abs(end) <= _LARGE:
            steps = [step * max(1.0, abs(end)) for step in _NEAR]
            made.extend(end + inward * step for step in steps)
    return made if part.is_point else [value for value in made if value in part]


def _middle(part: Interval) -> float:
    lo, hi = max(part.lo, -1e6), min(part.hi, 1e6)
    return lo / 2.0 + hi / 2.0


def _combinations(free: Sequence[Value], choices: Sequence[Sequence[float]]) -> Iterator[dict[int, float]]:
    numbers = [value.number for value in free]
    total = math.prod(len(choice) for choice in choices)
    if total <= _BLIND_TRIES:
        for picked in itertools.product(*choices):
            yield dict(zip(numbers, picked, strict=True))
        return
    for ranks in _first_by_sum(len(choices)):
        if all(rank < len(choice) for rank, choice in zip(ranks, choices, strict=True)):
            yield {n: choice[r] for n, choice, r in zip(numbers, choices, ranks, strict=True)}
    plainest = [choice[0] for choice in choices]
    for rank, index in itertools.islice(itertools.product(_FURTHER, range(len(choices))), _ONE_BY_ONE):
        if rank < len(choices[index]):
            picked = (*plainest[:index], choices[index][rank], *plainest[index + 1 :])
            yield dict(zip(numbers, picked, strict=True))
    for turn in range(1, max(len(choice) for choice in choices)):
        yield {n: choice[min(turn, len(choice) - 1)] for n, choice in zip(numbers, choices, strict=True)}
    chance = random.Random(0)
    for _ in range(_BLIND_TRIES):
        yield {n: _any_of(choice, chance) for n, choice in zip(numbers, choices, strict=True)}


def _any_of(choice: Sequence[float], chance: random.Random) -> float:
    """One of several numbers; as often as not the first, for it takes many zeros at once to make one."""
    return choice[0] if len(choice) > 2 and chance.random() < 0.5 else chance.choice(choice)


@lru_cache(maxsize=_MOST_LENGTHS)
def _first_by_sum(length: int) -> Sequence[tuple[int, ...]]:
    return tuple(itertools.islice(_by_sum(length), _BLIND_TRIES))


def _by_sum(length: int) -> Iterator[tuple[int, ...]]:
    """All tuples of `length` ranks, those with the smallest sum first: few values differ from their plainest."""
    for total in itertools.count():
        yield from _summing_to(total, length)


def _summing_to(total: int, length: int) -> Iterator[tuple[int, ...]]:
    if length == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in _summing_to(total - first, length - 1))


def _fix(
    network: Network, free: Sequence[Value], facts: Facts, fixed: dict[int, float], effort: Effort
) -> Iterator[dict[int, float]]:
    """Fix the free value with the smallest region, propagate, and go on with the next."""
    rest = [value for value in free if value.number not in fixed]
    yield fixed | {value.number: _choices(value, facts.of(value))[0] for value in rest}
    if len(rest) < 2:
        for value in rest:
            for choice in _choices(value, facts.of(value)):
                yield fixed | {value.number: choice}
        return
    pick = min(rest, key=lambda value: _width(facts.of(value)))
    for choice in _choices(pick, facts.of(pick))[:4]:
        if not effort.spend():
            return
        fixing = Constraint(pick, Region((Interval(choice, choice),)))
        after = network.solve((fixing,), facts)
        if after is not None:
            yield from _fix(network, free, after, fixed | {pick.number: choice}, effort)


def _width(region: Region) -> float:
    return region.hi - region.lo
