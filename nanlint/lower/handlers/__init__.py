"""Calls whose arguments do not map one to one onto a catalogue row: a small function for each, by the name called.

`HANDLERS` holds functions of torch, methods of tensors (with the receiver as the first argument) and builtins.
"""

from __future__ import annotations

from nanlint.lower.handlers import (
    formulas,
    grouping,
    matrices,
    python,
    ranking,
    selecting,
    tensors,
    weighing,
)
from nanlint.lower.handlers.handler import Handler

HANDLERS: dict[str, Handler] = {
    name: handler
    for module in (selecting, ranking, formulas, matrices, weighing, tensors, grouping, python)
    for name, handler in module.HANDLERS.items()
}

__all__ = ["HANDLERS", "Handler"]
