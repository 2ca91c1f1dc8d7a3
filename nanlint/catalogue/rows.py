"""How rows are written: `unary` derives an op's images and poison set from its formula, `row` takes them as given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
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


@dataclass(frozen=True)
class _Shape:
    """What is known of a unary function besides its formula, and so its images and preimages."""

    value: Value
    pieces: tuple[Piece, ...]
    bounds: Region
    undefined: Region
    wobble: float

    @cached_property
    def bumpy(self) -> Region:
        """Where it is not known to be monotone."""
        return ~(domain(self.pieces) | self.undefined)

    def image(self, a: Arithmetic, x: Region) -> Region:
        """All its values over `x`."""
        made = image_of(a, partial(self.value, a), self.pieces, x)
        if self.wobble:
            made = loosened(made, a, self.wobble)
        outside = x & self.bumpy if self.bumpy else R.EMPTY
        return made | self._elsewhere(a, outside) if outside else made

    def _elsewhere(self, a: Arithmetic, x: Region) -> Region:
        points = x.points
        if points is None:
            return loosened(self.bounds, a, self.wobble)
        signed = [*points, -0.0] if 0.0 in points else points
        return R.point(*(y for y in (self.value(a, p) for p in signed) if y == y))

    def narrow(self, a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
        """The members of `x` that it may map into `out`."""
        wanted = loosened(out, a, self.wobble) if self.wobble else out
        return (preimage_of(partial(self.value, a), self.pieces, wanted, x) | x & self.bumpy,)


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
    further: Mapping[str, object] = MappingProxyType({}),
) -> Op:
    """The row of a unary op.

    `pieces` are where it is monotone, as (lo, hi, rising), but for `wobble` roundings; elsewhere its values are
    anything in `bounds`. `undefined` is where it is nan, `doubtful` where it may be. `cuts` are where its derivative
    is singular or its formula changes; `poles` are more places of that kind, too many to name each: a region that
    holds them.
    """
    shape = _Shape(value, tuple(Piece(*piece) for piece in pieces), bounds, undefined, wobble)
    unsure = undefined | doubtful
    ends = [end for piece in pieces for end in piece[:2]] + [
        end for part in poles.intervals for end in part[:2]
    ]
    return Op(
        name=name,
        parameters=("input",),
        value=value,
        backward=backward,
        image=shape.image,
        narrow=shape.narrow,
        undefined=lambda x: bool(x & unsure),
        poison=partial(_poison, value, backward, cuts, poles) if differentiable else harmless,
        safe=(safe,),
        derivative=derivative,
        spellings=spelled(name) if spellings is None else spellings,
        differentiable=differentiable,
        overflows=safe is not None and not cuts,
        landmarks=tuple(dict.fromkeys([*cuts, *ends])),
        further=further,
    )


def _poison(
    value: Value, backward: Backward, cuts: tuple[float, ...], poles: Region, a: Arithmetic, x: Region
) -> tuple[Region, ...]:
    """The poison set of a unary op; of single points among the `poles` the formula itself is asked."""
    points = (x & poles).points
    asked = poles if points is None else R.point(*(p for p in points if _spoils(a, value, backward, [p])))
    return (poison_of(a, value, backward, cuts) - poles | asked,)


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
    further: Mapping[str, object] = MappingProxyType({}),
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
        further=further,
    )


def _spoils(a: Arithmetic, value: Value, backward: Backward, at: list[float]) -> bool:
    """Whether an upstream 0 becomes nan at one point."""
    made = backward(a, 0.0, value(a, *at), *at)
    return any(g != g for g in made)
