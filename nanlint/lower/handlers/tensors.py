"""Tensors that are made, filled, joined and converted."""

from __future__ import annotations

import ast

from nanlint import regions as R
from nanlint.cases import may_be_poisoned
from nanlint.graph import Apply, Constant, Kind, Value
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.things import Each, Instance, Items, Symbol, Text, Thing, values_in
from nanlint.lower.values import Values

_MOST_PARTS = 16
"""Parts of which each is known where they are joined: as many as a matrix for points in space has elements."""
_MOST_POINTS = 8
"""Of longer ranges only the ends are known."""

_INTEGERS = ("long", "int", "int8", "int16", "int32", "int64", "short", "uint8", "uint16", "bool")


def _full(calls: Values, call: Call) -> Thing | None:
    filler = call.argument(len(call.args) - 1 if len(call.args) > 1 else 1, "fill_value")
    if "fill_value" in call.named:
        filler = call.named["fill_value"]
    if not isinstance(filler, Value):
        return None
    if isinstance(filler, Constant):
        return calls.builder.constant(filler.value, call.node, Kind.TENSOR)
    return calls.detached(filler)


def _tensor(calls: Values, call: Call) -> Thing | None:
    """`torch.tensor(data)`: the same numbers without gradient; of several different ones, any of them."""
    data = call.argument(1 if call.name == "new_tensor" else 0, "data")
    values = values_in(data) if data is not None else []
    if len(values) == 1 and not isinstance(data, Instance):
        return _without_gradient(calls, values[0], call)
    region = R.FINITE
    if values and all(isinstance(value, Constant) for value in values):
        region = R.point(*(value.value for value in values if isinstance(value, Constant)))
        if region <= R.TRUTH and "dtype" not in call.named and all(map(_is_integer, values)):
            region = R.UNIT  # indices, which are no mask
    return calls.result(call, *values, region=region, grad=False, kind=Kind.TENSOR)


def _is_integer(value: Value) -> bool:
    """Whether a number is written as an integer: no truth is, nor `1.0`."""
    return isinstance(value.node, ast.Constant) and type(value.node.value) is int


def _without_gradient(calls: Values, value: Value, call: Call) -> Value:
    if isinstance(value, Constant):
        return calls.builder.constant(value.value, call.node, Kind.TENSOR)
    return calls.builder.apply("identity", value, node=call.node, grad=False, kind=Kind.TENSOR)


def _legacy_tensor(calls: Values, call: Call) -> Thing | None:
    """`torch.Tensor([a])` is `torch.tensor([a])`; of sizes it makes an uninitialised one."""
    return _tensor(calls, call) if isinstance(call.first, (Items, Each)) else None


def _between(calls: Values, call: Call) -> Thing | None:
    """`linspace(a, b)`: everything from one end to the other."""
    ends = [call.argument(0, "start"), call.argument(1, "end")]
    known = [end.value for end in ends if isinstance(end, Constant)]
    region = R.interval(min(known), max(known)) if len(known) == 2 else R.FINITE
    return calls.new_tensor(call, region)


def _arange(calls: Values, call: Call) -> Thing | None:
    """Numbers from a start on; of a few whole ones nothing lies between them."""
    whole = _whole_range(call)
    if whole is not None:
        region = R.point(*map(float, whole))
        return calls.builder.leaf(
            calls.source(call.node), region, grad=False, kind=Kind.TENSOR, node=call.node
        )
    start = call.first if len(call.args) > 1 else calls.builder.constant(0.0)
    positive = isinstance(start, Constant)
    region = (
        R.above(start.value, closed=True) & R.FINITE if isinstance(start, Constant) and positive else R.FINITE
    )
    return calls.builder.leaf(calls.source(call.node), region, grad=False, kind=Kind.TENSOR, node=call.node)


def _whole_range(call: Call) -> range | None:
    """The numbers of a range whose ends are known, if they are few and whole."""
    given = [arg.value for arg in call.args if isinstance(arg, Constant)]
    if len(given) != len(call.args) or not 1 <= len(given) <= 3 or not all(x.is_integer() for x in given):
        return None
    numbers = range(*map(int, given)) if given[2:] != [0.0] else range(0)
    return numbers if 0 < len(numbers) <= _MOST_POINTS else None


def _values_of_sparse(calls: Values, call: Call) -> Thing | None:
    """`matrix.coalesce().values()`: a sparse matrix is data, such as the edges of a graph."""
    called = call.node.func if isinstance(call.node, ast.Call) else None
    owner = called.value if isinstance(called, ast.Attribute) else None
    made_by = owner.func if isinstance(owner, ast.Call) else None
    if not isinstance(made_by, ast.Attribute) or made_by.attr != "coalesce" or call.first is None:
        return None
    return calls.opaque(calls.source(call.node), call.first, grad=False, kind=Kind.TENSOR, node=call.node)


def _differentiated(calls: Values, call: Call) -> Thing | None:
    """`autograd.grad(y, x)`: gradients, through which none flows back unless a graph of them is asked for."""
    if "create_graph" in call.named or not ("inputs" in call.named or 2 <= len(call.args) <= 4):
        return None
    calls.sink(*call.things)
    return calls.opaque(calls.source(call.node), *call.things, grad=False, kind=Kind.UNKNOWN, node=call.node)


def _backward(calls: Values, call: Call) -> Thing | None:
    """`loss.backward()` and `torch.autograd.backward([loss])`: gradient comes back from there."""
    calls.sink(*call.things)
    return None


def _sparse(calls: Values, call: Call) -> Thing | None:
    """`sparse_coo_tensor(indices, values)`: the values."""
    values = call.argument(1, "values")
    return calls.as_value(values) if values is not None else None


def _from_numpy(calls: Values, call: Call) -> Thing | None:
    """Indices stay those of the elements that they were found for."""
    if isinstance(call.first, Value) and call.first.number in calls.positions:
        return call.first
    return calls.builder.leaf(calls.source(call.node), grad=False, kind=Kind.TENSOR, node=call.node)


def _assigned(calls: Values, call: Call) -> Thing | None:
    """`x.copy_(y)` and `x.fill_(y)`: the new value is the argument."""
    return calls.as_value(call.args[1]) if len(call.args) > 1 else None


def _zeroed(calls: Values, call: Call) -> Thing | None:
    return calls.builder.constant(0.0, call.node, Kind.TENSOR)


def _triangle(calls: Values, call: Call) -> Thing | None:
    """`tril(ones)` is a mask; of anything that may be poisoned, the elements on one side of a diagonal are dropped."""
    value = call.first
    if isinstance(value, Apply) and value.grad and may_be_poisoned(value):
        inside = calls.builder.leaf(
            call.name.rstrip("_"), R.TRUTH, grad=False, kind=Kind.TENSOR, node=call.node
        )
        return calls.store_masked(value, inside, calls.builder.constant(0.0), call.node, call.frame)
    if not isinstance(value, Constant):
        return None
    region = R.point(0.0, value.value)
    return calls.builder.leaf(calls.source(call.node), region, grad=False, kind=Kind.TENSOR, node=call.node)


def _joined(calls: Values, call: Call) -> Thing | None:
    """`stack` and `cat`: an element is one of any of the parts."""
    parts = call.first if call.args else call.named.get("tensors")
    if isinstance(parts, Each):
        return calls.as_value(parts.thing)
    if not isinstance(parts, Items) or not parts.things:
        return None
    if len(parts.things) > _MOST_PARTS:
        values = values_in(parts)
        return calls.opaque(
            calls.source(call.node), parts, grad=any(value.grad for value in values), kind=Kind.TENSOR
        )
    joined: Thing = calls.as_value(parts.things[-1])
    for part in reversed(parts.things[:-1]):
        joined = calls.choose(calls.which_part(), calls.as_value(part), joined)
    dim = call.argument(1, "dim", "axis") or calls.builder.constant(0.0)
    if call.name == "stack" and isinstance(joined, Value) and isinstance(dim, Constant):
        stacked = tuple(map(calls.as_value, parts.things))
        if all(value.number != joined.number for value in stacked):
            calls.stacked[joined.number] = stacked, dim.value
    return joined


def _cast(calls: Values, call: Call) -> Thing | None:
    """`x.to(dtype)`: to an integer type there is no gradient; anything else changes nothing here."""
    given = [thing for thing in (*call.args[1:], *call.named.values()) if isinstance(thing, Symbol)]
    if not isinstance(call.first, Value) or not any(_names_integer(thing) for thing in given):
        return None
    return calls.integer(call.first, call.node)


def _names_integer(thing: Symbol) -> bool:
    return thing.name in ("builtins.int", "builtins.bool") or thing.name.removeprefix("torch.") in _INTEGERS


def _broadcast(calls: Values, call: Call) -> Thing | None:
    """`broadcast_tensors` and `broadcast_all`: every argument, in another shape."""
    known = all(isinstance(arg, Value) for arg in call.args)
    return Items(call.args) if known and call.args else None


def _padded(calls: Values, call: Call) -> Thing | None:
    """`pad`: the elements, and around them a constant or elements again."""
    mode, filler = call.argument(2, "mode"), call.argument(3, "value")
    if not isinstance(call.first, Value) or (isinstance(mode, Text) and mode.value != "constant"):
        return call.first
    return calls.choose(None, call.first, filler or calls.builder.constant(0.0))


def _requires_grad(calls: Values, call: Call) -> Thing | None:
    """`x.requires_grad_()`: from here on a gradient is asked for, whatever `x` was made of."""
    first, asked = call.first, call.argument(1, "requires_grad")
    if not isinstance(first, Value) or (isinstance(asked, Constant) and not asked.value):
        return first
    return calls.trained(first)


HANDLERS: dict[str, Handler] = {
    "requires_grad_": _requires_grad,
    "broadcast_tensors": _broadcast,
    "broadcast_all": _broadcast,
    "pad": _padded,
    "stack": _joined,
    "backward": _backward,
    "cat": _joined,
    "concat": _joined,
    "concatenate": _joined,
    "hstack": _joined,
    "vstack": _joined,
    "dstack": _joined,
    "column_stack": _joined,
    "full": _full,
    "full_like": _full,
    "new_full": _full,
    "tensor": _tensor,
    "Tensor": _legacy_tensor,
    "FloatTensor": _legacy_tensor,
    "new_tensor": _tensor,
    "scalar_tensor": _tensor,
    "linspace": _between,
    "arange": _arange,
    "values": _values_of_sparse,
    "grad": _differentiated,
    "from_numpy": _from_numpy,
    "copy_": _assigned,
    "fill_": _assigned,
    "zero_": _zeroed,
    "tril": _triangle,
    "triu": _triangle,
    "to": _cast,
    "type": _cast,
    "sparse_coo_tensor": _sparse,
}
