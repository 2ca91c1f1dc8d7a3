"""Hazards: for each selector, an input that it drops and at which the dropped operand's backward makes a nan.

The abstract half (facts) says which dropped values may reach a poison set and proves that the others cannot; the
concrete half (witness) runs candidates and decides.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.budget import Budget
from nanlint.cases import Case, Proof, cases
from nanlint.catalogue import OPS, Drop, Selector
from nanlint.facts import Constraint, Facts, Network
from nanlint.finding import Confidence
from nanlint.graph import MOST_VALUES, Apply, Constant, Leaf, Value, closure, operands
from nanlint.judging import Judge
from nanlint.plausibility import constant_of, saturated
from nanlint.search import Effort, assignments, is_written, route
from nanlint.witness import Gradients, Tape, backward, culprit

_MORE_TRIES = 80
"""Further candidates run after a first proof that needs unusual numbers, in search of a plainer one."""
_MOST_JUDGED = 40
"""Proofs of one case whose confidence is looked into; what is found after them is taken for unlikely."""


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


def hazards(
    selector: Apply, a: Arithmetic, sinks: Sequence[Value] = (), budget: Budget | None = None
) -> list[Hazard]:
    """The hazards of one selector, one for each operand that it can drop; `sinks` are its function's results.

    Raises Exhausted if the `budget` is not enough.
    """
    found = (_Study(case, a, sinks, budget).hazard() for case in cases(selector))
    return [hazard for hazard in found if hazard is not None]


def _always_used(operand: Value) -> Iterator[Apply]:
    """What an operand is made of, but for what only one side of a choice uses."""
    stack, seen = [operand], set[int]()
    while stack:
        value = stack.pop()
        if value.number in seen or not isinstance(value, Apply):
            continue
        seen.add(value.number)
        yield value
        stack.extend(value.args[:1] if value.op in ("phi", "where") else value.args)


class _Study:
    """The search for one case."""

    def __init__(self, case: Case, a: Arithmetic, sinks: Sequence[Value], budget: Budget | None) -> None:
        self.case = case
        self.a = a
        self.path = [Constraint(p.condition, R.NONZERO if p.truth else R.ZERO) for p in case.selector.path]
        roots = [case.operand, case.selector, *(constraint.value for constraint in self.path)]
        # of a value that an assertion computes too, the place below the selector is the one to tell and to edit
        below = {value.number: value for value in closure((case.operand,), MOST_VALUES)}
        self.order = [below.get(value.number, value) for value in closure(roots, MOST_VALUES)]
        self.network = Network(self.order, a)
        self.effort = Effort(len(self.order), budget)
        self.below = set(below)
        self.masks = [
            Constraint(value.args[1], R.NONZERO)
            for value in _always_used(case.operand)
            if value.op == "masked_select" and value.number != case.selector.number
        ]
        known = [*case.dropped, *self.path, *self.masks]
        self.early, self.late = _tapes(self.order, case)
        self.early_known = [one for one in known if one.value.number in self.early.inside]
        self.late_known = [one for one in known if one.value.number not in self.early.inside]
        self.fruitless: set[tuple[float | str | None, ...]] = set()
        """What was given for the inputs of `early` where no nan came of it."""
        self.judged: dict[tuple[object, ...], Confidence] = {}
        self.judge = Judge(case, self.network, [*self.path, *self.masks], sinks)

    def hazard(self) -> Hazard | None:
        if not any(isinstance(v, Apply) and OPS[v.op].singular for v in self.order if v.number in self.below):
            return None
        constraints = self._dropped()
        base = None if constraints is None else self.network.solve(constraints)
        if base is None or constraints is None:
            return None
        proofs: dict[int, Proof] = {}
        for target in itertools.islice(self._targets(base), self.effort.targets):
            self.effort.take(1)
            proof = self._proof(base, target)
            if proof is not None:
                known = proofs.get(proof.site.number)
                if known is None or self._rank(proof) < self._rank(known):
                    proofs[proof.site.number] = proof
        if not proofs and self._may_be_nan(base):
            blind = self._best(base)
            proofs = {} if blind is None else {blind.site.number: blind}
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
                if met and value.op == "div" and arg is value.args[1] and not arg.grad:
                    met &= R.ZERO  # all other divisors poison nothing but their own gradient
                if met and (value.grad or self._may_break(value, arg, met, base)):
                    yield Constraint(arg, met)

    def _may_break(self, value: Apply, arg: Value, met: R.Region, base: Facts) -> bool:
        """Whether a value that no gradient flows through is no number there: else it poisons nothing."""
        row = OPS[value.op]
        regions = [met if other is arg else base.of(other) for other in value.args]
        return bool(row.image(self.a, *regions) & R.INFINITIES) or row.undefined(*regions)

    def _may_be_nan(self, base: Facts) -> bool:
        """Whether an op below may give nan of numbers: then nan, not a singular point, poisons the ops above it."""
        return any(value.number in base.nans for value in self.order if value.number in self.below)

    def _proof(self, base: Facts, target: Constraint) -> Proof | None:
        facts = self.network.solve((target, *route(self.case.operand, target.value, self.order)), base)
        return None if facts is None else self._best(facts)

    def _best(self, facts: Facts) -> Proof | None:
        """The best proof among the candidates that may satisfy the facts; a plain one ends the search."""
        best: Proof | None = None
        left = _MORE_TRIES
        for inputs in assignments(self.network, facts, self.effort):
            left -= best is not None
            if left < 0 or not self.effort.run():
                break
            proof = self._run(inputs)
            if proof is None:
                continue
            proof = self._plainer(proof, inputs)
            if best is None or self._rank(proof) < self._rank(best):
                best = proof
            if not self._is_unlikely(best) and (best.singular or OPS[best.site.op].overflows):
                break
        return best

    def _plainer(self, proof: Proof, inputs: Mapping[int, float]) -> Proof:
        """The same with shorter numbers, where these do it too: they are easier to read, and free of rounding."""
        short = {number: float(f"{value:.6g}") for number, value in inputs.items()}
        return proof if short == inputs else self._run(short) or proof

    def _run(self, inputs: Mapping[int, float], a: Arithmetic | None = None) -> Proof | None:
        """Run one candidate: a proof if it is dropped with a finite value and a nan arrives at a leaf."""
        arithmetic = a or self.a
        key = (arithmetic.dtype.name, *map(inputs.get, self.early.inputs))
        if key in self.fruitless:
            return None
        values = self.early.start(inputs, arithmetic)
        self.early.run(values, inputs, arithmetic)
        gradients = self._dropped_gradients(values, arithmetic)
        if gradients is None or gradients.origin is None:
            self.fruitless.add(key)
            return None
        values |= self.late.start(inputs, arithmetic)
        self.late.run(values, inputs, arithmetic)
        value = values[self.case.selector.number]
        if not _hold(self.late_known, values) or not self._is_fine(value):
            return None
        arrived = self._arrived(gradients.by_number)
        if not arrived or not self._survives(values, arithmetic):
            return None
        site = culprit(gradients.origin, values)
        exact = a is None and not OPS[site.op].overflows and not saturated(site, values)
        exact = exact and self._run(inputs, ARITHMETIC["float64"]) is not None
        named = {leaf: inputs[leaf.number] for leaf in self.order if leaf.number in inputs}
        return Proof(site, named, value, arrived, exact, values, gradients.origin)

    def _dropped_gradients(self, values: Mapping[int, float], a: Arithmetic) -> Gradients | None:
        """The gradients below the operand where the selector drops it; None where it does not."""
        case = self.case
        if case.drop is not None:
            args = tuple(values.get(arg.number, constant_of(arg)) for arg in case.selector.args)
            if not case.drop.holds(args):
                return None
        if not _hold(self.early_known, values):
            return None
        return self.early.backward(values, case.seed, a, cut=True)

    def _is_fine(self, value: float) -> bool:
        """Whether the selector's own value is as it should be."""
        case = self.case
        # nan already in forward, or not there at all
        lost = case.drop is None or case.selector.op == "masked_select"
        return math.isfinite(value) or lost or self._is_written(value)

    def _is_written(self, value: float) -> bool:
        """Whether a value is the infinity that the code itself puts in place of the operand, as a score of -inf."""
        case = self.case
        if case.drop is None or case.selector.op not in ("where", "masked_fill"):
            return False
        taken = [
            arg for at, arg in enumerate(case.selector.args) if at not in (case.drop.operand, case.drop.by)
        ]
        return any(
            isinstance(arg, Constant) and math.isinf(arg.value) and arg.value == value for arg in taken
        )

    def _survives(self, values: Mapping[int, float], a: Arithmetic) -> bool:
        """Whether the nan is there when the selected side sends its gradient too.

        What both sides share is given the sum of their gradients, and is no longer at a loss if that is not 0.
        """
        selector = self.case.selector.number
        whole = backward(self.order, values, {selector: 1.0}, a)
        return selector not in values or bool(self._arrived(whole.by_number))

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

    def _is_unlikely(self, proof: Proof) -> bool:
        return self._confidence(proof) is Confidence.LOW

    def _confidence(self, proof: Proof) -> Confidence:
        """How sure a proof is, judged once: the same numbers are met again and again."""
        key = (proof.site.number, proof.origin.number, tuple(proof.inputs.values()))
        if key not in self.judged:
            enough = len(self.judged) >= _MOST_JUDGED
            self.judged[key] = Confidence.LOW if enough else self.judge.confidence(proof)
        return self.judged[key]

    def _rank(self, proof: Proof) -> tuple[bool, bool, bool, float]:
        """Plausible before far-fetched, singular before not, numbers that a person may write before others."""
        numbers = proof.inputs.values()
        odd = not all(is_written(value) for value in numbers)
        return self._is_unlikely(proof), not proof.singular, odd, sum(map(abs, numbers))

    def _made(self, proofs: list[Proof]) -> Hazard:
        case = self.case
        judged = sorted(((self._confidence(proof), proof) for proof in proofs), key=lambda pair: pair[0].rank)
        confidence = judged[0][0]
        proofs = [proof for own, proof in judged if own is confidence]
        return Hazard(
            case.selector, case.row, case.drop, case.operand, case.condition, tuple(proofs), confidence
        )


_DECIDED_ALONE = frozenset({"where", "masked_fill", "masked_select", "mul"})
"""Selectors whose condition alone says what is dropped."""


def _tapes(order: Sequence[Value], case: Case) -> tuple[Tape, Tape]:
    """The graph in two parts: first what is dropped and what decides it, for few candidates get any further."""
    selector, drop = case.selector, case.drop
    if drop is None or selector.op not in _DECIDED_ALONE:
        roots: tuple[Value, ...] = (case.operand, *selector.args)
    else:
        roots = (case.operand, selector.args[drop.by])
    needed = {value.number for value in roots}
    for value in reversed(order):
        if value.number in needed:
            needed.update(arg.number for arg in operands(value))
    early = Tape([value for value in order if value.number in needed])
    return early, Tape([value for value in order if value.number not in needed], after=early)


def _hold(constraints: Iterable[Constraint], values: Mapping[int, float]) -> bool:
    """Whether the constraints on values that were computed hold."""
    return all(values[one.value.number] in one.region for one in constraints if one.value.number in values)
