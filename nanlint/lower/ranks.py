"""Sorted values and their indices: which end of them a subscript takes."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nanlint.graph import Value
from nanlint.lower.keys import adds_dimension, integer, keeps


@dataclass(frozen=True)
class Order:
    """How values, or the indices of values, are sorted: `of` what they are the values, along which dimension."""

    of: Value
    descending: bool
    dim: int | None


def takes_largest(key: ast.expr, order: Order) -> bool | None:
    """Whether a subscript takes the larger ones (True) or the smaller ones (False); None if it does neither."""
    first = _takes_first(key, order.dim)
    return None if first is None else first is order.descending


def _takes_first(key: ast.expr, dim: int | None) -> bool | None:
    """Whether a subscript takes some from the beginning (True) or from the end (False) of a dimension."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    cut = [at for at, part in enumerate(parts) if not keeps(part)]
    if len(cut) != 1 or any(adds_dimension(part) for part in parts):
        return None
    (at,) = cut
    from_end = at > 0 and isinstance(parts[0], ast.Constant)  # behind `...`
    if dim is not None and dim not in (
        (at - len(parts),) if from_end else (at, at - len(parts)) if at else (0,)
    ):
        return None
    return _is_first(parts[at])


def _is_first(part: ast.expr) -> bool | None:
    """Whether a part of a subscript names the first ones or the last ones."""
    if not isinstance(part, ast.Slice):
        at = integer(part)
        return None if at not in (0, -1) else at == 0
    if part.lower is None or integer(part.lower) == 0:
        return None if part.upper is None else True
    return False if part.upper is None or integer(part.lower) else None
