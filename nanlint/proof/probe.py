"""Each row of the catalogue put to real torch: values, gradients and poison sets, dtype by dtype.

A row says on Python floats what torch computes. Here torch computes it too, on a grid of points inside, outside and
on each boundary of the row's poison sets and pieces, and whatever differs is a `Disagreement`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import Op
from nanlint.proof.asking import UPSTREAM, Answer, Point, Question, ask

STEPS = {"float64": 4503.0, "float32": 16.0, "bfloat16": 3.0, "float16": 3.0}
"""How many rounding steps torch may be away from the row: 1e-12 in float64, a few elsewhere."""

DIFFERENCES = frozenset(
    """
    gelu silu mish hardswish tanhshrink logaddexp2 lgamma digamma polygamma polygamma_method mvlgamma i0e i1 i1e erfcx
    ndtr
    """.split()
)
"""Ops that are sums of terms which may cancel: what is left has the terms' roundings, not its own."""

ROUGH = {
    ("gammainc", "float64"): 1000.0,
    ("gammainc", "float32"): 1000.0,
    ("gammaincc", "float64"): 1000.0,
    ("gammaincc", "float32"): 1000.0,
    ("erfcx", "float32"): 4.0,
    ("erf", "bfloat16"): 16.0,
}
"""Ops that torch computes with fewer digits than the dtype has, and by how much."""

UNSUPPORTED = frozenset(
    "quantile nanquantile zeta erfcx log_ndtr ndtri i1 i1e det logdet logabsdet inverse eigenvector "
    "ctc_loss".split()
)
"""What torch does not compute in 16 bits, forward or backward."""

LOWEST = {"polygamma": -1e4, "polygamma_method": -1e4, "zeta": -1e4, "log_ndtr": -1e3}
"""Where there is nothing to compare below: of the first three torch adds up a term for each whole number on the way to
0 and does not come back, and the gradient of the last is e to the power of a rounding error."""


@dataclass(frozen=True)
class Disagreement:
    """A point at which torch does something else than the row says; `what` is value, gradient or poison."""

    op: str
    dtype: str
    what: str
    args: Point
    row: Point
    torch: Point

    def __str__(self) -> str:
        at = ", ".join(repr(arg) for arg in self.args)
        return f"{self.op}({at}) in {self.dtype}: {self.what} is {self.torch} in torch, {self.row} in the row"


def probe(asked: Question, dtype: str, *, coarse: bool = False) -> list[Disagreement]:
    """All disagreements between a row and torch in `dtype`; `coarse` asks at the plainest points only.

    torch computes a vector with other instructions than a single number; a row that agrees with one of the two is
    right.
    """
    a = ARITHMETIC[dtype]
    answers = ask(asked, points_of(asked, a, coarse=coarse), a)
    found = [wrong for answer in answers for wrong in compare(asked, answer, a)]
    return [wrong for wrong in found if _stands(wrong, asked, a)]


def _stands(wrong: Disagreement, asked: Question, a: Arithmetic) -> bool:
    (alone,) = ask(asked, [wrong.args], a)
    return any(again.what == wrong.what for again in compare(asked, alone, a))


# --- comparing -----------------------------------------------------------------------------------------------------


def compare(asked: Question, answer: Answer, a: Arithmetic) -> Iterator[Disagreement]:
    """Where a row differs from torch's answer at one point."""
    row, args, close = asked.row, answer.args, _Closeness(asked.row, a, answer.args)

    def check(what: str, ours: Point, theirs: Point) -> Iterator[Disagreement]:
        if not all(map(close.near, ours, theirs)):
            yield Disagreement(row.name, a.dtype.name, what, args, ours, theirs)

    value = row.value(a, *args)
    yield from check("value", (value,), (answer.value,))
    if not answer.gradients:
        return
    zero, one, *broken = (_backward(asked, a, g, args, answer.value) for g in UPSTREAM)
    yield from check("gradient of 1", one, answer.gradients[1])
    for g, ours, theirs in zip(UPSTREAM[2:], broken, answer.gradients[2:], strict=True):
        yield from check(f"what becomes of {g}", _kinds(ours), _kinds(theirs))
    if any(map(close.overflowing, (*one, *answer.gradients[1]))):
        return
    yield from check("gradient of 0", zero, answer.gradients[0])
    # where the last digit of the value decides, row and torch may each be right
    decided = _spoilt(zero) == _spoilt(_backward(asked, a, 0.0, args, value))
    if decided and all(map(math.isfinite, args)) and _is_as_listed(asked):
        yield from check("poison", (_poisoned(row, a, args),), (float(_spoilt(answer.gradients[0])),))


def _is_as_listed(asked: Question) -> bool:
    """Whether the parameters are fixed as they usually are: a poison set of x ** p is for a number p."""
    return "exponent" not in asked.row.parameters or "exponent" in asked.fixed


def _backward(asked: Question, a: Arithmetic, g: float, args: Point, value: float) -> Point:
    made = asked.row.backward(a, g, value, *args)
    return tuple(0.0 if is_fixed else x for is_fixed, x in zip(asked.is_fixed(), made, strict=True))


def _poisoned(row: Op, a: Arithmetic, args: Point) -> float:
    poison = row.poison(a, *(R.point(arg) for arg in args))
    return float(any(arg in bad for arg, bad in zip(args, poison, strict=True)))


def _kinds(gradients: Point) -> Point:
    """nan for what is not finite, 0 for what is."""
    return tuple(g * 0.0 for g in gradients)


def _spoilt(gradients: Point) -> bool:
    return not all(map(math.isfinite, gradients))


class _Closeness:
    """How close a row has to be to torch at one point."""

    def __init__(self, row: Op, a: Arithmetic, args: Point) -> None:
        sizes = [abs(arg) for arg in args if math.isfinite(arg)]
        self.scale = min(1.0, max(sizes, default=0.0)) if row.name in DIFFERENCES else 0.0
        self.slack = STEPS[a.dtype.name] * ROUGH.get((row.name, a.dtype.name), 1.0) * a.dtype.eps
        self.least = 2.0 * max(a.dtype.tiny * a.dtype.eps, a.wide.dtype.tiny)
        self.largest = a.largest

    def near(self, x: float, y: float) -> bool:
        """Whether two numbers are equal but for a few roundings; nan is near nan, an infinity what is about to be."""
        if x != x or y != y:
            return x != x and y != y
        if math.isinf(x) or math.isinf(y):
            return x == y or ((self.overflowing(x) or self.overflowing(y)) and x * y > 0.0)
        return abs(x - y) <= self.slack * max(abs(x), abs(y), self.scale) + self.least

    def overflowing(self, x: float) -> bool:
        """Whether a rounding may make the finite number infinite."""
        return self.largest * (1.0 - self.slack) <= abs(x) <= self.largest


# --- the grid ------------------------------------------------------------------------------------------------------

_PLAIN = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, math.inf, -math.inf, math.nan)
_MORE = (0.1, -0.1, 1.5, -1.5, 7.0, -7.0, 30.0, -30.0, 100.0, -100.0, 1000.0, -1000.0, 1e-3, -1e-3)


def points_of(asked: Question, a: Arithmetic, *, coarse: bool = False) -> list[Point]:
    """The points at which a row is probed: fewer for each argument the more there are."""
    free = len(asked.row.parameters) - len(asked.fixed)
    columns = [
        asked.fixed.get(name) or (_PLAIN if coarse else _values(asked.row, index, free, a))
        for index, name in enumerate(asked.row.parameters)
    ]
    return list(itertools.product(*columns))


def _values(row: Op, index: int, free: int, a: Arithmetic) -> list[float]:
    """Values for one of `free` arguments."""
    made = [*_PLAIN, *_around(_boundaries(row, index, a), a)]
    if free < 3:
        made += [*_MORE, *_around((0.0, a.largest, -a.largest), a)]
    if free < 2:
        made += _magnitudes(a)
    lowest = LOWEST.get(row.name, -math.inf)
    kept = (value for value in map(a.round, made) if not value < lowest)
    return list({str(value): value for value in kept}.values())  # 0 and -0 are two


def _boundaries(row: Op, index: int, a: Arithmetic) -> list[float]:
    """The ends of an argument's poison set, and of the pieces of the formula."""
    poison = row.poison(a, *(R.ALL for _ in row.parameters))[index]
    return [*(end for part in poison.intervals for end in (part.lo, part.hi)), *row.landmarks]


def _around(values: Iterable[float], a: Arithmetic) -> Iterator[float]:
    """Each value and what lies next to it on either side."""
    eps, least = a.dtype.eps, a.dtype.tiny * a.dtype.eps
    for value in values:
        yield value
        if math.isfinite(value):
            for steps in (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0):
                yield value + steps * max(abs(value) * eps, least)


def _magnitudes(a: Arithmetic) -> Iterator[float]:
    """Numbers of all sizes that the dtype has."""
    low, high = math.log2(a.dtype.tiny), math.log2(a.largest)
    for k in range(49):
        size = 1.37 * 2.0 ** (low + (high - low - 1.0) * k / 48)
        yield size
        yield -size
