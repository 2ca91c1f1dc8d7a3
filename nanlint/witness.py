"""Concrete runs of a graph on Python floats, forward and backward, as torch runs it on one-element tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nanlint.arithmetic import NAN, Arithmetic
from nanlint.catalogue import OPS, SELECTORS
from nanlint.catalogue.extremes import UNTAKEN
from nanlint.graph import Apply, Constant, Leaf, Value
from nanlint.regions import Region


def forward(
    order: Sequence[Value], inputs: Mapping[int, float], a: Arithmetic, *, void: bool = False
) -> dict[int, float] | None:
    """The value of everything in `order` (arguments first), by number.

    `inputs` gives the values of the leaves and of what lies outside `order`. None if an element that was selected
    away by a false mask would be needed; with `void` such an element is nan, which no mask lets through.
    """
    values: dict[int, float] = {}
    for value in order:
        if isinstance(value, Constant):
            values[value.number] = a.round(value.value)
        elif value.number in inputs:
            values[value.number] = a.round(inputs[value.number])
        elif isinstance(value, Leaf):
            values[value.number] = a.round(typical(value.region))
        else:
            args = [_argument(arg, values, inputs, a) for arg in value.args]
            if value.op == "masked_select" and args[1] == 0.0:
                if not void:
                    return None
                args[0] = NAN
            values[value.number] = OPS[value.op].value(a, *args)
    return values


def typical(region: Region) -> float:
    """A member of a region for a value that nobody asks about."""
    return next((value for value in (0.0, 1.0, region.lo, region.hi) if value in region), 0.0)


def _argument(arg: Value, values: Mapping[int, float], inputs: Mapping[int, float], a: Arithmetic) -> float:
    found = values.get(arg.number)
    if found is not None:
        return found
    return a.round(arg.value if isinstance(arg, Constant) else inputs.get(arg.number, 0.0))


@dataclass(frozen=True)
class Gradients:
    """What backward gave: each value's gradient by number, and the op that first made a nan of a number."""

    by_number: Mapping[int, float]
    origin: Apply | None


def backward(
    order: Sequence[Value],
    values: Mapping[int, float],
    seed: Mapping[int, float],
    a: Arithmetic,
    *,
    cut: bool = False,
) -> Gradients:
    """Run backward from the upstream gradients in `seed`.

    With `cut` no gradient goes on into what a selector on the way drops: a nan that arises there is that selector's.
    """
    grads = dict(seed)
    origin: Apply | None = None
    for value in reversed(order):
        g = grads.get(value.number)
        if g is None or not isinstance(value, Apply) or not value.grad:
            continue
        args = [_argument(arg, values, values, a) for arg in value.args]
        dropped = _unreached(value.op, args, cut)
        made_all = OPS[value.op].backward(a, g, values[value.number], *args)
        for index, (arg, made) in enumerate(zip(value.args, made_all, strict=True)):
            if not arg.grad or index in dropped:
                continue
            if made != made and g == g and origin is None:
                origin = value
            grads[arg.number] = a.add(grads[arg.number], made) if arg.number in grads else made
    return Gradients(grads, origin)


def _unreached(op: str, args: Sequence[float], cut: bool) -> tuple[int, ...]:
    """The arguments that no gradient goes on into: those Python left out and, with `cut`, those a selector drops."""
    if op in UNTAKEN:
        return (UNTAKEN[op](args),)
    row = SELECTORS.get(op) if cut else None
    return () if row is None else tuple(drop.operand for drop in row.drops if drop.holds(tuple(args)))


def culprit(origin: Apply, values: Mapping[int, float]) -> Apply:
    """The op to blame for a nan that arose at `origin`.

    A product or a sum only passes on what an argument brings: then it is the op that made a nan or an infinity of
    finite arguments.
    """
    blamed = origin
    while not _is_site(blamed, values):
        broken = [
            arg for arg in blamed.args if isinstance(arg, Apply) and not math.isfinite(values[arg.number])
        ]
        if not broken:
            return origin
        blamed = broken[0]
    return blamed


def _is_site(value: Apply, values: Mapping[int, float]) -> bool:
    finite = all(math.isfinite(values.get(arg.number, 0.0)) for arg in value.args)
    return OPS[value.op].singular and finite
