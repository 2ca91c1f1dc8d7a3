"""What each argument may be: an example of it, and the range in which its elements may be moved."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Domain:
    """A tensor argument of this shape whose elements all lie in [low, high]; infinite ends are open.

    Raises ValueError for a range without any number of the dtype.
    """

    shape: tuple[int, ...]
    low: float = -math.inf
    high: float = math.inf
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        if not self.low <= self.high or not self.dtype.is_floating_point:
            raise ValueError(f"no number of {self.dtype} lies in [{self.low}, {self.high}]")

    def holds(self, number: float) -> bool:
        """Whether an element may be this number."""
        return self.low <= number <= self.high

    def example(self) -> Tensor:
        """A tensor in the middle of the range, no two elements alike where there is room."""
        low, high = (end if math.isfinite(end) else None for end in (self.low, self.high))
        if low is None:
            low = -1.0 if high is None else high - 2.0
        if high is None:
            high = low + 2.0
        count = math.prod(self.shape)
        inner = torch.linspace(0.0, 1.0, count + 2, dtype=torch.float64)[1:-1]
        return (low + (high - low) * inner).reshape(self.shape).to(self.dtype)

    @staticmethod
    def of(example: Tensor) -> Domain:
        """The domain of an example that may be moved anywhere."""
        return Domain(tuple(example.shape), dtype=example.dtype)
