"""Reductions, seen from one element: over tensors of one element each is the identity or the absolute value."""

from __future__ import annotations

import math

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import (
    ANY,
    Backward,
    Image,
    Narrow,
    Op,
    Poison,
    Undefined,
    Value,
    never,
    pure,
    spelled,
)
from nanlint.catalogue.rows import harmless
from nanlint.regions import Region

MOST_ELEMENTS = 1e6
"""How many elements a reduction is thought to run over at the most."""


def _row(
    name: str,
    value: Value,
    backward: Backward,
    image: Image,
    spellings: tuple[str, ...],
    *,
    further: tuple[str, ...] = ("dim", "keepdim"),
    narrow: Narrow | None = None,
    undefined: Undefined = never,
    poison: Poison = harmless,
    safe: float | None = None,
) -> Op:
    return Op(
        name=name,
        parameters=("input",),
        value=value,
        backward=backward,
        image=image,
        narrow=narrow or _narrow_same,
        undefined=undefined,
        poison=poison,
        safe=(safe,),
        derivative=f"{name}: over one element",
        spellings=spellings,
        further=dict.fromkeys(further, ANY),
        is_replaceable=False,
    )


def _narrow_same(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
    return (x & out,)


def _narrow_norm(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
    return (x & (out | R.neg(out)),)


def sum_image(a: Arithmetic, x: Region) -> Region:
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


def _norm_image(a: Arithmetic, x: Region) -> Region:
    return sum_image(a, (x | R.neg(x)) & R.NONNEGATIVE)


def _logsum_image(a: Arithmetic, x: Region) -> Region:
    return R.above(x.lo, closed=True) if x else x


def _itself(a: Arithmetic, x: float) -> float:
    return x


def _passed_on(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    return (g,)


def _nothing_of_nan(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    return (a.mul(g, 1.0 if x == x else 0.0),)


def _counted(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """`nanmean` divides by the number of elements that are no nan."""
    numbers = 1.0 if x == x else 0.0
    return (a.mul(a.div(g, numbers), numbers),)


def _interpolated(a: Arithmetic, x: float) -> float:
    """`quantile` interpolates between an element and the next one, here itself: inf - inf = nan."""
    return x if math.isfinite(x) else A.NAN


def _prod_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """The product of the others: by division where nothing is 0."""
    return (g if x == 0.0 else a.div(a.mul(g, y), x),)


def _shared(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """`amax` counts the elements that equal the result: nan equals nothing, and 0 / 0 follows."""
    return (g if x == y else A.NAN,)


def _norm_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    return (a.mul(g, 0.0 if y == 0.0 else a.div(x, y)),)


def _softmax_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    return (a.mul(g, a.of(A.exponential, a.sub(x, y))),)


def _cumulative_backward(a: Arithmetic, g: float, y: float, x: float) -> tuple[float, ...]:
    """By way of the logarithms of the positive and of the negative gradients: nan is neither."""
    return _softmax_backward(a, 0.0 if g != g else g, y, x)


def _at_infinity(x: Region) -> bool:
    return bool(x & R.INFINITIES)


ROWS: tuple[Op, ...] = (
    _row("sum", _itself, _passed_on, sum_image, pure("sum") + spelled("cumsum") + pure("trace")),
    _row("nansum", lambda a, x: x if x == x else 0.0, _nothing_of_nan, sum_image, pure("nansum")),
    _row("mean", _itself, _passed_on, lambda a, x: R.hull(x), pure("mean")),
    _row("nanmean", _itself, _counted, lambda a, x: R.hull(x), pure("nanmean")),
    _row("prod", _itself, _prod_backward, _prod_image, pure("prod")),
    _row("cumprod", _itself, _passed_on, _prod_image, spelled("cumprod")),
    *(_row(name, _itself, _shared, _same, pure(name)) for name in ("amax", "amin")),
    *(
        _row(name, _itself, _passed_on, _same, pure(name))
        for name in ("max", "min", "median", "nanmedian", "mode", "cummax", "cummin")
    ),
    *(
        _row(
            name,
            _interpolated,
            _passed_on,
            _same,
            pure(name),
            further=("q", "dim", "keepdim", "interpolation"),
            undefined=_at_infinity,
        )
        for name in ("quantile", "nanquantile")
    ),
    _row(
        "norm",
        lambda a, x: abs(x),
        _norm_backward,
        _norm_image,
        pure("norm", "torch.linalg.norm", "torch.linalg.vector_norm", "torch.linalg.matrix_norm"),
        further=("p", "dim", "keepdim", "ord"),
        narrow=_narrow_norm,
    ),
    _row(
        "logsumexp",
        _itself,
        _softmax_backward,
        _logsum_image,
        pure("logsumexp", "torch.special.logsumexp"),
        poison=lambda a, x: (x & R.INFINITIES,),
        safe=0.0,
    ),
    _row("logcumsumexp", _itself, _cumulative_backward, _logsum_image, pure("logcumsumexp")),
)
