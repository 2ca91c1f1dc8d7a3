"""What a fix does, shown by running the graphs before and after it on the witness and on sample points."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, IntEnum
from functools import cached_property
from struct import pack

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.cases import Proof
from nanlint.catalogue import OPS
from nanlint.facts import Constraint, Network
from nanlint.fixes.counterparts import alike, free_among, is_copy, renamed
from nanlint.fixes.fingerprint import fingerprint
from nanlint.graph import Apply, Constant, Leaf, Value, closure
from nanlint.hazards import Hazard
from nanlint.plausibility import constant_of
from nanlint.search import Effort, assignments
from nanlint.witness import Tape, backward, forward, typical

MOST_SAMPLES = 32
_FEWEST_RUNS, _NODE_VISITS = 200, 40_000
"""Runs of a graph for one comparison; large graphs get fewer than small ones."""
_COST_OF_SOLVING = 4
"""In runs."""
_FEWER_SAMPLES, _MOST_TRIES = 3, 40
_LIMIT = 120
"""Values looked at below the two that are compared; what lies deeper may be anything, the same in both."""
_EXACT = ARITHMETIC["float64"]
_EQUAL = 1e-9
"""How far, relative to itself, a value may be moved in float64."""
_MOST_DRAWN, _MAGNITUDES = 40, (-4.0, 3.0)
"""How many sample points are drawn at random, and between which powers of ten."""
_MOST_ENLARGED = 8
"""How many inputs are tried at the largest numbers there are."""
_CONDITIONED = frozenset({"where", "mul", "masked_fill", "masked_select"})
_NEARBY = (0.0, 1e-12, 1e-6, 1e-3, 0.5)
_EXTREME = (1e-14, -1e-14, 1e3, -1e3)
_OF_LARGEST = (0.9, -0.9)
"""Values of one input while the others stay where they are: the ends of what is usual, and of what there is."""


class Outcome(Enum):
    """What an edit does to a function."""

    SAME = "the hazard is gone; every value and gradient that was finite is what it was"
    SAME_WHERE_FINITE = "so it is, but not for what was infinite or nan, or comes of such an input"
    SAME_WHERE_KEPT = "so it is but for elements that the selector drops"
    LEAVES_UNLIKELY = "the selector has another hazard still, an unlikely one"
    FAILED = "something else has changed, or the hazard is still there"


class Rigour(IntEnum):
    """What is held against what it was besides finite values and their gradients."""

    FINITE = 0
    """Nothing."""
    INFINITE = 1
    """Values that are not finite, but for an infinity that finite inputs give: an overflow may be a number."""
    EXACT = 2
    """All values."""


_FROM_BEST = list(Outcome)


def worst_of(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some outcomes; what is behind one that has failed is not asked for."""
    worst = Outcome.SAME
    for outcome in outcomes:
        worst = max(worst, outcome, key=_FROM_BEST.index)
        if worst is Outcome.FAILED:
            break
    return worst


def compared(
    hazard: Hazard, old: Sequence[Value], new: Sequence[Value], a: Arithmetic, rigour: Rigour = Rigour.FINITE
) -> Outcome:
    """Whether each value in `new` is that of `old`, with the same gradient wherever that was finite.

    A value that was not finite may become finite. Checked on the witnesses, on points of both sides of the
    selector's condition, on the ends of every poison set and next to them, and at the numbers that the edit brings in.
    With more `rigour`, values that are not finite are compared, too, and infinite inputs, nan and the smallest and
    largest numbers of each dtype are tried.
    """
    if len(old) != len(new):
        return Outcome.FAILED
    changed = [(x, y) for x, y in zip(old, new, strict=True) if x.number != y.number]
    return worst_of(_outcome(_Comparison(hazard, x, y, a, rigour)) for x, y in changed)


_KNOWN: dict[Hashable, Outcome] = {}
"""What came of the last comparisons: code that was copied is alike, and so are the rounds of a repair."""
_MOST_KNOWN = 4096


def _outcome(comparison: _Comparison) -> Outcome:
    key = comparison.fingerprint
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = comparison.outcome()
    return _KNOWN[key]


def _numbered(inputs: Mapping[Value, float]) -> dict[int, float]:
    return {value.number: at for value, at in inputs.items()}


def _with_negative_zeros(inputs: Mapping[int, float]) -> dict[int, float]:
    return {number: x or -0.0 for number, x in inputs.items()}


class _Comparison:
    """One value before and after an edit."""

    def __init__(self, hazard: Hazard, old: Value, new: Value, a: Arithmetic, rigour: Rigour) -> None:
        self.hazard, self.old, self.new, self.a, self.rigour = hazard, old, new, a, rigour
        self.before, self.after = closure((old,), _LIMIT), closure((new,), _LIMIT)
        self.names = renamed(self.before, self.after)
        self.free = free_among(self.before)
        self.network = Network(self.before, a)
        self._seen: dict[tuple[tuple[int, ...], bytes], Outcome] = {}
        self.left = max(_FEWEST_RUNS, _NODE_VISITS // (len(self.before) + len(self.after) + 1))

    @property
    def fingerprint(self) -> Hashable:
        """All that the outcome depends on."""
        own = fingerprint(self.hazard, self.before, self.after, (self.old, self.new), self.a)
        return own, self.rigour

    def outcome(self) -> Outcome:
        """The worst of what the samples show."""
        if self._stays_broken():
            return Outcome.FAILED
        copied = is_copy(self.old, self.new, self.before, self.after, self.names)
        return Outcome.SAME if copied else worst_of(self.outcomes())

    def outcomes(self) -> Iterator[Outcome]:
        """What each sample shows."""
        for inputs in self._samples():
            yield self._at(inputs)
        if self.rigour:
            for name in ("float64", "float32", "bfloat16", "float16"):
                other = _Comparison(self.hazard, self.old, self.new, ARITHMETIC[name], self.rigour)
                yield from map(other._at, other._extremes())

    def _extremes(self) -> Iterator[dict[int, float]]:
        """Each input by itself at the ends of its dtype, infinite, and nan."""
        usual = {v.number: _within(v, 1.0) for v in self.free}
        sizes = (0.0, self.a.dtype.tiny * self.a.dtype.eps, self.a.dtype.tiny, self.a.largest)
        for value in self.free[:_MOST_ENLARGED]:
            region = value.region if isinstance(value, Leaf) else R.FINITE
            beyond = (math.inf, -math.inf, math.nan) if R.FINITE - region == R.EMPTY else ()
            ends = [sign * size for size in sizes for sign in (1.0, -1.0) if sign * size in region]
            yield from ({**usual, value.number: at} for at in (*ends, *beyond))

    def _stays_broken(self) -> bool:
        """Whether something is nan after the edit, too, where the selector drops: another where may hide it only.

        An anomaly to torch, and in a product with a mask the value itself. In a selection nan is what is not there.
        """
        absent = any(isinstance(value, Apply) and value.op == "masked_select" for value in self.after)
        if absent or self.old.number != self.hazard.selector.number:
            return False
        return any(self._has_nan(_numbered(proof.inputs)) for proof in self.hazard.proofs)

    def _has_nan(self, inputs: Mapping[int, float]) -> bool:
        now = self._run_after(inputs)
        if now is None:
            return False
        made = backward(self.after, now, {self.new.number: 1.0}, self.a).by_number
        return math.isnan(now[self.new.number]) or any(map(math.isnan, made.values()))

    def _run_after(self, inputs: Mapping[int, float]) -> dict[int, float] | None:
        return forward(self.after, {**inputs, **self._moved(inputs)}, self.a, void=True)

    def _now(self, was: Mapping[int, float], inputs: Mapping[int, float]) -> dict[int, float]:
        """The values of the new graph: what is the same as in the old one is not computed again."""
        now = dict(was)
        self._changed.more(now, {**inputs, **self._moved(inputs)}, self.a)
        return now

    @cached_property
    def _changed(self) -> Tape:
        """What is not computed in the old graph just as it is in the new one."""
        same = alike(self.before, self.after)
        parts: tuple[list[Value], list[Value]] = [], []
        for value in self.after:
            parts[value.number in same].append(value)
        return Tape(parts[0], after=Tape(parts[1]))

    def _moved(self, inputs: Mapping[int, float]) -> dict[int, float]:
        """The inputs by the numbers that the new graph has for them."""
        return {n: inputs[o] for n, o in self.names.items() if o in inputs}

    def _samples(self) -> Iterator[dict[int, float]]:
        for proof in self.hazard.proofs:
            inputs = _numbered(proof.inputs)
            yield inputs
            yield _with_negative_zeros(inputs)
        yield from self._irregular()
        for region in (R.ZERO, R.NONZERO):
            conditioned = self.hazard.selector.op in _CONDITIONED
            known = [Constraint(self.hazard.condition, region)] if conditioned else []
            yield from self._assigned(known, MOST_SAMPLES)
        inside = {value.number for value in self.before}
        for proof in self.hazard.proofs:
            for arg in proof.site.args:
                if arg.number in inside and not isinstance(arg, Constant):
                    yield from self._around(arg, proof)

    def _irregular(self) -> Iterator[dict[int, float]]:
        """Numbers that nothing was made for: behind whole ones, or 0, a change may hide by a coincidence."""
        chance = random.Random(0)
        for _ in range(_MOST_DRAWN):
            size = 10.0 ** chance.uniform(*_MAGNITUDES)
            yield {v.number: _within(v, chance.uniform(-size, size)) for v in self.free}
        usual = {v.number: _within(v, 1.0) for v in self.free}
        for value in self.free[:_MOST_ENLARGED]:
            for part in _OF_LARGEST:
                yield {**usual, value.number: _within(value, part * self.a.largest)}

    def _around(self, arg: Value, proof: Proof) -> Iterator[dict[int, float]]:
        """Points at which an argument of a singular op lies at, or next to, a number that matters."""
        whole = self.network.solve([])
        region = whole.of(arg) if whole is not None else R.FINITE
        for landmark in sorted({*self._ends(proof, region), *self._brought_in()}):
            scale = abs(landmark) or 1.0
            points = {landmark + sign * step * scale for step in _NEARBY for sign in (1.0, -1.0)}
            for point in sorted(point for point in points if point in region):
                if self.left < 0:
                    return
                for inputs in self._lying_at(arg, point):
                    for made in (inputs, *self._stretched(inputs, arg, point)):
                        yield made
                        if point == 0.0:  # divided by, a negative zero gives the other infinity
                            yield _with_negative_zeros(made)

    def _stretched(self, inputs: dict[int, float], arg: Value, point: float) -> Iterator[dict[int, float]]:
        """The same with one other input at the ends of what is usual."""
        own = {value.number for value in closure((arg,), _LIMIT)}
        for leaf in self.free:
            if leaf.number in inputs and leaf.number not in own and isinstance(leaf, Leaf):
                ends = (*_EXTREME, *(self.a.largest * part for part in _OF_LARGEST))
                yield from ({**inputs, leaf.number: at} for at in ends if at in leaf.region)

    def _ends(self, proof: Proof, region: R.Region) -> list[float]:
        """The ends of the poison sets of a site."""
        regions = [
            R.point(constant_of(arg)) if isinstance(arg, Constant) else region for arg in proof.site.args
        ]
        sets = OPS[proof.site.op].poison(self.a, *regions)
        ends = [end for poison in sets for part in poison.intervals for end in (part.lo, part.hi)]
        return [end for end in ends if math.isfinite(end)]

    def _brought_in(self) -> list[float]:
        """Numbers that only the new graph has."""
        known = {value.number for value in self.before}
        made = [v.value for v in self.after if isinstance(v, Constant) and v.number not in known]
        return [value for value in made if math.isfinite(value)]

    def _assigned(self, known: list[Constraint], most: int, solves: int = 24) -> Iterator[dict[int, float]]:
        facts = self.network.solve(known)
        self.left -= _COST_OF_SOLVING
        if facts is not None:
            effort = Effort(len(self.before))
            effort.solves = min(effort.solves, solves)
            yield from itertools.islice(assignments(self.network, facts, effort), most)

    def _lying_at(self, arg: Value, point: float) -> Iterator[dict[int, float]]:
        """Inputs for which `arg` is `point`, or as good as that."""
        found = (
            inputs
            for inputs in self._assigned([Constraint(arg, R.point(point))], _MOST_TRIES, solves=3)
            if self._is_at(inputs, arg, point)
        )
        return itertools.islice(found, _FEWER_SAMPLES)

    def _is_at(self, inputs: Mapping[int, float], arg: Value, point: float) -> bool:
        self.left -= 1
        values = forward(self.before, inputs, self.a, void=True)
        return values is not None and math.isclose(values[arg.number], point, rel_tol=1e-3, abs_tol=1e-30)

    def _at(self, inputs: Mapping[int, float]) -> Outcome:
        """What becomes of the value and the gradients for these inputs, which may have been tried before."""
        self.left -= 1
        key = tuple(inputs), pack(f"{len(inputs)}d", *inputs.values())
        if key not in self._seen:
            self._seen[key] = self._shown(inputs)
        return self._seen[key]

    def _shown(self, inputs: Mapping[int, float]) -> Outcome:
        """What these inputs show."""
        moved = self._moved(inputs)
        was = forward(self.before, inputs, self.a, void=True)
        assert was is not None
        now = self._now(was, inputs)
        value = was[self.old.number]
        if self._lets_in(was, now):
            return Outcome.FAILED
        if math.isfinite(value) and not self._same_value(inputs, moved, value, now[self.new.number]):
            return Outcome.SAME_WHERE_KEPT if self._drops(was) else Outcome.FAILED
        if not self._same_gradients(inputs, moved, was, now):
            return Outcome.FAILED
        hidden = bool(self.rigour) and self._hides(inputs, value, now[self.new.number])
        return Outcome.SAME_WHERE_FINITE if hidden else Outcome.SAME

    def _hides(self, inputs: Mapping[int, float], was: float, now: float) -> bool:
        """Whether a value that is not finite has become another; an overflow of finite inputs may be a number."""
        if math.isfinite(was) or was == now or (math.isnan(was) and math.isnan(now)):
            return False
        overflow = math.isinf(was) and all(map(math.isfinite, inputs.values()))
        return self.rigour is Rigour.EXACT or not overflow

    def _same_value(
        self, inputs: Mapping[int, float], moved: Mapping[int, float], x: float, y: float
    ) -> bool:
        """Whether a value is what it was; one that differs by roundings is held against float64, where it must not."""
        if x == y or not _close(x, y):
            return x == y
        given = {number: self.a.round(at) for number, at in {**inputs, **moved}.items()}
        exact, exact_now = (forward(order, given, _EXACT, void=True) for order in (self.before, self.after))
        if exact is None or exact_now is None:
            return False
        precise = exact[self.old.number]
        return not math.isfinite(precise) or math.isclose(
            precise, exact_now[self.new.number], rel_tol=_EQUAL, abs_tol=1e-30
        )

    def _lets_in(self, was: Mapping[int, float], now: Mapping[int, float]) -> bool:
        """Whether an element that was selected away is there after the edit, where it would be counted."""
        select = self.hazard.selector
        inside = select.op == "masked_select" and select.number in was
        return inside and self._drops(was) and math.isfinite(now[self.new.number])

    def _drops(self, values: Mapping[int, float]) -> bool:
        drop, args = self.hazard.drop, self.hazard.selector.args
        found = [values.get(arg.number, constant_of(arg)) for arg in args]
        return drop is not None and drop.holds(tuple(found))

    def _same_gradients(
        self,
        inputs: Mapping[int, float],
        moved: Mapping[int, float],
        was: Mapping[int, float],
        now: Mapping[int, float],
    ) -> bool:
        """Whether finite gradients are finite still, and the same; a sum in another order may differ by roundings,
        which are not there in float64."""
        if not self.old.grad:
            return True
        pairs = [(x, y) for x, y in self._gradients(was, now, self.a) if math.isfinite(x)]
        if all(_close(x, y) for x, y in pairs):
            return True
        given = {number: self.a.round(x) for number, x in {**inputs, **moved}.items()}
        exact = forward(self.before, given, _EXACT, void=True)
        exact_now = forward(self.after, given, _EXACT, void=True)
        return (
            all(math.isfinite(y) for _, y in pairs)
            and exact is not None
            and exact_now is not None
            and all(_close(x, y) for x, y in self._gradients(exact, exact_now, _EXACT) if math.isfinite(x))
        )

    def _gradients(
        self, was: Mapping[int, float], now: Mapping[int, float], a: Arithmetic
    ) -> list[tuple[float, float]]:
        """The gradients of the free values, before and after."""
        slopes = backward(self.before, was, {self.old.number: 1.0}, a).by_number
        slopes_now = backward(self.after, now, {self.new.number: 1.0}, a).by_number
        back = {o: n for n, o in self.names.items()}
        free = [value.number for value in self.free if value.grad]
        return [(slopes.get(n, 0.0), slopes_now.get(back.get(n, n), 0.0)) for n in free]


def _within(value: Value, wanted: float) -> float:
    """`wanted` if a free value may be that, else a number in its region."""
    region = value.region if isinstance(value, Leaf) else R.FINITE
    return next((x for x in (wanted, abs(wanted), abs(wanted) % 1.0) if x in region), typical(region))


def _close(x: float, y: float) -> bool:
    return x == y or math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-30)
