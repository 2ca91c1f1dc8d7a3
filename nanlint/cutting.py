"""Cuts: a value that a guard asks about, met as an input of its own.

Of a value that is computed from many inputs, the numbers that make it singular may not be found although they are
there: the degree of a node with no edges, the determinant of a matrix. Where the condition of a selector asks about
the value itself, the code's author expects what the condition drops, and nobody need know where it comes from.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping
from dataclasses import replace

from nanlint import regions as R
from nanlint.cases import Case
from nanlint.catalogue import OPS
from nanlint.facts import Network
from nanlint.graph import MOST_VALUES, Apply, Assumption, Constant, Leaf, Value, closure
from nanlint.sites import argument_node

_FEWEST_INPUTS = 4
"""Of fewer inputs the search tries so many numbers that what it does not find is not there."""


def asked(case: Case) -> Apply | None:
    """The value that a case's condition asks about, if it is made of many inputs and what is dropped is made of it.

    Of a condition that asks whether a singular op's value is finite, it is the argument of that op.
    """
    below = {value.number for value in closure((case.operand,), MOST_VALUES)}
    for part in closure((case.condition,), MOST_VALUES):
        if not isinstance(part, Apply) or not OPS[part.op].boolean:
            continue
        for value in part.args:
            subject = _argument(value)
            if subject is not None and subject.number in below and _is_of_many(subject):
                return subject
    return None


def _argument(value: Value) -> Apply | None:
    """The value itself, or what a singular op is computed of that a comparison is made with."""
    while isinstance(value, Apply) and (value.op in ("abs", "identity", "neg") or OPS[value.op].singular):
        inner = [arg for arg in value.args if not isinstance(arg, Constant)]
        if len(inner) != 1 or not isinstance(inner[0], Apply):
            break
        value = inner[0]
    return value if isinstance(value, Apply) and value.grad and not OPS[value.op].boolean else None


def _is_of_many(value: Value) -> bool:
    leaves = (part for part in closure((value,), MOST_VALUES) if isinstance(part, Leaf))
    return len(list(itertools.islice(leaves, _FEWEST_INPUTS))) == _FEWEST_INPUTS


def cut(case: Case, value: Apply, network: Network) -> Case:
    """The case with `value` as an input, which may be whatever finite number the facts say that it may be."""
    facts = network.solve(())
    region = None if facts is None else facts.of(value) & R.FINITE
    if not region:
        return case
    leaf = Leaf(value.number, _name(value, network), region, value.grad, value.kind, value.node)
    made: dict[int, Value] = {value.number: leaf}
    order = closure((case.selector, *(p.condition for p in case.selector.path)), MOST_VALUES)
    for old in order:
        made.setdefault(old.number, _with_arguments(old, made))
    selector = made[case.selector.number]
    assert isinstance(selector, Apply)
    return replace(
        case,
        selector=selector,
        operand=made[case.operand.number],
        condition=made[case.condition.number],
        dropped=tuple(replace(one, value=made[one.value.number]) for one in case.dropped),
    )


def _name(value: Apply, network: Network) -> str:
    """What the code calls a value: the shortest of what it is written as where something is computed of it."""
    nodes = [value.node]
    for user in network.users.get(value.number, ()):
        index = [arg.number for arg in user.args].index(value.number)
        nodes.append(argument_node(user.node, index, user.op))
    return min((ast.unparse(node) for node in nodes if node is not None), key=len, default="value")


def _with_arguments(value: Value, made: Mapping[int, Value]) -> Value:
    """The same value with other arguments, under the same number; what it is computed under remains true."""
    if not isinstance(value, Apply):
        return value
    args = tuple(made.get(arg.number, arg) for arg in value.args)
    path = tuple(Assumption(made.get(p.condition.number, p.condition), p.truth) for p in value.path)
    return value if args == value.args and path == value.path else replace(value, args=args, path=path)
