"""Regions for property tests."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from nanlint import regions as R
from nanlint.regions import Region

_FLAGS = st.integers(0, 31)


@st.composite
def regions_with(draw: DrawFn, member: float, ends: SearchStrategy[float]) -> Region:
    """A region that holds `member`: an interval around it, and maybe another one."""
    flags = draw(_FLAGS)
    lo = min(member, draw(ends)) if flags & 1 else member
    hi = max(member, draw(ends)) if flags & 2 else member
    around = R.interval(lo, hi, lo < member and bool(flags & 4), hi > member and bool(flags & 8))
    return around | draw(intervals(ends)) if flags & 16 else around


@st.composite
def intervals(draw: DrawFn, ends: SearchStrategy[float]) -> Region:
    """A region of one interval, or of none if its ends are equal and open."""
    lo, hi = sorted((draw(ends), draw(ends)))
    flags = draw(_FLAGS)
    return R.interval(lo, hi, bool(flags & 1), bool(flags & 2))
