"""A singular op with what it is made of and what is made of it, run forward and backward on concrete inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nanlint import regions as R
from nanlint.arithmetic import Arithmetic
from nanlint.cases import is_mask
from nanlint.catalogue import OPS
from nanlint.facts import Constraint, Facts, Network
from nanlint.graph import MOST_VALUES, Apply, Leaf, Value, closure, operands
from nanlint.plausibility import constant_of
from nanlint.search import Effort, assignments
from nanlint.unselected.reach import Reach
from nanlint.witness import Gradients, backward, forward


@dataclass(frozen=True)
class Run:
    """What one assignment of the free values gives.

    `upstream` is the gradient that arrives at the site, None if a selector lets none through to it.
    """

    inputs: Mapping[int, float]
    values: Mapping[int, float]
    gradients: Gradients
    upstream: float | None


class Window:
    """One site, seen together with its surroundings."""

    def __init__(self, site: Apply, reach: Reach, a: Arithmetic) -> None:
        self.site = site
        self.a = a
        self.above = reach.above(site)
        self.tops = reach.tops(self.above)
        self.path = [Constraint(p.condition, R.NONZERO if p.truth else R.ZERO) for p in site.path]
        self.order = closure([*self.above, *(known.value for known in self.path)], MOST_VALUES)
        self.network = Network(self.order, a)
        self.below = {value.number for value in closure((site,), MOST_VALUES)}
        self.products = [v for v in self.above if v.op == "mul" and any(map(is_mask, v.args))]

    def facts(self) -> Facts | None:
        """What is known where the site is computed; None if it never is."""
        return self.network.solve(self.path)

    def targets(self, base: Facts) -> Iterator[Constraint]:
        """Where an argument of the site may lie so that its derivative is not finite."""
        regions = tuple(base.of(arg) for arg in self.site.args)
        for arg, poison in zip(self.site.args, OPS[self.site.op].poison(self.a, *regions), strict=True):
            met = base.of(arg) & poison
            if met:
                yield Constraint(arg, met)

    def candidates(self, base: Facts, target: Constraint) -> Iterator[Mapping[int, float]]:
        """Assignments of the free values that may reach a target, the plainest first."""
        facts = self.network.solve((target,), base)
        if facts is not None:
            yield from assignments(self.network, facts, Effort(len(self.order)))

    def run(self, inputs: Mapping[int, float], arithmetic: Arithmetic | None = None) -> Run | None:
        """Run one assignment; None if it contradicts the path, or a mask multiplies by 0 what the site gives."""
        a = arithmetic or self.a
        values = forward(self.order, inputs, a)
        if values is None or not self._holds(values):
            return None
        seed = {top.number: 1.0 for top in self.tops}
        gradients = backward(self.order, values, seed, a, cut=True)
        return Run(inputs, values, gradients, gradients.by_number.get(self.site.number))

    def _holds(self, values: Mapping[int, float]) -> bool:
        if any(at(values, known.value) not in known.region for known in self.path):
            return False
        return not any(self._is_masked(product, values) for product in self.products)

    def _is_masked(self, product: Apply, values: Mapping[int, float]) -> bool:
        return any(at(values, arg) == 0.0 and is_mask(arg) for arg in product.args)

    def arrived(self, run: Run) -> dict[Value, float]:
        """The leaves, and the values at the edge of what is looked at, whose gradient is not finite."""
        inside = {value.number for value in self.order}
        arrived: dict[Value, float] = {}
        for value in self.order:
            for end in (value, *operands(value)):
                gradient = run.gradients.by_number.get(end.number, 0.0)
                edge = isinstance(end, Leaf) or end.number not in inside
                if edge and end.grad and not math.isfinite(gradient):
                    arrived[end] = gradient
        return arrived

    def is_infinite_anyway(self, run: Run) -> bool:
        """Whether an infinite gradient arrives somewhere along a path without any 0 in it."""
        made: dict[int, float] = {self.site.number: 1.0}
        for value in reversed([part for part in self.order if part.number in self.below]):
            gradient = made.get(value.number)
            if gradient is None or not isinstance(value, Apply):
                continue
            args = [at(run.values, arg) for arg in value.args]
            slopes = OPS[value.op].backward(self.a, gradient, at(run.values, value), *args)
            for arg, slope in zip(value.args, slopes, strict=True):
                if arg.grad and slope == slope:
                    made[arg.number] = made.get(arg.number, 0.0) + slope
        leaves = (part for part in self.order if isinstance(part, Leaf) and part.grad)
        return any(math.isinf(made.get(leaf.number, 0.0)) for leaf in leaves)

    def free(self, run: Run) -> dict[Value, float]:
        """The free values with what they were in a run."""
        return {value: run.inputs[value.number] for value in self.order if value.number in run.inputs}


def at(values: Mapping[int, float], value: Value) -> float:
    """What a value was in a run."""
    return values.get(value.number, constant_of(value))


def shortened(inputs: Mapping[int, float]) -> dict[int, float]:
    """Inputs with numbers that are easier to read, and free of the rounding that bounds were found with."""
    return {number: float(f"{value:.6g}") for number, value in inputs.items()}
