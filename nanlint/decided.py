"""Conditions that decide the poison: where they drop, it is there, whatever the inputs are that they leave out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from nanlint.arithmetic import Arithmetic
from nanlint.cases import Case, Proof
from nanlint.graph import MOST_VALUES, Leaf, Value, closure
from nanlint.relevance import speaks_of
from nanlint.witness import forward

_OTHERS = (1.0, 0.5, -2.0)
"""Numbers for what must not matter."""


def is_decided(case: Case, proof: Proof, poisoned: Sequence[Value], a: Arithmetic) -> bool:
    """Whether what a condition is made of decides both, what is dropped and the poison, whatever all else is.

    Where `weights.sum()` is 0 because all weights are, so is every weighted sum: `(weights * x).sum()` is one.
    """
    asked, made = speaks_of(case.condition), set[int]().union(*map(speaks_of, poisoned))
    values = (*poisoned, case.condition)
    order = closure(values, MOST_VALUES)
    leaves = [value for value in order if isinstance(value, Leaf)]
    if made <= asked or len(order) == MOST_VALUES or any(leaf.opaque for leaf in leaves):
        return False
    free = [leaf for leaf in leaves if leaf.number not in asked or leaf.number not in made]
    known = {leaf.number: at for leaf, at in proof.inputs.items()}
    for first in range(len(_OTHERS)):
        others = itertools.islice(itertools.cycle(_OTHERS), first, None)
        inputs = known | {leaf.number: _within(leaf, at) for leaf, at in zip(free, others, strict=False)}
        if not _are_as_in(proof, values, forward(order, inputs, a)):
            return False
    return True


def _within(leaf: Leaf, at: float) -> float:
    """A number that an input may be: its negative, if that is all that is wrong with it."""
    return at if at in leaf.region or -at not in leaf.region else -at


def _are_as_in(proof: Proof, values: Sequence[Value], found: Mapping[int, float] | None) -> bool:
    """Whether some values are what they are in a proof."""
    return found is not None and all(
        found[value.number] == proof.values.get(value.number) for value in values
    )
