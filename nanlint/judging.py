"""How sure a hazard is: whether what its witness needs may occur, by all that the code says of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cached_property

from nanlint import regions as R
from nanlint.arithmetic import ARITHMETIC
from nanlint.bounds import is_not_for_bounds, is_ratio
from nanlint.by_name import is_positive_by_name, is_step
from nanlint.cases import Case, Proof
from nanlint.catalogue import OPS
from nanlint.catalogue.emptied import EMPTIED
from nanlint.decided import is_by_factor, is_decided, is_masked_out, is_spread_of_few
from nanlint.facts import Constraint, Network
from nanlint.finding import Confidence
from nanlint.graph import MOST_VALUES, Apply, Constant, Leaf, Value, closure
from nanlint.leftovers import counts_a_batch, is_left_nothing, takes_a_part
from nanlint.pairs import OF_COSINES, differs_from_itself, is_about_diagonal, is_of_pairs
from nanlint.plausibility import (
    constant_of,
    counts_itself,
    crossing,
    is_behind_offset,
    is_behind_rounding,
    is_extreme,
    is_far_fetched,
    is_less_than_nothing,
    is_nothing_of_nothing,
    is_offset,
    is_picked_by_sum,
    is_root_of_negative,
    is_setting,
    is_sigmoid_gone,
    is_total,
    pinned,
    saturated,
)
from nanlint.relevance import (
    asks_for_gap,
    compares_all_of,
    factors,
    is_asked_about,
    is_held_against_number,
    is_held_against_zero,
    is_left_blank,
    is_padding,
    is_picked,
    is_presence,
    is_ranking,
    is_sign,
    is_spoken_of,
    is_told_apart,
    is_unreadable,
    share,
    speaks_of,
    stem,
)
from nanlint.results import Results
from nanlint.search import Effort, assignments
from nanlint.witness import forward

_NEVER_NOTHING = (is_total, counts_itself, is_picked_by_sum)
"""What tells that a value has a part that is not 0."""
_MOST_TRIED = 150
"""Assignments tried for one with the operand selected: where these are too few, hardly any number is enough."""
_MOST_SQUARED = 1e15
"""What is larger comes of something that is as good as infinite."""
_ASKING = frozenset({"isfinite", "isnan", "isinf"})


class Judge:
    """Judges the proofs of one case.

    `known` is what holds wherever the selector is computed, `sinks` are the results of the function.
    """

    def __init__(
        self, case: Case, network: Network, known: Sequence[Constraint], sinks: Sequence[Value]
    ) -> None:
        self.case = case
        self.network = network
        self.known = known
        self.sinks = sinks
        self._results = Results(case, sinks, network.a)
        self._broken: dict[tuple[float | None, ...], bool] = {}
        self.order = network.order
        self.a = network.a

    def confidence(self, proof: Proof) -> Confidence:
        """How sure it is that this input may occur, which `is_far_fetched` does not rule out already.

        Low where the code says nothing of it: a Python number (a setting) at its singular value, or values that the
        condition does not exclude from what is selected, where they would break the value as well. High where the
        condition speaks of the values that reach the poison. A mask from outside is trusted to drop padding, of any
        value; and what the other side of the selector takes is a legal input where that side is selected.
        """
        poisoned = self._poisoned_args(proof)
        unlikely = all(self._is_unlikely(arg, proof) or self._is_coincidence(arg, proof) for arg in poisoned)
        if (
            unlikely
            or is_less_than_nothing(self.case.condition, proof.values)
            or is_behind_rounding(self.case.operand, proof.origin)
            or is_behind_offset(proof.site, proof.values)
            or (self._keeps_nan() and is_nothing_of_nothing(proof))
            or takes_a_part(self.case, self.sinks)
            or self._is_against_a_name(proof)
            or (is_unreadable(self.case.condition) and is_sigmoid_gone(proof.site, proof.values))
            or (is_root_of_negative(proof.site, proof.values) and not self._asks_about(proof.site.args[:1]))
        ):
            return Confidence.LOW
        if is_of_pairs(self.case, proof, poisoned):
            return Confidence.HIGH
        if is_picked(self.case.condition) and any(is_masked_out(arg, proof.values) for arg in poisoned):
            return Confidence.LOW if self._results.are_broken(proof) else Confidence.HIGH
        if is_about_diagonal(self.case.condition) and not (
            proof.site.op in OF_COSINES
            or any(differs_from_itself(arg) or share(arg, self.case.condition) for arg in poisoned)
        ):
            return Confidence.LOW
        if proof.site.op in EMPTIED:
            trained = not all(map(is_setting, proof.gradients))
            asked = trained and is_left_nothing(self.case, proof, self.network)
            return Confidence.HIGH if asked else Confidence.LOW
        if self._is_beside_the_point(proof, poisoned):
            return Confidence.LOW
        condition = self.case.condition
        spoken = share(condition, proof.site)
        apart = not spoken and not is_picked(condition)
        if not self._is_meant(proof, poisoned) and (apart or self._broken_when_selected(proof)):
            return Confidence.LOW
        if not self._speaks_of_poison(proof, poisoned):
            return Confidence.LOW
        if self._results.are_broken(proof) or self._results.are_marked(proof) or self._is_mask_of_nan(proof):
            return Confidence.LOW
        return Confidence.HIGH if spoken else Confidence.MEDIUM

    def _is_meant(self, proof: Proof, poisoned: Sequence[Value]) -> bool:
        """Whether the selector is there for what is poisoned, so that it need not be fine where it is selected."""
        condition = self.case.condition
        told = is_unreadable(condition) and not is_spoken_of(poisoned, condition)
        return (
            (told or is_ranking(condition) or self._drops_absent(proof, poisoned))
            or (self._legal_elsewhere(poisoned) or self._silences(proof) or self._overwrites_end(proof))
            or is_decided(self.case, proof, poisoned, self.a)
            or any(is_by_factor(arg, condition, proof.values) for arg in poisoned)
        )

    def is_far_fetched(self, proof: Proof) -> bool:
        """Whether a proof takes numbers that nobody uses."""
        return is_far_fetched(proof, self.case.operand, asked=self._asks_about(self._poisoned_args(proof)))

    def _asks_about(self, poisoned: Sequence[Value]) -> bool:
        """Whether the condition compares what any of some values alone is made of."""
        return any(is_told_apart(arg, self.case.condition) for arg in poisoned)

    def _is_against_a_name(self, proof: Proof) -> bool:
        """Whether an input is 0 that is positive by its name, where the condition does not ask for it."""
        spoken = speaks_of(proof.site)
        return any(
            at == 0.0
            and leaf.number in spoken
            and is_positive_by_name(leaf)
            and not is_held_against_number(leaf, self.case.condition)
            for leaf, at in proof.inputs.items()
        )

    def _keeps_nan(self) -> bool:
        """Whether the selector gives nan for one: bounds do, and products."""
        drop = self.case.drop
        return drop is None or (drop.by == drop.operand and self.case.selector.op != "nan_to_num")

    def _is_beside_the_point(self, proof: Proof, poisoned: Sequence[Value]) -> bool:
        """Whether nothing in the code says that the poison is met where the operand is dropped."""
        drop, condition = self.case.drop, self.case.condition
        if drop is None and not math.isfinite(proof.value) and not any(arg.grad for arg in poisoned):
            return True  # a mean over nothing, times a mask: forward shows it
        if (
            proof.site.op == "square"
            and abs(proof.values.get(proof.site.args[0].number, 0.0)) > _MOST_SQUARED
        ):
            return True
        if drop is not None and drop.by == drop.operand:
            return self._keeps_nan() and self._is_not_for_bounds(proof, poisoned)
        if any(is_asked_about(arg, condition) or compares_all_of(arg, condition) for arg in poisoned):
            return False
        if drop is not None and is_extreme(proof, poisoned) and not is_padding(condition):
            return True
        picked = self.case.selector.op == "masked_select" and is_picked(condition)
        if picked and not share(condition, proof.site):
            return True
        if drop is None:
            return not (math.isfinite(proof.value) or is_ratio(proof.site))  # forward shows it already
        blank = is_unreadable(condition) and any(map(is_left_blank, poisoned))
        return not (blank or any(arg.grad or share(arg, condition) for arg in poisoned))

    def _is_not_for_bounds(self, proof: Proof, poisoned: Sequence[Value]) -> bool:
        """Whether bounds on the operand say nothing of the poison, which is no end of a range that is met either."""
        if proof.site.op == "div" and not proof.singular:
            return True  # a divisor that underflows
        bounded = is_not_for_bounds(proof.site, self.case.operand, proof.values)
        return bounded and not any(self._ends_there(arg, proof) for arg in poisoned)

    def _speaks_of_poison(self, proof: Proof, poisoned: Sequence[Value]) -> bool:
        """Whether a selector has to do with the poisoned values, rather than with something made of the same inputs.

        Its condition asks about them, compares a factor of theirs or what they divide with 0, or excludes
        them from what is selected; it names the places that are overwritten; or the other side is computed from
        them, so that they occur.
        """
        drop, condition = self.case.drop, self.case.condition
        if (
            (drop is not None and drop.by == drop.operand)
            or is_unreadable(condition)
            or self._silences(proof)
            or self._drops_absent(proof, poisoned)
        ):
            return True
        if is_picked(condition) and self.case.selector.op == "masked_fill":
            return True
        if is_sign(condition) and share(condition, proof.site):
            return True
        if is_decided(self.case, proof, poisoned, self.a):
            return True
        parts = (part for arg in (proof.site, *poisoned) for part in factors(arg))
        if self._asks_about(poisoned) or any(is_held_against_zero(part, condition) for part in parts):
            return True
        if any(compares_all_of(arg, condition) or self._guards(proof, arg) for arg in poisoned):
            return True
        if is_spread_of_few(poisoned, condition) or any(
            is_by_factor(arg, condition, proof.values) for arg in poisoned
        ):
            return True
        return self._occurs_elsewhere(proof, poisoned) or self._leaves_domain(proof, poisoned)

    def _leaves_domain(self, proof: Proof, poisoned: Sequence[Value]) -> bool:
        """Whether an op is undefined, not only singular, where inputs of it are out of the bounds that are asked for.

        So is a spline's inverse outside of its interval, where the input itself is taken: no coincidence is needed.
        """
        undefined = proof.site.op != "div" and math.isnan(proof.values.get(proof.site.number, 0.0))
        return undefined and self._legal_elsewhere(poisoned) and share(self.case.condition, proof.site)

    def _drops_absent(self, proof: Proof, poisoned: Sequence[Value]) -> bool:
        """Whether a number stands for what is dropped, by a condition on inputs of which the poison is not made.

        That is as good as a mask from outside: what is dropped is not there, and may be anything.
        """
        case = self.case
        other = self._other_side()
        replaced = case.drop is None or case.selector.op != "where" or isinstance(other, Constant)
        plain = all(arg.grad and not (isinstance(arg, Leaf) and "." in arg.name) for arg in poisoned)
        meant = proof.singular or saturated(proof.site, proof.values)
        apart = speaks_of(case.condition).isdisjoint(speaks_of(proof.site))
        return meant and replaced and plain and apart and is_presence(case.condition)

    def _occurs_elsewhere(self, proof: Proof, poisoned: Sequence[Value]) -> bool:
        """Whether what the selector takes instead is computed from the very poisoned values, if they are singular."""
        other = self._other_side()
        if other is None or not proof.singular:
            return self._legal_elsewhere(poisoned)
        made = {value.number for value in closure((other,), MOST_VALUES)}
        return any(stem(arg) & made for arg in poisoned)

    def _ends_there(self, arg: Value, proof: Proof) -> bool:
        """Whether a value is computed so that its range ends where it is in a proof: a `relu`, a norm, a variance.

        That a root is not negative says nothing of what it is the root of.
        """
        while isinstance(arg, Apply) and arg.op == "sqrt":
            arg = arg.args[0]
        facts, at = self.network.solve(()), proof.values.get(arg.number)
        if facts is None or at is None or (isinstance(arg, Leaf) and not arg.opaque):
            return False
        region = facts.of(arg)
        return at in (region.lo, region.hi)

    def _is_unlikely(self, poisoned: Value, proof: Proof) -> bool:
        """Whether a value is the caller's to avoid, or is not 0 unless the condition asks if it is."""
        if is_setting(poisoned):
            return not self._guards(proof, poisoned)
        if counts_a_batch(poisoned, self.case.condition) or any(rule(poisoned) for rule in _NEVER_NOTHING):
            return True
        if is_offset(poisoned, proof.values):
            return True
        if proof.site.op == "eigenvector" and not asks_for_gap(poisoned, self.case.condition):
            return True  # two values of a matrix are seldom equal
        width = proof.site.op in ("div", "reciprocal") and is_step(poisoned, proof.values)
        if is_positive_by_name(poisoned):
            return not is_held_against_number(poisoned, self.case.condition)
        return width and not is_asked_about(poisoned, self.case.condition)

    def _legal_elsewhere(self, poisoned: Sequence[Value]) -> bool:
        """Whether what the selector takes instead is computed from the poisoned values."""
        other = self._other_side()
        return other is not None and any(share(arg, other) for arg in poisoned)

    def _is_coincidence(self, arg: Value, proof: Proof) -> bool:
        """Whether independent values would have to meet in one number that the condition says nothing of."""
        found = crossing(arg)
        if found is None or proof.values.get(arg.number) != 0.0:
            return False
        product, number = found
        if compares_all_of(product, self.case.condition):
            return False
        facts = self.network.solve(())
        if facts is None or not any(part.lo < number < part.hi for part in facts.of(product).intervals):
            return False
        return not {arg.number, product.number} & {
            v.number for v in closure((self.case.condition,), MOST_VALUES)
        }

    def _silences(self, proof: Proof) -> bool:
        """Whether the condition is about the factor that makes 0 of the site's infinity, as in `x * y.log()`."""
        factors = proof.origin.args if proof.origin.op == "mul" else ()
        others = [arg for arg in factors if proof.site.number not in {v.number for v in closure((arg,), 40)}]
        return any(share(arg, self.case.condition) for arg in others)

    def _overwrites_end(self, proof: Proof) -> bool:
        """Whether places are overwritten where a probability is rounded to 1: one of them at most is, in each row."""
        filled = is_picked(self.case.condition) and self.case.selector.op == "masked_fill"
        return filled and saturated(proof.site, proof.values)

    def _other_side(self) -> Value | None:
        """What a where takes in place of the dropped operand."""
        case = self.case
        if case.selector.op != "where" or case.drop is None:
            return None
        return case.selector.args[3 - case.drop.operand]

    def _poisoned_args(self, proof: Proof) -> list[Value]:
        """The arguments of the site that lie in their poison sets."""
        site = proof.site
        points = tuple(R.point(proof.values.get(arg.number, constant_of(arg))) for arg in site.args)
        poison = OPS[site.op].poison(self.a, *points)
        found = [arg for arg, bad, at in zip(site.args, poison, points, strict=True) if bad & at]
        return found or [arg for arg in site.args if not isinstance(arg, Constant)]

    def _broken_when_selected(self, proof: Proof) -> bool:
        """Whether the same values at the site, selected, give a value that is not finite; found out once."""
        site = tuple(proof.values.get(arg.number) for arg in proof.site.args)
        settings = (at for leaf, at in proof.inputs.items() if is_setting(leaf))
        key = (proof.site.number, proof.singular, *site, *settings)
        if key not in self._broken:
            self._broken[key] = self._is_broken_when_selected(proof)
        return self._broken[key]

    def _is_broken_when_selected(self, proof: Proof) -> bool:
        # a singular point is one without rounding too: else 1 - x * x is 0 next to 1 as well
        exact = ARITHMETIC["float64"] if proof.singular else self.a
        kept = self._kept
        if kept is None:
            return False
        same = [leaf for leaf in proof.inputs if is_setting(leaf)]  # a setting is one for all elements
        constraints = [kept, *self.known, *pinned((*proof.site.args, *same), proof)]
        facts = self.network.solve(constraints)
        if facts is None:
            return False
        tried = assignments(self.network, facts, Effort(len(self.order)))
        for inputs in itertools.islice(tried, _MOST_TRIED):
            values = forward(self.order, inputs, exact)
            if values is not None and self._satisfied(constraints, values):
                return not math.isfinite(values[self.case.selector.number])
        return False

    def _is_mask_of_nan(self, proof: Proof) -> bool:
        """Whether a product is nan because its mask compares that very nan: such a mask guards against nothing."""
        if self.case.drop is not None or math.isfinite(proof.value):
            return False
        made = closure((self.case.condition,), MOST_VALUES)
        asks = any(isinstance(value, Apply) and value.op in _ASKING for value in made)
        return not asks and any(value.number == proof.site.number for value in made)

    def _guards(self, proof: Proof, poisoned: Value) -> bool:
        """Whether the condition excludes this very value from what is selected: then it is meant to occur."""
        drop = self.case.drop
        kept = self._kept
        if drop is None or drop.by == drop.operand or kept is None:
            return False
        return self.network.solve([kept, *self.known, *pinned((poisoned,), proof)]) is None

    def _satisfied(self, constraints: Sequence[Constraint], values: Mapping[int, float]) -> bool:
        return all(values.get(c.value.number, constant_of(c.value)) in c.region for c in constraints)

    @cached_property
    def _kept(self) -> Constraint | None:
        """What holds of the deciding value where the operand is selected; None if it can never be."""
        case = self.case
        if case.drop is None:
            return Constraint(case.condition, R.NONZERO)
        args = case.selector.args
        facts = self.network.solve([*self.known])
        if facts is None:
            return None
        regions = tuple(facts.of(arg) for arg in args)
        region = regions[case.drop.by] - case.drop.where(regions)
        return Constraint(args[case.drop.by], region) if region else None
