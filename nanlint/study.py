"""The search for the proofs of one case: the ways in which what a selector drops may be poisoned, and inputs for them.

The abstract half (targets) says which dropped values may reach a poison set and proves that the others cannot; the
concrete half (witness) runs candidates and decides.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from struct import pack

from nanlint import regions as R
from nanlint.alike import Fruitless, Vain, search_key
from nanlint.arithmetic import ARITHMETIC, Arithmetic
from nanlint.budget import Budget
from nanlint.cases import Case, Place, Proof, place_of
from nanlint.catalogue import OPS
from nanlint.facts import Constraint, Facts, Network
from nanlint.finding import Confidence
from nanlint.graph import MOST_VALUES, Apply, Constant, Leaf, Value, closure, operands
from nanlint.judging import Judge
from nanlint.plausibility import constant_of, divides_by_input, saturated
from nanlint.relevance import always_used
from nanlint.search import Effort, assignments, is_written, related
from nanlint.stages import Stages
from nanlint.targets import Targets
from nanlint.witness import Tape, backward, culprit

_MORE_TRIES = 80
"""Further candidates run after a first proof that needs unusual numbers, in search of a plainer one."""
_MOST_RELATED = 24
"""Candidates run for one target where all before them have poisoned another op."""
_MOST_FRUITLESS, _FEWEST_FRUITLESS, _FRUITLESS_VISITS = 300, 60, 40_000
"""Candidates run for one target without any proof: where there is one, it is found far sooner as a rule.

Of large graphs fewer are run, but for the first of them, so that about as many values are computed.
"""
_MOST_JUDGED, _MOST_OF_SITE = 60, 15
"""Proofs of one case, and of one op for one target of it, whose confidence is looked into.

Those after them are taken for unlikely.
"""

_SMALL = 1e-2
"""Numbers closer to 0 are longer to read."""
_FRUITLESS = Fruitless()
_ROUNDED = 1.00001
"""The sum of numbers is at most by this factor smaller after they have been shortened."""


class Study:
    """The search for one case."""

    def __init__(self, case: Case, a: Arithmetic, sinks: Sequence[Value], budget: Budget | None) -> None:
        self.case = case
        self.a = a
        self.path = [Constraint(p.condition, R.NONZERO if p.truth else R.ZERO) for p in case.selector.path]
        roots = [case.operand, case.selector, *(constraint.value for constraint in self.path)]
        # of a value that an assertion computes too, the place below the selector is the one to tell and to edit
        below = {value.number: value for value in closure((case.operand,), MOST_VALUES)}
        self.order = [below.get(value.number, value) for value in closure(roots, MOST_VALUES)]
        self.effort = Effort(len(self.order), budget)
        self.below = set(below)
        self.masks = [
            Constraint(value.args[1], R.NONZERO)
            for value in always_used(case.operand)
            if value.op == "masked_select" and value.number != case.selector.number
        ]
        self.known = [*case.dropped, *self.path, *self.masks]
        self.seeds = frozenset(case.seed)
        self.is_silent = not any(case.seed.values())
        """Whether nothing but zeros comes from upstream."""
        self.decided: dict[tuple[float | str | None, ...], dict[int, float] | None] = {}
        """The values of what decides, by what was given for its inputs; None where nothing is dropped."""
        self.fruitless: set[tuple[float | str | None, ...]] = set()
        """What was given for all that is run first where no nan came of it."""
        self.ran: dict[bytes, Proof | None] = {}
        """What came of the candidates that were run in the dtype at hand, by their numbers."""
        self.judged: dict[tuple[object, ...], Confidence] = {}
        self.looked_into = 0
        """How many proofs of the case were looked into."""
        self.judgements: Counter[int] = Counter()
        """How many of them for the target at hand, by the number of the op."""
        self.proven: set[int] = set()
        """The numbers of the ops that have a likely proof."""
        self.aim: int | None = None
        """The number of the op that is searched for."""
        self.is_likely = False
        """Whether any of them is more than unlikely."""
        self.sinks = sinks
        self.tried: set[int] = set()  # the numbers of the ops that the facts leave possible
        self.is_cut_off = False  # whether there was more to search for than may be

    @cached_property
    def network(self) -> Network:
        """The graph as a constraint network."""
        return Network(self.order, self.a)

    @cached_property
    def numbers(self) -> list[int]:
        """The numbers of the values that a candidate gives."""
        return [value.number for value in self.network.free]

    @cached_property
    def targets(self) -> Targets:
        """What the facts leave possible."""
        return Targets(self.case, self.network, self.below, self.known)

    @cached_property
    def stages(self) -> Stages:
        """The graph prepared to be run."""
        return Stages(self.order, self.case, self.known)

    @cached_property
    def ends(self) -> Sequence[Value]:
        """Where gradient arrives."""
        return _ends(self.order)

    @cached_property
    def judge(self) -> Judge:
        """What says how sure a proof is."""
        return Judge(self.case, self.network, [*self.path, *self.masks], self.sinks)

    def found(self) -> tuple[tuple[Proof, ...], Confidence] | None:
        """What is found: the best proof of each site, of those that are the most certain; None for nothing."""
        proofs: dict[int, Proof] = {}
        for proof in self._proofs():
            known = proofs.get(proof.site.number)
            if known is None or self._rank(proof) < self._rank(known):
                proofs[proof.site.number] = proof
        ranked = sorted(proofs.values(), key=self._rank)
        judged = sorted(((self._confidence(proof), proof) for proof in ranked), key=lambda pair: pair[0].rank)
        if not judged:
            return None
        confidence = judged[0][0]
        best = tuple(proof for own, proof in judged if own is confidence)
        plain = tuple(proof for proof in best if not divides_by_input(proof, self.case.condition))
        return plain or best, confidence

    @property
    def open_places(self) -> set[Place]:
        """Where the facts leave anything possible, whether or not a proof was found."""
        tried = (value for value in self.order if value.number in self.tried)
        return {place_of(value) for value in tried if isinstance(value, Apply)}

    def judged_proofs(self) -> Iterator[tuple[Proof, Confidence]]:
        """The best proof for each target, with how sure it is."""
        return ((proof, self._confidence(proof)) for proof in self._proofs())

    def _proofs(self) -> Iterator[Proof]:
        """The best proof for each target; where there is none, one for whatever there may be.

        What was in vain for a graph like this one is in vain once more.
        """
        if not any(isinstance(v, Apply) and OPS[v.op].singular for v in self.order if v.number in self.below):
            return
        key = search_key(self.case, self.order, self.known, self.a)
        vain = _FRUITLESS.known(key)
        if vain is not None:
            self.tried = {self.order[index].number for index in vain.tried}
            self.is_cut_off = vain.is_cut_off
            self.effort.repeat(vain.steps)
            return
        found = False
        for proof in self._sought():
            found = True
            yield proof
        if not found:
            tried = (index for index, value in enumerate(self.order) if value.number in self.tried)
            _FRUITLESS.add(key, Vain(self.effort.taken, frozenset(tried), self.is_cut_off))

    def _sought(self) -> Iterator[Proof]:
        base = self.targets.base
        if base is None:
            return
        found = False
        for index, (site, target) in enumerate(self.targets.each(base)):
            if index == self.effort.targets:
                self.is_cut_off = True
                break
            self.effort.take(1)
            proof = self._proof(base, site, target)
            if proof is not None:
                found = True
                yield proof
        blind = self._best(base) if not found and self.targets.may_be_nan(base) else None
        if blind is not None:
            yield blind

    def _proof(self, base: Facts, site: Apply, target: Constraint) -> Proof | None:
        self.aim = site.number
        for facts in self.targets.reached(base, target):
            self.tried.add(site.number)
            proof = self._best(facts)
            if proof is not None:
                return proof
        return None

    def _best(self, facts: Facts) -> Proof | None:
        """The best proof among the candidates that may satisfy the facts.

        Where plain numbers poison nothing but another op, in unlikely ways, a few are run that a relation asks for.
        """
        self.judgements.clear()
        left = min(_MOST_FRUITLESS, max(_FEWEST_FRUITLESS, _FRUITLESS_VISITS // len(self.order)))
        best = self._best_of(assignments(self.network, facts, self.effort), left)
        if best is None or best.site.number == self.aim or not self._is_unlikely(best):
            return best
        return self._best_of(related(self.network, facts, self.effort), _MOST_RELATED, best)

    def _best_of(
        self, candidates: Iterable[dict[int, float]], left: int, best: Proof | None = None
    ) -> Proof | None:
        """The best proof among some candidates, of which so many are `left`; a plain one ends the search."""
        for inputs in candidates:
            left -= 1
            if left < 0 or not self.effort.run():
                break
            if best is not None and self._is_no_better(inputs, best):
                continue
            proof = self._met(inputs)
            if proof is None:
                continue
            left = left if best is not None else _MORE_TRIES
            proof = self._plainer(proof, inputs)
            if best is None or self._worth(proof) < self._worth(best):
                best = proof
            plain = best.singular or OPS[best.site.op].overflows
            if plain and not (self._is_unlikely(best) or self._is_known(best)):
                self.proven.add(best.site.number)
                break
        return best

    def _worth(self, proof: Proof) -> tuple[bool, bool, bool, bool, float]:
        """What tells of two proofs the better one, the smaller the better: that of an op which has none yet."""
        return self._is_known(proof), *self._rank(proof)

    def _is_known(self, proof: Proof) -> bool:
        """Whether a proof is of another op than the one that is searched for, which has a likely one already."""
        return proof.site.number in self.proven and proof.site.number != self.aim

    def _is_no_better(self, inputs: Mapping[int, float], best: Proof) -> bool:
        """Whether a candidate would make no better proof, which need not be run to be known.

        Once so many proofs were judged unlikely, all others are taken for it: then plainer numbers are all that counts.
        """
        if not self._is_enough(self.aim) or self.is_likely:
            return False
        _, irregular, odd, total = self._rank(best)
        numbers = (inputs[leaf.number] for leaf in best.inputs)
        return not (irregular or odd) and sum(map(_size, numbers)) >= total * _ROUNDED

    def _plainer(self, proof: Proof, inputs: Mapping[int, float]) -> Proof:
        """The same with shorter numbers, where these do it too: they are easier to read, and free of rounding."""
        short = {number: float(f"{value:.6g}") for number, value in inputs.items()}
        return proof if short == inputs else self._met(short) or proof

    def _met(self, inputs: Mapping[int, float]) -> Proof | None:
        """What comes of one candidate; the same are met again and again, for one target and the next."""
        numbers = self.numbers
        key = pack(f"{len(numbers)}d", *[inputs[number] for number in numbers])
        if key not in self.ran:
            self.ran[key] = self._run(inputs)
        return self.ran[key]

    def _run(self, inputs: Mapping[int, float], a: Arithmetic | None = None) -> Proof | None:
        """Run one candidate: a proof if it is dropped with a finite value and a nan arrives at a leaf."""
        arithmetic = a or self.a
        values = self._dropped_values(inputs, arithmetic)
        if values is None:
            return None
        first, seed = self.stages.first, self.case.seed
        calm = self.is_silent and first.is_calm(values, self.seeds, arithmetic)
        gradients = None if calm else first.backward(values, seed, arithmetic, cut=True)
        if gradients is None or gradients.origin is None:
            self.fruitless.add(self._key(first, inputs, arithmetic))
            return None
        self.stages.last.more(values, inputs, arithmetic)
        value = values[self.case.selector.number]
        if not _hold(self.stages.known_last, values) or not self._is_fine(value):
            return None
        arrived = self._arrived(gradients.by_number)
        if not arrived or not self._survives(values, arithmetic):
            return None
        site = culprit(gradients.origin, values)
        exact = a is None and not OPS[site.op].overflows and not saturated(site, values)
        exact = exact and self._run(inputs, ARITHMETIC["float64"]) is not None
        named = {leaf: inputs[leaf.number] for leaf in self.order if leaf.number in inputs}
        return Proof(site, named, value, arrived, exact, values, gradients.origin)

    def _key(self, tape: Tape, inputs: Mapping[int, float], a: Arithmetic) -> tuple[float | str | None, ...]:
        return (a.dtype.name, *map(inputs.get, tape.inputs))

    def _dropped_values(self, inputs: Mapping[int, float], a: Arithmetic) -> dict[int, float] | None:
        """The values of what is dropped and of what decides it; None if it is not, or if it is known to be in vain."""
        stages = self.stages
        decided = self._deciding_values(inputs, a)
        if decided is None or self._key(stages.first, inputs, a) in self.fruitless:
            return None
        values = dict(decided)
        stages.dropped.more(values, inputs, a)
        return values if _hold(stages.known_first, values) else None

    def _deciding_values(self, inputs: Mapping[int, float], a: Arithmetic) -> dict[int, float] | None:
        """The values of what decides, computed once for the same inputs of it; None if nothing is dropped there."""
        stages = self.stages
        key = self._key(stages.deciding, inputs, a)
        if key not in self.decided:
            values: dict[int, float] = {}
            stages.deciding.more(values, inputs, a)
            drops = self._drops(values) and _hold(stages.known_deciding, values)
            self.decided[key] = values if drops else None
        return self.decided[key]

    def _drops(self, values: Mapping[int, float]) -> bool:
        """Whether the selector drops its operand; a mask that is 0 is a constraint instead."""
        case = self.case
        args = tuple(values.get(arg.number, constant_of(arg)) for arg in case.selector.args)
        return case.drop is None or case.drop.holds(args)

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
        found = ((end, gradients.get(end.number, 0.0)) for end in self.ends)
        return {end: g for end, g in found if g != g}

    def _is_unlikely(self, proof: Proof) -> bool:
        return self._confidence(proof) is Confidence.LOW

    def _confidence(self, proof: Proof) -> Confidence:
        """How sure a proof is, judged once: the same numbers are met again and again."""
        key = (proof.site.number, proof.origin.number, tuple(proof.inputs.values()))
        if key not in self.judged:
            in_vain = self._is_enough(proof.site.number) or self.judge.is_far_fetched(proof)
            self.judgements[proof.site.number] += not in_vain
            self.looked_into += not in_vain
            self.judged[key] = Confidence.LOW if in_vain else self.judge.confidence(proof)
            self.is_likely = self.is_likely or self.judged[key] is not Confidence.LOW
        return self.judged[key]

    def _is_enough(self, site: int | None) -> bool:
        """Whether so many proofs were looked into, of one op or of all, that no others are."""
        of_site = 0 if site is None else self.judgements[site]
        return of_site >= _MOST_OF_SITE or self.looked_into >= _MOST_JUDGED

    def _rank(self, proof: Proof) -> tuple[bool, bool, bool, float]:
        """Plausible before far-fetched, singular before not, numbers that a person may write before others."""
        numbers = proof.inputs.values()
        odd = not all(is_written(value) for value in numbers)
        return self._is_unlikely(proof), not proof.singular, odd, sum(map(_size, numbers))


def _size(number: float) -> float:
    """How far a number is from 0 or 1 for who reads it: one of ten digits is no small one."""
    size = abs(number)
    return -math.log10(size) if 0.0 < size < _SMALL else size


def _ends(order: Sequence[Value]) -> list[Value]:
    """Where gradient arrives: the leaves, and the values at the edge of what is looked at, in order."""
    inside = {value.number for value in order}
    met = (end for value in order for end in (value, *operands(value)))
    return list(dict.fromkeys(v for v in met if v.grad and (isinstance(v, Leaf) or v.number not in inside)))


def _hold(constraints: Iterable[Constraint], values: Mapping[int, float]) -> bool:
    """Whether the constraints on values that were computed hold."""
    return all(values[one.value.number] in one.region for one in constraints if one.value.number in values)
