"""Calls whose arguments do not map one to one onto a catalogue row: a small function for each."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from nanlint import regions as R
from nanlint.graph import Constant, Kind, Leaf, Value
from nanlint.lower.lowering import values_in
from nanlint.lower.scope import Frame
from nanlint.lower.things import Each, Foreign, Instance, Items, Symbol, Text, Thing

if TYPE_CHECKING:
    from nanlint.lower.calls import Calls

Args: TypeAlias = tuple[Thing, ...]
Named: TypeAlias = Mapping[str, Thing]
Handler: TypeAlias = Callable[["Calls", Args, Named, ast.Call, Frame], "Thing | None"]


def _argument(args: Args, named: Named, index: int, *names: str) -> Thing | None:
    """The argument at `index` or under one of `names`; None if it is missing or is `None`."""
    found = args[index] if index < len(args) else next((named[name] for name in names if name in named), None)
    return None if isinstance(found, Text) and found.value is None else found


def _where(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`torch.where(c, a, b)`; as a method the receiver is what is taken: `a.where(c, b)`."""
    if len(args) + len(named) < 3:
        if args and isinstance(args[0], Value):
            return calls.opaque(
                calls.source(node), args[0], region=R.NONNEGATIVE & R.FINITE, grad=False, node=node
            )
        return None
    if len(args) + sum(name in ("condition", "input", "self", "other") for name in named) != 3:
        return None
    words = ("condition", "input", "other")
    parts = [_argument(args, named, index, name) for index, name in enumerate(words)]
    if parts[1] is None and "self" in named:
        parts[1] = named["self"]
    if is_method(node, calls, frame):
        parts[0], parts[1] = _argument(args, named, 1, "condition"), args[0]
    if any(part is None or isinstance(part, (Foreign, Text)) for part in parts):
        return Foreign() if any(isinstance(part, Foreign) for part in parts) else None
    values = [calls.as_value(part) for part in parts if part is not None]
    return calls.apply("where", values, node, frame)


def is_method(node: ast.Call, calls: Calls, frame: Frame) -> bool:
    """Whether a call is a method of a value, not a function of a module."""
    return isinstance(node.func, ast.Attribute) and not isinstance(
        calls.evaluate(node.func.value, frame), Symbol
    )


def _clamp(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """Both bounds at once are two clamps: torch's backward is the same."""
    value = _argument(args, named, 0, "input", "self")
    if not isinstance(value, Value):
        return None
    low = _argument(args, named, 1, "min", "min_val")
    high = _argument(args, named, 2, "max", "max_val")
    if low is not None:
        value = calls.apply("clamp_min", (value, calls.as_value(low)), node, frame)
    if high is not None:
        value = calls.apply("clamp_max", (value, calls.as_value(high)), node, frame)
    return value


def _hardtanh(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    value = _argument(args, named, 0, "input")
    if not isinstance(value, Value):
        return None
    low = _argument(args, named, 1, "min_val") or calls.builder.constant(-1.0)
    high = _argument(args, named, 2, "max_val") or calls.builder.constant(1.0)
    return calls.apply("hardtanh", (value, calls.as_value(low), calls.as_value(high)), node, frame)


def _divide(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """With a rounding mode the quotient has no gradient."""
    mode = _argument(args, named, 2, "rounding_mode")
    if not isinstance(mode, Text):
        return None
    parts = [_argument(args, named, 0, "input"), _argument(args, named, 1, "other")]
    values = [calls.as_value(part) for part in parts if part is not None]
    return calls.apply("floor_divide", values, node, frame) if len(values) == 2 else None


def _scaled(op: str) -> Handler:
    """`add` and `sub` with `alpha`."""

    def handler(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
        alpha = _argument(args, named, 2, "alpha")
        other = _argument(args, named, 1, "other")
        if not isinstance(alpha, Value) or not isinstance(other, Value) or not isinstance(args[0], Value):
            return None
        return calls.apply(op, (args[0], calls.apply("mul", (alpha, other), node, frame)), node, frame)

    return handler


def _added(op: str) -> Handler:
    """`addcmul` and `addcdiv`: input + value * (first op second)."""

    def handler(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
        if len(args) < 3:
            return None
        start, first, second = (calls.as_value(arg) for arg in args[:3])
        made = calls.apply(op, (first, second), node, frame)
        scale = _argument(args, named, 3, "value")
        if isinstance(scale, Value):
            made = calls.apply("mul", (scale, made), node, frame)
        return calls.apply("add", (start, made), node, frame)

    return handler


def _extremum(pairwise: str, reduced: str) -> Handler:
    """`max(x, y)` compares two tensors, `max(x)` reduces, `max(x, dim)` gives values and indices."""

    def handler(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
        if len(args) == 1 and isinstance(args[0], (Items, Each)) and isinstance(node.func, ast.Name):
            return calls.as_value(args[0])
        if not args or not isinstance(args[0], Value):
            return calls.opaque(reduced, *args, grad=False, kind=Kind.NUMBER) if args else None
        other = _argument(args, named, 1, "other") if _name_of(node) not in ("amax", "amin") else None
        a_dim = (
            isinstance(other, Constant) and other.kind is Kind.NUMBER and not isinstance(node.func, ast.Name)
        )
        if isinstance(other, Value) and not a_dim:
            return calls.apply(pairwise, (args[0], other), node, frame)
        along = len(args) > 1 or "dim" in named
        drops = reduced in ("max", "min") and not isinstance(args[0], Leaf)
        winner = calls.picked_by_index(args[0], (), node, frame) if drops else args[0]
        made = calls.apply(reduced, (winner,), node, frame)
        pair_made = along and _name_of(node) not in ("amax", "amin")
        return Items((made, _indices(calls, made, node))) if pair_made else made

    return handler


def _indices(calls: Calls, value: Value, node: ast.AST) -> Value:
    return calls.opaque(
        "indices", value, region=R.NONNEGATIVE & R.FINITE, grad=False, kind=Kind.TENSOR, node=node
    )


def _ordered(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`sort`, `topk` and their like: values, and indices."""
    if not args or not isinstance(args[0], Value):
        return None
    picked = calls.picked_by_index(args[0], (), node, frame) if _drops(node) else args[0]
    return Items((picked, _indices(calls, args[0], node)))


def _drops(node: ast.Call) -> bool:
    """`topk` and `kthvalue` leave elements out, `sort` does not."""
    return _name_of(node) != "sort"


def _name_of(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else str(getattr(node.func, "id", ""))


def _joined(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`stack` and `cat`: an element is one of any of the parts."""
    parts = args[0] if args else named.get("tensors")
    if isinstance(parts, Each):
        return calls.as_value(parts.thing)
    if not isinstance(parts, Items) or not parts.things:
        return None
    if len(parts.things) > 8:
        values = values_in(parts)
        return calls.opaque(
            calls.source(node), parts, grad=any(value.grad for value in values), kind=Kind.TENSOR
        )
    joined: Thing = calls.as_value(parts.things[-1])
    for part in reversed(parts.things[:-1]):
        joined = calls.choose(None, calls.as_value(part), joined)
    return joined


def _full(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    filler = _argument(args, named, len(args) - 1 if len(args) > 1 else 1, "fill_value")
    if "fill_value" in named:
        filler = named["fill_value"]
    if not isinstance(filler, Value):
        return None
    if isinstance(filler, Constant):
        return calls.builder.constant(filler.value, node, Kind.TENSOR)
    return calls.detached(filler)


def _tensor(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`torch.tensor(data)`: a constant, or values of unknown origin, always without gradient."""
    data = args[0] if args else named.get("data")
    if isinstance(data, Constant):
        return calls.builder.constant(data.value, node, Kind.TENSOR)
    values = values_in(data) if data is not None else []
    region = R.FINITE
    if values and all(isinstance(value, Constant) for value in values):
        region = R.point(*(value.value for value in values if isinstance(value, Constant)))
    name = calls.source(node)
    return calls.builder.leaf(name, region, grad=False, kind=Kind.TENSOR, node=node)


def _between(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`linspace(a, b)`: everything from one end to the other."""
    ends = [_argument(args, named, 0, "start"), _argument(args, named, 1, "end")]
    known = [end.value for end in ends if isinstance(end, Constant)]
    region = R.interval(min(known), max(known)) if len(known) == 2 else R.FINITE
    return calls.builder.leaf(calls.source(node), region, grad=False, kind=Kind.TENSOR, node=node)


def _arange(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    start = args[0] if len(args) > 1 else calls.builder.constant(0.0)
    positive = isinstance(start, Constant)
    region = (
        R.above(start.value, closed=True) & R.FINITE if isinstance(start, Constant) and positive else R.FINITE
    )
    return calls.builder.leaf(calls.source(node), region, grad=False, kind=Kind.TENSOR, node=node)


def _finfo(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    given = args[0] if args else None
    name = given.name.rsplit(".", 1)[-1] if isinstance(given, Symbol) else ""
    return Symbol(f"finfo:{name}")


def _logit(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """With `eps` the argument is clamped first, and nothing is singular."""
    eps = _argument(args, named, 1, "eps")
    if eps is None or not args or not isinstance(args[0], Value):
        return None
    return calls.opaque(calls.source(node), args[0], grad=args[0].grad, kind=Kind.TENSOR, node=node)


def _softplus(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if len(args) + len(named) < 2 or not args or not isinstance(args[0], Value):
        return None
    region = R.NONNEGATIVE & R.FINITE
    return calls.opaque(
        calls.source(node), args[0], region=region, grad=args[0].grad, kind=Kind.TENSOR, node=node
    )


def _nan_to_num(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if not args or not isinstance(args[0], Value):
        return None
    largest = calls.dtype.largest
    rest = []
    for index, (name, default) in enumerate((("nan", 0.0), ("posinf", largest), ("neginf", -largest)), 1):
        given = _argument(args, named, index, name)
        rest.append(given if isinstance(given, Value) else calls.builder.constant(default))
    return calls.apply("nan_to_num", (args[0], *rest), node, frame)


def _number(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`float(x)` and `int(x)`: a Python number."""
    if not isinstance(node.func, ast.Name):
        return None  # the Tensor method
    if args and isinstance(args[0], Constant):
        return args[0]
    if args and isinstance(args[0], Text) and isinstance(args[0].value, str):
        try:
            return calls.builder.constant(float(args[0].value), node)
        except ValueError:
            return None
    value = args[0] if args else None
    if isinstance(value, Value):
        return calls.builder.apply("identity", value, node=node, grad=False, kind=Kind.NUMBER)
    return calls.opaque(calls.source(node), grad=False, kind=Kind.NUMBER, node=node)


def _length(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if not isinstance(node.func, ast.Name):
        return None
    if args and isinstance(args[0], Items):
        return calls.builder.constant(float(len(args[0].things)), node)
    region = R.interval(1.0, 1e6)
    return calls.opaque(calls.source(node), *args, region=region, grad=False, kind=Kind.NUMBER, node=node)


def _range(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    known = [arg.value for arg in args if isinstance(arg, Constant) and math.isfinite(arg.value)]
    if (
        len(known) == len(args)
        and args
        and 0.0 not in known[2:]
        and len(range(*(int(value) for value in known))) <= 4
    ):
        return Items(tuple(calls.builder.constant(float(i)) for i in range(*(int(value) for value in known))))
    low = known[0] if len(args) > 1 and isinstance(args[0], Constant) else 0.0
    name = "index"
    return Each(
        calls.builder.leaf(name, R.interval(low, max(low, 1e6)), grad=False, kind=Kind.NUMBER, node=node)
    )


def _reversed(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if args and isinstance(args[0], Items):
        return Items(args[0].things[::-1])
    return args[0] if args and isinstance(args[0], (Each, Foreign)) else None


def _zip(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    rows = [arg.things for arg in args if isinstance(arg, Items)]
    if args and len(rows) == len(args):
        return Items(tuple(Items(row) for row in zip(*rows, strict=False)))
    return Each(Items(tuple(calls.each(arg, node) for arg in args)))


def _enumerate(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if args and isinstance(args[0], Items):
        pairs = enumerate(args[0].things)
        return Items(tuple(Items((calls.builder.constant(float(i)), thing)) for i, thing in pairs))
    index = calls.builder.leaf("index", R.NONNEGATIVE & R.FINITE, grad=False, kind=Kind.NUMBER)
    return Each(Items((index, calls.each(args[0], node)))) if args else None


def _sequence(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    return args[0] if args and isinstance(args[0], (Items, Each, Foreign, Value)) else None


def _builtin_sum(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if not isinstance(node.func, ast.Name) or not args or isinstance(args[0], Value):
        return None
    if isinstance(args[0], Items) and args[0].things:
        joined: Thing = args[0].things[0]
        for thing in args[0].things[1:]:
            if isinstance(joined, Value) and isinstance(thing, Value):
                joined = calls.apply("add", (joined, thing), node, frame)
        return joined
    return calls.apply("sum", (calls.as_value(args[0]),), node, frame)


def _from_numpy(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    return calls.builder.leaf(calls.source(node), grad=False, kind=Kind.TENSOR, node=node)


def _getattr(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if len(args) < 2 or not isinstance(args[1], Text) or not isinstance(args[1].value, str):
        return None
    made = ast.copy_location(ast.Attribute(ast.Name("_", ast.Load()), args[1].value, ast.Load()), node)
    return calls.attribute(args[0], made, frame)


def _assigned(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`x.copy_(y)` and `x.fill_(y)`: the new value is the argument."""
    return calls.as_value(args[1]) if len(args) > 1 else None


def _triangle(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`tril(ones)` is a mask; of anything else the kept elements are what they were."""
    value = args[0] if args else None
    if not isinstance(value, Constant):
        return None
    region = R.point(0.0, value.value)
    return calls.builder.leaf(calls.source(node), region, grad=False, kind=Kind.TENSOR, node=node)


_INTEGERS = ("long", "int", "int8", "int16", "int32", "int64", "short", "uint8", "uint16", "bool")


def _cast(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`x.to(dtype)`: to an integer type there is no gradient; anything else changes nothing here."""
    given = [thing for thing in (*args[1:], *named.values()) if isinstance(thing, Symbol)]
    if not args or not isinstance(args[0], Value) or not any(_names_integer(thing) for thing in given):
        return None
    return calls.builder.apply("trunc", args[0], node=node, grad=False, kind=Kind.TENSOR)


def _names_integer(thing: Symbol) -> bool:
    return thing.name in ("builtins.int", "builtins.bool") or thing.name.removeprefix("torch.") in _INTEGERS


def _sparse(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`sparse_coo_tensor(indices, values)`: the values."""
    values = _argument(args, named, 1, "values")
    return calls.as_value(values) if values is not None else None


def _checked(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`torch._check(condition)` raises where the condition does not hold."""
    if args and isinstance(args[0], Value) and not isinstance(args[0], Constant):
        frame.assume(args[0], True)
    return Text(None)


def _truth(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    if not isinstance(node.func, ast.Name):
        return None
    return args[0] if args and isinstance(args[0], Value) else None


def _index_put(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`y.index_put((mask,), v)` is `y[mask] = v`; with integer indices any element may be the one."""
    if len(args) < 3 or not isinstance(args[0], Value):
        return None
    keys = args[1].things if isinstance(args[1], Items) else (args[1],)
    masks = [key for key in keys if isinstance(key, Value) and calls.is_logical(key)]
    mask = masks[0] if len(masks) == 1 else calls.any_element(*keys)
    return calls.store_masked(args[0], mask, calls.as_value(args[2]), node, frame)


def _index_fill(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`y.index_fill(dim, index, v)`: any element may be overwritten."""
    if len(args) < 4 or not isinstance(args[0], Value):
        return None
    return calls.store_masked(args[0], calls.any_element(args[2]), calls.as_value(args[3]), node, frame)


def _signed_infinity(sign: float) -> Handler:
    """`isposinf` and `isneginf`."""

    def handler(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
        if not args or not isinstance(args[0], Value):
            return None
        return calls.apply("eq", (args[0], calls.builder.constant(sign * math.inf)), node, frame)

    return handler


def _zeroed(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    return calls.builder.constant(0.0, node, Kind.TENSOR)


def _registered(calls: Calls, args: Args, named: Named, node: ast.Call, frame: Frame) -> Thing | None:
    """`self.register_buffer(name, value)`: an attribute without gradient; a parameter has one."""
    receiver = calls.evaluate(node.func.value, frame) if isinstance(node.func, ast.Attribute) else None
    if not isinstance(receiver, Instance) or not args or not isinstance(args[0], Text):
        return None
    name, value = str(args[0].value), args[1] if len(args) > 1 else named.get("tensor")
    if isinstance(value, Value):
        is_buffer = isinstance(node.func, ast.Attribute) and node.func.attr == "register_buffer"
        receiver.fields[name] = calls.detached(value) if is_buffer else calls.builder.leaf(f"self.{name}")
    return Text(None)


SPECIAL: dict[str, Handler] = {
    "where": _where,
    "clamp": _clamp,
    "clamp_": _clamp,
    "clip": _clamp,
    "clip_": _clamp,
    "hardtanh": _hardtanh,
    "hardtanh_": _hardtanh,
    "div": _divide,
    "divide": _divide,
    "add": _scaled("add"),
    "sub": _scaled("sub"),
    "subtract": _scaled("sub"),
    "addcmul": _added("mul"),
    "addcdiv": _added("div"),
    "max": _extremum("maximum", "max"),
    "min": _extremum("minimum", "min"),
    "amax": _extremum("maximum", "max"),
    "amin": _extremum("minimum", "min"),
    "median": _extremum("median", "median"),
    "mode": _extremum("mode", "mode"),
    "cummax": _extremum("cummax", "cummax"),
    "cummin": _extremum("cummin", "cummin"),
    "sort": _ordered,
    "topk": _ordered,
    "kthvalue": _ordered,
    "stack": _joined,
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
    "new_tensor": _tensor,
    "scalar_tensor": _tensor,
    "linspace": _between,
    "arange": _arange,
    "finfo": _finfo,
    "logit": _logit,
    "softplus": _softplus,
    "nan_to_num": _nan_to_num,
    "nan_to_num_": _nan_to_num,
    "float": _number,
    "int": _number,
    "len": _length,
    "range": _range,
    "reversed": _reversed,
    "zip": _zip,
    "enumerate": _enumerate,
    "list": _sequence,
    "tuple": _sequence,
    "sorted": _sequence,
    "sum": _builtin_sum,
    "from_numpy": _from_numpy,
    "getattr": _getattr,
    "copy_": _assigned,
    "fill_": _assigned,
    "bool": _truth,
    "_check": _checked,
    "_assert": _checked,
    "index_put": _index_put,
    "index_put_": _index_put,
    "index_fill": _index_fill,
    "index_fill_": _index_fill,
    "isposinf": _signed_infinity(1.0),
    "isneginf": _signed_infinity(-1.0),
    "zero_": _zeroed,
    "tril": _triangle,
    "triu": _triangle,
    "to": _cast,
    "type": _cast,
    "sparse_coo_tensor": _sparse,
    "register_buffer": _registered,
    "register_parameter": _registered,
}
