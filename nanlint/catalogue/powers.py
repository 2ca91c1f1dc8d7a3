"""Roots, powers and reciprocals."""

from __future__ import annotations

import math
from functools import lru_cache, partial

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, FLOAT16, Arithmetic
from nanlint.catalogue.domains import Op, everywhere, spelled
from nanlint.catalogue.pieces import Piece, image_of, poison_of, preimage_of
from nanlint.catalogue.rows import VALLEY, of, row, unary
from nanlint.regions import Region

_HYPERBOLA = ((-math.inf, -0.0, False), (0.0, math.inf, False))
_NEGATIVE = R.below(0.0)


def power(a: Arithmetic, x: float, p: float) -> float:
    """`x ** p` as torch has it for a number `p`: the common exponents have kernels of their own."""
    wide = a.wide
    if abs(p) == 0.5 and a.dtype is not FLOAT16:
        return a.of(A.root if p > 0.0 else _inverse_root, x)
    if p == 3.0:
        return a.round(wide.mul(wide.mul(x, x), x))
    if p == -2.0:
        return a.round(wide.div(1.0, wide.mul(x, x)))
    return a.pow(x, p)


def _inverse_root(x: float) -> float:
    return A.divide(1.0, A.root(x))


# --- x ** p --------------------------------------------------------------------------------------------------------


def _integral(p: float) -> bool:
    return math.isfinite(p) and p == math.floor(p)


def _pieces(p: float) -> tuple[Piece, ...]:
    """Where `x ** p` is monotone in x."""
    rising = p > 0.0
    if not _integral(p):
        return (Piece(-0.0, -0.0, rising), Piece(0.0, math.inf, rising))
    left = rising if p % 2.0 == 1.0 else not rising
    return (Piece(-math.inf, -0.0, left), Piece(0.0, math.inf, rising))


def _fixed(p: Region) -> float | None:
    points = p.points
    return points[0] if points is not None and len(points) == 1 else None


def _base(p: float, a: Arithmetic, x: float) -> float:
    return power(a, x, p)


def _image(a: Arithmetic, x: Region, p: Region) -> Region:
    exponent = _fixed(p)
    if exponent is None or math.isinf(exponent):
        if not x <= R.NONNEGATIVE:
            return R.ALL
        return R.NONNEGATIVE | (R.point(-math.inf) if 0.0 in x else R.EMPTY)
    made = image_of(a, partial(_base, exponent, a), _pieces(exponent), x)
    if -math.inf in x and not _integral(exponent):  # C's pow has a value there, and mostly torch uses it
        made |= R.point(*(y for y in (power(a, -math.inf, exponent),) if y == y))
    return made


def _narrow(a: Arithmetic, out: Region, x: Region, p: Region) -> tuple[Region, ...]:
    exponent = _fixed(p)
    if exponent is None or exponent == 0.0 or math.isinf(exponent):
        return x, p
    return preimage_of(partial(_base, exponent, a), _pieces(exponent), out, x) | x & R.point(-math.inf), p


def _undefined(x: Region, p: Region) -> bool:
    points = p.points
    whole = points is not None and all(_integral(value) for value in points)
    return not whole and bool(x & _NEGATIVE)


def _poison(a: Arithmetic, x: Region, p: Region) -> tuple[Region, ...]:
    """An unknown exponent is looked at for its sign only, not for the overflow that a large one brings."""
    exponent = _fixed(p)
    if exponent is None:
        return R.below(0.0, closed=True), _NEGATIVE
    return _base_poison(a, exponent), R.EMPTY


@lru_cache(maxsize=512)
def _base_poison(a: Arithmetic, p: float) -> Region:
    return poison_of(a, lambda a, x: power(a, x, p), lambda a, g, y, x: (_base_gradient(a, g, x, p),), (0.0,))


def _base_gradient(a: Arithmetic, g: float, x: float, p: float) -> float:
    return 0.0 if p == 0.0 else a.mul(g, a.mul(p, power(a, x, a.sub(p, 1.0))))


def _backward(a: Arithmetic, g: float, y: float, x: float, p: float) -> tuple[float, ...]:
    base = _base_gradient(a, g, x, p)
    slope = 0.0 if x == 0.0 and p >= 0.0 else a.mul(y, a.of(A.logarithm, x))
    return base, a.mul(g, slope)


_EXACT = ARITHMETIC["float64"]


def _float_power_backward(a: Arithmetic, g: float, y: float, x: float, p: float) -> tuple[float, ...]:
    return tuple(a.round(made) for made in _backward(_EXACT, g, y, x, p))


ROWS: tuple[Op, ...] = (
    unary(
        "sqrt",
        of(A.root),
        lambda a, g, y, x: (a.div(g, a.mul(2.0, y)),),
        ((0.0, math.inf, True),),
        undefined=_NEGATIVE,
        cuts=(0.0,),
        safe=1.0,
        derivative="sqrt: grad / (2 * result.conj())",
        spellings=everywhere("sqrt"),
    ),
    unary(
        "rsqrt",
        of(_inverse_root),
        lambda a, g, y, x: (a.mul(a.mul(-0.5, g), power(a, y, 3.0)),),
        ((-0.0, -0.0, False), (0.0, math.inf, False)),
        undefined=_NEGATIVE,
        cuts=(0.0,),
        safe=1.0,
        derivative="rsqrt: -0.5 * grad * result.pow(3).conj()",
        spellings=everywhere("rsqrt"),
    ),
    unary(
        "reciprocal",
        of(partial(A.divide, 1.0)),
        lambda a, g, y, x: (a.mul(-g, a.mul(y, y)),),
        _HYPERBOLA,
        cuts=(0.0,),
        safe=1.0,
        derivative="reciprocal: -grad * (result * result).conj()",
        spellings=everywhere("reciprocal"),
    ),
    unary(
        "square",
        of(lambda x: x * x),
        lambda a, g, y, x: (a.mul(g, a.mul(2.0, x)),),
        VALLEY,
        derivative="pow.Tensor_Scalar: pow_backward(grad, self, exponent)",
        spellings=everywhere("square"),
    ),
    row(
        "pow",
        power,
        _backward,
        _image,
        _narrow,
        parameters=("input", "exponent"),
        undefined=_undefined,
        poison=_poison,
        safe=(1.0, None),
        derivative="pow.Tensor_Tensor: pow_backward_self(grad, self, exponent), pow_backward_exponent(...)",
        landmarks=(0.0, 0.5, 1.0, 2.0, 3.0),
    ),
    row(
        "float_power",
        lambda a, x, p: power(_EXACT, x, p),
        _float_power_backward,
        lambda a, x, p: _image(_EXACT, x, p),
        lambda a, out, x, p: _narrow(_EXACT, out, x, p),
        parameters=("input", "exponent"),
        undefined=_undefined,
        poison=lambda a, x, p: _poison(_EXACT, x, p),
        safe=(1.0, None),
        derivative="float_power (composite): pow in float64",
        spellings=spelled("float_power"),
    ),
)
"""`pow` and `float_power` are not the same op: the latter computes in float64 whatever the dtype."""
