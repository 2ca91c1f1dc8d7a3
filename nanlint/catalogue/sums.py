"""Sums, products, quotients, remainders and interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op, spelled
from nanlint.catalogue.pieces import last_float
from nanlint.catalogue.rounding import attained, behind, product, quotient, vanished
from nanlint.catalogue.rows import flat, fused, row
from nanlint.regions import Region

# --- sums and products ---------------------------------------------------------------------------------------------


def narrow_add(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    wide = behind(out, a)
    return x & R.sub(wide, y), y & R.sub(wide, x)


def _narrow_sub(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    wide = behind(out, a)
    return x & R.add(wide, y), y & R.sub(x, wide)


def _narrow_rsub(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    return _narrow_sub(a, out, y, x)[::-1]


def _narrow_mul(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    return _factor(a, out, x, y), _factor(a, out, y, x)


def _factor(a: Arithmetic, out: Region, x: Region, y: Region) -> Region:
    """The values of `x` for which some `y` makes the product lie in `out`."""
    if (0.0 in y and 0.0 in out) or (y & R.INFINITIES and out & R.INFINITIES):
        return x
    return x & R.div(vanished(out, a), y - R.ZERO)


def add_undefined(x: Region, y: Region) -> bool:
    return (math.inf in x and -math.inf in y) or (-math.inf in x and math.inf in y)


def _sub_undefined(x: Region, y: Region) -> bool:
    return add_undefined(x, R.neg(y))


def _mul_undefined(x: Region, y: Region) -> bool:
    return (0.0 in x and bool(y & R.INFINITIES)) or (0.0 in y and bool(x & R.INFINITIES))


def _mul_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    """The other factor is what poisons: `grad * other` is nan where `other` is infinite."""
    return R.INFINITIES, R.INFINITIES


# --- quotients -----------------------------------------------------------------------------------------------------


def _narrow_div(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    wide = vanished(out, a)
    unbound = (0.0 in y and out & R.INFINITIES) or (y & R.INFINITIES and 0.0 in out)
    return x if unbound else x & R.mul(wide, y), _divisor(out, wide, x, y)


def _divisor(out: Region, wide: Region, x: Region, y: Region) -> Region:
    """The values of `y` for which some `x` makes the quotient lie in `out`."""
    if 0.0 in out or (x & R.INFINITIES and out & R.INFINITIES):
        return y
    found = y & (R.div(x, wide - R.ZERO) | R.ZERO)
    return found if out & R.INFINITIES else found - R.ZERO


def _div_undefined(x: Region, y: Region) -> bool:
    return (0.0 in x and 0.0 in y) or (bool(x & R.INFINITIES) and bool(y & R.INFINITIES))


def _div_backward(a: Arithmetic, g: float, y: float, x: float, d: float) -> tuple[float, ...]:
    return a.div(g, d), a.mul(-g, a.div(a.div(x, d), d))


def _div_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    """Where `x / d / d` overflows, and 0 itself: there the numerator's own gradient is nan too."""
    most = _steep(a, _twice_divided, _largest(a, x))
    return R.EMPTY, R.interval(-most, most)


def _twice_divided(a: Arithmetic, x: float, d: float) -> float:
    return a.div(a.div(x, d), d)


def _largest(a: Arithmetic, x: Region) -> float:
    """The largest finite magnitude in a region."""
    return min(max(abs(x.lo), abs(x.hi)), a.largest) if x else 0.0


@lru_cache(maxsize=1024)
def _steep(a: Arithmetic, slope: Callable[[Arithmetic, float, float], float], x: float) -> float:
    """The largest divisor of `x` at which `slope` is infinite; 0 if there is none."""
    return last_float(0.0, a.largest, lambda d: d == 0.0 or math.isinf(slope(a, x, a.round(d)))) or 0.0


# --- remainders ----------------------------------------------------------------------------------------------------


def _fmod(x: float, y: float) -> float:
    """C's fmod: the sign of `x`."""
    return math.fmod(x, y) if y != 0.0 and math.isfinite(x) and y == y else A.NAN


def _remainder(w: Arithmetic, x: float, y: float) -> float:
    """Python's remainder: the sign of `y`."""
    rest = _fmod(x, y)
    return w.add(rest, y) if rest != 0.0 and (rest < 0.0) != (y < 0.0) else rest


def _floor_divide(w: Arithmetic, x: float, y: float) -> float:
    """Python's `//` on floats, as torch has it."""
    if y == 0.0:
        return w.div(x, y)
    rest = _fmod(x, y)
    whole = w.div(w.sub(x, rest), y)
    if rest != 0.0 and (rest < 0.0) != (y < 0.0):
        whole = w.sub(whole, 1.0)
    if whole == 0.0:
        return math.copysign(0.0, w.div(x, y))
    return float(round(whole)) if math.isfinite(whole) else whole


def _trunc_divide(w: Arithmetic, x: float, y: float) -> float:
    quotient = w.div(x, y)
    return float(math.trunc(quotient)) if math.isfinite(quotient) else quotient


def _remainder_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    return g, a.mul(-g, a.round(_floor_divide(a.wide, p, q)))


def _fmod_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    return g, a.mul(-g, a.round(_trunc_divide(a.wide, p, q)))


def _remainder_image(a: Arithmetic, x: Region, y: Region) -> Region:
    """Between 0 and the divisor."""
    return R.interval(min(y.lo, 0.0), max(y.hi, 0.0)) if x and y else R.EMPTY


def _fmod_image(a: Arithmetic, x: Region, y: Region) -> Region:
    """Between 0 and the dividend."""
    return R.interval(min(x.lo, 0.0), max(x.hi, 0.0)) if x and y else R.EMPTY


def _remainder_narrow(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    """A divisor is no smaller than what it leaves."""
    least = _least(out)
    return x, y - R.interval(-least, least, True, True) if least > 0.0 else y


def _fmod_narrow(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    """What is left is no larger than the dividend, and has its sign."""
    least, (_, divisor) = _least(out), _remainder_narrow(a, out, x, y)
    same = (R.above(least, closed=True) if out.hi > 0.0 else R.EMPTY) | (
        R.below(-least, closed=True) if out.lo < 0.0 else R.EMPTY
    )
    return (x & same if least > 0.0 else x), divisor


def _least(region: Region) -> float:
    """The smallest magnitude in a region."""
    ends = [
        0.0 if part.lo <= 0.0 <= part.hi else min(abs(part.lo), abs(part.hi)) for part in region.intervals
    ]
    return min(ends, default=0.0)


def _remainder_undefined(x: Region, y: Region) -> bool:
    return 0.0 in y or bool(x & R.INFINITIES)


def _remainder_poison(a: Arithmetic, x: Region, y: Region) -> tuple[Region, ...]:
    """Where the quotient is infinite."""
    most = _steep(a, Arithmetic.div, _largest(a, x))
    return R.EMPTY, R.interval(-most, most)


# --- interpolation -------------------------------------------------------------------------------------------------


def _lerp(w: Arithmetic, x: float, y: float, t: float) -> float:
    if abs(t) < 0.5:
        return w.add(x, w.mul(t, w.sub(y, x)))
    return w.sub(y, w.mul(w.sub(y, x), w.sub(1.0, t)))


def _lerp_backward(a: Arithmetic, g: float, y: float, p: float, q: float, t: float) -> tuple[float, ...]:
    return a.mul(g, a.sub(1.0, t)), a.mul(g, t), a.mul(g, a.sub(q, p))


def _lerp_undefined(x: Region, y: Region, t: Region) -> bool:
    return bool((x | y) & R.INFINITIES) or x.hi - y.lo > 1e37 or y.hi - x.lo > 1e37 or bool(t & R.INFINITIES)


def _lerp_poison(a: Arithmetic, x: Region, y: Region, t: Region) -> tuple[Region, ...]:
    """Where the difference of the ends overflows."""
    overflows = bool(attained(R.sub(y, x), a) & R.INFINITIES)
    return (x, y, R.EMPTY) if overflows else (R.EMPTY, R.EMPTY, R.EMPTY)


ROWS: tuple[Op, ...] = (
    row(
        "add",
        Arithmetic.add,
        lambda a, g, y, p, q: (g, g),
        lambda a, x, y: attained(R.add(x, y), a),
        narrow_add,
        undefined=add_undefined,
        derivative="add.Tensor: grad, grad",
        further={"alpha": 1},
    ),
    row(
        "sub",
        Arithmetic.sub,
        lambda a, g, y, p, q: (g, -g),
        lambda a, x, y: attained(R.sub(x, y), a),
        _narrow_sub,
        undefined=_sub_undefined,
        derivative="sub.Tensor: grad, -grad",
        spellings=spelled("sub") + spelled("subtract"),
        further={"alpha": 1},
    ),
    row(
        "rsub",
        lambda a, x, y: a.sub(y, x),
        lambda a, g, y, p, q: (-g, g),
        lambda a, x, y: attained(R.sub(y, x), a),
        _narrow_rsub,
        undefined=_sub_undefined,
        derivative="rsub.Tensor: -grad, grad",
        spellings=("torch.rsub",),
        further={"alpha": 1},
    ),
    row(
        "mul",
        Arithmetic.mul,
        lambda a, g, y, p, q: (a.mul(g, q), a.mul(g, p)),
        lambda a, x, y: product(x, y, a),
        _narrow_mul,
        undefined=_mul_undefined,
        poison=_mul_poison,
        derivative="mul.Tensor: mul_tensor_backward(grad, other), mul_tensor_backward(grad, self)",
        spellings=spelled("mul") + spelled("multiply"),
    ),
    row(
        "div",
        Arithmetic.div,
        _div_backward,
        lambda a, x, y: quotient(x, y, a),
        _narrow_div,
        undefined=_div_undefined,
        poison=_div_poison,
        safe=(None, 1.0),
        derivative="div.Tensor: grad / other, -grad * ((self / other) / other)",
        spellings=spelled("div") + spelled("divide") + spelled("true_divide"),
        further={"rounding_mode": None},
    ),
    row(
        "remainder",
        fused(_remainder),
        _remainder_backward,
        _remainder_image,
        _remainder_narrow,
        undefined=_remainder_undefined,
        poison=_remainder_poison,
        safe=(None, 1.0),
        derivative='remainder.Tensor: grad, -grad * self.div(other, "floor")',
    ),
    row(
        "fmod",
        lambda a, x, y: _fmod(x, y),
        _fmod_backward,
        _fmod_image,
        _fmod_narrow,
        undefined=_remainder_undefined,
        poison=_remainder_poison,
        safe=(None, 1.0),
        derivative='fmod.Tensor: grad, -grad * self.div(other, "trunc")',
    ),
    row(
        "floor_divide",
        fused(_floor_divide),
        flat,
        lambda a, x, y: R.ALL,
        undefined=lambda x, y: _div_undefined(x, y) or bool(x & R.INFINITIES),
        derivative="floor_divide: not implemented",
        differentiable=False,
    ),
    *(
        row(
            name,
            fused(function),
            flat,
            lambda a, x, y: R.ALL,
            undefined=lambda x, y: _div_undefined(x, y) or bool(x & R.INFINITIES),
            derivative="div.Tensor_mode: zeros, with a rounding_mode",
            spellings=(),
        )
        for name, function in (("div_floor", _floor_divide), ("div_trunc", _trunc_divide))
    ),
    row(
        "lerp",
        fused(_lerp),
        _lerp_backward,
        lambda a, x, y, t: R.ALL,
        parameters=("input", "end", "weight"),
        undefined=_lerp_undefined,
        poison=_lerp_poison,
        derivative="lerp.Tensor: grad * (1 - weight), grad * weight, grad * (end - self)",
    ),
)
