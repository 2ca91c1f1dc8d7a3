"""What rounding does to regions: the results that a dtype attains, and the exact results behind a rounded one."""

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
    return Interval(a.round(part.lo), a.round(part.hi), lo_open, hi_open)


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
    return Interval(lo, hi, lo_open, hi_open)


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
    """All products in the dtype; 0 * inf counts as 0."""
    return attained(R.mul(x, y), a) | _vanishing(x, y)


def quotient(x: Region, y: Region, a: Arithmetic) -> Region:
    """All quotients in the dtype."""
    return attained(R.div(x, y), a) | _vanishing(x, R.inverse(y - R.ZERO))


def _vanishing(x: Region, y: Region) -> Region:
    """0 where a product may underflow: one factor comes as near to it as it likes and the other is below 1."""
    small = R.interval(-1.0, 1.0, True, True)
    vanishes = (_reaches_zero(x) and y & small) or (_reaches_zero(y) and x & small)
    return R.ZERO if vanishes else R.EMPTY


def _reaches_zero(x: Region) -> bool:
    return any(0.0 in (part.lo, part.hi) and not part.is_point for part in x.intervals)
