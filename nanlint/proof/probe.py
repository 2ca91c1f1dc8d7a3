"""Each row of the catalogue put to real torch: values, gradients and poison sets, dtype by dtype.

A row says on Python floats what torch computes. Here torch computes it too, on a grid of points inside, outside and
on each boundary of the row's poison sets and pieces, and whatever differs is a `Disagreement`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.catalogue import Op
from nanlint.proof.calls import FIXED, Call, call_of
from nanlint.regions import Region

STEPS = {"float64": 4503.0, "float32": 16.0, "bfloat16": 3.0, "float16": 3.0}
"""How many rounding steps torch may be away from the row: 1e-12 in float64, a few elsewhere."""

Point = tuple[float, ...]


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


UNSUPPORTED = frozenset("quantile nanquantile zeta erfcx log_ndtr ndtri i1 i1e".split())
"""What torch does not compute in 16 bits, forward or backward."""

UPSTREAM = (0.0, 1.0, math.inf, math.nan)
"""Gradients that come from upstream: 0 of a dropped element, 1, and what a singular op further up made of 0."""


@dataclass(frozen=True)
class Answer:
    """What torch computes of a row at one point: the value, and the arguments' gradients for each of UPSTREAM."""

    args: Point
    value: float
    gradients: tuple[Point, ...]


def probe(row: Op, dtype: str, spelling: str | None = None) -> list[Disagreement]:
    """All disagreements between `row` and torch in `dtype`, asked under `spelling`.

    torch computes a vector with other instructions than a single number; a row that agrees with one of the two is
    right.
    """
    a, call = ARITHMETIC[dtype], call_of(row, spelling)
    found = [wrong for answer in ask(row, call, points_of(row, a), a) for wrong in compare(row, answer, a)]
    alone = {args: ask(row, call, [args], a)[0] for args in {wrong.args for wrong in found}}
    return [
        wrong
        for wrong in found
        if any(again.what == wrong.what for again in compare(row, alone[wrong.args], a))
    ]


def compare(row: Op, answer: Answer, a: Arithmetic) -> Iterator[Disagreement]:
    """Where `row` differs from torch's answer at one point."""
    args, close = answer.args, _Closeness(row, a, answer.args)

    def check(what: str, ours: Point, theirs: Point) -> Iterator[Disagreement]:
        if not all(map(close.near, ours, theirs)):
            yield Disagreement(row.name, a.dtype.name, what, args, ours, theirs)

    value = row.value(a, *args)
    yield from check("value", (value,), (answer.value,))
    if not answer.gradients:
        return
    zero, one, *broken = [_backward(row, a, g, args, answer.value) for g in UPSTREAM]
    yield from check("gradient of 1", one, answer.gradients[1])
    for g, ours, theirs in zip(UPSTREAM[2:], broken, answer.gradients[2:], strict=True):
        yield from check(f"what becomes of {g}", _kinds(ours), _kinds(theirs))
    if any(map(close.overflowing, (*one, *answer.gradients[1]))):
        return
    yield from check("gradient of 0", zero, answer.gradients[0])
    rounded = _spoilt(zero) != _spoilt(
        _backward(row, a, 0.0, args, value)
    )  # the last digit of the value decides
    if all(map(math.isfinite, args)) and not rounded:
        yield from check("poison", (_poisoned(row, a, args),), (float(_spoilt(answer.gradients[0])),))


def _backward(row: Op, a: Arithmetic, g: float, args: Point, value: float) -> Point:
    made = row.backward(a, g, value, *args)
    fixed = FIXED.get(row.name, {})
    return tuple(0.0 if name in fixed else x for name, x in zip(row.parameters, made, strict=True))


def _poisoned(row: Op, a: Arithmetic, args: Point) -> float:
    poison = row.poison(a, *(R.point(arg) for arg in args))
    return float(any(arg in bad for arg, bad in zip(args, poison, strict=True)))


def _kinds(gradients: Point) -> Point:
    """nan for what is not finite, 0 for what is."""
    return tuple(g * 0.0 for g in gradients)


def _spoilt(gradients: Point) -> bool:
    return not all(map(math.isfinite, gradients))


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


class _Closeness:
    """How close a row has to be to torch at one point."""

    def __init__(self, row: Op, a: Arithmetic, args: Point) -> None:
        cancelling = row.name in DIFFERENCES
        sizes = [abs(arg) for arg in args if math.isfinite(arg)]
        self.scale = min(1.0, max(sizes, default=0.0)) if cancelling else 0.0
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


# --- torch's side --------------------------------------------------------------------------------------------------


def ask(row: Op, call: Call, points: Sequence[Point], a: Arithmetic) -> list[Answer]:
    """Put `row` to torch at `points`, those with equal fixed parameters at once."""
    fixed = [name in FIXED.get(row.name, {}) for name in row.parameters]

    def pinned(point: Point) -> Point:
        return tuple(x for x, is_fixed in zip(point, fixed, strict=True) if is_fixed)

    ordered = sorted(points, key=pinned)
    groups = [list(group) for _, group in itertools.groupby(ordered, key=pinned)]
    return [answer for group in groups for answer in _ask_together(row, call, group, fixed, a)]


def _ask_together(
    row: Op, call: Call, points: list[Point], fixed: Sequence[bool], a: Arithmetic
) -> Iterator[Answer]:
    dtype: torch.dtype = getattr(torch, a.dtype.name)
    args: list[Tensor | float] = []
    for column, is_fixed in zip(zip(*points, strict=True), fixed, strict=True):
        args.append(
            column[0] if is_fixed else torch.tensor(column, dtype=dtype, requires_grad=row.differentiable)
        )
    made = call(*args)
    values = made.detach().double().tolist()
    upstream = UPSTREAM if row.differentiable else ()
    gradients = (
        zip(*(_gradients(made, args, g) for g in upstream), strict=True) if upstream else [()] * len(points)
    )
    return map(Answer, points, values, gradients)


def _gradients(made: Tensor, args: Sequence[Tensor | float], upstream: float) -> list[Point]:
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    seed = torch.full_like(made, upstream)
    grads = iter(torch.autograd.grad(made, tensors, seed, retain_graph=True, materialize_grads=True))
    columns = [
        next(grads).double().tolist() if isinstance(arg, Tensor) else [0.0] * len(made) for arg in args
    ]
    return list(zip(*columns, strict=True))


def points_of(row: Op, a: Arithmetic) -> list[Point]:
    """The points at which `row` is probed: fewer for each argument the more there are."""
    fixed = FIXED.get(row.name, {})
    free = sum(name not in fixed for name in row.parameters)
    columns = [
        fixed[name] if name in fixed else _Grid(row, index, a).points(free)
        for index, name in enumerate(row.parameters)
    ]
    return list(itertools.product(*columns))


LOWEST = {"polygamma": -1e4, "polygamma_method": -1e4, "zeta": -1e4, "log_ndtr": -1e3}
"""Where there is nothing to compare below: of the first three torch adds up a term for each whole number on the way to
0 and does not come back, and the gradient of the last is e to the power of a rounding error."""
_PLAIN = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, math.inf, -math.inf, math.nan)
_MORE = (0.1, -0.1, 1.5, -1.5, 7.0, -7.0, 30.0, -30.0, 100.0, -100.0, 1000.0, -1000.0, 1e-3, -1e-3)


class _Grid:
    """The points for one argument."""

    def __init__(self, row: Op, index: int, a: Arithmetic) -> None:
        self.row = row
        self.index = index
        self.a = a

    def points(self, free: int) -> list[float]:
        """All of them for a unary op, fewer where they are to be combined."""
        made = [*_PLAIN, *self.ends(self.boundaries)]
        if free < 3:
            made.extend(_MORE)
            made.extend(self.ends((0.0, self.a.largest, -self.a.largest)))
        if free < 2:
            made.extend(self.magnitudes)
        lowest = LOWEST.get(self.row.name, -math.inf)
        return _unique(value for value in map(self.a.round, made) if not value < lowest)

    @cached_property
    def boundaries(self) -> list[float]:
        """The ends of the poison sets and of the pieces."""
        poison = self.row.poison(self.a, *(R.ALL for _ in self.row.parameters))[self.index]
        return [*_ends(poison), *self.row.landmarks]

    def ends(self, values: Iterable[float]) -> Iterator[float]:
        """Each boundary and what lies next to it on either side."""
        eps, least = self.a.dtype.eps, self.a.dtype.tiny * self.a.dtype.eps
        for value in values:
            yield value
            if math.isfinite(value):
                for steps in (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0):
                    yield value + steps * max(abs(value) * eps, least)

    @property
    def magnitudes(self) -> Iterator[float]:
        """Numbers of all sizes that the dtype has."""
        low, high = math.log2(self.a.dtype.tiny), math.log2(self.a.largest)
        for k in range(49):
            size = 1.37 * 2.0 ** (low + (high - low - 1.0) * k / 48)
            yield size
            yield -size


def _ends(region: Region) -> list[float]:
    return [end for part in region.intervals for end in (part.lo, part.hi)]


def _unique(values: Iterable[float]) -> list[float]:
    """Without repetitions; 0 and -0 are two."""
    return list({str(value): value for value in values}.values())
