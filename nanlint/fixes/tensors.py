"""Whether what a fix puts into a `where` is certainly a tensor: a number of Python has no place there."""

from __future__ import annotations

from collections.abc import Sequence

from nanlint.graph import MOST_VALUES, Apply, Constant, Kind, Value, closure
from nanlint.hazards import Hazard

_EITHER = frozenset("abs add div eq ge gt le lt maximum minimum mul ne neg pow reciprocal sub".split())
"""Ops that Python spells for numbers as well, by operators and builtins."""
_GUARDED = {"div": 1}
"""Which argument of an op is the one to guard, if it is not the first."""


def takes_tensors(hazards: Sequence[Hazard]) -> bool:
    """Whether the arguments to guard of all singular ops are tensors by all that the code does with them."""
    return all(_takes_tensors(hazard) for hazard in hazards)


def _takes_tensors(hazard: Hazard) -> bool:
    order = closure((hazard.selector,), MOST_VALUES)
    # nobody multiplies numbers by a mask, or selects by one
    certain = _tensors(order, {hazard.condition.number} if hazard.drop is None else set())
    arguments = (
        proof.site.args[_GUARDED.get(proof.site.op, 0)] for proof in hazard.proofs if proof.site.op in _EITHER
    )
    return all(isinstance(arg, Constant) or arg.number in certain for arg in arguments)


def _tensors(order: Sequence[Value], given: set[int]) -> set[int]:
    """The values that are tensors: by what is known of them, by what takes them, and by what they are made of."""
    certain = given | {value.number for value in order if value.kind is Kind.TENSOR}
    applied = [value for value in order if isinstance(value, Apply)]
    for value in reversed(applied):  # from the selector down
        if value.op not in _EITHER:
            certain |= {value.number, value.args[0].number}
        elif value.number in certain:
            unsure = [arg for arg in value.args if not _is_number(arg)]
            certain |= {arg.number for arg in unsure} if len(unsure) == 1 else set()
    for value in applied:
        if any(arg.number in certain for arg in value.args):
            certain.add(value.number)
    return certain


def _is_number(value: Value) -> bool:
    return isinstance(value, Constant) or value.kind is Kind.NUMBER
