"""Signs, absolute values and rounding: piecewise linear and piecewise constant ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op, everywhere, spelled
from nanlint.catalogue.rows import FALLING, RISING, VALLEY, flat, of, row, unary
from nanlint.regions import Region

_STAIRS = ((-math.inf, -5e-324, True), (0.0, 0.0, True), (5e-324, math.inf, True))


def _sign_image(a: Arithmetic, x: Region) -> Region:
    """The signs that occur: at most three points."""
    signs = [s for s, side in ((-1.0, R.below(0.0)), (0.0, R.ZERO), (1.0, R.above(0.0))) if x & side]
    return R.point(*signs)


def sign(x: float) -> float:
    """-1, 0 or 1; 0 for nan, as torch has it."""
    return math.copysign(1.0, x) if x < 0.0 or x > 0.0 else 0.0


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: math.copysign(float(function(x)), x) if math.isfinite(x) else x


def _floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) and x else x


def _frac(x: float) -> float:
    return x - math.copysign(math.trunc(x), x) if math.isfinite(x) else A.NAN


def _heaviside(a: Arithmetic, x: float, y: float) -> float:
    return y if x == 0.0 else 1.0 if x > 0.0 else 0.0


def _heaviside_image(a: Arithmetic, x: Region, y: Region) -> Region:
    made = R.TRUE if x & R.POSITIVE else R.EMPTY
    if x & R.below(0.0):
        made |= R.ZERO
    return made | y if 0.0 in x else made


def _copysign(a: Arithmetic, x: float, y: float) -> float:
    return math.copysign(x, y)


def _copysign_backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
    return a.mul(g, 0.0 if p == 0.0 else a.div(y, p)), 0.0


def _copysign_image(a: Arithmetic, x: Region, y: Region) -> Region:
    return x | R.neg(x)


def _copysign_narrow(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    return x & (out | R.neg(out)), y


_ROWS: tuple[Op, ...] = (
    unary(
        "identity",
        of(lambda x: x),
        lambda a, g, y, x: (g,),
        RISING,
        derivative="alias: grad",
        spellings=(),
    ),
    unary(
        "abs",
        of(abs),
        lambda a, g, y, x: (a.mul(g, sign(x)),),
        VALLEY,
        derivative="abs: grad * self.sgn()",
        spellings=everywhere("abs") + spelled("absolute") + ("builtins.abs", "math.fabs"),
    ),
    unary(
        "neg",
        of(lambda x: -x),
        lambda a, g, y, x: (-g,),
        FALLING,
        derivative="neg: grad.neg()",
        spellings=everywhere("neg") + everywhere("negative"),
    ),
    unary(
        "sign",
        lambda a, x: sign(x),
        flat,
        _STAIRS,
        derivative="sign: zeros_like(grad)",
        spellings=spelled("sign"),
    ),
    unary(
        "sgn",
        lambda a, x: sign(x),
        flat,
        _STAIRS,
        derivative="sgn: sgn_backward(self, grad, result)",
        spellings=spelled("sgn"),
        differentiable=False,
    ),
    *(
        unary(
            name,
            of(function),
            flat,
            RISING,
            derivative=f"{name}: zeros_like(grad)",
            spellings=everywhere(name) + more,
            further=further,
        )
        for name, function, more, further in (
            ("floor", _floor, (), {}),
            ("ceil", _whole(math.ceil), (), {}),
            ("round", _whole(round), ("torch.special.round",), {"decimals": 0}),
            ("trunc", _whole(math.trunc), everywhere("fix"), {}),
        )
    ),
    unary(
        "frac",
        of(_frac),
        lambda a, g, y, x: (g,),
        bounds=R.interval(-1.0, 1.0, True, True),
        undefined=R.INFINITIES,
        derivative="frac: grad",
        spellings=everywhere("frac"),
    ),
    row(
        "heaviside",
        _heaviside,
        flat,
        _heaviside_image,
        parameters=("input", "values"),
        derivative="heaviside: not implemented",
        differentiable=False,
    ),
    row(
        "copysign",
        _copysign,
        _copysign_backward,
        _copysign_image,
        _copysign_narrow,
        derivative="copysign.Tensor: copysign_tensor_self_backward(grad, self, result), zeros_like(other)",
    ),
)
ROWS = tuple(replace(row, image=_sign_image) if row.name in ("sign", "sgn") else row for row in _ROWS)
"""torch gives `sign` and the roundings a gradient of zeros, which go on upwards: 0 * inf = nan below them. That of
`sgn` alone is torch's symbolic zero, which no multiplication touches: nothing goes on."""
