"""What the property tests of regions and of the catalogue draw from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from nanlint import regions as R
from nanlint.arithmetic import FLOAT64, Arithmetic
from nanlint.regions import Region

PLAIN = tuple(
    sign * size
    for size in (
        0.0,
        1.0,
        0.5,
        2.0,
        3.0,
        10.0,
        0.1,
        0.25,
        1.5,
        20.0,
        88.0,
        100.0,
        1e-3,
        1e-10,
        1e-20,
        1e20,
        math.inf,
    )
    for sign in (1.0, -1.0)
)


def numbers(a: Arithmetic, landmarks: Sequence[float] = ()) -> SearchStrategy[float]:
    """Numbers of a dtype: plain ones, what lies next to `landmarks`, and any. Never nan.

    float64 comes without its subnormal numbers: regions are computed in float64 themselves.
    """
    marked = [
        a.round(mark * (1.0 + step * a.dtype.eps))
        for mark in landmarks
        for step in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    anything = st.one_of(
        st.sampled_from([*PLAIN, *landmarks, *marked]),
        st.floats(-3.0, 3.0),
        st.floats(allow_nan=False, allow_subnormal=False),
        st.floats(width=32, allow_nan=False),
        st.floats(width=16, allow_nan=False),
    )
    return anything.map(lambda x: _normal(a.round(x), a))


def _normal(x: float, a: Arithmetic) -> float:
    return math.copysign(0.0, x) if a.dtype is FLOAT64 and abs(x) < 1e-290 else x


@st.composite
def regions_with(draw: DrawFn, member: float, ends: SearchStrategy[float]) -> Region:
    """A region that holds `member`: an interval around it and up to two more."""
    low, high = draw(st.sampled_from([member, draw(ends)])), draw(st.sampled_from([member, draw(ends)]))
    lo, hi = min(low, member), max(high, member)
    around = R.interval(lo, hi, lo < member and draw(st.booleans()), hi > member and draw(st.booleans()))
    more = draw(st.lists(intervals(ends), max_size=2))
    return R.make([*around.intervals, *(part for region in more for part in region.intervals)])


@st.composite
def intervals(draw: DrawFn, ends: SearchStrategy[float]) -> Region:
    """A region of one interval, or of none if its ends are equal and open."""
    lo, hi = sorted((draw(ends), draw(ends)))
    return R.interval(lo, hi, draw(st.booleans()), draw(st.booleans()))
