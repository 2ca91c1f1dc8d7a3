"""Builtins of Python, and what torch has of the kind: checks, limits of number types, registered attributes."""

from __future__ import annotations

import ast
import math

from nanlint import regions as R
from nanlint.graph import Apply, Constant, Kind, Value
from nanlint.lower.call import Call
from nanlint.lower.handlers.handler import Handler
from nanlint.lower.lowering import COUNT
from nanlint.lower.things import Each, Foreign, Instance, Items, Method, Symbol, Text, Thing
from nanlint.lower.values import Values


def _number(calls: Values, call: Call) -> Thing | None:
    """`float(x)` and `int(x)`: a Python number."""
    if not call.is_bare:
        return None  # the Tensor method
    if isinstance(call.first, Constant):
        return call.first
    if isinstance(call.first, Text) and isinstance(call.first.value, str):
        try:
            return calls.builder.constant(float(call.first.value), call.node)
        except ValueError:
            return None
    value = call.first
    if isinstance(value, Value):
        return calls.builder.apply("identity", value, node=call.node, grad=False, kind=Kind.NUMBER)
    return calls.result(call, grad=False, kind=Kind.NUMBER)


def _item(calls: Values, call: Call) -> Thing | None:
    """`condition.any().item()` is what was asked."""
    value = call.first
    return value if isinstance(value, Apply) and calls.is_logical(value) else None


def _length(calls: Values, call: Call) -> Thing | None:
    if not call.is_bare:
        return None
    if isinstance(call.first, Items):
        return calls.builder.constant(float(len(call.first.things)), call.node)
    region = COUNT
    return calls.result(call, *call.args, region=region, grad=False, kind=Kind.NUMBER)


def _truth(calls: Values, call: Call) -> Thing | None:
    if not call.is_bare:
        return None
    return call.first if isinstance(call.first, Value) else None


def _range(calls: Values, call: Call) -> Thing | None:
    known = [arg.value for arg in call.args if isinstance(arg, Constant) and math.isfinite(arg.value)]
    if (
        len(known) == len(call.args)
        and call.args
        and 0.0 not in known[2:]
        and len(range(*(int(value) for value in known))) <= 4
    ):
        return Items(tuple(calls.builder.constant(float(i)) for i in range(*(int(value) for value in known))))
    low = known[0] if len(call.args) > 1 and isinstance(call.first, Constant) else 0.0
    name = "index"
    return Each(
        calls.builder.leaf(name, R.interval(low, max(low, 1e6)), grad=False, kind=Kind.NUMBER, node=call.node)
    )


def _reversed(calls: Values, call: Call) -> Thing | None:
    if isinstance(call.first, Items):
        return Items(call.first.things[::-1])
    return call.first if isinstance(call.first, (Each, Foreign)) else None


def _zip(calls: Values, call: Call) -> Thing | None:
    rows = [arg.things for arg in call.args if isinstance(arg, Items)]
    if call.args and len(rows) == len(call.args):
        return Items(tuple(Items(row) for row in zip(*rows, strict=False)))
    return Each(Items(tuple(calls.each(arg, call.node) for arg in call.args)))


def _enumerate(calls: Values, call: Call) -> Thing | None:
    if isinstance(call.first, Items):
        pairs = enumerate(call.first.things)
        return Items(tuple(Items((calls.builder.constant(float(i)), thing)) for i, thing in pairs))
    index = calls.builder.leaf("index", R.NONNEGATIVE & R.FINITE, grad=False, kind=Kind.NUMBER)
    return Each(Items((index, calls.each(call.first, call.node)))) if call.first is not None else None


def _sequence(calls: Values, call: Call) -> Thing | None:
    return call.first if isinstance(call.first, (Items, Each, Foreign, Value)) else None


def _builtin_sum(calls: Values, call: Call) -> Thing | None:
    if not call.is_bare or call.first is None or isinstance(call.first, Value):
        return None
    if isinstance(call.first, Items) and call.first.things:
        joined: Thing = call.first.things[0]
        for thing in call.first.things[1:]:
            if isinstance(joined, Value) and isinstance(thing, Value):
                joined = calls.apply("add", (joined, thing), call.node, call.frame)
        return joined
    return calls.apply("sum", (calls.as_value(call.first),), call.node, call.frame)


def _getattr(calls: Values, call: Call) -> Thing | None:
    name = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], Text) else None
    if call.first is None or not isinstance(name, str):
        return None
    made = ast.copy_location(ast.Attribute(ast.Name("_", ast.Load()), name, ast.Load()), call.node)
    found = calls.attribute(call.first, made, call.frame)
    call.frame.decide(call.args[1], found)
    if isinstance(found, Method) and isinstance(found.receiver, Value) and len(call.args) > 2:
        return calls.or_default(calls.as_value(found), call.args[2])
    return found


def _super(calls: Values, call: Call) -> Thing | None:
    """`super()`, or with the class that the method is written in."""
    unknown = calls.opaque("super()", node=call.node)
    return calls.inherited(unknown, call.frame)


def _finfo(calls: Values, call: Call) -> Thing | None:
    given = call.first
    name = given.name.rsplit(".", 1)[-1] if isinstance(given, Symbol) else ""
    return Symbol(f"finfo:{name}")


def _checked(calls: Values, call: Call) -> Thing | None:
    """`torch._check(condition)` raises where the condition does not hold."""
    if isinstance(call.first, Value) and not isinstance(call.first, Constant):
        call.frame.assume(call.first, True)
    return Text(None)


def _registered(calls: Values, call: Call) -> Thing | None:
    """`self.register_buffer(name, value)`: an attribute without gradient; a parameter is what it was made to be."""
    receiver = call.called.receiver if isinstance(call.called, Method) else None
    if not isinstance(receiver, Instance) or not isinstance(call.first, Text):
        return None
    name, value = str(call.first.value), call.args[1] if len(call.args) > 1 else call.named.get("tensor")
    if isinstance(value, Value):
        is_buffer = call.name == "register_buffer"
        receiver.fields[name] = calls.detached(value) if is_buffer else value
    return Text(None)


_NUMBERS = frozenset({"Number", "Real", "Complex", "int", "float", "complex", "Integral"})


def _isinstance(calls: Values, call: Call) -> Thing | None:
    """Lists and tuples are no numbers and no tensors; nor are numbers tensors."""
    classes = (
        call.args[1].things if len(call.args) == 2 and isinstance(call.args[1], Items) else call.args[1:]
    )
    names = {thing.name.rsplit(".", 1)[-1] for thing in classes if isinstance(thing, Symbol)}
    if not names or len(names) != len(classes) or not names <= _NUMBERS | {"Tensor", "ndarray", "str"}:
        return None
    is_number = isinstance(call.first, Constant) and call.first.kind is Kind.NUMBER
    if is_number and (names & {"Number", "Real"} or {"int", "float"} <= names):
        return calls.builder.constant(1.0, call.node)
    no_number = is_number and not names & _NUMBERS
    return calls.builder.constant(0.0, call.node) if no_number or isinstance(call.first, Items) else None


HANDLERS: dict[str, Handler] = {
    "finfo": _finfo,
    "float": _number,
    "int": _number,
    "item": _item,
    "len": _length,
    "isinstance": _isinstance,
    "range": _range,
    "reversed": _reversed,
    "zip": _zip,
    "enumerate": _enumerate,
    "list": _sequence,
    "tuple": _sequence,
    "sorted": _sequence,
    "sum": _builtin_sum,
    "getattr": _getattr,
    "super": _super,
    "bool": _truth,
    "_check": _checked,
    "_assert": _checked,
    "register_buffer": _registered,
    "register_parameter": _registered,
}
