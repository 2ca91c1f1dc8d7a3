"""Ops of two or three arguments: arithmetic, powers, quotients, extrema and what torch composes of them."""

from __future__ import annotations

import math
from collections.abc import Callable

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import (
    Backward,
    Image,
    Narrow,
    Op,
    Piece,
    Poison,
    Undefined,
    Value,
    image_of,
    never,
    no_narrowing,
    preimage_of,
    spelled,
)
from nanlint.regions import Region


def _row(
    name: str,
    value: Value,
    backward: Backward,
    image: Image,
    narrow: Narrow = no_narrowing,
    *,
    derivative: str,
    parameters: tuple[str, ...] = ("input", "other"),
    undefined: Undefined = never,
    poison: Poison | None = None,
    safe: tuple[float | None, ...] = (None, None),
    spellings: tuple[str, ...] | None = None,
    differentiable: bool = True,
) -> Op:
    return Op(
        name=name,
        parameters=parameters,
        value=value,
        backward=backward,
        image=image,
        narrow=narrow,
        undefined=undefined,
        poison=poison or _harmless,
        safe=safe,
        derivative=derivative,
        spellings=spelled(name) if spellings is None else spellings,
        differentiable=differentiable,
    )


def _harmless(a: Arithmetic, *regions: Region) -> tuple[Region, ...]:
    return tuple(R.EMPTY for _ in regions)


def _rounded(region: Region, a: Arithmetic) -> Region:
    """Beyond the largest number there is only infinity."""
    most = a.largest
    parts = region & R.interval(-most, most)
    if region.hi > most:
        parts |= R.point(math.inf)
    if region.lo < -most:
        parts |= R.point(-math.inf)
    return parts


# --- sums and products ---------------------------------------------------------------------------------------------


def _narrow_add(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    wide = _unrounded(out, a)
    return x & R.sub(wide, y), y & R.sub(wide, x)


def _narrow_sub(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    wide = _unrounded(out, a)
    return x & R.add(wide, y), y & R.sub(x, wide)


def _unrounded(out: Region, a: Arithmetic) -> Region:
    """What rounds into `out`: an infinite result may come of any sum over the largest number."""
    if math.inf in out:
        out |= R.above(a.largest)
    if -math.inf in out:
        out |= R.below(-a.largest)
    return out


def _narrow_mul(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    return _factor(a, out, x, y), _factor(a, out, y, x)


def _factor(a: Arithmetic, out: Region, x: Region, y: Region) -> Region:
    """The values of `x` for which some `y` makes the product lie in `out`."""
    if (0.0 in y and 0.0 in out) or (y & R.INFINITIES and out & R.INFINITIES):
        return x
    wide = _unrounded(out, a)
    if 0.0 in out:  # an underflow, or x itself is zero
        wide |= R.interval(-a.dtype.tiny, a.dtype.tiny)
    return x & R.mul(wide, R.inverse(y - R.ZERO)) if y - R.ZERO else R.EMPTY


def _add_undefined(x: Region, y: Region) -> bool:
    return (math.inf in x and -math.inf in y) or (-math.inf in x and math.inf in y)


def _sub_undefined(x: Region, y: Region) -> bool:
    return _add_undefined(x, R.neg(y))


def _mul_undefined(x: Region, y: Region) -> bool:
    return (0.0 in x and bool(y & R.INFINITIES)) or (0.0 in y and bool(x & R.INFINITIES))


def _mul_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    """The other factor is what poisons: `grad * other` is nan where `other` is infinite."""
    return R.INFINITIES, R.INFINITIES


# --- quotients -----------------------------------------------------------------------------------------------------


def _narrow_div(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    numerator = x if 0.0 in y and out & R.INFINITIES else x & R.mul(_unrounded(out, a), y)
    if 0.0 in out:
        numerator = x
    denominator = y
    infinite = x & R.INFINITIES and out & R.INFINITIES
    if not infinite and not (0.0 in x and 0.0 in out) and out - R.ZERO:
        denominator = y & (R.mul(x, R.inverse(out - R.ZERO)) | R.ZERO)
        if not out & R.INFINITIES:
            denominator -= R.ZERO
        if 0.0 in out:
            denominator = y
    return numerator, denominator


def _div_undefined(x: Region, y: Region) -> bool:
    return (0.0 in x and 0.0 in y) or (bool(x & R.INFINITIES) and bool(y & R.INFINITIES))


def _div_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    tiny = 1.0 / math.sqrt(a.largest)
    return R.EMPTY, R.interval(-tiny, tiny, True, True)


def _div_backward(a: Arithmetic, g: float, y: float, x: float, d: float) -> tuple[float, ...]:
    return a.div(g, d), a.mul(-g, a.div(a.div(x, d), d))


# --- powers --------------------------------------------------------------------------------------------------------


def _integral(p: float) -> bool:
    return math.isfinite(p) and p == int(p)


def _pow_pieces(p: float) -> tuple[Piece, ...]:
    rising = p > 0.0
    if not _integral(p):
        return (Piece(0.0, math.inf, rising),)
    left = rising if int(p) % 2 else not rising
    return (Piece(-math.inf, -0.0, left), Piece(0.0, math.inf, rising))


def _fixed(p: Region) -> float | None:
    points = p.points
    return points[0] if points is not None and len(points) == 1 else None


def _pow_image(a: Arithmetic, x: Region, p: Region) -> Region:
    exponent = _fixed(p)
    if exponent is not None:
        return image_of(a, lambda v: A.power(v, exponent), _pow_pieces(exponent), x)
    return R.NONNEGATIVE if x <= R.NONNEGATIVE else R.ALL


def _narrow_pow(a: Arithmetic, out: Region, x: Region, p: Region) -> tuple[Region, ...]:
    exponent = _fixed(p)
    if exponent is None or exponent == 0.0:
        return x, p
    return preimage_of(a, lambda v: A.power(v, exponent), _pow_pieces(exponent), out, x), p


def _pow_undefined(x: Region, p: Region) -> bool:
    points = p.points
    whole = points is not None and all(_integral(value) for value in points)
    return not whole and bool(x & R.below(0.0))


def _pow_poison(a: Arithmetic, x: Region, p: Region) -> tuple[Region, ...]:
    exponent = _fixed(p)
    if exponent is None:
        return R.below(0.0, closed=True), R.below(0.0)
    return _base_poison(a, exponent), R.below(0.0)


def _base_poison(a: Arithmetic, p: float) -> Region:
    """Where `p * x ** (p - 1)` is infinite or nan."""
    if p == 0.0:
        return R.EMPTY
    slope = p - 1.0
    region = R.EMPTY if _integral(p) else R.below(0.0)
    if slope < 0.0:
        tiny = A.power(a.largest, 1.0 / slope)
        region |= R.interval(-tiny, tiny) if p != 1.0 else R.EMPTY
    elif slope > 0.0:
        most = A.power(a.largest, 1.0 / slope)
        region |= R.above(most) | R.below(-most)
    return region


def _pow_backward(a: Arithmetic, g: float, y: float, x: float, p: float) -> tuple[float, ...]:
    base = 0.0 if p == 0.0 else a.mul(g, a.mul(p, a.pow(x, a.sub(p, 1.0))))
    if x == 0.0 and p >= 0.0:
        return base, 0.0
    return base, a.mul(g, a.mul(y, a.of(A.logarithm, x)))


# --- extrema -------------------------------------------------------------------------------------------------------


def _narrow_max(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    cap = R.interval(-math.inf, out.hi) if out else R.EMPTY
    return _reach(x & cap, y, out), _reach(y & cap, x, out)


def _reach(x: Region, other: Region, out: Region) -> Region:
    """If `other` cannot give `out` by itself, `x` has to."""
    return x if other & out else x & out


def _narrow_min(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    floor = R.interval(out.lo, math.inf) if out else R.EMPTY
    return _reach(x & floor, y, out), _reach(y & floor, x, out)


def _pick(x: float, y: float, first: bool, second: bool) -> float:
    if x != x or y != y:
        return A.NAN
    return x if first else y


def _maximum(a: Arithmetic, x: float, y: float) -> float:
    return _pick(x, y, x >= y, y > x)


def _minimum(a: Arithmetic, x: float, y: float) -> float:
    return _pick(x, y, x <= y, y < x)


def _halves(wins: Callable[[float, float], bool]) -> Backward:
    """Backward of an extremum: the winner takes all, a tie is shared."""

    def backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
        half = a.div(g, 2.0)
        first = half if p == q else g
        second = half if p == q else g
        return (0.0 if wins(q, p) else first), (0.0 if wins(p, q) else second)

    return backward


# --- the rest ------------------------------------------------------------------------------------------------------


def _xlogy(a: Arithmetic, x: float, y: float) -> float:
    if y != y:
        return y
    return 0.0 if x == 0.0 else a.mul(x, a.of(A.logarithm, y))


def _xlogy_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    first = 0.0 if p == 0.0 and q <= 0.0 else a.mul(g, a.of(A.logarithm, q))
    return first, a.div(a.mul(g, p), q)


def _xlogy_undefined(x: Region, y: Region) -> bool:
    return bool(y & R.below(0.0))


def _signed_image(a: Arithmetic, x: Region, y: Region) -> Region:
    return R.ALL


def _atan2_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    square = a.add(a.mul(p, p), a.mul(q, q))
    scaled = 0.0 if square == 0.0 else a.div(g, square)
    return a.mul(scaled, q), a.mul(scaled, -p)


def _hypot_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    return a.mul(g, a.div(p, y)), a.mul(g, a.div(q, y))


def _hypot_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    return (R.ZERO, R.ZERO) if 0.0 in x and 0.0 in y else (R.EMPTY, R.EMPTY)


def _remainder(a: Arithmetic, x: float, y: float) -> float:
    if y == 0.0 or not math.isfinite(x):
        return A.NAN
    return a.round(x - math.floor(x / y) * y) if math.isfinite(y) else x


def _fmod(a: Arithmetic, x: float, y: float) -> float:
    return a.round(math.fmod(x, y)) if y != 0.0 and math.isfinite(x) else A.NAN


def _zero_second(x: Region, y: Region) -> bool:
    return 0.0 in y


def _zero_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    return R.EMPTY, R.ZERO


def _lerp(a: Arithmetic, x: float, y: float, w: float) -> float:
    return a.add(x, a.mul(w, a.sub(y, x)))


def _logaddexp(a: Arithmetic, x: float, y: float) -> float:
    top = max(x, y)
    if not math.isfinite(top):
        return top
    return a.round(top + math.log(math.exp(x - top) + math.exp(y - top)))


def _logaddexp_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    first, second = a.of(A.exponential, a.sub(p, q)), a.of(A.exponential, a.sub(q, p))
    return a.div(g, a.add(1.0, second)), a.div(g, a.add(1.0, first))


ROWS: tuple[Op, ...] = (
    _row(
        "add",
        lambda a, x, y: a.add(x, y),
        lambda a, g, y, p, q: (g, g),
        lambda a, x, y: _rounded(R.add(x, y), a),
        _narrow_add,
        undefined=_add_undefined,
        derivative="add: grad, grad",
    ),
    _row(
        "sub",
        lambda a, x, y: a.sub(x, y),
        lambda a, g, y, p, q: (g, -g),
        lambda a, x, y: _rounded(R.sub(x, y), a),
        _narrow_sub,
        undefined=_sub_undefined,
        derivative="sub: grad, -grad",
        spellings=spelled("sub") + spelled("subtract"),
    ),
    _row(
        "mul",
        lambda a, x, y: a.mul(x, y),
        lambda a, g, y, p, q: (a.mul(g, q), a.mul(g, p)),
        lambda a, x, y: _rounded(R.mul(x, y), a) | (R.ZERO if 0.0 in x or 0.0 in y else R.EMPTY),
        _narrow_mul,
        undefined=_mul_undefined,
        poison=_mul_poison,
        derivative="mul: mul_tensor_backward(grad, other), mul_tensor_backward(grad, self)",
        spellings=spelled("mul") + spelled("multiply"),
    ),
    _row(
        "div",
        lambda a, x, y: a.div(x, y),
        _div_backward,
        lambda a, x, y: _rounded(R.div(x, y), a),
        _narrow_div,
        undefined=_div_undefined,
        poison=_div_poison,
        safe=(None, 1.0),
        derivative="div: grad / other, -grad * ((self / other) / other)",
        spellings=spelled("div") + spelled("divide") + spelled("true_divide"),
    ),
    _row(
        "pow",
        lambda a, x, p: a.pow(x, p),
        _pow_backward,
        _pow_image,
        _narrow_pow,
        parameters=("input", "exponent"),
        undefined=_pow_undefined,
        poison=_pow_poison,
        safe=(1.0, None),
        derivative="pow: pow_backward_self(grad, self, exponent), pow_backward_exponent(...)",
    ),
    _row(
        "maximum",
        _maximum,
        _halves(lambda p, q: p > q),
        lambda a, x, y: R.upper_of(x, y),
        _narrow_max,
        derivative="maximum: grad.masked_fill(self <= other, 0) with ties halved",
        spellings=spelled("maximum", "torch.fmax"),
    ),
    _row(
        "minimum",
        _minimum,
        _halves(lambda p, q: p < q),
        lambda a, x, y: R.lower_of(x, y),
        _narrow_min,
        derivative="minimum: grad.masked_fill(self >= other, 0) with ties halved",
        spellings=spelled("minimum", "torch.fmin"),
    ),
    _row(
        "xlogy",
        _xlogy,
        _xlogy_backward,
        _signed_image,
        undefined=_xlogy_undefined,
        poison=lambda a, x, y: (R.EMPTY, R.ZERO),
        safe=(None, 1.0),
        derivative="xlogy: at::xlogy(grad, other).masked_fill((self == 0.) & (other <= 0.), 0.), grad * self / other",
        spellings=spelled("xlogy", "torch.special.xlogy"),
    ),
    _row(
        "atan2",
        lambda a, x, y: a.round(math.atan2(x, y)),
        _atan2_backward,
        lambda a, x, y: R.interval(-3.1415928, 3.1415928),
        derivative="atan2: atan2_backward(grad, self, other)",
        spellings=spelled("atan2") + spelled("arctan2"),
    ),
    _row(
        "hypot",
        lambda a, x, y: a.round(math.hypot(x, y)),
        _hypot_backward,
        lambda a, x, y: R.NONNEGATIVE,
        poison=_hypot_poison,
        safe=(1.0, None),
        derivative="hypot: grad * (self / result), grad * (other / result)",
    ),
    _row(
        "remainder",
        _remainder,
        lambda a, g, y, p, q: (g, -g * (math.floor(p / q) if q != 0.0 else A.NAN)),
        _signed_image,
        undefined=_zero_second,
        poison=_zero_poison,
        safe=(None, 1.0),
        derivative="remainder: grad, -grad * self.div(other, 'floor')",
    ),
    _row(
        "fmod",
        _fmod,
        lambda a, g, y, p, q: (g, -g * (math.trunc(p / q) if q != 0.0 else A.NAN)),
        _signed_image,
        undefined=_zero_second,
        poison=_zero_poison,
        safe=(None, 1.0),
        derivative="fmod: grad, -grad * self.div(other, 'trunc')",
    ),
    _row(
        "floor_divide",
        lambda a, x, y: a.round(math.floor(A.divide(x, y))) if math.isfinite(A.divide(x, y)) else A.divide(x, y),
        lambda a, g, y, p, q: (0.0, 0.0),
        _signed_image,
        derivative="floor_divide: not differentiable",
        spellings=spelled("floor_divide"),
        differentiable=False,
    ),
    _row(
        "logaddexp",
        _logaddexp,
        _logaddexp_backward,
        lambda a, x, y: R.interval(max(x.lo, y.lo), math.inf),
        derivative="logaddexp: grad / (1 + exp(other - self)), grad / (1 + exp(self - other))",
    ),
    _row(
        "lerp",
        _lerp,
        lambda a, g, y, p, q, w: (a.mul(g, a.sub(1.0, w)), a.mul(g, w), a.mul(g, a.sub(q, p))),
        lambda a, x, y, w: R.ALL,
        parameters=("input", "end", "weight"),
        safe=(None, None, None),
        derivative="lerp: grad * (1 - weight), grad * weight, grad * (end - self)",
    ),
)
