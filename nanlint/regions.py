"""Regions: finite unions of intervals with open or closed ends on the extended reals.

Pure algebra without any knowledge of ops or dtypes. A region never holds nan; whether a value may be nan
is kept beside it. More than `MOST` intervals are joined across the narrowest gaps, which only ever adds values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

INF = math.inf
MOST = 8


class Interval(NamedTuple):
    """The values between `lo` and `hi`; an open end is not a member itself. Never empty, never nan, no end is -0.0."""

    lo: float
    hi: float
    lo_open: bool = False
    hi_open: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, (int, float)):
            return False
        above = value > self.lo or (value == self.lo and not self.lo_open)
        return above and (value < self.hi or (value == self.hi and not self.hi_open))

    @property
    def is_point(self) -> bool:
        """Whether the interval has exactly one member."""
        return self.lo == self.hi


@dataclass(slots=True, eq=False)
class Region:
    """A sorted tuple of intervals that neither overlap nor touch. It is never changed; to freeze it would cost time."""

    intervals: tuple[Interval, ...]
    _hash: int | None = field(default=None, init=False, repr=False)

    def __eq__(self, other: object) -> bool:
        # written out, for it is asked for each lookup of what is known of some regions
        return self is other or (isinstance(other, Region) and self.intervals == other.intervals)

    def __hash__(self) -> int:
        # once for each region: the same few are looked up again and again
        if self._hash is None:
            self._hash = hash(self.intervals)
        return self._hash

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, value: object) -> bool:
        for part in self.intervals:  # noqa: SIM110 - a loop, for nothing is asked more often
            if value in part:
                return True
        return False

    def __or__(self, other: Region) -> Region:
        return make(self.intervals + other.intervals)

    def __and__(self, other: Region) -> Region:
        if self is other or other is ALL or self.intervals == other.intervals:
            return self
        if self is ALL:
            return other
        parts: list[Interval] = []
        mine, theirs = self.intervals, other.intervals
        i = j = 0
        while i < len(mine) and j < len(theirs):
            met = _meet(mine[i], theirs[j])
            if met is not None:
                parts.append(met)
            if mine[i].hi < theirs[j].hi:
                i += 1
            else:
                j += 1
        if len(parts) > MOST:
            return make(parts)
        met_all = tuple(parts)
        return self if met_all == mine else Region(met_all)

    def __invert__(self) -> Region:
        parts: list[Interval] = []
        lo, lo_open = -INF, False
        for part in self.intervals:
            _append(parts, lo, part.lo, lo_open, not part.lo_open)
            lo, lo_open = part.hi, not part.hi_open
        _append(parts, lo, INF, lo_open, False)
        return Region(tuple(parts))

    def __sub__(self, other: Region) -> Region:
        return self & ~other

    def __le__(self, other: Region) -> bool:
        return not self - other

    @property
    def lo(self) -> float:
        """The greatest lower bound; `inf` for the empty region."""
        return self.intervals[0].lo if self.intervals else INF

    @property
    def hi(self) -> float:
        """The least upper bound; `-inf` for the empty region."""
        return self.intervals[-1].hi if self.intervals else -INF

    @property
    def points(self) -> tuple[float, ...] | None:
        """The members, if the region is a finite set; None otherwise."""
        if all(part.is_point for part in self.intervals):
            return tuple(part.lo for part in self.intervals)
        return None

    def __str__(self) -> str:
        return " | ".join(_show(part) for part in self.intervals) or "nothing"


def _show(part: Interval) -> str:
    if part.is_point:
        return f"{{{part.lo:g}}}"
    lo, hi = part.lo + 0.0, part.hi + 0.0  # no -0
    return f"{'(' if part.lo_open else '['}{lo:g}, {hi:g}{')' if part.hi_open else ']'}"


def _append(parts: list[Interval], lo: float, hi: float, lo_open: bool, hi_open: bool) -> None:
    if lo < hi or (lo == hi and not lo_open and not hi_open):
        parts.append(Interval(lo + 0.0, hi + 0.0, lo_open, hi_open))  # never -0.0, which equals 0.0


def _meet(a: Interval, b: Interval) -> Interval | None:
    lo, hi, lo_open, hi_open = a
    other_lo, other_hi, other_lo_open, other_hi_open = b
    whole = True
    if other_lo > lo or (other_lo == lo and other_lo_open and not lo_open):
        lo, lo_open, whole = other_lo, other_lo_open, False
    if other_hi < hi or (other_hi == hi and other_hi_open and not hi_open):
        hi, hi_open, whole = other_hi, other_hi_open, False
    if whole:
        return a
    if lo > hi or (lo == hi and (lo_open or hi_open)):
        return None
    return Interval(lo, hi, lo_open, hi_open)


def _touch(a: Interval, b: Interval) -> bool:
    return b.lo < a.hi or (b.lo == a.hi and not (a.hi_open and b.lo_open))


def make(intervals: Iterable[Interval]) -> Region:
    """The union of `intervals`, which may overlap and come in any order."""
    merged: list[Interval] = []
    for part in sorted(intervals, key=lambda part: (part.lo, part.lo_open)):
        if merged and _touch(merged[-1], part):
            last = merged[-1]
            hi, hi_closed = max((last.hi, not last.hi_open), (part.hi, not part.hi_open))
            merged[-1] = Interval(last.lo, hi, last.lo_open, not hi_closed)
        else:
            merged.append(part)
    while len(merged) > MOST:
        _join_nearest(merged)
    return Region(tuple(merged))


def _join_nearest(parts: list[Interval]) -> None:
    gaps = [b.lo - a.hi for a, b in pairwise(parts)]
    at = gaps.index(min(gaps))
    a, b = parts[at], parts.pop(at + 1)
    parts[at] = Interval(a.lo, b.hi, a.lo_open, b.hi_open)


def interval(lo: float, hi: float, lo_open: bool = False, hi_open: bool = False) -> Region:
    """The region of one interval; empty if its ends leave no member."""
    parts: list[Interval] = []
    _append(parts, lo, hi, lo_open, hi_open)
    return Region(tuple(parts))


def point(*values: float) -> Region:
    """The finite set of `values` (nan is not allowed)."""
    return make(Interval(value + 0.0, value + 0.0) for value in values)


def _rounded(lo: float, hi: float, lo_open: bool, hi_open: bool) -> Region:
    """A computed interval: where rounding has brought its ends together, that point is a member."""
    return interval(lo, hi, lo_open, hi_open) if lo < hi else point(lo)


def below(value: float, closed: bool = False) -> Region:
    """Everything under `value`, with it if `closed`."""
    return interval(-INF, value, False, not closed)


def above(value: float, closed: bool = False) -> Region:
    """Everything over `value`, with it if `closed`."""
    return interval(value, INF, not closed, False)


EMPTY = Region(())
ALL = interval(-INF, INF)
TRUTH = point(0.0, 1.0)
TRUE = point(1.0)
FALSE = point(0.0)
ZERO = point(0.0)
NONZERO = ~ZERO
NONNEGATIVE = above(0.0, closed=True)
POSITIVE = above(0.0)
INFINITIES = point(-INF, INF)
FINITE = ~INFINITIES
UNIT = interval(0.0, 1.0)


def hull(region: Region) -> Region:
    """The smallest single interval that holds `region`."""
    if len(region.intervals) < 2:
        return region
    first, last = region.intervals[0], region.intervals[-1]
    return Region((Interval(first.lo, last.hi, first.lo_open, last.hi_open),))


def combine(a: Region, b: Region, rule: Callable[[Interval, Interval], Interval | Region]) -> Region:
    """The union of `rule` over all pairs of intervals of `a` and `b`."""
    parts: list[Interval] = []
    for x in a.intervals:
        for y in b.intervals:
            made = rule(x, y)
            parts.extend(made.intervals if isinstance(made, Region) else (made,))
    return make(parts)


def add(a: Region, b: Region) -> Region:
    """All sums; `inf - inf`, which is nan, is left out."""
    return combine(a, b, _add)


def _add(x: Interval, y: Interval) -> Region:
    lo, hi = x.lo + y.lo, x.hi + y.hi
    if lo != lo or hi != hi:
        return ALL
    lo_open = _sum_open(x.lo, x.lo_open, y.lo, y.lo_open)
    return _rounded(lo, hi, lo_open, _sum_open(x.hi, x.hi_open, y.hi, y.hi_open))


def _sum_open(p: float, p_open: bool, q: float, q_open: bool) -> bool:
    """A sum of two ends is open if one of them is; an infinite member swallows whatever is added."""
    if math.isinf(p) or math.isinf(q):
        return not ((math.isinf(p) and not p_open) or (math.isinf(q) and not q_open))
    return p_open or q_open


def neg(a: Region) -> Region:
    """All negatives."""
    return Region(
        tuple(Interval(0.0 - p.hi, 0.0 - p.lo, p.hi_open, p.lo_open) for p in reversed(a.intervals))
    )


def sub(a: Region, b: Region) -> Region:
    """All differences; `inf - inf`, which is nan, is left out."""
    return add(a, neg(b))


def mul(a: Region, b: Region) -> Region:
    """All products; `0 * inf`, which is nan, counts as 0."""
    return combine(a, b, _mul)


def _mul(x: Interval, y: Interval) -> Region:
    made = _spanned(_corner(*p, *q) for p in _ends(x) for q in _ends(y))
    return made | ZERO if 0.0 in x or 0.0 in y else made


def _ends(part: Interval) -> tuple[tuple[float, bool], tuple[float, bool]]:
    return (part.lo, part.lo_open), (part.hi, part.hi_open)


def _spanned(corners: Iterable[tuple[float, bool]]) -> Region:
    """From the least to the greatest of values that are open or closed."""
    values = list(corners)
    lo, lo_open = min(values)
    hi, hi_closed = max((value, not is_open) for value, is_open in values)
    return _rounded(lo, hi, lo_open, not hi_closed)


def _corner(p: float, p_open: bool, q: float, q_open: bool) -> tuple[float, bool]:
    """The product of two ends; where one is 0 or infinite by itself, it alone says whether that is attained."""
    if p == 0.0 or q == 0.0:
        return 0.0, (p_open or p != 0.0) and (q_open or q != 0.0)
    if math.isinf(p) or math.isinf(q):
        return p * q, (p_open or not math.isinf(p)) and (q_open or not math.isinf(q))
    return p * q, p_open or q_open


def div(a: Region, b: Region) -> Region:
    """All quotients as IEEE 754 has them: `x / 0` is infinite; `0 / 0` and `inf / inf` are left out."""
    result = combine(a, make(_signed(b)), _div)
    if 0.0 in b and a - ZERO:
        result = result | INFINITIES
    return result


def _div(x: Interval, y: Interval) -> Region:
    """`y` is all positive or all negative; an end at 0 is open."""
    sign = 1.0 if y.hi > 0.0 else -1.0
    return _spanned(_quotient(*p, q, q_open, sign) for p in _ends(x) for q, q_open in _ends(y))


def _quotient(p: float, p_open: bool, q: float, q_open: bool, sign: float) -> tuple[float, bool]:
    if p == 0.0 or math.isinf(q):
        return 0.0, (p_open or p != 0.0) and (q_open or not math.isinf(q))
    if q == 0.0:
        return math.copysign(INF, p) * sign, p_open or not math.isinf(p)
    return p / q, p_open if math.isinf(p) else p_open or q_open


def _signed(b: Region) -> Iterator[Interval]:
    """The negative and the positive members, without 0."""
    for part in b.intervals:
        if part.lo < 0.0:
            yield part if part.hi < 0.0 else Interval(part.lo, 0.0, part.lo_open, True)
        if part.hi > 0.0:
            yield part if part.lo > 0.0 else Interval(0.0, part.hi, True, part.hi_open)


def inverse(b: Region) -> Region:
    """All reciprocals of the non-zero members."""
    return make(part for signed in _signed(b) for part in _flip(signed).intervals)


def _flip(part: Interval) -> Region:
    lo = -INF if part.hi == 0.0 else 1.0 / part.hi
    hi = INF if part.lo == 0.0 else 1.0 / part.lo
    return _rounded(lo, hi, part.hi_open, part.lo_open)


def lower_of(a: Region, b: Region) -> Region:
    """All values of `min(x, y)`."""
    return (a & _up_to(b)) | (b & _up_to(a))


def upper_of(a: Region, b: Region) -> Region:
    """All values of `max(x, y)`."""
    return neg(lower_of(neg(a), neg(b)))


def _up_to(b: Region) -> Region:
    return interval(-INF, b.hi, False, b.intervals[-1].hi_open) if b else EMPTY
