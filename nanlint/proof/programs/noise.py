"""Arithmetic with noise in the last digit, which shows how much of a result hangs on roundings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from nanlint.arithmetic import FLOAT32, Arithmetic, Dtype
from nanlint.graph import MOST_VALUES, Value, closure
from nanlint.hazards import Hazard
from nanlint.witness import backward, forward

_SHORT = 2.0**24
_TRIES = 6
"""How often a witness is run with other last digits."""


class Noisy(Arithmetic):
    """Arithmetic that moves every result by up to two rounding steps, except for what is exact: short numbers, and sums
    in which nothing is lost."""

    def __init__(self, dtype: Dtype, seed: int) -> None:
        super().__init__(dtype)
        exactly, random = self.round, Random(seed)

        def round_(value: float) -> float:
            made = exactly(value)
            return made if _is_short(made) else self.moved(made)

        self.round = round_
        self.random = random

    def moved(self, value: float) -> float:
        """`value` with another last digit."""
        return value * (1.0 + self.random.choice((-2.0, -1.0, 1.0, 2.0)) * self.dtype.eps)

    def add(self, x: float, y: float) -> float:
        """x + y, moved if it was rounded (by Knuth's TwoSum)."""
        made = x + y
        part = made - x
        lost = (x - (made - part)) + (y - part)
        return self.moved(made) if math.isfinite(made) and lost != 0.0 else made

    def sub(self, x: float, y: float) -> float:
        """x - y."""
        return self.add(x, -y)


def _is_short(value: float) -> bool:
    """Whether a number has few binary digits, as those have that were not rounded."""
    if value == 0.0 or not math.isfinite(value):
        return True
    mantissa = math.frexp(value)[0] * _SHORT
    return mantissa == math.floor(mantissa)


def rests_on_digits(hazard: Hazard, inputs: Mapping[Value, float]) -> bool:
    """Whether a witness is none any more if the last digits of it, and of what is computed from it, are others."""
    order = closure((hazard.selector,), MOST_VALUES)
    given = {value.number: at for value, at in inputs.items()}
    return not all(_is_witness(hazard, order, given, Noisy(FLOAT32, seed)) for seed in range(_TRIES))


def _is_witness(hazard: Hazard, order: list[Value], given: Mapping[int, float], a: Noisy) -> bool:
    moved = {number: at if _is_short(at) else a.moved(at) for number, at in given.items()}
    values = forward(order, moved, a, void=True)
    if values is None:
        return False
    slopes = backward(order, values, {hazard.selector.number: 1.0}, a).by_number
    lost = any(math.isnan(slopes.get(number, 0.0)) for number in given)
    return lost and (hazard.drop is None or math.isfinite(values[hazard.selector.number]))
