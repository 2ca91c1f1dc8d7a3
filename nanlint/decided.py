"""Conditions that decide the poison: where they drop, it is there, whatever the inputs are that they leave out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.cases import Case, Proof
from nanlint.catalogue import OPS
from nanlint.catalogue.totals import SUMS
from nanlint.graph import MOST_VALUES, PART, PICKED, Apply, Leaf, Value, closure, each_once
from nanlint.plausibility import constant_of
from nanlint.relevance import all_factors, is_held_against_number, is_told_by_zero, speaks_of
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


@each_once
def is_by_factor(value: Value, condition: Value, values: Mapping[int, float]) -> bool:
    """Whether a product, or each of a sum of them, is 0 by nothing but a factor that a condition holds against 0."""
    if isinstance(value, Apply) and value.op in SUMS:
        return all(is_by_factor(part, condition, values) for part in value.args)
    if not (isinstance(value, Apply) and value.op == "mul"):
        return False
    zeros = [one for one in all_factors(value) if values.get(one.number, constant_of(one)) == 0.0]
    return bool(zeros) and all(is_told_by_zero(factor, condition) for factor in zeros)


def is_spread_of_few(poisoned: Sequence[Value], condition: Value) -> bool:
    """Whether means are taken of what differs from a mean, and a condition asks of how many elements they are.

    So is a variance, or the mean of the squares less the square of the mean: of a single element it is 0.
    """
    asked = {
        counts[-1].number
        for counts in _counts(poisoned)
        if any(is_held_against_number(count, condition) for count in counts)
    }
    return any(
        isinstance(part, Apply) and part.op == "sub" and not asked.isdisjoint(_bases(part.args))
        for part in (closure(poisoned, MOST_VALUES) if asked else ())
    )


def _bases(values: Sequence[Value]) -> set[int]:
    """The numbers of what is counted by the divisors below some values, of the whole for that of an element."""
    bases = [counts[-1] for counts in _counts(values)]
    return {base.whole.number if isinstance(base, Leaf) and base.whole else base.number for base in bases}


def _counts(values: Sequence[Value]) -> list[list[Value]]:
    """What is divided by below some values, without gradient, and what it is before its bounds."""
    found = []
    for part in closure(values, MOST_VALUES):
        if isinstance(part, Apply) and part.op == "div" and not part.args[1].grad:
            counts = [part.args[1]]
            while isinstance(counts[-1], Apply) and counts[-1].op in ("identity", "clamp_min", "maximum"):
                counts.append(counts[-1].args[0])
            found.append(counts)
    return found


def is_masked_out(value: Value, values: Mapping[int, float]) -> bool:
    """Whether a product is 0 because a factor is that says which elements count: some of them never do."""
    while isinstance(value, Apply) and value.op in ("div", "identity"):
        value = value.args[0]
    factors = all_factors(value) if isinstance(value, Apply) else ()
    return any(values.get(factor.number) == 0.0 and _says_which_count(factor) for factor in factors)


def _says_which_count(factor: Value) -> bool:
    """Whether a factor is a mask from outside, or a comparison."""
    if isinstance(factor, Leaf):
        return factor.region <= R.TRUTH and factor.name not in (PART, PICKED)
    return isinstance(factor, Apply) and OPS[factor.op].boolean


def _within(leaf: Leaf, at: float) -> float:
    """A number that an input may be: its negative, if that is all that is wrong with it."""
    return at if at in leaf.region or -at not in leaf.region else -at


def _are_as_in(proof: Proof, values: Sequence[Value], found: Mapping[int, float] | None) -> bool:
    """Whether some values are what they are in a proof."""
    return found is not None and all(
        found[value.number] == proof.values.get(value.number) for value in values
    )
