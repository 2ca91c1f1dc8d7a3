"""Special functions that Python's `math` lacks, on floats, total: nan outside a domain, infinite at a pole.

Accurate to about 1e-13 relative (absolute next to a zero), except `trigamma`, which mirrors torch's own short series
digit by digit. Formula numbers are those of the NIST Digital Library of Mathematical Functions (https://dlmf.nist.gov).
"""

from __future__ import annotations

import math
from itertools import count

from nanlint.arithmetic import ARITHMETIC, INF, NAN, Arithmetic, divide, exponential, logarithm, power, total

_EXACT = ARITHMETIC["float64"]
_ROOT_PI = math.sqrt(math.pi)
_ROOT_2 = math.sqrt(2.0)
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
"""B2, B4, B6, ... (24.2.2)."""


# --- the gamma function and its logarithm's derivatives ------------------------------------------------------------


def log_gamma(x: float) -> float:
    """log|gamma(x)|, infinite at 0, -1, -2, ..."""
    if math.isinf(x) or (x <= 0.0 and _is_whole(x)):
        return INF
    try:
        return math.lgamma(x)
    except OverflowError:
        return INF


def _is_whole(x: float) -> bool:
    return math.isinf(x) or x == math.floor(x)


def digamma(x: float) -> float:
    """The derivative of `log_gamma` (5.11.2 with 5.5.2 and 5.5.4); infinite at 0, nan at -1, -2, ... as in torch."""
    if x == 0.0:
        return math.copysign(INF, -x)
    if x == INF or x != x:
        return x
    if x < 0.0:
        if _is_whole(x):
            return NAN
        return digamma(1.0 - x) - math.pi / math.tan(math.pi * math.fmod(x, 1.0))
    shift = 0.0
    while x < 10.0:
        shift -= 1.0 / x
        x += 1.0
    tail = sum(b / (2 * k * x ** (2 * k)) for k, b in enumerate(_BERNOULLI[:7], 1)) if x < 1e17 else 0.0
    return shift + math.log(x) - 0.5 / x - tail


def trigamma(x: float, w: Arithmetic = _EXACT) -> float:
    """The derivative of `digamma` by torch's series, which is good for about nine digits, in the arithmetic `w`.

    Reflected at negative arguments through sin(pi * x), which rounding keeps off 0: there is no pole at -1, -2, ...
    """
    if math.isinf(x):
        return 0.0 if x > 0.0 else NAN
    sign, result = 1.0, 0.0
    if x < 0.5:
        sine = w.of(total(math.sin), w.times(x, math.pi))
        sign, result = -1.0, -w.div(w.round(math.pi * math.pi), w.mul(sine, sine))
        x = w.sub(1.0, x)
    for _ in range(6):
        result = w.add(result, w.div(1.0, w.mul(x, x)))
        x = w.add(x, 1.0)
    square = w.div(1.0, w.mul(x, x))
    tail = 1.0 + 1.0 / (2.0 * x) + square * (1.0 / 6.0 - square * (1.0 / 30.0 - square * (1.0 / 42.0)))
    return sign * w.add(result, w.div(tail, x))


def polygamma(n: float, x: float, w: Arithmetic = _EXACT) -> float:
    """The `n`-th derivative of `digamma` for a whole `n` >= 0 (25.11.12)."""
    if n == 0.0:
        return digamma(x)
    if n == 1.0:
        return trigamma(x, w)
    sign = 1.0 if n % 2.0 == 1.0 else -1.0
    return sign * math.exp(math.lgamma(n + 1.0)) * zeta(n + 1.0, x)


def zeta(s: float, q: float) -> float:
    """The Hurwitz zeta function for s > 1 by Euler and Maclaurin's formula (25.11.28), infinite at q = 0, -1, ..."""
    if s == 1.0:
        return INF
    if s < 1.0 or s != s or q != q:
        return NAN
    if q <= 0.0:
        return INF if _is_whole(q) else _zeta_below(s, q) if _is_whole(s) else NAN
    total = 0.0
    for _ in range(10):
        total += power(q, -s)
        q += 1.0
    last = power(q, -s)
    total += last * q / (s - 1.0) + 0.5 * last
    factor = s
    for k, b in enumerate(_BERNOULLI, 1):
        term = factor * b / math.factorial(2 * k) * last / power(q, 2.0 * k - 1.0)
        total += term
        if abs(term) <= 1e-17 * abs(total):
            break
        factor *= (s + 2 * k - 1) * (s + 2 * k)
    return total


def _zeta_below(s: float, q: float) -> float:
    """For q < 0 and a whole s: the terms with a negative base by themselves."""
    if q > -100.0:
        return power(q, -s) + zeta(s, q + 1.0)
    above = q - math.floor(q)
    negative = zeta(s, 1.0 - above) - zeta(s, 1.0 - q)
    return zeta(s, above) + (negative if s % 2.0 == 0.0 else -negative)


def lower_gamma(a: float, x: float) -> float:
    """The regularized lower incomplete gamma function P(a, x) for a > 0 and x >= 0 (8.11.4)."""
    return _incomplete(a, x)[0]


def upper_gamma(a: float, x: float) -> float:
    """The regularized upper incomplete gamma function Q(a, x) = 1 - P(a, x) (8.9.2)."""
    return _incomplete(a, x)[1]


def _incomplete(a: float, x: float) -> tuple[float, float]:
    """P and Q, the smaller one computed and the other its complement."""
    if a < 0.0 or x < 0.0 or a != a or x != x or (a == x and x in (0.0, INF)):
        return NAN, NAN
    if a == 0.0 or x == INF:
        return 1.0, 0.0
    if x == 0.0 or a == INF:
        return 0.0, 1.0
    scale = exponential(a * math.log(x) - x - log_gamma(a))
    if x < a + 1.0:
        lower = scale * _gamma_series(a, x)
        return lower, 1.0 - lower
    upper = scale * _gamma_fraction(a, x)
    return 1.0 - upper, upper


def _gamma_series(a: float, x: float) -> float:
    term = total = 1.0 / a
    for k in range(1, 2000):
        term *= x / (a + k)
        total += term
        if term < 1e-17 * total:
            break
    return total


def _gamma_fraction(a: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction."""
    b = x + 1.0 - a
    c, d = INF, divide(1.0, b)
    h = d
    for k in range(1, 2000):
        n = -k * (k - a)
        b += 2.0
        d = divide(1.0, n * d + b)
        c = b + divide(n, c)
        h *= d * c
        if not abs(d * c - 1.0) > 1e-16:
            break
    return h


# --- the error function's relatives --------------------------------------------------------------------------------


def scaled_erfc(x: float) -> float:
    """exp(x ** 2) * erfc(x), infinite where it overflows (for large x: 7.12.1)."""
    if x < 25.0:
        return exponential(x * x) * math.erfc(x)
    if x == INF:
        return 0.0
    half = 0.5 / (x * x) if x < 1e150 else 0.0
    term = total = 1.0
    for k in range(1, 12):
        term *= -(2 * k - 1) * half
        total += term
    return total / (x * _ROOT_PI)


def inverse_erf(x: float) -> float:
    """The inverse of erf: infinite at -1 and 1, nan outside."""
    if not -1.0 < x < 1.0:
        return math.copysign(INF, x) if abs(x) == 1.0 else NAN
    if abs(x) > 0.5:
        return math.copysign(_inverse_erfc(1.0 - abs(x)), x)
    y = math.copysign(_winitzki(1.0 - abs(x)), x) if abs(x) > 1e-3 else 0.5 * _ROOT_PI * x
    for _ in range(3):  # Halley's method: three times the digits in each step
        step = (math.erf(y) - x) * 0.5 * _ROOT_PI * math.exp(y * y)
        y -= step / (1.0 + y * step)
    return y


def _inverse_erfc(q: float) -> float:
    """The y > 0 with erfc(y) = q for 0 < q < 0.5, by Newton's method on the logarithm."""
    y, target = _winitzki(q), math.log(q)
    for _ in range(4):
        scaled = scaled_erfc(y)
        y += (math.log(scaled) - y * y - target) * 0.5 * _ROOT_PI * scaled
    return y


def _winitzki(q: float) -> float:
    """The y >= 0 with erfc(y) = q to three digits (Winitzki, "A handy approximation for the error function", 2008)."""
    log = math.log(q * (2.0 - q))
    half = 2.0 / (math.pi * 0.147) + log / 2.0
    return math.sqrt(max(math.sqrt(half * half - log / 0.147) - half, 0.0))


def log_normal(x: float) -> float:
    """The logarithm of the standard normal distribution function, finite far below where that underflows."""
    if x < -1.0:
        return logarithm(0.5 * scaled_erfc(-x / _ROOT_2)) - 0.5 * x * x
    return math.log1p(-0.5 * math.erfc(x / _ROOT_2))


def normal_quantile(p: float) -> float:
    """The inverse of the standard normal distribution function: infinite at 0 and 1, nan outside."""
    if not 0.0 < p < 1.0:
        return -INF if p == 0.0 else INF if p == 1.0 else NAN
    if 0.25 <= p <= 0.75:
        return _ROOT_2 * inverse_erf(2.0 * p - 1.0)
    tail = _ROOT_2 * _inverse_erfc(2.0 * min(p, 1.0 - p))
    return tail if p > 0.5 else -tail


def entropy(x: float) -> float:
    """-x * log(x), 0 at 0, -inf below (as in torch)."""
    if x > 0.0:
        return -x * math.log(x) if x < INF else -INF
    return 0.0 if x == 0.0 else NAN if x != x else -INF


# --- modified Bessel functions of the first kind -------------------------------------------------------------------


def bessel_i0e(x: float) -> float:
    """exp(-|x|) * I0(x)."""
    return _scaled_bessel(0, abs(x))


def bessel_i1e(x: float) -> float:
    """exp(-|x|) * I1(x)."""
    return math.copysign(_scaled_bessel(1, abs(x)), x)


def _scaled_bessel(order: int, x: float) -> float:
    """For x >= 0 by the power series (10.25.2), for large x by Hankel's expansion (10.40.1)."""
    if x < 30.0:
        return _bessel_series(order, x) * math.exp(-x)
    return _hankel(order, x) / math.sqrt(2.0 * math.pi) / math.sqrt(x) if x == x else x


def _bessel_series(order: int, x: float) -> float:
    quarter = x * x / 4.0
    term = total = 1.0 if order == 0 else x / 2.0
    for k in count(1):
        term *= quarter / (k * (k + order))
        total += term
        if term <= 1e-17 * total:
            return total
    raise AssertionError


def _hankel(order: int, x: float) -> float:
    term = total = 1.0
    for k in range(1, 20):
        term *= -(4.0 * order * order - (2.0 * k - 1.0) ** 2) / (8.0 * k * x)
        total += term
    return total


# --- and the rest --------------------------------------------------------------------------------------------------


def log_odds(x: float) -> float:
    """log(x / (1 - x))."""
    return logarithm(divide(x, 1.0 - x)) if 0.0 <= x <= 1.0 else NAN
