"""The graph of a case in the order in which it is run: most candidates are given up before its end."""

from __future__ import annotations

from collections.abc import Sequence

from nanlint.cases import Case
from nanlint.facts import Constraint
from nanlint.graph import Value, operands
from nanlint.witness import Tape

_DECIDED_ALONE = frozenset({"where", "masked_fill", "masked_select", "mul"})
"""Selectors whose condition alone says what is dropped."""


class Stages:
    """The graph in parts: what decides, then what is dropped, for few candidates get any further; and the rest.

    `first` are the two that come first as one; `known_...` are the constraints on what each part computes.
    """

    def __init__(self, order: Sequence[Value], case: Case, known: Sequence[Constraint]) -> None:
        selector, drop = case.selector, case.drop
        alone = selector.op in _DECIDED_ALONE
        conditions = (case.condition,) if alone or drop is None else selector.args
        first = _needed(order, (case.operand, *(selector.args if drop is None else conditions)))
        deciding = _needed(order, conditions)
        self.first = Tape([value for value in order if value.number in first])
        self.deciding = Tape([value for value in order if value.number in deciding])
        self.dropped = Tape([v for v in self.first.order if v.number not in deciding], after=self.deciding)
        self.last = Tape([value for value in order if value.number not in first], after=self.first)
        self.known_deciding = [one for one in known if one.value.number in deciding]
        self.known_first = [one for one in known if one.value.number in first - deciding]
        self.known_last = [one for one in known if one.value.number not in first]


def _needed(order: Sequence[Value], roots: Sequence[Value]) -> set[int]:
    """The numbers of some values of a graph and of all in it that they are computed from."""
    needed = {value.number for value in roots}
    for value in reversed(order):
        if value.number in needed:
            needed.update(arg.number for arg in operands(value))
    return needed
