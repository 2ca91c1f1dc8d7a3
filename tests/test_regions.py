"""The algebra of regions, on numbers that float64 adds, multiplies and divides without rounding."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import intervals, regions_with

from nanlint import regions as R
from nanlint.regions import Region

EIGHTHS = st.one_of(st.integers(-64, 64).map(lambda k: k / 8.0), st.sampled_from([-math.inf, math.inf, -0.0]))
POWERS = st.one_of(
    st.builds(lambda k, sign: sign * 2.0**k, st.integers(-8, 8), st.sampled_from([1.0, -1.0])),
    st.sampled_from([0.0, -math.inf, math.inf]),
)
REGIONS = st.lists(intervals(EIGHTHS), max_size=3).map(
    lambda parts: R.make(part for region in parts for part in region.intervals)
)


@st.composite
def held(draw: st.DrawFn, numbers: st.SearchStrategy[float]) -> tuple[float, Region]:
    """A number and a region that holds it."""
    member = draw(numbers)
    return member, draw(regions_with(member, numbers))


# --- nothing and everything ----------------------------------------------------------------------------------------


def test_the_empty_region_holds_nothing() -> None:
    assert not R.EMPTY
    assert R.EMPTY.points == ()
    assert (R.EMPTY.lo, R.EMPTY.hi) == (math.inf, -math.inf)
    assert str(R.EMPTY) == "nothing"


@given(REGIONS)
@settings(deadline=None)
def test_nothing_and_everything_are_neutral(a: Region) -> None:
    assert a | R.EMPTY == a
    assert a & R.ALL == a
    assert not a & R.EMPTY
    assert a | R.ALL == R.ALL
    assert ~R.EMPTY == R.ALL
    assert ~R.ALL == R.EMPTY


@pytest.mark.parametrize("rule", [R.add, R.sub, R.mul, R.div, R.lower_of, R.upper_of])
@given(a=REGIONS)
@settings(deadline=None)
def test_nothing_comes_of_nothing(rule: Callable[[Region, Region], Region], a: Region) -> None:
    assert rule(a, R.EMPTY) == R.EMPTY
    assert rule(R.EMPTY, a) == R.EMPTY


def test_an_interval_with_equal_open_ends_is_empty() -> None:
    assert R.interval(1.0, 1.0, True, False) == R.interval(1.0, 1.0, False, True) == R.EMPTY
    assert R.interval(2.0, 1.0) == R.EMPTY


# --- sets ----------------------------------------------------------------------------------------------------------


@given(REGIONS, REGIONS, EIGHTHS)
@settings(deadline=None)
def test_membership_follows_the_set_operations(a: Region, b: Region, x: float) -> None:
    assert (x in a | b) == (x in a or x in b)
    assert (x in a & b) == (x in a and x in b)
    assert (x in a - b) == (x in a and x not in b)
    assert (x in ~a) == (x not in a)


@given(REGIONS, REGIONS, REGIONS)
@settings(deadline=None)
def test_laws_of_set_algebra(a: Region, b: Region, c: Region) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a & b) & c == a & (b & c)
    assert a & (a | b) == a == a | (a & b)
    assert ~~a == a
    assert ~(a | b) == ~a & ~b
    assert ~(a & b) == ~a | ~b
    assert not a & ~a


@given(REGIONS, REGIONS)
@settings(deadline=None)
def test_order_is_inclusion(a: Region, b: Region) -> None:
    assert a & b <= a <= a | b
    assert (a <= b) == (a | b == b)


@given(REGIONS, REGIONS)
@settings(deadline=None)
def test_every_result_is_sorted_disjoint_and_without_empty_parts(a: Region, b: Region) -> None:
    made = [
        a,
        a | b,
        a & b,
        a - b,
        ~a,
        R.neg(a),
        R.add(a, b),
        R.sub(a, b),
        R.mul(a, b),
        R.div(a, b),
        R.inverse(a),
    ]
    for region in (*made, R.lower_of(a, b), R.upper_of(a, b), R.hull(a)):
        assert all(
            part.lo < part.hi or (part.lo == part.hi and not (part.lo_open or part.hi_open))
            for part in region.intervals
        )
        for left, right in pairwise(region.intervals):
            assert left.hi < right.lo or (left.hi == right.lo and left.hi_open and right.lo_open)


@given(st.lists(EIGHTHS, min_size=1, max_size=30), EIGHTHS)
@settings(deadline=None)
def test_more_than_most_intervals_are_joined_and_nothing_is_lost(values: list[float], x: float) -> None:
    region = R.point(*values)
    assert all(value in region for value in values)
    assert len(region.intervals) <= R.MOST
    if len(set(values)) <= R.MOST:
        assert (x in region) == (x in values)
    else:
        assert region.points is None
    assert region <= R.interval(min(values), max(values))


@given(REGIONS)
@settings(deadline=None)
def test_points_are_the_members_of_a_finite_region(a: Region) -> None:
    points = a.points
    if points is not None:
        assert R.point(*points) == a
    else:
        assert any(part.lo < part.hi for part in a.intervals)


@given(REGIONS, EIGHTHS)
@settings(deadline=None)
def test_hull_is_the_least_interval(a: Region, x: float) -> None:
    hull = R.hull(a)
    assert a <= hull
    assert len(hull.intervals) == min(len(a.intervals), 1)
    assert (hull.lo, hull.hi) == (a.lo, a.hi)


@given(EIGHTHS)
@settings(deadline=None)
def test_half_lines(x: float) -> None:
    assert x not in R.below(x)
    assert x in R.below(x, closed=True)
    assert R.above(x) == ~R.below(x, closed=True)
    assert R.above(x, closed=True) == ~R.below(x)


def test_text_shows_open_and_closed_ends() -> None:
    assert str(R.below(0.0) | R.point(1.0) | R.interval(2.0, 3.0, True, False)) == "[-inf, 0) | {1} | (2, 3]"


# --- arithmetic ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "on_numbers"), [(R.add, operator.add), (R.sub, operator.sub), (R.mul, operator.mul)]
)
@given(first=held(EIGHTHS), second=held(EIGHTHS))
@settings(deadline=None)
def test_what_members_give_is_a_member(
    rule: Callable[[Region, Region], Region],
    on_numbers: Callable[[float, float], float],
    first: tuple[float, Region],
    second: tuple[float, Region],
) -> None:
    (x, a), (y, b) = first, second
    made = on_numbers(x, y)
    if made == made:
        assert made in rule(a, b)
    else:
        assert {abs(x), abs(y)} & {math.inf}  # inf - inf and 0 * inf alone are no numbers


@given(held(EIGHTHS), held(POWERS))
@settings(deadline=None)
def test_quotients_of_members_are_members(first: tuple[float, Region], second: tuple[float, Region]) -> None:
    (x, a), (y, b) = first, second
    assume(not (x == 0.0 == y) and not math.isinf(x) * math.isinf(y))
    made = x / y if y else math.copysign(math.inf, x) * math.copysign(1.0, y)
    assert made in R.div(a, b)


@given(held(POWERS))
@settings(deadline=None)
def test_inverses_of_members_are_members(first: tuple[float, Region]) -> None:
    x, a = first
    if x:
        assert 1.0 / x in R.inverse(a)
    assert R.inverse(a) == R.inverse(a - R.ZERO)


@given(held(EIGHTHS), held(EIGHTHS))
@settings(deadline=None)
def test_extremes_of_members_are_members(first: tuple[float, Region], second: tuple[float, Region]) -> None:
    (x, a), (y, b) = first, second
    assert min(x, y) in R.lower_of(a, b)
    assert max(x, y) in R.upper_of(a, b)


@given(REGIONS, EIGHTHS)
@settings(deadline=None)
def test_negation_mirrors(a: Region, x: float) -> None:
    assert (x in R.neg(a)) == (-x in a)
    assert R.neg(R.neg(a)) == a


@given(REGIONS, REGIONS)
@settings(deadline=None)
def test_sums_and_products_of_either_order_are_equal(a: Region, b: Region) -> None:
    assert R.add(a, b) == R.add(b, a)
    assert R.mul(a, b) == R.mul(b, a)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (R.add(R.interval(0.0, 1.0), R.interval(2.0, 3.0, True, False)), R.interval(2.0, 4.0, True, False)),
        (R.mul(R.POSITIVE, R.POSITIVE), R.POSITIVE),
        (R.mul(R.POSITIVE, R.NONNEGATIVE), R.NONNEGATIVE),
        (R.mul(R.point(2.0), R.interval(-1.0, 1.0, True, True)), R.interval(-2.0, 2.0, True, True)),
        (R.inverse(R.interval(0.0, 2.0)), R.interval(0.5, math.inf, False, True)),
        (R.inverse(R.above(2.0)), R.interval(0.0, 0.5, False, True)),
        (R.div(R.TRUE, R.ZERO), R.INFINITIES),
        (R.div(R.ZERO, R.ZERO), R.EMPTY),
        (R.div(R.point(5.0), R.point(3.0)), R.point(5.0 / 3.0)),
        (R.lower_of(R.ALL, R.ZERO), R.below(0.0, closed=True)),
        (R.upper_of(R.below(-1.0), R.interval(0.0, 1.0, False, True)), R.interval(0.0, 1.0, False, True)),
    ],
)
def test_no_more_is_said_than_can_be(made: Region, expected: Region) -> None:
    assert made == expected
