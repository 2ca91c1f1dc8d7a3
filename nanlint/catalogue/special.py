"""The gamma function's and the error function's relatives, Bessel functions: `torch.special` and its older names."""

from __future__ import annotations

import math

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue import special_functions as S
from nanlint.catalogue.domains import Op, everywhere, spelled
from nanlint.catalogue.rows import FALLING, PEAK, RISING, fused, of, row, unary
from nanlint.catalogue.steps import sign
from nanlint.regions import Region

_NEGATIVE = R.below(0.0)
_ROOT_PI = math.sqrt(math.pi)
_ROOT_2PI = math.sqrt(2.0 * math.pi)
_FAR = 1e38
_ROOT_HALF = math.sqrt(0.5)


def _gauss(a: Arithmetic, x: float) -> float:
    """exp(-x ** 2)."""
    return a.of(A.exponential, -a.mul(x, x))


# --- gamma ---------------------------------------------------------------------------------------------------------


def _polygamma_backward(a: Arithmetic, g: float, y: float, n: float, x: float) -> tuple[float, ...]:
    return 0.0, a.mul(g, _polygamma(a, n + 1.0, x))


def _polygamma(a: Arithmetic, n: float, x: float) -> float:
    return a.round(S.polygamma(n, x, a.wide))


def _polygamma_image(a: Arithmetic, n: Region, x: Region) -> Region:
    """Of one sign for a positive argument: that of the order's parity."""
    orders = n.points
    if orders is None or 0.0 in n or not x <= R.POSITIVE:
        return R.ALL
    signs = {order % 2.0 for order in orders}
    return R.ALL if len(signs) > 1 else R.NONNEGATIVE if signs == {1.0} else R.neg(R.NONNEGATIVE)


def _polygamma_undefined(n: Region, x: Region) -> bool:
    return bool(x & _NEGATIVE) or math.inf in x


def _zeta_backward(a: Arithmetic, g: float, y: float, s: float, q: float) -> tuple[float, ...]:
    return 0.0, a.mul(a.mul(g, -s), a.round(S.zeta(a.add(s, 1.0), q)))


def _zeta_image(a: Arithmetic, s: Region, q: Region) -> Region:
    return R.NONNEGATIVE if q <= R.NONNEGATIVE else R.ALL


def _multigamma(a: Arithmetic, x: float, p: float) -> float:
    parts = [a.of(S.log_gamma, a.add(x, 0.0 - j / 2.0)) for j in range(int(p))]
    return a.add(a.round(sum(parts)), p * (p - 1.0) / 4.0 * math.log(math.pi))


def _multigamma_backward(a: Arithmetic, g: float, y: float, x: float, p: float) -> tuple[float, ...]:
    return a.mul(g, a.round(sum(a.of(S.digamma, a.add(x, 0.0 - j / 2.0)) for j in range(int(p))))), 0.0


def _half_poles(a: Arithmetic, x: Region, p: Region) -> tuple[Region, ...]:
    """Up to (p - 1) / 2 every half and whole number is a pole."""
    return R.below(max(p.hi - 1.0, 0.0) / 2.0, closed=True) | R.interval(0.0, a.dtype.tiny), R.EMPTY


# --- incomplete gamma ----------------------------------------------------------------------------------------------


def _incomplete_slope(a: Arithmetic, s: float, x: float) -> float:
    """`exp((s - 1) * log(x) - x - lgamma(s))`."""
    exponent = a.sub(a.sub(a.mul(a.sub(s, 1.0), a.of(A.logarithm, x)), x), a.of(S.log_gamma, s))
    return a.of(A.exponential, exponent)


def _incomplete_undefined(s: Region, x: Region) -> bool:
    return bool((s | x) & _NEGATIVE) or (0.0 in s and 0.0 in x) or bool(s & x & R.INFINITIES)


def _incomplete_poison(a: Arithmetic, s: Region, x: Region) -> tuple[Region, ...]:
    """0 and below, and what is so near to 0 that the slope overflows."""
    return R.EMPTY, R.below(1e-3) if s & R.below(1.0, closed=True) else R.below(0.0)


# --- Bessel functions ----------------------------------------------------------------------------------------------


def _i0(w: Arithmetic, x: float) -> float:
    """The exponential overflows before the product does."""
    return w.mul(w.of(A.exponential, abs(x)), w.of(S.bessel_i0e, x))


def _i1(w: Arithmetic, x: float) -> float:
    return w.mul(w.of(A.exponential, abs(x)), w.of(S.bessel_i1e, x))


def _i0e_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    return (a.mul(g, a.sub(a.of(S.bessel_i1e, x), a.mul(sign(x), y))),)


def _i1_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    if not abs(x) > a.dtype.eps:
        return (a.mul(g, 0.5),)
    return (a.mul(g, a.sub(a.round(_i0(a.wide, x)), a.mul(y, a.div(1.0, x)))),)


def _i1e_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    if not abs(x) > a.dtype.eps:
        return (a.mul(g, 0.5),)
    slope = a.sub(a.of(S.bessel_i0e, x), a.mul(y, a.add(math.copysign(1.0, x), a.div(1.0, x))))
    return (a.mul(g, slope),)


# --- error function ------------------------------------------------------------------------------------------------


def _erf(a: Arithmetic, x: float) -> float:
    """In 16 bits by way of 1 - erfc(|x|) in float32, which leaves nothing of a small argument."""
    if a.wide is a:
        return a.of(math.erf, x)
    return a.round(math.copysign(a.wide.sub(1.0, a.wide.of(math.erfc, abs(x))), x)) if x == x else x


def _ndtr(a: Arithmetic, x: float) -> float:
    """`0.5 * (1 + erf(x / sqrt(2)))`: 0 from about -8 on, in float32 from about -5.5."""
    return a.mul(a.add(1.0, a.of(math.erf, a.times(x, _ROOT_HALF))), 0.5)


def _ndtr_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    slope = a.mul(2.0 / _ROOT_PI, _gauss(a, a.times(x, _ROOT_HALF)))
    return (a.times(a.mul(slope, a.mul(g, 0.5)), _ROOT_HALF),)


def _log_ndtr_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    density = a.of(A.exponential, -a.add(y, a.div(a.mul(x, x), 2.0)))
    return (a.mul(a.div(g, _ROOT_2PI), density),)


_POLES = R.point(0.0, -1.0, -2.0, -3.0, -4.0) | R.below(-4.0)

ROWS: tuple[Op, ...] = (
    row(
        "lgamma",
        of(S.log_gamma),
        lambda a, g, y, x: (a.mul(g, a.of(S.digamma, x)),),
        lambda a, x: R.above(-0.125) if x <= R.NONNEGATIVE else R.ALL,
        parameters=("input",),
        poison=lambda a, x: (_POLES | R.interval(-a.dtype.tiny, a.dtype.tiny),),
        safe=(1.0,),
        derivative="lgamma: grad * digamma(self)",
        spellings=spelled("lgamma", "torch.special.gammaln"),
        landmarks=(0.0, -1.0, -2.0, -3.0),
    ),
    row(
        "digamma",
        of(S.digamma),
        lambda a, g, y, x: (a.mul(g, a.round(S.trigamma(x, a.wide))),),
        lambda a, x: R.ALL,
        parameters=("input",),
        undefined=lambda x: bool(x & _NEGATIVE),
        poison=lambda a, x: (R.below(1.0),),
        safe=(1.0,),
        derivative="digamma: grad * polygamma(1, self)",
        spellings=spelled("digamma", "torch.special.digamma", "torch.special.psi"),
        landmarks=(0.0, -1.0, -2.0, -3.0),
    ),
    row(
        "polygamma",
        _polygamma,
        _polygamma_backward,
        _polygamma_image,
        parameters=("n", "input"),
        undefined=_polygamma_undefined,
        poison=lambda a, n, x: (R.EMPTY, R.below(1.0)),
        safe=(None, 1.0),
        derivative="polygamma: grad * polygamma(n + 1, self)",
        spellings=("torch.polygamma", "torch.special.polygamma"),
    ),
    row(
        "polygamma_method",
        lambda a, x, n: _polygamma(a, n, x),
        lambda a, g, y, x, n: _polygamma_backward(a, g, y, n, x)[::-1],
        lambda a, x, n: _polygamma_image(a, n, x),
        parameters=("input", "n"),
        undefined=lambda x, n: _polygamma_undefined(n, x),
        poison=lambda a, x, n: (R.below(1.0), R.EMPTY),
        safe=(1.0, None),
        derivative="polygamma: grad * polygamma(n + 1, self)",
        spellings=("Tensor.polygamma", "Tensor.polygamma_"),
    ),
    row(
        "mvlgamma",
        _multigamma,
        _multigamma_backward,
        lambda a, x, p: R.ALL,
        parameters=("input", "p"),
        poison=_half_poles,
        safe=(10.0, None),
        derivative="mvlgamma: mvlgamma_backward(grad, self, p)",
        spellings=spelled("mvlgamma", "torch.special.multigammaln"),
    ),
    row(
        "zeta",
        lambda a, s, q: a.round(S.zeta(s, q)),
        _zeta_backward,
        _zeta_image,
        undefined=lambda s, q: bool(s & R.below(1.0)) or bool(q & _NEGATIVE) or math.inf in s | q,
        poison=lambda a, s, q: (R.EMPTY, R.below(1.0)),
        safe=(None, 1.0),
        derivative="special_zeta: not_implemented, grad * -self * special_zeta(self + 1., other)",
        spellings=("torch.special.zeta",),
    ),
    *(
        row(
            name,
            lambda a, s, x, function=function: a.round(function(s, x)),
            lambda a, g, y, s, x, way=way: (0.0, a.mul(way * g, _incomplete_slope(a, s, x))),
            lambda a, s, x: R.UNIT,
            undefined=_incomplete_undefined,
            poison=_incomplete_poison,
            safe=(None, 1.0),
            derivative=f"{kernel}: not_implemented, grad * exp((self - 1) * log(other) - other - lgamma(self))",
            spellings=(f"torch.special.{name}", *spelled(kernel)),
        )
        for name, kernel, function, way in (
            ("gammainc", "igamma", S.lower_gamma, 1.0),
            ("gammaincc", "igammac", S.upper_gamma, -1.0),
        )
    ),
    unary(
        "erf",
        _erf,
        lambda a, g, y, x: (a.mul(a.mul(2.0 / _ROOT_PI, _gauss(a, x)), g),),
        RISING,
        derivative="erf: 2.0 / sqrt(M_PI) * exp(-(self.pow(2))) * grad",
        spellings=everywhere("erf", "torch.special.erf"),
    ),
    unary(
        "erfc",
        of(math.erfc),
        lambda a, g, y, x: (a.mul(a.mul(-2.0 / _ROOT_PI, _gauss(a, x)), g),),
        FALLING,
        derivative="erfc: -2.0 / sqrt(M_PI) * exp(-(self.pow(2))) * grad",
        spellings=everywhere("erfc", "torch.special.erfc"),
    ),
    unary(
        "erfcx",
        of(S.scaled_erfc),
        lambda a, g, y, x: (a.mul(a.sub(a.mul(a.mul(2.0, x), y), 2.0 / _ROOT_PI), g),),
        FALLING,
        wobble=1024.0,
        safe=0.0,
        derivative="special_erfcx: (2.0 * self * result - 2.0 / sqrt(M_PI)) * grad",
        spellings=("torch.special.erfcx",),
    ),
    unary(
        "erfinv",
        of(S.inverse_erf),
        lambda a, g, y, x: (a.mul(a.mul(0.5 * _ROOT_PI, a.of(A.exponential, a.mul(y, y))), g),),
        ((-1.0, 1.0, True),),
        undefined=R.below(-1.0) | R.above(1.0),
        cuts=(-1.0, 1.0),
        wobble=4.0,
        safe=0.0,
        derivative="erfinv: 0.5 * sqrt(M_PI) * exp(self.erfinv().pow(2)) * grad",
        spellings=spelled("erfinv", "torch.special.erfinv"),
    ),
    unary(
        "ndtr",
        _ndtr,
        _ndtr_backward,
        RISING,
        derivative="special_ndtr (composite): erf",
        spellings=("torch.special.ndtr",),
    ),
    unary(
        "log_ndtr",
        of(S.log_normal),
        _log_ndtr_backward,
        RISING,
        safe=0.0,
        derivative="special_log_ndtr: grad / std::sqrt(2 * M_PI) * (result + self.pow(2) / 2).neg().exp()",
        spellings=("torch.special.log_ndtr",),
    ),
    unary(
        "ndtri",
        of(S.normal_quantile),
        lambda a, g, y, x: (a.mul(a.mul(g, _ROOT_2PI), a.of(A.exponential, a.div(a.mul(y, y), 2.0))),),
        ((0.0, 1.0, True),),
        undefined=_NEGATIVE | R.above(1.0),
        cuts=(0.0, 1.0),
        wobble=4.0,
        safe=0.5,
        derivative="special_ndtri: grad * std::sqrt(2 * M_PI) * (result.square() / 2).exp()",
        spellings=("torch.special.ndtri",),
    ),
    unary(
        "i0",
        fused(_i0),
        lambda a, g, y, x: (a.mul(g, a.round(_i1(a.wide, x))),),
        ((-_FAR, 0.0, False), (0.0, _FAR, True)),
        bounds=R.INFINITIES,
        undefined=R.INFINITIES,
        wobble=8.0,
        safe=0.0,
        derivative="i0: grad * at::special_i1(self)",
        spellings=everywhere("i0", "torch.special.i0"),
    ),
    unary(
        "i0e",
        of(S.bessel_i0e),
        _i0e_backward,
        PEAK,
        wobble=8.0,
        derivative="special_i0e: grad * (at::special_i1e(self) - self.sgn() * result)",
        spellings=("torch.special.i0e",),
    ),
    unary(
        "i1",
        fused(_i1),
        _i1_backward,
        ((-_FAR, _FAR, True),),
        bounds=R.INFINITIES,
        undefined=R.INFINITIES,
        wobble=8.0,
        safe=0.0,
        derivative="special_i1: i1_backward(grad, self, result)",
        spellings=("torch.special.i1",),
    ),
    unary(
        "i1e",
        of(S.bessel_i1e),
        _i1e_backward,
        ((-1.5, 1.5, True),),
        bounds=R.interval(-0.22, 0.22),
        wobble=8.0,
        derivative="special_i1e: i1e_backward(grad, self, result)",
        spellings=("torch.special.i1e",),
    ),
)
