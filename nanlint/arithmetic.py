"""Floating-point arithmetic as torch does it: total functions on Python floats, rounded to a dtype.

Python raises where IEEE 754 has an infinity or a nan; nothing here raises. Every result is rounded to the dtype of
the `Arithmetic`, so that overflow, underflow and lost digits happen where they happen in torch.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

INF = math.inf
NAN = math.nan


@dataclass(frozen=True)
class Dtype:
    """A floating-point format: its largest and smallest positive normal numbers and its rounding step at 1."""

    name: str
    largest: float
    tiny: float
    eps: float


FLOAT64 = Dtype("float64", 1.7976931348623157e308, 2.2250738585072014e-308, 2.220446049250313e-16)
FLOAT32 = Dtype("float32", 3.4028234663852886e38, 1.1754943508222875e-38, 1.1920928955078125e-07)
BFLOAT16 = Dtype("bfloat16", 3.3895313892515355e38, 1.1754943508222875e-38, 0.0078125)
FLOAT16 = Dtype("float16", 65504.0, 6.103515625e-05, 0.0009765625)
DTYPES = {dtype.name: dtype for dtype in (FLOAT64, FLOAT32, BFLOAT16, FLOAT16)}

_SINGLE = struct.Struct("f")
_pack_single, _unpack_single = _SINGLE.pack, _SINGLE.unpack  # nothing is called more often
_HALF = struct.Struct("e")
_BITS = struct.Struct("I")


def _round_float64(value: float) -> float:
    return value


def _round_float32(value: float) -> float:
    try:
        return _unpack_single(_pack_single(value))[0]  # type: ignore[no-any-return]
    except OverflowError:
        return math.copysign(INF, value)


def _round_float16(value: float) -> float:
    # by way of float32, as torch rounds: twice
    try:
        return _HALF.unpack(_HALF.pack(_round_float32(value)))[0]  # type: ignore[no-any-return]
    except OverflowError:
        return math.copysign(INF, value)


def _round_bfloat16(value: float) -> float:
    single = _round_float32(value)
    if not math.isfinite(single):
        return single
    (bits,) = _BITS.unpack(_SINGLE.pack(single))
    # round half to even on the upper sixteen bits of the float32 pattern
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return _SINGLE.unpack(_BITS.pack(bits))[0]  # type: ignore[no-any-return]


_ROUNDING: dict[str, Callable[[float], float]] = {
    "float64": _round_float64,
    "float32": _round_float32,
    "bfloat16": _round_bfloat16,
    "float16": _round_float16,
}


def power(x: float, p: float) -> float:
    """C's `pow`: infinities and nan where Python raises or turns complex."""
    if x < 0.0 and math.isfinite(x) and math.isfinite(p) and p != math.floor(p):
        return NAN
    try:
        return float(x**p)
    except ZeroDivisionError:
        return math.copysign(INF, x) if p % 2.0 == 1.0 else INF
    except OverflowError:
        return -INF if x < 0.0 and p % 2.0 == 1.0 else INF


def divide(x: float, y: float) -> float:
    """IEEE 754 division."""
    if y != 0.0:
        return x / y
    if x == 0.0 or x != x:
        return NAN
    return math.copysign(INF, x) * math.copysign(1.0, y)


def total(function: Callable[[float], float], pole: float = NAN) -> Callable[[float], float]:
    """`function` with nan outside its domain, `pole` where it has one, and inf where it overflows.

    `math` raises ValueError for both a pole and a point outside the domain, so an infinite `pole` has to be told
    apart by the caller's own wrapper where both exist.
    """

    def wrapped(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return INF
        except ValueError:
            return pole

    return wrapped


def logarithm(x: float) -> float:
    """log with `log(0) = -inf` and nan for negative numbers."""
    if x > 0.0:
        return math.log(x)
    return -INF if x == 0.0 else NAN


def logarithm1p(x: float) -> float:
    """log(1 + x) with `-inf` at -1 and nan below."""
    if x > -1.0:
        return math.log1p(x)
    return -INF if x == -1.0 else NAN


def root(x: float) -> float:
    """The square root, nan for negative numbers."""
    return math.sqrt(x) if x >= 0.0 else NAN


def hyperbolic_sine(x: float) -> float:
    """sinh, infinite where it overflows."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(INF, x)


def inverse_tanh(x: float) -> float:
    """atanh, infinite at -1 and 1, nan outside."""
    if -1.0 < x < 1.0:
        return math.atanh(x)
    return math.copysign(INF, x) if abs(x) == 1.0 else NAN


exponential = total(math.exp)
exponential1 = total(math.expm1)
hyperbolic_cosine = total(math.cosh)


def exponential2(x: float) -> float:
    """2 ** x, infinite where it overflows."""
    return power(2.0, x)


class Arithmetic:
    """Arithmetic in one dtype: each method is one rounded torch kernel."""

    def __init__(self, dtype: Dtype) -> None:
        self.dtype = dtype
        self.round = _ROUNDING[dtype.name]

    def __repr__(self) -> str:
        return f"Arithmetic({self.dtype.name})"

    def add(self, x: float, y: float) -> float:
        """x + y."""
        return self.round(x + y)

    def sub(self, x: float, y: float) -> float:
        """x - y."""
        return self.round(x - y)

    def mul(self, x: float, y: float) -> float:
        """x * y."""
        return self.round(x * y)

    def times(self, x: float, number: float) -> float:
        """x times a Python number, which torch first rounds to the dtype of the kernel."""
        return self.round(x * self.wide.round(number))

    def div(self, x: float, y: float) -> float:
        """x / y."""
        return self.round(divide(x, y))

    def pow(self, x: float, p: float) -> float:
        """x ** p."""
        return self.round(power(x, p))

    def of(self, function: Callable[[float], float], x: float) -> float:
        """`function(x)` with nan and infinities passed to it only if it is total."""
        return self.round(function(x)) if x == x else x

    @cached_property
    def largest(self) -> float:
        """The largest finite number."""
        return self.dtype.largest

    @cached_property
    def wide(self) -> Arithmetic:
        """The arithmetic inside one kernel: float32 for the 16-bit dtypes, whose results alone are rounded."""
        return ARITHMETIC["float32" if self.dtype.largest < FLOAT64.largest else "float64"]


ARITHMETIC = {name: Arithmetic(dtype) for name, dtype in DTYPES.items()}
