"""Random numbers and regions of a dtype, with many that lie on ends and next to them.

Hypothesis draws the generator; a sampler draws from it, thousands of times faster than Hypothesis draws structures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nanlint import regions as R
from nanlint.arithmetic import FLOAT64, Arithmetic
from nanlint.regions import Region

PLAIN = tuple(
    sign * size
    for size in (
        *(0.0, 1.0, 0.5, 2.0, 3.0, 10.0, 0.1, 0.25, 0.75, 1.5, 4.0, 20.0, 88.0, 90.0, 100.0, math.inf),
        *(1e-3, 1e-10, 1e-20, 1e-30, 1e-40, 1e10, 1e20, 1e30, 3.4e38),
    )
    for sign in (1.0, -1.0)
)


@dataclass(frozen=True)
class Sampler:
    """Draws numbers of one dtype, often one of `landmarks`. Never nan.

    float64 comes without its subnormal numbers: regions are computed in float64 themselves.
    """

    random: Random
    a: Arithmetic
    landmarks: Sequence[float] = ()

    def number(self) -> float:
        """A number of the dtype."""
        x = self.a.round(self._any())
        if self.random.random() < 0.2 and math.isfinite(x):
            x = self.a.round(x * (1.0 + self.random.choice((1.0, -1.0, 0.5, -0.5)) * self.a.dtype.eps))
        return math.copysign(0.0, x) if self.a.dtype is FLOAT64 and abs(x) < 1e-290 else x

    def _any(self) -> float:
        kind = self.random.random()
        if kind < 0.5:
            return self.random.choice(PLAIN)
        if kind < 0.7 and self.landmarks:
            return self.random.choice(self.landmarks)
        if kind < 0.85:
            return self.random.uniform(-3.0, 3.0)
        return self.random.choice((1.0, -1.0)) * math.pow(2.0, self.random.uniform(-140.0, 130.0))

    def region_with(self, member: float) -> Region:
        """A region that holds `member`: an interval around it, and maybe another one."""
        kind = self.random.random()
        if kind < 0.1:
            return R.ALL
        lo = min(member, self.number()) if self._coin() else member
        hi = max(member, self.number()) if self._coin() else member
        around = R.interval(lo, hi, lo < member and self._coin(), hi > member and self._coin())
        return around | self.region() if kind < 0.5 else around

    def region(self) -> Region:
        """A region of one interval, or of none if its ends are equal and open."""
        lo, hi = sorted((self.number(), self.number()))
        return R.interval(lo, hi, self._coin(), self._coin())

    def _coin(self) -> bool:
        return self.random.random() < 0.5
