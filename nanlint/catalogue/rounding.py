"""What rounding does to regions: the results that a dtype attains, and the exact results behind a rounded one.

Regions are computed in float64; where the dtype is float64 itself, these roundings are allowed for too, except among
its subnormal numbers.
"""

from __future__ import annotations

import math

from nanlint import regions as R
from nanlint.arithmetic import FLOAT64, Arithmetic
from nanlint.regions import Interval, Region


def attained(region: Region, a: Arithmetic) -> Region:
    """What the dtype makes of exact results in `region`: rounded, and infinite over the largest number.

    An open end may be rounded onto, except at 0: sums and differences never round to it (for products and quotients
    see there).
    """
    return R.make(_attained(part, a) for part in region.intervals)


def _attained(part: Interval, a: Arithmetic) -> Interval:
    lo_open, hi_open = part.lo_open and part.lo == 0.0, part.hi_open and part.hi == 0.0
    return Interval(a.round(part.lo) + 0.0, a.round(part.hi) + 0.0, lo_open, hi_open)


def behind(out: Region, a: Arithmetic) -> Region:
    """The exact results that may round into `out`: somewhat more, and all that overflow where `out` is infinite."""
    wide = R.make(_behind(part, a) for part in out.intervals)
    if math.inf in out:
        wide |= R.above(a.largest)
    if -math.inf in out:
        wide |= R.below(-a.largest)
    return wide


def _behind(part: Interval, a: Arithmetic) -> Interval:
    lo, lo_open = _moved(part.lo, part.lo_open, -1.0, a)
    hi, hi_open = _moved(part.hi, part.hi_open, 1.0, a)
    return Interval(lo + 0.0, hi + 0.0, lo_open, hi_open)


def _moved(end: float, is_open: bool, outward: float, a: Arithmetic) -> tuple[float, bool]:
    """An end a rounding further out, of the dtype and of these float64 computations; 0 is never rounded to."""
    if math.isinf(end) or end == 0.0:
        return end, is_open
    step = abs(end) * (a.dtype.eps + FLOAT64.eps) + a.dtype.tiny * a.dtype.eps
    return end + outward * step, False


def vanished(out: Region, a: Arithmetic) -> Region:
    """`behind` for products and quotients, which may underflow to 0 as well."""
    wide = behind(out, a)
    return wide | R.interval(-a.dtype.tiny, a.dtype.tiny) if 0.0 in out else wide


def loosened(region: Region, a: Arithmetic, steps: float) -> Region:
    """`region` with its ends moved outward by `steps` roundings; 0 and the infinities stay."""
    return R.make(_loosened(part, steps * a.dtype.eps) for part in region.intervals)


def _loosened(part: Interval, share: float) -> Interval:
    lo, hi = part.lo - abs(part.lo) * share, part.hi + abs(part.hi) * share
    return Interval(
        part.lo if math.isinf(part.lo) else lo,
        part.hi if math.isinf(part.hi) else hi,
        part.lo_open and lo == part.lo,
        part.hi_open and hi == part.hi,
    )


def product(x: Region, y: Region, a: Arithmetic) -> Region:
    """All products in the dtype, with 0 where one may underflow; 0 * inf counts as 0."""
    vanishes = x and y and a.round(_least(x, a) * _least(y, a)) == 0.0
    return attained(R.mul(x, y), a) | (R.ZERO if vanishes else R.EMPTY)


def quotient(x: Region, y: Region, a: Arithmetic) -> Region:
    """All quotients in the dtype, with 0 where one may underflow."""
    vanishes = x and y and a.round(_least(x, a) / max(abs(y.lo), abs(y.hi), 1.0)) == 0.0
    return attained(R.div(x, y), a) | (R.ZERO if vanishes else R.EMPTY)


def _least(x: Region, a: Arithmetic) -> float:
    """The least magnitude in a region, but for 0 itself: there is a smallest number in a dtype."""
    ends = [abs(end) for part in x.intervals for end in (part.lo, part.hi)]
    crossing = any(part.lo < 0.0 < part.hi for part in x.intervals)
    return max(0.0 if crossing else min(ends), a.dtype.tiny * a.dtype.eps)
