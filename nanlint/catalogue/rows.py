"""How rows are written: `unary` derives an op's images and poison set from its formula, `row` takes them as given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import (
    Backward,
    Image,
    Narrow,
    Op,
    Poison,
    Undefined,
    Value,
    never,
    no_narrowing,
    spelled,
)
from nanlint.catalogue.pieces import Piece, domain, image_of, poison_of, preimage_of
from nanlint.catalogue.rounding import loosened
from nanlint.regions import Region

RISING = ((-R.INF, R.INF, True),)
FALLING = ((-R.INF, R.INF, False),)
VALLEY = ((-R.INF, 0.0, False), (0.0, R.INF, True))
PEAK = ((-R.INF, 0.0, True), (0.0, R.INF, False))


def of(function: Callable[[float], float]) -> Value:
    """The value of an op that rounds `function`."""
    return lambda a, x: a.of(function, x)


def fused(function: Callable[..., float]) -> Value:
    """The value of an op that one kernel computes: in `function(a, ...)` the arithmetic is the kernel's own."""
    return lambda a, *args: a.round(function(a.wide, *args))


def fused_backward(function: Callable[..., float]) -> Backward:
    """The backward of a unary op that one kernel computes, `function(a, g, y, x)`."""
    return lambda a, g, y, x: (a.round(function(a.wide, g, y, x)),)


def flat(a: Arithmetic, g: float, y: float, *args: float) -> tuple[float, ...]:
    """The backward of a piecewise constant op: zeros, whatever comes from upstream."""
    return tuple(0.0 for _ in args)


def harmless(a: Arithmetic, *regions: Region) -> tuple[Region, ...]:
    """No poison in any argument."""
    return tuple(R.EMPTY for _ in regions)


def unary(
    name: str,
    value: Value,
    backward: Backward,
    pieces: tuple[tuple[float, float, bool], ...] = (),
    *,
    derivative: str,
    bounds: Region = R.ALL,
    undefined: Region = R.EMPTY,
    doubtful: Region = R.EMPTY,
    wobble: float = 0.0,
    cuts: tuple[float, ...] = (),
    poles: Region = R.EMPTY,
    safe: float | None = None,
    spellings: tuple[str, ...] | None = None,
    differentiable: bool = True,
) -> Op:
    """The row of a unary op.

    `pieces` are where it is monotone, as (lo, hi, rising), but for `wobble` roundings; elsewhere its values are
    anything in `bounds`. `undefined` is where it is nan, `doubtful` where it may be. `cuts` are where its derivative
    is singular or its formula changes; `poles` are more places of that kind, too many to name each: a region that
    holds them.
    """
    parts = tuple(Piece(*piece) for piece in pieces)
    bumpy, unsure = ~(domain(parts) | undefined), undefined | doubtful

    def image(a: Arithmetic, x: Region) -> Region:
        f = partial(value, a)
        outside = x & bumpy
        points = outside.points
        if points:
            signed = [*points, -0.0] if 0.0 in points else points
            rest = R.point(*(y for y in map(f, signed) if y == y))
        else:
            rest = loosened(bounds, a, wobble) if outside else R.EMPTY
        made = image_of(a, f, parts, x)
        return (loosened(made, a, wobble) if wobble else made) | rest

    def narrow(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
        wanted = loosened(out, a, wobble) if wobble else out
        return (preimage_of(partial(value, a), parts, wanted, x) | x & bumpy,)

    def poison(a: Arithmetic, x: Region) -> tuple[Region, ...]:
        if not differentiable:
            return (R.EMPTY,)
        points = (x & poles).points
        asked = poles if points is None else R.point(*(p for p in points if _spoils(a, value, backward, [p])))
        return (poison_of(a, value, backward, cuts) - poles | asked,)

    return Op(
        name=name,
        parameters=("input",),
        value=value,
        backward=backward,
        image=image,
        narrow=narrow,
        undefined=lambda x: bool(x & unsure),
        poison=poison,
        safe=(safe,),
        derivative=derivative,
        spellings=spelled(name) if spellings is None else spellings,
        differentiable=differentiable,
        overflows=safe is not None and not cuts,
        landmarks=tuple(dict.fromkeys([*cuts, *_ends(poles), *(end for part in parts for end in part[:2])])),
    )


def _ends(region: Region) -> list[float]:
    return [end for part in region.intervals for end in part[:2]]


def row(
    name: str,
    value: Value,
    backward: Backward,
    image: Image,
    narrow: Narrow = no_narrowing,
    *,
    derivative: str,
    parameters: tuple[str, ...] = ("input", "other"),
    undefined: Undefined = never,
    poison: Poison = harmless,
    safe: tuple[float | None, ...] | None = None,
    spellings: tuple[str, ...] | None = None,
    differentiable: bool = True,
    overflows: bool = False,
    landmarks: tuple[float, ...] = (),
    defaults: Mapping[str, float] = MappingProxyType({}),
) -> Op:
    """The row of an op of several arguments. `poison` may say too much of regions: of single points it is exact,
    because there the formula itself is asked."""

    def checked(a: Arithmetic, *regions: Region) -> tuple[Region, ...]:
        points = [region.points for region in regions]
        at = [values[0] for values in points if values is not None and len(values) == 1]
        if len(at) == len(regions) and not _spoils(a, value, backward, at):
            return harmless(a, *regions)
        return poison(a, *regions)

    return Op(
        name=name,
        parameters=parameters,
        value=value,
        backward=backward,
        image=image,
        narrow=narrow,
        undefined=undefined,
        poison=checked if differentiable else harmless,
        safe=safe or (None,) * len(parameters),
        derivative=derivative,
        spellings=spelled(name) if spellings is None else spellings,
        differentiable=differentiable,
        overflows=overflows,
        landmarks=landmarks,
        defaults=defaults,
    )


def _spoils(a: Arithmetic, value: Value, backward: Backward, at: list[float]) -> bool:
    """Whether an upstream 0 becomes nan at one point."""
    made = backward(a, 0.0, value(a, *at), *at)
    return any(g != g for g in made)
