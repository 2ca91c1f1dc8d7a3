"""Reductions of groups of elements: `scatter_add`, `index_add`, segments. A group may be empty.

What an empty group has is not made of any element: a nan in its gradient has nowhere to go.
"""

from __future__ import annotations

from nanlint import regions as R
from nanlint.graph import Constant, Kind, Value
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.lowering import COUNT
from nanlint.lower.things import Items, Text, Thing
from nanlint.lower.values import Values

_REDUCTIONS = {"sum": "sum", "add": "sum", "mean": "mean"}
"""The op for what a reduction is called."""
_EXTREMA = frozenset({"amax", "amin", "max", "min"})
_PLACED = frozenset(f"{way}_{by}" for way in ("scatter", "segment") for by in ("max", "min"))
"""Functions that say which element an extremum is."""


def _reduced(calls: Values, source: Value, reduction: str, call: Call) -> Value:
    """The elements of `source` that are in a group, as one."""
    if reduction in _EXTREMA:
        return calls.extreme_of_group(source)
    op = _REDUCTIONS.get(reduction, "")
    return calls.apply(op, (source,), call.node, call.frame) if op else source


def _accumulated(calls: Values, call: Call) -> Thing | None:
    """`x.scatter_add(dim, index, src)` and `x.index_add`: what was there, and the sum of some elements."""
    source = call.argument(3, "src", "source")
    if not isinstance(call.first, Value) or not isinstance(source, Value):
        return None
    added = calls.apply("sum", (source,), call.node, call.frame)
    return calls.choose(None, calls.apply("add", (call.first, added), call.node, call.frame), call.first)


def _scattered(calls: Values, call: Call) -> Thing | None:
    """`x.scatter(dim, index, src)` and `x.scatter_reduce(dim, index, src, reduce)`."""
    source, reduce = call.argument(3, "src", "value"), call.argument(4, "reduce")
    if not isinstance(call.first, Value) or not isinstance(source, Value):
        return None
    if isinstance(call.first, Constant) and isinstance(source, Constant) and reduce is None:
        # `torch.zeros(n, classes).scatter_(1, index, 1)`: one number where indices say so, another one elsewhere
        return calls.new_tensor(call, R.point(call.first.value, source.value))
    if isinstance(source, Constant) and reduce is None:
        key = ("scattered", *(given.number for given in call.values[1:-1]))
        picked = calls.any_element(call.argument(2, "index") or source, key=key)
        return calls.store_masked(call.first, picked, source, call.node, call.frame)
    name = _named(reduce, "max")
    made = _reduced(calls, source, name, call)
    return made if name in _EXTREMA else calls.choose(None, made, call.first)


def grouped(calls: Values, call: Call) -> Thing | None:
    """A function that reduces groups of its first argument: of segments, or of what has the same index."""
    reduce = call.named.get("reduce") or next((arg for arg in call.args if isinstance(arg, Text)), None)
    if not isinstance(call.first, Value):
        return None
    name = _named(reduce, _after_underscore(call.name))
    made = _reduced(calls, call.first, name, call)
    return made if name in _EXTREMA else calls.choose(None, made, calls.builder.constant(0.0))


def _extreme_and_place(calls: Values, call: Call) -> Thing | None:
    """`scatter_max`, `scatter_min`: the extremum of each group and the index of the element that it is."""
    found = grouped(calls, call)
    return None if found is None else Items((found, calls.opaque("index", found, grad=False)))


def extremum(calls: Values, call: Call) -> Thing | None:
    """What `scatter_max(…)` or `scatter(…, reduce="max")` gives, whoever defines that function; None for others."""
    if call.name in _PLACED:
        return _extreme_and_place(calls, call)
    reduce = call.named.get("reduce")
    named = isinstance(reduce, Text) and reduce.value in _EXTREMA
    return grouped(calls, call) if named and call.name in ("scatter", "segment") else None


def _named(reduce: Thing | None, default: str) -> str:
    """The reduction that an argument names."""
    return str(reduce.value) if isinstance(reduce, Text) else default


def _after_underscore(name: str) -> str:
    """`mean` for `scatter_mean`."""
    last = name.rpartition("_")[2]
    return last if last in _REDUCTIONS or last in _EXTREMA else "sum"


_DISTINCT = {"values": R.FINITE, "inverse": R.NONNEGATIVE & R.FINITE, "counts": COUNT}
"""What `unique` gives, in order, and the region of each: what is counted occurs."""


def _distinct(calls: Values, call: Call) -> Thing | None:
    """`unique` with the counts of its values; None where it gives no counts."""
    if not isinstance(call.first, Value) or not _is_true(call.named.get("return_counts")):
        return None
    asked = {name: name != "inverse" or _is_true(call.named.get("return_inverse")) for name in _DISTINCT}
    made = []
    for at, name in enumerate(name for name, is_given in asked.items() if is_given):
        text, grad = f"{calls.source(call.node)}[{at}]", name == "values" and call.grad
        made.append(
            calls.opaque(
                text, call.first, region=_DISTINCT[name], grad=grad, kind=Kind.TENSOR, node=call.node
            )
        )
    return Items(tuple(made))


def _is_true(flag: Thing | None) -> bool:
    return isinstance(flag, Constant) and flag.value == 1.0


HANDLERS: dict[str, Handler] = {
    "unique": _distinct,
    "unique_consecutive": _distinct,
    "scatter_add": _accumulated,
    "index_add": _accumulated,
    "scatter": _scattered,
    "scatter_reduce": _scattered,
    "_segment_reduce": grouped,
    "segment_reduce": grouped,
}
