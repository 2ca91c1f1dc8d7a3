"""Functions that are formulas of catalogue rows, or that an argument makes regular."""

from __future__ import annotations

import math

from nanlint import regions as R
from nanlint.graph import Kind, Leaf, Value
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.things import Items, Method, Symbol, Text, Thing
from nanlint.lower.values import Values

_ROUNDED: dict[object, str] = {"floor": "div_floor", "trunc": "div_trunc"}
"""What `div` computes in each of its rounding modes."""


def _divide(calls: Values, call: Call) -> Thing | None:
    """With a rounding mode it is an op of its own."""
    mode = call.argument(2, "rounding_mode")
    row = _ROUNDED.get(mode.value) if isinstance(mode, Text) else None
    parts = [call.argument(0, "input"), call.argument(1, "other")]
    values = [calls.as_value(part) for part in parts if part is not None]
    return calls.apply(row, values, call.node, call.frame) if row is not None and len(values) == 2 else None


def _scaled(op: str) -> Handler:
    """`add` and `sub` with `alpha`."""

    def handler(calls: Values, call: Call) -> Thing | None:
        alpha = call.argument(2, "alpha")
        other = call.argument(1, "other")
        if not isinstance(alpha, Value) or not isinstance(other, Value) or not isinstance(call.first, Value):
            return None
        return calls.apply(
            op, (call.first, calls.apply("mul", (alpha, other), call.node, call.frame)), call.node, call.frame
        )

    return handler


def _added(op: str) -> Handler:
    """`addcmul` and `addcdiv`: input + value * (first op second)."""

    def handler(calls: Values, call: Call) -> Thing | None:
        if len(call.args) < 3:
            return None
        start, first, second = (calls.as_value(arg) for arg in call.args[:3])
        made = calls.apply(op, (first, second), call.node, call.frame)
        scale = call.argument(3, "value")
        if isinstance(scale, Value):
            made = calls.apply("mul", (scale, made), call.node, call.frame)
        return calls.apply("add", (start, made), call.node, call.frame)

    return handler


def _inner(calls: Values, call: Call) -> Thing | None:
    """`dot` and `vecdot` are sums of products of the elements that stand at the same places."""
    one, other = call.first, call.argument(1, "other", "tensor", "y")
    if not isinstance(one, Value) or not isinstance(other, Value):
        return None
    product = calls.apply("mul", (one, other), call.node, call.frame)
    return calls.apply("sum", (product,), call.node, call.frame)


def _distance(op: str) -> Handler:
    """`mse_loss` and `l1_loss`: the squares or sizes of the differences, each by itself or reduced."""

    def handler(calls: Values, call: Call) -> Thing | None:
        parts = [call.argument(0, "input"), call.argument(1, "target")]
        reduction = call.named.get("reduction", Text("mean"))
        reduce = _REDUCED.get(reduction.value) if isinstance(reduction, Text) else None
        if reduce is None or len(call.args) > 2 or not all(isinstance(part, Value) for part in parts):
            return None
        difference = calls.apply(
            "sub", [calls.as_value(part) for part in parts if part], call.node, call.frame
        )
        each = calls.apply(op, (difference,), call.node, call.frame)
        return calls.apply(reduce, (each,), call.node, call.frame) if reduce else each

    return handler


_REDUCED: dict[object, str] = {"mean": "mean", "sum": "sum", "none": ""}
"""The op for each way to reduce a loss, "" for none."""


def _signed_infinity(sign: float) -> Handler:
    """`isposinf` and `isneginf`."""

    def handler(calls: Values, call: Call) -> Thing | None:
        if not isinstance(call.first, Value):
            return None
        return calls.apply("eq", (call.first, calls.builder.constant(sign * math.inf)), call.node, call.frame)

    return handler


def _variance(calls: Values, call: Call) -> Thing | None:
    """The mean of squares of how far elements are from their mean, which may all be equal: then it has no gradient."""
    method = isinstance(call.called, Method) and isinstance(call.called.receiver, Value)
    of_torch = isinstance(call.called, Symbol) and call.called.name.startswith("torch.")
    value = call.first
    if not (method or of_torch) or not isinstance(value, Value) or not value.grad or not call.frame.grad:
        return None
    farthest = math.sqrt(calls.dtype.largest) / 2.0
    away = calls.builder.leaf(
        f"{_short_name(value)} - mean",
        R.interval(-farthest, farthest),
        kind=Kind.TENSOR,
        node=call.node,
        feeds=(value,),
        key=("away from the mean", call.name, *(given.number for given in call.values)),
    )
    made = calls.apply("square", (away,), call.node, call.frame)
    mean = calls.result(call, value, kind=Kind.TENSOR)
    return made if call.name == "var" else Items((made, mean))


def _short_name(value: Value) -> str:
    return value.name if isinstance(value, Leaf) else "value"


HANDLERS: dict[str, Handler] = {
    "div": _divide,
    "dot": _inner,
    "vdot": _inner,
    "vecdot": _inner,
    "divide": _divide,
    "add": _scaled("add"),
    "sub": _scaled("sub"),
    "subtract": _scaled("sub"),
    "var": _variance,
    "var_mean": _variance,
    "addcmul": _added("mul"),
    "addcdiv": _added("div"),
    "mse_loss": _distance("square"),
    "l1_loss": _distance("abs"),
    "isposinf": _signed_infinity(1.0),
    "isneginf": _signed_infinity(-1.0),
}
