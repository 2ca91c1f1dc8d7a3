"""Elements by their rank: sorting, the largest and smallest ones, and their indices."""

from __future__ import annotations

from nanlint import regions as R
from nanlint.graph import Constant, Kind, Value
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.ranks import Order
from nanlint.lower.things import Items, Thing
from nanlint.lower.values import Values

NAMES = ("values", "indices")
"""Of the named tuples that extremes and sorting return."""


def indices(calls: Values, call: Call, ranked: Value, of: Value, largest: bool | None) -> Value:
    """The indices that a call gives with some values: those of the `largest` or smallest elements, None for others."""
    found = calls.opaque(
        "indices", of, region=R.NONNEGATIVE & R.FINITE, grad=False, kind=Kind.TENSOR, node=call.node
    )
    if largest is not None:
        calls.found_extremes(ranked, found, largest=largest)
    return found


def _place_of_extreme(largest: bool) -> Handler:
    """`argmax` and `argmin`."""

    def handler(calls: Values, call: Call) -> Thing | None:
        if not isinstance(call.first, Value):
            return None
        found = _indices_alone(calls, call, call.first)
        calls.found_extremes(call.first, found, largest=largest)
        return found

    return handler


def _places_in_order(calls: Values, call: Call) -> Thing | None:
    """`argsort`: as many indices as there are elements, until a part of them is taken."""
    if not isinstance(call.first, Value):
        return None
    found = _indices_alone(calls, call, call.first)
    _remember(calls, call, call.first, found)
    return found


def _indices_alone(calls: Values, call: Call, value: Value) -> Value:
    key = ("count", value.number, calls.source(call.node))
    return calls.result(call, value, region=R.NONNEGATIVE & R.FINITE, grad=False, kind=Kind.TENSOR, key=key)


def _sorted(calls: Values, call: Call) -> Thing | None:
    """`sort`: all values, and all indices."""
    if not isinstance(call.first, Value):
        return None
    value = call.first
    found = indices(calls, call, value, value, None)
    made = calls.builder.apply("identity", value, node=value.node, grad=call.frame.grad, kind=value.kind)
    for sorted_ in (made, found):
        _remember(calls, call, value, sorted_)
    return Items((made, found), NAMES)


def _remember(calls: Values, call: Call, value: Value, made: Value) -> None:
    """Remember the order in which values, or their indices, are."""
    descending = call.argument(2, "descending")
    if descending is None or isinstance(descending, Constant):
        order = Order(value, bool(descending and descending.value), _along(call.argument(1, "dim", "axis")))
        calls.orders[made.number] = order


def _along(dim: Thing | None) -> int | None:
    return int(dim.value) if isinstance(dim, Constant) else None


def _top(calls: Values, call: Call) -> Thing | None:
    """`topk` leaves the smaller or the larger elements out."""
    if not isinstance(call.first, Value):
        return None
    largest = not _is_given(call.argument(3, "largest"), 0.0)
    made = calls.extreme("largest" if largest else "smallest", call.first, call.node, call.frame)
    found = indices(calls, call, call.first, call.first, largest)
    if made.number != call.first.number and not _is_given(call.argument(4, "sorted"), 0.0):
        calls.orders[made.number] = Order(made, largest, _along(call.argument(2, "dim")))
    return Items((made, found), NAMES)


def _is_given(thing: Thing | None, number: float) -> bool:
    return isinstance(thing, Constant) and thing.value == number


def _one_of_rank(calls: Values, call: Call) -> Thing | None:
    """`kthvalue` leaves all but one out."""
    if not isinstance(call.first, Value):
        return None
    made = calls.picked_by_index(call.first, (), call.node, call.frame)
    return Items((made, indices(calls, call, call.first, call.first, None)), NAMES)


HANDLERS: dict[str, Handler] = {
    "argmax": _place_of_extreme(largest=True),
    "argmin": _place_of_extreme(largest=False),
    "argsort": _places_in_order,
    "sort": _sorted,
    "topk": _top,
    "kthvalue": _one_of_rank,
}
