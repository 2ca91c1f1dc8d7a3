"""What selectors leave over: of a row of which nothing is left, and of a value of which a selection takes a part."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from nanlint import regions as R
from nanlint.cases import Case, Proof, is_repair
from nanlint.catalogue.totals import SUMS
from nanlint.facts import Network
from nanlint.graph import MOST_VALUES, PART, Apply, Constant, Leaf, Value, closure, each_once
from nanlint.relevance import are_opposite, share

_OF_ROWS = frozenset({"isfinite", "isnan", "isinf", "any", "all", "sum", "total", "amax", "amin"})
"""Ops by which a condition says something of all elements of a row."""


def is_left_nothing(case: Case, proof: Proof, network: Network) -> bool:
    """Whether a selector is there for rows of which nothing is left, and the row of a proof may be one."""
    asks = _asks_for_rows(case) or _asks_what_empties(case.condition, proof)
    return asks and not _is_never_empty(proof.site.args[0], network)


def _asks_what_empties(condition: Value, proof: Proof) -> bool:
    """Whether the mask that is added to a row as minus infinity tells of the condition as well.

    One that is filled in stops the gradient of the row. With a mask of single elements the selector makes a
    difference in rows of which nothing is left alone: in others what is dropped has no weight anyway.
    """
    return any(
        proof.values.get(part.number) == -math.inf and not part.grad and share(condition, part)
        for part in closure(proof.site.args[:1], MOST_VALUES)
        if isinstance(part, Apply)
    )


def _asks_for_rows(case: Case) -> bool:
    """Whether a selector asks for nan, or whether anything is left of a row."""
    made = closure((case.condition,), MOST_VALUES)
    asks = any(isinstance(value, Apply) and value.op in _OF_ROWS for value in made)
    return asks or case.selector.op == "nan_to_num" or is_repair(case.condition, case.operand)


def counts_a_batch(value: Value, condition: Value) -> bool:
    """Whether a value is how many elements a mask leaves of all there are, and a condition does not ask about them.

    A row may be padding from end to end; that nothing at all is left is another thing.
    """
    while isinstance(value, Apply) and value.op == "identity":
        value = value.args[0]
    if not (isinstance(value, Apply) and value.op in SUMS and _is_of_all(value.node)):
        return False
    masks = (part for part in closure(value.args, MOST_VALUES) if isinstance(part, Leaf))
    made = closure((condition,), MOST_VALUES)
    asked = any(isinstance(part, Apply) and part.op in _OF_ROWS for part in made)
    return not asked and all(mask.region <= R.TRUTH for mask in masks)


def _is_of_all(call: ast.AST | None) -> bool:
    """Whether a call sums up all there is: `mask.sum()`, `torch.sum(mask)`."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.keywords:
        return False
    return len(call.args) == (isinstance(call.func.value, ast.Name) and call.func.value.id == "torch")


@each_once
def _is_never_empty(row: Value, network: Network) -> bool:
    """Whether a part of what a row was put together from is finite."""
    if not (isinstance(row, Apply) and row.op == "phi" and getattr(row.args[0], "name", "") == PART):
        return False
    facts = network.solve(())
    parts = row.args[1:]
    return any(_is_never_empty(part, network) for part in parts) or (
        facts is not None and not all(facts.of(part) & R.INFINITIES for part in parts)
    )


def takes_a_part(case: Case, sinks: Sequence[Value]) -> bool:
    """Whether what a selection leaves out is used apart from it: `y[m] = -y[m]`, `y[m]` and `y[~m]`."""
    if _takes_the_complement(case.condition, sinks):
        return True
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


def _takes_the_complement(condition: Value, sinks: Sequence[Value]) -> bool:
    """Whether `x[m]` is used beside `~m`, where nothing but that says that an `m` is a mask, and no index."""
    if not (isinstance(condition, Apply) and condition.op == "not"):
        return False
    mask = condition.args[0].number
    used = (part for part in closure(sinks, MOST_VALUES) if isinstance(part, Leaf) and part.at is not None)
    return any(part.at.number == mask for part in used if part.at is not None)


def is_given_infinity(value: Value) -> bool:
    """Whether minus infinity comes in with a value: as a number in the code, as an input that may be it."""
    if isinstance(value, Leaf):
        return -math.inf in value.region
    args = value.args if isinstance(value, Apply) else ()
    return any(isinstance(arg, Constant) and arg.value == -math.inf for arg in args)
