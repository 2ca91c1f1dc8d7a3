"""Hazards: for each selector, an input that it drops and at which the dropped operand's backward makes a nan.

The abstract half (facts) says which dropped values may reach a poison set and proves that the others cannot; the
concrete half (witness) runs candidates and decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.cases import Case, cases
from nanlint.catalogue import OPS, Drop, Selector
from nanlint.facts import Constraint, Facts, Network
from nanlint.finding import Confidence
from nanlint.graph import MOST_VALUES, Apply, Constant, Leaf, Value, closure, operands
from nanlint.plausibility import (
    constant_of,
    is_far_fetched,
    is_offset,
    is_setting,
    is_unreadable,
    saturated,
    speaks_of,
)
from nanlint.search import Effort, assignments
from nanlint.witness import backward, culprit, forward

_MOST_TARGETS = 40
_MORE_TRIES = 80
"""Further candidates run after a first proof that needs unusual numbers, in search of a plainer one."""


@dataclass(frozen=True)
class Proof:
    """Concrete inputs for one site: the selector's value is finite and the gradients of `gradients` are nan."""

    site: Apply
    inputs: Mapping[Value, float]
    value: float
    gradients: Mapping[Value, float]
    singular: bool
    values: Mapping[int, float]
    origin: Apply
    """Where the nan arose: the site itself, or what multiplies its infinity by 0."""


@dataclass(frozen=True)
class Hazard:
    """A selector, its dropped operand, and the proofs for the singular ops below it."""

    selector: Apply
    row: Selector
    drop: Drop | None
    operand: Value
    condition: Value
    proofs: tuple[Proof, ...]
    confidence: Confidence


def hazards(selector: Apply, a: Arithmetic) -> list[Hazard]:
    """The hazards of one selector, one for each operand that it can drop."""
    found = (_Study(case, a).hazard() for case in cases(selector))
    return [hazard for hazard in found if hazard is not None]


class _Study:
    """The search for one case."""

    def __init__(self, case: Case, a: Arithmetic) -> None:
        self.case = case
        self.a = a
        self.path = [Constraint(p.condition, R.NONZERO if p.truth else R.ZERO) for p in case.selector.path]
        roots = [case.operand, case.selector, *(constraint.value for constraint in self.path)]
        self.order = closure(roots, MOST_VALUES)
        self.network = Network(self.order, a)
        self.effort = Effort(len(self.order))
        self.below = {value.number for value in closure((case.operand,), MOST_VALUES)}
        self.masks = [
            Constraint(value.args[1], R.NONZERO)
            for value in self.order
            if isinstance(value, Apply) and value.op == "masked_select" and value.number in self.below
            if value.number != case.selector.number
        ]

    def hazard(self) -> Hazard | None:
        if not any(isinstance(v, Apply) and OPS[v.op].singular for v in self.order if v.number in self.below):
            return None
        constraints = self._dropped()
        base = None if constraints is None else self.network.solve(constraints)
        if base is None or constraints is None:
            return None
        proofs: dict[int, Proof] = {}
        for target in list(self._targets(base))[:_MOST_TARGETS]:
            proof = self._proof(base, target)
            if proof is not None:
                proofs.setdefault(proof.site.number, proof)
        if not proofs:
            return None
        return self._made(sorted(proofs.values(), key=self._rank))

    def _dropped(self) -> list[Constraint] | None:
        """All that is known where the selector drops; None if it never does."""
        known = [*self.case.dropped, *self.path, *self.masks]
        drop = self.case.drop
        if drop is None:
            return known
        facts = self.network.solve(known)
        if facts is None:
            return None
        args = self.case.selector.args
        region = drop.where(tuple(facts.of(arg) for arg in args))
        return [*known, Constraint(args[drop.by], region, nan=drop.by_nan)]

    def _targets(self, base: Facts) -> Iterator[Constraint]:
        """What would poison: an argument in its op's poison set, or where the op's value is nan."""
        for value in self.order:
            if value.number not in self.below or not isinstance(value, Apply):
                continue
            row = OPS[value.op]
            if not row.singular:
                continue
            regions = tuple(base.of(arg) for arg in value.args)
            for arg, poison in zip(value.args, row.poison(self.a, *regions), strict=True):
                met = base.of(arg) & poison
                if met:
                    yield Constraint(arg, met)

    def _proof(self, base: Facts, target: Constraint) -> Proof | None:
        facts = self.network.solve((target,), base)
        if facts is None:
            return None
        best: Proof | None = None
        left = _MORE_TRIES
        for inputs in assignments(self.network, facts, self.effort):
            proof = self._run(inputs)
            left -= best is not None
            if left < 0:
                break
            if proof is None:
                continue
            proof = self._plainer(proof, inputs)
            if best is None or self._rank(proof) < self._rank(best):
                best = proof
            if not is_far_fetched(best) and (best.singular or OPS[best.site.op].overflows):
                break
        return best

    def _plainer(self, proof: Proof, inputs: Mapping[int, float]) -> Proof:
        """The same with shorter numbers, where these do it too: they are easier to read, and free of rounding."""
        short = {number: float(f"{value:.6g}") for number, value in inputs.items()}
        return proof if short == inputs else self._run(short) or proof

    def _run(self, inputs: Mapping[int, float], a: Arithmetic | None = None) -> Proof | None:
        """Run one candidate: a proof if it is dropped with a finite value and a nan arrives at a leaf."""
        arithmetic = a or self.a
        values = forward(self.order, inputs, arithmetic, void=True)
        if values is None or not self._holds(values):
            return None
        case = self.case
        value = values[case.selector.number]
        lost = (
            case.drop is None or case.selector.op == "masked_select"
        )  # nan already in forward, or not there at all
        if not (math.isfinite(value) or lost or self._is_written(value)):
            return None
        gradients = backward(self.order, values, case.seed, arithmetic, cut=True)
        if gradients.origin is None:
            return None
        arrived = self._arrived(gradients.by_number)
        if not arrived:
            return None
        site = culprit(gradients.origin, values)
        exact = a is None and not OPS[site.op].overflows and not saturated(site, values)
        exact = exact and self._run(inputs, ARITHMETIC["float64"]) is not None
        named = {leaf: inputs[leaf.number] for leaf in self.order if leaf.number in inputs}
        return Proof(site, named, value, arrived, exact, values, gradients.origin)

    def _is_written(self, value: float) -> bool:
        """Whether a value is the infinity that the code itself puts in place of the operand, as a score of -inf."""
        case = self.case
        if case.drop is None or case.selector.op not in ("where", "masked_fill"):
            return False
        taken = [arg for at, arg in enumerate(case.selector.args) if at not in (case.drop.operand, case.drop.by)]
        return any(isinstance(arg, Constant) and math.isinf(arg.value) and arg.value == value for arg in taken)

    def _holds(self, values: Mapping[int, float]) -> bool:
        case = self.case
        for constraint in (*case.dropped, *self.path, *self.masks):
            value = values.get(constraint.value.number)
            if value is not None and value not in constraint.region:
                return False
        if case.drop is None:
            return True
        return case.drop.holds(tuple(values.get(arg.number, constant_of(arg)) for arg in case.selector.args))

    def _arrived(self, gradients: Mapping[int, float]) -> dict[Value, float]:
        """The leaves, and the values at the edge of what is looked at, whose gradient is nan."""
        inside = {value.number for value in self.order}
        arrived: dict[Value, float] = {}
        for value in self.order:
            for end in (value, *operands(value)):
                edge = isinstance(end, Leaf) or end.number not in inside
                g = gradients.get(end.number, 0.0)
                if edge and end.grad and g != g:
                    arrived[end] = g
        return arrived

    def _rank(self, proof: Proof) -> tuple[bool, bool, float]:
        return (is_far_fetched(proof), not proof.singular, sum(abs(value) for value in proof.inputs.values()))

    def _made(self, proofs: list[Proof]) -> Hazard:
        case = self.case
        judged = sorted(((self._confidence(proof), proof) for proof in proofs), key=lambda pair: pair[0].rank)
        confidence = judged[0][0]
        proofs = [proof for own, proof in judged if own is confidence]
        return Hazard(
            case.selector, case.row, case.drop, case.operand, case.condition, tuple(proofs), confidence
        )

    def _confidence(self, proof: Proof) -> Confidence:
        """How sure it is that this input may occur.

        Low where the code says nothing of it: a Python number (a setting) at its singular value, or values that the
        condition does not exclude from what is selected, where they would break the value as well. High where the
        condition speaks of the values that reach the poison. A mask from outside is trusted to drop padding, of any
        value; and what the other side of the selector takes is a legal input where that side is selected.
        """
        poisoned = self._poisoned_args(proof)
        unlikely = all(is_setting(arg) or is_offset(arg) for arg in poisoned)
        if unlikely or is_far_fetched(proof):
            return Confidence.LOW
        condition = self.case.condition
        spoken = bool(speaks_of(condition) & speaks_of(proof.site))
        if not (is_unreadable(condition) or self._legal_elsewhere(poisoned) or self._silences(proof)):
            bare = not spoken and all(isinstance(arg, Leaf) for arg in poisoned)
            if bare or self._broken_when_selected(proof):
                return Confidence.LOW
        return Confidence.HIGH if spoken else Confidence.MEDIUM

    def _legal_elsewhere(self, poisoned: Sequence[Value]) -> bool:
        """Whether what the selector takes instead is computed from the poisoned values."""
        reached: set[int] = set().union(*(speaks_of(arg) for arg in poisoned))
        return bool(reached & self._other_side())

    def _silences(self, proof: Proof) -> bool:
        """Whether the condition is about the factor that makes 0 of the site's infinity, as in `x * y.log()`."""
        factors = proof.origin.args if proof.origin.op == "mul" else ()
        others = [arg for arg in factors if proof.site.number not in {v.number for v in closure((arg,), 40)}]
        return any(speaks_of(arg) & speaks_of(self.case.condition) for arg in others)

    def _other_side(self) -> set[int]:
        """The leaves of what a where takes in place of the dropped operand."""
        case = self.case
        if case.selector.op != "where" or case.drop is None:
            return set()
        return speaks_of(case.selector.args[3 - case.drop.operand])

    def _poisoned_args(self, proof: Proof) -> list[Value]:
        """The arguments of the site that lie in their poison sets."""
        site = proof.site
        points = tuple(R.point(proof.values.get(arg.number, constant_of(arg))) for arg in site.args)
        poison = OPS[site.op].poison(self.a, *points)
        found = [arg for arg, bad, at in zip(site.args, poison, points, strict=True) if bad & at]
        return found or [arg for arg in site.args if not isinstance(arg, Constant)]

    def _broken_when_selected(self, proof: Proof) -> bool:
        """Whether the same values at the site, selected, give a value that is not finite."""
        # a singular point is one without rounding too: else 1 - x * x is 0 next to 1 as well
        exact = ARITHMETIC["float64"] if proof.singular else self.a
        kept = self._kept()
        if kept is None:
            return False
        same = [
            Constraint(arg, R.point(proof.values.get(arg.number, constant_of(arg))))
            for arg in proof.site.args
        ]
        constraints = [kept, *self.path, *self.masks, *same]
        facts = self.network.solve(constraints)
        if facts is None:
            return False
        for inputs in assignments(self.network, facts, Effort(len(self.order))):
            values = forward(self.order, inputs, exact)
            if values is not None and self._satisfied(constraints, values):
                return not math.isfinite(values[self.case.selector.number])
        return False

    def _satisfied(self, constraints: Sequence[Constraint], values: Mapping[int, float]) -> bool:
        return all(values.get(c.value.number, constant_of(c.value)) in c.region for c in constraints)

    def _kept(self) -> Constraint | None:
        """What holds of the deciding value where the operand is selected; None if it can never be."""
        case = self.case
        if case.drop is None:
            return Constraint(case.condition, R.NONZERO)
        args = case.selector.args
        facts = self.network.solve([*self.path, *self.masks])
        if facts is None:
            return None
        regions = tuple(facts.of(arg) for arg in args)
        region = regions[case.drop.by] - case.drop.where(regions)
        return Constraint(args[case.drop.by], region) if region else None
