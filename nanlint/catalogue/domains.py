"""The row types of the catalogue, and what follows from a row: images, preimages and poison sets.

A row says how torch computes an op on Python floats, forward and backward. Everything else that the analysis needs
of a unary op is derived from that and from its monotone pieces.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.regions import Interval, Region

Value: TypeAlias = Callable[..., float]
"""`value(a, *args)`: the op on floats in the arithmetic `a`."""
Backward: TypeAlias = Callable[..., tuple[float, ...]]
"""`backward(a, g, y, *args)`: the gradient of each argument, for upstream `g` and result `y`, as torch computes it."""
Image: TypeAlias = Callable[..., Region]
"""`image(a, *regions)`: all values of the op over the regions of its arguments."""
Narrow: TypeAlias = Callable[..., tuple[Region, ...]]
"""`narrow(a, out, *regions)`: the arguments' regions without what cannot give a result in `out`."""
Undefined: TypeAlias = Callable[..., bool]
"""`undefined(*regions)`: whether the value may be nan although no argument is."""
Poison: TypeAlias = Callable[..., tuple[Region, ...]]
"""`poison(a, *regions)`: for each argument, where backward turns an upstream 0 into nan."""


class Piece(NamedTuple):
    """An interval with closed ends on which a unary function is monotone."""

    lo: float
    hi: float
    rising: bool


@dataclass(frozen=True)
class Op:
    """One op: the whole truth about it.

    `parameters` are torch's names of the differentiable arguments, in order. `poison` gives each argument's poison
    set; `safe` a value for each argument at which nothing is singular (None where there is no need for one).
    `derivative` is the entry of torch's derivatives.yaml that `backward` mirrors.
    """

    name: str
    parameters: tuple[str, ...]
    value: Value
    backward: Backward
    image: Image
    narrow: Narrow
    undefined: Undefined
    poison: Poison
    safe: tuple[float | None, ...]
    derivative: str
    spellings: tuple[str, ...]
    differentiable: bool = True
    boolean: bool = False
    overflows: bool = False
    """Whether its poison sets come of overflow only: no point is singular."""
    landmarks: tuple[float, ...] = ()
    """Where the formula changes: what is right next to these has to be looked at with care."""

    @property
    def singular(self) -> bool:
        """Whether any argument can have a poison set, so that the op can be a hazard's site."""
        return any(value is not None for value in self.safe)


def spelled(name: str, *more: str) -> tuple[str, ...]:
    """The usual spellings of `name` (`torch.name`, `Tensor.name`, in place) and `more`."""
    return (f"torch.{name}", f"Tensor.{name}", f"Tensor.{name}_", *more)


def no_narrowing(a: Arithmetic, out: Region, *regions: Region) -> tuple[Region, ...]:
    """The arguments as they are: the result says nothing about them."""
    return regions


def never(*regions: Region) -> bool:
    """The value is never nan of itself."""
    return False


# floats in order as integers, so that a bisection visits at most 64 of them
_FLOAT = struct.Struct("d")
_INTEGER = struct.Struct("q")


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


Scalar: TypeAlias = Callable[[float], float]


def image_of(a: Arithmetic, function: Scalar, pieces: tuple[Piece, ...], region: Region) -> Region:
    """The values of a piecewise monotone `function` over `region`, rounded outward to what the dtype attains."""
    parts: list[Interval] = []
    for part in region.intervals:
        for piece in pieces:
            for met in (Region((part,)) & R.interval(piece.lo, piece.hi)).intervals:
                parts.extend(_image_of_piece(a, function, met, piece.rising).intervals)
    return R.make(parts)


def _image_of_piece(a: Arithmetic, function: Scalar, part: Interval, rising: bool) -> Region:
    lo, lo_open = _end(a, function, part.lo, part.lo_open, math.inf)
    hi, hi_open = _end(a, function, part.hi, part.hi_open, -math.inf)
    if lo != lo or hi != hi:
        return R.ALL
    return R.interval(lo, hi, lo_open, hi_open) if rising else R.interval(hi, lo, hi_open, lo_open)


def _end(a: Arithmetic, function: Scalar, end: float, is_open: bool, inward: float) -> tuple[float, bool]:
    value = a.of(function, end)
    if not is_open:
        return value, False
    inner = a.round(end)
    if inner == end or (inner > end) != (inward > end):  # rounded onto the end or past it
        inner = math.nextafter(end, inward)
    return value, a.of(function, inner) != value


def preimage_of(a: Arithmetic, function: Scalar, pieces: tuple[Piece, ...], out: Region, of: Region) -> Region:
    """The members of `of` which a piecewise monotone `function` maps into `out`, in the dtype's rounding."""
    if out == R.ALL:
        return of
    parts: list[Interval] = []
    for piece in pieces:
        inside = of & R.interval(piece.lo, piece.hi)
        if inside:
            for target in out.intervals:
                parts.extend(_preimage_of_piece(a, function, piece, R.hull(inside), target).intervals)
    return R.make(parts) & of


def _preimage_of_piece(a: Arithmetic, f: Scalar, piece: Piece, inside: Region, target: Interval) -> Region:
    lo, hi = inside.lo, inside.hi
    above = _at_least(a, f, target)
    under = _at_most(a, f, target)
    first, last = (above, under) if piece.rising else (under, above)
    start = lo if first(lo) else first_float(lo, hi, first)
    stop = hi if last(hi) else last_float(lo, hi, last)
    if start is None or stop is None or start > stop:
        return R.EMPTY
    return R.interval(*_opened(a, f, target, piece, start, stop, lo, hi))


def _at_least(a: Arithmetic, f: Scalar, target: Interval) -> Callable[[float], bool]:
    if target.lo_open:
        return lambda x: a.of(f, x) > target.lo
    return lambda x: a.of(f, x) >= target.lo


def _at_most(a: Arithmetic, f: Scalar, target: Interval) -> Callable[[float], bool]:
    if target.hi_open:
        return lambda x: a.of(f, x) < target.hi
    return lambda x: a.of(f, x) <= target.hi


def _opened(
    a: Arithmetic, f: Scalar, target: Interval, piece: Piece, start: float, stop: float, lo: float, hi: float
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
    for lo, hi in zip(ends, ends[1:], strict=False):
        middle = _middle(lo, hi, a.dtype.tiny)
        parts.extend(_poisoned_between(poisoned, math.nextafter(lo, hi), middle, math.nextafter(hi, lo)))
    return R.make(parts)


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


def unary(
    name: str,
    function: Scalar,
    backward: Backward,
    pieces: tuple[tuple[float, float, bool], ...] = (),
    *,
    derivative: str,
    bounds: Region = R.ALL,
    undefined: Region = R.EMPTY,
    cuts: tuple[float, ...] = (),
    safe: float | None = None,
    spellings: tuple[str, ...] | None = None,
    differentiable: bool = True,
) -> Op:
    """The row of a unary op that computes `function`.

    `pieces` are its monotone pieces (all of its domain, or empty where it is not piecewise monotone: then its values
    are anything in `bounds`); `undefined` is where it is nan; `cuts` where its derivative is singular.
    """
    parts = tuple(Piece(*piece) for piece in pieces)

    def value(a: Arithmetic, x: float) -> float:
        return a.of(function, x)

    def image(a: Arithmetic, x: Region) -> Region:
        if parts:
            return image_of(a, function, parts, x)
        points = x.points
        return R.point(*(a.of(function, p) for p in points if p not in undefined)) if points else bounds

    def narrow(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
        return (preimage_of(a, function, parts, out, x) if parts else x,)

    def poison(a: Arithmetic, x: Region) -> tuple[Region, ...]:
        return (poison_of(a, value, backward, cuts),) if safe is not None else (R.EMPTY,)

    return Op(
        name=name,
        parameters=("input",),
        value=value,
        backward=backward,
        image=image,
        narrow=narrow,
        undefined=lambda x: bool(x & undefined),
        poison=poison,
        safe=(safe,),
        derivative=derivative,
        spellings=spelled(name) if spellings is None else spellings,
        differentiable=differentiable,
        overflows=safe is not None and not cuts,
        landmarks=tuple(dict.fromkeys([*cuts, *(end for part in parts for end in (part.lo, part.hi))])),
    )
