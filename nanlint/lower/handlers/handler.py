"""What a handler is: a function that knows the result of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from nanlint.lower.call import Call
from nanlint.lower.things import Thing
from nanlint.lower.values import Values

Handler: TypeAlias = Callable[[Values, Call], "Thing | None"]
"""Gives the result of a call; None if the call is not of the form that it knows."""

__all__ = ["Handler"]
