"""How torch is asked for a row of the catalogue: the function behind a spelling, and what it takes besides tensors."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nanlint.catalogue import Op
from nanlint.catalogue.reductions import ROWS as REDUCTIONS

Call: TypeAlias = Callable[..., Tensor]
"""Takes a tensor for each parameter of a row (a float for a fixed one) and works element by element."""

_ROOTS = {"torch": torch, "Tensor": Tensor, "builtins": builtins, "math": math}
_TRUTH = (0.0, 1.0)
_REDUCTIONS = frozenset(row.name for row in REDUCTIONS)

FIXED: dict[str, dict[str, tuple[float, ...]]] = {
    "where": {"condition": _TRUTH},
    "phi": {"condition": _TRUTH},
    "masked_fill": {"mask": _TRUTH, "value": (0.0, -1.0, math.inf)},
    "masked_select": {"mask": (1.0,)},
    "threshold": {"threshold": (0.0, 1.0), "value": (0.0, -2.0)},
    "nan_to_num": {"nan": (0.0, 3.0), "posinf": (7.0,), "neginf": (-7.0,)},
}
"""Parameters that are masks or Python numbers in torch, with the values to probe."""


def _filled(value: float, like: Tensor) -> Tensor:
    return torch.full_like(like, value, dtype=torch.bool)


_CALLS: dict[str, Call] = {
    "identity": lambda x: x.clone(),
    "where": lambda c, x, y: torch.where(_filled(c, x), x, y),
    "phi": lambda c, x, y: (x if c else y).clone(),
    "masked_fill": lambda x, m, v: x.masked_fill(_filled(m, x), v),
    "masked_select": lambda x, m: x.masked_select(_filled(m, x)),
    "quantile": lambda x: x.unsqueeze(-1).quantile(0.5, dim=-1),
    "truth": lambda x: x.bool(),
}
"""Where the function cannot be called with one tensor for each parameter."""


def resolve(spelling: str) -> Any:
    """What `spelling` names in torch or Python; AttributeError if there is no such thing."""
    root, *path = spelling.split(".")
    found: Any = _ROOTS[root]
    for name in path:
        found = getattr(found, name)
    return found


def call_of(row: Op, spelling: str | None = None) -> Call:
    """The function that computes `row` element by element, under one of its spellings (the first by default)."""
    if row.name in _CALLS:
        return _CALLS[row.name]
    function = resolve(spelling or row.spellings[0])
    return _along(function) if row.name in _REDUCTIONS else function  # type: ignore[no-any-return]


def _along(function: Call) -> Call:
    """A reduction over one element at a time."""

    def call(x: Tensor) -> Tensor:
        made = function(x.unsqueeze(-1), dim=-1)
        return made if isinstance(made, Tensor) else made[0]

    return call
