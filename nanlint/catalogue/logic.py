"""Comparisons and logical ops: what conditions are made of. Truth is 1.0, falsehood 0.0, as in a float mask."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import ANY, Narrow, Op, never, no_narrowing, pure, spelled
from nanlint.regions import Region


def truth(region: Region) -> tuple[bool, bool]:
    """Whether a condition with these values can be (true, false)."""
    return bool(region - R.ZERO), 0.0 in region


def _row(
    name: str,
    value: Callable[..., bool],
    narrow: Narrow,
    spellings: tuple[str, ...],
    parameters: tuple[str, ...] = ("input", "other"),
    image: Callable[..., Region] | None = None,
    defaults: Mapping[str, float] = MappingProxyType({}),
    further: Mapping[str, object] = MappingProxyType({}),
) -> Op:
    return Op(
        name=name,
        parameters=parameters,
        value=_number_of(value, len(parameters)),
        backward=lambda a, g, y, *args: tuple(0.0 for _ in args),
        image=image or _image_by(narrow),
        narrow=narrow,
        undefined=never,
        poison=lambda a, *regions: tuple(R.EMPTY for _ in regions),
        safe=(None,) * len(parameters),
        derivative="not differentiable",
        spellings=spellings,
        differentiable=False,
        boolean=True,
        defaults=defaults,
        further=further,
    )


def _number_of(value: Callable[..., bool], count: int) -> Callable[..., float]:
    """1 or 0 for what is true or false; for one or two arguments by name, for nothing is run more often."""
    if count == 1:
        return lambda a, x: 1.0 if value(a, x) else 0.0
    if count == 2:
        return lambda a, x, y: 1.0 if value(a, x, y) else 0.0
    return lambda a, *args: 1.0 if value(a, *args) else 0.0


def _image_by(narrow: Narrow) -> Callable[..., Region]:
    """A truth value is possible unless narrowing by it leaves an argument without a value."""

    def image(a: Arithmetic, *regions: Region) -> Region:
        possible = R.EMPTY
        for value in (R.TRUE, R.FALSE):
            if all(narrow(a, value, *regions)):
                possible |= value
        return possible if all(regions) else R.FALSE

    return image


def _comparison(
    when_true: Callable[..., tuple[Region, ...]], when_false: Callable[..., tuple[Region, ...]]
) -> Narrow:
    def narrow(a: Arithmetic, out: Region, *regions: Region) -> tuple[Region, ...]:
        can_hold, can_fail = truth(out)
        if can_hold == can_fail:
            return regions
        return when_true(*regions) if can_hold else when_false(*regions)

    return narrow


def _less(x: Region, y: Region) -> tuple[Region, ...]:
    return x & R.below(y.hi), y & R.above(x.lo)


def _less_equal(x: Region, y: Region) -> tuple[Region, ...]:
    top, bottom = _top(y), _bottom(x)
    return x & top, y & bottom


def _top(y: Region) -> Region:
    return R.interval(-math.inf, y.hi, False, y.intervals[-1].hi_open) if y else R.EMPTY


def _bottom(x: Region) -> Region:
    return R.interval(x.lo, math.inf, x.intervals[0].lo_open, False) if x else R.EMPTY


def _greater(x: Region, y: Region) -> tuple[Region, ...]:
    return _less(y, x)[::-1]


def _greater_equal(x: Region, y: Region) -> tuple[Region, ...]:
    return _less_equal(y, x)[::-1]


def _equal(x: Region, y: Region) -> tuple[Region, ...]:
    met = x & y
    return met, met


def _unequal(x: Region, y: Region) -> tuple[Region, ...]:
    return _without(x, y), _without(y, x)


def _nonzero(x: Region) -> tuple[Region, ...]:
    return (x - R.ZERO,)


def _zero(x: Region) -> tuple[Region, ...]:
    return (x & R.ZERO,)


def _without(x: Region, y: Region) -> Region:
    points = y.points
    return x - y if points is not None and len(points) == 1 else x


def _close(a: Arithmetic, x: float, y: float, rtol: float, atol: float) -> bool:
    if x == y:
        return True
    error, allowed = abs(a.sub(x, y)), a.add(atol, abs(a.mul(rtol, y)))
    return math.isfinite(error) and error <= allowed


def _narrow_close(
    a: Arithmetic, out: Region, x: Region, y: Region, rtol: Region, atol: Region
) -> tuple[Region, ...]:
    can_hold, can_fail = truth(out)
    if can_hold and not can_fail and x and y and rtol and atol:
        share = max(abs(rtol.lo), abs(rtol.hi))
        near_y = _widened(a, y, 1.1 * share, atol.hi)
        # |y| is at most 2 * (|x| + atol) up to an rtol of 0.4
        near_x = _widened(a, x, 2.2 * share, 2.0 * atol.hi) if share <= 0.4 else R.ALL
        return x & near_y, y & near_x, rtol, atol
    if can_fail and not can_hold:
        return *_unequal(x, y), rtol, atol
    return x, y, rtol, atol


def _widened(a: Arithmetic, x: Region, rtol: float, atol: float) -> Region:
    """What is close to a member of `x`, and a little more, for the rounding of the distance."""
    most = min(max(abs(x.lo), abs(x.hi)), 1e300)
    slack = min(1.1 * max(atol, 0.0) + (rtol * most if most else 0.0) + a.dtype.tiny, 1e300)
    return R.interval(x.lo - slack, x.hi + slack)


def _narrow_not(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
    can_hold, can_fail = truth(out)
    return ((R.EMPTY if not can_hold else x & R.ZERO) | (R.EMPTY if not can_fail else x - R.ZERO),)


def _narrow_and(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    can_hold, can_fail = truth(out)
    if can_hold and not can_fail:
        return x - R.ZERO, y - R.ZERO
    if can_fail and not can_hold:
        return (x if 0.0 in y else x & R.ZERO), (y if 0.0 in x else y & R.ZERO)
    return x, y


def _narrow_or(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    can_hold, can_fail = truth(out)
    if can_fail and not can_hold:
        return x & R.ZERO, y & R.ZERO
    if can_hold and not can_fail:
        return (x if y - R.ZERO else x - R.ZERO), (y if x - R.ZERO else y - R.ZERO)
    return x, y


def _narrow_every(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
    return (x if 0.0 in out else x - R.ZERO,)


def _narrow_some(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
    return (x if out - R.ZERO else x & R.ZERO,)


def _narrow_finite(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
    can_hold, can_fail = truth(out)
    if can_hold == can_fail:
        return (x,)
    return (x & (R.FINITE if can_hold else R.INFINITIES),)


def _narrow_infinite(a: Arithmetic, out: Region, x: Region) -> tuple[Region, ...]:
    can_hold, can_fail = truth(out)
    if can_hold == can_fail:
        return (x,)
    return (x & (R.INFINITIES if can_hold else R.FINITE),)


def _any_truth(a: Arithmetic, *regions: Region) -> Region:
    return R.TRUTH


def _names(*names: str) -> tuple[str, ...]:
    return tuple(spelling for name in names for spelling in spelled(name))


_ONE = ("input",)

ROWS: tuple[Op, ...] = (
    _row("lt", lambda a, x, y: x < y, _comparison(_less, _greater_equal), _names("lt", "less")),
    _row("le", lambda a, x, y: x <= y, _comparison(_less_equal, _greater), _names("le", "less_equal")),
    _row("gt", lambda a, x, y: x > y, _comparison(_greater, _less_equal), _names("gt", "greater")),
    _row("ge", lambda a, x, y: x >= y, _comparison(_greater_equal, _less), _names("ge", "greater_equal")),
    _row("eq", lambda a, x, y: x == y, _comparison(_equal, _unequal), _names("eq")),
    _row("ne", lambda a, x, y: x != y, _comparison(_unequal, _equal), _names("ne", "not_equal")),
    _row(
        "isclose",
        _close,
        _narrow_close,
        pure("isclose"),
        ("input", "other", "rtol", "atol"),
        defaults={"rtol": 1e-5, "atol": 1e-8},
        further={"equal_nan": False},
    ),
    _row("and", lambda a, x, y: x != 0 and y != 0, _narrow_and, _names("logical_and", "bitwise_and")),
    _row("or", lambda a, x, y: x != 0 or y != 0, _narrow_or, _names("logical_or", "bitwise_or")),
    _row(
        "xor",
        lambda a, x, y: (x != 0) != (y != 0),
        no_narrowing,
        _names("logical_xor", "bitwise_xor"),
        image=_any_truth,
    ),
    _row("not", lambda a, x: x == 0, _narrow_not, _names("logical_not", "bitwise_not"), _ONE),
    _row("truth", lambda a, x: x != 0, _comparison(_nonzero, _zero), ("Tensor.bool",), _ONE),
    _row(
        "all",
        lambda a, x: x != 0,
        _narrow_every,
        pure("all"),
        _ONE,
        _any_truth,
        further={"dim": ANY, "keepdim": ANY},
    ),
    _row(
        "any",
        lambda a, x: x != 0,
        _narrow_some,
        pure("any"),
        _ONE,
        _any_truth,
        further={"dim": ANY, "keepdim": ANY},
    ),
    _row("isfinite", lambda a, x: math.isfinite(x), _narrow_finite, pure("isfinite"), _ONE, _any_truth),
    _row("isinf", lambda a, x: math.isinf(x), _narrow_infinite, pure("isinf"), _ONE, _any_truth),
    _row("isnan", lambda a, x: math.isnan(x), no_narrowing, pure("isnan"), _ONE, _any_truth),
)
