"""Reductions, seen from one element: over tensors of one element each is the identity or the absolute value."""

from __future__ import annotations

import math
from collections.abc import Callable

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Op, Value, never, spelled
from nanlint.regions import Region

MOST_ELEMENTS = 1e6
"""How many elements a reduction is thought to run over at the most."""


def _row(name: str, value: Value, slope: Callable[..., float], image: Callable[..., Region], *spellings: str) -> Op:
    return Op(
        name=name,
        parameters=("input",),
        value=value,
        backward=lambda a, g, y, x: (a.mul(g, slope(x)),),
        image=image,
        narrow=lambda a, out, x: (x & (out if name != "norm" else out | R.neg(out)),),
        undefined=never,
        poison=lambda a, x: (R.EMPTY,),
        safe=(None,),
        derivative=f"{name}: over one element",
        spellings=spellings or spelled(name),
    )


def _sum_image(a: Arithmetic, x: Region) -> Region:
    if not x:
        return x
    lo = x.lo if x.lo >= 0.0 else max(x.lo * MOST_ELEMENTS, -a.largest if math.isfinite(x.lo) else x.lo)
    hi = x.hi if x.hi <= 0.0 else min(x.hi * MOST_ELEMENTS, a.largest if math.isfinite(x.hi) else x.hi)
    lo_open = x.intervals[0].lo_open and x.lo >= 0.0
    return R.interval(lo, hi, lo_open, x.intervals[-1].hi_open and x.hi <= 0.0) | x


def _prod_image(a: Arithmetic, x: Region) -> Region:
    if x <= R.UNIT:
        return R.UNIT
    return R.NONNEGATIVE if x <= R.NONNEGATIVE else R.ALL


def _same(a: Arithmetic, x: Region) -> Region:
    return x


def _norm_slope(x: float) -> float:
    return math.copysign(1.0, x) if x else 0.0


def _norm_image(a: Arithmetic, x: Region) -> Region:
    return _sum_image(a, (x | R.neg(x)) & R.NONNEGATIVE)


def _one(x: float) -> float:
    return 1.0


def _itself(a: Arithmetic, x: float) -> float:
    return x


ROWS: tuple[Op, ...] = (
    _row("sum", _itself, _one, _sum_image, *spelled("sum"), *spelled("nansum"), *spelled("cumsum"), *spelled("trace")),
    _row("mean", _itself, _one, lambda a, x: R.hull(x), *spelled("mean"), *spelled("nanmean")),
    _row("prod", _itself, _one, _prod_image, *spelled("prod"), *spelled("cumprod")),
    *(
        _row(name, _itself, _one, _same)
        for name in ("amax", "amin", "max", "min", "median", "nanmedian", "quantile", "mode", "cummax", "cummin")
    ),
    _row(
        "norm",
        lambda a, x: abs(x),
        _norm_slope,
        _norm_image,
        *spelled("norm"),
        "torch.linalg.norm",
        "torch.linalg.vector_norm",
        "torch.linalg.matrix_norm",
    ),
    _row("logsumexp", _itself, _one, lambda a, x: R.above(x.lo, closed=True) if x else x, *spelled("logsumexp")),
)
