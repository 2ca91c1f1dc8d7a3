"""The graph that a program is lowered to, run on floats: exactly, and with noise in the last digit of each op."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nanlint.arithmetic import ARITHMETIC, FLOAT64, Arithmetic
from nanlint.graph import Apply, Leaf, Value, closure
from nanlint.proof.probe import DIFFERENCES, LOWEST, ROUGH
from nanlint.proof.programs.nodes import LEAF
from nanlint.proof.programs.noise import Noisy
from nanlint.proof.programs.points import Point
from nanlint.proof.programs.running import Outcome
from nanlint.proof.programs.writing import ENTRY, Program
from nanlint.witness import backward, forward

_CANCELLING = DIFFERENCES | LOWEST.keys() | {name for name, _ in ROUGH} | {"sinc"}
"""Ops of which torch has not all digits: of what is made of them only the finiteness is compared."""
_EQUAL = 1e-12
"""How far the evaluator may be from torch in float64."""
_MOVED = 50.0
"""How many times as far two orders of computing may be apart as a last digit in each op moves the result."""
BY_DIGITS = frozenset({"logaddexp2", "i0", "i0e", "i1", "i1e"})
"""Ops that miss plain numbers by the last digit in torch: i0(0) is less than 1, logaddexp2(-1, -1) is not 0."""
_ARITHMETIC = (ARITHMETIC["float64"], *(Noisy(FLOAT64, seed) for seed in range(3)))


class Evaluated:
    """The graph of a program, run on floats."""

    def __init__(self, program: Program, sink: Value) -> None:
        self.sink = sink
        self.order = closure((sink,), 10_000)
        self.leaves = {value.name: value for value in self.order if isinstance(value, Leaf)}
        self.names = [name for name, node in program.functions[ENTRY].items() if node.op == LEAF]
        self.is_exact = not any(isinstance(v, Apply) and v.op in BY_DIGITS for v in self.order)
        self._shares_reciprocals = any(_users(v, self.order) > 1 for v in self.order if _is_reciprocal(v))
        """Whether `2 / x` and `3 / x` are there: torch inverts twice, so that an inf and a nan may come together."""
        self.rough = any(isinstance(v, Apply) and v.op in _CANCELLING for v in self.order)

    @property
    def is_of_inputs(self) -> bool:
        """Whether the leaves are the inputs themselves, not elements that an index has taken of them."""
        return not any("[" in name for name in self.leaves)

    def difference(self, point: Point, made: Outcome) -> tuple[str, str] | None:
        """What differs from torch's outcome at a point: the value or a gradient, and the two numbers."""
        if self._is_out_of_reach(point):
            return None
        exact, *noisy = self._runs(point)
        for what, ours, theirs, *moved in zip(
            ["value", *self.names], exact, (made.value, *made.gradient), *noisy, strict=True
        ):
            lost = what != "value" and self._shares_reciprocals and not math.isfinite(ours)
            if theirs is None or (lost and not math.isfinite(theirs)):
                continue
            if not self._agree(ours, theirs, moved):
                return what, f"{ours}, torch {theirs}"
        return None

    def spread(self, point: Point) -> list[float]:
        """How far a last digit in each op moves the value and each gradient."""
        exact, *noisy = self._runs(point)
        return [max(_distance(ours, x) for x in moved) for ours, *moved in zip(exact, *noisy, strict=True)]

    def _runs(self, point: Point) -> list[list[float]]:
        given = {node.name: x for node, x in point.items()}
        return [self._run(given, a) for a in _ARITHMETIC]

    def _forward(self, given: Mapping[str, float], a: Arithmetic) -> dict[int, float]:
        at = {leaf.number: given[name] for name, leaf in self.leaves.items()}
        values = forward(self.order, at, a)
        assert values is not None
        return values

    def _run(self, given: Mapping[str, float], a: Arithmetic) -> list[float]:
        values = self._forward(given, a)
        slopes = backward(self.order, values, {self.sink.number: 1.0}, a).by_number
        numbers = [self.leaves[name].number if name in self.leaves else -1 for name in self.names]
        return [values[self.sink.number], *(slopes.get(number, 0.0) for number in numbers)]

    def _is_out_of_reach(self, point: Point) -> bool:
        """Whether an op is given what torch computes no sensible number for, or the sign of a nan is asked for."""
        values = self._forward({node.name: x for node, x in point.items()}, _ARITHMETIC[0])
        ops = [value for value in self.order if isinstance(value, Apply)]
        return any(
            values.get(arg.number, 0.0) < LOWEST[value.op]
            for value in ops
            if value.op in LOWEST
            for arg in value.args
        ) or any(math.isnan(values.get(value.args[1].number, 0.0)) for value in ops if value.op == "copysign")

    def _agree(self, ours: float, theirs: float, moved: Sequence[float]) -> bool:
        """Whether two numbers are one, as far as a last digit in each op does not decide it."""
        if _kind(ours) != _kind(theirs):
            return len({_kind(ours), *map(_kind, moved)}) > 1
        if not math.isfinite(ours) or self.rough:
            return True
        spread = max((_distance(ours, x) for x in moved), default=0.0)
        return abs(ours - theirs) <= _EQUAL * max(abs(ours), abs(theirs)) + _MOVED * spread + 1e-300


def _is_reciprocal(value: Value) -> bool:
    return isinstance(value, Apply) and value.op == "reciprocal"


def _users(value: Value, order: Sequence[Value]) -> int:
    return sum(arg.number == value.number for user in order if isinstance(user, Apply) for arg in user.args)


def agree_but_for_digits(x: float, y: float, spread: float) -> bool:
    """Whether two finite numbers may be one that was computed in two ways."""
    return abs(x - y) <= _MOVED * spread


def _distance(x: float, y: float) -> float:
    return abs(x - y) if math.isfinite(x) and math.isfinite(y) else 0.0


def _kind(x: float) -> str:
    return "finite" if math.isfinite(x) else str(x)
