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


@dataclass(frozen=True)
class Answers:
    """What torch computes of a row at each of `points`: values, and gradients for upstream 0 and 1."""

    points: Sequence[Point]
    values: Sequence[float]
    zeros: Sequence[Point]
    ones: Sequence[Point]


def probe(row: Op, dtype: str, spelling: str | None = None) -> list[Disagreement]:
    """All disagreements between `row` and torch in `dtype`, asked under `spelling`."""
    a = ARITHMETIC[dtype]
    answers = ask(row, call_of(row, spelling), points_of(row, a), a)
    return list(_Comparison(row, a, answers).disagreements())


class _Comparison:
    def __init__(self, row: Op, a: Arithmetic, answers: Answers) -> None:
        self.row = row
        self.a = a
        self.answers = answers

    def disagreements(self) -> Iterator[Disagreement]:
        answers = self.answers
        for args, value, zeros, ones in zip(
            answers.points, answers.values, answers.zeros, answers.ones, strict=True
        ):
            yield from self._compare("value", args, (self.row.value(self.a, *args),), (value,))
            if not self.row.differentiable:
                continue
            yield from self._compare("gradient of 0", args, self._backward(0.0, value, args), zeros)
            yield from self._compare("gradient of 1", args, self._backward(1.0, value, args), ones)
            if all(map(math.isfinite, args)):
                yield from self._compare("poison", args, (self._poisoned(args),), (float(_spoilt(zeros)),))

    def _backward(self, g: float, y: float, args: Point) -> Point:
        made = self.row.backward(self.a, g, y, *args)
        fixed = FIXED.get(self.row.name, {})
        return tuple(0.0 if name in fixed else x for name, x in zip(self.row.parameters, made, strict=True))

    def _poisoned(self, args: Point) -> float:
        regions = [R.point(arg) for arg in args]
        poison = self.row.poison(self.a, *regions)
        return float(any(arg in bad for arg, bad in zip(args, poison, strict=True)))

    def _compare(self, what: str, args: Point, ours: Point, theirs: Point) -> Iterator[Disagreement]:
        steps = STEPS[self.a.dtype.name]
        if not all(near(x, y, self.a, steps) for x, y in zip(ours, theirs, strict=True)):
            yield Disagreement(self.row.name, self.a.dtype.name, what, args, ours, theirs)


def _spoilt(gradients: Point) -> bool:
    return not all(map(math.isfinite, gradients))


def near(x: float, y: float, a: Arithmetic, steps: float) -> bool:
    """Whether two numbers are equal but for `steps` roundings in the dtype of `a`; nan is near nan only."""
    if x != x or y != y:
        return x != x and y != y
    if math.isinf(x) or math.isinf(y):
        return x == y
    return abs(x - y) <= steps * (a.dtype.eps * max(abs(x), abs(y)) + a.dtype.tiny * a.dtype.eps)


def ask(row: Op, call: Call, points: Sequence[Point], a: Arithmetic) -> Answers:
    """Put `row` to torch at `points`, those with equal fixed parameters at once."""
    fixed = [name in FIXED.get(row.name, {}) for name in row.parameters]

    def pinned(point: Point) -> Point:
        return tuple(x for x, is_fixed in zip(point, fixed, strict=True) if is_fixed)

    ordered = sorted(points, key=pinned)
    batches = [_batch(row, call, list(group), fixed, a) for _, group in itertools.groupby(ordered, key=pinned)]
    return Answers(*(tuple(itertools.chain.from_iterable(part)) for part in zip(*batches, strict=True)))


def _batch(
    row: Op, call: Call, points: list[Point], fixed: Sequence[bool], a: Arithmetic
) -> tuple[list[Point], list[float], list[Point], list[Point]]:
    dtype: torch.dtype = getattr(torch, a.dtype.name)
    args: list[Tensor | float] = []
    for column, is_fixed in zip(zip(*points, strict=True), fixed, strict=True):
        args.append(column[0] if is_fixed else torch.tensor(column, dtype=dtype, requires_grad=row.differentiable))
    made = call(*args)
    values = made.detach().double().tolist()
    if not row.differentiable:
        return points, values, [()] * len(points), [()] * len(points)
    return points, values, _gradients(made, args, 0.0), _gradients(made, args, 1.0)


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
        fixed[name] if name in fixed else _Grid(row, index, a).points(free) for index, name in enumerate(row.parameters)
    ]
    return list(itertools.product(*columns))


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
        return _unique(self.a.round(value) for value in made)

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
