"""Arithmetic with noise in the last digit, which shows how much of a result hangs on roundings."""

from __future__ import annotations

import math
from random import Random

from nanlint.arithmetic import Arithmetic, Dtype

_SHORT = 2.0**24


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
