"""What goes wrong in a live training step: where each gradient was made, and which element spoiled it."""

from __future__ import annotations

from nanlint.proof.live.watching import NonFiniteGradient, watch

__all__ = ["NonFiniteGradient", "watch"]
