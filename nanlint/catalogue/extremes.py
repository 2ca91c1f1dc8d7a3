"""Larger and smaller of two values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from nanlint import arithmetic as A
from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.catalogue.domains import Backward, Op, Value, pure
from nanlint.catalogue.rows import row
from nanlint.regions import Region


def _narrow_max(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    cap = R.interval(-math.inf, out.hi) if out else R.EMPTY
    return _reach(x & cap, y, out), _reach(y & cap, x, out)


def _narrow_min(a: Arithmetic, out: Region, x: Region, y: Region) -> tuple[Region, ...]:
    floor = R.interval(out.lo, math.inf) if out else R.EMPTY
    return _reach(x & floor, y, out), _reach(y & floor, x, out)


def _reach(x: Region, other: Region, out: Region) -> Region:
    """If `other` cannot give `out` by itself, `x` has to."""
    return x if other & out else x & out


def _extreme(wins: Callable[[float, float], bool]) -> Value:
    def value(a: Arithmetic, x: float, y: float) -> float:
        return A.NAN if x != x or y != y else x if wins(x, y) else y

    return value


def _extreme_number(wins: Callable[[float, float], bool]) -> Value:
    """The same where nan loses against any number."""

    def value(a: Arithmetic, x: float, y: float) -> float:
        return y if x != x else x if y != y or wins(x, y) else y

    return value


def _shared(loses: Callable[[float, float], bool]) -> Backward:
    """The winner takes all, a tie is shared; with nan both take all."""

    def backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
        part = a.div(g, 2.0) if p == q else g
        return (0.0 if loses(p, q) else part), (0.0 if loses(q, p) else part)

    return backward


def _first(wins: Callable[[float, float], bool]) -> Backward:
    """The winner takes all, the first one if it is a tie."""

    def backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
        return (g, 0.0) if wins(p, q) or q != q else (0.0, g)

    return backward


def _chosen(wins: Callable[[float, float], bool]) -> Backward:
    """The first of the winners takes all; a nan wins."""

    def backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
        return (g, 0.0) if p != p or (q == q and wins(p, q)) else (0.0, g)

    return backward


def _kept(beats: Callable[[float, float], bool]) -> Value:
    """Python keeps the first one unless the second one beats it."""

    def value(a: Arithmetic, x: float, y: float) -> float:
        return y if beats(y, x) else x

    return value


def _given(beats: Callable[[float, float], bool]) -> Backward:
    """Python returns one of its arguments: the other one is not in the autograd graph at all."""

    def backward(a: Arithmetic, g: float, y: float, p: float, q: float) -> tuple[float, ...]:
        return (0.0, g) if beats(q, p) else (g, 0.0)

    return backward


ROWS: tuple[Op, ...] = (
    row(
        "maximum",
        _extreme(lambda p, q: p >= q),
        _shared(lambda p, q: p < q),
        lambda a, x, y: R.upper_of(x, y),
        _narrow_max,
        derivative="maximum: at::where(self == other, grad / 2, grad).masked_fill_(self < other, 0)",
        spellings=pure("maximum"),
    ),
    row(
        "minimum",
        _extreme(lambda p, q: p <= q),
        _shared(lambda p, q: p > q),
        lambda a, x, y: R.lower_of(x, y),
        _narrow_min,
        derivative="minimum: at::where(self == other, grad / 2, grad).masked_fill_(self > other, 0)",
        spellings=pure("minimum"),
    ),
    row(
        "fmax",
        _extreme_number(lambda p, q: p >= q),
        _first(lambda p, q: p >= q),
        lambda a, x, y: R.upper_of(x, y),
        _narrow_max,
        derivative="fmax: grad.masked_fill((self >= other).logical_or_(other.isnan()).logical_not_(), 0)",
        spellings=pure("fmax"),
    ),
    row(
        "fmin",
        _extreme_number(lambda p, q: p <= q),
        _first(lambda p, q: p <= q),
        lambda a, x, y: R.lower_of(x, y),
        _narrow_min,
        derivative="fmin: grad.masked_fill((self <= other).logical_or_(other.isnan()).logical_not_(), 0)",
        spellings=pure("fmin"),
    ),
    row(
        "largest",
        _extreme(lambda p, q: p >= q),
        _chosen(lambda p, q: p >= q),
        lambda a, x, y: R.upper_of(x, y),
        _narrow_max,
        derivative="max.dim: value_selecting_reduction_backward, of two elements of one tensor",
        spellings=(),
    ),
    row(
        "smallest",
        _extreme(lambda p, q: p <= q),
        _chosen(lambda p, q: p <= q),
        lambda a, x, y: R.lower_of(x, y),
        _narrow_min,
        derivative="min.dim: value_selecting_reduction_backward, of two elements of one tensor",
        spellings=(),
    ),
    row(
        "python_max",
        _kept(lambda p, q: p > q),
        _given(lambda p, q: p > q),
        lambda a, x, y: R.upper_of(x, y),
        _narrow_max,
        derivative="Python's max: the argument that it returns",
        spellings=("builtins.max",),
    ),
    row(
        "python_min",
        _kept(lambda p, q: p < q),
        _given(lambda p, q: p < q),
        lambda a, x, y: R.lower_of(x, y),
        _narrow_min,
        derivative="Python's min: the argument that it returns",
        spellings=("builtins.min",),
    ),
)
UNTAKEN: dict[str, Callable[[Sequence[float]], int]] = {
    "phi": lambda values: 2 if values[0] != 0.0 else 1,
    "python_max": lambda values: 0 if values[1] > values[0] else 1,
    "python_min": lambda values: 0 if values[1] < values[0] else 1,
}
"""Where Python decides: the argument (by index) that the result has nothing to do with, given all their values."""
