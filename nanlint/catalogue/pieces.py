"""What follows from a formula on floats alone: images, preimages and poison sets, by bisection over the floats.

A unary function is told by its values in the dtype (already rounded) and by the pieces on which it is monotone.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Backward, Value
from nanlint.regions import Interval, Region

Scalar: TypeAlias = Callable[[float], float]
"""A function on floats whose results are rounded to the dtype."""

_FLOAT = struct.Struct("d")
_INTEGER = struct.Struct("q")


class Piece(NamedTuple):
    """An interval with closed ends on which a unary function is monotone."""

    lo: float
    hi: float
    rising: bool


# floats in order as integers, so that a bisection visits at most 64 of them
def _ordinal(value: float) -> int:
    (bits,) = _INTEGER.unpack(_FLOAT.pack(value))
    return int(bits) if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def _number(ordinal: int) -> float:
    bits = ordinal if ordinal >= 0 else -ordinal - 0x8000000000000000
    return float(_FLOAT.unpack(_INTEGER.pack(bits))[0])


def first_float(lo: float, hi: float, holds: Callable[[float], bool]) -> float | None:
    """The smallest float in [lo, hi] at which the monotone predicate `holds`, None if there is none."""
    if not holds(hi):
        return None
    low, high = _ordinal(lo), _ordinal(hi)
    while low < high:
        middle = (low + high) // 2
        if holds(_number(middle)):
            high = middle
        else:
            low = middle + 1
    return _number(high)


def last_float(lo: float, hi: float, holds: Callable[[float], bool]) -> float | None:
    """The largest float in [lo, hi] at which the falling monotone predicate `holds`, None if there is none."""
    found = first_float(-hi, -lo, lambda x: holds(-x))
    return None if found is None else -found


def domain(pieces: tuple[Piece, ...]) -> Region:
    """All of the pieces together."""
    return R.make(Interval(piece.lo + 0.0, piece.hi + 0.0) for piece in pieces)


# --- images --------------------------------------------------------------------------------------------------------


def image_of(a: Arithmetic, f: Scalar, pieces: tuple[Piece, ...], region: Region) -> Region:
    """The values of `f` over the members of `region` that lie in its pieces."""
    parts: list[Interval] = []
    for part in region.intervals:
        for piece in pieces:
            for met in (Region((part,)) & R.interval(piece.lo, piece.hi)).intervals:
                parts.extend(_image_of_piece(a, f, _signed(met, piece), piece.rising).intervals)
    return R.make(parts)


def _signed(part: Interval, piece: Piece) -> Interval:
    """With the piece's own sign of 0: 1 / x has two pieces that meet there."""
    lo = piece.lo if part.lo == piece.lo else part.lo
    return Interval(lo, piece.hi if part.hi == piece.hi else part.hi, part.lo_open, part.hi_open)


def _image_of_piece(a: Arithmetic, f: Scalar, part: Interval, rising: bool) -> Region:
    lo, lo_open = _end(a, f, part.lo, part.lo_open, math.inf)
    hi, hi_open = _end(a, f, part.hi, part.hi_open, -math.inf)
    if lo != lo or hi != hi:
        return R.ALL
    if not rising:
        (lo, lo_open), (hi, hi_open) = (hi, hi_open), (lo, lo_open)
    if lo >= hi:  # so near to each other that roundings decide
        return R.interval(hi, lo)
    return R.interval(lo, hi, lo_open, hi_open)


def _end(a: Arithmetic, f: Scalar, end: float, is_open: bool, inward: float) -> tuple[float, bool]:
    value = f(end)
    if not is_open:
        return value, False
    inner = a.round(end)
    if end == 0.0:
        inner = math.copysign(a.dtype.tiny * a.dtype.eps, inward)
    elif inner == end or (inner > end) != (inward > end):  # rounded onto the end or past it
        inner = math.nextafter(end, inward)
    return value, f(inner) != value


# --- preimages -----------------------------------------------------------------------------------------------------


def preimage_of(f: Scalar, pieces: tuple[Piece, ...], out: Region, of: Region) -> Region:
    """The members of `of` in the pieces of `f` which it maps into `out`."""
    if out == R.ALL:
        return of & domain(pieces)
    parts: list[Interval] = []
    for piece in pieces:
        inside = of & R.interval(piece.lo, piece.hi)
        if inside:
            for target in out.intervals:
                parts.extend(_preimage_of_piece(f, piece, R.hull(inside), target).intervals)
    return R.make(parts) & of


def _preimage_of_piece(f: Scalar, piece: Piece, inside: Region, target: Interval) -> Region:
    lo, hi, *_ = _signed(inside.intervals[0], piece)
    above = _at_least(f, target)
    under = _at_most(f, target)
    first, last = (above, under) if piece.rising else (under, above)
    start = lo if first(lo) else first_float(lo, hi, first)
    stop = hi if last(hi) else last_float(lo, hi, last)
    if start is None or stop is None or start > stop:
        return R.EMPTY
    return R.interval(*_opened(f, target, piece, start, stop, lo, hi))


def _at_least(f: Scalar, target: Interval) -> Callable[[float], bool]:
    if target.lo_open:
        return lambda x: f(x) > target.lo
    return lambda x: f(x) >= target.lo


def _at_most(f: Scalar, target: Interval) -> Callable[[float], bool]:
    if target.hi_open:
        return lambda x: f(x) < target.hi
    return lambda x: f(x) <= target.hi


def _opened(
    f: Scalar, target: Interval, piece: Piece, start: float, stop: float, lo: float, hi: float
) -> tuple[float, float, bool, bool]:
    """Say `x > 1` where the first float that works is the one after 1 and 1 maps onto the excluded end."""
    ends = (target.lo, target.lo_open), (target.hi, target.hi_open)
    (low_end, low_open), (high_end, high_open) = ends if piece.rising else ends[::-1]
    before, behind = math.nextafter(start, -math.inf), math.nextafter(stop, math.inf)
    open_start = low_open and before >= lo and f(before) == low_end
    open_stop = high_open and behind <= hi and f(behind) == high_end
    return (
        before if open_start else start,
        behind if open_stop else stop,
        open_start,
        open_stop,
    )


# --- poison sets ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def poison_of(a: Arithmetic, value: Value, backward: Backward, cuts: tuple[float, ...]) -> Region:
    """Where `backward` turns an upstream 0 into nan, found from the formula itself.

    `cuts` are the points where its behaviour may change for a reason other than overflow; between two of them the
    poisoned floats are looked for from either end.
    """
    ends = sorted({-a.largest, a.largest, 0.0, *cuts})

    def poisoned(x: float) -> bool:
        x = a.round(x)
        g = backward(a, 0.0, value(a, x), x)[0]
        return g != g

    parts = [Interval(x, x) for x in ends if poisoned(x)]
    for lo, hi in pairwise(ends):
        tries = [_middle(lo, hi, a.dtype.tiny), *(x for x in _ORDINARY if lo < x < hi)]
        middle = next((x for x in tries if not poisoned(x)), tries[0])
        parts.extend(_poisoned_between(poisoned, math.nextafter(lo, hi), middle, math.nextafter(hi, lo)))
    return R.make(parts)


_ORDINARY = (1.0, -1.0, 0.5, -0.5, 0.1, -0.1, 1.5, -1.5)


def _middle(lo: float, hi: float, tiny: float) -> float:
    """A point well inside, in magnitude too: between 0 and the largest number it is about 1."""
    if lo < 0.0 < hi:
        return 0.0
    small, large = sorted((abs(lo), abs(hi)))
    if large / max(small, tiny) < 4.0:
        return (lo + hi) / 2.0
    return math.copysign(math.sqrt(max(small, tiny)) * math.sqrt(large), lo + hi)


def _poisoned_between(
    poisoned: Callable[[float], bool], lo: float, middle: float, hi: float
) -> list[Interval]:
    parts: list[Interval] = []
    if poisoned(lo):
        stop = first_float(lo, middle, lambda x: not poisoned(x))
        before = math.nextafter(lo, -math.inf)
        parts.append(Interval(before, hi if stop is None else stop, True, True))
    if poisoned(hi):
        start = last_float(middle, hi, lambda x: not poisoned(x))
        behind = math.nextafter(hi, math.inf)
        parts.append(Interval(lo if start is None else start, behind, True, True))
    return parts
