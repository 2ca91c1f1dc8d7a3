"""For tests of your own code: looks for an input whose value is finite and whose gradient is not."""

from __future__ import annotations

from nanlint.proof.finite.asserting import assert_finite_gradients
from nanlint.proof.finite.domains import Domain

__all__ = ["Domain", "assert_finite_gradients"]
