"""What selectors leave over: of a row of which nothing is left, and of a value of which a selection takes a part."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.cases import Case, is_repair
from nanlint.facts import Network
from nanlint.graph import MOST_VALUES, PART, Apply, Constant, Leaf, Value, closure
from nanlint.relevance import are_opposite

_OF_ROWS = frozenset({"isfinite", "isnan", "isinf", "any", "all", "sum", "total", "amax", "amin"})
"""Ops by which a condition says something of all elements of a row."""


def asks_for_rows(case: Case) -> bool:
    """Whether a selector asks for nan, or whether anything is left of a row."""
    made = closure((case.condition,), MOST_VALUES)
    asks = any(isinstance(value, Apply) and value.op in _OF_ROWS for value in made)
    return asks or case.selector.op == "nan_to_num" or is_repair(case.condition, case.operand)


def is_never_empty(row: Value, network: Network) -> bool:
    """Whether a part of what a row was put together from is finite."""
    if not (isinstance(row, Apply) and row.op == "phi" and getattr(row.args[0], "name", "") == PART):
        return False
    facts = network.solve(())
    parts = row.args[1:]
    return any(is_never_empty(part, network) for part in parts) or (
        facts is not None and not all(facts.of(part) & R.INFINITIES for part in parts)
    )


def takes_a_part(case: Case, sinks: Sequence[Value]) -> bool:
    """Whether what a selection leaves out is used apart from it: `y[m] = -y[m]`, `y[m]` and `y[~m]`."""
    if case.selector.op != "masked_select":
        return False
    of, mask = case.selector.args
    users = (
        value
        for value in closure(sinks, MOST_VALUES)
        if isinstance(value, Apply) and value.grad and value.args[0].number == of.number
    )
    return any(
        (user.op == "masked_fill" and user.args[1].number == mask.number)
        or (user.op == "masked_select" and are_opposite(user.args[1], mask))
        for user in users
    )


def is_given_infinity(value: Value) -> bool:
    """Whether minus infinity comes in with a value: as a number in the code, as an input that may be it."""
    if isinstance(value, Leaf):
        return -math.inf in value.region
    args = value.args if isinstance(value, Apply) else ()
    return any(isinstance(arg, Constant) and arg.value == -math.inf for arg in args)
