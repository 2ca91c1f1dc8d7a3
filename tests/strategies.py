"""Regions and programs for property tests."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from nanlint import regions as R
from nanlint.proof.programs.grammar import grown
from nanlint.proof.programs.writing import Program, written
from nanlint.regions import Region

_FLAGS = st.integers(0, 31)


def programs() -> SearchStrategy[Program]:
    """Programs in one of their spellings; only their seeds are drawn, so that they are as random as in a long run."""
    return st.integers(0, 2**32).map(program_from)


def program_from(seed: int) -> Program:
    """A random program in one of its spellings."""
    random = Random(seed)
    return written(grown(random), random)


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
