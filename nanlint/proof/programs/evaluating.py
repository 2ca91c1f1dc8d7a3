"""Runs programs with torch node by node, so that what a selector drops can be kept out of the backward pass."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from nanlint.catalogue import OPS
from nanlint.proof.asking import resolve
from nanlint.proof.programs.nodes import (
    CAST,
    FLAG,
    LEAF,
    MASK_PRODUCT,
    NUMBER,
    SELECTORS,
    Node,
    nodes,
)

_F = torch.nn.functional
CALLS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "and": operator.and_,
    "or": operator.or_,
    "not": operator.invert,
    MASK_PRODUCT: operator.mul,
    CAST: lambda x: x.float() if torch.get_default_dtype() == torch.float32 else x.double(),
    "full": lambda x, value: torch.full_like(x, value),
    "clamp": lambda x, lo, hi: x.clamp(lo, hi),
    "hardtanh": lambda x, lo, hi: _F.hardtanh(x, lo, hi),
    "nan_to_num": lambda x, nan, hi, lo: torch.nan_to_num(x, nan, hi, lo),
    "masked_fill": lambda x, mask, value: x.masked_fill(mask, value),
}
"""What computes a node where it is not the first spelling of its row."""

_DROPPED: dict[str, Callable[..., tuple[bool, ...]]] = {
    "where": lambda c, x, y: (False, not c, bool(c)),
    MASK_PRODUCT: lambda m, x: (False, m == 0.0),
    "masked_fill": lambda x, m, v: (bool(m), False, False),
    "masked_select": lambda x, m: (not m, False),
    "nan_to_num": lambda x, *rest: (not torch.isfinite(x).item(), False, False, False),
    "clamp_min": lambda x, lo: (x < lo, False),
    "clamp_max": lambda x, hi: (x > hi, False),
    "clamp": lambda x, lo, hi: (x < lo or x > hi, False, False),
    "relu": lambda x: (x <= 0.0,),
    "hardtanh": lambda x, lo, hi: (x <= lo or x >= hi, False, False),
    "threshold": lambda x, t, v: (x <= t, False, False),
    "maximum": lambda x, y: (x < y, y < x),
    "minimum": lambda x, y: (x > y, y > x),
    "fmax": lambda x, y: (x < y or x != x, y < x or y != y),
    "fmin": lambda x, y: (x > y or x != x, y > x or y != y),
}
"""Which arguments of a selector are dropped, for values of one element."""


def computed(node: Node, args: list[Any]) -> Any:
    """One node of tensors and numbers."""
    call = CALLS.get(node.op)
    return (call or resolve(OPS[node.op].spellings[0]))(*args)


def evaluated(root: Node, given: Mapping[Node, Tensor]) -> dict[Node, Any]:
    """The value of every node, from the values of the inputs."""
    return cut(root, given, ())


def cut(root: Node, given: Mapping[Node, Tensor], at: Collection[Node]) -> dict[Node, Any]:
    """The value of every node, where no gradient goes into what the selectors `at` drop.

    The tensors in `given` have one element each, unless `at` is empty.
    """
    values: dict[Node, Any] = {}
    for node in nodes(root, given):
        if node in given:
            values[node] = given[node]
        elif node.op == NUMBER:
            values[node] = node.value
        else:
            args = [values[arg] for arg in node.args]
            values[node] = computed(node, _without_dropped(node, args) if node in at else args)
    return values


def drops(node: Node, args: list[Any]) -> tuple[bool, ...]:
    """Which arguments a selector drops, for values of one element."""
    scalars = [arg.detach() if isinstance(arg, Tensor) else arg for arg in args]
    return tuple(map(bool, _DROPPED[node.op](*scalars)))


def _without_dropped(node: Node, args: list[Any]) -> list[Any]:
    dropped = drops(node, args)
    return [
        arg.detach() if out and isinstance(arg, Tensor) else arg
        for arg, out in zip(args, dropped, strict=True)
    ]


def gradients(output: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """The gradient of the sum of `output` for each leaf, 0 where none arrives."""
    if not output.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(output.sum(), leaves, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]


__all__ = ["CALLS", "FLAG", "LEAF", "SELECTORS", "computed", "cut", "drops", "evaluated", "gradients"]
