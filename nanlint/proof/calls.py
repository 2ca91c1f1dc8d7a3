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
_EXPONENTS = (0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 7.0, 20.0, -0.5, -1.0, -1.5, -2.0, -3.0)
_TRUTH = (0.0, 1.0)
_REDUCTIONS = frozenset(row.name for row in REDUCTIONS)

FIXED: dict[str, dict[str, tuple[float, ...]]] = {
    "where": {"condition": _TRUTH},
    "phi": {"condition": _TRUTH},
    "masked_fill": {"mask": _TRUTH, "value": (0.0, -1.0, math.inf)},
    "masked_select": {"mask": (1.0,)},
    "hardtanh": {"min": (-1.0,), "max": (1.0,)},
    "threshold": {"threshold": (0.0, 1.0), "value": (0.0, -2.0)},
    "nan_to_num": {"nan": (0.0, 3.0), "posinf": (7.0,), "neginf": (-7.0,)},
    "pow": {"exponent": _EXPONENTS},
    "float_power": {"exponent": _EXPONENTS},
    "polygamma": {"n": (0.0, 1.0, 2.0, 3.0)},
    "polygamma_method": {"n": (0.0, 1.0, 2.0, 3.0)},
    "mvlgamma": {"p": (1.0, 2.0, 3.0)},
    "gammainc": {"input": (0.5, 1.0, 2.0, 30.0)},
    "gammaincc": {"input": (0.5, 1.0, 2.0, 30.0)},
    "zeta": {"input": (1.5, 2.0, 3.0)},
    "elu": {"alpha": (1.0, 0.5)},
    "celu": {"alpha": (1.0, 0.5)},
    "leaky_relu": {"negative_slope": (0.01, 0.2)},
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
    "hardtanh": torch.nn.functional.hardtanh,
    "quantile": lambda x: x.unsqueeze(-1).quantile(0.5, dim=-1),
    "nanquantile": lambda x: x.unsqueeze(-1).nanquantile(0.5, dim=-1),
    "all": lambda x: x.unsqueeze(-1).all(dim=-1),
    "any": lambda x: x.unsqueeze(-1).any(dim=-1),
    "polygamma": lambda n, x: torch.polygamma(int(n), x),
    "polygamma_method": lambda x, n: x.polygamma(int(n)),
    "mvlgamma": lambda x, p: torch.mvlgamma(x, int(p)),
    "gammainc": lambda s, x: torch.special.gammainc(torch.full_like(x, s), x),
    "gammaincc": lambda s, x: torch.special.gammaincc(torch.full_like(x, s), x),
    "zeta": lambda s, q: torch.special.zeta(torch.full_like(q, s), q),
    "prelu": lambda x, w: torch.nn.functional.prelu(x.unsqueeze(0), w).squeeze(0),
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
    return _along(function) if row.name in _REDUCTIONS else function


def _along(function: Call) -> Call:
    """A reduction over one element at a time."""

    def call(x: Tensor) -> Tensor:
        made = function(x.unsqueeze(-1), dim=-1)
        values = made if isinstance(made, Tensor) else made[0]
        return values.reshape(x.shape)

    return call
