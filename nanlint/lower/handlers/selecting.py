"""Selectors: `where`, clamps, `nan_to_num`, extremes, and elements by index."""

from __future__ import annotations

import functools

from nanlint import regions as R
from nanlint.catalogue.reductions import MOST_ELEMENTS
from nanlint.graph import DIAGONALS, Constant, Kind, Leaf, Value
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.handlers.ranking import NAMES, indices
from nanlint.lower.things import Each, Foreign, Items, Method, Text, Thing
from nanlint.lower.values import Values
from nanlint.sites import called_name


def _where(calls: Values, call: Call) -> Thing | None:
    """`torch.where(c, a, b)`; as a method the receiver is what is taken: `a.where(c, b)`."""
    if len(call.args) + len(call.named) < 3:
        if isinstance(call.first, Value):
            indices = calls.result(call, call.first, region=R.NONNEGATIVE & R.FINITE, grad=False)
            calls.found_where(call.first, indices)
            return indices
        return None
    if len(call.args) + sum(name in ("condition", "input", "self", "other") for name in call.named) != 3:
        return None
    words = ("condition", "input", "other")
    parts = [call.argument(index, name) for index, name in enumerate(words)]
    if parts[1] is None and "self" in call.named:
        parts[1] = call.named["self"]
    if _is_method(call):
        parts[0], parts[1] = call.argument(1, "condition"), call.first
    if any(part is None or isinstance(part, (Foreign, Text)) for part in parts):
        return Foreign() if any(isinstance(part, Foreign) for part in parts) else None
    values = [calls.as_value(part) for part in parts if part is not None]
    return calls.apply("where", values, call.node, call.frame)


def _is_method(call: Call) -> bool:
    """Whether a call is a method of a value, not a function of a module."""
    return isinstance(call.called, Method)


def _clamp(calls: Values, call: Call) -> Thing | None:
    """Both bounds at once are two clamps: torch's backward is the same.

    Whoever gives two bounds gives them in order: a bound that is known holds whatever the other one is.
    """
    value = call.argument(0, "input", "self")
    if not isinstance(value, Value):
        return None
    bounds = [
        ("clamp_min", call.argument(1, "min", "min_val")),
        ("clamp_max", call.argument(2, "max", "max_val")),
    ]
    if isinstance(bounds[0][1], Constant) and not isinstance(bounds[1][1], Constant):
        bounds.reverse()
    for op, bound in bounds:
        if bound is not None:
            value = calls.apply(op, (value, calls.as_value(bound)), call.node, call.frame)
    return value


def _hardtanh(calls: Values, call: Call) -> Thing | None:
    value = call.argument(0, "input")
    if not isinstance(value, Value):
        return None
    low = call.argument(1, "min_val") or calls.builder.constant(-1.0)
    high = call.argument(2, "max_val") or calls.builder.constant(1.0)
    return calls.apply("hardtanh", (value, calls.as_value(low), calls.as_value(high)), call.node, call.frame)


def _fill_diagonal(calls: Values, call: Call) -> Thing | None:
    """`x.fill_diagonal_(v)` and `torch.diagonal_scatter(x, v)`."""
    value, filler = call.argument(0, "self", "input"), call.argument(1, "fill_value", "src")
    if not isinstance(value, Value) or filler is None:
        return None
    return calls.apply(
        "masked_fill", (value, calls.diagonal(value), calls.as_value(filler)), call.node, call.frame
    )


def _above_diagonal(calls: Values, call: Call) -> Thing | None:
    """The indices of a triangle without the diagonal: what they leave out is that of each row with itself."""
    offset = call.argument(2, "offset")
    if not isinstance(offset, Constant) or abs(offset.value) < 1.0:
        return None
    mask = calls.opaque(DIAGONALS[1], region=R.TRUTH, grad=False, kind=Kind.TENSOR, node=call.node)
    found = calls.result(call, region=R.NONNEGATIVE & R.FINITE, grad=False, kind=Kind.TENSOR)
    calls.found_where(mask, found)
    return found


def _nan_to_num(calls: Values, call: Call) -> Thing | None:
    if not isinstance(call.first, Value):
        return None
    largest = calls.dtype.largest
    rest = []
    for index, (name, default) in enumerate((("nan", 0.0), ("posinf", largest), ("neginf", -largest)), 1):
        given = call.argument(index, name)
        rest.append(given if isinstance(given, Value) else calls.builder.constant(default))
    return calls.apply("nan_to_num", (call.first, *rest), call.node, call.frame)


def _extremum(pairwise: str, reduced: str) -> Handler:
    """`max(x, y)` compares two tensors, `max(x)` reduces, `max(x, dim)` gives values and indices."""

    def handler(calls: Values, call: Call) -> Thing | None:
        if len(call.args) == 1 and isinstance(call.first, (Items, Each)) and call.is_bare:
            return calls.as_value(call.first)
        if not isinstance(call.first, Value):
            return calls.opaque(reduced, *call.args, grad=False, kind=Kind.NUMBER) if call.args else None
        other = call.argument(1, "other") if call.name not in ("amax", "amin") else None
        a_dim = isinstance(other, Constant) and other.kind is Kind.NUMBER and not call.is_bare
        if call.is_builtin and len(call.args) > 1:
            return _python_extremum(f"python_{reduced}", calls, call)
        if isinstance(other, Value) and not a_dim:
            return calls.apply(pairwise, (call.first, other), call.node, call.frame)
        parts = _stacked_along(calls, call)
        if parts:
            return functools.reduce(
                lambda one, other: calls.apply(pairwise, (one, other), call.node, call.frame), parts
            )
        op = _EXTREMES.get(reduced)
        if op == "largest" and called_name(call.first.node) == "softmax":
            return _pair(calls, call, _largest_weight(calls, call.first), reduced)
        winner = call.first
        if op is not None:
            winner = calls.extreme(op, call.first, call.node, call.frame)
        elif reduced in _MEDIANS:
            winner = calls.one_of(call.first, call.node, call.frame)
        made = calls.apply(reduced, (winner,), call.node, call.frame)
        return _pair(calls, call, made, reduced)

    return handler


def _quantile(calls: Values, call: Call) -> Thing | None:
    """Two neighbours in order are what a quantile is made of: all others are dropped."""
    if not isinstance(call.first, Value):
        return None
    return calls.apply(call.name, (calls.one_of(call.first, call.node, call.frame),), call.node, call.frame)


def _pair(calls: Values, call: Call, made: Value, reduced: str) -> Thing:
    """What a reduction gives: along a dimension most of them give indices, too."""
    along = len(call.args) > 1 or "dim" in call.named
    if not along or call.name in ("amax", "amin") or not isinstance(call.first, Value):
        return made
    return Items((made, indices(calls, call, call.first, made, _LARGEST.get(reduced))), NAMES)


def _largest_weight(calls: Values, weights: Value) -> Value:
    """The largest of what a softmax gives: no less than one part in so many as a row has elements."""
    region = R.interval(1.0 / MOST_ELEMENTS, 1.0)
    return calls.builder.leaf(
        "largest weight",
        region,
        grad=weights.grad,
        feeds=(weights,),
        opaque=True,
        key=("largest", weights.number),
    )


def _python_extremum(op: str, calls: Values, call: Call) -> Value:
    """Python's `max` and `min` return one of their arguments, and gradient goes to no other one."""
    values = [calls.as_value(arg) for arg in call.args]
    joined = values[0]
    for value in values[1:]:
        joined = calls.apply(op, (joined, value), call.node, call.frame)
    return joined


def _stacked_along(calls: Values, call: Call) -> tuple[Value, ...]:
    """The tensors that were stacked along the dimension that `amax` or `amin` reduces."""
    dim = call.argument(1, "dim", "axis")
    if call.name not in ("amax", "amin") or not isinstance(call.first, Value):
        return ()
    parts, along = calls.stacked.get(call.first.number, ((), 0.0))
    return parts if isinstance(dim, Constant) and dim.value == along else ()


def _without_nan(calls: Values, call: Call) -> Thing | None:
    """`nanmean` and `nansum` leave out what is nan."""
    if not isinstance(call.first, Value) or isinstance(call.first, Leaf):
        return None
    number = calls.builder.apply("not", calls.builder.apply("isnan", call.first))
    picked = calls.select(call.first, number, call.node, call.frame)
    return calls.apply(call.name, (picked,), call.node, call.frame)


def _index_put(calls: Values, call: Call) -> Thing | None:
    """`y.index_put((mask,), v)` is `y[mask] = v`; with integer indices any element may be the one."""
    if len(call.args) < 3 or not isinstance(call.first, Value):
        return None
    keys = call.args[1].things if isinstance(call.args[1], Items) else (call.args[1],)
    return calls.store_masked(
        call.first, calls.any_element(*keys), calls.as_value(call.args[2]), call.node, call.frame
    )


def _index_fill(calls: Values, call: Call) -> Thing | None:
    """`y.index_fill(dim, index, v)`: any element may be overwritten, the same ones by the same indices of one dim."""
    if len(call.args) < 4 or not isinstance(call.first, Value):
        return None
    dim, index = call.args[1:3]
    key = (
        ("filled", dim.value, index.number)
        if isinstance(dim, Constant) and isinstance(index, Value)
        else None
    )
    picked = calls.any_element(index, key=key)
    return calls.store_masked(call.first, picked, calls.as_value(call.args[3]), call.node, call.frame)


_EXTREMES = {"max": "largest", "min": "smallest"}
_MEDIANS = frozenset({"median", "nanmedian"})
_LARGEST = {"max": True, "min": False}

HANDLERS: dict[str, Handler] = {
    "where": _where,
    "clamp": _clamp,
    "clamp_": _clamp,
    "clip": _clamp,
    "clip_": _clamp,
    "triu_indices": _above_diagonal,
    "tril_indices": _above_diagonal,
    "diagonal_scatter": _fill_diagonal,
    "fill_diagonal": _fill_diagonal,
    "fill_diagonal_": _fill_diagonal,
    "hardtanh": _hardtanh,
    "hardtanh_": _hardtanh,
    "max": _extremum("maximum", "max"),
    "min": _extremum("minimum", "min"),
    "amax": _extremum("maximum", "max"),
    "amin": _extremum("minimum", "min"),
    "median": _extremum("median", "median"),
    "nanmedian": _extremum("nanmedian", "nanmedian"),
    "quantile": _quantile,
    "nanquantile": _quantile,
    "mode": _extremum("mode", "mode"),
    "cummax": _extremum("cummax", "cummax"),
    "cummin": _extremum("cummin", "cummin"),
    "nanmean": _without_nan,
    "nansum": _without_nan,
    "nan_to_num": _nan_to_num,
    "nan_to_num_": _nan_to_num,
    "index_put": _index_put,
    "index_put_": _index_put,
    "index_fill": _index_fill,
    "index_fill_": _index_fill,
}
