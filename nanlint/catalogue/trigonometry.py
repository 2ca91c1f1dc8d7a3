"""Trigonometric and hyperbolic functions, their inverses, and angles."""

from __future__ import annotations

import math
from functools import lru_cache

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op, everywhere, spelled
from nanlint.catalogue.pieces import last_float
from nanlint.catalogue.rounding import attained
from nanlint.catalogue.rows import RISING, VALLEY, fused, fused_backward, of, row, unary
from nanlint.regions import Region

_OUTSIDE_UNIT = R.below(-1.0) | R.above(1.0)
_QUARTER = math.pi / 2.0


def _inner_root(a: Arithmetic, x: float, sign: float) -> float:
    """`rsqrt(1 + sign * x ** 2)`, the derivative that the inverse functions share."""
    return a.of(lambda v: A.divide(1.0, A.root(v)), a.add(a.mul(sign * x, x), 1.0))


def _tanh_backward(w: Arithmetic, g: float, y: float, x: float) -> float:
    """g * (1 - y ** 2), with the one rounding of a fused multiplication."""
    return w.mul(g, w.round((1.0 - y) * (1.0 + y)))


def _sinc(w: Arithmetic, x: float) -> float:
    angle = w.times(x, math.pi)
    return 1.0 if angle == 0.0 else w.div(w.of(A.total(math.sin), angle), angle)


def _sinc_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """`(pi * x * cos(pi * x) - sin(pi * x)) / (pi * x ** 2)` as torch rounds it."""
    angle, square = a.times(x, math.pi), a.times(a.mul(x, x), math.pi)
    if square == 0.0:
        return (0.0,)
    sine, cosine = a.of(A.total(math.sin), angle), a.of(A.total(math.cos), angle)
    return (a.mul(g, a.div(a.sub(a.mul(angle, cosine), sine), square)),)


# --- of two sides --------------------------------------------------------------------------------------------------


def _atan2_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    square = a.add(a.mul(p, p), a.mul(q, q))
    inverse = 0.0 if square == 0.0 else a.div(1.0, square)
    return a.mul(a.mul(g, q), inverse), a.mul(a.mul(g, -p), inverse)


def _atan2_image(a: Arithmetic, x: Region, y: Region) -> Region:
    """Between -pi and pi; positive with the first side, and at most a right angle with a positive second one."""
    most = _QUARTER if y <= R.POSITIVE else math.pi
    return attained(R.interval(0.0 if x <= R.POSITIVE else -most, 0.0 if R.neg(x) <= R.POSITIVE else most), a)


def _atan2_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    """Where the sum of squares is no 0, which torch rescues, but its inverse overflows."""
    near = _steep_square(a)
    return (near, near) if x & near and y & near else (R.EMPTY, R.EMPTY)


@lru_cache(maxsize=8)
def _steep_square(a: Arithmetic) -> Region:
    most = last_float(0.0, 1.0, lambda v: math.isinf(a.div(1.0, a.mul(v, v)))) or 0.0
    return R.interval(-most, most)


def _hypot_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    return a.div(a.mul(g, p), y), a.div(a.mul(g, q), y)


def _hypot_image(a: Arithmetic, x: Region, y: Region) -> Region:
    if not x or not y:
        return R.EMPTY
    first, second = (x | R.neg(x)) & R.NONNEGATIVE, (y | R.neg(y)) & R.NONNEGATIVE
    away = 0.0 not in first or 0.0 not in second
    ends = math.hypot(first.lo, second.lo), math.hypot(first.hi, second.hi)
    return attained(R.interval(*ends, away and ends[0] == 0.0), a)


def _hypot_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    return (R.ZERO, R.ZERO) if 0.0 in x and 0.0 in y else (R.EMPTY, R.EMPTY)


ROWS: tuple[Op, ...] = (
    unary(
        "sin",
        of(A.total(math.sin)),
        lambda a, g, y, x: (a.mul(g, a.of(A.total(math.cos), x)),),
        ((-_QUARTER, _QUARTER, True),),
        bounds=R.interval(-1.0, 1.0),
        undefined=R.INFINITIES,
        derivative="sin: grad * self.cos().conj()",
        spellings=everywhere("sin"),
    ),
    unary(
        "cos",
        of(A.total(math.cos)),
        lambda a, g, y, x: (a.mul(g, -a.of(A.total(math.sin), x)),),
        ((-math.pi, 0.0, True), (0.0, math.pi, False)),
        bounds=R.interval(-1.0, 1.0),
        undefined=R.INFINITIES,
        derivative="cos: grad * -self.sin().conj()",
        spellings=everywhere("cos"),
    ),
    unary(
        "tan",
        of(A.total(math.tan)),
        lambda a, g, y, x: (a.mul(g, a.add(1.0, a.mul(y, y))),),
        ((-_QUARTER, _QUARTER, True),),
        undefined=R.INFINITIES,
        poles=~R.interval(-1.5, 1.5),
        derivative="tan: grad * (1 + result.pow(2)).conj()",
        spellings=everywhere("tan"),
    ),
    unary(
        "sinc",
        fused(_sinc),
        _sinc_backward,
        ((-1.0, 0.0, True), (0.0, 1.0, False)),
        bounds=R.interval(-0.25, 0.25),
        undefined=R.INFINITIES,
        doubtful=~R.interval(-1e38, 1e38),
        wobble=4.0,
        derivative="sinc: sinc_backward(grad, self)",
        spellings=everywhere("sinc", "torch.special.sinc"),
    ),
    unary(
        "asin",
        of(lambda x: math.asin(x) if abs(x) <= 1.0 else A.NAN),
        lambda a, g, y, x: (a.mul(g, _inner_root(a, x, -1.0)),),
        ((-1.0, 1.0, True),),
        undefined=_OUTSIDE_UNIT,
        cuts=(-1.0, 1.0),
        safe=0.0,
        derivative="asin: grad * (-self * self + 1).rsqrt().conj()",
        spellings=everywhere("asin") + everywhere("arcsin"),
    ),
    unary(
        "acos",
        of(lambda x: math.acos(x) if abs(x) <= 1.0 else A.NAN),
        lambda a, g, y, x: (a.mul(g, -_inner_root(a, x, -1.0)),),
        ((-1.0, 1.0, False),),
        undefined=_OUTSIDE_UNIT,
        cuts=(-1.0, 1.0),
        safe=0.0,
        derivative="acos: grad * -((-self * self + 1).rsqrt()).conj()",
        spellings=everywhere("acos") + everywhere("arccos"),
    ),
    unary(
        "atan",
        of(math.atan),
        lambda a, g, y, x: (a.div(g, a.add(a.mul(x, x), 1.0)),),
        RISING,
        derivative="atan: grad / (self * self + 1).conj()",
        spellings=everywhere("atan") + everywhere("arctan"),
    ),
    unary(
        "sinh",
        of(A.hyperbolic_sine),
        lambda a, g, y, x: (a.mul(g, a.of(A.hyperbolic_cosine, x)),),
        RISING,
        safe=0.0,
        derivative="sinh: grad * self.cosh().conj()",
        spellings=everywhere("sinh"),
    ),
    unary(
        "cosh",
        of(A.hyperbolic_cosine),
        lambda a, g, y, x: (a.mul(g, a.of(A.hyperbolic_sine, x)),),
        VALLEY,
        safe=0.0,
        derivative="cosh: grad * self.sinh().conj()",
        spellings=everywhere("cosh"),
    ),
    unary(
        "tanh",
        of(math.tanh),
        fused_backward(_tanh_backward),
        RISING,
        derivative="tanh: tanh_backward(grad, result)",
        spellings=everywhere("tanh", "torch.nn.functional.tanh"),
    ),
    unary(
        "asinh",
        of(math.asinh),
        lambda a, g, y, x: (a.mul(g, _inner_root(a, x, 1.0)),),
        RISING,
        derivative="asinh: grad * (self.pow(2) + 1).rsqrt().conj()",
        spellings=everywhere("asinh") + everywhere("arcsinh"),
    ),
    unary(
        "acosh",
        of(lambda x: math.acosh(x) if x >= 1.0 else A.NAN),
        lambda a, g, y, x: (a.mul(g, a.of(lambda v: A.divide(1.0, A.root(v)), a.sub(a.mul(x, x), 1.0))),),
        ((1.0, math.inf, True),),
        undefined=R.below(1.0),
        cuts=(-1.0, 1.0),
        safe=2.0,
        derivative="acosh: grad * (self * self - 1).rsqrt()",
        spellings=everywhere("acosh") + everywhere("arccosh"),
    ),
    unary(
        "atanh",
        of(A.inverse_tanh),
        lambda a, g, y, x: (a.mul(g, a.div(1.0, a.sub(1.0, a.mul(x, x)))),),
        ((-1.0, 1.0, True),),
        undefined=_OUTSIDE_UNIT,
        cuts=(-1.0, 1.0),
        safe=0.0,
        derivative="atanh: grad * 1 / (1 - self.pow(2)).conj()",
        spellings=everywhere("atanh") + everywhere("arctanh"),
    ),
    unary(
        "deg2rad",
        lambda a, x: a.times(x, math.pi / 180.0),
        lambda a, g, y, x: (a.times(g, math.pi / 180.0),),
        RISING,
        derivative="deg2rad: deg2rad_backward(grad)",
        spellings=everywhere("deg2rad"),
    ),
    unary(
        "rad2deg",
        lambda a, x: a.times(x, 180.0 / math.pi),
        lambda a, g, y, x: (a.times(g, 180.0 / math.pi),),
        RISING,
        derivative="rad2deg: rad2deg_backward(grad)",
        spellings=everywhere("rad2deg"),
    ),
    row(
        "atan2",
        fused(lambda w, x, y: w.round(math.atan2(x, y))),
        _atan2_backward,
        _atan2_image,
        poison=_atan2_poison,
        derivative="atan2: atan2_backward(grad, self, other, grad_input_mask)",
        spellings=spelled("atan2") + spelled("arctan2"),
    ),
    row(
        "hypot",
        lambda a, x, y: a.round(math.hypot(x, y)),
        _hypot_backward,
        _hypot_image,
        poison=_hypot_poison,
        safe=(1.0, None),
        derivative="hypot: grad * self / result, grad * other / result",
    ),
)
