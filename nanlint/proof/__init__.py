"""What nanlint says, put to real torch; the only package that imports it.

For your own code: `assert_finite_gradients` in a test, `watch` around a live training step. Importing the package
without torch raises an ImportError that says how to install it.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError(
        "nanlint.proof runs code with torch, which is not installed: pip install nanlint[torch]"
    )

from nanlint.proof.finite import Domain as Domain
from nanlint.proof.finite import assert_finite_gradients as assert_finite_gradients
from nanlint.proof.live import NonFiniteGradient as NonFiniteGradient
from nanlint.proof.live import watch as watch
