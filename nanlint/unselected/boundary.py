"""A selected side that is singular where its own condition ends (NAN301)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.cases import Proof, cases
from nanlint.catalogue import OPS
from nanlint.facts import Constraint, Facts, Network
from nanlint.finding import Confidence
from nanlint.graph import MOST_VALUES, Apply, Leaf, Value, closure, operands
from nanlint.plausibility import is_far_fetched, is_setting
from nanlint.relevance import speaks_of
from nanlint.search import Effort, assignments
from nanlint.unselected.likelihood import poisoned_args
from nanlint.unselected.window import at, shortened
from nanlint.witness import backward, forward

_CONDITIONAL = frozenset({"where", "masked_fill", "masked_select"})
"""Selectors that a condition decides; the others decide by the value itself."""
_MOST_TRIES = 40
_STEP = 2.0**-7
"""A step that is no rounding error in any dtype."""


@dataclass(frozen=True)
class Boundary:
    """A selector, the op that is singular where its condition just holds, and the inputs that show it."""

    proof: Proof
    selector: Apply
    condition: Value
    confidence: Confidence


@dataclass(frozen=True)
class _Side:
    """An operand of a selector, and where the deciding value must lie for it to be taken."""

    selector: Apply
    operand: Value
    taken: Constraint


def boundaries(selector: Apply, a: Arithmetic) -> Iterator[Boundary]:
    """The sides of a selector that are singular at the end of its condition."""
    for side in _sides(selector):
        found = _Study(side, a).boundary()
        if found is not None:
            yield found


def _sides(selector: Apply) -> Iterator[_Side]:
    if selector.op != "mul" and selector.op not in _CONDITIONAL:
        return
    for case in cases(selector):
        dropped = R.ZERO if case.drop is None else case.drop.where(tuple(R.ALL for _ in selector.args))
        yield _Side(selector, case.operand, Constraint(case.condition, ~dropped))


class _Study:
    """The search for one side."""

    def __init__(self, side: _Side, a: Arithmetic) -> None:
        self.side, self.a = side, a
        selector = side.selector
        self.path = [Constraint(p.condition, R.NONZERO if p.truth else R.ZERO) for p in selector.path]
        self.order = closure([selector, *(known.value for known in self.path)], MOST_VALUES)
        self.below = {value.number for value in closure((side.operand,), MOST_VALUES)}
        self.network = Network(self.order, a)
        self.effort = Effort(len(self.order))

    def boundary(self) -> Boundary | None:
        sites = [v for v in self.order if isinstance(v, Apply) and v.number in self.below and v.grad]
        sites = [site for site in sites if OPS[site.op].singular]
        taken = self.network.solve([*self.path, self.side.taken]) if sites else None
        if taken is None:
            return None
        found = (self._at(target, site, taken) for site in sites for target in self._targets(site, taken))
        return min(filter(None, found), key=lambda each: each.confidence.rank, default=None)

    def _targets(self, site: Apply, taken: Facts) -> Iterator[Constraint]:
        """Where an argument of a site may lie on the taken side so that its derivative is not finite."""
        poison = OPS[site.op].poison(self.a, *(taken.of(arg) for arg in site.args))
        for arg, bad in zip(site.args, poison, strict=True):
            if taken.of(arg) & bad:
                yield Constraint(arg, taken.of(arg) & bad)

    def _at(self, target: Constraint, site: Apply, taken: Facts) -> Boundary | None:
        facts = self.network.solve((target,), taken)
        if facts is None:
            return None
        tried = islice(assignments(self.network, facts, self.effort), _MOST_TRIES)
        for inputs in (version for exact in tried for version in (shortened(exact), exact)):
            proof = self._proof(site, inputs)
            if proof is not None and self._is_end(site, inputs):
                unlikely = is_far_fetched(proof) or all(map(is_setting, poisoned_args(proof, self.a)))
                confidence = Confidence.LOW if unlikely else Confidence.HIGH
                return Boundary(proof, self.side.selector, self.side.taken.value, confidence)
        return None

    def _is_end(self, site: Apply, inputs: Mapping[int, float]) -> bool:
        """Whether the condition ends here: with a step to one side the operand is no longer taken."""
        own = speaks_of(site)
        for number, value in inputs.items():
            for step in (_STEP, -_STEP) if number in own else ():
                beside = {**inputs, number: value + step * max(1.0, abs(value))}
                values = forward(self.order, beside, self.a, void=True)
                if values is not None and not self._is_taken(values):
                    return True
        return False

    def _is_taken(self, values: Mapping[int, float]) -> bool:
        return at(values, self.side.taken.value) in self.side.taken.region

    def _proof(self, site: Apply, inputs: Mapping[int, float]) -> Proof | None:
        """A proof if the side is taken there, its value is finite, and a gradient is not."""
        values = forward(self.order, inputs, self.a)
        if values is None or not self._is_taken(values):
            return None
        if any(at(values, known.value) not in known.region for known in self.path):
            return None
        value = at(values, self.side.selector)
        if not math.isfinite(value) or not math.isfinite(values[site.number]):
            return None
        made = backward(self.order, values, {self.side.selector.number: 1.0}, self.a, cut=True).by_number
        if not _breaks(site, values, made, self.a):
            return None
        arrived = self._arrived(made)
        free = {each: inputs[each.number] for each in self.order if each.number in inputs}
        return Proof(site, free, value, arrived, True, values, site) if arrived else None

    def _arrived(self, gradients: Mapping[int, float]) -> dict[Value, float]:
        inside = {value.number for value in self.order}
        ends = (end for value in self.order for end in (value, *operands(value)))
        return {
            end: gradients[end.number]
            for end in ends
            if end.grad and not math.isfinite(gradients.get(end.number, 0.0))
            if isinstance(end, Leaf) or end.number not in inside
        }


def _breaks(site: Apply, values: Mapping[int, float], made: Mapping[int, float], a: Arithmetic) -> bool:
    """Whether it is the site that makes something infinite or nan of a finite gradient."""
    gradient = made.get(site.number)
    if gradient is None or not math.isfinite(gradient):
        return False
    args = [at(values, arg) for arg in site.args]
    slopes = OPS[site.op].backward(a, gradient, values[site.number], *args)
    return any(arg.grad and not math.isfinite(slope) for slope, arg in zip(slopes, site.args, strict=True))
